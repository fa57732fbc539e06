//! Rows of `build_failures`, and why a build did not pass.

use model::event::Outcome;
use model::fact::{BuildFact, BuildFailureFact, FailureClass};
use model::{Millis, RunId, TaskId, Timestamp};

use crate::known::{Attempt, Run, Task, is_failure};
use crate::world::{World, ready_at};

/// Why something did not pass, by its outcome alone.
pub const fn class_of(outcome: Outcome) -> Option<FailureClass> {
    match outcome {
        Outcome::Failure => Some(FailureClass::Failure),
        Outcome::Error => Some(FailureClass::Error),
        Outcome::Timeout => Some(FailureClass::Timeout),
        Outcome::Cancelled => Some(FailureClass::Cancelled),
        _ => None,
    }
}

/// What did not pass in a run: its tasks, and those of its attempts of which no task tells why.
pub fn of_run(world: &World, id: &RunId, run: &Run, builds: &[BuildFact]) -> Vec<BuildFailureFact> {
    let Some(build) = builds.first() else { return Vec::new() };
    let common = BuildFailureFact {
        realm: world.realm.clone(),
        component: build.component.clone(),
        run: id.clone(),
        pipeline: run.pipeline.clone(),
        commit: world.commit_of_run(run),
        ref_name: run.ref_name.clone(),
        ..BuildFailureFact::default()
    };
    let mut rows = Vec::new();
    for (task_id, task) in world.tasks_by_id(id) {
        for (number, attempt) in &task.attempts {
            rows.extend(of_task(world, &common, (task_id, task), (*number, attempt)));
        }
    }
    rows.extend(builds.iter().filter_map(|build| of_attempt(world, &common, build)));
    rows
}

fn of_task(
    world: &World,
    common: &BuildFailureFact,
    (id, task): (&TaskId, &Task),
    (number, attempt): (i32, &Attempt),
) -> Option<BuildFailureFact> {
    let (outcome, at) = attempt.end()?;
    let class = class_of(outcome)?;
    // Only a verdict can be flaky.
    let passed = world.task_passed_from(&common.run, &task.name, at).filter(|_| class == FailureClass::Failure);
    let is_first = task.attempts.keys().min() == Some(&number);
    let queued_at = attempt.queued_at.or(task.created_at.filter(|_| is_first));
    let held = world.held(&common.run);
    let queue = |(queued, started): (Timestamp, Timestamp)| (started - ready_at(queued, started, &held)).max(Millis(0));
    Some(BuildFailureFact {
        attempt: number,
        task: id.clone(),
        at,
        name: task.name.clone(),
        step: attempt.failed_step.clone(),
        class: if passed.is_some() { FailureClass::Flaky } else { class },
        allowed_to_fail: task.allowed_to_fail,
        ref_name: common.ref_name.clone().or_else(|| task.ref_name.clone()),
        runner_group: attempt.runner_group.clone(),
        queue: queued_at.zip(attempt.started_at).map(queue),
        duration: attempt.started_at.map(|started| (at - started).max(Millis(0))),
        passed_attempt: passed
            .filter(|(_, by, _)| world.known.tasks[*by].run.as_ref() == Some(&common.run))
            .map(|(.., attempt)| attempt),
        link: task.url.clone(),
        ..common.clone()
    })
}

fn of_attempt(world: &World, common: &BuildFailureFact, build: &BuildFact) -> Option<BuildFailureFact> {
    let (class, outcome, at) = (build.class?, build.outcome?, build.finished_at?);
    let decisive = world.tasks_of(&build.run).filter(|task| !task.allowed_to_fail);
    let mut ends = decisive.filter_map(|task| task.attempts.get(&build.attempt)?.end());
    // One that was cancelled tells only why a run was.
    if ends.any(|(of, _)| is_failure(of) || of == Outcome::Cancelled && outcome == Outcome::Cancelled) {
        return None;
    }
    let passed = world.run_passed_from(&build.run, at).filter(|_| class == FailureClass::Flaky);
    Some(BuildFailureFact {
        attempt: build.attempt,
        at,
        class,
        queue: build.queue,
        duration: build.duration,
        passed_attempt: passed.filter(|(_, by, _)| **by == build.run).map(|(.., attempt)| attempt),
        link: build.link.clone(),
        ..common.clone()
    })
}
