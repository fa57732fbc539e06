//! The schemas of `schemas/avro`, and the append-only index that gives each its id.
//!
//! A record in Kafka is in Confluent's wire format: a zero byte, the id of the schema it was written with (four bytes, big
//! endian), the Avro body. Ids stand in `schemas/avro/index.json`; a line there is never changed or removed, since records with
//! that id are kept for years.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A kind of record: it has one topic, and one schema that is written at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// Deliveries as they came.
    #[serde(rename = "inbox")]
    Inbox,
    /// What could not be read.
    #[serde(rename = "dead-letters")]
    DeadLetters,
    /// Continuous integration and deployment.
    #[serde(rename = "ci.events")]
    CiEvents,
    /// Approvals and other gates.
    #[serde(rename = "approval.events")]
    ApprovalEvents,
    /// Incidents.
    #[serde(rename = "incident.events")]
    IncidentEvents,
    /// What people say, on the review page or by a command.
    #[serde(rename = "review.events")]
    ReviewEvents,
    /// What steers the derivation.
    #[serde(rename = "control")]
    Control,
    /// Table `releases`.
    #[serde(rename = "facts.releases")]
    Releases,
    /// Table `deployments`.
    #[serde(rename = "facts.deployments")]
    Deployments,
    /// Table `release_commits`.
    #[serde(rename = "facts.release_commits")]
    ReleaseCommits,
    /// Table `gate_waits`.
    #[serde(rename = "facts.gate_waits")]
    GateWaits,
    /// Table `builds`.
    #[serde(rename = "facts.builds")]
    Builds,
    /// Table `components`.
    #[serde(rename = "facts.components")]
    Components,
    /// Table `build_failures`.
    #[serde(rename = "facts.build_failures")]
    BuildFailures,
    /// Table `manual_steps`.
    #[serde(rename = "facts.manual_steps")]
    ManualSteps,
    /// Table `incidents`.
    #[serde(rename = "facts.incidents")]
    Incidents,
    /// Table `incident_attributions`.
    #[serde(rename = "facts.incident_attributions")]
    IncidentAttributions,
    /// Table `rollup_hourly`.
    #[serde(rename = "facts.rollup_hourly")]
    RollupHourly,
    /// Table `rollup_daily`.
    #[serde(rename = "facts.rollup_daily")]
    RollupDaily,
}

impl Subject {
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 19] = [
        Self::Inbox,
        Self::DeadLetters,
        Self::CiEvents,
        Self::ApprovalEvents,
        Self::IncidentEvents,
        Self::ReviewEvents,
        Self::Control,
        Self::Releases,
        Self::Deployments,
        Self::ReleaseCommits,
        Self::GateWaits,
        Self::Builds,
        Self::Components,
        Self::BuildFailures,
        Self::ManualSteps,
        Self::Incidents,
        Self::IncidentAttributions,
        Self::RollupHourly,
        Self::RollupDaily,
    ];

    /// Name of its topic, without the prefix of the installation.
    #[must_use]
    pub const fn topic(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::DeadLetters => "dead-letters",
            Self::CiEvents => "ci.events",
            Self::ApprovalEvents => "approval.events",
            Self::IncidentEvents => "incident.events",
            Self::ReviewEvents => "review.events",
            Self::Control => "control",
            Self::Releases => "facts.releases",
            Self::Deployments => "facts.deployments",
            Self::ReleaseCommits => "facts.release_commits",
            Self::GateWaits => "facts.gate_waits",
            Self::Builds => "facts.builds",
            Self::Components => "facts.components",
            Self::BuildFailures => "facts.build_failures",
            Self::ManualSteps => "facts.manual_steps",
            Self::Incidents => "facts.incidents",
            Self::IncidentAttributions => "facts.incident_attributions",
            Self::RollupHourly => "facts.rollup_hourly",
            Self::RollupDaily => "facts.rollup_daily",
        }
    }

    /// Subject of that topic.
    #[must_use]
    pub fn of_topic(topic: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.topic() == topic)
    }
}

/// One line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexLine {
    /// Id in the wire format, unique over all subjects.
    pub id: u32,
    /// Subject it belongs to.
    pub subject: Subject,
    /// Version within the subject, from 1.
    pub version: u32,
    /// File under `schemas/avro`.
    pub file: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
}

/// A schema with its place in the index.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Place in the index.
    pub line: IndexLine,
    /// Text of the file.
    pub text: &'static str,
}

/// Texts by file name; the index says what they are.
const FILES: &[(&str, &str)] = &[
    ("inbox.avsc", include_str!("../../../schemas/avro/inbox.avsc")),
    ("dead-letters.avsc", include_str!("../../../schemas/avro/dead-letters.avsc")),
    ("ci.events.avsc", include_str!("../../../schemas/avro/ci.events.avsc")),
    ("approval.events.avsc", include_str!("../../../schemas/avro/approval.events.avsc")),
    ("incident.events.avsc", include_str!("../../../schemas/avro/incident.events.avsc")),
    ("review.events.avsc", include_str!("../../../schemas/avro/review.events.avsc")),
    ("control.avsc", include_str!("../../../schemas/avro/control.avsc")),
    ("facts.releases.avsc", include_str!("../../../schemas/avro/facts.releases.avsc")),
    ("facts.deployments.avsc", include_str!("../../../schemas/avro/facts.deployments.avsc")),
    ("facts.release_commits.avsc", include_str!("../../../schemas/avro/facts.release_commits.avsc")),
    ("facts.gate_waits.avsc", include_str!("../../../schemas/avro/facts.gate_waits.avsc")),
    ("facts.builds.avsc", include_str!("../../../schemas/avro/facts.builds.avsc")),
    ("facts.components.avsc", include_str!("../../../schemas/avro/facts.components.avsc")),
    ("facts.build_failures.avsc", include_str!("../../../schemas/avro/facts.build_failures.avsc")),
    ("facts.manual_steps.avsc", include_str!("../../../schemas/avro/facts.manual_steps.avsc")),
    ("facts.incidents.avsc", include_str!("../../../schemas/avro/facts.incidents.avsc")),
    ("facts.incident_attributions.avsc", include_str!("../../../schemas/avro/facts.incident_attributions.avsc")),
    ("facts.rollup_hourly.avsc", include_str!("../../../schemas/avro/facts.rollup_hourly.avsc")),
    ("facts.rollup_daily.avsc", include_str!("../../../schemas/avro/facts.rollup_daily.avsc")),
];

static ALL: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let lines: Vec<IndexLine> =
        serde_json::from_str(include_str!("../../../schemas/avro/index.json")).unwrap_or_default();
    let text = |file: &str| FILES.iter().find(|(name, _)| *name == file).map(|(_, text)| *text);
    lines.into_iter().filter_map(|line| text(&line.file).map(|text| Schema { line, text })).collect()
});

/// All schemas there ever were, by id.
#[must_use]
pub fn all() -> &'static [Schema] {
    &ALL
}

/// The schema with that id.
#[must_use]
pub fn by_id(id: u32) -> Option<&'static Schema> {
    ALL.iter().find(|schema| schema.line.id == id)
}

/// The versions of a subject, oldest first.
pub fn versions(subject: Subject) -> impl Iterator<Item = &'static Schema> {
    ALL.iter().filter(move |schema| schema.line.subject == subject)
}

/// The schema that records of the subject are written with.
#[must_use]
pub fn latest(subject: Subject) -> Option<&'static Schema> {
    versions(subject).last()
}
