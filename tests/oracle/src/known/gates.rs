//! Gates, and what happened at each.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{self, Actor, ActorKind, ApprovalBody, Body, Decision, Event, GateKind, References};
use model::fact::GateOutcome;
use model::{CommitId, DeploymentId, Environment, GateId, Repository, RunId, TaskId, Timestamp};

use super::{approval, group, latest};

/// Something that happened. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Requested,
    RequestedAgain,
    Approved { by: Actor, settles: Option<bool>, by_author: Option<bool>, commit: Option<CommitId> },
    Rejected { by: Actor, by_author: Option<bool>, commit: Option<CommitId> },
    Counted { given: i32, required: i32 },
    Expired,
    Cancelled { by: Actor },
    Bypassed { by: Actor },
    HandedOn { to: Actor },
}

impl Act {
    const fn asks(&self) -> bool {
        matches!(self, Self::Requested | Self::RequestedAgain)
    }

    const fn answers(&self) -> bool {
        matches!(self, Self::Approved { .. } | Self::Rejected { .. })
    }
}

/// A gate, met once.
#[derive(Debug)]
pub struct Gate {
    pub name: String,
    pub kind: GateKind,
    pub environment: Option<Environment>,
    pub attempt: i32,
    pub repository: Option<Repository>,
    pub commit: Option<CommitId>,
    pub run: Option<RunId>,
    pub task: Option<TaskId>,
    pub deployment: Option<DeploymentId>,
    pub service: Option<String>,
    pub required: Option<i32>,
    /// What happened, in order, each once.
    acts: Vec<(Timestamp, Act)>,
    /// For each act an event that told of it.
    pub evidence: BTreeSet<String>,
    pub url: Option<String>,
}

/// What a meeting amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Meeting {
    pub requested_at: Option<Timestamp>,
    pub seen_at: Timestamp,
    pub requests: usize,
    pub delegations: usize,
    pub approvals: usize,
    /// When it was asked for in this round.
    pub closed_at: Option<Timestamp>,
    pub outcome: GateOutcome,
    pub decided_at: Option<Timestamp>,
    /// Who settled it: of several who approved, the last.
    pub decided_by: Actor,
    /// By the author, as far as somebody said so.
    pub by_author: Option<bool>,
    /// Commit that was looked at, as given.
    pub commit: Option<CommitId>,
}

impl Meeting {
    /// When it is placed: when it was asked for, else the first sign of it.
    pub fn at(&self) -> Timestamp {
        self.requested_at.unwrap_or(self.seen_at)
    }
}

/// How a gate was settled.
#[derive(Clone)]
struct Settled {
    at: Timestamp,
    outcome: GateOutcome,
    by: Actor,
    by_author: Option<bool>,
    commit: Option<CommitId>,
}

impl Gate {
    /// What happened amounts to; none where nothing did.
    ///
    /// The meeting has rounds: a request after the round was settled begins another one, in which earlier approvals are void. What
    /// holds is the last round.
    pub fn meeting(&self) -> Option<Meeting> {
        let asked = |(_, act): &&(Timestamp, Act)| act.asks();
        let (seen_at, _) = self.acts.first()?;
        let round = self.last_round();
        let settled = (1..=round.len()).find_map(|n| self.settled_by_last(&round[..n]));
        Some(Meeting {
            requested_at: self.acts.iter().find(asked).map(|(at, _)| *at),
            seen_at: *seen_at,
            requests: self.acts.iter().filter(asked).count(),
            delegations: self.acts.iter().filter(|(_, act)| matches!(act, Act::HandedOn { .. })).count(),
            approvals: approvals(round),
            closed_at: round.iter().find(asked).map(|(at, _)| *at),
            outcome: settled.as_ref().map_or(GateOutcome::Open, |s| s.outcome),
            decided_at: settled.as_ref().map(|s| s.at),
            by_author: settled.as_ref().and_then(|s| s.by_author),
            commit: settled.as_ref().and_then(|s| s.commit.clone()),
            decided_by: settled.map(|s| s.by).unwrap_or_default(),
        })
    }

    fn last_round(&self) -> &[(Timestamp, Act)] {
        let mut round = &self.acts[..];
        loop {
            let Some(settled) = (1..=round.len()).find(|n| self.settled_by_last(&round[..*n]).is_some()) else {
                return round;
            };
            let Some(again) = round[settled..].iter().position(|(_, act)| act.asks()) else { return round };
            round = &round[settled + again..];
        }
    }

    /// Whether the last of these acts settles the gate.
    fn settled_by_last(&self, acts: &[(Timestamp, Act)]) -> Option<Settled> {
        let (at, last) = acts.last()?;
        let by =
            |by: &Actor, outcome| Some(Settled { at: *at, outcome, by: by.clone(), by_author: None, commit: None });
        match last {
            Act::Requested | Act::RequestedAgain | Act::HandedOn { .. } => None,
            Act::Approved { settles, .. } => {
                let enough =
                    self.required.is_none_or(|n| i64::try_from(approvals(acts)).is_ok_and(|all| all >= n.into()));
                settles.unwrap_or(enough).then(|| last_approval(acts)).flatten()
            }
            // Who counts says that it is settled, and not by whom: that is who approved last.
            Act::Counted { given, required } if given >= required => {
                let approval = last_approval(acts).map(|approval| Settled { at: *at, ..approval });
                approval.or_else(|| by(&Actor::default(), GateOutcome::Approved))
            }
            Act::Counted { .. } => None,
            Act::Rejected { by: who, by_author, commit } => {
                let rejected = by(who, GateOutcome::Rejected);
                rejected.map(|of| Settled { by_author: *by_author, commit: commit.clone(), ..of })
            }
            Act::Expired => by(&Actor { key: None, kind: ActorKind::Machine }, GateOutcome::Expired),
            Act::Cancelled { by: who } => by(who, GateOutcome::Cancelled),
            Act::Bypassed { by: who } => by(who, GateOutcome::Bypassed),
        }
    }
}

fn last_approval(acts: &[(Timestamp, Act)]) -> Option<Settled> {
    acts.iter().rev().find_map(|(at, act)| match act {
        Act::Approved { by, by_author, commit, .. } => Some(Settled {
            at: *at,
            outcome: GateOutcome::Approved,
            by: by.clone(),
            by_author: *by_author,
            commit: commit.clone(),
        }),
        _ => None,
    })
}

/// How many approved: an account counts once, and each approval that names nobody.
fn approvals(acts: &[(Timestamp, Act)]) -> usize {
    let by = || {
        acts.iter().filter_map(|(_, act)| match act {
            Act::Approved { by, .. } => Some(by),
            _ => None,
        })
    };
    let accounts: BTreeSet<&String> = by().filter_map(|actor| actor.key.as_ref()).collect();
    accounts.len() + by().filter(|actor| actor.key.is_none()).count()
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<GateId, Gate> {
    let tellings = group(events, |event| {
        approval(event).map(|body| (parts(body).0.gate.clone(), (event, body))).into_iter().collect()
    });
    tellings.into_iter().map(|(id, told)| (id, put_together(&told))).collect()
}

/// The gate that an event tells of, and what it is about.
pub fn parts(body: &ApprovalBody) -> (&event::Gate, &References) {
    match body {
        ApprovalBody::GateRequested(b) => (&b.gate, &b.about),
        ApprovalBody::GateDecided(b) => (&b.gate, &b.about),
        ApprovalBody::GateExpired(b) => (&b.gate, &b.about),
        ApprovalBody::GateCancelled(b) => (&b.gate, &b.about),
        ApprovalBody::GateBypassed(b) => (&b.gate, &b.about),
        ApprovalBody::GateRequestedAgain(b) => (&b.gate, &b.about),
        ApprovalBody::GateDelegated(b) => (&b.gate, &b.about),
        ApprovalBody::GateQuorum(b) => (&b.gate, &b.about),
    }
}

/// What happened and when; none for what says nothing of how the gate stands.
fn act(body: &ApprovalBody) -> Option<(Option<Timestamp>, Act)> {
    Some(match body {
        ApprovalBody::GateRequested(b) => (b.requested_at, Act::Requested),
        ApprovalBody::GateRequestedAgain(b) => (b.requested_at, Act::RequestedAgain),
        ApprovalBody::GateDecided(b) => {
            let (by, by_author, commit) = (b.decided_by.clone(), b.by_author, b.commit.clone());
            let act = match b.decision {
                Decision::Approved => Act::Approved { by, settles: b.final_decision, by_author, commit },
                Decision::Rejected => Act::Rejected { by, by_author, commit },
                // Somebody else must decide; who, is not told.
                Decision::Escalated => Act::HandedOn { to: Actor::default() },
                Decision::ChangesRequested | Decision::Deferred => return None,
            };
            (b.decided_at, act)
        }
        ApprovalBody::GateQuorum(b) => (b.met_at, Act::Counted { given: b.given, required: b.required }),
        ApprovalBody::GateExpired(b) => (b.expired_at, Act::Expired),
        ApprovalBody::GateCancelled(b) => (b.cancelled_at, Act::Cancelled { by: b.cancelled_by.clone() }),
        ApprovalBody::GateBypassed(b) => (b.bypassed_at, Act::Bypassed { by: b.bypassed_by.clone() }),
        ApprovalBody::GateDelegated(b) => (b.delegated_at, Act::HandedOn { to: b.delegated_to.clone() }),
    })
}

const fn required(body: &ApprovalBody) -> Option<i32> {
    match body {
        ApprovalBody::GateRequested(b) => b.required,
        ApprovalBody::GateQuorum(b) => Some(b.required),
        _ => None,
    }
}

/// Whether an event tells a request or an answer that its source concluded from something else.
const fn is_conclusion(body: &ApprovalBody) -> bool {
    matches!(
        body,
        ApprovalBody::GateRequested(event::GateRequested { inferred: true, .. })
            | ApprovalBody::GateDecided(event::GateDecided { inferred: true, .. })
    )
}

fn happened(told: &[&(&Event<Body>, &ApprovalBody)]) -> BTreeMap<(Timestamp, Act), BTreeSet<String>> {
    let mut acts: BTreeMap<(Timestamp, Act), BTreeSet<String>> = BTreeMap::new();
    for (event, body) in told {
        if let Some((at, act)) = act(body) {
            acts.entry((at.unwrap_or(event.occurred_at), act)).or_default().insert(event.id());
        }
    }
    acts
}

fn put_together(told: &[(&Event<Body>, &ApprovalBody)]) -> Gate {
    let (concluded, heard): (Vec<_>, Vec<_>) = told.iter().partition(|(_, body)| is_conclusion(body));
    let heard = happened(&heard);
    // What somebody told needs no conclusion.
    let (asked, answered) = (heard.keys().any(|(_, act)| act.asks()), heard.keys().any(|(_, act)| act.answers()));
    let needed = |(_, act): &(Timestamp, Act)| !(asked && act.asks() || answered && act.answers());
    let mut acts = happened(&concluded);
    acts.retain(|moment, _| needed(moment));
    // Of one moment that was both heard and concluded there is none left here.
    acts.extend(heard);
    let gates = || told.iter().map(|(event, body)| (event.occurred_at, parts(body).0));
    let abouts = || told.iter().map(|(event, body)| (event.occurred_at, parts(body).1));
    let environment = |body| {
        let (gate, about) = parts(body);
        gate.environment.clone().or_else(|| about.environment.clone())
    };
    Gate {
        name: latest(gates().map(|(at, gate)| (at, Some(gate.name.clone())))).unwrap_or_default(),
        kind: gates().map(|(_, gate)| gate.kind).max().unwrap_or_default(),
        environment: latest(told.iter().map(|(event, body)| (event.occurred_at, environment(body)))),
        attempt: gates().map(|(_, gate)| gate.attempt).max().unwrap_or(1),
        repository: latest(abouts().map(|(at, about)| (at, about.repository.clone()))),
        commit: latest(abouts().map(|(at, about)| (at, about.commit.clone()))),
        run: latest(abouts().map(|(at, about)| (at, about.run.clone()))),
        task: latest(abouts().map(|(at, about)| (at, about.task.clone()))),
        deployment: latest(abouts().map(|(at, about)| (at, about.deployment.clone()))),
        service: latest(abouts().map(|(at, about)| (at, about.service.clone()))),
        required: latest(told.iter().map(|(event, body)| (event.occurred_at, required(body)))),
        evidence: acts.values().filter_map(|ids| ids.first().cloned()).collect(),
        acts: acts.into_keys().collect(),
        url: latest(told.iter().map(|(event, _)| (event.occurred_at, event.link.clone()))),
    }
}
