//! What happened to an incident, by its log.

use model::Timestamp;
use serde_json::{Value, json};

use crate::BackfillError;
use crate::reading::members::{only, text, time};

/// Members of an incident that webhooks carry, as far as they are read.
const OF_INCIDENT: &[&str] = &[
    "id",
    "type",
    "html_url",
    "number",
    "incident_number",
    "status",
    "created_at",
    "service",
    "priority",
    "urgency",
    "incident_type",
    "resolve_reason",
];

/// Something that moved an incident.
#[derive(Debug, PartialEq)]
pub(super) struct Moved {
    /// Name of the webhook: `incident.acknowledged`.
    pub event: &'static str,
    /// Id of the entry that tells it.
    pub entry: String,
    pub at: Timestamp,
    /// Who did it.
    pub agent: Value,
}

/// What moved the incident, from the oldest to the newest. The log has no entry for a reopening that its documentation names: an
/// incident that somebody takes on or ends after its end was reopened by then, and so was one that ended and is open now.
pub(super) fn moved(incident: &Value, log: &[Value]) -> Result<Vec<Moved>, BackfillError> {
    let mut entries = Vec::new();
    for entry in log {
        let Some(event) = event(text(entry, "type", "an entry of a log")?) else { continue };
        let at = time(entry, "created_at");
        let Some(at) = at else { return Err(lacks("an entry of a log", "created_at")) };
        let id = text(entry, "id", "an entry of a log")?.to_owned();
        entries.push(Moved { event, entry: id, at, agent: entry["agent"].clone() });
    }
    entries.sort_by_key(|moved| moved.at);
    let mut all: Vec<Moved> = Vec::new();
    let mut over = false;
    for entry in entries {
        if over && !matches!(entry.event, "incident.reopened") {
            all.push(reopened(&entry.entry, entry.at));
        }
        over = entry.event == "incident.resolved";
        all.push(entry);
    }
    if over && incident["status"].as_str().is_some_and(|status| status != "resolved") {
        let last = all.last().map_or(Timestamp::default(), |last| last.at);
        all.push(reopened("now", time(incident, "last_status_change_at").unwrap_or(last).max(last)));
    }
    Ok(all)
}

fn reopened(entry: &str, at: Timestamp) -> Moved {
    Moved { event: "incident.reopened", entry: entry.to_owned(), at, agent: Value::Null }
}

/// The webhook of an entry; none for one that moves no incident: notes, notifications, escalations.
fn event(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "trigger_log_entry" => "incident.triggered",
        "acknowledge_log_entry" => "incident.acknowledged",
        "unacknowledge_log_entry" => "incident.unacknowledged",
        "resolve_log_entry" => "incident.resolved",
        "reopen_log_entry" => "incident.reopened",
        _ => return None,
    })
}

pub(super) fn lacks(what: &str, member: &'static str) -> BackfillError {
    BackfillError::Member { what: what.to_owned(), member }
}

/// The body of a webhook of an incident.
pub(super) fn body(incident: &Value, moved: &Moved) -> Value {
    let mut data = only(incident, OF_INCIDENT);
    data["type"] = "incident".into();
    webhook(moved.event, &moved.entry, moved.at, &moved.agent, &data)
}

/// The body of the webhook that tells the custom fields of an incident. When they were set is not told: by its last change at the
/// latest, as far as is known.
pub(super) fn fields(incident: &Value, at: Timestamp, values: &Value) -> Value {
    let data = json!({
        "type": "incident_field_values",
        "incident": only(incident, &["id", "html_url"]),
        "custom_fields": values,
    });
    webhook("incident.custom_field_values.updated", "now", at, &Value::Null, &data)
}

fn webhook(event: &str, id: &str, at: Timestamp, agent: &Value, data: &Value) -> Value {
    json!({
        "event": {
            "id": id,
            "event_type": event,
            "resource_type": "incident",
            "occurred_at": at.to_string(),
            "agent": agent,
            "data": data,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, minute: u32) -> Value {
        json!({
            "id": format!("R{minute}"),
            "type": format!("{kind}_log_entry"),
            "created_at": format!("2026-03-01T10:{minute:02}:00Z"),
        })
    }

    fn events(status: &str, log: &[Value]) -> Vec<(&'static str, String)> {
        let incident = json!({ "status": status, "last_status_change_at": "2026-03-01T10:50:00Z" });
        let of = |moved: Moved| (moved.event.trim_start_matches("incident."), moved.at.to_string()[14..16].to_owned());
        moved(&incident, log).unwrap().into_iter().map(of).collect()
    }

    #[test]
    fn an_incident_is_moved_by_some_entries_of_its_log() {
        let log = [entry("resolve", 9), entry("notify", 8), entry("acknowledge", 4), entry("trigger", 0)];
        let told = [("triggered", "00"), ("acknowledged", "04"), ("resolved", "09")];
        assert_eq!(events("resolved", &log), told.map(|(event, at)| (event, at.to_owned())));
    }

    #[test]
    fn what_goes_on_after_its_end_was_reopened() {
        let log = [entry("trigger", 0), entry("resolve", 9), entry("acknowledge", 20), entry("resolve", 30)];
        let told = ["triggered", "resolved", "reopened", "acknowledged", "resolved"];
        assert!(events("resolved", &log).iter().map(|(event, _)| *event).eq(told));
        let open = events("triggered", &log[..2]);
        assert_eq!(open.last(), Some(&("reopened", "50".to_owned())));
        let told = [entry("trigger", 0), entry("resolve", 9), entry("reopen", 20), entry("acknowledge", 21)];
        assert_eq!(events("acknowledged", &told).iter().filter(|(event, _)| *event == "reopened").count(), 1);
    }

    #[test]
    fn an_entry_without_a_time_is_none_of_this_api() {
        let entry = json!({ "id": "R1", "type": "resolve_log_entry" });
        let error = moved(&json!({}), &[entry]).unwrap_err().to_string();
        assert!(error.contains("an entry of a log has no `created_at`"), "{error}");
    }
}
