//! Deliveries written after the documentation of their makers: `fixtures/<provider>.<what>.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ingestor::providers::{PROVIDERS, find};
use serde_json::Value;

use crate::shown::shown;
use crate::{delivery, read};

pub const PROVIDERS_HERE: &[&str] = &["alertmanager", "opsgenie", "pagerduty"];

/// All of a provider, by what they are.
pub fn fixtures(provider: &str) -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/incidents/fixtures");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let Some(what) = name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('.')) else { continue };
        found.insert(what.to_owned(), serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap());
    }
    assert!(!found.is_empty(), "no fixtures of {provider}");
    found
}

pub fn fixture(provider: &str, what: &str) -> Value {
    fixtures(provider).remove(what).unwrap_or_else(|| panic!("no fixture {provider}.{what}"))
}

#[test]
fn what_is_documented_is_read() {
    for provider in PROVIDERS_HERE {
        let mut text = String::new();
        for (what, body) in fixtures(provider) {
            write!(text, "{what}\n{}", shown(&read(provider, &body), &body)).unwrap();
        }
        insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!(*provider, text) });
    }
}

#[test]
fn every_event_to_choose_has_a_fixture_and_is_named_by_its_body() {
    for provider in PROVIDERS.iter().filter(|provider| PROVIDERS_HERE.contains(&provider.name())) {
        let bodies = fixtures(provider.name());
        let event = |body: &Value| provider.event(&delivery(provider.name(), body.to_string()));
        let named: Vec<Option<String>> = bodies.values().map(event).collect();
        assert!(!named.contains(&None), "{}: {named:?}", provider.name());
        for expected in provider.page().events {
            assert!(named.contains(&Some(expected.event.to_owned())), "no fixture of {}", expected.event);
        }
    }
}

#[test]
fn no_name_of_a_person_leaves() {
    for provider in PROVIDERS_HERE {
        for (what, body) in fixtures(provider) {
            let told = format!("{:?}", read(provider, &body));
            for name in ["Responder", "example.org/users", "first@", "second@", "PUSER", "people of", "declined"] {
                assert!(!told.contains(name), "{provider}.{what} tells `{name}`: {told}");
            }
        }
    }
}

#[test]
fn a_body_that_is_no_webhook_says_so() {
    for (provider, expected) in [
        ("alertmanager", "the body does not have the shape of `an Alertmanager notification`"),
        ("opsgenie", "the body does not have the shape of `an alert action of Opsgenie`"),
        ("pagerduty", "neither `event` (version 3) nor `messages` (versions 1 and 2)"),
    ] {
        let error = read(provider, &serde_json::json!({"id": "1"})).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(find(provider).unwrap().event(&delivery(provider, "nonsense")), None);
    }
}
