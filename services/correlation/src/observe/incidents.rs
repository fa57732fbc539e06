//! What an incident tells, and what people say about incidents and releases.

use model::Timestamp;
use model::event::{AttributionCorrected, Event, Incident, IncidentBody, ReleaseExcluded, ReleaseRef};

use super::Observation;
use crate::entity::{self, Correction, IncidentAct, ReleaseKey};
use crate::lattice::{Latest, Least};
use crate::sorted::SortedMap;

pub(super) fn incident(event: &Event<()>, at: Timestamp, body: IncidentBody) -> Observation {
    let (incident, when, act) = parts(&body);
    let when = when.unwrap_or(at);
    let list = |list: &Vec<String>| Latest::told(at, (!list.is_empty()).then(|| list.clone()));
    let about = incident.about.iter().filter(|about| **about != model::event::References::default());
    let known = entity::Incident {
        number: Latest::told(at, incident.number.clone()),
        severity: Latest::told(at, incident.severity.clone()),
        priority: Latest::told(at, incident.priority.clone()),
        services: list(&incident.services),
        environment: Latest::told(at, incident.environment.clone()),
        kinds: list(&incident.kinds),
        started_at: Latest::told(at, incident.started_at),
        about: about.map(|about| (about.clone(), Least(Some(event.id())))).collect(),
        seen_at: Least(Some(when.min(at))),
        acts: act.map(|act| ((when, act), Least(Some(event.id())))).into_iter().collect(),
        corrections: SortedMap::default(),
        url: Latest::told(at, incident.url.clone().or_else(|| event.link.clone())),
    };
    Observation::Incident(incident.incident.clone(), Box::new(known))
}

/// The incident, when something happened to it, and what; new details by themselves are no act.
fn parts(body: &IncidentBody) -> (&Incident, Option<Timestamp>, Option<IncidentAct>) {
    match body {
        IncidentBody::IncidentDetected(b) => {
            (&b.incident, b.detected_at, Some(IncidentAct::Detected { by: b.detected_by.kind }))
        }
        IncidentBody::IncidentAcknowledged(b) => (&b.incident, b.acknowledged_at, Some(IncidentAct::Acknowledged)),
        IncidentBody::IncidentUpdated(b) => (&b.incident, b.updated_at, None),
        IncidentBody::IncidentResolved(b) => (&b.incident, b.resolved_at, Some(IncidentAct::Resolved)),
        IncidentBody::IncidentReopened(b) => (&b.incident, b.reopened_at, Some(IncidentAct::Reopened)),
        IncidentBody::IncidentMerged(b) => {
            (&b.incident, b.merged_at, Some(IncidentAct::Merged { into: b.into.clone() }))
        }
        IncidentBody::IncidentRetracted(b) => (&b.incident, b.retracted_at, Some(IncidentAct::Retracted)),
    }
}

pub(super) fn correction(event: &Event<()>, at: Timestamp, said: AttributionCorrected) -> Observation {
    let correction = Correction { release: said.release.as_ref().map(key), previous: said.previous.as_ref().map(key) };
    let corrections = SortedMap::of((at, correction), Least(Some(event.id())));
    Observation::Incident(said.incident, Box::new(entity::Incident { corrections, ..entity::Incident::default() }))
}

pub(super) fn exclusion(at: Timestamp, said: ReleaseExcluded) -> Observation {
    Observation::Exclusion(key(&said.release), entity::Exclusion { excluded: Latest::told(at, Some(said.excluded)) })
}

fn key(release: &ReleaseRef) -> ReleaseKey {
    (release.component.clone(), release.version.clone())
}
