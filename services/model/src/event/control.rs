//! Records that steer the derivation of a realm: topic `control`.

use serde::{Deserialize, Serialize};

use super::approval::GateKind;
use crate::{Component, Environment, Millis, Repository, Timestamp};

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogTeam {
    /// Name.
    pub team: String,
}

/// What counts as a deployment of a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkerKind {
    /// A deployment event.
    #[default]
    Deployment,
    /// A pipeline run of that name that succeeds.
    Pipeline,
    /// A task of that name that succeeds.
    Task,
    /// A tag.
    Tag,
    /// A published release.
    Release,
}

/// What counts as a deployment of a component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// Kind.
    pub kind: MarkerKind,
    /// Name to match, `*` for any run of characters; null for any.
    #[serde(default)]
    pub name: Option<String>,
    /// Environment it deploys to, where the marker does not say.
    #[serde(default)]
    pub environment: Option<Environment>,
}

/// A component: what is released and deployed as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogComponent {
    /// Name.
    pub component: Component,
    /// Team that owns it.
    #[serde(default)]
    pub team: Option<String>,
    /// Repository its commits come from.
    #[serde(default)]
    pub repository: Option<Repository>,
    /// Paths that belong to it, `*` and `**` as in git; empty for the whole repository.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Paths that do not.
    #[serde(default)]
    pub excluded_paths: Vec<String>,
    /// Names under which deployments and incidents speak of it.
    #[serde(default)]
    pub services: Vec<String>,
    /// What counts as its deployment: every marker of the kind named first, the others beside it say more; empty for deployment
    /// events.
    #[serde(default)]
    pub markers: Vec<Marker>,
    /// Production is reached at the first stage of a rollout, not at the full one.
    #[serde(default)]
    pub partial_counts: bool,
    /// How long after a deployment an incident may be its fault; null for the default.
    #[serde(default)]
    pub attribution_window: Option<Millis>,
    /// Its first deployment has no predecessor and yet counts as lead time.
    #[serde(default)]
    pub baseline_none: bool,
    /// Name of its calendar; null for the default.
    #[serde(default)]
    pub calendar: Option<String>,
}

/// What an environment is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// What users use.
    Production,
    /// The last one before production.
    Staging,
    /// Where changes first meet.
    Integration,
    /// Anything else.
    #[default]
    Other,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogEnvironment {
    /// Name that the tables show.
    pub environment: Environment,
    /// Names under which events speak of it, `*` for any run of characters.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it is for.
    pub tier: Tier,
}

/// A gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogGate {
    /// Name under which events speak of it, `*` for any run of characters.
    pub gate: String,
    /// Kind, where events do not say.
    #[serde(default)]
    pub kind: Option<GateKind>,
    /// Kinds of incident it is there to catch.
    #[serde(default)]
    pub purposes: Vec<String>,
}

/// Working time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogCalendar {
    /// Name.
    pub calendar: String,
    /// IANA time zone.
    pub zone: String,
    /// Days worked, 1 Monday to 7 Sunday.
    #[serde(default)]
    pub work_days: Vec<i32>,
    /// Minute of the day work begins.
    pub day_starts: i32,
    /// Minute of the day work ends.
    pub day_ends: i32,
    /// Days off, `YYYY-MM-DD`.
    #[serde(default)]
    pub holidays: Vec<String>,
}

/// The whole catalog of a realm; the highest revision counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Grows with each change.
    pub revision: i64,
    /// Teams.
    #[serde(default)]
    pub teams: Vec<CatalogTeam>,
    /// Components; where none names a repository, it is a component by itself.
    #[serde(default)]
    pub components: Vec<CatalogComponent>,
    /// Environments; where none matches, the name decides.
    #[serde(default)]
    pub environments: Vec<CatalogEnvironment>,
    /// Gates.
    #[serde(default)]
    pub gates: Vec<CatalogGate>,
    /// Calendars; the first is the default.
    #[serde(default)]
    pub calendars: Vec<CatalogCalendar>,
}

/// The first deployment of a component counts as lead time: its whole history is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineNone {
    /// Component.
    pub component: Component,
}

/// Rows older than this are frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// Everything that finished before is frozen.
    pub frozen_before: Timestamp,
}

/// What steers the derivation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ControlBody {
    /// The catalog.
    #[serde(alias = "throughline.Catalog")]
    Catalog(Catalog),
    /// No baseline.
    #[serde(alias = "throughline.BaselineNone")]
    BaselineNone(BaselineNone),
    /// Frozen rows.
    #[serde(alias = "throughline.Horizon")]
    Horizon(Horizon),
}
