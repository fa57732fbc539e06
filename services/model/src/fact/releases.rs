//! Rows of `releases`.

use serde::{Deserialize, Serialize};

use crate::{CommitId, Component, DeploymentId, Millis, Realm, Repository, Timestamp, Version};

/// Kind of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseKind {
    /// The first one seen: its history is unknown and gives no lead time.
    Baseline,
    /// It ships new commits.
    Regular,
    /// It ships new commits, none of them from the default branch: cut from what production already had.
    Hotfix,
    /// Everything it ships changes configuration only, by the names and folders of the files.
    Configuration,
    /// Everything it ships changes dependencies only, by the names of the files.
    Dependencies,
    /// It brings an older version back and ships nothing new.
    Rollback,
    /// It ships nothing new.
    Redeploy,
    /// It has not reached production.
    #[default]
    Unfinished,
}

impl ReleaseKind {
    /// The word that stands for it in the tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Regular => "regular",
            Self::Hotfix => "hotfix",
            Self::Configuration => "configuration",
            Self::Dependencies => "dependencies",
            Self::Rollback => "rollback",
            Self::Redeploy => "redeploy",
            Self::Unfinished => "unfinished",
        }
    }
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
    /// Working time within the lead time, by the calendar of the component; null without a calendar.
    #[serde(default)]
    pub lead_time_working: Option<Millis>,
    /// The part of `coding` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub coding_working: Option<Millis>,
    /// The part of `review` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub review_working: Option<Millis>,
    /// The part of `merge_to_build` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub merge_to_build_working: Option<Millis>,
    /// The part of `queue` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub queue_working: Option<Millis>,
    /// The part of `build_and_test` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub build_and_test_working: Option<Millis>,
    /// The part of `gate_wait` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub gate_wait_working: Option<Millis>,
    /// The part of `batch_wait` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub batch_wait_working: Option<Millis>,
    /// The part of `hand_off` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub hand_off_working: Option<Millis>,
    /// The part of `deploy` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub deploy_working: Option<Millis>,
    /// The part of `unaccounted` in working time, by the calendar of the component; null without one.
    #[serde(default)]
    pub unaccounted_working: Option<Millis>,
    /// Part of `review`: until the first review by somebody else.
    #[serde(default)]
    pub review_pickup: Option<Millis>,
    /// Part of `review`: from there to the last approval.
    #[serde(default)]
    pub review_approval: Option<Millis>,
    /// Part of `review`: from there to the merge. The three parts make `review`.
    #[serde(default)]
    pub review_merge: Option<Millis>,
    /// Shipped in answer to trouble that an earlier release of the component caused: a rollback, a hotfix, or what came to
    /// production while an incident attributed to the component was open and resolved it.
    #[serde(default)]
    pub rework: bool,
    /// It degraded production: an incident is attributed to it, or it was rolled back.
    #[serde(default)]
    pub failed: bool,
    /// Incidents attributed to it.
    pub incidents: i32,
    /// When production had recovered from its failure: its incidents were over, or another version had replaced it; null
    /// where it did not fail or has not recovered.
    #[serde(default)]
    pub recovered_at: Option<Timestamp>,
    /// From the first sign of its failure to there.
    #[serde(default)]
    pub recovery: Option<Millis>,
    /// A person took it out of the figures.
    #[serde(default)]
    pub excluded: bool,
    /// Page at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}

/// Names of the segments of a span, in the order of the way: the columns of `releases` and `release_commits`.
pub const SEGMENTS: [&str; 10] = [
    "coding",
    "review",
    "batch_wait",
    "merge_to_build",
    "queue",
    "build_and_test",
    "gate_wait",
    "hand_off",
    "deploy",
    "unaccounted",
];

impl ReleaseFact {
    /// The segments in the order of [`SEGMENTS`].
    #[must_use]
    pub const fn segments(&self) -> [Option<Millis>; 10] {
        [
            self.coding,
            self.review,
            self.batch_wait,
            self.merge_to_build,
            self.queue,
            self.build_and_test,
            self.gate_wait,
            self.hand_off,
            self.deploy,
            self.unaccounted,
        ]
    }
}
