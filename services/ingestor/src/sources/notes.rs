//! The topic `sources`, written and read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use model::{Source, Timestamp};
use stream::producer::{IngestProducer, SendError};
use stream::scan::{ScanError, read_all, read_since};
use stream::topics::SOURCES;
use stream::{KafkaConfig, Record};

use super::record::{Gap, Seen, SourceRecord};

/// Writes records of the topic `sources`. Clones share one producer.
#[derive(Clone)]
pub struct Notes {
    producer: IngestProducer,
}

/// Why a record is not in the topic.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// A defect of ours.
    #[error("what is known of a source cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// Kafka does not have it, or did not say so in time.
    #[error("what is known of a source is not in Kafka")]
    Send(#[from] SendError),
}

impl Notes {
    /// Writes by this producer.
    #[must_use]
    pub const fn new(producer: IngestProducer) -> Self {
        Self { producer }
    }

    /// Whether Kafka was reached a moment ago.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.producer.is_available()
    }

    /// Writes a record.
    ///
    /// # Errors
    /// Where Kafka does not have it.
    pub async fn write(&self, record: &SourceRecord) -> Result<(), NoteError> {
        let payload = serde_json::to_vec(record)?;
        self.producer.send(&SOURCES, record.key().as_bytes(), &payload, &[]).await?;
        Ok(())
    }

    /// Forgets a gap.
    ///
    /// # Errors
    /// Where Kafka does not have it.
    pub async fn forget(&self, gap: &Gap) -> Result<(), NoteError> {
        self.producer.forget(&SOURCES, gap.key().as_bytes()).await?;
        Ok(())
    }
}

/// What the topic says.
#[derive(Clone, Debug, Default)]
pub struct Known {
    records: BTreeMap<String, SourceRecord>,
}

impl Known {
    /// Reads the topic from its beginning. Blocks.
    ///
    /// # Errors
    /// Where Kafka does not answer.
    pub fn read(kafka: &KafkaConfig) -> Result<Self, ScanError> {
        let mut known = Self::default();
        read_all(kafka, &SOURCES, |record| known.visit(record))?;
        Ok(known)
    }

    /// Reads what was written since then. Blocks.
    ///
    /// # Errors
    /// Where Kafka does not answer.
    pub fn read_on(&mut self, kafka: &KafkaConfig, since: Timestamp) -> Result<(), ScanError> {
        read_since(kafka, &SOURCES, since.0, |record| self.visit(record))?;
        Ok(())
    }

    fn visit(&mut self, record: Record) -> ControlFlow<()> {
        let key = record.key.and_then(|key| String::from_utf8(key).ok());
        match (key, record.payload) {
            (Some(key), Some(payload)) => {
                // What a newer version has to say besides is not for this one.
                if let Ok(record) = serde_json::from_slice::<SourceRecord>(&payload) {
                    self.records.insert(key, record);
                }
            }
            (Some(key), None) => drop(self.records.remove(&key)),
            (None, _) => {}
        }
        ControlFlow::Continue(())
    }

    /// Notes what was written.
    pub(crate) fn set(&mut self, gap: Gap) {
        self.records.insert(gap.key(), SourceRecord::Gap(gap));
    }

    /// Notes that a gap was forgotten.
    pub(crate) fn unset(&mut self, gap: &Gap) {
        self.records.remove(&gap.key());
    }

    /// When a front door was last known to be open.
    #[must_use]
    pub fn alive_at(&self) -> Option<Timestamp> {
        let alive = self.records.values().filter_map(|record| match record {
            SourceRecord::Alive(alive) => Some(alive.at),
            _ => None,
        });
        alive.max()
    }

    /// What each front door has seen of a source.
    #[must_use]
    pub fn seen(&self, source: &str) -> Vec<&Seen> {
        self.all_seen().filter(|seen| seen.source.as_str() == source).collect()
    }

    /// What was seen of any source.
    pub fn all_seen(&self) -> impl Iterator<Item = &Seen> {
        self.records.values().filter_map(|record| match record {
            SourceRecord::Seen(seen) => Some(seen),
            _ => None,
        })
    }

    /// The gaps of a source, the oldest first.
    #[must_use]
    pub fn gaps(&self, source: &str) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = self.all_gaps().filter(|gap| gap.source.as_str() == source).cloned().collect();
        gaps.sort_by_key(|gap| gap.interval);
        gaps
    }

    /// The gaps of all sources.
    pub fn all_gaps(&self) -> impl Iterator<Item = &Gap> {
        self.records.values().filter_map(|record| match record {
            SourceRecord::Gap(gap) => Some(gap),
            _ => None,
        })
    }

    /// Names of the sources of which anything is known.
    #[must_use]
    pub fn sources(&self) -> std::collections::BTreeSet<Source> {
        self.all_seen().map(|seen| seen.source.clone()).chain(self.all_gaps().map(|gap| gap.source.clone())).collect()
    }
}
