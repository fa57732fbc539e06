//! Whatever comes, the adapter answers.

use ingestor::providers::Provider;
use ingestor::providers::github::{EVENTS, GitHub};
use proptest::prelude::*;
use serde_json::Value;

use crate::documented::{FIXTURES, fixture, kind};
use crate::{delivery, people, read};

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        "[0-9a-f]{7,40}",
        Just("refs/heads/gh-readonly-queue/main/pr-1-a".to_owned()),
        Just("refs/tags/".to_owned()),
        Just("9999-12-31T23:59:59Z".to_owned()),
        Just("-009999-01-01T00:00:00Z".to_owned()),
        Just("(#".to_owned()),
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
    fn bytes_are_answered(kind in 0..EVENTS.len(), body: Vec<u8>, form: bool) {
        let mut delivery = delivery(EVENTS[kind].event, body);
        if form {
            delivery.content_type = Some("application/x-www-form-urlencoded".to_owned());
        }
        let _ = GitHub.read(&delivery, &people());
    }

    #[test]
    fn json_is_answered(kind in 0..EVENTS.len(), body in any_json()) {
        let _ = read(EVENTS[kind].event, &body);
    }

    /// A good body with one member replaced: most of it is read as ever.
    #[test]
    fn one_wrong_member_is_answered(which in 0..FIXTURES.len(), place: prop::sample::Index, nonsense in any_json()) {
        let (name, _) = FIXTURES[which];
        let mut body = fixture(name);
        let mut found = Vec::new();
        places(&body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).expect("a pointer found in it") = nonsense;
        let _ = read(kind(name), &body);
    }

    #[test]
    fn kinds_are_answered(kind in ".{0,60}", body in any_json()) {
        let _ = read(&kind, &body);
    }
}
