//! Events of continuous integration and deployment: topic `ci.events`.

use serde::{Deserialize, Serialize};

use super::common::{Actor, CommitInfo, Outcome, Phase, Trigger};
use crate::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};

/// A branch moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Repository pushed to.
    pub repository: Repository,
    /// Full name: `refs/heads/main`.
    pub ref_name: String,
    /// Where the branch stood; null when it was created.
    #[serde(default)]
    pub before: Option<CommitId>,
    /// Where it stands; null when it was deleted.
    #[serde(default)]
    pub after: Option<CommitId>,
    /// Commits new to the branch, oldest first.
    #[serde(default)]
    pub commits: Vec<CommitInfo>,
    /// The provider left some of those commits out.
    #[serde(default)]
    pub commits_cut: bool,
    /// The branch did not move forward: `before` is not an ancestor of `after`.
    #[serde(default)]
    pub forced: bool,
    /// Default branch of the repository, without `refs/heads/`.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Who pushed.
    #[serde(default)]
    pub pushed_by: Actor,
}

/// Bare commits, learnt apart from any push: a clone, an import, an API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commits {
    /// Repository.
    pub repository: Repository,
    /// Commits, in any order.
    #[serde(default)]
    pub commits: Vec<CommitInfo>,
}

/// What happened to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// Opened.
    Opened,
    /// Opened again.
    Reopened,
    /// Commits or details changed.
    Updated,
    /// No draft any more: review can begin.
    Ready,
    /// A draft again.
    Drafted,
    /// A review was asked for.
    ReviewRequested,
    /// A request for review was taken back.
    ReviewWithdrawn,
    /// Put into the merge queue.
    Enqueued,
    /// Taken out of the merge queue.
    Dequeued,
    /// Merged.
    Merged,
    /// Closed without a merge.
    Abandoned,
}

/// State of a change after the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// Open.
    Open,
    /// Merged.
    Merged,
    /// Closed without a merge.
    Abandoned,
}

/// How a change was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// A merge commit with both histories.
    Merge,
    /// One new commit for all.
    Squash,
    /// New commits, one for each.
    Rebase,
    /// The same commits.
    FastForward,
}

/// A change (pull request, merge request) as it stands after an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Repository it is to be merged into.
    pub repository: Repository,
    /// Number within the repository.
    pub change: ChangeId,
    /// What happened.
    pub action: ChangeAction,
    /// State afterwards.
    pub state: ChangeState,
    /// A draft afterwards.
    #[serde(default)]
    pub draft: Option<bool>,
    /// Where the commits come from, when it is a fork.
    #[serde(default)]
    pub source_repository: Option<Repository>,
    /// Branch the commits come from.
    #[serde(default)]
    pub source_branch: Option<String>,
    /// Branch it is to be merged into.
    #[serde(default)]
    pub target_branch: Option<String>,
    /// Last commit of the change.
    #[serde(default)]
    pub head: Option<CommitId>,
    /// Commit of the target branch it was compared with.
    #[serde(default)]
    pub base: Option<CommitId>,
    /// Commit that brought it into the target; set on merged changes only.
    #[serde(default)]
    pub merge_commit: Option<CommitId>,
    /// How it was merged, where the provider tells.
    #[serde(default)]
    pub merge_method: Option<MergeMethod>,
    /// Its commits, oldest first, where the provider lists them.
    #[serde(default)]
    pub commits: Option<Vec<CommitId>>,
    /// How many commits it has.
    #[serde(default)]
    pub commit_count: Option<i32>,
    /// When it was opened.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it was merged.
    #[serde(default)]
    pub merged_at: Option<Timestamp>,
    /// When it was merged or closed.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// Who opened it.
    #[serde(default)]
    pub author: Actor,
    /// Who did this action.
    #[serde(default)]
    pub actor: Actor,
    /// Who merged it.
    #[serde(default)]
    pub merged_by: Actor,
    /// Labels, sorted.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Lines added.
    #[serde(default)]
    pub added_lines: Option<i32>,
    /// Lines deleted.
    #[serde(default)]
    pub deleted_lines: Option<i32>,
    /// Files changed.
    #[serde(default)]
    pub changed_files: Option<i32>,
}

/// Verdict of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Approved.
    Approved,
    /// Changes requested.
    ChangesRequested,
    /// Commented without a verdict.
    Commented,
    /// Withdrawn or overruled.
    Dismissed,
}

/// Somebody reviewed a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeReview {
    /// Repository of the change.
    pub repository: Repository,
    /// The change.
    pub change: ChangeId,
    /// Id of the review at the provider.
    pub review: String,
    /// Verdict.
    pub state: ReviewState,
    /// Commit that was reviewed.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// When it was submitted.
    #[serde(default)]
    pub submitted_at: Option<Timestamp>,
    /// Who reviewed.
    #[serde(default)]
    pub reviewer: Actor,
    /// The author of the change reviewed it.
    #[serde(default)]
    pub reviewer_is_author: Option<bool>,
}

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

/// What happened to a tag or the release published on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagAction {
    /// The tag was made or moved.
    Tagged,
    /// A release was published on it.
    Published,
    /// The release was taken back to a draft.
    Unpublished,
    /// The release or the tag was removed.
    Deleted,
}

/// A tag, or a release published on one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Repository.
    pub repository: Repository,
    /// Name without `refs/tags/`.
    pub tag: String,
    /// What happened.
    pub action: TagAction,
    /// Commit it points to; null when the provider did not tell.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch it was cut from, where told.
    #[serde(default)]
    pub target_branch: Option<String>,
    /// Marked as not for production.
    #[serde(default)]
    pub prerelease: Option<bool>,
    /// When the tag or the release was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When the release was published.
    #[serde(default)]
    pub published_at: Option<Timestamp>,
    /// Who did this.
    #[serde(default)]
    pub actor: Actor,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// What a CI event tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CiBody {
    /// A branch moved.
    #[serde(alias = "throughline.Push")]
    Push(Push),
    /// Bare commits.
    #[serde(alias = "throughline.Commits")]
    Commits(Commits),
    /// A change after an action.
    #[serde(alias = "throughline.Change")]
    Change(Change),
    /// A review of a change.
    #[serde(alias = "throughline.ChangeReview")]
    ChangeReview(ChangeReview),
    /// A run of a pipeline.
    #[serde(alias = "throughline.PipelineRun")]
    PipelineRun(PipelineRun),
    /// A task of a run, a check, a status.
    #[serde(alias = "throughline.TaskRun")]
    TaskRun(TaskRun),
    /// A build.
    #[serde(alias = "throughline.Build")]
    Build(Build),
    /// A test suite or case.
    #[serde(alias = "throughline.TestRun")]
    TestRun(TestRun),
    /// An artifact.
    #[serde(alias = "throughline.Artifact")]
    Artifact(Artifact),
    /// A deployment.
    #[serde(alias = "throughline.Deployment")]
    Deployment(Deployment),
    /// A tag or a published release.
    #[serde(alias = "throughline.Tag")]
    Tag(Tag),
}

impl Push {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, ref_name: String) -> Self {
        Self {
            repository,
            ref_name,
            before: None,
            after: None,
            commits: Vec::new(),
            commits_cut: false,
            forced: false,
            default_branch: None,
            pushed_by: Actor::default(),
        }
    }
}

impl Change {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, change: ChangeId, action: ChangeAction, state: ChangeState) -> Self {
        Self {
            repository,
            change,
            action,
            state,
            draft: None,
            source_repository: None,
            source_branch: None,
            target_branch: None,
            head: None,
            base: None,
            merge_commit: None,
            merge_method: None,
            commits: None,
            commit_count: None,
            created_at: None,
            merged_at: None,
            closed_at: None,
            author: Actor::default(),
            actor: Actor::default(),
            merged_by: Actor::default(),
            labels: Vec::new(),
            added_lines: None,
            deleted_lines: None,
            changed_files: None,
        }
    }
}

impl ChangeReview {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, change: ChangeId, review: String, state: ReviewState) -> Self {
        Self {
            repository,
            change,
            review,
            state,
            commit: None,
            submitted_at: None,
            reviewer: Actor::default(),
            reviewer_is_author: None,
        }
    }
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

impl Tag {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, tag: String, action: TagAction) -> Self {
        Self {
            repository,
            tag,
            action,
            commit: None,
            target_branch: None,
            prerelease: None,
            created_at: None,
            published_at: None,
            actor: Actor::default(),
            url: None,
        }
    }
}
