//! Rows of `builds`: one for each attempt of a run.

use model::event::Phase;
use model::fact::{BuildFact, Fact};
use model::{Millis, RunId};

use super::count;
use crate::known::{Attempt, Run, Task, is_failure};
use crate::world::World;

pub fn rows(world: &World) -> Vec<Fact> {
    let attempts =
        world.known.runs.iter().flat_map(|(id, run)| run.attempts.keys().map(move |number| (id, run, *number)));
    attempts.filter_map(|(id, run, number)| row(world, id, run, number)).map(Fact::from).collect()
}

fn row(world: &World, id: &RunId, run: &Run, number: i32) -> Option<BuildFact> {
    let attempt = &run.attempts[&number];
    let tasks: Vec<(&Task, &Attempt)> =
        world.tasks_of(id).filter_map(|task| Some((task, task.attempts.get(&number)?))).collect();
    let failed: Vec<_> = tasks.iter().filter(|(_, a)| a.outcome.is_some_and(is_failure)).collect();
    let first_failed = failed.iter().min_by_key(|(task, a)| (a.finished_at, &task.name));
    let started_at = tasks.iter().filter_map(|(_, a)| a.started_at).min().or(attempt.started_at);
    let created_at = if number == 1 { run.created_at } else { None };
    let queued_at = attempt.queued_at.or(created_at).or(attempt.started_at);
    let ended = attempt.phase == Phase::Finished;
    let finished_at = attempt.finished_at.filter(|_| ended);
    let never_negative = |span: Millis| span.max(Millis(0));
    Some(BuildFact {
        realm: world.realm.clone(),
        component: world.owner_of_run(id)?,
        run: id.clone(),
        attempt: number,
        at: run.created_at.unwrap_or(run.seen_at),
        pipeline: run.pipeline.clone(),
        commit: run.commit.as_ref().map(|given| world.resolve(given).unwrap_or_else(|| given.clone())),
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
        link: run.url.clone(),
        ..BuildFact::default()
    })
}
