//! Events of continuous integration and deployment: topic `ci.events`.

mod delivery;
mod runs;
mod source;

use serde::{Deserialize, Serialize};

pub use delivery::*;
pub use runs::*;
pub use source::*;

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
