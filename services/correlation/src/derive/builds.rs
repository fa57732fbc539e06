//! Rows of `builds`: one for each attempt of a run.

use model::event::{Outcome, Phase};
use model::fact::{BuildFact, Fact};
use model::{CommitId, Component, Realm, RunId, Timestamp};

use super::deployments::count;
use crate::entity::{Attempt, Run, Task};
use crate::observe::is_failure;
use crate::state::State;

impl State {
    /// Rows of a run: its attempts, and what did not pass in them.
    pub(super) fn run_facts(&self, realm: &Realm, id: &RunId) -> Vec<Fact> {
        let Some(run) = self.records.runs.get(id) else { return Vec::new() };
        let Some(component) = self.owner_of_run(id, run) else { return Vec::new() };
        let builds = self.build_facts(realm, &component, id, run);
        let failures = self.failure_facts(realm, &component, (id, run), &builds);
        builds.into_iter().map(Fact::from).chain(failures.into_iter().map(Fact::from)).collect()
    }

    /// The attempts of a run alone.
    pub(super) fn attempt_facts(&self, realm: &Realm, id: &RunId) -> Vec<Fact> {
        let Some(run) = self.records.runs.get(id) else { return Vec::new() };
        let Some(component) = self.owner_of_run(id, run) else { return Vec::new() };
        self.build_facts(realm, &component, id, run).into_iter().map(Fact::from).collect()
    }

    fn build_facts(&self, realm: &Realm, component: &Component, id: &RunId, run: &Run) -> Vec<BuildFact> {
        let attempts = run.attempts.iter();
        attempts.filter_map(|(number, attempt)| self.build_fact(realm, component, id, run, *number, attempt)).collect()
    }

    /// The component that a run works for: that of what it deployed, else that of its repository.
    pub(super) fn owner_of_run(&self, id: &RunId, run: &Run) -> Option<Component> {
        let deployed = self.deployments_of(id).filter_map(|d| self.placed.get(d)).map(|placed| &placed.component).min();
        deployed.cloned().or_else(|| self.rules.owner(Some(run.repository.get()?), None))
    }

    /// The commit that a run worked on: in full where it can be resolved, else as given.
    pub(super) fn commit_of_run(&self, run: &Run) -> Option<CommitId> {
        let found = self.find(run.commit.get()).map(|place| self.records.graph.id(place));
        found.or_else(|| run.commit.get().cloned())
    }

    fn build_fact(
        &self,
        realm: &Realm,
        component: &Component,
        id: &RunId,
        run: &Run,
        number: i32,
        attempt: &Attempt,
    ) -> Option<BuildFact> {
        let tasks: Vec<(&Task, &Attempt)> =
            self.tasks_of(id).filter_map(|task| Some((task, task.attempts.get(&number)?))).collect();
        let failed: Vec<&(&Task, &Attempt)> =
            tasks.iter().filter(|(_, a)| a.outcome().is_some_and(is_failure)).collect();
        // What is allowed to fail does not tell why the run failed.
        let order =
            |(task, a): &&&(&Task, &Attempt)| (task.allowed_to_fail.0, a.finished_at(), task.name.get().cloned());
        let first_failed = failed.iter().min_by_key(order);
        let decisive = first_failed.filter(|(task, _)| !task.allowed_to_fail.0).and_then(|(_, a)| a.outcome());
        let started_at = tasks.iter().filter_map(|(_, a)| a.started_at.0).min().or(attempt.started_at.0);
        let queued_at = attempt.queued_at.0.or(run.created_at.0.filter(|_| number == 1)).or(attempt.started_at.0);
        let (phase, outcome, finished_at) = ending(attempt);
        let green_at = self.green_at(id, number);
        Some(BuildFact {
            realm: realm.clone(),
            component: component.clone(),
            run: id.clone(),
            attempt: number,
            at: run.created_at.0.or(run.seen_at.0)?,
            pipeline: run.pipeline.get().cloned().unwrap_or_default(),
            commit: self.commit_of_run(run),
            ref_name: run.ref_name.get().cloned(),
            phase,
            outcome,
            trigger: run.trigger.get().copied().unwrap_or_default(),
            triggered_by: attempt.triggered_by.0.unwrap_or_default(),
            created_at: run.created_at.0,
            queued_at,
            started_at,
            finished_at,
            queue: started_at.zip(queued_at).map(|(started, queued)| (started - queued).max(model::Millis(0))),
            duration: finished_at.zip(started_at).map(|(finished, started)| (finished - started).max(model::Millis(0))),
            tasks: count(tasks.len()),
            failed_tasks: count(failed.len()),
            first_failed_task: first_failed.and_then(|(task, _)| task.name.get().cloned()),
            first_failed_step: first_failed.and_then(|(_, a)| a.failed_step.0.as_ref()).map(|(_, name)| name.clone()),
            class: outcome.zip(finished_at).and_then(|(outcome, at)| self.build_class(id, outcome, decisive, at)),
            green_at,
            time_to_green: green_at.zip(finished_at).map(|(green, failed)| green - failed),
            link: run.url.get().cloned(),
            ..BuildFact::default()
        })
    }
}

fn ending(attempt: &Attempt) -> (Phase, Option<Outcome>, Option<Timestamp>) {
    let phase = attempt.phase();
    if phase == Phase::Finished { (phase, attempt.outcome(), attempt.finished_at()) } else { (phase, None, None) }
}
