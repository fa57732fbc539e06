//! Rows of `gate_waits`.

use model::event::{GateKind, Phase};
use model::fact::{Fact, GateOutcome, GateWaitFact};
use model::{CommitId, Component, Environment, GateId, IncidentId, Millis, Timestamp, Version};

use super::count;
use super::hollow::hollow;
use crate::catalog;
use crate::incidents::one_with;
use crate::known::{Gate, Meeting};
use crate::look_ups::things;
use crate::world::{Placed, Scope, World};

pub fn rows(world: &World) -> Vec<Fact> {
    world.known.gates.iter().filter_map(|(id, gate)| row(world, id, gate)).map(Fact::from).collect()
}

fn row(world: &World, id: &GateId, gate: &Gate) -> Option<GateWaitFact> {
    let meeting = gate.meeting()?;
    let held = deployment_held(world, gate);
    let commit = commit_at(world, gate);
    let component = match held {
        Some(placed) => placed.component.clone(),
        None => component_at(world, gate)?,
    };
    // Where nothing was deployed, under a tag or else, the version is the commit.
    let version = match held {
        Some(placed) => placed.version.clone(),
        None => commit.as_ref().map(|id| Version::new(id.as_str())),
    };
    let shown = held.and_then(|placed| placed.commit.clone()).or(commit);
    let by_author = meeting.by_author.or_else(|| is_author(world, shown.as_ref()?, meeting.decided_by.key.as_deref()?));
    let hollow = hollow(world, gate, held, shown.as_ref(), by_author);
    let blocking_from = only_obstacle_from(world, gate, &meeting);
    let span = blocking_from.zip(meeting.decided_at);
    Some(GateWaitFact {
        realm: world.realm.clone(),
        missed: missed(world, &component, version.as_ref(), gate, meeting.outcome),
        purposes: purposes(world, &component, &gate.name),
        wait: span.map(|(from, decided)| (decided - from).max(Millis(0))),
        wait_working: span.and_then(|(from, decided)| world.working(&component, from, decided)),
        component,
        gate: id.clone(),
        at: meeting.at(),
        version,
        name: gate.name.clone(),
        kind: kind(world, gate),
        environment: environment(world, gate),
        attempt: gate.attempt,
        commit: shown,
        run: gate.run.clone(),
        requested_at: meeting.requested_at,
        blocking_from,
        decided_at: meeting.decided_at,
        outcome: meeting.outcome,
        decided_by: meeting.decided_by.kind,
        by_author,
        decided_commit: meeting.commit.map(|given| world.resolve(&given).unwrap_or(given)),
        caught: caught(world, id),
        hollow,
        delegations: count(meeting.delegations),
        approvals: count(meeting.approvals),
        required: gate.required,
        requests: count(meeting.requests),
        evidence: gate.evidence.iter().cloned().collect(),
        link: gate.url.clone(),
        ..GateWaitFact::default()
    })
}

fn environment(world: &World, gate: &Gate) -> Option<Environment> {
    gate.environment.as_ref().map(|given| catalog::environment(&world.known.catalog, given, None).0)
}

/// A gate as one meeting of its series: the same gate of the same component.
#[derive(Debug)]
struct Met {
    series: (Component, Option<Environment>, String, GateKind),
    at: Timestamp,
    decided_at: Option<Timestamp>,
    outcome: GateOutcome,
    commit: Option<CommitId>,
}

fn met(world: &World, gate: &Gate) -> Option<Met> {
    let meeting = gate.meeting()?;
    let held = deployment_held(world, gate);
    let component =
        held.map(|placed| placed.component.clone()).or_else(|| component_at(world, gate).filter(|_| held.is_none()))?;
    Some(Met {
        series: (component, environment(world, gate), gate.name.clone(), kind(world, gate)),
        at: meeting.at(),
        decided_at: meeting.decided_at,
        outcome: meeting.outcome,
        commit: held.and_then(|placed| placed.commit.clone()).or_else(|| commit_at(world, gate)),
    })
}

/// Whether a rejection caught something: a changed commit followed. Of several meetings with one commit the last one that was settled
/// counts. None while the gate is open, or where it is not known what was rejected.
fn caught(world: &World, id: &GateId) -> Option<bool> {
    let own = met(world, world.known.gates.get(id)?)?;
    match own.outcome {
        GateOutcome::Open => return None,
        GateOutcome::Rejected => {}
        _ => return Some(false),
    }
    let commit = own.commit.as_ref()?;
    let gates = world.known.gates.iter().filter_map(|(other, gate)| Some((other, met(world, gate)?)));
    let later: Vec<Met> = gates
        .filter(|(other, met)| met.series == own.series && (met.at, *other) > (own.at, id))
        .map(|(_, met)| met)
        .collect();
    let counts =
        |met: &&Met| matches!(met.outcome, GateOutcome::Approved | GateOutcome::Bypassed | GateOutcome::Rejected);
    if later.iter().filter(counts).any(|met| met.commit.as_ref() == Some(commit)) {
        return Some(false);
    }
    let made_at = |id: &CommitId| world.known.commits.get(id)?.made_at();
    let is_newer = |id: &CommitId| made_at(id).zip(made_at(commit)).is_some_and(|(other, own)| other > own);
    let decided_at = own.decided_at?;
    let there = own.series.1.clone().map(Scope::Environment);
    let line = there.and_then(|scope| world.lines.get(&(own.series.0.clone(), scope)));
    let after: Vec<_> = line.iter().flat_map(|line| &line.stops).filter(|stop| stop.order.0 > decided_at).collect();
    // It came there unchanged.
    if after.iter().any(|stop| stop.commit == *commit) {
        return Some(false);
    }
    let met_newer = later.iter().filter_map(|met| met.commit.as_ref()).any(is_newer);
    let came_along = line.and_then(|line| line.first(commit)).is_some_and(|first| first.order.0 > decided_at);
    Some(met_newer || came_along || after.iter().any(|stop| is_newer(&stop.commit)))
}

/// As events say, else as the catalog does.
pub fn kind(world: &World, gate: &Gate) -> GateKind {
    let declared = || catalog::gate(&world.known.catalog, &gate.name).and_then(|entry| entry.kind).unwrap_or_default();
    if gate.kind == GateKind::Unknown { declared() } else { gate.kind }
}

/// Incidents of a kind that it is there to catch, known to be caused by the release that it approved.
fn missed(
    world: &World,
    component: &Component,
    version: Option<&Version>,
    gate: &Gate,
    outcome: GateOutcome,
) -> Vec<IncidentId> {
    let Some(version) = version.filter(|_| outcome == GateOutcome::Approved) else { return Vec::new() };
    let (purposes, release) = (purposes(world, component, &gate.name), (component.clone(), version.clone()));
    let caused = world.incidents.iter().filter(|(_, settled)| settled.blames(&release)).map(|(id, _)| id);
    let is_meant = |id: &&IncidentId| one_with(world, id).iter().any(|i| i.kinds.iter().any(|k| purposes.contains(k)));
    caused.filter(is_meant).cloned().collect()
}

/// Kinds of incident that it is there to catch: as a team said for the component, else for all, else as the catalog says.
fn purposes(world: &World, component: &Component, name: &str) -> Vec<String> {
    let said = |of: Option<&Component>| world.known.purposes.get(&(of.cloned(), name.to_owned())).cloned();
    let declared = || catalog::gate(&world.known.catalog, name).map(|entry| entry.purposes.clone());
    said(Some(component)).or_else(|| said(None)).or_else(declared).unwrap_or_default()
}

/// Whether an account is the author of the change that brought a commit in, else of the commit; who wrote the commit of a merge
/// wrote nothing of what it brings.
fn is_author(world: &World, id: &CommitId, key: &str) -> Option<bool> {
    let changed = world.brought_by(id).and_then(|(_, change)| change.author.as_ref()?.key.clone());
    let commit = world.known.commits.get(id).filter(|commit| !commit.is_merge());
    let wrote = || commit?.authored.as_ref()?.1.key.clone();
    changed.or_else(wrote).map(|author| author == key)
}

/// The deployment that a gate held back: the one it names, else one of its run to its environment, else, where it names no run, one
/// of its commit.
pub fn deployment_held<'a>(world: &'a World, gate: &Gate) -> Option<&'a Placed> {
    if let Some(named) = gate.deployment.as_ref().and_then(|id| world.placed.get(id)) {
        return Some(named);
    }
    let environment = environment(world, gate);
    let fits = |placed: &&Placed| environment.as_ref().is_none_or(|e| placed.environment == *e);
    match (&gate.run, gate.commit.as_ref().and_then(|given| world.resolve(given))) {
        (Some(run), _) => world.deployments_of(run).find(fits),
        (None, Some(commit)) => {
            let of_commit = things(&world.look_ups.deployments_of_commit, &commit, &world.placed);
            of_commit.map(|(_, placed)| placed).find(fits)
        }
        (None, None) => None,
    }
}

/// The component of a gate that held no deployment back: what it says itself, else that of its run.
fn component_at(world: &World, gate: &Gate) -> Option<Component> {
    match (&gate.repository, &gate.service) {
        (None, None) => world.owner_of_run(gate.run.as_ref().filter(|run| world.known.runs.contains_key(*run))?),
        (repository, service) => catalog::owner(&world.known.catalog, repository.as_ref(), service.as_deref()),
    }
}

fn commit_at(world: &World, gate: &Gate) -> Option<CommitId> {
    let own = gate.commit.as_ref().and_then(|given| world.resolve(given));
    let of_run = || world.resolve(world.known.runs.get(gate.run.as_ref()?)?.commit.as_ref()?);
    own.or_else(of_run)
}

/// From when the release could have gone on but for the gate: it was asked for, and every task of its run that had begun by the
/// decision had ended. None where only the decision is known, or the gate is open and a task is under way. A task that was still
/// under way at the decision leaves the gate no wait at all.
fn only_obstacle_from(world: &World, gate: &Gate, meeting: &Meeting) -> Option<Timestamp> {
    let requested = meeting.requested_at?;
    let run = gate.run.iter();
    let attempts = run.flat_map(|run| world.tasks_of(run)).filter_map(|task| task.attempts.get(&gate.attempt));
    let mut from = vec![requested];
    for attempt in attempts {
        let Some(started) = attempt.started_at else { continue };
        let finished = attempt.finished_at.filter(|_| attempt.phase == Phase::Finished);
        match meeting.decided_at {
            Some(decided) if started < decided => from.push(finished.map_or(decided, |at| at.min(decided))),
            Some(_) => {}
            None => from.push(finished?),
        }
    }
    from.into_iter().max()
}
