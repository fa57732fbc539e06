//! Rows of `gate_waits`.

use serde::{Deserialize, Serialize};

use crate::event::{ActorKind, GateKind};
use crate::{CommitId, Component, Environment, GateId, IncidentId, Millis, Realm, RunId, Timestamp, Version};

/// How a gate ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// It is still closed: somebody has to decide.
    #[default]
    Open,
    /// Approved.
    Approved,
    /// Rejected.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// Withdrawn.
    Cancelled,
    /// Passed without a decision.
    Bypassed,
}

/// A reason to doubt that passing a gate meant anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hollow {
    /// It is a gate of tests, and no test ran or all were skipped.
    NoTests,
    /// Another commit was looked at than was deployed.
    OtherCommit,
    /// It was decided before the checks of the commit had ended.
    BeforeChecks,
    /// The author of the change approved.
    ByAuthor,
    /// It was decided by a person within seconds.
    WithinSeconds,
}

/// One gate met by one release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateWaitFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Id of this meeting.
    pub gate: GateId,
    /// When the approval was asked for.
    pub at: Timestamp,
    /// Version it held back; null while unknown.
    #[serde(default)]
    pub version: Option<Version>,
    /// Name of the gate.
    pub name: String,
    /// Kind.
    pub kind: GateKind,
    /// Environment it guards.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// 1 for the first try of what it guards.
    pub attempt: i32,
    /// Commit it held back.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Run it held back.
    #[serde(default)]
    pub run: Option<RunId>,
    /// When the approval was asked for; null where only the decision is known.
    #[serde(default)]
    pub requested_at: Option<Timestamp>,
    /// When it had become the only obstacle.
    #[serde(default)]
    pub blocking_from: Option<Timestamp>,
    /// When it was decided; null while open.
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    /// From there to the decision; null while open.
    #[serde(default)]
    pub wait: Option<Millis>,
    /// How it ended.
    pub outcome: GateOutcome,
    /// Human or machine.
    pub decided_by: ActorKind,
    /// The author of the change decided; null where unknown.
    #[serde(default)]
    pub by_author: Option<bool>,
    /// How many approved.
    pub approvals: i32,
    /// How many had to.
    #[serde(default)]
    pub required: Option<i32>,
    /// How many times it was asked for.
    pub requests: i32,
    /// The part of `wait` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub wait_working: Option<Millis>,
    /// Commit that was looked at, where told.
    #[serde(default)]
    pub decided_commit: Option<CommitId>,
    /// How many times the decision was handed to somebody else.
    pub delegations: i32,
    /// It rejected or failed, and a changed commit followed; null while open.
    #[serde(default)]
    pub caught: Option<bool>,
    /// Reasons to doubt that passing it meant anything; empty where there is none or it did not pass.
    #[serde(default)]
    pub hollow: Vec<Hollow>,
    /// Kinds of incident it is there to catch, by the catalog or by what a team said.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Incidents of such a kind attributed to the release that passed it.
    #[serde(default)]
    pub missed: Vec<IncidentId>,
    /// Ids of the events it rests on.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Page at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}
