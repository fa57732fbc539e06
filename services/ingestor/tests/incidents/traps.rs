//! One test for each trap known from real deliveries, and named after it.

use ingestor::providers::Reading;
use model::event::{ActorKind, IncidentBody};
use model::{IncidentId, Timestamp};
use serde_json::{Value, json};

use crate::documented::fixture;
use crate::{RECEIVED_AT, at, events, incident, read, told};

/// The fixture with some members set, each named by its JSON pointer.
fn with(provider: &str, what: &str, members: &[(&str, Value)]) -> Value {
    let mut body = fixture(provider, what);
    for (pointer, value) in members {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    body
}

/// What happened, and when.
fn acts(provider: &str, body: &Value) -> Vec<(&'static str, Timestamp)> {
    let act = |told: IncidentBody| match told {
        IncidentBody::IncidentDetected(b) => ("detected", b.detected_at.unwrap()),
        IncidentBody::IncidentAcknowledged(b) => ("acknowledged", b.acknowledged_at.unwrap()),
        IncidentBody::IncidentUpdated(b) => ("updated", b.updated_at.unwrap()),
        IncidentBody::IncidentResolved(b) => ("resolved", b.resolved_at.unwrap()),
        IncidentBody::IncidentReopened(b) => ("reopened", b.reopened_at.unwrap()),
        IncidentBody::IncidentMerged(b) => ("merged", b.merged_at.unwrap()),
        IncidentBody::IncidentRetracted(b) => ("retracted", b.retracted_at.unwrap()),
    };
    told(provider, body).into_iter().map(act).collect()
}

#[test]
fn opsgenie_times_have_13_and_19_digits_in_one_object() {
    let body = fixture("opsgenie", "Close");
    assert_eq!(body["alert"]["createdAt"].to_string().len(), 13);
    assert_eq!(body["alert"]["updatedAt"].to_string().len(), 19);
    let expected = [("detected", at("2024-05-01T10:00:00.123Z")), ("resolved", at("2024-05-01T11:30:45.125Z"))];
    assert_eq!(acts("opsgenie", &body), expected);
    assert_eq!(acts("opsgenie", &fixture("opsgenie", "text-times")), expected, "as texts");
    // The last digits do not fit into a float: 11:30:45.124999999 must not become 45.125.
    let body = with("opsgenie", "Close", &[("/alert/updatedAt", json!(1_714_563_045_124_999_999_u64))]);
    assert_eq!(acts("opsgenie", &body)[1].1, at("2024-05-01T11:30:45.124Z"));
}

#[test]
fn alertmanager_times_have_nine_fraction_digits() {
    let body = fixture("alertmanager", "resolved");
    assert_eq!(body["alerts"][0]["startsAt"], "2024-05-01T10:00:30.432911368Z");
    let expected = [("detected", at("2024-05-01T10:00:30.432Z")), ("resolved", at("2024-05-01T10:20:45.987Z"))];
    assert_eq!(acts("alertmanager", &body), expected);
}

#[test]
fn year_1_means_not_set() {
    let firing = fixture("alertmanager", "firing");
    assert_eq!(firing["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    assert!(acts("alertmanager", &firing).iter().all(|(act, _)| *act == "detected"));
    // Seen in a resolved alert, too: it was over when that was told.
    let unset = json!("0001-01-01T00:00:00Z");
    let resolved = with("alertmanager", "resolved", &[("/alerts/0/endsAt", unset.clone())]);
    let expected = [("detected", at("2024-05-01T10:00:30.432Z")), ("resolved", RECEIVED_AT)];
    assert_eq!(acts("alertmanager", &resolved), expected);
    let resolved = with("alertmanager", "resolved", &[("/alerts/0/startsAt", unset)]);
    assert_eq!(acts("alertmanager", &resolved), [("resolved", at("2024-05-01T10:20:45.987Z"))]);
}

#[test]
fn a_group_is_no_incident_and_fires_while_some_of_its_alerts_are_resolved() {
    let body = fixture("alertmanager", "mixed");
    assert_eq!(body["status"], "firing");
    let acts: Vec<&str> = acts("alertmanager", &body).into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["detected", "resolved", "detected"]);
    // The alert that fired before is the one that is resolved now; what fires again later is another.
    let id = |body: &Value| incident("alertmanager", body).incident;
    let resolved = fixture("alertmanager", "resolved");
    let expected = "alerts.example.org/alerts/a1b2c3d4e5f60718/2024-05-01T10:00:30.432Z";
    assert_eq!(id(&resolved).as_str(), expected);
    let firing = fixture("alertmanager", "firing");
    assert_eq!(events("alertmanager", &firing)[0].body, events("alertmanager", &resolved)[0].body);
    let again = with("alertmanager", "resolved", &[("/alerts/0/startsAt", json!("2024-05-01T10:30:00Z"))]);
    assert_ne!(id(&again), id(&resolved));
}

#[test]
fn one_bad_alert_costs_nothing_but_itself() {
    let body = with("alertmanager", "mixed", &[("/alerts/0/startsAt", json!("yesterday"))]);
    let Ok(Reading::Mixed { events, unreadable }) = read("alertmanager", &body) else {
        panic!("one is good, one is bad")
    };
    assert_eq!(events.len(), 1);
    assert!(unreadable.contains("element 0") && unreadable.contains("`yesterday` is not a time"), "{unreadable}");
}

#[test]
fn labels_of_kube_state_metrics_name_the_exporter() {
    let services = |labels: Value| {
        let body = with("alertmanager", "resolved", &[("/alerts/0/labels", labels)]);
        incident("alertmanager", &body).services
    };
    let exporter = json!({"job": "kube-state-metrics", "service": "kube-state-metrics", "deployment": "shop"});
    assert_eq!(services(exporter), ["shop"]);
    let application = json!({"job": "shop-web", "service": "shop", "deployment": "shop-canary"});
    assert_eq!(services(application), ["shop"]);
    assert_eq!(services(json!({"job": "shop-web"})), ["shop-web"]);
    assert_eq!(services(json!({"alertname": "Watchdog"})), Vec::<String>::new());
}

#[test]
fn a_kubernetes_deployment_is_no_deployment() {
    let workload = incident(
        "alertmanager",
        &with("alertmanager", "resolved", &[("/alerts/0/labels", json!({"deployment": "shop"}))]),
    );
    assert_eq!(workload.about, []);
    let named = incident("pagerduty", &fixture("pagerduty", "custom_field_values.updated"));
    assert_eq!(named.about[0].deployment, Some("github.com/acme/shop/deployments/77".into()));
}

#[test]
fn pagerduty_v3_tells_one_moment_and_intervals_come_from_pairs() {
    let of = |what: &str| acts("pagerduty", &fixture("pagerduty", what));
    let triggered = ("detected", at("2024-05-01T10:00:00Z"));
    assert_eq!(of("triggered"), [triggered]);
    assert_eq!(of("acknowledged"), [triggered, ("acknowledged", at("2024-05-01T10:04:10.250Z"))]);
    assert_eq!(of("resolved"), [triggered, ("resolved", at("2024-05-01T11:30:45.125Z"))]);
    assert_eq!(of("reopened"), [triggered, ("reopened", at("2024-05-01T12:00:00Z"))]);
    // Without `created_at`, as in older bodies, the event's own time is all there is.
    let bare = |what: &str| acts("pagerduty", &with("pagerduty", what, &[("/event/data/created_at", Value::Null)]));
    assert_eq!(bare("triggered"), [("detected", at("2024-05-01T10:00:00.512Z"))]);
    assert_eq!(bare("resolved"), [("resolved", at("2024-05-01T11:30:45.125Z"))]);
}

#[test]
fn pagerduty_v1_and_v2_wrap_messages() {
    let ids: Vec<IncidentId> = ["v1-acknowledge", "v2-trigger", "v2-resolve", "acknowledged"]
        .map(|what| incident("pagerduty", &fixture("pagerduty", what)).incident)
        .to_vec();
    assert!(ids.iter().all(|id| id.as_str() == "acme.pagerduty.com/incidents/PINC001"), "{ids:?}");
    let mut body = fixture("pagerduty", "v2-trigger");
    let resolve = fixture("pagerduty", "v2-resolve")["messages"][0].clone();
    body["messages"].as_array_mut().unwrap().extend([json!({"event": "incident.trigger"}), resolve]);
    let Ok(Reading::Mixed { events, unreadable }) = read("pagerduty", &body) else { panic!("one of three is bad") };
    assert_eq!(events.len(), 3);
    let expected = "1 of 3 elements of the batch cannot be read: element 1: incident.trigger names no incident";
    assert!(unreadable.starts_with(expected), "{unreadable}");
}

#[test]
fn a_merged_incident_arrives_as_resolved() {
    let body = fixture("pagerduty", "resolved-merged");
    let Some(IncidentBody::IncidentMerged(merged)) = told("pagerduty", &body).pop() else { panic!("it was merged") };
    assert_eq!(merged.into.as_str(), "acme.pagerduty.com/incidents/PINC000");
    // Version 2 has a word for it and no incident.
    assert_eq!(acts("pagerduty", &fixture("pagerduty", "v2-resolve"))[1].0, "resolved");
}

#[test]
fn an_event_that_pagerduty_adds_later_tells_what_is_known() {
    let renamed = |event: &str| with("pagerduty", "annotated", &[("/event/event_type", json!(event))]);
    let body = renamed("incident.weather.changed");
    assert_eq!(acts("pagerduty", &body), [("updated", at("2024-05-01T10:41:00Z"))]);
    let ignored = |body: &Value| match read("pagerduty", body) {
        Ok(Reading::Ignored(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(ignored(&renamed("weather.changed")), "other: bears on no incident");
    let mut nothing = renamed("incident.weather.changed");
    nothing["event"]["data"] = Value::Null;
    assert_eq!(ignored(&nothing), "incident: names none");
    nothing["event"]["event_type"] = json!("incident.resolved");
    let error = read("pagerduty", &nothing).unwrap_err().to_string();
    assert_eq!(error, "incident.resolved names no incident: `data` has none");
}

#[test]
fn an_action_without_details_does_not_replace_the_service_that_they_named() {
    assert_eq!(incident("opsgenie", &fixture("opsgenie", "Create")).services, ["checkout"]);
    let untagged = with("opsgenie", "Acknowledge", &[("/alert/tags", json!([]))]);
    assert_eq!(untagged["alert"]["entity"], "payments-db");
    assert_eq!(incident("opsgenie", &untagged).services, Vec::<String>::new());
    let created = with("opsgenie", "Create", &[("/alert/details", json!({}))]);
    assert_eq!(incident("opsgenie", &created).services, ["payments-db"]);
}

#[test]
fn a_monitor_and_a_person_are_told_apart() {
    let by = |provider: &str, body: &Value| match told(provider, body).remove(0) {
        IncidentBody::IncidentDetected(b) => b.detected_by.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(by("pagerduty", &fixture("pagerduty", "triggered")), ActorKind::Machine);
    let person = json!({"id": "PUSER01", "type": "user_reference"});
    let triggered = with("pagerduty", "triggered", &[("/event/agent", person)]);
    assert_eq!(by("pagerduty", &triggered), ActorKind::Human);
    assert_eq!(by("alertmanager", &fixture("alertmanager", "firing")), ActorKind::Machine);
    assert_eq!(by("opsgenie", &fixture("opsgenie", "Create")), ActorKind::Machine);
    let created = with("opsgenie", "Create", &[("/alert/username", json!("first@example.org"))]);
    assert_eq!(by("opsgenie", &created), ActorKind::Human);
}

#[test]
fn an_alert_without_a_fingerprint_is_told_by_its_labels() {
    let old = fixture("alertmanager", "old");
    let id = |body: &Value| incident("alertmanager", body).incident;
    assert_eq!(id(&old), id(&old));
    let mut other = old.clone();
    other["alerts"][0]["labels"]["instance"] = json!("10.0.0.9:8080");
    assert_ne!(id(&old), id(&other));
}
