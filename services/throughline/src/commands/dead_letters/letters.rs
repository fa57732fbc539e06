//! The letters that are left: of each delivery the last one, unless it was put back since.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use anyhow::Context;
use model::inbox::DeadLetter;
use model::{Bytes, Timestamp, codec};
use stream::{KafkaConfig, Record, scan, topics};

/// A letter, and when it was written.
pub struct Letter {
    pub letter: DeadLetter,
    pub died_at: Timestamp,
}

impl Letter {
    /// `source/delivery`, as in the inbox.
    pub fn id(&self) -> String {
        format!("{}/{}", self.letter.source, self.letter.delivery)
    }

    pub fn without_body(mut self) -> Self {
        self.letter.body = Bytes::default();
        self
    }
}

/// Visits the letters that are left, in no order. Bodies may be large: no more than one is held at a time.
pub fn visit(kafka: &KafkaConfig, mut visit: impl FnMut(Letter) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let left = last(kafka)?;
    let mut failed = None;
    scan::read_all(kafka, &topics::DEAD_LETTERS, |record| {
        let is_last = record.key.as_ref().and_then(|key| left.get(key)) == Some(&(record.partition, record.offset));
        let result = if is_last { read(&record).and_then(&mut visit) } else { Ok(()) };
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// How many letters are left, by their source.
pub fn count(kafka: &KafkaConfig) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    visit(kafka, |letter| {
        *counts.entry(letter.letter.source.as_str().to_owned()).or_default() += 1;
        Ok(())
    })?;
    Ok(counts)
}

/// Where the last letter of each delivery stands; a tombstone says that it was put back.
fn last(kafka: &KafkaConfig) -> anyhow::Result<HashMap<Vec<u8>, (i32, i64)>> {
    let mut left = HashMap::new();
    scan::read_all(kafka, &topics::DEAD_LETTERS, |record| {
        let place = (record.partition, record.offset);
        match (record.key, record.payload) {
            (Some(key), Some(_)) => drop(left.insert(key, place)),
            (Some(key), None) => drop(left.remove(&key)),
            (None, _) => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(left)
}

fn read(record: &Record) -> anyhow::Result<Letter> {
    let payload = record.payload.as_deref().unwrap_or_default();
    let letter = codec::decode(payload).with_context(|| {
        format!("the dead letter at partition {}, offset {} cannot be read", record.partition, record.offset)
    })?;
    Ok(Letter { letter, died_at: Timestamp(record.timestamp) })
}
