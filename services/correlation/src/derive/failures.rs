//! Rows of `build_failures`, and why a build or a task did not pass.
//!
//! The outcome says whose fault it was; what a provider calls it has been read into the outcome by its adapter. Only a verdict can be
//! flaky: a `failure` that did not come again when the same thing was tried again. A timeout, an error of the platform and a
//! cancellation are no verdict on the change, so they stay what they are whatever follows.

use model::event::Outcome;
use model::fact::{BuildFact, BuildFailureFact, FailureClass};
use model::{Component, Millis, Realm, RunId, TaskId, Timestamp};

use super::spans::ready_at;
use crate::entity::{Attempt, Run, Task};
use crate::observe::is_failure;
use crate::state::State;

/// Why something did not pass, by its outcome alone; none where it passed, was not run or ended without a verdict.
const fn class_of(outcome: Outcome) -> Option<FailureClass> {
    match outcome {
        Outcome::Failure => Some(FailureClass::Failure),
        Outcome::Error => Some(FailureClass::Error),
        Outcome::Timeout => Some(FailureClass::Timeout),
        Outcome::Cancelled => Some(FailureClass::Cancelled),
        Outcome::Success | Outcome::Skipped | Outcome::Neutral | Outcome::ActionRequired | Outcome::Unknown => None,
    }
}

/// From when to when gates of a run were closed.
type Held = [(Timestamp, Timestamp)];

impl State {
    /// Why an attempt of a run did not pass: as `decisive`, the first of its tasks that failed it, did; else by its own outcome.
    ///
    /// Flaky where the run, or another one of its pipeline on its commit, passed later as a whole.
    pub(super) fn build_class(
        &self,
        id: &RunId,
        outcome: Outcome,
        decisive: Option<Outcome>,
        ended_at: Timestamp,
    ) -> Option<FailureClass> {
        let own = class_of(outcome)?;
        let class = decisive.and_then(class_of).unwrap_or(own);
        let passed = || self.run_passed_again(id, ended_at).is_some();
        Some(if class == FailureClass::Failure && passed() { FailureClass::Flaky } else { class })
    }

    /// What did not pass in a run, attempt by attempt: its tasks, or the attempt itself where none of them tells why.
    pub(super) fn failure_facts(
        &self,
        realm: &Realm,
        component: &Component,
        (id, run): (&RunId, &Run),
        builds: &[BuildFact],
    ) -> Vec<BuildFailureFact> {
        let common = BuildFailureFact {
            realm: realm.clone(),
            component: component.clone(),
            run: id.clone(),
            pipeline: run.pipeline.get().cloned().unwrap_or_default(),
            commit: self.commit_of_run(run),
            ref_name: run.ref_name.get().cloned(),
            ..BuildFailureFact::default()
        };
        let mut facts = Vec::new();
        let mut held = None;
        for (task_id, task) in self.tasks_by_id(id) {
            for (number, attempt) in &task.attempts {
                let Some(end) = attempt.end().filter(|(outcome, _)| class_of(*outcome).is_some()) else { continue };
                let held = held.get_or_insert_with(|| self.held(id));
                facts.extend(self.task_failure(&common, (task_id, task), (*number, attempt), end, held));
            }
        }
        for build in builds {
            let (Some(class), Some(outcome), Some(at)) = (build.class, build.outcome, build.finished_at) else {
                continue;
            };
            if !self.is_told_by_tasks(id, build.attempt, outcome) {
                facts.push(BuildFailureFact {
                    attempt: build.attempt,
                    at,
                    class,
                    queue: build.queue,
                    duration: build.duration,
                    passed_attempt: self.passed_attempt(id, class, at),
                    link: build.link.clone(),
                    ..common.clone()
                });
            }
        }
        facts
    }

    fn task_failure(
        &self,
        common: &BuildFailureFact,
        (id, task): (&TaskId, &Task),
        (number, attempt): (i32, &Attempt),
        (outcome, at): (Outcome, Timestamp),
        held: &Held,
    ) -> Option<BuildFailureFact> {
        let name = task.name.get().cloned().unwrap_or_default();
        let passed = match outcome {
            Outcome::Failure => self.task_passed_again(&common.run, &name, at),
            _ => None,
        };
        let passed_here =
            |id: &TaskId| self.records.tasks.get(id).is_some_and(|task| task.run.get() == Some(&common.run));
        let first = task.attempts.keys().next() == Some(&number);
        let queued_at = attempt.queued_at.0.or(task.created_at.0.filter(|_| first));
        Some(BuildFailureFact {
            attempt: number,
            task: id.clone(),
            at,
            name,
            step: attempt.failed_step.0.as_ref().map(|(_, name)| name.clone()),
            class: if passed.is_some() { FailureClass::Flaky } else { class_of(outcome)? },
            allowed_to_fail: task.allowed_to_fail.0,
            ref_name: common.ref_name.clone().or_else(|| task.ref_name.get().cloned()),
            runner_group: attempt.runner_group.get().cloned(),
            queue: queued_at
                .zip(attempt.started_at.0)
                .map(|(queued, started)| (started - ready_at(queued, started, held)).max(Millis(0))),
            duration: attempt.started_at.0.map(|started| (at - started).max(Millis(0))),
            passed_attempt: passed.filter(|stop| passed_here(&stop.id)).map(|stop| stop.attempt),
            link: task.url.get().cloned(),
            ..common.clone()
        })
    }

    /// Where the run itself is flaky and one of its own attempts passed: which one.
    fn passed_attempt(&self, id: &RunId, class: FailureClass, ended_at: Timestamp) -> Option<i32> {
        let passed = self.run_passed_again(id, ended_at).filter(|_| class == FailureClass::Flaky)?;
        (passed.id == *id).then_some(passed.attempt)
    }

    /// A task that is not allowed to fail tells why an attempt of its run did not pass. One that was cancelled tells only why a run was.
    fn is_told_by_tasks(&self, id: &RunId, attempt: i32, outcome: Outcome) -> bool {
        let ends =
            self.tasks_of(id).filter(|task| !task.allowed_to_fail.0).filter_map(|t| t.attempts.get(&attempt)?.end());
        let tells = |of: Outcome| is_failure(of) || (of == Outcome::Cancelled && outcome == Outcome::Cancelled);
        ends.into_iter().any(|(of, _)| tells(of))
    }

    /// When gates of a run were closed.
    fn held(&self, id: &RunId) -> Vec<(Timestamp, Timestamp)> {
        let meetings =
            self.gates_of(id).filter_map(|gate| self.records.gates.get(gate)).map(crate::entity::Gate::meeting);
        meetings.filter_map(|met| met.at().zip(met.decided_at())).collect()
    }
}
