//! Deliveries written after GitHub's documentation: `fixtures/<kind>.<what>.json`.

use std::fmt::Write as _;

use ingestor::people::People;
use ingestor::providers::github::EVENTS;
use ingestor::providers::{Provider, Reading};
use serde_json::Value;

use crate::{delivery, read, shown::shown};

macro_rules! fixtures {
    ($($name:literal)*) => {
        /// All of them: kind, file name without `.json`, content.
        pub const FIXTURES: &[(&str, &str)] = &[$(($name, include_str!(concat!("fixtures/", $name, ".json"))),)*];
    };
}

fixtures! {
    "push" "push.annotated-tag" "push.branch-deleted" "create" "delete"
    "pull_request.synchronize" "pull_request.closed" "pull_request_review"
    "merge_group.checks_requested" "merge_group.destroyed"
    "workflow_run.completed" "workflow_run.second-attempt"
    "workflow_job.queued" "workflow_job.waiting" "workflow_job.completed"
    "check_run" "check_suite" "status"
    "deployment" "deployment_status.in_progress" "deployment_status.success" "deployment_status.inactive"
    "deployment_review.requested" "deployment_review.approved" "deployment_review.rejected"
    "deployment_protection_rule" "release.published" "release.draft"
}

pub fn kind(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

pub fn fixture(name: &str) -> Value {
    let (_, text) = FIXTURES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no fixture {name}"));
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_documented_is_read() {
    let mut text = String::new();
    for (name, _) in FIXTURES {
        let body = fixture(name);
        write!(text, "{name}\n{}", shown(&read(kind(name), &body), &body)).unwrap();
    }
    insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!("documented", text) });
}

#[test]
fn every_kind_has_a_fixture() {
    for known in EVENTS {
        assert!(FIXTURES.iter().any(|(name, _)| kind(name) == known.event), "no fixture of {}", known.event);
    }
}

#[test]
fn a_form_tells_what_the_json_tells() {
    let json = fixture("deployment");
    let github = ingestor::providers::github::GitHub;
    let form: String =
        form_urlencoded::Serializer::new(String::new()).append_pair("payload", &json.to_string()).finish();
    let mut as_form = delivery("deployment", form);
    as_form.content_type = Some("application/x-www-form-urlencoded; charset=utf-8".to_owned());
    let people = People::new(b"key of the tests");
    let told = github.read(&as_form, &people).unwrap();
    assert_eq!(told, read("deployment", &json).unwrap());
    assert!(matches!(told, Reading::Events(_)));

    as_form.body = b"other=1".to_vec().into();
    let error = github.read(&as_form, &people).unwrap_err().to_string();
    assert_eq!(error, "the body is a form without the member `payload`");
}

#[test]
fn a_delivery_must_name_its_kind() {
    let people = People::new(b"key of the tests");
    let github = ingestor::providers::github::GitHub;
    let mut nameless = delivery("", fixture("push").to_string());
    nameless.event = None;
    let error = github.read(&nameless, &people).unwrap_err().to_string();
    assert!(error.contains("`X-GitHub-Event`"), "{error}");
    nameless.headers.insert("x-github-event".to_owned(), "push".to_owned());
    assert!(matches!(github.read(&nameless, &people), Ok(Reading::Events(_))));
}

#[test]
fn another_shape_is_unreadable_and_says_where() {
    let mut body = fixture("workflow_run.completed");
    body["workflow_run"]["id"] = "five".into();
    let error = read("workflow_run", &body).unwrap_err();
    assert_eq!(error.to_string(), "the body does not have the shape of `GitHub workflow_run`");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("invalid type: string \"five\", expected u64"), "{source}");
}
