//! What is stored together: batches of several partitions, as rows of their tables.

use model::codec;
use model::fact::Fact;
use model::schema::Subject;
use stream::Record;
use stream::reader::Batch;
use warehouse::{RowError, Rows, Table, Watermark};

/// Why a record is no fact. It stops the loader: nothing may be skipped, and facts are our own.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A topic without a table.
    #[error("topic {0} fills no table: this version is older than what writes it; upgrade the loader first")]
    NoTable(&'static str),
    /// A tombstone.
    #[error("the record at offset {offset} of {topic} partition {partition} is empty: nothing of ours writes that")]
    Empty {
        /// Topic without the prefix of the installation.
        topic: &'static str,
        /// Partition.
        partition: i32,
        /// Offset.
        offset: i64,
    },
    /// Bytes that cannot be read.
    #[error("the record at offset {offset} of {topic} partition {partition} cannot be read")]
    Unreadable {
        /// Topic without the prefix of the installation.
        topic: &'static str,
        /// Partition.
        partition: i32,
        /// Offset.
        offset: i64,
        /// What is wrong with it.
        #[source]
        source: codec::DecodeError,
    },
    /// See [`RowError`].
    #[error("the record at offset {offset} of {topic} partition {partition} fits no row")]
    Row {
        /// Topic without the prefix of the installation.
        topic: &'static str,
        /// Partition.
        partition: i32,
        /// Offset.
        offset: i64,
        /// What is wrong with it.
        #[source]
        source: RowError,
    },
}

/// Rows of one table with the topic, partitions and offsets they come from.
pub(crate) struct Part {
    pub(crate) rows: Rows,
    pub(crate) origin: String,
}

/// Batches as they are stored.
#[derive(Default)]
pub(crate) struct Load {
    /// Rows that hold, by table.
    pub(crate) kept: Vec<Part>,
    /// Rows that take others back. They come second, so that a fact that moved stands twice for a moment and is never missing.
    pub(crate) deleted: Vec<Part>,
    /// How far the tables are filled afterwards.
    pub(crate) watermarks: Vec<Watermark>,
    /// When the oldest record was written to Kafka, milliseconds since 1970.
    pub(crate) oldest: Option<i64>,
}

impl Load {
    /// Reads all records of the batches.
    pub(crate) fn decode(batches: &[Batch]) -> Result<Load, DecodeError> {
        let mut load = Load::default();
        for table in Table::all() {
            let of_table: Vec<&Batch> = batches.iter().filter(|b| b.topic.name == table.subject.topic()).collect();
            if of_table.is_empty() {
                continue;
            }
            let (mut kept, mut deleted) = (Rows::new(table), Rows::new(table));
            for record in of_table.iter().flat_map(|batch| &batch.records) {
                let fact = decode(table.subject, record)?;
                let rows = if fact.is_deleted() { &mut deleted } else { &mut kept };
                let (topic, partition, offset) = (record.topic.name, record.partition, record.offset);
                rows.push(&fact).map_err(|source| DecodeError::Row { topic, partition, offset, source })?;
            }
            let origin = origin(table.subject.topic(), &of_table);
            for (rows, parts) in [(kept, &mut load.kept), (deleted, &mut load.deleted)] {
                if !rows.is_empty() {
                    parts.push(Part { rows, origin: origin.clone() });
                }
            }
        }
        for batch in batches {
            if Subject::of_topic(batch.topic.name).and_then(Table::of).is_none() {
                return Err(DecodeError::NoTable(batch.topic.name));
            }
            load.watermarks.push(watermark(batch));
        }
        load.oldest = batches.iter().flat_map(|batch| &batch.records).map(|record| record.timestamp).min();
        Ok(load)
    }
}

/// `facts.builds/0:100-250,3:7-9`.
fn origin(topic: &str, batches: &[&Batch]) -> String {
    let mut ranges: Vec<String> =
        batches.iter().map(|b| format!("{}:{}-{}", b.partition, b.first_offset, b.last_offset)).collect();
    ranges.sort_unstable();
    format!("{topic}/{}", ranges.join(","))
}

fn watermark(batch: &Batch) -> Watermark {
    Watermark {
        topic: batch.topic.name,
        partition: batch.partition,
        next_offset: batch.last_offset.saturating_add(1),
        written_at: batch.records.iter().map(|record| record.timestamp).max().unwrap_or(0),
    }
}

fn decode(subject: Subject, record: &Record) -> Result<Fact, DecodeError> {
    let (topic, partition, offset) = (record.topic.name, record.partition, record.offset);
    let Some(bytes) = &record.payload else {
        return Err(DecodeError::Empty { topic, partition, offset });
    };
    codec::decode_fact(subject, bytes).map_err(|source| DecodeError::Unreadable { topic, partition, offset, source })
}

#[cfg(test)]
mod tests {
    use model::fact::ComponentFact;

    use super::*;

    fn record(subject: Subject, payload: Option<Vec<u8>>) -> Record {
        let topic = stream::topics::find(subject.topic()).unwrap();
        Record { topic, partition: 2, offset: 7, timestamp: 0, key: None, payload, headers: vec![] }
    }

    #[test]
    fn every_topic_of_facts_is_read_and_fills_a_table() {
        for topic in &stream::topics::FACTS {
            let subject = Subject::of_topic(topic.name).unwrap();
            assert!(Table::of(subject).is_some(), "{topic}");
            // The wrong id, and not the wrong topic: there is a reader for it.
            let error = decode(subject, &record(subject, Some(vec![0, 0, 0, 0x27, 0x0f]))).unwrap_err();
            let unknown = codec::DecodeError::UnknownSchema { id: 9999 }.to_string();
            assert!(
                matches!(error, DecodeError::Unreadable { source, .. } if source.to_string() == unknown),
                "{topic}"
            );
        }
        assert_eq!(stream::topics::FACTS.len(), Table::all().len());
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_place() {
        let empty = decode(Subject::Builds, &record(Subject::Builds, None)).unwrap_err().to_string();
        let fact = Fact::Component(ComponentFact::default()).encode().unwrap();
        let wrong = decode(Subject::Builds, &record(Subject::Builds, Some(fact))).unwrap_err().to_string();
        for error in [empty, wrong] {
            assert!(error.contains("offset 7 of facts.builds partition 2"), "{error}");
        }
    }
}
