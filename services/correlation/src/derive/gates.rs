//! Rows of `gate_waits`.

use std::collections::BTreeSet;

use model::event::{Actor, ActorKind, Phase};
use model::fact::{GateOutcome, GateWaitFact};
use model::{Component, DeploymentId, GateId, Millis, Realm, RunId, Timestamp, Version};

use super::deployments::{count, evidence};
use crate::entity::{Gate, GateAct};
use crate::state::{Placed, State};

/// What happened at a gate, taken in the order of the source's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meeting {
    /// When it was first asked for.
    pub requested_at: Option<Timestamp>,
    /// First sign of it.
    pub seen_at: Option<Timestamp>,
    /// When it was settled; none while it is open.
    pub decided_at: Option<Timestamp>,
    /// How it was settled.
    pub outcome: GateOutcome,
    /// Who settled it.
    pub decided_by: ActorKind,
    /// The author settled it, where told.
    pub by_author: Option<bool>,
    /// How many approved.
    pub approvals: usize,
    /// How often it was asked for.
    pub requests: usize,
}

impl Gate {
    /// What happened at it.
    pub fn meeting(&self) -> Meeting {
        let mut meeting = Meeting::default();
        let mut approvers: BTreeSet<&Actor> = BTreeSet::new();
        let mut unnamed = 0;
        for (at, act) in self.acts.keys() {
            meeting.seen_at.get_or_insert(*at);
            let settled = match act {
                GateAct::Requested | GateAct::RequestedAgain => {
                    meeting.requests += 1;
                    meeting.requested_at.get_or_insert(*at);
                    // Asked for again after an end, it is closed again, and earlier approvals are void.
                    if meeting.outcome != GateOutcome::Open {
                        (meeting.outcome, meeting.decided_at, meeting.by_author) = (GateOutcome::Open, None, None);
                        meeting.decided_by = ActorKind::Unknown;
                        (approvers, unnamed, meeting.approvals) = (BTreeSet::new(), 0, 0);
                    }
                    None
                }
                GateAct::Approved { by, last, by_author } => {
                    if by.key.is_none() {
                        unnamed += 1;
                    } else {
                        approvers.insert(by);
                    }
                    meeting.approvals = approvers.len() + unnamed;
                    let enough = self.required.get().is_none_or(|required| count(meeting.approvals) >= *required);
                    let settles = last.unwrap_or(enough);
                    settles.then_some((GateOutcome::Approved, by.kind, *by_author))
                }
                GateAct::Counted { given, required } => {
                    (given >= required).then_some((GateOutcome::Approved, ActorKind::Unknown, None))
                }
                GateAct::Rejected { by, by_author } => Some((GateOutcome::Rejected, by.kind, *by_author)),
                GateAct::Expired => Some((GateOutcome::Expired, ActorKind::Machine, None)),
                GateAct::Cancelled { by } => Some((GateOutcome::Cancelled, by.kind, None)),
                GateAct::Bypassed { by } => Some((GateOutcome::Bypassed, by.kind, None)),
            };
            // The first act that settles it counts, until it is asked for again.
            if let (Some((outcome, by, by_author)), GateOutcome::Open) = (settled, meeting.outcome) {
                (meeting.outcome, meeting.decided_at, meeting.decided_by, meeting.by_author) =
                    (outcome, Some(*at), by, by_author);
            }
        }
        meeting
    }
}

/// What a gate held back.
struct Held<'a> {
    component: Component,
    version: Option<Version>,
    placed: Option<&'a Placed>,
}

impl State {
    pub(super) fn gate_fact(&self, realm: &Realm, id: &GateId) -> Option<GateWaitFact> {
        let gate = self.records.gates.get(id)?;
        let held = self.held_by(gate)?;
        let meeting = gate.meeting();
        let blocking_from = self.only_obstacle_from(gate, &meeting);
        let environment = gate.environment.get().map(|e| self.rules.environment(e, None).0);
        let commit = held.placed.and_then(|p| p.head).or_else(|| self.commit_at(gate));
        Some(GateWaitFact {
            realm: realm.clone(),
            component: held.component,
            gate: id.clone(),
            at: meeting.requested_at.or(meeting.seen_at)?,
            version: held.version,
            name: gate.name.get().cloned().unwrap_or_default(),
            kind: gate.kind.0.unwrap_or_default(),
            environment,
            attempt: gate.attempt.0.unwrap_or(1),
            commit: commit.map(|place| self.records.graph.node(place).id.clone()),
            run: gate.run.get().cloned(),
            requested_at: meeting.requested_at,
            blocking_from,
            decided_at: meeting.decided_at,
            wait: meeting.decided_at.zip(blocking_from).map(|(decided, from)| (decided - from).max(Millis(0))),
            outcome: meeting.outcome,
            decided_by: meeting.decided_by,
            by_author: meeting.by_author,
            approvals: count(meeting.approvals),
            required: gate.required.get().copied(),
            requests: count(meeting.requests),
            evidence: evidence(gate.acts.values().filter_map(|id| id.0.as_ref())),
            link: gate.url.get().cloned(),
            ..GateWaitFact::default()
        })
    }

    /// The deployment that a gate held back: the one it names, else one of its run to its environment, else one of its commit.
    pub(super) fn deployment_held(&self, gate: &Gate) -> Option<(&DeploymentId, &Placed)> {
        if let Some(found) = gate.deployment.get().and_then(|id| self.placed.get_key_value(id)) {
            return Some(found);
        }
        let environment = gate.environment.get().map(|e| self.rules.environment(e, None).0);
        let fits = |id: &&DeploymentId| {
            self.placed.get(*id).is_some_and(|placed| environment.as_ref().is_none_or(|e| placed.environment == *e))
        };
        let of_run = gate.run.get().and_then(|run| self.deployments_of(run).find(fits));
        let of_commit = || match gate.run.get() {
            Some(_) => None,
            None => self.by_head.of(&self.find(gate.commit.get())?).find(fits),
        };
        self.placed.get_key_value(of_run.or_else(of_commit)?)
    }

    fn held_by(&self, gate: &Gate) -> Option<Held<'_>> {
        if let Some((_, placed)) = self.deployment_held(gate) {
            return Some(Held {
                component: placed.component.clone(),
                version: placed.version.clone(),
                placed: Some(placed),
            });
        }
        let run = gate.run.get().and_then(|id| self.records.runs.get_key_value(id));
        let service = gate.service.get().map(String::as_str);
        let component = match (gate.repository.get(), service, run) {
            (None, None, Some((id, run))) => self.owner_of_run(id, run)?,
            (repository, service, _) => self.rules.owner(repository, service)?,
        };
        // Nothing was deployed under a tag: the version is the commit.
        let version = self.commit_at(gate).map(|place| Version::new(self.records.graph.node(place).id.as_str()));
        Some(Held { component, version, placed: None })
    }

    fn commit_at(&self, gate: &Gate) -> Option<crate::graph::Place> {
        let of_run = || self.records.runs.get(gate.run.get()?).and_then(|run| self.find(run.commit.get()));
        self.find(gate.commit.get()).or_else(of_run)
    }

    /// From when the release could have gone on but for the gate: it was asked for, and nothing else of its run was still to end.
    ///
    /// None while something else is under way, or where only the decision is known. Where something else ended after the decision,
    /// the gate never was the only obstacle and the wait is none: it starts at the decision.
    fn only_obstacle_from(&self, gate: &Gate, meeting: &Meeting) -> Option<Timestamp> {
        let requested = meeting.requested_at?;
        let Some(run) = gate.run.get() else { return Some(requested) };
        let attempt = gate.attempt.0.unwrap_or(1);
        let mut from = requested;
        for (started, finished) in self.task_times(run, attempt) {
            match (meeting.decided_at, finished) {
                (Some(decided), _) if started >= decided => {}
                (Some(decided), None) => from = from.max(decided),
                (Some(decided), Some(finished)) => from = from.max(finished.min(decided)),
                (None, Some(finished)) => from = from.max(finished),
                (None, None) => return None,
            }
        }
        Some(from)
    }

    /// When the tasks of a run's attempt started and ended.
    fn task_times(&self, run: &RunId, attempt: i32) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
        let attempts = self.tasks_of(run).filter_map(move |t| t.attempts.get(&attempt));
        attempts.filter_map(|a| Some((a.started_at.0?, a.finished_at().filter(|_| a.phase() == Phase::Finished))))
    }
}
