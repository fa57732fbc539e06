//! Rows of `builds`: one for each attempt of a run.

use model::event::{Outcome, Phase};
use model::fact::BuildFact;
use model::{Component, Realm, RunId, Timestamp};

use super::deployments::count;
use crate::entity::{Attempt, Run, Task};
use crate::observe::is_failure;
use crate::state::State;

impl State {
    pub(super) fn build_facts(&self, realm: &Realm, id: &RunId) -> Vec<BuildFact> {
        let Some(run) = self.records.runs.get(id) else { return Vec::new() };
        let Some(component) = self.owner_of_run(id, run) else { return Vec::new() };
        run.attempts
            .iter()
            .filter_map(|(number, attempt)| self.build_fact(realm, &component, id, run, *number, attempt))
            .collect()
    }

    /// The component that a run works for: that of what it deployed, else that of its repository.
    pub(super) fn owner_of_run(&self, id: &RunId, run: &Run) -> Option<Component> {
        let deployed = self.deployments_of(id).filter_map(|d| self.placed.get(d)).map(|placed| &placed.component).min();
        deployed.cloned().or_else(|| self.rules.owner(Some(run.repository.get()?), None))
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
        let first_failed = failed.iter().min_by_key(|(task, a)| (a.finished_at(), task.name.get()));
        let started_at = tasks.iter().filter_map(|(_, a)| a.started_at.0).min().or(attempt.started_at.0);
        let queued_at = attempt.queued_at.0.or(run.created_at.0.filter(|_| number == 1)).or(attempt.started_at.0);
        let (phase, outcome, finished_at) = ending(attempt);
        Some(BuildFact {
            realm: realm.clone(),
            component: component.clone(),
            run: id.clone(),
            attempt: number,
            at: run.created_at.0.or(run.seen_at.0)?,
            pipeline: run.pipeline.get().cloned().unwrap_or_default(),
            commit: self
                .find(run.commit.get())
                .map(|p| self.records.graph.id(p))
                .or_else(|| run.commit.get().cloned()),
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
            link: run.url.get().cloned(),
            ..BuildFact::default()
        })
    }
}

fn ending(attempt: &Attempt) -> (Phase, Option<Outcome>, Option<Timestamp>) {
    let phase = attempt.phase();
    if phase == Phase::Finished { (phase, attempt.outcome(), attempt.finished_at()) } else { (phase, None, None) }
}
