//! Events of incidents: topic `incident.events`.

use serde::{Deserialize, Serialize};

use super::common::{Actor, References};
use crate::{Environment, IncidentId, Timestamp};

/// An incident as one observation saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Id, unique over all providers.
    pub incident: IncidentId,
    /// Number or key shown to people.
    #[serde(default)]
    pub number: Option<String>,
    /// Severity by the provider's name.
    #[serde(default)]
    pub severity: Option<String>,
    /// Priority by the provider's name.
    #[serde(default)]
    pub priority: Option<String>,
    /// Services by the provider's names, sorted.
    #[serde(default)]
    pub services: Vec<String>,
    /// Environment by the provider's name.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// Kinds and labels by the provider's names, sorted.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// What it names as its cause or its object: explicit links.
    #[serde(default)]
    pub about: Vec<References>,
    /// When the trouble began, where told.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// It was noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentDetected {
    /// The incident.
    pub incident: Incident,
    /// When; the event's own time where null.
    #[serde(default)]
    pub detected_at: Option<Timestamp>,
    /// A monitor or a person.
    #[serde(default)]
    pub detected_by: Actor,
}

/// Somebody took it on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentAcknowledged {
    /// The incident.
    pub incident: Incident,
    /// When; the event's own time where null.
    #[serde(default)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    #[serde(default)]
    pub acknowledged_by: Actor,
}

/// Its details changed: severity, services, links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentUpdated {
    /// The incident.
    pub incident: Incident,
    /// When; the event's own time where null.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
}

/// It is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentResolved {
    /// The incident.
    pub incident: Incident,
    /// When; the event's own time where null.
    #[serde(default)]
    pub resolved_at: Option<Timestamp>,
    /// Who.
    #[serde(default)]
    pub resolved_by: Actor,
}

/// It was not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentReopened {
    /// The incident.
    pub incident: Incident,
    /// When; the event's own time where null.
    #[serde(default)]
    pub reopened_at: Option<Timestamp>,
}

/// It turned out to be another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentMerged {
    /// The incident.
    pub incident: Incident,
    /// The one that remains.
    pub into: IncidentId,
    /// When; the event's own time where null.
    #[serde(default)]
    pub merged_at: Option<Timestamp>,
}

/// It was none: a false alarm, a test, a mistake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentRetracted {
    /// The incident.
    pub incident: Incident,
    /// When; the event's own time where null.
    #[serde(default)]
    pub retracted_at: Option<Timestamp>,
}

/// What an incident event tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum IncidentBody {
    /// Noticed.
    #[serde(alias = "throughline.IncidentDetected")]
    IncidentDetected(IncidentDetected),
    /// Taken on.
    #[serde(alias = "throughline.IncidentAcknowledged")]
    IncidentAcknowledged(IncidentAcknowledged),
    /// Details changed.
    #[serde(alias = "throughline.IncidentUpdated")]
    IncidentUpdated(IncidentUpdated),
    /// Over.
    #[serde(alias = "throughline.IncidentResolved")]
    IncidentResolved(IncidentResolved),
    /// Not over.
    #[serde(alias = "throughline.IncidentReopened")]
    IncidentReopened(IncidentReopened),
    /// Another one.
    #[serde(alias = "throughline.IncidentMerged")]
    IncidentMerged(IncidentMerged),
    /// None.
    #[serde(alias = "throughline.IncidentRetracted")]
    IncidentRetracted(IncidentRetracted),
}

impl Incident {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(incident: IncidentId) -> Self {
        Self {
            incident,
            number: None,
            severity: None,
            priority: None,
            services: Vec::new(),
            environment: None,
            kinds: Vec::new(),
            about: Vec::new(),
            started_at: None,
            url: None,
        }
    }
}
