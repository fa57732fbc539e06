//! Rows of `deployments`.

use serde::{Deserialize, Serialize};

use crate::event::{ActorKind, MarkerKind, Outcome, Phase, Tier};
use crate::{CommitId, Component, DeploymentId, Environment, Realm, RunId, Timestamp, Version};

/// What a deployment brought to its environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentKind {
    /// The first one seen there.
    Baseline,
    /// New commits.
    Forward,
    /// An older commit again; nothing new.
    Rollback,
    /// The same commit, or forward again to one that had been there: nothing new.
    Redeploy,
    /// Its commit is unknown.
    Unresolved,
    /// It did not succeed.
    #[default]
    None,
}

/// A deployment of a release to an environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Environment.
    pub environment: Environment,
    /// Id.
    pub deployment: DeploymentId,
    /// Finish; before that, the first sign of it.
    pub at: Timestamp,
    /// Deployed tag, else full commit id; null while the commit is unknown.
    #[serde(default)]
    pub version: Option<Version>,
    /// Commit deployed; null while unknown.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// What the environment is for.
    pub tier: Tier,
    /// How far it has come.
    pub phase: Phase,
    /// How it ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// What it brought.
    pub kind: DeploymentKind,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it began to change the environment.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it had ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Commits it was the first to bring to this environment.
    pub commits: i32,
    /// Every one of them is known.
    pub commits_complete: bool,
    /// Run that deployed it.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Human or machine.
    pub triggered_by: ActorKind,
    /// What told of it: a deployment event, a pipeline run, a task, a tag, a published release.
    pub marker: MarkerKind,
    /// When its first stage had ended well, where it was rolled out in stages.
    #[serde(default)]
    pub partial_at: Option<Timestamp>,
    /// Version that it replaced in its environment.
    #[serde(default)]
    pub replaced: Option<Version>,
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
