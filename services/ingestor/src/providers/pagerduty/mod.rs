//! PagerDuty, by its webhooks of version 3 (<https://docs.pagerduty.com/developer/webhooks-overview>), and by the extensions of
//! versions 1 and 2, which wrap their `messages[]` and cannot be added any more.
//!
//! **What an incident is.** PagerDuty's own, by the id `<account>.pagerduty.com/incidents/<id>`, which is its page, too.
//!
//! **Time.** An event carries `occurred_at`, and its incident `created_at`, when it was triggered; how long it took to acknowledge or
//! resolve follows from the events of the incident together. Whatever event comes first tells when it was triggered, so that an
//! incident counts that is older than the webhook.
//!
//! **What it is about.** The service by its name; PagerDuty has one for each incident. The urgency is its severity, the type its
//! kind. Custom fields (and of versions 1 and 2, the details and the links of the event that triggered it) name references and the
//! environment. Change events are sent by no webhook, and notes, messages and status updates are texts: they are not read.
//!
//! **Merging.** An incident that is merged into another is resolved with a `resolve_reason` that names the one that remains.
//!
//! Every other event of an incident tells what is known of it then, also those that PagerDuty may add.

mod message;
mod payload;

use model::inbox::InboxRecord;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use self::payload::{Old, Webhook};
use super::{Door, Expected, Page, Provider, Reading, Unreadable, batch};
use crate::people::People;
use crate::signature::Scheme;

/// Version 3 is signed, the older ones have a password in their address. The body holds the id of its event, so its hash names it:
/// `X-Webhook-Id` is another one for each subscription that sends the event.
const DOOR: Door = Door {
    provider: "pagerduty",
    schemes: &[Scheme::PagerDuty, Scheme::Token],
    delivery: &[],
    event: None,
    kept: &["x-webhook-id", "x-webhook-subscription"],
};

const PAGE: Page = Page {
    title: "PagerDuty",
    tells: "incidents: triggered, acknowledged, resolved, reopened, merged",
    steps: &[
        "Open Integrations, Generic Webhooks (v3), New Webhook.",
        "Webhook URL: {url}",
        "Scope type: Account, or Service or Team for a part of it.",
        "Event subscription: tick those below.",
        "Add webhook. PagerDuty shows its signing secret once: make it the secret of this source.",
        "Open the webhook and choose Send Test Event: `pagey.ping` is ignored by name.",
    ],
    permissions: &[
        "An administrator or the owner of the account for the scope Account; a manager for services and teams.",
        "No API key: PagerDuty only sends.",
    ],
    events: EVENTS,
    notes: &[
        "The service is PagerDuty's; the catalog says which component it is.",
        "Custom fields of an incident such as `version`, `commit`, `deployment` or `environment` tell what was running.",
        "PagerDuty tries a delivery five times within about 20 minutes, and turns a webhook off after several failures.",
        "An incident does not say which change event came before it.",
    ],
    documentation: "https://support.pagerduty.com/main/docs/webhooks",
};

const fn event(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

const EVENTS: &[Expected] = &[
    event("incident.triggered", "incident.triggered", "that an incident was noticed", true),
    event("incident.acknowledged", "incident.acknowledged", "that somebody took it on", true),
    event("incident.resolved", "incident.resolved", "that it is over, or which one it turned out to be", true),
    event("incident.reopened", "incident.reopened", "that it was not over", true),
    event("incident.priority_updated", "incident.priority_updated", "its priority", false),
    event("incident.service_updated", "incident.service_updated", "its service", false),
    event("incident.incident_type.changed", "incident.incident_type.changed", "its kind", false),
    event(
        "incident.custom_field_values.updated",
        "incident.custom_field_values.updated",
        "what it is about, in custom fields",
        false,
    ),
];

/// Reads webhooks of PagerDuty.
#[derive(Clone, Copy, Debug, Default)]
pub struct PagerDuty;

impl Provider for PagerDuty {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        let body: Value = serde_json::from_slice(delivery.body.as_ref()).ok()?;
        let message = &body["messages"][0];
        let names = [&body["event"]["event_type"], &message["event"], &message["type"]];
        names.into_iter().find_map(Value::as_str).map(str::to_owned)
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let body: Webhook = parse(delivery.body.as_ref(), "a webhook of PagerDuty")?;
        match body {
            Webhook { event: Some(event), .. } => event.message()?.read(delivery.received_at, people),
            Webhook { messages: Some(messages), .. } => batch::read(messages.into_iter().map(|message| {
                let message = Old::deserialize(message).map_err(|source| shape("a message of PagerDuty", source))?;
                message.message().read(delivery.received_at, people)
            })),
            Webhook { .. } => Err(Unreadable::Value(
                "the body has neither `event` (version 3) nor `messages` (versions 1 and 2): it is no webhook of PagerDuty"
                    .to_owned(),
            )),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|source| shape(what, source))
}

fn shape(what: &str, source: serde_json::Error) -> Unreadable {
    Unreadable::Shape { what: what.to_owned(), source }
}
