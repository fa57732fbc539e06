//! Rows of `incidents` and `incident_attributions`.

use std::collections::BTreeSet;

use model::fact::{Fact, IncidentAttributionFact, IncidentFact, IncidentState};
use model::{Component, IncidentId, Millis, Timestamp};

use super::count;
use crate::catalog;
use crate::incidents::{Attribution, components_of, one_with, remains_of};
use crate::known::Incident;
use crate::world::World;

pub fn rows(world: &World) -> Vec<Fact> {
    let told = world.known.incidents.iter().filter_map(|(id, incident)| Some((id, incident, incident.noticed_at()?)));
    told.flat_map(|(id, incident, at)| {
        let attributions = &world.incidents[id].attributions;
        let row = |of: &Attribution| attribution(world, id, incident, of, attributions.len()).into();
        [row_of(world, id, incident, at).into()].into_iter().chain(attributions.iter().map(row)).collect::<Vec<Fact>>()
    })
    .collect()
}

fn row_of(world: &World, id: &IncidentId, incident: &Incident, at: Timestamp) -> IncidentFact {
    let remains = remains_of(world, id);
    let merged_into = Some(remains).filter(|other| other != id);
    let all = if merged_into.is_some() { vec![incident] } else { one_with(world, id) };
    let services: BTreeSet<&String> = all.iter().flat_map(|incident| &incident.services).collect();
    let components: BTreeSet<Component> = all.iter().flat_map(|incident| components_of(world, incident)).collect();
    let since_began = |end: Timestamp| Some((end - incident.began_at()?).max(Millis(0)));
    let evidence = incident.act_evidence().chain(incident.about.values()).chain(incident.said.values());
    let evidence: BTreeSet<&String> = evidence.collect();
    IncidentFact {
        realm: world.realm.clone(),
        incident: id.clone(),
        at,
        state: state(incident, merged_into.is_some()),
        number: incident.number.clone(),
        severity: incident.severity.clone(),
        priority: incident.priority.clone(),
        services: services.into_iter().cloned().collect(),
        components: components.into_iter().collect(),
        environment: incident.environment.as_ref().map(|e| catalog::environment(&world.known.catalog, e, None).0),
        kinds: incident.kinds.clone(),
        started_at: incident.started_at,
        detected_at: incident.detected_at(),
        acknowledged_at: incident.acknowledged_at(),
        resolved_at: incident.resolved_at(),
        reopened: count(incident.reopened()),
        merged_into,
        detected_by: incident.detected_by(),
        time_to_acknowledge: incident.acknowledged_at().and_then(since_began),
        time_to_restore: incident.resolved_at().and_then(since_began),
        grade: world.incidents[id].grade,
        attributions: count(world.incidents[id].attributions.len()),
        evidence: evidence.into_iter().cloned().collect(),
        link: incident.url.clone(),
        ..IncidentFact::default()
    }
}

fn state(incident: &Incident, merged: bool) -> IncidentState {
    if incident.is_retracted() {
        IncidentState::Retracted
    } else if merged {
        IncidentState::Merged
    } else if incident.resolved_at().is_some() {
        IncidentState::Resolved
    } else if incident.acknowledged_at().is_some() {
        IncidentState::Acknowledged
    } else {
        IncidentState::Detected
    }
}

fn attribution(
    world: &World,
    id: &IncidentId,
    incident: &Incident,
    of: &Attribution,
    candidates: usize,
) -> IncidentAttributionFact {
    IncidentAttributionFact {
        realm: world.realm.clone(),
        component: of.release.0.clone(),
        version: of.release.1.clone(),
        incident: id.clone(),
        at: incident.noticed_at().unwrap_or_default(),
        grade: of.grade,
        candidates: count(candidates),
        deployment: of.deployment.clone(),
        after_deployment: of.after,
        evidence: of.evidence.iter().cloned().collect(),
        link: incident.url.clone(),
        ..IncidentAttributionFact::default()
    }
}
