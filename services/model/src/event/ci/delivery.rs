//! What is delivered: artifacts and deployments.

use serde::{Deserialize, Serialize};

use crate::event::{Actor, Outcome, Phase};
use crate::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};

/// What happened to an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactAction {
    /// Built.
    Packaged,
    /// Signed.
    Signed,
    /// Published to a registry.
    Published,
    /// Fetched from a registry.
    Downloaded,
    /// Removed from a registry.
    Deleted,
}

/// An artifact: the edge from commit to what is deployed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Package URL or image reference, as given.
    pub artifact: ArtifactId,
    /// What happened.
    pub action: ArtifactAction,
    /// Content digest: `sha256:…`.
    #[serde(default)]
    pub digest: Option<String>,
    /// Tags it carries, sorted.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Repository it was built from.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Commit it was built from, as given.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Change it was built from.
    #[serde(default)]
    pub change: Option<ChangeId>,
    /// Run that made it.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Who did this.
    #[serde(default)]
    pub actor: Actor,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// What a deployment does to the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentAction {
    /// Brings a version in; whether it is newer or older is found out later.
    Deploy,
    /// Brings a newer version in, by the provider.
    Upgrade,
    /// Brings an older version back, by the provider.
    RollBack,
    /// Takes the service away.
    Remove,
    /// Makes it reachable.
    Publish,
}

/// How much of the environment it reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// The provider did not tell; taken as full.
    #[default]
    Unknown,
    /// A canary or a stage.
    Partial,
    /// All of it.
    Full,
}

/// A deployment to an environment as one observation saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Id, unique over all providers.
    pub deployment: DeploymentId,
    /// Repository it was deployed from.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Service or component by the provider's name.
    #[serde(default)]
    pub service: Option<String>,
    /// Environment by the provider's name.
    pub environment: Environment,
    /// The provider says that it is production.
    #[serde(default)]
    pub production: Option<bool>,
    /// What it does.
    pub action: DeploymentAction,
    /// How far it has come.
    pub phase: Phase,
    /// Set when it has finished.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The provider's word for the phase or the outcome.
    #[serde(default)]
    pub reason: Option<String>,
    /// How much of the environment it reached.
    #[serde(default)]
    pub rollout: Rollout,
    /// Commit deployed, as given.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch or tag deployed.
    #[serde(default)]
    pub ref_name: Option<String>,
    /// Version or tag deployed, where the provider names one.
    #[serde(default)]
    pub version: Option<String>,
    /// Artifacts deployed: package URLs, image references, digests.
    #[serde(default)]
    pub artifacts: Vec<ArtifactId>,
    /// The provider's word for what is deployed: `deploy`, `deploy:migrations`.
    #[serde(default)]
    pub task: Option<String>,
    /// Run that deployed it.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Task that deployed it.
    #[serde(default)]
    pub job: Option<TaskId>,
    /// The environment is made for this deployment only: a preview.
    #[serde(default)]
    pub transient: bool,
    /// Who started it.
    #[serde(default)]
    pub triggered_by: Actor,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it began to change the environment.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it had ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

impl Artifact {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(artifact: ArtifactId, action: ArtifactAction) -> Self {
        Self {
            artifact,
            action,
            digest: None,
            tags: Vec::new(),
            repository: None,
            commit: None,
            change: None,
            run: None,
            actor: Actor::default(),
            url: None,
        }
    }
}

impl Deployment {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(deployment: DeploymentId, environment: Environment, action: DeploymentAction, phase: Phase) -> Self {
        Self {
            deployment,
            repository: None,
            service: None,
            environment,
            production: None,
            action,
            phase,
            outcome: None,
            reason: None,
            rollout: Rollout::Unknown,
            commit: None,
            ref_name: None,
            version: None,
            artifacts: Vec::new(),
            task: None,
            run: None,
            job: None,
            transient: false,
            triggered_by: Actor::default(),
            created_at: None,
            started_at: None,
            finished_at: None,
            url: None,
        }
    }
}
