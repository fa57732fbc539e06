//! Readings as a reviewer wants to read them: a line of JSON for each event, without what is not told, with times as texts and
//! accounts by their login.

use std::collections::BTreeMap;

use ingestor::providers::{Observed, Reading, Unreadable};
use model::Timestamp;
use model::event::ActorKind;
use serde_json::Value;

use crate::people;

/// Namespaces of the accounts in the fixtures.
const SITES: &[&str] = &["acme.atlassian.net", "tracker.example.com/jira", "acme.service-now.com"];

pub fn shown(reading: &Result<Reading, Unreadable>, body: &Value) -> String {
    match reading {
        Ok(Reading::Events(events)) => {
            let mut accounts = BTreeMap::new();
            collect(body, &mut accounts);
            events.iter().map(|event| format!("  {}\n", line(event, &accounts))).collect()
        }
        Ok(Reading::Ignored(reason)) => format!("  ignored: {reason}\n"),
        Ok(mixed) => format!("  {mixed:?}\n"),
        Err(error) => format!("  unreadable: {error}\n"),
    }
}

fn line(event: &Observed, accounts: &BTreeMap<String, String>) -> String {
    let mut content = serde_json::to_value(&event.body).unwrap();
    tidy(&mut content, accounts);
    let link = event.link.as_deref().unwrap_or("-");
    format!("{} {} {link}\n    {content}", event.body.kind(), event.occurred_at)
}

/// Drops what is not told.
fn tidy(value: &mut Value, accounts: &BTreeMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| tidy(item, accounts)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                tidy(member, accounts);
                match member.as_i64() {
                    Some(ms) if name.ends_with("_at") => *member = Timestamp(ms).to_string().into(),
                    _ => {}
                }
                if let Some(actor) = actor(member, accounts) {
                    *member = actor;
                }
            }
            members.retain(|_, member| !member.is_null() && member.as_array().is_none_or(|items| !items.is_empty()));
        }
        _ => {}
    }
}

/// `{"key": …, "kind": "human"}` as `human account-1`.
fn actor(value: &Value, accounts: &BTreeMap<String, String>) -> Option<Value> {
    let members = value.as_object()?;
    if members.keys().any(|name| name != "key" && name != "kind") {
        return None;
    }
    let kind = members.get("kind").and_then(Value::as_str).unwrap_or("unknown");
    match members.get("key") {
        Some(key) => {
            let who = accounts.get(key.as_str()?).map_or("SOMEBODY ELSE", String::as_str);
            Some(format!("{kind} {who}").into())
        }
        None if kind == "unknown" => Some(Value::Null),
        None => Some(kind.into()),
    }
}

/// Every key that a text of the body may get as an account.
fn collect(value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::String(text) => {
            let keys = SITES.iter().filter_map(|site| people().actor(site, text, ActorKind::Unknown).key);
            found.extend(keys.map(|key| (key, text.clone())));
        }
        _ => {}
    }
}
