//! Facts: the rows of the tables, each with its identity, its revision, and whether it still holds.

use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, EncodeError};
use crate::schema::Subject;

use crate::event::{ActorKind, GateKind, Outcome, Phase, Tier, Trigger};
use crate::{
    ChangeId, CommitId, Component, DeploymentId, Environment, GateId, Millis, Realm, Repository, RunId, Timestamp,
    Version,
};

/// Kind of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseKind {
    /// The first one seen: its history is unknown and gives no lead time.
    Baseline,
    /// It ships new commits.
    Regular,
    /// It brings an older version back and ships nothing new.
    Rollback,
    /// It ships nothing new.
    Redeploy,
    /// It has not reached production.
    #[default]
    Unfinished,
}

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

/// How it is known that a commit is part of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lineage {
    /// It is the deployed commit itself.
    #[default]
    Deployed,
    /// By parent links.
    Parents,
    /// By the order of a push.
    Push,
}

/// A release: one component at one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReleaseFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Deployed tag, else full commit id.
    pub version: Version,
    /// Finish in production; before that, the first sign of the release.
    pub at: Timestamp,
    /// Team that owns the component.
    #[serde(default)]
    pub team: Option<String>,
    /// Repository.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Commit deployed; null while unknown.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Kind.
    pub kind: ReleaseKind,
    /// Finish of the first successful production deployment; null before.
    #[serde(default)]
    pub production_at: Option<Timestamp>,
    /// That deployment.
    #[serde(default)]
    pub deployment: Option<DeploymentId>,
    /// Commits it was the first to ship to production.
    pub commits: i32,
    /// Every one of them is known; else figures are not shorter than the truth, and marked.
    pub commits_complete: bool,
    /// Those of them written by automation accounts.
    pub machine_commits: i32,
    /// Median over its commits (lower median) from author time to production; null where it ships nothing new.
    #[serde(default)]
    pub lead_time: Option<Millis>,
    /// Longest over its commits.
    #[serde(default)]
    pub lead_time_longest: Option<Millis>,
    /// Median over its commits from merge to production, where the merge is known.
    #[serde(default)]
    pub merge_to_production: Option<Millis>,
    /// Commit whose span the segments describe.
    #[serde(default)]
    pub median_commit: Option<CommitId>,
    /// Segment: from the author time to the opening of the change, or to the merge without one.
    #[serde(default)]
    pub coding: Option<Millis>,
    /// Segment: from the opening of the change to its merge.
    #[serde(default)]
    pub review: Option<Millis>,
    /// Segment: from the merge to the first build of the release.
    #[serde(default)]
    pub merge_to_build: Option<Millis>,
    /// Segment: nothing ran, a build waited for a runner.
    #[serde(default)]
    pub queue: Option<Millis>,
    /// Segment: a build or a test ran.
    #[serde(default)]
    pub build_and_test: Option<Millis>,
    /// Segment: nothing ran, a gate was closed.
    #[serde(default)]
    pub gate_wait: Option<Millis>,
    /// Segment: merged, waiting for the commit that was released, or built, waiting for its release.
    #[serde(default)]
    pub batch_wait: Option<Millis>,
    /// Segment: between one environment and the next.
    #[serde(default)]
    pub hand_off: Option<Millis>,
    /// Segment: a deployment ran.
    #[serde(default)]
    pub deploy: Option<Millis>,
    /// Segment: what no event explains.
    #[serde(default)]
    pub unaccounted: Option<Millis>,
    /// Lead time less the segments: not zero where clocks disagree.
    #[serde(default)]
    pub clock_correction: Option<Millis>,
    /// Page at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
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

/// A commit and the deployment that first brought it to an environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReleaseCommitFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Environment.
    pub environment: Environment,
    /// Commit.
    pub commit: CommitId,
    /// Finish of that deployment.
    pub at: Timestamp,
    /// Version that it was part of.
    pub version: Version,
    /// That deployment.
    pub deployment: DeploymentId,
    /// What the environment is for.
    pub tier: Tier,
    /// Part of the first deployment seen: no lead time.
    pub baseline: bool,
    /// Author time; of the earliest commit squashed.
    #[serde(default)]
    pub authored_at: Option<Timestamp>,
    /// Commit time.
    #[serde(default)]
    pub committed_at: Option<Timestamp>,
    /// When its change was merged, or it was pushed.
    #[serde(default)]
    pub merged_at: Option<Timestamp>,
    /// From author time to that finish; null for the baseline or an unknown author time, negative where clocks
    /// disagree.
    #[serde(default)]
    pub lead_time: Option<Millis>,
    /// Human or machine.
    pub author_kind: ActorKind,
    /// Change that brought it in.
    #[serde(default)]
    pub change: Option<ChangeId>,
    /// How it is known to be part.
    pub lineage: Lineage,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}

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
    /// Page at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}

/// A component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ComponentFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Team that owns it.
    #[serde(default)]
    pub team: Option<String>,
    /// Repository.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Paths that belong to it; empty for the whole repository.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Named by the catalog; else a repository or a service taken as one.
    pub declared: bool,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $kind:ident($row:ident): $subject:ident [$($key:ident: $type:ty),*];)*) => {
        /// A fact of any table.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Fact {
            $($(#[$doc])* $kind($row),)*
        }

        /// What makes a fact the same fact over all its revisions: the sort key of its table without the realm.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Identity {
            $($(#[$doc])* $kind {
                $(#[doc = concat!("Column `", stringify!($key), "`.")] $key: $type,)*
            },)*
        }

        impl Fact {
            /// Table that it is a row of, and so its topic.
            #[must_use]
            pub const fn subject(&self) -> Subject {
                match self { $(Self::$kind(_) => Subject::$subject,)* }
            }

            /// Its identity.
            #[must_use]
            pub fn identity(&self) -> Identity {
                match self { $(Self::$kind(row) => Identity::$kind { $($key: row.$key.clone(),)* },)* }
            }

            /// Whether it takes back what lower revisions of it said.
            #[must_use]
            pub const fn is_deleted(&self) -> bool {
                match self { $(Self::$kind(row) => row.deleted,)* }
            }

            /// Sets the revision.
            pub fn set_revision(&mut self, revision: i64) {
                match self { $(Self::$kind(row) => row.revision = revision,)* }
            }

            /// Writes it with the latest schema of its table.
            ///
            /// # Errors
            /// As [`crate::codec::encode`].
            pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
                match self { $(Self::$kind(row) => crate::codec::encode(row),)* }
            }

            /// Reads a fact of the given table; [`crate::codec::decode_fact`] is its name outside.
            pub(crate) fn decode(subject: Subject, bytes: &[u8]) -> Result<Self, DecodeError> {
                Ok(match subject {
                    $(Subject::$subject => Self::$kind(crate::codec::decode(bytes)?),)*
                    other => return Err(DecodeError::NoFacts(other.topic())),
                })
            }
        }

        impl Identity {
            /// Table that it belongs to.
            #[must_use]
            pub const fn subject(&self) -> Subject {
                match self { $(Self::$kind { .. } => Subject::$subject,)* }
            }

            /// Component that it belongs to.
            #[must_use]
            pub const fn component(&self) -> &Component {
                match self { $(Self::$kind { component, .. } => component,)* }
            }

            /// The row that says that the fact no longer holds: its identity, everything else empty.
            #[must_use]
            pub fn tombstone(self, realm: Realm, revision: i64) -> Fact {
                match self {
                    $(Self::$kind { $($key),* } => Fact::$kind($row { realm, revision, deleted: true, $($key,)* ..Default::default() }),)*
                }
            }
        }

        $(impl From<$row> for Fact {
            fn from(row: $row) -> Self { Self::$kind(row) }
        })*
    };
}

facts! {
    /// Table `releases`.
    Release(ReleaseFact): Releases [component: Component, version: Version, at: Timestamp];
    /// Table `deployments`.
    Deployment(DeploymentFact): Deployments [component: Component, environment: Environment, deployment: DeploymentId, at: Timestamp];
    /// Table `release_commits`.
    ReleaseCommit(ReleaseCommitFact): ReleaseCommits [component: Component, environment: Environment, commit: CommitId, at: Timestamp];
    /// Table `gate_waits`.
    GateWait(GateWaitFact): GateWaits [component: Component, gate: GateId, at: Timestamp];
    /// Table `builds`.
    Build(BuildFact): Builds [component: Component, run: RunId, attempt: i32, at: Timestamp];
    /// Table `components`.
    Component(ComponentFact): Components [component: Component];
}
