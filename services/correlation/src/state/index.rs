//! From each thing to what depends on it.
//!
//! An index by what a record says may hold what it said before, since nothing is taken out when it says something else. So each
//! reading asks the record again.

use std::hash::Hash;

use model::{DeploymentId, GateId, IncidentId, RunId, TaskId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::State;
use crate::entity::Task;
use crate::graph::Place;

/// From a thing to those that depend on it, in order. Most often there is one.
#[derive(Debug)]
pub struct Index<K, V>(FxHashMap<K, SmallVec<[V; 1]>>);

impl<K, V> Default for Index<K, V> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Hash + Eq, V: Ord + Clone> Index<K, V> {
    /// The value depends on the key.
    pub fn add(&mut self, key: K, value: V) {
        let values = self.0.entry(key).or_default();
        if let Err(at) = values.binary_search(&value) {
            values.insert(at, value);
        }
    }

    /// The value does not depend on the key any more.
    pub fn remove(&mut self, key: &K, value: &V) {
        if let Some(values) = self.0.get_mut(key) {
            values.retain(|other| other != value);
            if values.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// What depends on the key.
    pub fn of<'a>(&'a self, key: &K) -> impl Iterator<Item = &'a V> + use<'a, K, V> {
        self.0.get(key).into_iter().flatten()
    }

    /// As [`Self::of`], for when what depends changes the state.
    pub fn cloned(&self, key: &K) -> Vec<V> {
        self.of(key).cloned().collect()
    }
}

/// A record that named a commit by an abbreviation that meant none, or more than one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// A deployment.
    Deployment(DeploymentId),
    /// A run.
    Run(RunId),
    /// A task.
    Task(TaskId),
    /// A gate.
    Gate(GateId),
    /// An incident.
    Incident(IncidentId),
}

impl State {
    /// Runs on a commit.
    pub fn runs_on(&self, place: Place) -> impl Iterator<Item = &RunId> {
        self.runs_on
            .of(&place)
            .filter(move |id| self.records.runs.get(*id).and_then(|run| self.find(run.commit.get())) == Some(place))
    }

    /// Tasks of a run.
    pub fn tasks_of(&self, run: &RunId) -> impl Iterator<Item = &Task> {
        self.tasks_by_id(run).map(|(_, task)| task)
    }

    /// Tasks of a run, with their ids.
    pub fn tasks_by_id(&self, run: &RunId) -> impl Iterator<Item = (&TaskId, &Task)> {
        self.tasks_of
            .of(run)
            .filter_map(|id| self.records.tasks.get_key_value(id))
            .filter(move |(_, task)| task.run.get() == Some(run))
    }

    /// Tasks on a commit that belong to no run.
    pub fn loose_tasks_on(&self, place: Place) -> impl Iterator<Item = (&TaskId, &Task)> {
        let tasks = self.loose_tasks_on.of(&place).filter_map(|id| self.records.tasks.get_key_value(id));
        tasks.filter(move |(_, task)| task.run.get().is_none() && self.find(task.commit.get()) == Some(place))
    }

    /// Gates of a run.
    pub fn gates_of(&self, run: &RunId) -> impl Iterator<Item = &GateId> {
        self.gates_of.of(run).filter(move |id| self.records.gates.get(*id).and_then(|gate| gate.run.get()) == Some(run))
    }

    /// Gates about a deployment.
    pub fn gates_about(&self, deployment: &DeploymentId) -> impl Iterator<Item = &GateId> {
        let of = |id: &&GateId| self.records.gates.get(*id).and_then(|gate| gate.deployment.get()) == Some(deployment);
        self.gates_about.of(deployment).filter(of)
    }

    /// Gates about a commit.
    pub fn gates_on(&self, place: Place) -> impl Iterator<Item = &GateId> {
        self.gates_on
            .of(&place)
            .filter(move |id| self.records.gates.get(*id).and_then(|gate| self.find(gate.commit.get())) == Some(place))
    }

    /// Deployments made by a run.
    pub fn deployments_of(&self, run: &RunId) -> impl Iterator<Item = &DeploymentId> {
        self.by_run.of(run).filter(move |id| self.deployment(id).and_then(|d| d.run.get()) == Some(run))
    }
}
