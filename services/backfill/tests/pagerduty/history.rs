//! A small history in the shapes of PagerDuty's API, and an API that shows it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::support::{Asked, Shown, TOKEN, json_of, refusal};

/// From when on it is asked for; what is older is there as well.
pub const SINCE: &str = "2026-03-01T00:00:00Z";
/// PagerDuty gives no more of one list.
const MOST: usize = 10_000;
/// And takes no longer span.
const LONGEST: i64 = 184 * 86_400;

pub fn at(day: u32, hour: u32) -> String {
    format!("2026-03-{day:02}T{hour:02}:00:00Z")
}

pub fn reference(kind: &str, id: &str, summary: &str) -> Value {
    let page = format!("https://acme.pagerduty.com/{kind}s/{id}");
    json!({ "id": id, "type": format!("{kind}_reference"), "summary": summary, "html_url": page })
}

fn incident(number: u32, status: &str, created_at: &str, changed_at: &str) -> Value {
    let id = format!("PINC{number:03}");
    json!({
        "id": id, "type": "incident", "incident_number": number, "title": "Payments are declined", "status": status,
        "html_url": format!("https://acme.pagerduty.com/incidents/{id}"), "created_at": created_at,
        "last_status_change_at": changed_at, "urgency": "high", "service": reference("service", "PSERV01", "shop"),
        "priority": reference("priority", "PPRIO01", "P1"), "incident_type": { "name": "major_incident" },
        "assignments": [{ "assignee": reference("user", "PUSER01", "First Responder") }], "resolve_reason": null,
    })
}

fn entry(number: u32, kind: &str, created_at: String) -> Value {
    let agent = match kind {
        "trigger" => reference("service", "PSERV01", "shop"),
        _ => reference("user", "PUSER01", "First Responder"),
    };
    json!({
        "id": format!("R{number}-{kind}-{created_at}"), "type": format!("{kind}_log_entry"), "created_at": created_at,
        "agent": agent, "channel": { "type": "website" },
    })
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub incidents: Vec<Value>,
    /// Logs by the ids of incidents, the newest entries first.
    pub logs: BTreeMap<String, Vec<Value>>,
    /// Custom fields by the ids of incidents, where the account has any.
    pub fields: Option<BTreeMap<String, Value>>,
    /// Items of a page at most.
    pub page_size: usize,
}

/// One incident from its trigger to its end with a custom field; one that was merged into it; one that was reopened, and is open; and
/// one that is older.
pub fn world() -> World {
    let merged = json!({ "type": "merge_resolve_reason", "incident": reference("incident", "PINC001", "[#1]") });
    let mut second = incident(2, "resolved", &at(3, 9), &at(3, 10));
    second["resolve_reason"] = merged;
    let incidents = vec![
        incident(0, "resolved", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        incident(1, "resolved", &at(3, 8), &at(3, 11)),
        second,
        incident(3, "triggered", &at(5, 8), &at(5, 12)),
    ];
    let log = |number: u32, entries: &[(&str, String)]| {
        let entries = entries.iter().map(|(kind, at)| entry(number, kind, at.clone())).rev().collect();
        (format!("PINC{number:03}"), entries)
    };
    let logs = [
        log(0, &[("trigger", "2026-01-01T00:00:00Z".to_owned())]),
        log(1, &[("trigger", at(3, 8)), ("notify", at(3, 8)), ("acknowledge", at(3, 9)), ("resolve", at(3, 11))]),
        log(2, &[("trigger", at(3, 9)), ("resolve", at(3, 10))]),
        log(3, &[("trigger", at(5, 8)), ("acknowledge", at(5, 9)), ("resolve", at(5, 10))]),
    ];
    let field = |value: Value| json!([{ "id": "PF1", "type": "field_value", "name": "environment", "data_type": "string", "value": value }]);
    let fields = [("PINC001", field(json!("production"))), ("PINC002", field(Value::Null)), ("PINC003", json!([]))];
    let fields = fields.map(|(id, values)| (id.to_owned(), values)).into();
    World { incidents, logs: logs.into(), fields: Some(fields), page_size: 100 }
}

/// Names of what comes of it.
pub fn expected() -> Vec<String> {
    let told = |number: u32, kind: &str, at: String, event: &str| {
        format!("history/incident/PINC{number:03}/R{number}-{kind}-{at}/incident.{event}")
    };
    let millis = |time: String| model::Timestamp::parse_rfc3339(&time).unwrap().0;
    let fields = |number: u32, at: String| format!("history/fields/PINC{number:03}/{}", millis(at));
    let mut names = vec![
        told(1, "trigger", at(3, 8), "triggered"),
        told(1, "acknowledge", at(3, 9), "acknowledged"),
        told(1, "resolve", at(3, 11), "resolved"),
        told(2, "trigger", at(3, 9), "triggered"),
        told(2, "resolve", at(3, 10), "resolved"),
        told(3, "trigger", at(5, 8), "triggered"),
        told(3, "acknowledge", at(5, 9), "acknowledged"),
        told(3, "resolve", at(5, 10), "resolved"),
        "history/incident/PINC003/now/incident.reopened".to_owned(),
        fields(1, at(3, 11)),
        fields(2, at(3, 10)),
        fields(3, at(5, 12)),
    ];
    names.sort();
    names
}

impl Shown for World {
    fn authorization(&self) -> String {
        format!("Token token={TOKEN}")
    }

    fn reset(&self, _now: u64) -> String {
        "1".to_owned()
    }

    fn answer(&self, asked: &Asked<'_>) -> Response {
        match asked.path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["incidents"] => self.listed(asked),
            ["incidents", "custom_fields"] => match self.fields {
                Some(_) => json_of(&json!({ "fields": [{ "id": "PF1", "name": "environment" }] })),
                None => refusal(StatusCode::PAYMENT_REQUIRED, "Account does not have the abilities to do that"),
            },
            ["incidents", id, "log_entries"] => match self.logs.get(id) {
                Some(log) => self.page(asked, "log_entries", log.iter().collect()),
                None => refusal(StatusCode::NOT_FOUND, "Not Found"),
            },
            ["incidents", id, "custom_fields", "values"] => {
                match self.fields.as_ref().and_then(|fields| fields.get(id)) {
                    Some(values) => json_of(&json!({ "custom_fields": values })),
                    None => refusal(StatusCode::NOT_FOUND, "Not Found"),
                }
            }
            _ => refusal(StatusCode::NOT_FOUND, "Not Found"),
        }
    }
}

impl World {
    fn listed(&self, asked: &Asked<'_>) -> Response {
        let [since, until] =
            ["since", "until"].map(|name| asked.query[name].parse::<jiff::Timestamp>().unwrap().as_second());
        if until - since > LONGEST {
            return refusal(StatusCode::BAD_REQUEST, "Date range is too long");
        }
        let made = |incident: &&Value| {
            let at = incident["created_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
            (since..until).contains(&at)
        };
        self.page(asked, "incidents", self.incidents.iter().filter(made).collect())
    }

    fn page(&self, asked: &Asked<'_>, name: &str, all: Vec<&Value>) -> Response {
        let number = |name: &str| asked.query.get(name).map(|text| text.parse::<usize>().unwrap());
        let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(25).min(self.page_size));
        if offset + limit > MOST {
            return refusal(StatusCode::BAD_REQUEST, "Offset is too high");
        }
        let items: Vec<&Value> = all.iter().skip(offset).take(limit).copied().collect();
        let total = asked.query.contains_key("total").then_some(all.len());
        let more = offset + items.len() < all.len();
        json_of(&json!({ name: items, "offset": offset, "limit": limit, "more": more, "total": total }))
    }
}
