//! Reasons to doubt that passing a gate meant anything.

use std::collections::BTreeSet;

use model::event::{ActorKind, GateKind, Outcome, Phase};
use model::fact::{GateOutcome, Hollow};
use model::{CommitId, Millis, RunId, TaskId, Timestamp};

use super::gates::kind;
use crate::known::{Attempt, Gate, Task};
use crate::world::{Placed, World};

/// To open what is to be approved takes longer.
const SECONDS: Millis = Millis(10_000);

/// Reasons, in the order of the table; none where it was not approved.
pub fn hollow(
    world: &World,
    gate: &Gate,
    held: Option<&Placed>,
    commit: Option<&CommitId>,
    by_author: Option<bool>,
) -> Vec<Hollow> {
    let Some(meeting) = gate.meeting().filter(|meeting| meeting.outcome == GateOutcome::Approved) else {
        return Vec::new();
    };
    let Some(at) = meeting.decided_at else { return Vec::new() };
    let kind = kind(world, gate);
    let deployed = held.and_then(|placed| placed.commit.as_ref());
    let looked_at_other =
        meeting.commit.as_ref().zip(deployed).is_some_and(|(given, deployed)| is_other(world, given, deployed));
    // A check is one of those that run side by side; a clock looks at nothing.
    let judges = !matches!(kind, GateKind::Check | GateKind::Timer);
    let took = meeting.closed_at.map(|closed| at - closed);
    let at_once = took.is_some_and(|took| Millis(0) <= took && took <= SECONDS);
    let mut reasons = Vec::new();
    if opens_by_tests(kind, &gate.name) && nothing_ran(world, gate, at) {
        reasons.push(Hollow::NoTests);
    }
    if looked_at_other {
        reasons.push(Hollow::OtherCommit);
    }
    if judges && commit.is_some_and(|commit| checks_ran(world, gate, commit, at)) {
        reasons.push(Hollow::BeforeChecks);
    }
    if by_author == Some(true) {
        reasons.push(Hollow::ByAuthor);
    }
    if at_once && meeting.decided_by.kind == ActorKind::Human {
        reasons.push(Hollow::WithinSeconds);
    }
    reasons
}

/// By its kind, or, where nobody told it, by its name.
fn opens_by_tests(kind: GateKind, name: &str) -> bool {
    let name = name.to_lowercase();
    let named =
        name.split(|c: char| !c.is_alphanumeric()).any(|word| ["check", "checks", "test", "tests"].contains(&word));
    kind == GateKind::Check || kind == GateKind::Unknown && named
}

/// Tasks of a run, but those that deploy.
fn checks_of<'a>(world: &'a World, run: &'a RunId) -> Vec<&'a Task> {
    let deployments = world.deployments_of(run).map(|placed| &world.known.deployments[&placed.id]);
    let deploying: BTreeSet<&TaskId> = deployments.filter_map(|deployment| deployment.job.as_ref()).collect();
    world.tasks_by_id(run).filter(|(id, _)| !deploying.contains(id)).map(|(_, task)| task).collect()
}

/// Something of the gate's run had ended by then, all of it was left out or stopped, and nothing was under way.
fn nothing_ran(world: &World, gate: &Gate, at: Timestamp) -> bool {
    let checks: Vec<&Task> = gate.run.iter().flat_map(|run| checks_of(world, run)).collect();
    let attempts: Vec<&Attempt> = checks.iter().filter_map(|task| task.attempts.get(&gate.attempt)).collect();
    let ended: Vec<_> = attempts.iter().filter(|attempt| attempt.ended_at().is_some_and(|end| end <= at)).collect();
    let ran =
        |attempt: &Attempt| !matches!(attempt.outcome, Some(Outcome::Skipped | Outcome::Cancelled | Outcome::Neutral));
    !ended.is_empty()
        && !ended.iter().any(|attempt| ran(attempt))
        && !attempts.iter().any(|attempt| is_under_way(attempt, attempt.started_at, at))
}

/// Begun before an instant and not ended by then, as far as is known.
fn is_under_way(attempt: &Attempt, begun: Option<Timestamp>, at: Timestamp) -> bool {
    let ended = attempt.phase == Phase::Superseded || attempt.ended_at().is_some_and(|end| end <= at);
    begun.is_some_and(|begun| begun < at) && !ended
}

/// Another commit was looked at than was deployed; the last commit of a change stands for the one that merged it.
fn is_other(world: &World, given: &CommitId, deployed: &CommitId) -> bool {
    let Some(looked_at) = world.resolve(given) else { return false };
    let stands_for = world.brought_by(deployed).is_some_and(|(_, change)| {
        let merge = change.merged.as_ref().and_then(|(_, merge)| merge.as_ref());
        merge == Some(deployed) && change.head.as_ref() == Some(&looked_at)
    });
    looked_at != *deployed && !stands_for
}

/// A check of the commit was under way. The run that the gate held back counts by its tasks alone; a run that deploys, and tells of
/// no task, may be doing just that.
fn checks_ran(world: &World, gate: &Gate, commit: &CommitId, at: Timestamp) -> bool {
    let is_on =
        |given: &Option<CommitId>| given.as_ref().and_then(|given| world.resolve(given)).as_ref() == Some(commit);
    let under_way = |attempt: &Attempt| is_under_way(attempt, attempt.started_at, at);
    let of_run = |id: &RunId| {
        if world.tasks_of(id).next().is_some() {
            return checks_of(world, id).iter().any(|task| task.attempts.values().any(under_way));
        }
        let by_itself = gate.run.as_ref() != Some(id) && world.deployments_of(id).next().is_none();
        by_itself && world.known.runs.get(id).is_some_and(|run| run.attempts.values().any(under_way))
    };
    let on_commit = world.known.runs.iter().filter(|(_, run)| is_on(&run.commit)).map(|(id, _)| id);
    let loose = world.known.tasks.values().filter(|task| task.run.is_none() && is_on(&task.commit));
    let begun = |task: &Task, attempt: &Attempt| attempt.started_at.or(attempt.queued_at).or(task.created_at);
    on_commit.chain(&gate.run).any(of_run)
        || loose.into_iter().any(|task| task.attempts.values().any(|a| is_under_way(a, begun(task, a), at)))
}
