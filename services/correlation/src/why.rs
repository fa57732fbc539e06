//! Why a figure is what it is: the steps that add up to it, and the entities that they rest on.
//!
//! Nothing is worked out twice in two ways: an explanation is made of the same paths and meetings that the facts are derived from.

use std::collections::BTreeSet;

use model::event::{Body, Event};
use model::fact::{Fact, GateWaitFact, IncidentAttributionFact, IncidentFact, ReleaseFact};
use model::{Component, GateId, IncidentId, RunId, Timestamp, Version};

use crate::derive::{Doer, Interval, Paths};
use crate::graph::Place;
use crate::observe::{Observation, observe};
use crate::realm::Realm;
use crate::state::{Key, State, Unit};

/// Something that a figure rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entity {
    /// Which it is.
    pub key: Key,
    /// Name by the provider, where it has one beside its id.
    pub name: Option<String>,
    /// Page for people.
    pub link: Option<String>,
}

/// A stretch of the way of the median commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends, which is when the next begins.
    pub to: Timestamp,
    /// The segment that it counts for, as the column is called.
    pub segment: &'static str,
    /// What was at work or in the way; none where nothing went on that anybody told of.
    pub by: Option<Entity>,
}

/// Why a release took as long as it did.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyRelease {
    /// The row.
    pub release: ReleaseFact,
    /// The way of its median commit; empty where it has no lead time.
    pub stretches: Vec<Stretch>,
    /// What all of it rests on.
    pub rests_on: Vec<Entity>,
}

/// Why a gate was waited for as long as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyGate {
    /// The row.
    pub gate: GateWaitFact,
    /// The meeting itself, its run, and the tasks of the run that ended when it became the only obstacle.
    pub rests_on: Vec<Entity>,
}

/// Why an incident belongs to a release, or to none.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyIncident {
    /// The row.
    pub incident: IncidentFact,
    /// The rows of its attributions.
    pub attributions: Vec<IncidentAttributionFact>,
    /// The incident, and the deployments that it was tied to.
    pub rests_on: Vec<Entity>,
}

/// The entities that an event tells of; none where it is ignored.
#[must_use]
pub fn told_of(event: Event<Body>) -> Vec<Key> {
    let key = |observation| {
        Some(match observation {
            Observation::Commit(id, _) => Key::Commit(id),
            Observation::Change(repository, id, _) => Key::Change(repository, id),
            Observation::Run(id, _) => Key::Run(id),
            Observation::Task(id, _) => Key::Task(id),
            Observation::Deployment(id, _) => Key::Deployment(id),
            Observation::Gate(id, _) => Key::Gate(id),
            Observation::Tag(repository, name, _) => Key::Tag(repository, name),
            Observation::Artifact(id, _) => Key::Artifact(id),
            Observation::Incident(id, _) => Key::Incident(id),
            _ => return None,
        })
    };
    observe(event).into_iter().flatten().filter_map(key).collect()
}

impl Realm {
    /// Versions of a component that begin like this, sorted.
    #[must_use]
    pub fn versions(&self, component: &Component, beginning: &str) -> BTreeSet<Version> {
        let placed = self.state().placed.values().filter(|placed| placed.component == *component);
        let versions = placed.filter_map(|placed| placed.version.as_ref());
        versions.filter(|version| version.as_str().starts_with(beginning)).cloned().collect()
    }

    /// Gates that were met, by the end of their id or by their name.
    #[must_use]
    pub fn gates_like(&self, text: &str) -> BTreeSet<GateId> {
        let gates = self.state().records.gates.iter();
        let like = |id: &GateId, name: Option<&String>| id.as_str().ends_with(text) || name.is_some_and(|n| n == text);
        gates.filter(|(id, gate)| like(id, gate.name.get())).map(|(id, _)| id.clone()).collect()
    }

    /// Incidents, by the end of their id or by their number.
    #[must_use]
    pub fn incidents_like(&self, text: &str) -> BTreeSet<IncidentId> {
        let incidents = self.state().records.incidents.iter();
        let like = |id: &IncidentId, n: Option<&String>| id.as_str().ends_with(text) || n.is_some_and(|n| n == text);
        incidents.filter(|(id, incident)| like(id, incident.number.get())).map(|(id, _)| id.clone()).collect()
    }

    /// Why a release took as long as it did; none where there is no such release.
    #[must_use]
    pub fn why_release(&self, component: &Component, version: &Version) -> Option<WhyRelease> {
        let state = self.state();
        let unit = Unit::Release(component.clone(), version.clone());
        let facts = state.facts(self.name(), &unit, &mut Paths::default());
        let release =
            facts.into_iter().find_map(|fact| if let Fact::Release(row) = fact { Some(row) } else { None })?;
        let median = release.median_commit.as_ref().and_then(|id| state.records.graph.find(id));
        let stretches = median.map(|place| state.stretches(component, version, place)).unwrap_or_default();
        let mut rests_on = BTreeSet::new();
        rests_on.extend(release.deployment.clone().map(|id| state.entity(Key::Deployment(id))));
        rests_on.extend(median.into_iter().flat_map(|place| state.origins(place)));
        rests_on.extend(release.commit.clone().map(|id| state.entity(Key::Commit(id))));
        rests_on.extend(stretches.iter().filter_map(|stretch| stretch.by.clone()));
        Some(WhyRelease { release, stretches, rests_on: rests_on.into_iter().collect() })
    }

    /// Why a gate was waited for as long as it was; none where nothing is known of it.
    #[must_use]
    pub fn why_gate(&self, id: &GateId) -> Option<WhyGate> {
        let state = self.state();
        let facts = state.facts(self.name(), &Unit::Gate(id.clone()), &mut Paths::default());
        let gate = facts.into_iter().find_map(|fact| if let Fact::GateWait(row) = fact { Some(row) } else { None })?;
        let mut rests_on = vec![state.entity(Key::Gate(id.clone()))];
        if let Some(run) = &gate.run {
            rests_on.push(state.entity(Key::Run(run.clone())));
            rests_on.extend(gate.blocking_from.into_iter().flat_map(|at| state.ended_at(run, at)));
        }
        rests_on.extend(gate.commit.clone().map(|commit| state.entity(Key::Commit(commit))));
        Some(WhyGate { gate, rests_on })
    }

    /// Why an incident belongs to a release, or to none; none where nothing is known of it.
    #[must_use]
    pub fn why_incident(&self, id: &IncidentId) -> Option<WhyIncident> {
        let state = self.state();
        let (mut incident, mut attributions) = (None, Vec::new());
        for fact in state.facts(self.name(), &Unit::Incident(id.clone()), &mut Paths::default()) {
            match fact {
                Fact::Incident(row) => incident = Some(row),
                Fact::IncidentAttribution(row) => attributions.push(row),
                _ => {}
            }
        }
        let deployments = attributions.iter().filter_map(|row| row.deployment.clone()).map(Key::Deployment);
        let keys = std::iter::once(Key::Incident(id.clone())).chain(deployments);
        let rests_on = keys.map(|key| state.entity(key)).collect();
        Some(WhyIncident { incident: incident?, attributions, rests_on })
    }
}

impl State {
    fn stretches(&self, component: &Component, version: &Version, median: Place) -> Vec<Stretch> {
        let Some(reaching) = self.reaching(component, version) else { return Vec::new() };
        let mut done: Vec<(Interval, Doer<'_>)> = Vec::new();
        self.activities(&reaching, &mut |interval, by| done.push((interval, by)));
        let path = self.path_of(component, &reaching, done.iter().map(|(interval, _)| *interval).collect());
        let steps = path.steps(&self.way(median), &done);
        let change =
            || self.brought_by(median).map(|((repository, id), ..)| Key::Change(repository.clone(), id.clone()));
        let by = |segment: &str, doer: Option<Doer<'_>>| match doer {
            Some(Doer::Deployment(id)) => Some(Key::Deployment(id.clone())),
            Some(Doer::Gate(id)) => Some(Key::Gate(id.clone())),
            Some(Doer::Run(id)) => Some(Key::Run(id.clone())),
            Some(Doer::Task(id)) => Some(Key::Task(id.clone())),
            None if segment == "coding" => Some(Key::Commit(self.records.graph.id(median))),
            None if segment == "review" => change(),
            None => None,
        };
        let stretch = |step: crate::derive::Step<'_>| Stretch {
            from: step.from,
            to: step.to,
            segment: step.segment,
            by: by(step.segment, step.by).map(|key| self.entity(key)),
        };
        steps.into_iter().map(stretch).collect()
    }

    /// The commit itself, and the change that brought it in.
    fn origins(&self, place: Place) -> impl Iterator<Item = Entity> {
        let change = self.brought_by(place).map(|((repository, id), ..)| Key::Change(repository.clone(), id.clone()));
        let keys = [Some(Key::Commit(self.records.graph.id(place))), change];
        keys.into_iter().flatten().map(|key| self.entity(key))
    }

    /// Tasks of a run that ended at that instant.
    fn ended_at(&self, run: &RunId, at: Timestamp) -> impl Iterator<Item = Entity> {
        let tasks = self.tasks_by_id(run);
        let ended = tasks.filter(move |(_, task)| task.attempts.values().any(|a| a.finished_at() == Some(at)));
        ended.map(|(id, _)| self.entity(Key::Task(id.clone())))
    }

    fn entity(&self, key: Key) -> Entity {
        let records = &self.records;
        let (name, link) = match &key {
            Key::Run(id) => records.runs.get(id).map(|run| (run.pipeline.get(), run.url.get())),
            Key::Task(id) => records.tasks.get(id).map(|task| (task.name.get(), task.url.get())),
            Key::Gate(id) => records.gates.get(id).map(|gate| (gate.name.get(), gate.url.get())),
            Key::Incident(id) => records.incidents.get(id).map(|incident| (incident.number.get(), incident.url.get())),
            Key::Deployment(id) => {
                self.deployment(id).map(|deployment| (deployment.version.get(), deployment.url.get()))
            }
            _ => None,
        }
        .unwrap_or_default();
        Entity { name: name.cloned(), link: link.cloned(), key }
    }
}
