//! What one event of any version tells.

use model::event::{
    Actor, ActorKind, Body, Incident, IncidentAcknowledged, IncidentDetected, IncidentMerged, IncidentReopened,
    IncidentResolved, IncidentUpdated,
};
use model::{IncidentId, Timestamp};
use serde::Deserialize;

use super::payload::{Event, Field, Holder, IncidentData, Old, Reference};
use super::shape;
use crate::people::People;
use crate::providers::labels::{self, Labels};
use crate::providers::{Observed, Reading, Unreadable, address};

/// An event.
pub(super) struct Message {
    /// `incident.triggered`, `incident.trigger`.
    kind: String,
    at: Option<Timestamp>,
    agent: Option<Reference>,
    incident: Option<IncidentData>,
    labels: Labels,
    links: Vec<String>,
}

impl Event {
    pub(super) fn message(self) -> Result<Message, Unreadable> {
        let Self { event_type: kind, occurred_at, agent, data } = self;
        let mut message =
            Message { kind, at: occurred_at.0, agent, incident: None, labels: Labels::default(), links: Vec::new() };
        if !message.kind.starts_with("incident.") {
            return Ok(message);
        }
        let what = |source| shape(&format!("`data` of {}", message.kind), source);
        if data["type"] == "incident" {
            message.incident = Some(IncidentData::deserialize(data).map_err(what)?);
        } else if data.is_object() {
            let Holder { incident, incident_role_assignments, custom_fields } =
                Holder::deserialize(data).map_err(what)?;
            message.incident =
                incident.or_else(|| incident_role_assignments.into_iter().find_map(|held| held.incident));
            for Field { name, value } in custom_fields {
                // One of several values is not the value.
                let only = value.as_array().and_then(|values| <[_; 1]>::try_from(values.clone()).ok());
                message.labels.add(&name, only.as_ref().map_or(&value, |[only]| only));
            }
        }
        Ok(message)
    }
}

impl Old {
    pub(super) fn message(self) -> Message {
        let Self { event, kind, created_on, incident, data, mut log_entries } = self;
        let mut incident = incident.or_else(|| data.and_then(|data| data.incident));
        let mut labels = Labels::default();
        for entry in &log_entries {
            labels.add_all(&entry.channel["details"]);
            labels.add_all(&entry.channel["cef_details"]["details"]);
        }
        let links = log_entries.iter().flat_map(|entry| &entry.contexts).filter_map(|context| context.href.clone());
        let links = links.collect();
        let first = log_entries.iter_mut().next();
        let (logged_at, agent) = first.map_or((None, None), |entry| (entry.created_at.0, entry.agent.take()));
        Message {
            kind: event.or(kind).unwrap_or_default(),
            at: created_on.0.or(logged_at),
            agent: agent.or_else(|| incident.as_mut().and_then(|incident| incident.last_status_change_by.take())),
            incident,
            labels,
            links,
        }
    }
}

impl Message {
    pub(super) fn read(&self, received_at: Timestamp, people: &People) -> Result<Reading, Unreadable> {
        if let Some(reason) = self.ignored() {
            return Ok(Reading::Ignored(reason.to_owned()));
        }
        let Some(data) = &self.incident else {
            return Err(Unreadable::Value(format!("{} names no incident: `data` has none", self.kind)));
        };
        let at = self.at.unwrap_or(received_at);
        let host = self.host(data);
        let incident = self.incident(data, &host);
        let by = self.agent.as_ref().map_or_else(Actor::default, |agent| agent.actor(&host, people));
        let observed = |body: Body| Observed { occurred_at: at, link: incident.url.clone(), body };
        if matches!(self.kind.as_str(), "incident.triggered" | "incident.trigger") {
            let detected_at = data.created_at().or(Some(at));
            let body = IncidentDetected { incident: incident.clone(), detected_at, detected_by: by }.into();
            return Ok(Reading::Events(vec![observed(body)]));
        }
        let detected = data.created_at().map(|created_at| IncidentDetected {
            incident: incident.clone(),
            detected_at: Some(created_at),
            detected_by: Actor::default(),
        });
        let acted = observed(self.act(data, incident.clone(), &host, at, by));
        Ok(Reading::Events(detected.map(|body| observed(body.into())).into_iter().chain([acted]).collect()))
    }

    /// Why it tells nothing.
    fn ignored(&self) -> Option<&'static str> {
        match self.kind.split('.').next() {
            Some("incident") if self.incident.is_some() || is_act(&self.kind) => None,
            Some("incident") => Some("incident: names none"),
            Some("pagey") => Some("pagey.ping: a test of the webhook"),
            Some("service") => Some("service: bears on no incident"),
            _ => Some("other: bears on no incident"),
        }
    }

    fn act(&self, data: &IncidentData, incident: Incident, host: &str, at: Timestamp, by: Actor) -> Body {
        let when = Some(at);
        match self.kind.as_str() {
            "incident.acknowledged" | "incident.acknowledge" => {
                IncidentAcknowledged { incident, acknowledged_at: when, acknowledged_by: by }.into()
            }
            "incident.resolved" | "incident.resolve" => match data.merged_into(host) {
                Some(into) => IncidentMerged { incident, into, merged_at: when }.into(),
                None => IncidentResolved { incident, resolved_at: when, resolved_by: by }.into(),
            },
            "incident.reopened" => IncidentReopened { incident, reopened_at: when }.into(),
            _ => IncidentUpdated { incident, updated_at: when }.into(),
        }
    }

    /// The host of the account, by whatever page of it is named.
    fn host(&self, data: &IncidentData) -> String {
        let of = |reference: &Option<Reference>| reference.as_ref().and_then(|of| of.html_url.clone());
        let pages = [data.html_url.clone(), of(&data.service), of(&self.agent)];
        pages.iter().flatten().find_map(|page| address::host(page)).unwrap_or_else(|| "pagerduty.com".to_owned())
    }

    fn incident(&self, data: &IncidentData, host: &str) -> Incident {
        let mut incident = Incident::new(id(host, &data.id));
        incident.number = data.number.clone().or_else(|| data.incident_number.clone());
        incident.severity = data.urgency.clone();
        incident.priority = data.priority.as_ref().and_then(Reference::title);
        incident.services = data.service.as_ref().and_then(Reference::title).into_iter().collect();
        incident.environment = self.labels.environment();
        incident.kinds = data.incident_type.as_ref().and_then(Reference::title).into_iter().collect();
        let linked = labels::linked(self.links.iter().map(String::as_str));
        incident.about = labels::together(self.labels.references().into_iter().chain(linked)).into_iter().collect();
        incident.url = data.html_url.as_deref().and_then(address::page);
        incident
    }
}

/// Without its incident, such an event tells less than it should.
fn is_act(kind: &str) -> bool {
    let verb = kind.strip_prefix("incident.").unwrap_or_default();
    ["trigger", "acknowledge", "resolve", "reopen"].iter().any(|act| verb.starts_with(act))
}

fn id(host: &str, id: &str) -> IncidentId {
    IncidentId::new(format!("{host}/incidents/{id}"))
}

impl IncidentData {
    /// When it was triggered.
    fn created_at(&self) -> Option<Timestamp> {
        self.created_at.0.or(self.created_on.0)
    }

    /// The incident that remains, where this one was merged and it is said into which.
    fn merged_into(&self, host: &str) -> Option<IncidentId> {
        let reason = &self.resolve_reason;
        let merged = reason["type"].as_str().is_some_and(|kind| kind.starts_with("merge"));
        reason["incident"]["id"].as_str().filter(|_| merged).map(|into| id(host, into))
    }
}

impl Reference {
    fn title(&self) -> Option<String> {
        self.summary.clone().or_else(|| self.name.clone())
    }

    fn actor(&self, host: &str, people: &People) -> Actor {
        let kind = match self.kind.as_deref() {
            Some(kind) if kind.starts_with("user") => ActorKind::Human,
            Some(_) => ActorKind::Machine,
            None if self.email.is_some() => ActorKind::Human,
            None => ActorKind::Unknown,
        };
        people.actor(host, self.id.as_deref().unwrap_or_default(), kind)
    }
}
