//! One test for each trap known from real deliveries and from the sources of the plugins, and named after it.

use ingestor::providers::Provider;
use ingestor::providers::jenkins::Jenkins;
use model::event::{Body, CiBody, Outcome, Phase, Trigger};
use model::{ChangeId, Timestamp};
use serde_json::{Value, json};

use crate::documented::fixture;
use crate::{RECEIVED_AT, bodies, delivery, ignored, people, read, read_bytes, run};

fn with(name: &str, members: &[(&str, Value)]) -> Value {
    let mut body = fixture(name);
    for (pointer, value) in members {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    body
}

#[test]
fn results_come_as_words_null_and_empty() {
    for (status, outcome) in [
        (json!("SUCCESS"), Outcome::Success),
        (json!("success"), Outcome::Success),
        (json!("UNSTABLE"), Outcome::Failure),
        (json!("FAILURE"), Outcome::Failure),
        (json!("ABORTED"), Outcome::Cancelled),
        (json!("NOT_BUILT"), Outcome::Skipped),
        (Value::Null, Outcome::Unknown),
        (json!(""), Outcome::Unknown),
    ] {
        let run = run(&with("notification.completed", &[("/build/status", status.clone())]));
        assert_eq!((run.phase, run.outcome), (Phase::Finished, Some(outcome)), "{status}");
    }
    let running = run(&with("notification.started", &[("/build/status", json!("SUCCESS"))]));
    assert_eq!((running.phase, running.outcome), (Phase::Running, None));
}

#[test]
fn the_three_senders_tell_the_same_run() {
    let address = json!("https://ci.example.org/job/acme/job/shop/142/");
    let notification = run(&fixture("notification.started")).run;
    let cdevent = run(&with("cdevents.finished", &[("/data/customData/build/fullUrl", address.clone())])).run;
    let pipeline = run(&with("pipeline", &[("/url", address)])).run;
    assert_eq!(notification.as_str(), "ci/job/acme/job/shop/142");
    assert_eq!((&cdevent, &pipeline), (&notification, &notification));
    let without_root = with("notification.started", &[("/build/full_url", Value::Null)]);
    assert_eq!(run(&without_root).run, notification, "a controller that does not know its address");
}

#[test]
fn a_run_whose_executor_is_gone_was_queued_in_1970() {
    let body = with("notification.queued", &[("/build/timestamp", json!(0))]);
    assert_eq!(ignored(&body), "notification: QUEUED: without its time");
    let started = run(&with("notification.started", &[("/build/timestamp", json!(0))]));
    assert_eq!(started.started_at, Some(RECEIVED_AT));
}

#[test]
fn times_come_as_milliseconds_and_as_texts() {
    let text = run(&with("notification.started", &[("/build/timestamp", json!("2024-05-01T09:30:00.0+00:00"))]));
    assert_eq!(text.started_at, run(&fixture("notification.started")).started_at);
}

#[test]
fn the_events_of_a_run_share_their_id() {
    let mut first = delivery(fixture("cdevents.started").to_string());
    first.headers = [("ce-id".to_owned(), "8".to_owned()), ("ce-source".to_owned(), "job/".to_owned())].into();
    assert!(Jenkins.door().delivery.is_empty(), "so no header names a delivery");
    assert!(Jenkins.read(&first, &people()).is_ok());
}

#[test]
fn a_cloud_event_may_be_in_the_headers() {
    let body = fixture("cdevents.started");
    let mut binary = delivery(body["data"].to_string());
    binary.headers = ["type", "time"]
        .into_iter()
        .map(|name| (format!("ce-{name}"), body[name].as_str().unwrap().to_owned()))
        .collect();
    let expected = Jenkins.read(&delivery(body.to_string()), &people()).unwrap();
    assert_eq!(Jenkins.read(&binary, &people()).unwrap(), expected);
}

#[test]
fn a_change_is_built_on_a_branch_named_after_it() {
    let run = run(&with("notification.started", &[("/build/scm/branch", json!("PR-12"))]));
    assert_eq!((run.changes, run.trigger), (vec![ChangeId::from("12")], Trigger::Change));
}

#[test]
fn sources_without_git_are_not_told() {
    let empty = json!({"url": null, "branch": null, "commit": null});
    for body in [
        with("cdevents.started", &[("/data/build/scmState", empty.clone())]),
        with("notification.started", &[("/build/scm", empty)]),
        with("notification.started", &[("/build/scm", Value::Null)]),
    ] {
        let run = run(&body);
        assert_eq!((run.repository, run.commit, run.ref_name), (None, None, None));
    }
}

#[test]
fn culprits_causes_and_names_of_tests_stay_in_the_inbox() {
    let told = format!("{:?}", read(&fixture("notification.completed")).unwrap());
    for word in ["octocat", "BasketTest", "TARGET"] {
        assert!(!told.contains(word), "{word}: {told}");
    }
}

#[test]
fn the_end_of_a_run_is_its_start_and_its_duration() {
    let pipeline = run(&fixture("pipeline"));
    assert_eq!(pipeline.started_at, Some(Timestamp(1_714_555_800_000)));
    assert_eq!(pipeline.finished_at, Some(Timestamp(1_714_555_893_000)));
    let unknown = run(&with("pipeline", &[("/started_at", Value::Null)]));
    assert_eq!((unknown.started_at, unknown.finished_at), (None, Some(RECEIVED_AT)));
    let running = run(&with("pipeline", &[("/status", json!("STARTED"))]));
    assert_eq!((running.phase, running.outcome, running.finished_at), (Phase::Running, None, None));
}

#[test]
fn an_aborted_deployment_is_none_that_succeeded() {
    let body = with("pipeline.deployment", &[("/status", json!("ABORTED"))]);
    let deployed = bodies(&body).into_iter().find_map(|body| match body {
        Body::Ci(CiBody::Deployment(deployment)) => Some(deployment),
        _ => None,
    });
    assert_eq!(deployed.unwrap().outcome, Some(Outcome::Cancelled));
}

#[test]
fn a_misspelt_member_of_the_documented_body_is_refused() {
    let error = read(&with("pipeline", &[("/enviroment", json!("production"))])).unwrap_err();
    assert!(error.starts_with("`enviroment` is no member here (did you mean `environment`?)"), "{error}");
    let error = read(&with("pipeline", &[("/url", json!("https://ci.example.org/"))])).unwrap_err();
    assert!(error.contains("such as https://ci.example.org/job/shop/142/"), "{error}");
}

#[test]
fn xml_is_refused_with_what_to_choose() {
    let error = read_bytes("<job><name>shop</name></job>").unwrap_err();
    assert!(error.contains("the plugin sends XML where its format is not JSON"), "{error}");
}
