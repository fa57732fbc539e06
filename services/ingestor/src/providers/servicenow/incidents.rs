//! Incidents. A record is the whole incident, so each body tells when it was opened and how it stands.

use std::collections::BTreeSet;

use model::IncidentId;
use model::event::{
    Actor, Incident, IncidentAcknowledged, IncidentDetected, IncidentReopened, IncidentResolved, IncidentRetracted,
    IncidentUpdated, References,
};

use super::shape::Record;
use super::{Told, told};
use crate::providers::{Unreadable, references};

/// How far an incident has come.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    New,
    InProgress,
    Over,
    Cancelled,
    Unknown,
}

impl Stage {
    fn of(state: &str) -> Self {
        match state {
            "1" | "new" => Self::New,
            "2" | "3" | "in progress" | "on hold" => Self::InProgress,
            "6" | "7" | "resolved" | "closed" => Self::Over,
            "8" | "canceled" | "cancelled" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }
}

pub(super) fn incident(record: &Record<'_>) -> Result<Told, Unreadable> {
    let at = record.at()?;
    let incident = details(record);
    let mut bodies = Vec::new();
    if let Some(opened_at) = record.time("opened_at")?.or(record.time("sys_created_on")?) {
        let detected_by = record.account("sys_created_by");
        bodies.push(IncidentDetected { incident: incident.clone(), detected_at: Some(opened_at), detected_by }.into());
    }
    let stage = record.word("state").map_or(Stage::Unknown, |state| Stage::of(&state));
    // Without the state before, only that is told which has a time of its own.
    let before = record.before("state").map(|state| state.map_or(Stage::New, |state| Stage::of(&state)));
    let moved = before.is_some_and(|before| before != stage);
    let updater = || if moved { record.account("sys_updated_by") } else { Actor::default() };
    match stage {
        Stage::Over => {
            let ended_at = record.time("resolved_at")?.or(record.time("closed_at")?).or(moved.then_some(at));
            let resolved = |at| IncidentResolved { incident, resolved_at: Some(at), resolved_by: updater() };
            bodies.extend(ended_at.map(|at| resolved(at).into()));
        }
        Stage::Cancelled => {
            let ended_at = record.time("closed_at")?.unwrap_or(at);
            bodies.push(IncidentRetracted { incident, retracted_at: Some(ended_at) }.into());
        }
        _ if matches!(before, Some(Stage::Over | Stage::Cancelled)) => {
            let reopened_at = record.time("reopened_time")?.unwrap_or(at);
            bodies.push(IncidentReopened { incident, reopened_at: Some(reopened_at) }.into());
        }
        Stage::InProgress if moved => {
            let acknowledged_by = record.account("sys_updated_by");
            bodies.push(IncidentAcknowledged { incident, acknowledged_at: Some(at), acknowledged_by }.into());
        }
        _ if bodies.is_empty() => bodies.push(IncidentUpdated { incident, updated_at: Some(at) }.into()),
        _ => {}
    }
    told(record, bodies)
}

fn details(record: &Record<'_>) -> Incident {
    let named = references::given(record.body);
    let shown = |field: &str| record.shown(field).map(str::to_owned);
    let services: BTreeSet<String> =
        [shown("cmdb_ci"), shown("business_service"), named.service.clone()].into_iter().flatten().collect();
    Incident {
        number: record.value("number").map(str::to_owned),
        severity: references::severity(record.body).or_else(|| shown("severity")),
        priority: shown("priority"),
        services: services.into_iter().collect(),
        environment: named.environment.clone(),
        kinds: shown("category").into_iter().collect(),
        about: about(record, &named),
        url: record.link(),
        ..Incident::new(IncidentId::new(record.path()))
    }
}

/// What it names as its cause: what the script says, and the change request in "Caused by Change".
fn about(record: &Record<'_>, named: &References) -> Vec<References> {
    // Service and environment alone are the incident's own, and no link to what caused it.
    let own =
        References { service: named.service.clone(), environment: named.environment.clone(), ..References::default() };
    let said = (*named != own).then(|| named.clone());
    let cause =
        record.shown("caused_by").map(|ticket| References { ticket: Some(ticket.to_owned()), ..References::default() });
    said.into_iter().chain(cause).collect()
}
