//! Opsgenie, and Jira Service Management, whose alerts are the same, by their Webhook integration
//! (<https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/>).
//!
//! **What an incident is.** Each alert. Its id is that of the alert, which is unique over all accounts; which account sends, and where
//! its page is, the body does not tell.
//!
//! **What it is about.** The service is the first that the custom properties (`details`) name as `service`, `component`, `app` or the
//! like, then a tag of the form `service:NAME`, then `entity`, the field for what the alert is about. So with the environment. Tags
//! of one word are its kinds; the others may hold names of people. References are taken from `details` and from tags `NAME:VALUE`.
//!
//! **Time.** `createdAt` has 13 digits (milliseconds) and `updatedAt` 19 (nanoseconds, above 2^53), as numbers or as texts. The
//! beginning of the alert is `createdAt`, the time of every other action `updatedAt`.
//!
//! **What is not told.** Which alert is a duplicate of which. An alert that is deleted was none: what is over is closed.

use std::fmt;

use model::event::{
    Actor, ActorKind, Body, Incident, IncidentAcknowledged, IncidentDetected, IncidentResolved, IncidentRetracted,
    IncidentUpdated,
};
use model::inbox::InboxRecord;
use model::{IncidentId, Timestamp};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::labels::Labels;
use super::lenient::{When, nullable, text};
use super::{Door, Expected, Observed, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

/// A delivery has no name of its own, so its body is it; each action has its own `updatedAt`.
const DOOR: Door = Door { provider: "opsgenie", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &[] };

const PAGE: Page = Page {
    title: "Opsgenie",
    tells: "alerts, each as an incident: created, acknowledged, closed; also alerts of Jira Service Management",
    steps: &[
        "Open Settings, Integrations, Add integration, and choose Webhook. Assign it to no team, so that it hears of all alerts.",
        "Webhook URL: {url}",
        "Custom headers: `Authorization` with the value `Bearer {secret}`.",
        "Have the alert details added to the payload; the description is not read.",
        "Choose the alert actions below, and an alert filter for what you would call an incident.",
        "Save, and turn the integration on.",
    ],
    permissions: &[
        "An owner or an administrator of the account adds the integration once; nothing else is given away.",
    ],
    events: EVENTS,
    notes: &[
        "Every alert that the integration sends becomes an incident: choose by its alert filter.",
        "The service is the custom property `service`, a tag `service:NAME`, or the entity; the catalog says which component it is.",
        "Custom properties such as `version`, `commit` or `environment` tell what was running; they are sent on creation only.",
        "Opsgenie tells neither its account nor the page of an alert, so there is no link.",
    ],
    documentation: "https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/",
};

const fn action(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

const EVENTS: &[Expected] = &[
    action("Create", "alert is created", "that an incident was noticed", true),
    action("Acknowledge", "alert is acknowledged", "that somebody took it on", true),
    action("Close", "alert is closed", "that it is over", true),
    action("Delete", "alert is deleted", "that it was none", false),
    action("UpdatePriority", "alert priority is updated", "its priority", false),
    action("AddTags", "tags are added to the alert", "its kinds and what it is about", false),
];

/// Reads alert actions of Opsgenie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opsgenie;

impl Provider for Opsgenie {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        #[derive(Deserialize)]
        struct Action {
            action: String,
        }
        serde_json::from_slice(delivery.body.as_ref()).ok().map(|Action { action }| action)
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let Delivery { action, alert } = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: "an alert action of Opsgenie".to_owned(), source })?;
        Ok(Reading::Events(alert.told(&action, delivery.received_at, people)))
    }
}

#[derive(Deserialize)]
struct Delivery {
    action: String,
    alert: Alert,
}

/// An alert after the action.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    alert_id: String,
    #[serde(default, deserialize_with = "text")]
    tiny_id: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    entity: Option<String>,
    #[serde(default)]
    details: Value,
    #[serde(default, deserialize_with = "text")]
    priority: Option<String>,
    #[serde(default)]
    created_at: Epoch,
    #[serde(default)]
    updated_at: Epoch,
    /// Who acted: the address of a person, or the name of an integration.
    #[serde(default, deserialize_with = "text")]
    username: Option<String>,
}

impl Alert {
    fn told(&self, action: &str, received_at: Timestamp, people: &People) -> Vec<Observed> {
        let incident = self.incident(action);
        let by = self.actor(people);
        if action == "Create" {
            let at = self.created_at.0.or(self.updated_at.0).unwrap_or(received_at);
            return vec![observed(at, IncidentDetected { incident, detected_at: Some(at), detected_by: by })];
        }
        let at = self.updated_at.0.unwrap_or(received_at);
        // Every action tells when the alert was created: that one may have been lost, or be older than the integration.
        let created = self.created_at.0.map(|created| {
            let detected_by = Actor::default();
            observed(at, IncidentDetected { incident: incident.clone(), detected_at: Some(created), detected_by })
        });
        let acted: Body = match action {
            "Acknowledge" => IncidentAcknowledged { incident, acknowledged_at: Some(at), acknowledged_by: by }.into(),
            "Close" => IncidentResolved { incident, resolved_at: Some(at), resolved_by: by }.into(),
            "Delete" => IncidentRetracted { incident, retracted_at: Some(at) }.into(),
            // Acknowledgements that are taken back, notes, owners, custom actions: what is known of it may have changed.
            _ => IncidentUpdated { incident, updated_at: Some(at) }.into(),
        };
        created.into_iter().chain([observed(at, acted)]).collect()
    }

    fn incident(&self, action: &str) -> Incident {
        let mut labels = Labels::default();
        labels.add_all(&self.details);
        let pairs =
            self.tags.iter().flat_map(|tag| tag.split_whitespace()).filter_map(|tag| tag.split_once([':', '=']));
        pairs.for_each(|(name, value)| labels.add(name, &Value::from(value)));
        let mut incident = Incident::new(IncidentId::new(format!("opsgenie.com/alerts/{}", self.alert_id)));
        incident.number = self.tiny_id.clone();
        incident.priority = self.priority.clone();
        // Most actions leave the custom properties out: what stands in for them must not replace what they told.
        let complete = action == "Create" || self.details.as_object().is_some_and(|details| !details.is_empty());
        let entity = self.entity.as_deref().filter(|_| complete);
        incident.services = labels.service().or(entity).map(str::to_owned).into_iter().collect();
        incident.environment = labels.environment();
        incident.kinds = self.tags.iter().filter(|tag| is_word(tag)).cloned().collect();
        incident.kinds.sort();
        incident.kinds.dedup();
        incident.about = labels.references().into_iter().collect();
        incident
    }

    fn actor(&self, people: &People) -> Actor {
        match self.username.as_deref() {
            Some(address) if address.contains('@') => people.actor("mail", address, ActorKind::Human),
            Some(_) => Actor { key: None, kind: ActorKind::Machine },
            None => Actor::default(),
        }
    }
}

fn observed(occurred_at: Timestamp, body: impl Into<Body>) -> Observed {
    Observed { occurred_at, link: None, body: body.into() }
}

/// A word, as opposed to a text or a pair, either of which may name a person.
fn is_word(tag: &str) -> bool {
    !tag.is_empty() && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
}

/// An instant as a count since 1970 in whatever unit: its number of digits tells which. Also as a text, and as RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Epoch(Option<Timestamp>);

impl Epoch {
    fn of(count: i64) -> Self {
        // Seconds have ten digits from 2001 to 2286, milliseconds thirteen, microseconds sixteen, nanoseconds nineteen.
        Self(match count {
            ..=0 => None,
            1..100_000_000_000 => Some(Timestamp::from_seconds(count)),
            100_000_000_000..100_000_000_000_000 => Some(Timestamp(count)),
            100_000_000_000_000..100_000_000_000_000_000 => Some(Timestamp(count / 1_000)),
            _ => Some(Timestamp(count / 1_000_000)),
        })
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Epoch;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time (a whole count of milliseconds or nanoseconds since 1970) or null")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Epoch, E> {
                Ok(Epoch(None))
            }
            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Epoch, E> {
                Ok(Epoch::of(count))
            }
            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Epoch, E> {
                let count = i64::try_from(count).map_err(|_| E::custom(format!("{count} is too large for a time")))?;
                Ok(Epoch::of(count))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Epoch, E> {
                match text.trim().parse() {
                    Ok(count) => Ok(Epoch::of(count)),
                    Err(_) => When::deserialize(de::value::StrDeserializer::new(text)).map(|when| Epoch(when.0)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_tell_the_unit() {
        let read = |json: &str| serde_json::from_str::<Epoch>(json).unwrap().0;
        let at = Some(Timestamp(1_420_452_191_104));
        for json in
            ["1420452191104", "1420452191104000246", "\"1420452191104\"", "\"1420452191104000246\"", "1420452191104999"]
        {
            assert_eq!(read(json), at, "{json}");
        }
        assert_eq!(read("1420452191"), Some(Timestamp(1_420_452_191_000)));
        assert_eq!(read("\"2015-01-05T10:03:11.104Z\""), at);
        for json in ["null", "0", "\"\"", "-1"] {
            assert_eq!(read(json), None, "{json}");
        }
        assert!(serde_json::from_str::<Epoch>("1.42e18").is_err());
        assert!(serde_json::from_str::<Epoch>("18446744073709551615").is_err());
    }
}
