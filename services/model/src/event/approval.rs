//! Events of approvals and other gates: topic `approval.events`.

use serde::{Deserialize, Serialize};

use super::common::{Actor, References};
use crate::{CommitId, Environment, GateId, Timestamp};

/// What kind of gate it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// The provider did not tell.
    #[default]
    Unknown,
    /// A rule of the environment that asks people or an app.
    DeploymentProtection,
    /// Approval of a change.
    Review,
    /// A job that somebody has to start.
    ManualJob,
    /// A change request to be approved.
    ChangeBoard,
    /// An automatic check that must pass.
    Check,
    /// A wait by the clock.
    Timer,
    /// The merge queue.
    MergeQueue,
}

/// One gate, met once: what stands in the way of one run, deployment or change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Id of this meeting, unique over all providers: the run or request, the environment, the attempt.
    pub gate: GateId,
    /// Name under which it is met again and again: the environment's rule, the job, the board.
    pub name: String,
    /// Kind.
    #[serde(default)]
    pub kind: GateKind,
    /// Environment it guards.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// 1 for the first try of what it guards.
    #[serde(default = "first_attempt")]
    pub attempt: i32,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may go on.
    Approved,
    /// It may not.
    Rejected,
    /// It may, once something is changed.
    ChangesRequested,
    /// Later.
    Deferred,
    /// Somebody else must decide.
    Escalated,
}

/// An approval was asked for: the gate closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRequested {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// When; the event's own time where null.
    #[serde(default)]
    pub requested_at: Option<Timestamp>,
    /// Who asked, or whose run asked.
    #[serde(default)]
    pub requested_by: Actor,
    /// How many could approve: people and teams as listed.
    #[serde(default)]
    pub approvers: Option<i32>,
    /// How many must approve.
    #[serde(default)]
    pub required: Option<i32>,
    /// When the request expires, or the timer ends.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
    /// Nobody told the request: it follows from what the gate held back. Where the request itself is told, this counts for nothing.
    #[serde(default)]
    pub inferred: bool,
}

/// A decision was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateDecided {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// What was decided.
    pub decision: Decision,
    /// When; the event's own time where null.
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    /// Who decided.
    #[serde(default)]
    pub decided_by: Actor,
    /// The author of the change decided.
    #[serde(default)]
    pub by_author: Option<bool>,
    /// Commit that was looked at, where told.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// It settles the gate; null when the provider did not tell.
    #[serde(default)]
    pub final_decision: Option<bool>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
    /// Nobody told when and to which request it was made: it follows from how what the gate held back went on. Where a decision itself
    /// is told, this counts for nothing.
    #[serde(default)]
    pub inferred: bool,
}

/// Nobody decided in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateExpired {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// When; the event's own time where null.
    #[serde(default)]
    pub expired_at: Option<Timestamp>,
}

/// The request was withdrawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateCancelled {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// When; the event's own time where null.
    #[serde(default)]
    pub cancelled_at: Option<Timestamp>,
    /// Who withdrew it.
    #[serde(default)]
    pub cancelled_by: Actor,
}

/// The gate was passed without a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateBypassed {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// When; the event's own time where null.
    #[serde(default)]
    pub bypassed_at: Option<Timestamp>,
    /// Who passed it.
    #[serde(default)]
    pub bypassed_by: Actor,
}

/// The approval was asked for again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRequestedAgain {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// When; the event's own time where null.
    #[serde(default)]
    pub requested_at: Option<Timestamp>,
    /// Who asked.
    #[serde(default)]
    pub requested_by: Actor,
}

/// The decision was handed to somebody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateDelegated {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// When; the event's own time where null.
    #[serde(default)]
    pub delegated_at: Option<Timestamp>,
    /// Who handed it on.
    #[serde(default)]
    pub delegated_by: Actor,
    /// Who is to decide.
    #[serde(default)]
    pub delegated_to: Actor,
}

/// How many approvals are needed and given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateQuorum {
    /// The gate.
    pub gate: Gate,
    /// What it is about.
    pub about: References,
    /// How many are needed.
    pub required: i32,
    /// How many are given.
    pub given: i32,
    /// When enough were given.
    #[serde(default)]
    pub met_at: Option<Timestamp>,
}

/// What an approval event tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ApprovalBody {
    /// Asked for.
    #[serde(alias = "throughline.GateRequested")]
    GateRequested(GateRequested),
    /// Decided.
    #[serde(alias = "throughline.GateDecided")]
    GateDecided(GateDecided),
    /// Expired.
    #[serde(alias = "throughline.GateExpired")]
    GateExpired(GateExpired),
    /// Withdrawn.
    #[serde(alias = "throughline.GateCancelled")]
    GateCancelled(GateCancelled),
    /// Passed without a decision.
    #[serde(alias = "throughline.GateBypassed")]
    GateBypassed(GateBypassed),
    /// Asked for again.
    #[serde(alias = "throughline.GateRequestedAgain")]
    GateRequestedAgain(GateRequestedAgain),
    /// Handed on.
    #[serde(alias = "throughline.GateDelegated")]
    GateDelegated(GateDelegated),
    /// Counted.
    #[serde(alias = "throughline.GateQuorum")]
    GateQuorum(GateQuorum),
}

impl Gate {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(gate: GateId, name: String) -> Self {
        Self { gate, name, kind: GateKind::Unknown, environment: None, attempt: 1 }
    }
}

impl GateRequested {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(gate: Gate, about: References) -> Self {
        Self {
            gate,
            about,
            requested_at: None,
            requested_by: Actor::default(),
            approvers: None,
            required: None,
            due_at: None,
            url: None,
            inferred: false,
        }
    }
}

impl GateDecided {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(gate: Gate, about: References, decision: Decision) -> Self {
        Self {
            gate,
            about,
            decision,
            decided_at: None,
            decided_by: Actor::default(),
            by_author: None,
            commit: None,
            final_decision: None,
            url: None,
            inferred: false,
        }
    }
}

impl GateDelegated {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(gate: Gate, about: References) -> Self {
        Self { gate, about, delegated_at: None, delegated_by: Actor::default(), delegated_to: Actor::default() }
    }
}

const fn first_attempt() -> i32 {
    1
}
