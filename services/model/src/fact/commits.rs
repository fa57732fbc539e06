//! Rows of `release_commits`.

use serde::{Deserialize, Serialize};

use crate::event::{ActorKind, Tier};
use crate::{ChangeId, CommitId, Component, DeploymentId, Environment, Millis, Realm, Timestamp, Version};

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

/// What a commit's author time is taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nobody told a time.
    #[default]
    Unknown,
    /// Its own author time.
    Authored,
    /// Its commit time, since no author time was told.
    Committed,
    /// The earliest of the commits that were squashed into it.
    Squashed,
    /// The commit that it was picked from.
    Picked,
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
    /// What its author time is taken from.
    pub origin: Origin,
    /// Commit that it was picked from, as a trailer or the same patch tells.
    #[serde(default)]
    pub picked_from: Option<CommitId>,
    /// Commit that it reverts.
    #[serde(default)]
    pub reverts: Option<CommitId>,
    /// Commit that reverted it, by the time of this row's deployment or later.
    #[serde(default)]
    pub reverted_by: Option<CommitId>,
    /// Segment of its way to production: from the author time to the opening of the change, or to the merge without one; null elsewhere.
    #[serde(default)]
    pub coding: Option<Millis>,
    /// Segment of its way to production: from the opening of the change to its merge; null elsewhere.
    #[serde(default)]
    pub review: Option<Millis>,
    /// Segment of its way to production: from the merge to the first build of the release; null elsewhere.
    #[serde(default)]
    pub merge_to_build: Option<Millis>,
    /// Segment of its way to production: nothing ran, a build waited for a runner; null elsewhere.
    #[serde(default)]
    pub queue: Option<Millis>,
    /// Segment of its way to production: a build or a test ran; null elsewhere.
    #[serde(default)]
    pub build_and_test: Option<Millis>,
    /// Segment of its way to production: nothing ran, a gate was closed; null elsewhere.
    #[serde(default)]
    pub gate_wait: Option<Millis>,
    /// Segment of its way to production: merged, waiting for the commit that was released, or built, waiting for its release; null elsewhere.
    #[serde(default)]
    pub batch_wait: Option<Millis>,
    /// Segment of its way to production: between one environment and the next; null elsewhere.
    #[serde(default)]
    pub hand_off: Option<Millis>,
    /// Segment of its way to production: a deployment ran; null elsewhere.
    #[serde(default)]
    pub deploy: Option<Millis>,
    /// Segment of its way to production: what no event explains; null elsewhere.
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
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}
