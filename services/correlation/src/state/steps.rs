//! Manual steps: what they depend on, and how a gate and the job that it holds back are told to be one.

use model::event::{ActorKind, GateKind};
use model::fact::GateOutcome;
use model::{Component, DeploymentId, GateId, RunId, TaskId, Timestamp, Version};

use super::{NamedKey, State, Step, Unit};
use crate::entity::{Deployment, Gate, Task};
use crate::graph::Place;

impl Gate {
    /// When a person started the job that the gate stands for.
    pub fn clicked_at(&self) -> Option<Timestamp> {
        let meeting = self.meeting();
        let started = matches!(meeting.outcome(), GateOutcome::Approved | GateOutcome::Bypassed);
        let by_person = started && meeting.settled.as_ref().is_some_and(|settled| settled.by.kind == ActorKind::Human);
        meeting.decided_at().filter(|_| by_person && self.kind.0 == Some(GateKind::ManualJob))
    }
}

impl Deployment {
    /// A person made it, outside any run.
    pub fn is_by_hand(&self) -> bool {
        let outside = self.run.get().is_none() && self.job.get().is_none();
        outside && self.triggered_by.0 == Some(ActorKind::Human) && self.counts()
    }

    /// It brings something to an environment that stays.
    pub fn counts(&self) -> bool {
        !self.transient.0 && !self.removal.0
    }
}

impl State {
    /// The task that a gate holds back, and its run: the one it names, else the first one of its run with its name and attempt. None
    /// while that is not known.
    pub fn task_held(&self, gate: &Gate) -> Option<(&TaskId, &Task, &RunId)> {
        let known = |run: &RunId| self.records.runs.get_key_value(run).map(|(run, _)| run);
        if let Some(named) = gate.task.get() {
            let (id, task) = self.records.tasks.get_key_value(named)?;
            return Some((id, task, known(task.run.get()?)?));
        }
        let (run, attempt) = (known(gate.run.get()?)?, gate.attempt.0.unwrap_or(1));
        let same = self.tasks_by_id(run).filter(|(_, task)| task.name.get() == gate.name.get());
        let tried = same.filter_map(|(id, task)| Some((id, task, task.attempts.get(&attempt)?)));
        // A task that is tried again within the attempt of its run is another one of the same name.
        let (id, task, _) = tried.min_by_key(|(id, _, a)| (a.started_at.0.is_none(), a.started_at.0, *id))?;
        Some((id, task, run))
    }

    /// Gates that may hold back a task of a run.
    pub fn gates_before(&self, run: &RunId, task: &TaskId) -> impl Iterator<Item = &GateId> {
        self.gates_of(run).chain(self.gates_naming.of(task))
    }

    /// A task may have been started by hand: what its run tells matters for that.
    pub(super) fn mark_step_of(&mut self, id: &TaskId) {
        self.dirty.insert(Unit::Step(Step::Task(id.clone())));
        let Some(task) = self.records.tasks.get(id) else { return };
        let startable = task.manual.0.is_some() || self.gates_naming.of(id).next().is_some();
        if let Some(run) = task.run.get().filter(|_| startable) {
            self.startable.add(run.clone(), id.clone());
        }
    }

    /// Steps of a run: of its tasks that may be started by hand, and where a gate may hold back any of them, of all.
    pub(super) fn mark_steps_of(&mut self, run: &RunId) {
        let gated = self.gates_of.of(run).next().is_some();
        let tasks = if gated { self.tasks_of.of(run) } else { self.startable.of(run) };
        self.dirty.extend(tasks.cloned().map(|task| Unit::Step(Step::Task(task))));
        self.dirty.insert(Unit::Step(Step::Run(run.clone())));
    }

    /// The steps of runs on a commit depend on what is deployed of it.
    pub(super) fn mark_steps_on(&mut self, place: Place) {
        for run in self.runs_on.cloned(&place) {
            self.dirty.extend(self.gates_of.of(&run).cloned().map(Unit::Gate));
            self.mark_steps_of(&run);
        }
    }

    /// Whether a run could have been started earlier depends on the other runs on its commit, and on its merge.
    pub(super) fn mark_dispatched_on(&mut self, place: Place) {
        let dispatched = |id: &&RunId| self.records.runs.get(*id).is_some_and(|run| run.dispatched.0.is_some());
        let runs = self.runs_on.of(&place).filter(dispatched).cloned();
        self.dirty.extend(runs.map(|run| Unit::Step(Step::Run(run))));
    }

    pub(super) fn mark_step_by_hand(&mut self, id: &DeploymentId) {
        if self.records.deployments.get(id).is_some_and(Deployment::is_by_hand) {
            self.dirty.insert(Unit::Step(Step::Deployment(id.clone())));
        }
    }

    /// The row of a release, and the manual steps that tell when the release came somewhere.
    pub(super) fn touch_release(&mut self, component: Component, version: Version) {
        let release = (component, version);
        for id in self.by_release.cloned(&release) {
            self.mark_step_by_hand(&id);
        }
        let (component, version) = release;
        let named: Vec<NamedKey> = self.named_steps_of(&component, &version).cloned().collect();
        self.dirty.extend(named.into_iter().map(|key| Unit::Step(Step::Named(key))));
        self.dirty.insert(Unit::Release(component, version));
    }

    fn named_steps_of(&self, component: &Component, version: &Version) -> impl Iterator<Item = &NamedKey> {
        let from = (component.clone(), version.clone(), String::new(), Timestamp(i64::MIN));
        self.records
            .named_steps
            .range(from..)
            .map(|(key, _)| key)
            .take_while(move |(c, v, ..)| c == component && v == version)
    }
}
