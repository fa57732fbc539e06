//! Rows of `builds`: one for each attempt of a run.

use model::event::Phase;
use model::fact::{BuildFact, Fact, FailureClass};
use model::{Millis, RunId};

use super::count;
use super::failures::{class_of, of_run};
use crate::known::{Attempt, Run, Task, is_failure};
use crate::world::World;

pub fn rows(world: &World) -> Vec<Fact> {
    let mut rows = Vec::new();
    for (id, run) in &world.known.runs {
        let builds: Vec<BuildFact> = run.attempts.keys().filter_map(|number| row(world, id, run, *number)).collect();
        rows.extend(of_run(world, id, run, &builds).into_iter().map(Fact::from));
        rows.extend(builds.into_iter().map(Fact::from));
    }
    rows
}

fn row(world: &World, id: &RunId, run: &Run, number: i32) -> Option<BuildFact> {
    let attempt = &run.attempts[&number];
    let tasks: Vec<(&Task, &Attempt)> =
        world.tasks_of(id).filter_map(|task| Some((task, task.attempts.get(&number)?))).collect();
    let failed: Vec<_> = tasks.iter().filter(|(_, a)| a.outcome.is_some_and(is_failure)).collect();
    // What is allowed to fail does not tell why the run failed.
    let first_failed = failed.iter().min_by_key(|(task, a)| (task.allowed_to_fail, a.finished_at, &task.name));
    let decisive = first_failed.filter(|(task, _)| !task.allowed_to_fail).and_then(|(_, a)| a.outcome);
    let started_at = tasks.iter().filter_map(|(_, a)| a.started_at).min().or(attempt.started_at);
    let created_at = if number == 1 { run.created_at } else { None };
    let queued_at = attempt.queued_at.or(created_at).or(attempt.started_at);
    let ended = attempt.phase == Phase::Finished;
    let finished_at = attempt.finished_at.filter(|_| ended);
    let class = || {
        let (outcome, at) = attempt.end()?;
        let own = class_of(outcome)?;
        let class = decisive.and_then(class_of).unwrap_or(own);
        let is_flaky = class == FailureClass::Failure && world.run_passed_from(id, at).is_some();
        Some(if is_flaky { FailureClass::Flaky } else { class })
    };
    let green_at = world.green_at(id, number);
    let never_negative = |span: Millis| span.max(Millis(0));
    Some(BuildFact {
        realm: world.realm.clone(),
        component: world.owner_of_run(id)?,
        run: id.clone(),
        attempt: number,
        at: run.created_at.unwrap_or(run.seen_at),
        pipeline: run.pipeline.clone(),
        commit: world.commit_of_run(run),
        ref_name: run.ref_name.clone(),
        phase: attempt.phase,
        outcome: attempt.outcome.filter(|_| ended),
        trigger: run.trigger,
        triggered_by: attempt.triggered_by,
        created_at: run.created_at,
        queued_at,
        started_at,
        finished_at,
        queue: started_at.zip(queued_at).map(|(started, queued)| never_negative(started - queued)),
        duration: finished_at.zip(started_at).map(|(finished, started)| never_negative(finished - started)),
        tasks: count(tasks.len()),
        failed_tasks: count(failed.len()),
        first_failed_task: first_failed.map(|(task, _)| task.name.clone()),
        first_failed_step: first_failed.and_then(|(_, a)| a.failed_step.clone()),
        class: class(),
        green_at,
        time_to_green: green_at.zip(finished_at).map(|(green, failed)| green - failed),
        link: run.url.clone(),
        ..BuildFact::default()
    })
}
