//! Readings as a reviewer wants to read them: a line of JSON for each event, without what is not told, with times as texts and
//! accounts by what names them in the body.

use std::collections::BTreeMap;

use ingestor::providers::{Observed, Reading, Unreadable};
use model::Timestamp;
use model::event::ActorKind;
use serde_json::Value;

use crate::people;

pub fn shown(reading: &Result<Reading, Unreadable>, body: &Value) -> String {
    match reading {
        Ok(Reading::Events(events)) => {
            let mut accounts = BTreeMap::new();
            collect(body, &mut accounts);
            events.iter().map(|event| format!("  {}\n", line(event, &accounts))).collect()
        }
        Ok(Reading::Ignored(reason)) => format!("  ignored: {reason}\n"),
        Ok(mixed @ Reading::Mixed { .. }) => format!("  {mixed:?}\n"),
        Err(error) => format!("  unreadable: {error}\n"),
    }
}

fn line(event: &Observed, accounts: &BTreeMap<String, String>) -> String {
    let mut content = serde_json::to_value(&event.body).unwrap();
    tidy(&mut content, accounts);
    format!("{} {} {}\n    {content}", event.body.kind(), event.occurred_at, event.link.as_deref().unwrap_or("-"))
}

/// Drops what is not told.
fn tidy(value: &mut Value, accounts: &BTreeMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| tidy(item, accounts)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                tidy(member, accounts);
                match (name.as_str(), member.as_i64(), member.as_str()) {
                    (name, Some(ms), _) if name.ends_with("_at") => *member = Timestamp(ms).to_string().into(),
                    ("key", _, Some(key)) => {
                        *member = accounts.get(key).map_or("SOMEBODY ELSE", String::as_str).into();
                    }
                    _ => {}
                }
            }
            members.retain(|_, member| !member.is_null() && *member != Value::Array(Vec::new()));
        }
        _ => {}
    }
}

/// Every key that a text of the body may get as an account, with that text.
fn collect(value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::String(text) => {
            for namespace in ["acme.pagerduty.com", "mail"] {
                let key = people().actor(namespace, text, ActorKind::Unknown).key;
                found.extend(key.map(|key| (key, format!("{namespace}: {text}"))));
            }
        }
        _ => {}
    }
}
