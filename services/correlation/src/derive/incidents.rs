//! Rows of `incidents` and `incident_attributions`.

use std::collections::BTreeSet;

use model::event::Tier;
use model::fact::{Fact, Grade, IncidentAttributionFact, IncidentFact, IncidentState};
use model::{Component, DeploymentId, IncidentId, Millis, Realm, Timestamp};

use super::deployments::{count, evidence};
use crate::entity::{Course, Incident, ReleaseKey};
use crate::state::State;

/// A release that an incident belongs to, or may belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The release.
    pub release: ReleaseKey,
    /// How well that is known.
    pub grade: Grade,
    /// Deployment that brought it to production.
    pub deployment: Option<DeploymentId>,
    /// When that had finished.
    pub finished_at: Option<Timestamp>,
    /// From there to the beginning of the trouble.
    pub after: Option<Millis>,
    /// Ids of the events that it rests on, sorted.
    pub evidence: Vec<String>,
}

/// What an incident amounts to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// When it was noticed; none while nothing is told of it.
    pub noticed_at: Option<Timestamp>,
    /// Beginning of the trouble: where told, else when it was noticed.
    pub began_at: Option<Timestamp>,
    /// When it was over for good.
    pub resolved_at: Option<Timestamp>,
    /// Users were concerned: it names no environment, or one of production.
    pub in_production: bool,
    /// Kinds and labels, and those of the incidents that were merged into it.
    pub kinds: BTreeSet<String>,
    /// Components whose deployments may have caused it by coming shortly before.
    pub watched: BTreeSet<Component>,
    /// Deployments whose rows decide to which release it belongs.
    pub considered: BTreeSet<DeploymentId>,
    /// How well it is known to which release it belongs.
    pub grade: Grade,
    /// The releases, all of that grade.
    pub attributions: Vec<Attribution>,
}

impl Settled {
    /// Attributions that are more than one guess among several: all but those by time where there is another of the component.
    fn certain(&self) -> impl Iterator<Item = &Attribution> {
        let alone = |a: &&Attribution| {
            a.grade < Grade::Window || self.attributions.iter().filter(|b| b.release.0 == a.release.0).count() == 1
        };
        self.attributions.iter().filter(|_| self.in_production).filter(alone)
    }

    /// It degraded production, and it is known that this release did it.
    pub fn blames(&self, release: &ReleaseKey) -> bool {
        self.certain().any(|attribution| attribution.release == *release)
    }

    /// A release of the component other than this one, which had come to production before this instant, is known to have caused it.
    pub fn blames_earlier(&self, release: &ReleaseKey, at: Timestamp) -> bool {
        self.certain()
            .any(|a| a.release.0 == release.0 && a.release.1 != release.1 && a.finished_at.is_some_and(|f| f < at))
    }

    /// Components of which a release is known to have caused it.
    pub fn blamed_components(&self) -> BTreeSet<&Component> {
        self.certain().map(|attribution| &attribution.release.0).collect()
    }

    /// From when it was noticed to its end; without one, for ever.
    pub fn open_between(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.noticed_at?, self.resolved_at.unwrap_or(Timestamp(i64::MAX))))
    }
}

impl State {
    /// The incident that remains of one that turned out to be another: the last one in the chain that something is told of. Where
    /// they are said to be one another in a circle, the least of it.
    pub(super) fn remains_of(&self, id: &IncidentId) -> IncidentId {
        let mut way = vec![id.clone()];
        loop {
            let last = way.last().and_then(|id| self.records.incidents.get(id));
            let Some(next) = last.and_then(|incident| incident.course().merged_into) else { break };
            if self.records.incidents.get(&next).is_none_or(|incident| incident.noticed_at().is_none()) {
                break;
            }
            if let Some(at) = way.iter().position(|seen| *seen == next) {
                return way.drain(at..).min().unwrap_or(next);
            }
            way.push(next);
        }
        way.pop().unwrap_or_else(|| id.clone())
    }

    /// What remains as this incident: itself and those that turned out to be it.
    pub(super) fn one_with<'a>(&'a self, id: &'a IncidentId) -> Vec<&'a Incident> {
        let kin = self.incidents.kin(id);
        let all = kin.iter().filter(|other| self.remains_of(other) == *id);
        all.filter_map(|other| self.records.incidents.get(other)).filter(|i| i.noticed_at().is_some()).collect()
    }

    /// It names no environment, or one of production.
    pub(super) fn is_in_production(&self, incident: &Incident) -> bool {
        incident.environment.get().is_none_or(|given| self.rules.environment(given, None).1 == Tier::Production)
    }

    pub(super) fn incident_facts(&self, realm: &Realm, id: &IncidentId) -> Vec<Fact> {
        let known = self.records.incidents.get(id).zip(self.incidents.settled(id));
        let Some((incident, settled)) = known else { return Vec::new() };
        let Some(at) = settled.noticed_at else { return Vec::new() };
        let row = self.incident_fact(realm, id, incident, settled, at);
        let candidates = count(settled.attributions.len());
        let attribution = |attribution: &Attribution| IncidentAttributionFact {
            realm: realm.clone(),
            component: attribution.release.0.clone(),
            version: attribution.release.1.clone(),
            incident: id.clone(),
            at,
            grade: attribution.grade,
            candidates,
            deployment: attribution.deployment.clone(),
            after_deployment: attribution.after,
            evidence: attribution.evidence.clone(),
            link: incident.url.get().cloned(),
            ..IncidentAttributionFact::default()
        };
        let attributions = settled.attributions.iter().map(attribution).map(Fact::from);
        std::iter::once(row.into()).chain(attributions).collect()
    }

    fn incident_fact(
        &self,
        realm: &Realm,
        id: &IncidentId,
        incident: &Incident,
        settled: &Settled,
        at: Timestamp,
    ) -> IncidentFact {
        let course = incident.course();
        let merged_into = Some(self.remains_of(id)).filter(|other| other != id);
        let all = if merged_into.is_none() { self.one_with(id) } else { vec![incident] };
        let services: BTreeSet<&String> = all.iter().flat_map(|i| i.services.get()).flatten().collect();
        let components: BTreeSet<Component> = all.iter().flat_map(|i| self.components_of(i)).collect();
        let since = |end: Option<Timestamp>| Some((end? - course.began_at()?).max(Millis(0)));
        let events = incident.acts.values().chain(incident.about.values()).chain(incident.corrections.values());
        IncidentFact {
            realm: realm.clone(),
            incident: id.clone(),
            at,
            state: state(&course, merged_into.is_some()),
            number: incident.number.get().cloned(),
            severity: incident.severity.get().cloned(),
            priority: incident.priority.get().cloned(),
            services: services.into_iter().cloned().collect(),
            components: components.into_iter().collect(),
            environment: incident.environment.get().map(|given| self.rules.environment(given, None).0),
            kinds: incident.kinds.get().cloned().unwrap_or_default(),
            time_to_acknowledge: since(course.acknowledged_at),
            time_to_restore: since(course.resolved_at),
            started_at: course.started_at,
            detected_at: course.detected_at,
            acknowledged_at: course.acknowledged_at,
            resolved_at: course.resolved_at,
            reopened: count(course.reopened),
            merged_into,
            detected_by: course.detected_by,
            grade: settled.grade,
            attributions: count(settled.attributions.len()),
            evidence: evidence(events.filter_map(|id| id.0.as_ref())),
            link: incident.url.get().cloned(),
            ..IncidentFact::default()
        }
    }
}

fn state(course: &Course, merged: bool) -> IncidentState {
    match (course.retracted, merged, course.resolved_at, course.acknowledged_at) {
        (true, ..) => IncidentState::Retracted,
        (_, true, ..) => IncidentState::Merged,
        (_, _, Some(_), _) => IncidentState::Resolved,
        (_, _, None, Some(_)) => IncidentState::Acknowledged,
        (_, _, None, None) => IncidentState::Detected,
    }
}
