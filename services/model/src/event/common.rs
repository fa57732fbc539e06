//! What several kinds of events have in common.

use serde::{Deserialize, Serialize};

use crate::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};

/// Whether a person or an automation account acted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// The provider did not tell.
    #[default]
    Unknown,
    /// A person.
    Human,
    /// An automation account: a bot, an app, a service account, a scheduler.
    Machine,
}

/// Who acted, without saying who: a keyed hash, so that two acts of one account can be told from the acts of two,
/// and nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Keyed hash (HMAC-SHA-256, hex) of the account or address; null when the provider named nobody.
    #[serde(default)]
    pub key: Option<String>,
    /// Human or machine.
    #[serde(default)]
    pub kind: ActorKind,
}

/// How far a run, a task, a build, a test or a deployment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Known, not yet asked to start.
    #[default]
    Created,
    /// Held back: by a gate, a lock, a concurrency limit, a manual start.
    Waiting,
    /// Ready to start, waiting for a runner.
    Queued,
    /// Under way.
    Running,
    /// Ended; the outcome says how.
    Finished,
    /// Ended earlier with an outcome, and has since been replaced or removed.
    Superseded,
}

/// How something that has finished ended. `failure` is the fault of the change, `error` that of the platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it should.
    Success,
    /// It found or had a fault of the change.
    Failure,
    /// The platform failed: a lost runner, an outage, a broken configuration.
    Error,
    /// It ran out of time.
    Timeout,
    /// Somebody or something stopped it.
    Cancelled,
    /// It was not run, by rule.
    Skipped,
    /// It ended without a verdict.
    Neutral,
    /// It ended by asking a person for something.
    ActionRequired,
    /// It ended and the provider did not say how.
    #[default]
    Unknown,
}

/// What started a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The provider did not tell.
    #[default]
    Unknown,
    /// Commits were pushed.
    Push,
    /// A change was opened or updated.
    Change,
    /// The merge queue tried a group.
    MergeQueue,
    /// A tag or a release was published.
    Tag,
    /// A timer.
    Schedule,
    /// A person pressed a button.
    Manual,
    /// A call of the API.
    Api,
    /// Another run.
    Upstream,
    /// A deployment or its status.
    Deployment,
    /// An incident or an alert.
    Incident,
    /// Something else, which the provider named.
    Other,
}

/// One commit as a provider told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitInfo {
    /// Full id, lower-case hex.
    pub id: CommitId,
    /// Parents in order; null when the provider did not tell, empty for a root commit.
    #[serde(default)]
    pub parents: Option<Vec<CommitId>>,
    /// When the change was written (author date).
    #[serde(default)]
    pub authored_at: Option<Timestamp>,
    /// When the commit was made (committer date).
    #[serde(default)]
    pub committed_at: Option<Timestamp>,
    /// Who wrote it.
    #[serde(default)]
    pub author: Actor,
    /// Who committed it.
    #[serde(default)]
    pub committer: Actor,
    /// Paths it touched; null when the provider did not tell.
    #[serde(default)]
    pub paths: Option<Vec<String>>,
    /// The provider left some of the paths out.
    #[serde(default)]
    pub paths_cut: bool,
    /// Commits named by `cherry picked from commit` trailers, as given.
    #[serde(default)]
    pub cherry_picked_from: Vec<CommitId>,
    /// Commits named by `This reverts commit`, as given.
    #[serde(default)]
    pub reverts: Vec<CommitId>,
    /// Changes its message names as its origin: `(#12)`, `Merge pull request #12`, `See merge request
    /// group/project!12`.
    #[serde(default)]
    pub changes: Vec<ChangeId>,
    /// `git patch-id --stable`, where an importer computed it.
    #[serde(default)]
    pub patch_id: Option<String>,
}

/// What an approval or an incident is about: references as the provider gave them, resolved later.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct References {
    /// Repository.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Commit, full or abbreviated.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch or tag.
    #[serde(default)]
    pub ref_name: Option<String>,
    /// Change (pull request, merge request) of that repository.
    #[serde(default)]
    pub change: Option<ChangeId>,
    /// Pipeline run.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Task run.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// Deployment.
    #[serde(default)]
    pub deployment: Option<DeploymentId>,
    /// Artifact: package URL, digest or image reference.
    #[serde(default)]
    pub artifact: Option<ArtifactId>,
    /// Service or component by the provider's name.
    #[serde(default)]
    pub service: Option<String>,
    /// Environment by the provider's name.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// Version by the provider's name.
    #[serde(default)]
    pub version: Option<String>,
    /// Change request or ticket number.
    #[serde(default)]
    pub ticket: Option<String>,
}

impl CommitInfo {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(id: CommitId) -> Self {
        Self {
            id,
            parents: None,
            authored_at: None,
            committed_at: None,
            author: Actor::default(),
            committer: Actor::default(),
            paths: None,
            paths_cut: false,
            cherry_picked_from: Vec::new(),
            reverts: Vec::new(),
            changes: Vec::new(),
            patch_id: None,
        }
    }
}
