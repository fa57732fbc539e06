//! The history of incidents of PagerDuty.

use backfill::http::Client;
use backfill::pagerduty::{self, Part, Query};
use model::Timestamp;
use model::inbox::InboxRecord;
use serde_json::{Value, json};

use super::pagerduty_api::{SINCE, at, reference, world};
use super::support::{Outcome, Server, TOKEN, read};
use super::{assert_told_both_ways, read_back, webhook};

fn incident(number: u32, status: &str, created_at: &str) -> Value {
    let id = format!("PINC{number:03}");
    json!({
        "id": id, "type": "incident", "number": number, "status": status, "created_at": created_at,
        "html_url": format!("https://acme.pagerduty.com/incidents/{id}"), "title": "Payments are declined",
        "service": reference("service", "PSERV01", "shop"), "priority": reference("priority", "PPRIO01", "P1"),
        "urgency": "high", "incident_type": { "name": "major_incident" }, "resolve_reason": null,
    })
}

/// What PagerDuty sends. Its webhooks tell milliseconds, and its API whole seconds.
fn webhooks() -> Vec<InboxRecord> {
    let mut sent = Vec::new();
    let mut send = |kind: &str, at: String, agent: Option<Value>, data: Value| {
        let at = at.replace('Z', ".420Z");
        let event = json!({ "event": {
            "id": format!("01{}", sent.len()), "event_type": format!("incident.{kind}"), "resource_type": "incident",
            "occurred_at": at, "agent": agent, "data": data,
        }});
        sent.push(webhook("pagerduty", sent.len(), &at, &event));
    };
    let service = || Some(reference("service", "PSERV01", "shop"));
    let person = || Some(reference("user", "PUSER01", "First Responder"));
    send("triggered", at(3, 8), service(), incident(1, "triggered", &at(3, 8)));
    send("acknowledged", at(3, 9), person(), incident(1, "acknowledged", &at(3, 8)));
    send("triggered", at(3, 9), service(), incident(2, "triggered", &at(3, 9)));
    let mut merged = incident(2, "resolved", &at(3, 9));
    merged["resolve_reason"] =
        json!({ "type": "merge_resolve_reason", "incident": reference("incident", "PINC001", "[#1]") });
    send("resolved", at(3, 10), person(), merged);
    let fields = json!({
        "type": "incident_field_values", "incident": reference("incident", "PINC001", "[#1]"),
        "custom_fields": [{ "id": "PF1", "type": "field_value", "name": "environment", "value": "production" }],
    });
    send("custom_field_values.updated", at(3, 10), person(), fields);
    send("resolved", at(3, 11), person(), incident(1, "resolved", &at(3, 8)));
    send("triggered", at(5, 8), service(), incident(3, "triggered", &at(5, 8)));
    send("acknowledged", at(5, 9), person(), incident(3, "acknowledged", &at(5, 8)));
    send("resolved", at(5, 10), person(), incident(3, "resolved", &at(5, 8)));
    send("reopened", at(5, 12), person(), incident(3, "triggered", &at(5, 8)));
    sent
}

async fn history() -> Vec<InboxRecord> {
    let server = Server::serve(world(), &[]).await;
    let client = Client::new(pagerduty::api(&server.root, &TOKEN.into())).unwrap();
    let query = Query { since: Timestamp::parse_rfc3339(SINCE).unwrap() };
    let outcome: Outcome<Part> =
        read(usize::MAX, async |keep, sink| pagerduty::resume(&client, &query, <_>::default(), keep, sink).await).await;
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome.deliveries.into_iter().map(read_back).collect()
}

#[tokio::test]
async fn a_history_of_pagerduty_is_the_one_that_webhooks_tell() {
    // The API tells the second in which something happened, and webhooks the millisecond: the earlier counts.
    let to_the_second = [
        "incidents.acknowledged_at",
        "incidents.resolved_at",
        "incidents.time_to_acknowledge",
        "incidents.time_to_restore",
    ];
    assert_told_both_ways(&webhooks(), &history().await, &to_the_second, &to_the_second);
}
