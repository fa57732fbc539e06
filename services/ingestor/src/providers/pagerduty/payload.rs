//! The shapes of the deliveries: only the members that are read.
//!
//! <https://docs.pagerduty.com/developer/webhooks-overview>; of the versions 1 and 2,
//! <https://developer.pagerduty.com/docs/webhooks-v2-overview>.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::providers::lenient::{When, nullable, text};

#[derive(Deserialize)]
pub(super) struct Webhook {
    pub(super) event: Option<Event>,
    pub(super) messages: Option<Vec<Value>>,
}

/// Version 3.
#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) event_type: String,
    #[serde(default)]
    pub(super) occurred_at: When,
    pub(super) agent: Option<Reference>,
    #[serde(default)]
    pub(super) data: Value,
}

/// A message of the versions 1 and 2.
#[derive(Deserialize)]
pub(super) struct Old {
    /// Of version 2: `incident.trigger`.
    #[serde(default, deserialize_with = "text")]
    pub(super) event: Option<String>,
    /// The same in version 1.
    #[serde(rename = "type", default, deserialize_with = "text")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) created_on: When,
    /// Of version 2.
    pub(super) incident: Option<IncidentData>,
    /// Of version 1.
    pub(super) data: Option<Holder>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) log_entries: Vec<LogEntry>,
}

/// What holds an incident: in version 1 everything, in version 3 what is about one: a note, a responder, custom fields.
#[derive(Default, Deserialize)]
pub(super) struct Holder {
    pub(super) incident: Option<IncidentData>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) incident_role_assignments: Vec<Holder>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) custom_fields: Vec<Field>,
}

/// A custom field.
#[derive(Deserialize)]
pub(super) struct Field {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: Value,
}

/// What happened, by whom, through which channel.
#[derive(Deserialize)]
pub(super) struct LogEntry {
    #[serde(default)]
    pub(super) created_at: When,
    pub(super) agent: Option<Reference>,
    /// The event that triggered the incident, in `details` or `cef_details.details` with what its sender added.
    #[serde(default)]
    pub(super) channel: Value,
    /// Links and images of that event.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) contexts: Vec<Context>,
}

#[derive(Deserialize)]
pub(super) struct Context {
    #[serde(default, deserialize_with = "text")]
    pub(super) href: Option<String>,
}

/// A user, a service, an integration, a priority.
#[derive(Deserialize)]
pub(super) struct Reference {
    #[serde(default, deserialize_with = "text")]
    pub(super) id: Option<String>,
    /// `user_reference`; version 1 has none.
    #[serde(rename = "type", default, deserialize_with = "text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) summary: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) name: Option<String>,
    /// Version 1 tells users from others by it alone.
    #[serde(default, deserialize_with = "text")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) html_url: Option<String>,
}

/// An incident, or a reference to one, which has only its id and its page.
#[derive(Deserialize)]
pub(super) struct IncidentData {
    pub(super) id: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) html_url: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(super) number: Option<String>,
    /// The same in the versions 1 and 2.
    #[serde(default, deserialize_with = "number")]
    pub(super) incident_number: Option<String>,
    #[serde(default)]
    pub(super) created_at: When,
    /// The same in version 1.
    #[serde(default)]
    pub(super) created_on: When,
    pub(super) service: Option<Reference>,
    pub(super) priority: Option<Reference>,
    #[serde(default, deserialize_with = "text")]
    pub(super) urgency: Option<String>,
    pub(super) incident_type: Option<Reference>,
    /// `{"type": "merge_resolve_reason", "incident": …}`; the word `merged` in version 2.
    #[serde(default)]
    pub(super) resolve_reason: Value,
    /// Who acknowledged or resolved it, where nothing else tells.
    pub(super) last_status_change_by: Option<Reference>,
}

/// A number, or the same as a text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    })
}
