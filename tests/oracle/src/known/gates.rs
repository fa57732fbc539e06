//! Gates, and what happened at each.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{self, Actor, ActorKind, ApprovalBody, Body, Decision, Event, GateKind, References};
use model::fact::GateOutcome;
use model::{CommitId, DeploymentId, Environment, GateId, Repository, RunId, Timestamp};

use super::{approval, group, latest};

/// Something that happened. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Requested,
    RequestedAgain,
    Approved { by: Actor, settles: Option<bool>, by_author: Option<bool> },
    Rejected { by: Actor, by_author: Option<bool> },
    Counted { given: i32, required: i32 },
    Expired,
    Cancelled { by: Actor },
    Bypassed { by: Actor },
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
    pub approvals: usize,
    pub outcome: GateOutcome,
    pub decided_at: Option<Timestamp>,
    pub decided_by: ActorKind,
    pub by_author: Option<bool>,
}

/// How a gate was settled.
struct Settled {
    at: Timestamp,
    outcome: GateOutcome,
    by: ActorKind,
    by_author: Option<bool>,
}

impl Gate {
    /// What happened amounts to; none where nothing did.
    ///
    /// The meeting has rounds: a request after the round was settled begins another one, in which earlier approvals are void. What
    /// holds is the last round.
    pub fn meeting(&self) -> Option<Meeting> {
        let requests = self.acts.iter().filter(|(_, act)| matches!(act, Act::Requested | Act::RequestedAgain));
        let (seen_at, _) = self.acts.first()?;
        let round = self.last_round();
        let settled = (1..=round.len()).find_map(|n| self.settled_by_last(&round[..n]));
        let by = settled.as_ref();
        Some(Meeting {
            requested_at: requests.clone().map(|(at, _)| *at).min(),
            seen_at: *seen_at,
            requests: requests.count(),
            approvals: approvals(round),
            outcome: by.map_or(GateOutcome::Open, |s| s.outcome),
            decided_at: by.map(|s| s.at),
            decided_by: by.map_or(ActorKind::Unknown, |s| s.by),
            by_author: by.and_then(|s| s.by_author),
        })
    }

    fn last_round(&self) -> &[(Timestamp, Act)] {
        let mut round = &self.acts[..];
        loop {
            let Some(settled) = (1..=round.len()).find(|n| self.settled_by_last(&round[..*n]).is_some()) else {
                return round;
            };
            let asked = |(_, act): &(Timestamp, Act)| matches!(act, Act::Requested | Act::RequestedAgain);
            let Some(again) = round[settled..].iter().position(asked) else { return round };
            round = &round[settled + again..];
        }
    }

    /// Whether the last of these acts settles the gate.
    fn settled_by_last(&self, acts: &[(Timestamp, Act)]) -> Option<Settled> {
        let (at, last) = acts.last()?;
        let settled = |outcome, by, by_author| Some(Settled { at: *at, outcome, by, by_author });
        match last {
            Act::Requested | Act::RequestedAgain => None,
            Act::Approved { by, settles, by_author } => {
                let enough =
                    self.required.is_none_or(|n| i64::try_from(approvals(acts)).is_ok_and(|all| all >= n.into()));
                settles.unwrap_or(enough).then_some(())?;
                settled(GateOutcome::Approved, by.kind, *by_author)
            }
            Act::Counted { given, required } if given >= required => {
                settled(GateOutcome::Approved, ActorKind::Unknown, None)
            }
            Act::Counted { .. } => None,
            Act::Rejected { by, by_author } => settled(GateOutcome::Rejected, by.kind, *by_author),
            Act::Expired => settled(GateOutcome::Expired, ActorKind::Machine, None),
            Act::Cancelled { by } => settled(GateOutcome::Cancelled, by.kind, None),
            Act::Bypassed { by } => settled(GateOutcome::Bypassed, by.kind, None),
        }
    }
}

/// How many approved: an account counts once, and each approval that names nobody.
fn approvals(acts: &[(Timestamp, Act)]) -> usize {
    let by = || {
        acts.iter().filter_map(|(_, act)| match act {
            Act::Approved { by, .. } => Some(by),
            _ => None,
        })
    };
    let accounts: BTreeSet<&Actor> = by().filter(|actor| actor.key.is_some()).collect();
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

/// What happened and when; none for what leaves a gate as closed as it was.
fn act(body: &ApprovalBody) -> Option<(Option<Timestamp>, Act)> {
    Some(match body {
        ApprovalBody::GateRequested(b) => (b.requested_at, Act::Requested),
        ApprovalBody::GateRequestedAgain(b) => (b.requested_at, Act::RequestedAgain),
        ApprovalBody::GateDecided(b) => {
            let (by, by_author) = (b.decided_by.clone(), b.by_author);
            let act = match b.decision {
                Decision::Approved => Act::Approved { by, settles: b.final_decision, by_author },
                Decision::Rejected => Act::Rejected { by, by_author },
                Decision::ChangesRequested | Decision::Deferred | Decision::Escalated => return None,
            };
            (b.decided_at, act)
        }
        ApprovalBody::GateQuorum(b) => (b.met_at, Act::Counted { given: b.given, required: b.required }),
        ApprovalBody::GateExpired(b) => (b.expired_at, Act::Expired),
        ApprovalBody::GateCancelled(b) => (b.cancelled_at, Act::Cancelled { by: b.cancelled_by.clone() }),
        ApprovalBody::GateBypassed(b) => (b.bypassed_at, Act::Bypassed { by: b.bypassed_by.clone() }),
        ApprovalBody::GateDelegated(_) => return None,
    })
}

const fn required(body: &ApprovalBody) -> Option<i32> {
    match body {
        ApprovalBody::GateRequested(b) => b.required,
        ApprovalBody::GateQuorum(b) => Some(b.required),
        _ => None,
    }
}

fn put_together(told: &[(&Event<Body>, &ApprovalBody)]) -> Gate {
    let mut acts: BTreeMap<(Timestamp, Act), BTreeSet<String>> = BTreeMap::new();
    for (event, body) in told {
        if let Some((at, act)) = act(body) {
            acts.entry((at.unwrap_or(event.occurred_at), act)).or_default().insert(event.id());
        }
    }
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
        deployment: latest(abouts().map(|(at, about)| (at, about.deployment.clone()))),
        service: latest(abouts().map(|(at, about)| (at, about.service.clone()))),
        required: latest(told.iter().map(|(event, body)| (event.occurred_at, required(body)))),
        evidence: acts.values().filter_map(|ids| ids.first().cloned()).collect(),
        acts: acts.into_keys().collect(),
        url: latest(told.iter().map(|(event, _)| (event.occurred_at, event.link.clone()))),
    }
}
