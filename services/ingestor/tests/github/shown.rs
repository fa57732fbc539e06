//! Readings as a reviewer wants to read them: a line of JSON for each event, without what is not told, with times as texts and
//! accounts by their login.

use std::collections::BTreeMap;

use ingestor::providers::{Observed, Reading, Unreadable};
use model::Timestamp;
use model::event::ActorKind;
use serde_json::Value;

use crate::people;

pub fn shown(reading: &Result<Reading, Unreadable>, body: &Value) -> String {
    match reading {
        Ok(Reading::Events(events)) => {
            let accounts = accounts(body);
            events.iter().map(|event| format!("  {}\n", line(event, &accounts))).collect()
        }
        Ok(Reading::Ignored(reason)) => format!("  ignored: {reason}\n"),
        // No delivery of these providers holds some things that are read and others that are not.
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

/// Flags that are false unless told, and words for "not told".
const FLAGS: &[&str] = &["forced", "commits_cut", "paths_cut", "manual", "allowed_to_fail", "transient"];
const UNTOLD: &[&str] = &["rollout", "trigger"];

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
            members.retain(|name, member| match member {
                Value::Null => false,
                Value::Bool(told) => *told || !FLAGS.contains(&name.as_str()),
                Value::Array(items) => !items.is_empty(),
                Value::String(text) => text != "unknown" || !UNTOLD.contains(&name.as_str()),
                _ => true,
            });
        }
        _ => {}
    }
}

/// `{"key": …, "kind": "human"}` as `human octocat`.
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

/// Every key that an account or an address of the body may get, with its login.
fn accounts(body: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let pages = ["/repository/html_url", "/project/web_url", "/repository/homepage"];
    let host = pages.iter().find_map(|page| body.pointer(page)?.as_str()).unwrap_or_default();
    let host = host.split('/').nth(2).unwrap_or_default();
    collect(body, host, &mut found);
    found
}

fn collect(value: &Value, host: &str, found: &mut BTreeMap<String, String>) {
    let mut add = |namespace: &str, name: &str, shown: &str| {
        let key = people().actor(namespace, name, ActorKind::Unknown).key;
        found.extend(key.map(|key| (key, shown.to_owned())));
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member.as_str()) {
                    ("login" | "username" | "user_username", Some(login)) => add(host, login, login),
                    ("email", Some(email)) => {
                        add("mail", email, "by address");
                        let local = email.split('@').next().unwrap_or_default();
                        let login = local.split_once(['+', '-']).map_or(local, |(_, login)| login);
                        add(host, login, login);
                    }
                    _ => {}
                }
            }
            add(host, "web-flow", "web-flow");
            members.values().for_each(|member| collect(member, host, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, host, found)),
        _ => {}
    }
}
