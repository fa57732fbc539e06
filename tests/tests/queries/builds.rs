//! Builds.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use model::fact::FailureClass;
use serde_json::{Value, json};

use crate::figures::{groups, high, longest, median, most_first, nulls_last, percent, time, total, word};
use crate::world::World;

pub fn failures(world: &World) -> Vec<Value> {
    let ended =
        groups(world.builds().filter(|b| b.finished_at.is_some()), |b| (b.component.clone(), b.pipeline.clone()));
    let ways = groups(world.builds().filter(|b| b.class.is_some()), |b| {
        let (task, step) = (nulls_last(b.first_failed_task.clone()), nulls_last(b.first_failed_step.clone()));
        (b.component.clone(), b.pipeline.clone(), word(b.class), task, step)
    });
    let mut answer = Vec::new();
    for ((component, pipeline, class, (_, task), (_, step)), builds) in most_first(ways) {
        let all = ended[&(component.clone(), pipeline.clone())].len();
        answer.push(json!({
            "component": component, "pipeline": pipeline, "class": class, "task": task, "step": step,
            "failed_builds": builds.len(), "percent": percent(builds.len() as i64, all as i64),
            "total_duration": total(builds.iter().map(|b| b.duration)),
            "last_at": time(builds.iter().map(|b| b.at).max().unwrap()),
        }));
    }
    answer
}

pub fn flaky(world: &World) -> Vec<Value> {
    let flaky = world.failures().filter(|f| f.class == FailureClass::Flaky);
    let tasks =
        groups(flaky, |f| (f.component.clone(), f.pipeline.clone(), f.name.clone(), nulls_last(f.step.clone())));
    let mut answer = Vec::new();
    for ((component, pipeline, task, (_, step)), failures) in most_first(tasks) {
        let runs: BTreeSet<_> = failures.iter().map(|f| &f.run).collect();
        answer.push(json!({
            "component": component, "pipeline": pipeline, "task": task, "step": step,
            "flaky_failures": failures.len(), "touched_runs": runs.len(),
            "total_duration": total(failures.iter().map(|f| f.duration)),
            "last_at": time(failures.iter().map(|f| f.at).max().unwrap()),
        }));
    }
    answer
}

pub fn time_to_green(world: &World) -> Vec<Value> {
    let broken = world.builds().filter(|b| b.time_to_green.is_some());
    let branches = groups(broken, |b| (b.component.clone(), b.pipeline.clone(), nulls_last(b.ref_name.clone())));
    let mut answer = Vec::new();
    for ((component, pipeline, (_, ref_name)), builds) in most_first(branches) {
        answer.push(json!({
            "component": component, "pipeline": pipeline, "ref_name": ref_name, "breaks": builds.len(),
            "median_time_to_green": median(builds.iter().map(|b| b.time_to_green)),
            "longest_time_to_green": longest(builds.iter().map(|b| b.time_to_green)),
        }));
    }
    answer
}

pub fn queue(world: &World) -> Vec<Value> {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let hour = |at: model::Timestamp| berlin.to_datetime(jiff::Timestamp::from_millisecond(at.0).unwrap()).hour();
    let hours = groups(world.builds().filter(|b| b.finished_at.is_some() && b.queue.is_some()), |b| hour(b.at));
    let mut answer = Vec::new();
    for (hour, builds) in hours {
        let queues = || builds.iter().map(|b| b.queue);
        answer.push(json!({
            "hour": hour, "queued_builds": builds.len(), "median_queue": median(queues()), "high_queue": high(queues()),
            "longest_queue": longest(queues()),
        }));
    }
    answer
}
