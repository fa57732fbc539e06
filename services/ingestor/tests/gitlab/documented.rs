//! Deliveries written after GitLab's documentation: `fixtures/<kind>.<what>.json`.

use std::fmt::Write as _;

use ingestor::providers::gitlab::{EVENTS, GitLab};
use ingestor::providers::{Provider, Reading};
use serde_json::{Value, json};

use crate::shown::shown;
use crate::{delivery, people, read};

macro_rules! fixtures {
    ($($name:literal)*) => {
        /// All of them: file name without `.json`, content.
        pub const FIXTURES: &[(&str, &str)] = &[$(($name, include_str!(concat!("fixtures/", $name, ".json"))),)*];
    };
}

fixtures! {
    "push" "push.branch-created" "push.branch-deleted" "push.system" "tag_push" "tag_push.annotated" "tag_push.deleted"
    "merge_request.open" "merge_request.update" "merge_request.approval" "merge_request.approved"
    "merge_request.unapproved" "merge_request.merge" "merge_request.close"
    "pipeline.manual" "pipeline.success" "pipeline.approval" "pipeline.merge_request"
    "build.pending" "build.success" "build.failed"
    "deployment.blocked" "deployment.approved" "deployment.rejected" "deployment.running" "deployment.success"
    "deployment.api" "release.create" "release.delete"
}

pub fn fixture(name: &str) -> Value {
    let (_, text) = FIXTURES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no fixture {name}"));
    serde_json::from_str(text).unwrap()
}

/// The fixture with some members set, each named by its JSON pointer.
pub fn with(name: &str, members: &[(&str, Value)]) -> Value {
    let mut body = fixture(name);
    for (pointer, value) in members {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    body
}

#[test]
fn what_is_documented_is_read() {
    let mut text = String::new();
    for (name, _) in FIXTURES {
        let body = fixture(name);
        write!(text, "{name}\n{}", shown(&read(&body), &body)).unwrap();
    }
    insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!("documented", text) });
}

/// The name by which the provider page lists what a body is.
fn named(header: Option<&str>, body: &Value) -> Option<String> {
    let mut delivery = delivery(body.to_string());
    delivery.event = header.map(str::to_owned);
    GitLab.event(&delivery)
}

#[test]
fn every_kind_has_a_fixture_and_the_name_of_its_header() {
    let names: Vec<_> = FIXTURES.iter().filter_map(|(name, _)| named(None, &fixture(name))).collect();
    assert_eq!(names.len(), FIXTURES.len());
    for known in EVENTS {
        assert!(names.iter().any(|name| name == known.event), "no fixture of {}", known.event);
    }
    assert!(names.iter().all(|name| EVENTS.iter().any(|known| known.event == name)), "{names:?}");
    let push = fixture("push.system");
    assert_eq!(named(Some("System Hook"), &push).as_deref(), Some("Push Hook"));
    assert_eq!(named(Some("Issue Hook"), &push).as_deref(), Some("Issue Hook"));
    assert_eq!(named(None, &json!({ "event_name": "user_create" })).as_deref(), Some("user_create"));
    assert_eq!(named(None, &json!([])), None);
}

#[test]
fn a_delivery_must_name_its_kind() {
    let mut nameless = fixture("push.system");
    nameless.as_object_mut().unwrap().remove("event_name");
    let error = read(&nameless).unwrap_err().to_string();
    assert!(error.contains("custom template"), "{error}");
    for (header, body) in [("Push Hook", &nameless), ("System Hook", &fixture("push.system"))] {
        let mut delivery = delivery(body.to_string());
        delivery.event = Some(header.to_owned());
        assert!(matches!(GitLab.read(&delivery, &people()), Ok(Reading::Events(_))), "{header}");
    }
}

#[test]
fn another_shape_is_unreadable_and_says_where() {
    let body = with("pipeline.success", &[("/builds/1/id", json!("five"))]);
    let error = read(&body).unwrap_err();
    assert_eq!(error.to_string(), "the body does not have the shape of `GitLab pipeline, member builds[1].id`");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("invalid type: string \"five\", expected u64"), "{source}");
    let error = GitLab.read(&delivery("{"), &people()).unwrap_err().to_string();
    assert_eq!(error, "the body does not have the shape of `GitLab (JSON)`");
}

#[test]
fn no_account_and_no_free_text_leaves_in_plain_text() {
    for (name, _) in FIXTURES {
        let told = format!("{:?}", read(&fixture(name)).unwrap()).to_lowercase();
        for secret in ["robin", "kim", "lee", "roe", "take cards", "takes cards", "maintainers"] {
            assert!(!told.contains(secret), "{name} tells `{secret}`: {told}");
        }
    }
}
