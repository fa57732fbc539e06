//! What runs: pipelines, tasks, builds, tests.

use serde::{Deserialize, Serialize};

use crate::event::{Actor, Outcome, Phase, Trigger};
use crate::{ArtifactId, ChangeId, CommitId, Environment, Repository, RunId, TaskId, Timestamp};

/// A run of a pipeline (workflow run, build, pipeline) as one observation saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineRun {
    /// Id, unique over all providers: host, path and number.
    pub run: RunId,
    /// 1 for the first try.
    pub attempt: i32,
    /// Repository it ran for.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Id of its definition at the provider: a path or a number.
    #[serde(default)]
    pub definition: Option<String>,
    /// Number shown to people.
    #[serde(default)]
    pub number: Option<i64>,
    /// How far it has come.
    pub phase: Phase,
    /// Set when it has finished.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The provider's word for the outcome or the phase.
    #[serde(default)]
    pub reason: Option<String>,
    /// Commit it ran on, as given.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch or tag.
    #[serde(default)]
    pub ref_name: Option<String>,
    /// What started it.
    #[serde(default)]
    pub trigger: Trigger,
    /// Who started this attempt.
    #[serde(default)]
    pub triggered_by: Actor,
    /// Changes it ran for.
    #[serde(default)]
    pub changes: Vec<ChangeId>,
    /// Run that started it.
    #[serde(default)]
    pub parent_run: Option<RunId>,
    /// Environment it worked on.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// When the run was made (its first attempt).
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When this attempt was ready to start.
    #[serde(default)]
    pub queued_at: Option<Timestamp>,
    /// When this attempt started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When this attempt ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// One step of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Place in the task, from 1.
    pub number: i32,
    /// Name.
    pub name: String,
    /// Set when it has ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// When it started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}

/// What kind of task it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A job of a pipeline.
    Job,
    /// A check that a tool reports on a commit.
    Check,
    /// A commit status: a name and a state.
    Status,
    /// A stage that groups jobs.
    Stage,
}

/// A task (job, check, commit status, stage) as one observation saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRun {
    /// Id, unique over all providers.
    pub task: TaskId,
    /// Run it is part of.
    #[serde(default)]
    pub run: Option<RunId>,
    /// 1 for the first try.
    pub attempt: i32,
    /// Repository it ran for.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: TaskKind,
    /// How far it has come.
    pub phase: Phase,
    /// Set when it has finished.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The provider's word for the outcome or the phase.
    #[serde(default)]
    pub reason: Option<String>,
    /// Commit it ran on, as given.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch or tag.
    #[serde(default)]
    pub ref_name: Option<String>,
    /// Environment it deploys to, where given.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// It had to be started by hand.
    #[serde(default)]
    pub manual: bool,
    /// Who started it.
    #[serde(default)]
    pub started_by: Actor,
    /// Its failure does not fail the run.
    #[serde(default)]
    pub allowed_to_fail: bool,
    /// Pool of the runner.
    #[serde(default)]
    pub runner_group: Option<String>,
    /// What the runner had to offer, sorted.
    #[serde(default)]
    pub runner_labels: Vec<String>,
    /// Names of the tasks it waited for.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Its steps, as far as told.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it was ready to start.
    #[serde(default)]
    pub queued_at: Option<Timestamp>,
    /// When it started on a runner.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// A build in the narrow sense: sources become an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Id, unique over all providers.
    pub build: String,
    /// Repository.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Run it was part of.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Commit it was built from, as given.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// What came out.
    #[serde(default)]
    pub artifact: Option<ArtifactId>,
    /// How far it has come.
    pub phase: Phase,
    /// Set when the provider tells it; CDEvents does not.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// When it was queued.
    #[serde(default)]
    pub queued_at: Option<Timestamp>,
    /// When it started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// What was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestLevel {
    /// A test suite.
    Suite,
    /// A single test case.
    Case,
}

/// A test suite or a test case as one observation saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRun {
    /// Id, unique over all providers.
    pub test: String,
    /// Suite or case.
    pub level: TestLevel,
    /// Name of the suite or the case.
    #[serde(default)]
    pub name: Option<String>,
    /// Suite run it was part of.
    #[serde(default)]
    pub suite: Option<String>,
    /// Run it was part of.
    #[serde(default)]
    pub run: Option<RunId>,
    /// Task it was part of.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// Commit, as given.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Environment it ran in.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// How far it has come.
    pub phase: Phase,
    /// Set when it has finished.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The provider's severity of a failure.
    #[serde(default)]
    pub severity: Option<String>,
    /// The provider's reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// What started it.
    #[serde(default)]
    pub trigger: Trigger,
    /// How many cases there were.
    #[serde(default)]
    pub total: Option<i32>,
    /// How many passed.
    #[serde(default)]
    pub passed: Option<i32>,
    /// How many failed.
    #[serde(default)]
    pub failed: Option<i32>,
    /// How many were skipped.
    #[serde(default)]
    pub skipped: Option<i32>,
    /// When it was queued.
    #[serde(default)]
    pub queued_at: Option<Timestamp>,
    /// When it started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

impl PipelineRun {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(run: RunId, attempt: i32, pipeline: String, phase: Phase) -> Self {
        Self {
            run,
            attempt,
            repository: None,
            pipeline,
            definition: None,
            number: None,
            phase,
            outcome: None,
            reason: None,
            commit: None,
            ref_name: None,
            trigger: Trigger::Unknown,
            triggered_by: Actor::default(),
            changes: Vec::new(),
            parent_run: None,
            environment: None,
            created_at: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
            url: None,
        }
    }
}

impl Step {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(number: i32, name: String) -> Self {
        Self { number, name, outcome: None, started_at: None, finished_at: None }
    }
}

impl TaskRun {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(task: TaskId, attempt: i32, name: String, kind: TaskKind, phase: Phase) -> Self {
        Self {
            task,
            run: None,
            attempt,
            repository: None,
            name,
            kind,
            phase,
            outcome: None,
            reason: None,
            commit: None,
            ref_name: None,
            environment: None,
            manual: false,
            started_by: Actor::default(),
            allowed_to_fail: false,
            runner_group: None,
            runner_labels: Vec::new(),
            needs: Vec::new(),
            steps: Vec::new(),
            created_at: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
            url: None,
        }
    }
}

impl Build {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(build: String, phase: Phase) -> Self {
        Self {
            build,
            repository: None,
            run: None,
            commit: None,
            artifact: None,
            phase,
            outcome: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
            url: None,
        }
    }
}

impl TestRun {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(test: String, level: TestLevel, phase: Phase) -> Self {
        Self {
            test,
            level,
            name: None,
            suite: None,
            run: None,
            task: None,
            commit: None,
            environment: None,
            phase,
            outcome: None,
            severity: None,
            reason: None,
            trigger: Trigger::Unknown,
            total: None,
            passed: None,
            failed: None,
            skipped: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
            url: None,
        }
    }
}
