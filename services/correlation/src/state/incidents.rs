//! Incidents: what each is settled to, and from each thing to the incidents that depend on it.
//!
//! To which release an incident belongs depends on much: deployments, commits, changes, other incidents. What changes any of that
//! marks the incident as stale; before facts are derived, stale incidents are settled anew, and the releases that they belonged to
//! or belong to now are marked. A realm without incidents pays for none of it.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{References, Tier};
use model::{ArtifactId, CommitId, Component, DeploymentId, IncidentId, Millis, RunId, Timestamp, Version};

use super::{ChangeKey, Index, Placed, Scope, State, Unit, Waiting};
use crate::derive::Settled;
use crate::entity::{IncidentAct, ReleaseKey};
use crate::graph::Place;

/// What incidents are settled to, and what they depend on.
///
/// An index by what an incident names may hold what it named before: an incident marked too often is settled to the same.
#[derive(Debug, Default)]
pub struct Incidents {
    settled: BTreeMap<IncidentId, Settled>,
    /// To be settled anew.
    stale: BTreeSet<IncidentId>,
    /// Incidents of a release.
    of_release: Index<ReleaseKey, IncidentId>,
    /// Incidents that a release of the component is known to have caused, by their end.
    by_end: BTreeMap<Component, BTreeSet<(Timestamp, IncidentId)>>,
    /// Incidents of a component by their beginning.
    by_beginning: BTreeMap<Component, BTreeSet<(Timestamp, IncidentId)>>,
    /// Incidents that were ever said to be one, in both directions.
    kin: Index<IncidentId, IncidentId>,
    by_deployment: Index<DeploymentId, IncidentId>,
    by_version: Index<Version, IncidentId>,
    by_run: Index<RunId, IncidentId>,
    by_change: Index<ChangeKey, IncidentId>,
    by_artifact: Index<ArtifactId, IncidentId>,
    by_place: Index<Place, IncidentId>,
}

impl Incidents {
    /// What an incident is settled to.
    pub fn settled(&self, id: &IncidentId) -> Option<&Settled> {
        self.settled.get(id)
    }

    /// Incidents of a release, and what each is settled to.
    pub fn of_release(&self, release: &ReleaseKey) -> impl Iterator<Item = (&IncidentId, &Settled)> {
        self.of_release.of(release).filter_map(|id| self.settled.get_key_value(id))
    }

    /// Incidents, known to be caused by a release of the component, that were not over before this instant.
    pub fn not_over_before<'a>(
        &'a self,
        component: &Component,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a Settled> + use<'a> {
        let from = (at, IncidentId::default());
        self.by_end
            .get(component)
            .into_iter()
            .flat_map(move |ends| ends.range(from.clone()..))
            .filter_map(|(_, id)| self.settled.get(id))
    }

    /// All that were ever said to be one with this incident, itself included.
    pub fn kin(&self, id: &IncidentId) -> BTreeSet<IncidentId> {
        let mut all = BTreeSet::new();
        let mut open = vec![id.clone()];
        while let Some(id) = open.pop() {
            if all.insert(id.clone()) {
                open.extend(self.kin.of(&id).cloned());
            }
        }
        all
    }

    /// A deployment stands here, or did.
    fn deployment_moved(&mut self, id: &DeploymentId, placed: &Placed, window: Millis) {
        self.stale.extend(self.by_deployment.of(id).cloned());
        self.stale.extend(placed.version.iter().flat_map(|version| self.by_version.of(version)).cloned());
        let Some((from, begun)) = placed.succeeded_at.zip(self.by_beginning.get(&placed.component)) else { return };
        let to = (from + window).max(from);
        let within = begun.range((from, IncidentId::default())..).take_while(|(at, _)| *at <= to);
        self.stale.extend(within.map(|(_, id)| id.clone()));
    }

    /// Something is new of a run, or of what it deployed.
    pub(super) fn run_moved(&mut self, run: &RunId) {
        self.stale.extend(self.by_run.of(run).cloned());
    }

    /// A change may hold other commits.
    pub(super) fn change_moved(&mut self, change: &ChangeKey) {
        self.stale.extend(self.by_change.of(change).cloned());
    }

    /// An artifact, or the run that made it, may mean another commit.
    pub(super) fn artifact_moved(&mut self, artifact: &ArtifactId) {
        self.stale.extend(self.by_artifact.of(artifact).cloned());
    }

    /// Something is new of a commit, or another release was the first to bring it.
    pub(super) fn commit_moved(&mut self, place: Place) {
        self.stale.extend(self.by_place.of(&place).cloned());
    }

    /// An abbreviation may mean a commit, or none any more.
    pub(super) fn arrived(&mut self, id: IncidentId) {
        self.stale.insert(id);
    }
}

impl State {
    /// Something new is known of an incident.
    pub(super) fn incident_changed(&mut self, id: &IncidentId) {
        let Some(incident) = self.records.incidents.get(id) else { return };
        let known = &mut self.incidents;
        known.stale.insert(id.clone());
        for about in incident.about.keys() {
            let References { repository, change, run, deployment, artifact, version, .. } = about;
            deployment.iter().for_each(|of| known.by_deployment.add(of.clone(), id.clone()));
            run.iter().for_each(|of| known.by_run.add(of.clone(), id.clone()));
            artifact.iter().for_each(|of| known.by_artifact.add(of.clone(), id.clone()));
            version.iter().for_each(|of| known.by_version.add(Version::new(of.as_str()), id.clone()));
            if let Some(key) = repository.clone().zip(change.clone()) {
                known.by_change.add(key, id.clone());
            }
        }
        for (_, version) in incident.corrections.keys().filter_map(|(_, said)| said.release.as_ref()) {
            known.by_version.add(version.clone(), id.clone());
        }
        for (_, act) in incident.acts.keys() {
            if let IncidentAct::Merged { into } = act {
                known.kin.add(id.clone(), into.clone());
                known.kin.add(into.clone(), id.clone());
            }
        }
    }

    /// Rows beside its own that depend on where a deployment stands: those of incidents, and of the release before it, which it
    /// may have rolled back.
    pub(super) fn deployment_moved(&mut self, id: &DeploymentId) {
        let Some(placed) = self.placed.get(id).filter(|_| !self.rebuilding) else { return };
        if let Some((order, _)) = placed.order(id).filter(|_| placed.tier == Tier::Production) {
            let before = self.track(&placed.component, &Scope::Production).and_then(|track| track.before(&order));
            let before = before.map(|(before, _)| Unit::Release(placed.component.clone(), before.version.clone()));
            self.dirty.extend(before);
        }
        if !self.records.incidents.is_empty() {
            let window = self.rules.attribution_window(&placed.component);
            self.incidents.deployment_moved(id, placed, window);
        }
    }

    /// Settles what became stale; call it before facts are derived.
    pub(super) fn settle_incidents(&mut self) {
        let stale = std::mem::take(&mut self.incidents.stale);
        let mut open: BTreeSet<IncidentId> = BTreeSet::new();
        for id in stale {
            if !open.contains(&id) {
                open.extend(self.incidents.kin(&id));
            }
        }
        for id in open {
            self.watch_commits(&id);
            let settled = self.attribute(&id);
            self.settle_as(&id, settled);
        }
    }

    /// Finds the commits that an incident names, so that it is marked when they move.
    fn watch_commits(&mut self, id: &IncidentId) {
        let Some(incident) = self.records.incidents.get(id) else { return };
        let mut given: Vec<CommitId> = Vec::new();
        let mut places: Vec<Place> = Vec::new();
        for about in incident.about.keys() {
            given.extend(about.commit.clone());
            given.extend(about.artifact.as_ref().and_then(|artifact| self.commit_of(artifact)));
            if let Some(key) = about.repository.clone().zip(about.change.clone()) {
                places.extend(self.members(&key));
            }
        }
        for given in given {
            self.await_commit(Some(&given), Waiting::Incident(id.clone()));
            places.extend(self.resolve(Some(&given)));
        }
        for place in places {
            self.incidents.by_place.add(place, id.clone());
        }
    }

    fn settle_as(&mut self, id: &IncidentId, settled: Settled) {
        self.dirty.insert(Unit::Incident(id.clone()));
        let before = self.incidents.settled.remove(id);
        if before.as_ref() != Some(&settled) {
            if let Some(before) = &before {
                self.index_settled(id, before, false);
            }
            self.index_settled(id, &settled, true);
        }
        self.incidents.settled.insert(id.clone(), settled);
    }

    /// Puts what an incident is settled to into the indexes or takes it out, and marks the releases that it concerns.
    fn index_settled(&mut self, id: &IncidentId, settled: &Settled, holds: bool) {
        let put = |index: &mut BTreeMap<Component, BTreeSet<(Timestamp, IncidentId)>>, component: &Component, at| {
            let entries = index.entry(component.clone()).or_default();
            if holds {
                entries.insert((at, id.clone()));
            } else {
                entries.remove(&(at, id.clone()));
            }
        };
        if let Some(begun) = settled.began_at {
            settled.watched.iter().for_each(|component| put(&mut self.incidents.by_beginning, component, begun));
        }
        for deployment in &settled.considered {
            self.incidents.by_deployment.add(deployment.clone(), id.clone());
        }
        for release in settled.attributions.iter().map(|attribution| &attribution.release) {
            if holds {
                self.incidents.of_release.add(release.clone(), id.clone());
            } else {
                self.incidents.of_release.remove(release, id);
            }
            self.dirty.insert(Unit::Release(release.0.clone(), release.1.clone()));
            // A gate that the release passed may have missed it.
            for deployment in self.by_release.cloned(release) {
                self.dirty.extend(self.gates_about.cloned(&deployment).into_iter().map(Unit::Gate));
                if let Some(head) = self.placed.get(&deployment).and_then(|placed| placed.head) {
                    self.touch_gates_at(head);
                }
            }
        }
        // What came to production while it was open may have been its remedy.
        let Some((from, to)) = settled.open_between() else { return };
        for component in settled.blamed_components() {
            put(&mut self.incidents.by_end, component, to);
            let track = self.track(component, &Scope::Production);
            let meanwhile = track.into_iter().flat_map(|track| track.between(from, to));
            let meanwhile = meanwhile.map(|(order, _)| Unit::Release(component.clone(), order.version.clone()));
            let meanwhile: Vec<Unit> = meanwhile.collect();
            self.dirty.extend(meanwhile);
        }
    }
}
