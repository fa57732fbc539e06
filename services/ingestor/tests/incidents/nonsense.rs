//! Whatever comes, the adapters answer.

use ingestor::providers::find;
use proptest::prelude::*;
use serde_json::Value;

use crate::documented::{PROVIDERS_HERE, fixtures};
use crate::{delivery, read, read_bytes};

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        "[0-9a-f]{7,40}",
        "[0-9]{1,20}",
        Just("incident.resolved".to_owned()),
        Just("https://@/".to_owned()),
        Just("9999-12-31T23:59:59Z".to_owned()),
        Just("-009999-01-01T00:00:00Z".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names =
            prop_oneof![".{0,8}", Just("event".to_owned()), Just("messages".to_owned()), Just("alerts".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// JSON pointers to every member and item of a body.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, item)| (i.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, member) in inner {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        places(member, &path, found);
        found.push(path);
    }
}

proptest! {
    #[test]
    fn bytes_are_answered(which in 0..PROVIDERS_HERE.len(), body: Vec<u8>) {
        let _ = find(PROVIDERS_HERE[which]).unwrap().event(&delivery(PROVIDERS_HERE[which], body.clone()));
        let _ = read_bytes(PROVIDERS_HERE[which], body);
    }

    #[test]
    fn json_is_answered(which in 0..PROVIDERS_HERE.len(), body in any_json()) {
        let _ = find(PROVIDERS_HERE[which]).unwrap().event(&delivery(PROVIDERS_HERE[which], body.to_string()));
        let _ = read(PROVIDERS_HERE[which], &body);
    }

    /// A good body with one member replaced: most of it is read as ever.
    #[test]
    fn one_wrong_member_is_answered(
        which in 0..PROVIDERS_HERE.len(),
        one: prop::sample::Index,
        place: prop::sample::Index,
        nonsense in any_json(),
    ) {
        let all = fixtures(PROVIDERS_HERE[which]);
        let mut body = one.get(&all.into_values().collect::<Vec<_>>()).clone();
        let mut found = Vec::new();
        places(&body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).expect("a pointer found in it") = nonsense;
        let _ = read(PROVIDERS_HERE[which], &body);
    }
}
