//! Gates as they are met again and again, and which of their rejections caught something.
//!
//! A rejection caught something where a changed commit followed. Of several meetings of one gate with one commit the last one that
//! was settled counts, so what was rejected and then passed unchanged, by being run again, caught nothing, and what was rejected
//! twice counts once. A commit follows another one where it was committed later, or where it came to the environment that the gate
//! guards and holds the other one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::event::GateKind;
use model::fact::GateOutcome;
use model::{Component, DeploymentId, Environment, GateId, RunId, TaskId, Timestamp, Version};
use rustc_hash::FxHashSet;

use super::{Scope, State, Unit};
use crate::entity::Task;
use crate::graph::Place;
use crate::track::Order;

/// A gate that is met again and again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Component.
    pub component: Component,
    /// Environment that it guards, by the catalog's name.
    pub environment: Option<Environment>,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: GateKind,
}

/// A gate met once.
#[derive(Clone, Debug, PartialEq)]
pub struct Met {
    /// When it was asked for, else the first sign of it.
    pub at: Timestamp,
    /// When it was settled.
    pub decided_at: Option<Timestamp>,
    /// How it was settled.
    pub outcome: GateOutcome,
    /// Commit that it held back.
    pub commit: Option<Place>,
    /// When that commit was made, else written.
    pub committed_at: Option<Timestamp>,
}

/// Meetings of one gate in the order of time, each with whether it caught something.
type InOrder = BTreeMap<(Timestamp, GateId), (Met, Option<bool>)>;

/// Meetings of all gates.
#[derive(Debug, Default)]
pub struct Meetings {
    series: BTreeMap<Arc<Series>, InOrder>,
    of: BTreeMap<GateId, (Arc<Series>, Timestamp)>,
    /// Where deployments were taken from.
    left: BTreeSet<(Component, Environment)>,
}

impl Meetings {
    /// A deployment is not where it was any more.
    pub fn left(&mut self, component: &Component, environment: &Environment) {
        self.left.insert((component.clone(), environment.clone()));
    }

    fn remove(&mut self, id: &GateId) -> Option<Arc<Series>> {
        let (series, at) = self.of.remove(id)?;
        let meetings = self.series.get_mut(&series)?;
        meetings.remove(&(at, id.clone()));
        if meetings.is_empty() {
            self.series.remove(&series);
        }
        Some(series)
    }

    fn add(&mut self, id: GateId, series: Series, met: Met) -> Arc<Series> {
        let series = match self.series.get_key_value(&series) {
            Some((known, _)) => known.clone(),
            None => Arc::new(series),
        };
        self.of.insert(id.clone(), (series.clone(), met.at));
        // Never a judgement: whoever is met anew is judged anew, and marked already.
        self.series.entry(series.clone()).or_default().insert((met.at, id), (met, None));
        series
    }

    /// Gates that guard an environment of a component.
    fn guarding(&self, component: Component, environment: Environment) -> impl Iterator<Item = &Arc<Series>> {
        let from = Series { component, environment: Some(environment), name: String::new(), kind: GateKind::default() };
        let (component, environment) = (from.component.clone(), from.environment.clone());
        let all = self.series.range(from..).map(|(series, _)| series);
        all.take_while(move |series| series.component == component && series.environment == environment)
    }
}

impl State {
    /// Whether a rejection caught something; none while that is not known.
    pub fn caught(&self, id: &GateId) -> Option<bool> {
        let (series, at) = self.meetings.of.get(id)?;
        self.meetings.series.get(series)?.get(&(*at, id.clone()))?.1
    }

    /// Takes in the meetings that may have changed, and judges their series anew.
    pub(super) fn settle_meetings(&mut self) {
        let mut guarded = std::mem::take(&mut self.meetings.left);
        let mut stirred = BTreeSet::new();
        let mut gates = Vec::new();
        for unit in &self.dirty {
            match unit {
                Unit::Gate(id) => gates.push(id.clone()),
                Unit::Deployment(id) => {
                    let placed = self.placed.get(id);
                    guarded.extend(placed.map(|placed| (placed.component.clone(), placed.environment.clone())));
                }
                _ => {}
            }
        }
        for id in gates {
            stirred.extend(self.meetings.remove(&id));
            if let Some((series, met)) = self.met(&id) {
                stirred.insert(self.meetings.add(id, series, met));
            }
        }
        for (component, environment) in guarded {
            stirred.extend(self.meetings.guarding(component, environment).cloned());
        }
        for series in stirred {
            self.judge(&series);
        }
    }

    /// Judges the meetings of a gate, the last one first, and marks those that are seen differently now.
    fn judge(&mut self, series: &Arc<Series>) {
        let Some(meetings) = self.meetings.series.get(series) else { return };
        let mut changed = Vec::new();
        let mut newest = None;
        let mut settled = FxHashSet::default();
        for (key, (met, before)) in meetings.iter().rev() {
            let after = match (met.outcome, met.commit) {
                (GateOutcome::Open, _) | (GateOutcome::Rejected, None) => None,
                (GateOutcome::Rejected, Some(commit)) => {
                    Some(!settled.contains(&commit) && self.change_followed(series, met, commit, newest))
                }
                _ => Some(false),
            };
            if after != *before {
                changed.push((key.clone(), after));
            }
            newest = newest.max(met.committed_at);
            if matches!(met.outcome, GateOutcome::Approved | GateOutcome::Bypassed | GateOutcome::Rejected) {
                settled.extend(met.commit);
            }
        }
        let Some(meetings) = self.meetings.series.get_mut(series) else { return };
        for (key, after) in changed {
            self.dirty.insert(Unit::Gate(key.1.clone()));
            if let Some((_, caught)) = meetings.get_mut(&key) {
                *caught = after;
            }
        }
    }

    /// Whether a changed commit followed a rejected one: at the same gate, where the newest commit met later was made at `newest`, or
    /// in the environment it guards.
    fn change_followed(&self, series: &Series, met: &Met, commit: Place, newest: Option<Timestamp>) -> bool {
        let Some(decided_at) = met.decided_at else { return false };
        let here = |id: &&DeploymentId| {
            self.placed.get(*id).filter(|placed| {
                placed.component == series.component && Some(&placed.environment) == series.environment.as_ref()
            })
        };
        let after = |at: Timestamp| at > decided_at;
        // It came there unchanged.
        if self.by_head.of(&commit).filter_map(|id| here(&id)?.succeeded_at).any(after) {
            return false;
        }
        if met.committed_at.is_some() && newest > met.committed_at {
            return true;
        }
        let Some(environment) = &series.environment else { return false };
        let scope = Scope::Environment(environment.clone());
        let Some(track) = self.track(&series.component, &scope) else { return false };
        if track.first(commit).is_some_and(|order| after(order.finished_at)) {
            return true;
        }
        let Some(committed_at) = met.committed_at else { return false };
        let head = |order: &Order| self.placed.get(&order.deployment).and_then(|placed| placed.head);
        let newer = |place: Place| self.committed_at(place) > Some(committed_at);
        let least = Order { finished_at: decided_at, version: Version::new(""), deployment: DeploymentId::new("") };
        let mut later = std::iter::successors(track.after(&least), |order| track.after(order));
        later.any(|order| after(order.finished_at) && head(order).is_some_and(newer))
    }

    /// When a commit was made, else written.
    pub fn committed_at(&self, place: Place) -> Option<Timestamp> {
        let graph = &self.records.graph;
        graph.committed_at(place).or(graph.authored(place).map(|(at, _)| at))
    }

    /// Gates about a commit, of its runs and of its deployments are to be derived anew.
    pub(super) fn touch_gates_at(&mut self, place: Place) {
        let mut gates = self.gates_on.cloned(&place);
        for run in self.runs_on.of(&place) {
            gates.extend(self.gates_of.of(run).cloned());
        }
        for id in self.by_head.of(&place) {
            gates.extend(self.gates_about.of(id).cloned());
            let run = self.deployment(id).and_then(|deployment| deployment.run.get());
            gates.extend(run.into_iter().flat_map(|run| self.gates_of.of(run)).cloned());
        }
        self.dirty.extend(gates.into_iter().map(Unit::Gate));
    }

    /// Gates of a name are to be derived anew, those of one component or of all.
    pub(super) fn touch_gates_named(&mut self, component: Option<&Component>, name: &str) {
        let fits = |series: &Series| series.name == name && component.is_none_or(|only| series.component == *only);
        let meetings = self.meetings.series.iter().filter(|(series, _)| fits(series));
        let gates = meetings.flat_map(|(_, meetings)| meetings.keys().map(|(_, id)| Unit::Gate(id.clone())));
        self.dirty.extend(gates);
    }

    /// Tasks of a run that are no deployment of it.
    pub fn checks_of<'a>(&'a self, run: &'a RunId) -> impl Iterator<Item = &'a Task> {
        let job = |id: &DeploymentId| self.deployment(id)?.job.get();
        let deploying: BTreeSet<&TaskId> = self.deployments_of(run).filter_map(job).collect();
        let others = self.tasks_of.of(run).filter(move |id| !deploying.contains(id));
        others.filter_map(|id| self.records.tasks.get(id)).filter(move |task| task.run.get() == Some(run))
    }
}
