//! Facts: the rows of the tables, each with its identity, its revision, and whether it still holds.

mod builds;
mod commits;
mod deployments;
mod gates;
mod incidents;
mod releases;
mod rollups;
mod steps;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{DecodeError, EncodeError};
use crate::schema::Subject;
use crate::{
    CommitId, Component, DeploymentId, Environment, GateId, IncidentId, Realm, Repository, RunId, TaskId, Timestamp,
    Version,
};

pub use builds::*;
pub use commits::*;
pub use deployments::*;
pub use gates::*;
pub use incidents::*;
pub use releases::*;
pub use rollups::*;
pub use steps::*;

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
    /// When somebody acknowledged a shift, so that what came since is its new usual, in order; empty where nobody did.
    #[serde(default)]
    pub acknowledged: Vec<Timestamp>,
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

            /// The revision: of one identity the highest counts.
            #[must_use]
            pub const fn revision(&self) -> i64 {
                match self { $(Self::$kind(row) => row.revision,)* }
            }

            /// A row of the table that says nothing; none where the subject is no table.
            #[must_use]
            pub fn empty(subject: Subject) -> Option<Self> {
                match subject {
                    $(Subject::$subject => Some(Self::$kind($row::default())),)*
                    _ => None,
                }
            }

            /// Reads a row of the table from its columns; none where the subject is no table.
            ///
            /// # Errors
            /// Where the columns are not those of the table.
            pub fn from_columns<'de, D: Deserializer<'de>>(subject: Subject, columns: D) -> Result<Option<Self>, D::Error> {
                Ok(match subject {
                    $(Subject::$subject => Some(Self::$kind($row::deserialize(columns)?)),)*
                    _ => None,
                })
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

            /// The row that says that the fact no longer holds: its identity, everything else empty.
            #[must_use]
            pub fn tombstone(self, realm: Realm, revision: i64) -> Fact {
                match self {
                    $(Self::$kind { $($key),* } => Fact::$kind($row { realm, revision, deleted: true, $($key,)* ..Default::default() }),)*
                }
            }
        }

        /// As the columns of its table.
        impl Serialize for Fact {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$kind(row) => row.serialize(serializer),)* }
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
    /// Table `build_failures`.
    BuildFailure(BuildFailureFact): BuildFailures [component: Component, run: RunId, attempt: i32, task: TaskId, at: Timestamp];
    /// Table `manual_steps`.
    ManualStep(ManualStepFact): ManualSteps [component: Component, step: String, at: Timestamp];
    /// Table `incidents`.
    Incident(IncidentFact): Incidents [incident: IncidentId, at: Timestamp];
    /// Table `incident_attributions`.
    IncidentAttribution(IncidentAttributionFact): IncidentAttributions
        [component: Component, incident: IncidentId, version: Version, at: Timestamp];
    /// Table `rollup_hourly`.
    RollupHourly(RollupHourlyFact): RollupHourly
        [component: Component, environment: Environment, kind: String, at: Timestamp];
    /// Table `rollup_daily`.
    RollupDaily(RollupDailyFact): RollupDaily
        [component: Component, environment: Environment, kind: String, at: Timestamp];
    /// Table `components`.
    Component(ComponentFact): Components [component: Component];
}

impl Identity {
    /// Component that it belongs to; none for an incident, which may concern several.
    #[must_use]
    pub const fn component(&self) -> Option<&Component> {
        match self {
            Self::Release { component, .. }
            | Self::Deployment { component, .. }
            | Self::ReleaseCommit { component, .. }
            | Self::GateWait { component, .. }
            | Self::Build { component, .. }
            | Self::BuildFailure { component, .. }
            | Self::ManualStep { component, .. }
            | Self::IncidentAttribution { component, .. }
            | Self::RollupHourly { component, .. }
            | Self::RollupDaily { component, .. }
            | Self::Component { component } => Some(component),
            Self::Incident { .. } => None,
        }
    }
}
