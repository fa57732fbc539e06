//! Rows of `manual_steps`.

use serde::{Deserialize, Serialize};

use crate::{CommitId, Component, Environment, Millis, Realm, RunId, Timestamp, Version};

/// What a person did that a machine could have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualStepKind {
    /// Started a job that waits for a click.
    #[default]
    ManualJob,
    /// Started a run by hand.
    DispatchedRun,
    /// Made a deployment by hand, outside any run.
    Deployment,
    /// Something that no system saw, named by a person.
    Named,
}

/// A step of a release that a person had to start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ManualStepFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Id of the task, run, deployment or statement that it is known from.
    pub step: String,
    /// When it was started.
    pub at: Timestamp,
    /// Kind.
    pub kind: ManualStepKind,
    /// Name of the job, the pipeline, the environment, or as named.
    pub name: String,
    /// Version that it was for; null while unknown.
    #[serde(default)]
    pub version: Option<Version>,
    /// Commit.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Environment.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// From when it could have been started: everything before it had ended.
    #[serde(default)]
    pub possible_from: Option<Timestamp>,
    /// When it had ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// From there to the start: how long everything waited for a click.
    #[serde(default)]
    pub wait: Option<Millis>,
    /// The part of `wait` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub wait_working: Option<Millis>,
    /// From the start to the end.
    #[serde(default)]
    pub duration: Option<Millis>,
    /// Run.
    #[serde(default)]
    pub run: Option<RunId>,
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
