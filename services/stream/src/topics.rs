//! The one table of all topics.
//!
//! A topic is known in code by a reference into this table (`&topics::INBOX`). Its name in Kafka is the configured prefix
//! and [`Topic::name`], see [`crate::KafkaConfig::topic_name`].

use std::fmt;

const MIB: u32 = 1024 * 1024;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// One topic: what it is called, how it is keyed and how Kafka keeps it.
#[derive(Debug)]
pub struct Topic {
    /// The name without the installation's prefix.
    pub name: &'static str,
    /// What the key of a record is made of, for people.
    pub key: &'static str,
    /// Where the number of partitions comes from.
    pub partitions: Partitions,
    /// What happens to old records.
    pub cleanup: Cleanup,
    /// How long a record is kept where `cleanup` deletes.
    pub retention: Retention,
    /// The largest record, in bytes.
    pub max_message_bytes: u32,
    /// Whose clock stamps a record.
    pub timestamps: Timestamps,
}

/// Which setting gives the number of partitions of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitions {
    /// `partitions.inbox`.
    Inbox,
    /// `partitions.events`, and always the same number as the other topics that say so: partition *n* of each belongs to
    /// one correlator.
    CoPartitioned,
    /// `partitions.events`, for the load alone: nothing is joined on the number.
    Facts,
}

/// What Kafka does with old records (`cleanup.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// They are deleted after the retention.
    Delete,
    /// The last record of each key is kept.
    Compact,
    /// The last record of each key is kept, and deleted after the retention; a tombstone forgets it sooner.
    CompactAndDelete,
}

/// How long records are kept (`retention.ms`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// For good: the log is the source of truth. A shorter one is refused at start.
    Forever,
    /// Milliseconds when the topic is made; what an operator sets afterwards stands.
    Default(i64),
}

/// Whose clock stamps a record (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    /// The producer's.
    Create,
    /// The broker's on arrival: imported history is then as young as it is new to us, and does not expire on arrival.
    LogAppend,
}

impl Cleanup {
    /// The value of `cleanup.policy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Cleanup::Delete => "delete",
            Cleanup::Compact => "compact",
            Cleanup::CompactAndDelete => "compact,delete",
        }
    }
}

impl Retention {
    /// The value of `retention.ms`.
    pub fn millis(self) -> i64 {
        match self {
            Retention::Forever => -1,
            Retention::Default(millis) => millis,
        }
    }
}

impl Timestamps {
    /// The value of `message.timestamp.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Timestamps::Create => "CreateTime",
            Timestamps::LogAppend => "LogAppendTime",
        }
    }
}

/// Bodies as they were received. GitHub sends up to 25 MB.
pub static INBOX: Topic = Topic {
    name: "inbox",
    key: "source and delivery id, or a hash of the body",
    partitions: Partitions::Inbox,
    cleanup: Cleanup::CompactAndDelete,
    retention: Retention::Default(90 * DAY_MS),
    max_message_bytes: 32 * MIB,
    timestamps: Timestamps::LogAppend,
};

/// What could not be read, with the reason. The limit leaves room for the reason beside the largest body.
pub static DEAD_LETTERS: Topic = Topic {
    name: "dead-letters",
    key: "the key in the inbox",
    partitions: Partitions::Inbox,
    cleanup: Cleanup::Delete,
    retention: Retention::Default(90 * DAY_MS),
    max_message_bytes: 33 * MIB,
    timestamps: Timestamps::LogAppend,
};

/// What the front door has seen of each source, and the gaps that it knows of: JSON, for the reconciler and for people.
pub static SOURCES: Topic = Topic {
    name: "sources",
    key: "kind of record, and what it is of",
    partitions: Partitions::Inbox,
    cleanup: Cleanup::CompactAndDelete,
    retention: Retention::Default(90 * DAY_MS),
    max_message_bytes: MIB,
    timestamps: Timestamps::Create,
};

/// Events of changes, commits, pipelines, builds, tests, artifacts and deployments.
pub static CI_EVENTS: Topic = kept_for_good("ci.events");
/// Events of approvals.
pub static APPROVAL_EVENTS: Topic = kept_for_good("approval.events");
/// Events of incidents.
pub static INCIDENT_EVENTS: Topic = kept_for_good("incident.events");
/// What people picked and corrected.
pub static REVIEW_EVENTS: Topic = kept_for_good("review.events");
/// The catalog, the horizon, baselines: versioned control records.
pub static CONTROL: Topic = kept_for_good("control");

/// The correlator's state.
pub static CHANGELOG: Topic = Topic {
    name: "changelog",
    key: "realm and entity",
    partitions: Partitions::CoPartitioned,
    cleanup: Cleanup::Compact,
    retention: Retention::Forever,
    max_message_bytes: 8 * MIB,
    timestamps: Timestamps::Create,
};

/// What the correlator consumes: co-partitioned, so that partition *n* of each belongs to one instance.
pub static EVENTS: [&Topic; 5] = [&CI_EVENTS, &APPROVAL_EVENTS, &INCIDENT_EVENTS, &REVIEW_EVENTS, &CONTROL];

/// One topic for each table of facts. A line makes one more.
pub static FACTS: [Topic; 12] = [
    facts("facts.releases"),
    facts("facts.deployments"),
    facts("facts.release_commits"),
    facts("facts.gate_waits"),
    facts("facts.builds"),
    facts("facts.components"),
    facts("facts.build_failures"),
    facts("facts.manual_steps"),
    facts("facts.incidents"),
    facts("facts.incident_attributions"),
    facts("facts.rollup_hourly"),
    facts("facts.rollup_daily"),
];

/// Every topic there is.
pub fn all() -> impl Iterator<Item = &'static Topic> {
    [&INBOX, &DEAD_LETTERS, &SOURCES].into_iter().chain(EVENTS).chain([&CHANGELOG]).chain(&FACTS)
}

/// The topic of this name (without prefix), if there is one.
pub fn find(name: &str) -> Option<&'static Topic> {
    all().find(|topic| topic.name == name)
}

/// The topic of the facts of this table (`releases` for `facts.releases`), if there is one.
pub fn facts_of(table: &str) -> Option<&'static Topic> {
    FACTS.iter().find(|topic| topic.name.strip_prefix("facts.") == Some(table))
}

const fn kept_for_good(name: &'static str) -> Topic {
    Topic {
        name,
        key: "realm",
        partitions: Partitions::CoPartitioned,
        cleanup: Cleanup::Delete,
        retention: Retention::Forever,
        max_message_bytes: 8 * MIB,
        timestamps: Timestamps::Create,
    }
}

const fn facts(name: &'static str) -> Topic {
    Topic {
        name,
        key: "realm and entity",
        partitions: Partitions::Facts,
        cleanup: Cleanup::Delete,
        retention: Retention::Default(30 * DAY_MS),
        max_message_bytes: 8 * MIB,
        timestamps: Timestamps::Create,
    }
}

impl PartialEq for Topic {
    fn eq(&self, other: &Topic) -> bool {
        self.name == other.name
    }
}

impl Eq for Topic {}

impl std::hash::Hash for Topic {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_fit_kafka() {
        let mut seen = HashSet::new();
        for topic in all() {
            assert!(seen.insert(topic.name), "{topic} stands twice in the table");
            assert!(topic.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{topic}");
            assert_eq!(find(topic.name), Some(topic));
        }
        assert_eq!(facts_of("gate_waits").map(|topic| topic.name), Some("facts.gate_waits"));
        assert_eq!(facts_of("changelog"), None);
    }

    #[test]
    fn the_log_that_state_is_rebuilt_from_is_kept_for_good() {
        for topic in EVENTS {
            assert_eq!((topic.partitions, topic.cleanup), (Partitions::CoPartitioned, Cleanup::Delete), "{topic}");
            assert_eq!(topic.retention.millis(), -1, "{topic}");
        }
        assert_eq!((CHANGELOG.partitions, CHANGELOG.cleanup), (Partitions::CoPartitioned, Cleanup::Compact));
    }

    #[test]
    fn imported_history_does_not_expire_on_arrival() {
        assert_eq!(INBOX.timestamps, Timestamps::LogAppend);
        assert_eq!(INBOX.cleanup.as_str(), "compact,delete");
        assert!(INBOX.max_message_bytes < DEAD_LETTERS.max_message_bytes);
    }
}
