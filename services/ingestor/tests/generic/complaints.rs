//! What cannot be read is refused with the member, the value, what is wanted, and an example.

use ingestor::providers::Reading;
use serde_json::{Value, json};

use crate::read;

fn refused(body: &Value) -> String {
    read(body).expect_err(&body.to_string())
}

fn deployment(member: &str, value: Value) -> Value {
    let mut body = json!({"kind": "deployment", "id": "142", "environment": "production", "service": "shop",
        "status": "success"});
    body[member] = value;
    body
}

#[test]
fn a_misspelt_member_is_refused_with_the_one_that_was_meant() {
    let error = refused(&deployment("enviroment", json!("production")));
    assert!(
        error.starts_with(
            "deployment: `enviroment` is no member here (did you mean `environment`?); members are kind, at"
        ),
        "{error}"
    );
    assert!(refused(&json!({"kind": "push", "repo": "github.com/acme/shop"})).contains("did you mean `repository`"));
}

#[test]
fn a_kind_that_is_not_known_is_refused_with_those_that_are() {
    let error = refused(&json!({"kind": "deploy", "environment": "production"}));
    assert!(error.starts_with("`kind` is `deploy`: wanted is one of commit, push, change"), "{error}");
    assert!(error.ends_with("(did you mean `deployment`?)"), "{error}");
    assert!(refused(&json!({})).starts_with("`kind` is missing"));
    assert!(refused(&json!({"kind": 1})).starts_with("`kind` is `1`: wanted is one of commit"));
    assert!(refused(&json!("deployment")).starts_with("`body` is `deployment`: wanted is an object such as {\"kind\""));
}

#[test]
fn a_wrong_value_is_refused_with_what_is_wanted() {
    for (member, value, wanted) in [
        ("commit", json!("main"), "`commit` is `main`: wanted is the id of a commit: 40 or 64 hex digits"),
        ("status", json!("done"), "`status` is `done`: wanted is one of created, waiting, queued, started"),
        ("status", Value::Null, "`status` is missing: wanted is one of created"),
        (
            "environment",
            json!(""),
            "`environment` is missing: it must be told, such as \"environment\": \"production\"",
        ),
        ("at", json!("2026-05-01 09:30"), "`at` is `2026-05-01 09:30`: wanted is a time: 2026-05-01T09:30:00Z"),
        ("url", json!("javascript:alert(1)"), "`url` is `javascript:alert(1)`: wanted is the address of a page"),
        ("production", json!("yes"), "`production` is `yes`: wanted is true or false"),
        ("service", json!(["shop"]), "`service` is `[\"shop\"]`: wanted is a text"),
        ("service", Value::Null, "`repository` and `service` are missing"),
        ("repository", json!("acme/shop"), "`repository` is `acme/shop`: wanted is host and path"),
    ] {
        let error = refused(&deployment(member, value));
        assert!(error.starts_with(wanted), "{member}: {error}");
    }
}

#[test]
fn what_is_under_way_needs_an_id() {
    let mut started = deployment("status", json!("started"));
    started["id"] = Value::Null;
    assert!(refused(&started).starts_with("`id` is missing: without one"));
}

#[test]
fn of_a_list_the_good_elements_count() {
    let good = deployment("commit", json!("6dcb09b5b57875f334f61aebed695e2e4193db5e"));
    let list = json!([good, deployment("staus", json!("success")), good]);
    let Ok(Reading::Mixed { events, unreadable }) = read(&list) else { panic!("{list}") };
    assert_eq!(events.len(), 2);
    assert!(unreadable.starts_with("1 of 3 elements of the batch cannot be read: element 1: deployment: `staus`"));
    assert!(refused(&json!([1])).starts_with("1 of 1 elements"));
    assert_eq!(read(&json!([])), Ok(Reading::Ignored("empty batch".to_owned())));
}
