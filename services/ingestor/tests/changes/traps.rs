//! One test for each trap known from real bodies, and named after it.

use model::event::{ActorKind, ApprovalBody, Body, IncidentBody};
use model::{Timestamp, event::Decision};
use serde_json::{Value, json};

use crate::documented::fixture;
use crate::{RECEIVED_AT, events, ignored, read};

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The fixture with some members set, each named by its JSON pointer.
fn with(provider: &str, name: &str, members: &[(&str, Value)]) -> Value {
    let mut body = fixture(provider, name);
    for (pointer, value) in members {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    body
}

/// The bodies of this kind that a body tells.
macro_rules! told {
    ($topic:ident :: $kind:ident, $provider:expr, $body:expr) => {{
        let bodies = events($provider, $body).into_iter().filter_map(|observed| match observed.body {
            Body::$topic(told) => Some(told),
            _ => None,
        });
        bodies.filter_map(|body| if let told!(@ $topic $kind body) = body { Some(body) } else { None }).collect::<Vec<_>>()
    }};
    (@ Incident $kind:ident $name:ident) => { IncidentBody::$kind($name) };
    (@ Approval $kind:ident $name:ident) => { ApprovalBody::$kind($name) };
}

fn kinds(provider: &str, body: &Value) -> Vec<&'static str> {
    events(provider, body).iter().map(|event| event.body.kind()).collect()
}

#[test]
fn jira_times_have_an_offset_without_a_colon_and_are_epoch_milliseconds() {
    let body = with("jira", "incident.created", &[("/issue/fields/created", json!("2021-04-28T21:50:00.000+0200"))]);
    assert_eq!(told!(Incident::IncidentDetected, "jira", &body)[0].detected_at, Some(at("2021-04-28T19:50:00Z")));
    let body = with("jira", "incident.created", &[("/timestamp", json!(1_485_797_534_721_i64))]);
    assert_eq!(events("jira", &body)[0].occurred_at, at("2017-01-30T17:32:14.721Z"), "milliseconds, not seconds");
}

#[test]
fn jira_bodies_of_a_rule_have_ids_as_integers_and_no_time() {
    for name in ["incident.issue-data-jira-format", "incident.issue-data-automation-format"] {
        let told = events("jira", &fixture("jira", name));
        let webhook = events("jira", &fixture("jira", "incident.acknowledged"));
        assert_eq!(told[0].occurred_at, at("2024-05-01T09:42:00Z"), "that of the issue");
        assert_eq!(told[0].body, webhook[0].body, "{name}");
    }
}

#[test]
fn jira_comments_are_updates_of_their_issue_in_data_center() {
    let body = with("jira", "incident.data-center", &[("/issue_event_type_name", json!("issue_commented"))]);
    let mut commented = body.clone();
    commented.as_object_mut().unwrap().remove("changelog");
    let resolved = |body| told!(Incident::IncidentResolved, "jira", body)[0].resolved_at;
    assert_eq!(resolved(&commented), resolved(&body), "at the same time as before");
    let by = told!(Incident::IncidentResolved, "jira", &commented)[0].resolved_by.clone();
    assert_eq!(by.key, None, "whoever comments has resolved nothing");
}

#[test]
fn jira_keeps_the_resolution_of_what_is_opened_again() {
    // Resolved at 10:15, opened again, and finished once more at 16:00 with the date of the first time.
    let again = [
        ("/timestamp", json!(at("2024-05-01T16:00:00.100Z").0)),
        ("/issue/fields/statuscategorychangedate", json!("2024-05-01T18:00:00.000+0200")),
    ];
    let body = with("jira", "incident.resolved", &again);
    assert_eq!(told!(Incident::IncidentResolved, "jira", &body)[0].resolved_at, Some(at("2024-05-01T16:00:00Z")));
    let open = [
        ("/issue/fields/status/statusCategory/key", json!("indeterminate")),
        ("/changelog/items", json!([{"field": "status", "fromString": "Completed", "toString": "Open"}])),
    ];
    let body = with("jira", "incident.resolved", &open);
    assert_eq!(kinds("jira", &body), ["IncidentDetected", "IncidentReopened"]);
}

#[test]
fn jira_statuses_are_configurable_and_their_categories_are_not() {
    let renamed = [
        ("/issue/fields/status/name", json!("Erledigt")),
        ("/changelog/items/0/toString", json!("Erledigt")),
        ("/changelog/items/0/fromString", json!("In Arbeit")),
    ];
    let body = with("jira", "incident.resolved", &renamed);
    assert_eq!(kinds("jira", &body), ["IncidentDetected", "IncidentResolved"]);
}

#[test]
fn jira_statuses_of_old_versions_have_no_category() {
    let body = with("jira", "incident.data-center", &[("/issue/fields/status", json!({"name": "Resolved"}))]);
    assert_eq!(told!(Incident::IncidentResolved, "jira", &body)[0].resolved_at, Some(at("2024-05-01T10:15:00Z")));
    let open = [("/issue/fields/status", json!({"name": "Open"})), ("/issue/fields/resolutiondate", Value::Null)];
    assert_eq!(kinds("jira", &with("jira", "incident.data-center", &open)), ["IncidentDetected"]);
}

#[test]
fn jira_keys_change_when_an_issue_moves_and_ids_do_not() {
    let moved = with("jira", "incident.acknowledged", &[("/issue/key", json!("SHOP-99"))]);
    let incident = told!(Incident::IncidentAcknowledged, "jira", &moved).remove(0).incident;
    assert_eq!(incident.incident.as_str(), "acme.atlassian.net/issues/10001");
    assert_eq!(incident.url.as_deref(), Some("https://acme.atlassian.net/browse/SHOP-99"));
}

#[test]
fn jira_makes_another_kind_of_issue_of_an_incident() {
    let task = [
        ("/issue/fields/issuetype/name", json!("Task")),
        ("/changelog/items", json!([{"field": "issuetype", "fromString": "[System] Incident", "toString": "Task"}])),
    ];
    assert_eq!(kinds("jira", &with("jira", "incident.acknowledged", &task)), ["IncidentRetracted"]);
}

#[test]
fn jira_issues_are_deleted_long_after_their_end() {
    let body = with("jira", "incident.resolved", &[("/webhookEvent", json!("jira:issue_deleted"))]);
    assert_eq!(ignored("jira", &body), "jira:issue_deleted: changes nothing of an incident");
}

#[test]
fn jira_names_a_version_and_a_component_or_several() {
    let about = |components: Value| {
        let body = with("jira", "change.approved", &[("/issue/fields/components", components)]);
        told!(Approval::GateDecided, "jira", &body).remove(0).about
    };
    let one = about(json!([{"name": "shop"}]));
    assert_eq!((one.service.as_deref(), one.version.as_deref()), (Some("shop"), Some("v1.4.0")));
    assert_eq!(about(json!([{"name": "shop"}, {"name": "web"}])).service, None, "none of them is the one");
}

#[test]
fn jira_approvals_and_statuses_are_one_gate() {
    let by_status = told!(Approval::GateRequested, "jira", &fixture("jira", "change.requested")).remove(0).gate;
    let by_approval = told!(Approval::GateRequested, "jira", &fixture("jira", "change.approvals.pending"));
    assert!(by_approval.iter().any(|requested| requested.gate == by_status));
}

#[test]
fn jira_has_events_of_any_name_and_a_label_has_few() {
    let body = json!({"webhookEvent": "Person 1 left\n", "user": {"name": "login-1"}});
    assert_eq!(ignored("jira", &body), "other: bears on no delivery");
    assert_eq!(ignored("jira", &json!({"webhookEvent": "sprint_started"})), "sprint_started: bears on no delivery");
}

#[test]
fn jira_times_that_are_none_are_told_with_their_value() {
    let body = with("jira", "incident.resolved", &[("/issue/fields/resolutiondate", json!("01/May/24 12:15 PM"))]);
    let error = read("jira", &body).unwrap_err().to_string();
    assert!(error.starts_with("`issue.fields.resolutiondate`: `01/May/24 12:15 PM` is not a time"), "{error}");
}

#[test]
fn servicenow_times_have_no_zone() {
    let told = events("servicenow", &fixture("servicenow", "change_request.plain"));
    assert_eq!(told[0].occurred_at, at("2024-05-01T08:30:00Z"), "they are UTC");
    // What is displayed is in the zone and form of a user: the script sends both, and the value counts.
    let body = fixture("servicenow", "change_request.requested");
    assert_eq!(body["record"]["sys_updated_on"]["display_value"], "01.05.2024 08:30:00");
    assert_eq!(events("servicenow", &body)[0].occurred_at, at("2024-05-01T08:30:00Z"));
    let displayed = with("servicenow", "change_request.plain", &[("/sys_updated_on", json!("01.05.2024 10:30:00"))]);
    let error = read("servicenow", &displayed).unwrap_err().to_string();
    assert!(error.contains("`01.05.2024 10:30:00` is no time") && error.contains("send the `value`"), "{error}");
}

#[test]
fn servicenow_booleans_and_numbers_are_strings() {
    let body = fixture("servicenow", "change_request.plain");
    assert!(body["state"].is_string() && body["active"].is_string());
    assert_eq!(kinds("servicenow", &body), ["GateRequested"]);
    // Displayed words mean the same.
    let body = with("servicenow", "change_request.canceled", &[("/record/state", json!("Canceled"))]);
    assert_eq!(kinds("servicenow", &body), ["GateCancelled"]);
}

#[test]
fn servicenow_values_are_plain_or_objects() {
    let plain = with("servicenow", "change_request.plain", &[("/cmdb_ci", json!("shop"))]);
    let link = json!({"display_value": "shop", "link": "https://acme.service-now.com/api/now/table/cmdb_ci/d0c3"});
    let object = with("servicenow", "change_request.plain", &[("/cmdb_ci", link)]);
    let service = |body| told!(Approval::GateRequested, "servicenow", body).remove(0).about.service;
    assert_eq!(service(&plain).as_deref(), Some("shop"));
    assert_eq!(service(&object).as_deref(), Some("shop"));
}

#[test]
fn servicenow_updates_a_change_request_again_and_again() {
    let body = fixture("servicenow", "change_request.authorize");
    assert_eq!(ignored("servicenow", &body), "change_request: its approval did not change");
    // Without what was before, the time of the approval says whether it is news.
    let closed = told!(Approval::GateDecided, "servicenow", &fixture("servicenow", "change_request.plain-closed"));
    assert_eq!(closed[0].decided_at, Some(at("2024-05-01T12:00:00Z")));
    assert_eq!(closed[0].decided_by.key, None, "whoever closes it has not approved it");
    let untimed = with("servicenow", "change_request.plain-closed", &[("/approval_set", json!(""))]);
    assert_eq!(ignored("servicenow", &untimed), "change_request: approved, and it is not told when");
}

#[test]
fn servicenow_approves_standard_changes_beforehand() {
    let decided = told!(Approval::GateDecided, "servicenow", &fixture("servicenow", "change_request.standard"));
    assert_eq!((decided[0].decision, decided[0].decided_by.kind), (Decision::Approved, ActorKind::Machine));
}

#[test]
fn servicenow_approvers_decide_over_the_gate_of_their_change_request() {
    let one = told!(Approval::GateDecided, "servicenow", &fixture("servicenow", "sysapproval_approver.approved"));
    let all = told!(Approval::GateDecided, "servicenow", &fixture("servicenow", "change_request.approved"));
    assert_eq!((&one[0].gate.gate, &one[0].gate.name), (&all[0].gate.gate, &all[0].gate.name));
    assert_eq!((one[0].final_decision, all[0].final_decision), (Some(false), Some(true)));
    let requested_item =
        [("/record/source_table", json!("sc_req_item")), ("/record/sysapproval/display_value", json!("RITM0010001"))];
    let body = with("servicenow", "sysapproval_approver.approved", &requested_item);
    assert_eq!(ignored("servicenow", &body), "sysapproval_approver: of no change request");
}

#[test]
fn servicenow_clones_have_the_same_ids() {
    let id = |instance: Value| {
        let body = with("servicenow", "incident.new", &[("/instance", instance)]);
        told!(Incident::IncidentDetected, "servicenow", &body).remove(0).incident
    };
    let clone = id(json!("https://acmetest.service-now.com/"));
    assert_eq!(clone.incident.as_str(), "acmetest.service-now.com/incident/e5f60718293a4b5c6d7e8f90a1b2c3d4");
    let unknown = id(Value::Null);
    assert_eq!(unknown.incident.as_str(), "servicenow/incident/e5f60718293a4b5c6d7e8f90a1b2c3d4");
    assert_eq!(unknown.url, None);
}

#[test]
fn servicenow_records_of_one_answer_are_read_by_themselves() {
    let body = fixture("servicenow", "change_request.table-api");
    assert_eq!(kinds("servicenow", &body), ["GateRequested"]);
    let mut one_wrong = body;
    one_wrong["result"][1] = json!({"state": "1"});
    match read("servicenow", &one_wrong) {
        Ok(ingestor::providers::Reading::Mixed { events, unreadable }) => {
            assert_eq!(events.len(), 1);
            assert!(unreadable.starts_with("1 of 2 records cannot be read: record 1: the body is no record"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ignored("servicenow", &json!({"result": []})), "no record");
}

#[test]
fn servicenow_records_may_have_no_time() {
    let body = json!({"number": "CHG0030012", "approval": "requested"});
    assert_eq!(events("servicenow", &body)[0].occurred_at, RECEIVED_AT);
}
