//! Records of the inbox to records of the other topics.

use std::mem;

use model::codec::{self, DecodeError};
use model::event::{Body, Event};
use model::inbox::{DeadLetter, InboxRecord, Stage};
use model::schema::Subject;
use model::{Source, Timestamp};
use stream::worker::Processor;
use stream::{Output, Record, Topic, topics};

use super::adapters::Adapters;
use super::metrics::{End, Metrics, Settled};
use super::outcome::{Outcome, normalise};
use crate::people::People;
use crate::{chain, clock};

/// A reason may quote what the sender wrote; a dead letter must fit its topic beside the body.
const LONGEST_REASON: usize = 16 * 1024;

/// What Kafka's own framing adds to a record, with room to spare.
const FRAMING: usize = 1024;

/// What stands where an unreadable record tells nothing.
const UNKNOWN: &str = "unknown";

/// Why normalise stops. Bad input is never a reason: it becomes a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum NormaliseError {
    /// Another instance writes what this one cannot read yet.
    #[error("inbox partition {partition}, offset {offset}: written by a newer version; upgrade this instance")]
    Newer {
        /// Partition of the inbox.
        partition: i32,
        /// Offset in it.
        offset: i64,
        /// The schema in question.
        #[source]
        source: DecodeError,
    },
    /// A defect of ours.
    #[error("inbox partition {partition}, offset {offset}: the dead letter cannot be written")]
    DeadLetter {
        /// Partition of the inbox.
        partition: i32,
        /// Offset in it.
        offset: i64,
        /// What the encoder said.
        #[source]
        source: codec::EncodeError,
    },
}

/// Reads the inbox and writes events, or dead letters. Stateless but for what waits to be counted.
pub struct Normaliser {
    adapters: Adapters,
    people: People,
    metrics: Metrics,
    /// Outcomes of the transaction at hand.
    settled: Vec<Settled>,
}

impl Normaliser {
    /// Reads by these adapters.
    #[must_use]
    pub const fn new(adapters: Adapters, people: People, metrics: Metrics) -> Self {
        Self { adapters, people, metrics, settled: Vec::new() }
    }

    /// Brings one record to its outcome.
    fn settle(&mut self, record: Record, out: &mut Vec<Output>) -> Result<(), NormaliseError> {
        let place = (record.partition, record.offset);
        let consumed = Consumed { place, settled: &mut self.settled, metrics: &self.metrics, done: false };
        match read(record, &self.adapters, &self.people) {
            Ok(read) => {
                out.extend(read.outputs);
                consumed.end(read.settled);
                Ok(())
            }
            Err(error) => {
                consumed.left_for_later();
                Err(error)
            }
        }
    }
}

/// A record of the inbox, read.
pub(crate) struct Read {
    /// Id of the delivery.
    pub(crate) delivery: String,
    /// Version of the adapter that read it; 0 where there is none.
    pub(crate) adapter: i32,
    /// How it ended.
    pub(crate) settled: Settled,
    /// What is written for it: events, a dead letter.
    pub(crate) outputs: Vec<Output>,
}

/// Reads a record of the inbox: what it comes to, and what is written for it.
pub(crate) fn read(record: Record, adapters: &Adapters, people: &People) -> Result<Read, NormaliseError> {
    let Some(payload) = &record.payload else {
        let (source, received_at) = (source_of(&record), Timestamp(record.timestamp));
        let end = End::Ignored("forgotten on request".to_owned());
        let settled = Settled { source, received_at, kinds: Vec::new(), end };
        return Ok(Read { delivery: delivery_of(&record), adapter: 0, settled, outputs: Vec::new() });
    };
    let place = (record.partition, record.offset);
    let delivery: InboxRecord = match codec::decode(payload) {
        Ok(delivery) => delivery,
        Err(source @ DecodeError::UnknownSchema { .. }) => {
            return Err(NormaliseError::Newer { partition: place.0, offset: place.1, source });
        }
        Err(error) => return dead(place, undecodable(record, &chain(&error)), Written::default()),
    };
    let adapter = adapters.get(&delivery.provider).map_or(0, |adapter| adapter.version_for(&delivery.source));
    let (events, reason) = match normalise(&delivery, adapters, people) {
        Outcome::Ignored(reason) => {
            let InboxRecord { source, received_at, delivery, .. } = delivery;
            let settled = Settled { source, received_at, kinds: Vec::new(), end: End::Ignored(reason) };
            return Ok(Read { delivery, adapter, settled, outputs: Vec::new() });
        }
        Outcome::Events(events) => (events, None),
        Outcome::Dead { reason, events, .. } => (events, Some(reason)),
    };
    match (Written::of(events), reason) {
        (Ok(Written { kinds, outputs }), None) => {
            let InboxRecord { source, received_at, delivery, .. } = delivery;
            Ok(Read { delivery, adapter, settled: Settled { source, received_at, kinds, end: End::Events }, outputs })
        }
        (Ok(written), Some(reason)) => dead(place, dead_letter(&record, delivery, adapter, &reason), written),
        (Err(also), reason) => {
            let reason = reason.map_or(also.clone(), |reason| format!("{reason}; {also}"));
            dead(place, dead_letter(&record, delivery, adapter, &reason), Written::default())
        }
    }
}

/// What could be read of a delivery, and its letter, under the key that the delivery has in the inbox.
fn dead((partition, offset): (i32, i64), letter: DeadLetter, readable: Written) -> Result<Read, NormaliseError> {
    let key = format!("{}/{}", letter.source, letter.delivery);
    let payload = codec::encode(&letter).map_err(|source| NormaliseError::DeadLetter { partition, offset, source })?;
    let outputs = std::iter::once(Output::new(&topics::DEAD_LETTERS, key, payload)).chain(readable.outputs).collect();
    let DeadLetter { source, received_at, delivery, adapter, .. } = letter;
    let end = End::Dead { delivery: delivery.clone() };
    Ok(Read { delivery, adapter, settled: Settled { source, received_at, kinds: readable.kinds, end }, outputs })
}

impl Processor for Normaliser {
    type Error = NormaliseError;

    fn process(&mut self, records: Vec<Record>, out: &mut Vec<Output>) -> Result<(), NormaliseError> {
        // Where the last transaction was left behind without a word, its records come again.
        self.settled.clear();
        let consumed = records.len();
        for record in records {
            self.settle(record, out)?;
        }
        debug_assert_eq!(consumed, self.settled.len(), "every record has one outcome");
        Ok(())
    }

    fn committed(&mut self) {
        self.metrics.committed(mem::take(&mut self.settled), clock::now());
    }

    fn aborted(&mut self) {
        self.settled.clear();
    }
}

/// A record on its way to its one outcome. Each way out takes it by value, so there cannot be two; dropped without one, by an
/// early return or a panic, it reports itself.
#[must_use]
struct Consumed<'a> {
    place: (i32, i64),
    settled: &'a mut Vec<Settled>,
    metrics: &'a Metrics,
    done: bool,
}

impl Consumed<'_> {
    fn end(mut self, settled: Settled) {
        self.settled.push(settled);
        self.done = true;
    }

    /// The whole batch will be read again.
    fn left_for_later(mut self) {
        self.done = true;
    }
}

impl Drop for Consumed<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.metrics.unsettled(self.place.0, self.place.1);
        }
    }
}

/// Events as they will be written.
#[derive(Default)]
struct Written {
    kinds: Vec<&'static str>,
    outputs: Vec<Output>,
}

impl Written {
    fn of(events: Vec<Event<Body>>) -> Result<Self, String> {
        let kinds = events.iter().map(|event| event.body.kind()).collect();
        let outputs: Result<_, _> = events.into_iter().map(output).collect();
        Ok(Self { kinds, outputs: outputs? })
    }
}

/// An event for its topic. The key is the realm and the event topics have equally many partitions: all events of a realm are in
/// the partition of the same number.
fn output(event: Event<Body>) -> Result<Output, String> {
    let (realm, index, kind) = (event.realm.clone(), event.index, event.body.kind());
    let (subject, payload) =
        codec::encode_event(event).map_err(|e| format!("event {index} ({kind}): {}", chain(&e)))?;
    let topic = topic_of(subject).ok_or_else(|| format!("event {index} ({kind}): no topic `{}`", subject.topic()))?;
    let size = realm.as_str().len() + payload.len() + FRAMING;
    if size > topic.max_message_bytes as usize {
        let limit = topic.max_message_bytes;
        return Err(format!("event {index} ({kind}) takes {size} bytes, and {topic} no more than {limit}"));
    }
    Ok(Output::new(topic, realm.as_str(), payload))
}

fn topic_of(subject: Subject) -> Option<&'static Topic> {
    topics::find(subject.topic())
}

fn dead_letter(record: &Record, delivery: InboxRecord, adapter: i32, reason: &str) -> DeadLetter {
    let InboxRecord { source, realm, provider, delivery, event, content_type, headers, received_at, body } = delivery;
    DeadLetter {
        stage: Stage::Normalise,
        reason: cut(reason),
        adapter,
        source,
        realm,
        provider,
        delivery,
        event,
        content_type,
        headers,
        received_at,
        topic: record.topic.name.to_owned(),
        partition: record.partition,
        offset: record.offset,
        body,
    }
}

/// The dead letter of what is not even an inbox record: source and delivery by its key, the body as it was found.
fn undecodable(record: Record, reason: &str) -> DeadLetter {
    let source = source_of(&record);
    let delivery = delivery_of(&record);
    DeadLetter {
        stage: Stage::Normalise,
        reason: cut(reason),
        adapter: 0,
        source,
        realm: UNKNOWN.into(),
        provider: UNKNOWN.to_owned(),
        delivery,
        event: None,
        content_type: None,
        headers: Default::default(),
        received_at: Timestamp(record.timestamp),
        topic: record.topic.name.to_owned(),
        partition: record.partition,
        offset: record.offset,
        body: record.payload.unwrap_or_default().into(),
    }
}

fn source_of(record: &Record) -> Source {
    key_of(record).map_or(UNKNOWN, |(source, _)| source).into()
}

fn delivery_of(record: &Record) -> String {
    key_of(record).map_or(UNKNOWN, |(_, delivery)| delivery).to_owned()
}

/// Source and delivery as the key has them.
fn key_of(record: &Record) -> Option<(&str, &str)> {
    std::str::from_utf8(record.key.as_deref()?).ok()?.split_once('/')
}

fn cut(reason: &str) -> String {
    if reason.len() <= LONGEST_REASON {
        return reason.to_owned();
    }
    let end = (0..=LONGEST_REASON).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    format!("{} … (cut)", &reason[..end])
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;

    fn unsettled(let_go: impl FnOnce(Consumed<'_>)) -> u64 {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let_go(Consumed { place: (0, 7), settled: &mut Vec::new(), metrics: &metrics, done: false });
        metrics.unsettled_records()
    }

    #[test]
    fn a_record_let_go_without_an_outcome_reports_itself() {
        assert_eq!(unsettled(|consumed| drop(consumed)), 1);
        let end = End::Ignored("why".to_owned());
        let settled = Settled { source: "s".into(), received_at: Timestamp(0), kinds: Vec::new(), end };
        assert_eq!(unsettled(|consumed| consumed.end(settled)), 0);
        assert_eq!(unsettled(|consumed| consumed.left_for_later()), 0);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let long = format!("a{}", "é".repeat(LONGEST_REASON));
        assert_eq!(cut(&long), format!("a{} … (cut)", "é".repeat(LONGEST_REASON / 2 - 1)));
        assert_eq!(cut("short"), "short");
    }
}
