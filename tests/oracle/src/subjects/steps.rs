//! Rows of `manual_steps`: jobs that waited for a click, runs and deployments by hand, and what people name.

use std::collections::BTreeSet;

use model::event::{ActorKind, GateKind, Tier, Trigger};
use model::fact::{Fact, GateOutcome, ManualStepFact, ManualStepKind};
use model::{CommitId, Environment, GateId, Millis, RunId, TaskId, Timestamp};

use super::gates::deployment_held;
use crate::catalog;
use crate::known::{Attempt, Gate, Run, Task};
use crate::world::{Placed, World};

pub fn rows(world: &World) -> Vec<Fact> {
    let known = &world.known;
    let mut rows: Vec<Option<ManualStepFact>> = Vec::new();
    rows.extend(known.tasks.iter().map(|(id, task)| of_job(world, id, task)));
    rows.extend(known.gates.iter().map(|(id, gate)| of_gate(world, id, gate)));
    rows.extend(known.runs.iter().map(|(id, run)| of_run(world, id, run)));
    rows.extend(world.placed.values().map(|placed| of_deployment(world, placed)));
    rows.extend(named(world).into_iter().map(Some));
    rows.into_iter().flatten().map(|row| ManualStepFact { realm: world.realm.clone(), ..row }.into()).collect()
}

/// The times of a step that was possible no later than it was done.
fn timed(world: &World, row: ManualStepFact, at: Timestamp, possible_from: Option<Timestamp>) -> ManualStepFact {
    let possible_from = possible_from.map(|from| from.min(at));
    let duration = row.finished_at.map(|end| (end - at).max(Millis(0)));
    let wait = possible_from.map(|from| at - from);
    let wait_working = possible_from.and_then(|from| world.working(&row.component, from, at));
    ManualStepFact { at, possible_from, wait, wait_working, duration, ..row }
}

fn evidence<'a>(ids: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    ids.into_iter().cloned().collect::<BTreeSet<String>>().into_iter().collect()
}

/// When a person started the job that a gate stands for.
fn clicked_at(gate: &Gate) -> Option<Timestamp> {
    let meeting = gate.meeting().filter(|_| gate.kind == GateKind::ManualJob)?;
    let started = matches!(meeting.outcome, GateOutcome::Approved | GateOutcome::Bypassed);
    meeting.decided_at.filter(|_| started && meeting.decided_by.kind == ActorKind::Human)
}

/// The task that a gate holds back, in a run that is known: the one it names, else the one of its run with its name and attempt that
/// started first.
fn task_held<'a>(world: &'a World, gate: &'a Gate) -> Option<(&'a TaskId, &'a RunId)> {
    let is_known = |run: &&RunId| world.known.runs.contains_key(*run);
    if let Some(named) = &gate.task {
        let (id, task) = world.known.tasks.get_key_value(named)?;
        return Some((id, task.run.as_ref().filter(is_known)?));
    }
    let run = gate.run.as_ref().filter(is_known)?;
    let same = world.tasks_by_id(run).filter(|(_, task)| task.name == gate.name);
    let tried = same.filter_map(|(id, task)| Some((id, task.attempts.get(&gate.attempt)?)));
    let (id, _) = tried.min_by_key(|(id, a)| (a.started_at.is_none(), a.started_at, *id))?;
    Some((id, run))
}

/// A job that a person started: by a gate that holds it back, else because it has to be started by hand.
fn of_job(world: &World, id: &TaskId, task: &Task) -> Option<ManualStepFact> {
    let (run_id, run) = world.known.runs.get_key_value(task.run.as_ref()?)?;
    let gates = world.known.gates.values();
    let gates = gates.filter(|gate| gate.run.as_ref() == Some(run_id) || gate.task.as_ref() == Some(id));
    let at_gate = gates.filter(|gate| task_held(world, gate) == Some((id, run_id)));
    let at_gate = at_gate.filter_map(|gate| Some((clicked_at(gate)?, gate.attempt, Some(gate))));
    let by_hand = || {
        let started = task.attempts.iter().filter(|(_, attempt)| attempt.triggered_by == ActorKind::Human);
        let mut at = started.filter_map(|(n, attempt)| Some((attempt.queued_at.or(attempt.started_at)?, *n, None)));
        task.manual.as_ref().and_then(|_| at.next())
    };
    let (at, attempt, gate) = at_gate.min_by_key(|(at, attempt, _)| (*at, *attempt)).or_else(by_hand)?;
    let row = ManualStepFact {
        component: world.owner_of_run(run_id)?,
        step: id.as_str().to_owned(),
        kind: ManualStepKind::ManualJob,
        name: task.name.clone(),
        finished_at: task.attempts.get(&attempt).and_then(Attempt::end).map(|(_, at)| at),
        evidence: evidence(gate.into_iter().flat_map(|gate| &gate.evidence).chain(&task.manual)),
        link: task.url.clone().or_else(|| run.url.clone()),
        ..in_run(world, run_id, run, Some(id), task.environment.as_ref())
    };
    Some(timed(world, row, at, possible_from(world, run_id, at, attempt, Some((id, task)))))
}

/// A job that a person started, of which only the gate is known.
fn of_gate(world: &World, id: &GateId, gate: &Gate) -> Option<ManualStepFact> {
    let at = clicked_at(gate).filter(|_| task_held(world, gate).is_none())?;
    let held = deployment_held(world, gate);
    let run = gate.run.as_ref().and_then(|run| world.known.runs.get_key_value(run));
    let inside = run.map(|(id, run)| in_run(world, id, run, None, gate.environment.as_ref())).unwrap_or_default();
    let owner = || catalog::owner(&world.known.catalog, gate.repository.as_ref(), gate.service.as_deref());
    let of_run = || world.owner_of_run(run?.0);
    let row = ManualStepFact {
        component: held.map(|placed| placed.component.clone()).or_else(of_run).or_else(owner)?,
        step: id.as_str().to_owned(),
        kind: ManualStepKind::ManualJob,
        name: gate.name.clone(),
        version: held.and_then(|placed| placed.version.clone()).or(inside.version.clone()),
        environment: gate.environment.as_ref().map(|e| catalog::environment(&world.known.catalog, e, None).0),
        run: gate.run.clone(),
        evidence: evidence(&gate.evidence),
        link: gate.url.clone(),
        ..inside
    };
    let from = match run {
        Some((id, _)) => possible_from(world, id, at, gate.attempt, None),
        None => gate.meeting().and_then(|meeting| meeting.requested_at),
    };
    Some(timed(world, row, at, from))
}

/// A run that a person started, if for a release: it deployed something, or ran on a commit that was deployed.
fn of_run(world: &World, id: &RunId, run: &Run) -> Option<ManualStepFact> {
    let told = run.dispatched.as_ref().filter(|_| run.trigger == Trigger::Manual)?;
    let first = run.attempts.values().next().filter(|attempt| attempt.triggered_by == ActorKind::Human)?;
    let commit = run.commit.as_ref().and_then(|given| world.resolve(given));
    let counts = |placed: &Placed| !world.known.deployments[&placed.id].is_no_delivery;
    let mut deployed = world.placed.values().filter(|placed| commit.is_some() && placed.commit == commit);
    if !deployed.any(counts) && !made_by(world, id) {
        return None;
    }
    let at = run.created_at.or(first.queued_at).or(first.started_at).unwrap_or(run.seen_at);
    let passed = || last_success_on(world, commit.as_ref()?, at, Some(id));
    let merged = || world.way(commit.as_ref()?).merged_at;
    let row = ManualStepFact {
        component: world.owner_of_run(id)?,
        step: id.as_str().to_owned(),
        kind: ManualStepKind::DispatchedRun,
        name: run.pipeline.clone(),
        finished_at: first.end().map(|(_, at)| at),
        evidence: evidence([told]),
        link: run.url.clone(),
        ..in_run(world, id, run, None, None)
    };
    Some(timed(world, row, at, passed().or_else(merged)))
}

fn made_by(world: &World, run: &RunId) -> bool {
    world.known.deployments.values().any(|deployment| deployment.run.as_ref() == Some(run))
}

/// A deployment that a person made outside any run.
fn of_deployment(world: &World, placed: &Placed) -> Option<ManualStepFact> {
    let deployment = world.known.deployments.get(&placed.id).filter(|d| d.is_by_hand() && d.marked_for.is_none())?;
    let at = deployment.created_at.or(deployment.started_at).or(deployment.first_sign())?;
    let row = ManualStepFact {
        component: placed.component.clone(),
        step: placed.id.as_str().to_owned(),
        kind: ManualStepKind::Deployment,
        name: placed.environment.as_str().to_owned(),
        version: placed.version.clone(),
        commit: placed.commit.clone(),
        environment: Some(placed.environment.clone()),
        finished_at: placed.ending.end.map(|(_, at)| at),
        evidence: evidence(&deployment.evidence),
        link: deployment.url.clone(),
        ..ManualStepFact::default()
    };
    let passed = || last_success_on(world, placed.commit.as_ref()?, at, None);
    Some(timed(world, row, at, handed_over_at(world, placed, at).or_else(passed)))
}

/// What people say happened.
fn named(world: &World) -> Vec<ManualStepFact> {
    let of = |((component, version, name, at), step): (&crate::known::NamedKey, &crate::known::NamedStep)| {
        let row = ManualStepFact {
            component: component.clone(),
            step: step.evidence.first()?.clone(),
            kind: ManualStepKind::Named,
            name: name.clone(),
            version: Some(version.clone()),
            commit: world.deployments_as(component, version).iter().find_map(|placed| placed.commit.clone()),
            finished_at: step.finished_at,
            evidence: evidence(&step.evidence),
            ..ManualStepFact::default()
        };
        Some(timed(world, row, *at, None))
    };
    world.known.named_steps.iter().filter_map(of).collect()
}

/// What a step in a run was for: the deployment that its task made, else the one to its environment; without either, any. The
/// version is that of any deployment of the run, else of any of its commit.
fn in_run(
    world: &World,
    id: &RunId,
    run: &Run,
    task: Option<&TaskId>,
    environment: Option<&Environment>,
) -> ManualStepFact {
    let environment = environment.map(|given| catalog::environment(&world.known.catalog, given, None).0);
    let made: Vec<&Placed> = world.deployments_of(id).collect();
    let by_task = made.iter().find(|p| task.is_some() && world.known.deployments[&p.id].job.as_ref() == task);
    let there = made.iter().find(|placed| Some(&placed.environment) == environment.as_ref());
    let any = made.first().filter(|_| task.is_none() && environment.is_none());
    let aimed = by_task.or(there).or(any);
    let of_commit = || {
        let (component, commit) = (world.owner_of_run(id)?, world.resolve(run.commit.as_ref()?)?);
        let same = |placed: &&Placed| placed.component == component && placed.commit.as_ref() == Some(&commit);
        world.placed.values().filter(same).find_map(|placed| placed.version.clone())
    };
    ManualStepFact {
        version: aimed.into_iter().chain(&made).find_map(|placed| placed.version.clone()).or_else(of_commit),
        environment: environment.or_else(|| aimed.map(|placed| placed.environment.clone())),
        commit: world.commit_of_run(run),
        run: Some(id.clone()),
        ..ManualStepFact::default()
    }
}

/// What the job needs had ended, else what else of the run ended before the click; with nothing before it, the attempt had started.
fn possible_from(
    world: &World,
    id: &RunId,
    click: Timestamp,
    attempt: i32,
    job: Option<(&TaskId, &Task)>,
) -> Option<Timestamp> {
    let others = || world.tasks_by_id(id).filter(|(other, _)| job.is_none_or(|(own, _)| own != *other)).map(|(_, t)| t);
    let last = |needed: &dyn Fn(&Task) -> bool| {
        let attempts = others().filter(|task| needed(task)).flat_map(|task| task.attempts.values());
        attempts.filter_map(Attempt::end).map(|(_, at)| at).filter(|at| *at <= click).max()
    };
    let run = world.known.runs.get(id)?;
    let started = || run.attempts.get(&attempt).and_then(|attempt| attempt.started_at).or(run.created_at);
    let needs = |task: &Task| job.is_some_and(|(_, job)| job.needs.contains(&task.name));
    last(&needs).or_else(|| last(&|_| true)).or_else(started)
}

/// The last success of a run on a commit, up to an instant.
fn last_success_on(world: &World, commit: &CommitId, until: Timestamp, except: Option<&RunId>) -> Option<Timestamp> {
    let on = |run: &Run| run.commit.as_ref().and_then(|given| world.resolve(given)).as_ref() == Some(commit);
    let runs = world.known.runs.iter().filter(|(id, run)| Some(*id) != except && on(run));
    runs.flat_map(|(_, run)| run.attempts.values()).filter_map(Attempt::passed_at).filter(|at| *at <= until).max()
}

/// When the release had last come to another environment, up to an instant. To production it comes last.
fn handed_over_at(world: &World, placed: &Placed, until: Timestamp) -> Option<Timestamp> {
    let others = world.deployments_as(&placed.component, placed.version.as_ref()?).into_iter();
    let others = others.filter(|other| other.environment != placed.environment);
    let earlier = others.filter(|other| placed.tier == Tier::Production || other.tier != Tier::Production);
    earlier.filter_map(|other| other.succeeded_at).filter(|at| *at <= until).max()
}
