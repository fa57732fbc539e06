//! What people say, on the review page or by a command: topic `review.events`.

use serde::{Deserialize, Serialize};

use super::common::Actor;
use crate::{Component, IncidentId, Timestamp, Version};

/// Where an improvement belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Sequence, hand-offs, who approves.
    Process,
    /// Runners, environments, deployment tooling.
    Platform,
    /// Gates, criteria, conditions.
    Policy,
}

/// A release: a component at a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseRef {
    /// Component.
    pub component: Component,
    /// Version.
    pub version: Version,
}

/// A team picked the one change to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImprovementPicked {
    /// Release whose review proposed it.
    pub release: ReleaseRef,
    /// Id of the improvement.
    pub improvement: String,
    /// Id of the finding it answers.
    pub finding: String,
    /// Where it belongs.
    pub layer: Layer,
    /// Who picked it.
    #[serde(default)]
    pub picked_by: Actor,
    /// What the team wants to keep in mind.
    #[serde(default)]
    pub note: Option<String>,
}

/// The change was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImprovementDone {
    /// Component.
    pub component: Component,
    /// Id of the improvement.
    pub improvement: String,
    /// When; the event's own time where null.
    #[serde(default)]
    pub done_at: Option<Timestamp>,
    /// Who says so.
    #[serde(default)]
    pub done_by: Actor,
}

/// The change will not be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImprovementDropped {
    /// Component.
    pub component: Component,
    /// Id of the improvement.
    pub improvement: String,
    /// Who says so.
    #[serde(default)]
    pub dropped_by: Actor,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// A person says which release an incident belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributionCorrected {
    /// The incident.
    pub incident: IncidentId,
    /// The release; null when it belongs to none.
    #[serde(default)]
    pub release: Option<ReleaseRef>,
    /// The release it was attributed to, taken back; null to take back none.
    #[serde(default)]
    pub previous: Option<ReleaseRef>,
    /// Who says so.
    #[serde(default)]
    pub corrected_by: Actor,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// A release is left out of the figures, or taken back in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseExcluded {
    /// The release.
    pub release: ReleaseRef,
    /// Left out, or taken back in.
    pub excluded: bool,
    /// Who says so.
    #[serde(default)]
    pub excluded_by: Actor,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// A person names what happened in a span of time that no system saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManualStepNamed {
    /// The release.
    pub release: ReleaseRef,
    /// What it was.
    pub name: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Who says so.
    #[serde(default)]
    pub named_by: Actor,
}

/// A team says what a gate is there to catch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatePurposeSaid {
    /// Component; null for every component that meets the gate.
    #[serde(default)]
    pub component: Option<Component>,
    /// Name of the gate.
    pub gate: String,
    /// Kinds of incident it is there to catch.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Who says so.
    #[serde(default)]
    pub said_by: Actor,
}

/// Somebody acknowledges a shift: what came since is the component's new usual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShiftAcknowledged {
    /// Component.
    pub component: Component,
    /// When; the event's own time where null.
    #[serde(default)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who says so.
    #[serde(default)]
    pub acknowledged_by: Actor,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// What people say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReviewBody {
    /// Picked.
    #[serde(alias = "throughline.ImprovementPicked")]
    ImprovementPicked(ImprovementPicked),
    /// Made.
    #[serde(alias = "throughline.ImprovementDone")]
    ImprovementDone(ImprovementDone),
    /// Dropped.
    #[serde(alias = "throughline.ImprovementDropped")]
    ImprovementDropped(ImprovementDropped),
    /// Attribution corrected.
    #[serde(alias = "throughline.AttributionCorrected")]
    AttributionCorrected(AttributionCorrected),
    /// Release left out.
    #[serde(alias = "throughline.ReleaseExcluded")]
    ReleaseExcluded(ReleaseExcluded),
    /// Manual step named.
    #[serde(alias = "throughline.ManualStepNamed")]
    ManualStepNamed(ManualStepNamed),
    /// Purpose of a gate said.
    #[serde(alias = "throughline.GatePurposeSaid")]
    GatePurposeSaid(GatePurposeSaid),
    /// Shift acknowledged.
    #[serde(alias = "throughline.ShiftAcknowledged")]
    ShiftAcknowledged(ShiftAcknowledged),
}
