//! Rows of `incidents` and `incident_attributions`.

use serde::{Deserialize, Serialize};

use crate::event::ActorKind;
use crate::{Component, DeploymentId, Environment, IncidentId, Millis, Realm, Timestamp, Version};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Noticed, and nobody has taken it on.
    #[default]
    Detected,
    /// Somebody is on it.
    Acknowledged,
    /// Over.
    Resolved,
    /// It turned out to be another one.
    Merged,
    /// It was none.
    Retracted,
}

/// How well it is known which release an incident belongs to, the best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A person said so.
    Said,
    /// The incident names the deployment, the release or the change.
    Explicit,
    /// The incident names an artifact or a commit of it.
    Commit,
    /// It was the last to come to a service of the incident, within the window of the component.
    Window,
    /// Nothing ties it to a release.
    #[default]
    Unattributed,
}

/// An incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Id.
    pub incident: IncidentId,
    /// When it was noticed; before that is told, the first sign of it.
    pub at: Timestamp,
    /// Where it stands.
    pub state: IncidentState,
    /// Number or key shown to people.
    #[serde(default)]
    pub number: Option<String>,
    /// Severity by the provider's name.
    #[serde(default)]
    pub severity: Option<String>,
    /// Priority by the provider's name.
    #[serde(default)]
    pub priority: Option<String>,
    /// Services by the provider's names.
    #[serde(default)]
    pub services: Vec<String>,
    /// Components that they mean.
    #[serde(default)]
    pub components: Vec<Component>,
    /// Environment.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// Kinds and labels by the provider's names.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// When the trouble began, where told.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it was noticed.
    #[serde(default)]
    pub detected_at: Option<Timestamp>,
    /// When somebody first took it on.
    #[serde(default)]
    pub acknowledged_at: Option<Timestamp>,
    /// When it was over for good; null while it is not.
    #[serde(default)]
    pub resolved_at: Option<Timestamp>,
    /// How many times it turned out not to be over.
    pub reopened: i32,
    /// The one that remains, where it was merged.
    #[serde(default)]
    pub merged_into: Option<IncidentId>,
    /// A monitor or a person noticed.
    pub detected_by: ActorKind,
    /// From the beginning, else from when it was noticed, to the first acknowledgement.
    #[serde(default)]
    pub time_to_acknowledge: Option<Millis>,
    /// From the beginning, else from when it was noticed, to the end.
    #[serde(default)]
    pub time_to_restore: Option<Millis>,
    /// The best grade among its attributions.
    pub grade: Grade,
    /// To how many releases it is attributed.
    pub attributions: i32,
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

/// An incident and a release that may have caused it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentAttributionFact {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Component.
    pub component: Component,
    /// Version of the release.
    pub version: Version,
    /// Incident.
    pub incident: IncidentId,
    /// When it was noticed.
    pub at: Timestamp,
    /// How well that is known.
    pub grade: Grade,
    /// How many releases it is attributed to with this grade: more than one, and none of them is certain.
    pub candidates: i32,
    /// Deployment that brought the release to production.
    #[serde(default)]
    pub deployment: Option<DeploymentId>,
    /// From the finish of that deployment to the beginning of the incident, else to when it was noticed.
    #[serde(default)]
    pub after_deployment: Option<Millis>,
    /// Ids of the events it rests on.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Page of the incident at the provider.
    #[serde(default)]
    pub link: Option<String>,
    /// Generation and sequence: of one identity the highest counts.
    pub revision: i64,
    /// The fact no longer holds.
    #[serde(default)]
    pub deleted: bool,
}
