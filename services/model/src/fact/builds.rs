//! Rows of `builds` and `build_failures`.

use serde::{Deserialize, Serialize};

use crate::event::{ActorKind, Outcome, Phase, Trigger};
use crate::{CommitId, Component, Millis, Realm, RunId, TaskId, Timestamp};

/// Why a build or a task did not pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The fault of the change.
    #[default]
    Failure,
    /// The fault of the platform.
    Error,
    /// It failed, and passed on the same commit with nothing changed.
    Flaky,
    /// It ran out of time.
    Timeout,
    /// Somebody or something stopped it.
    Cancelled,
}

/// One attempt of one pipeline run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Run.
    pub run: RunId,
    /// 1 for the first try.
    pub attempt: i32,
    /// When it was made.
    pub at: Timestamp,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Commit it ran on.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch or tag.
    #[serde(default)]
    pub ref_name: Option<String>,
    /// How far it has come.
    pub phase: Phase,
    /// How it ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// What started it.
    pub trigger: Trigger,
    /// Human or machine.
    pub triggered_by: ActorKind,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it was ready to start.
    #[serde(default)]
    pub queued_at: Option<Timestamp>,
    /// When its first task started on a runner, else when it started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// From ready to started.
    #[serde(default)]
    pub queue: Option<Millis>,
    /// From started to finished.
    #[serde(default)]
    pub duration: Option<Millis>,
    /// Tasks known of it.
    pub tasks: i32,
    /// Those that failed.
    pub failed_tasks: i32,
    /// The first of them to end.
    #[serde(default)]
    pub first_failed_task: Option<String>,
    /// Its first failing step.
    #[serde(default)]
    pub first_failed_step: Option<String>,
    /// Why it did not pass; null where it did, or has not ended.
    #[serde(default)]
    pub class: Option<FailureClass>,
    /// Where it is the first failure of its pipeline on its branch since the last success: when that pipeline passed there again.
    #[serde(default)]
    pub green_at: Option<Timestamp>,
    /// From the end of that failure to there.
    #[serde(default)]
    pub time_to_green: Option<Millis>,
    /// Page at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}

/// A task of a build that did not pass, in one attempt of its run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildFailureFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Run.
    pub run: RunId,
    /// Attempt of the run, 1 for the first.
    pub attempt: i32,
    /// Task; empty where the run tells of none: then the run itself failed.
    pub task: TaskId,
    /// When it ended.
    pub at: Timestamp,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Name of the task.
    pub name: String,
    /// Its first step that failed.
    #[serde(default)]
    pub step: Option<String>,
    /// Why it did not pass.
    pub class: FailureClass,
    /// Its failure does not fail the run.
    #[serde(default)]
    pub allowed_to_fail: bool,
    /// Commit it ran on.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch or tag.
    #[serde(default)]
    pub ref_name: Option<String>,
    /// Pool of the runner.
    #[serde(default)]
    pub runner_group: Option<String>,
    /// From ready to started.
    #[serde(default)]
    pub queue: Option<Millis>,
    /// From started to its end.
    #[serde(default)]
    pub duration: Option<Millis>,
    /// Where it is flaky: the attempt that passed.
    #[serde(default)]
    pub passed_attempt: Option<i32>,
    /// Page at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}
