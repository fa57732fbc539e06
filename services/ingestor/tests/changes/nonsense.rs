//! Whatever comes, the adapters answer.

use proptest::prelude::*;
use serde_json::Value;

use crate::documented::{FIXTURES, fixture};
use crate::{delivery, people, read};

const PROVIDERS: [&str; 2] = ["jira", "servicenow"];

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        "https?://[a-z.@]{0,12}/(rest|browse)/.{0,8}",
        "(CHG|INC|é)[0-9]{0,7}",
        Just("9999-12-31 23:59:59".to_owned()),
        Just("-009999-01-01T00:00:00Z".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("Awaiting CAB approval".to_owned()),
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
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
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
        let path = format!("{path}/{name}");
        places(member, &path, found);
        found.push(path);
    }
}

proptest! {
    #[test]
    fn bytes_are_answered(which in 0..PROVIDERS.len(), body: Vec<u8>) {
        let provider = ingestor::providers::find(PROVIDERS[which]).expect("a provider");
        let delivery = delivery(PROVIDERS[which], body);
        let _ = (provider.event(&delivery), provider.read(&delivery, &people()));
    }

    #[test]
    fn json_is_answered(which in 0..PROVIDERS.len(), body in any_json()) {
        let _ = read(PROVIDERS[which], &body);
    }

    /// A good body with one member replaced: most of it is read as ever.
    #[test]
    fn one_wrong_member_is_answered(which in 0..FIXTURES.len(), place: prop::sample::Index, nonsense in any_json()) {
        let (provider, name, _) = FIXTURES[which];
        let mut body = fixture(provider, name);
        let mut found = Vec::new();
        places(&body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).expect("a pointer found in it") = nonsense;
        let _ = read(provider, &body);
    }
}
