//! One batch of events in, facts and changelog records out.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::time::Instant;

use correlation::{Applied, Realm, changelog};
use model::codec::{self, DecodeError, EncodeError};
use model::inbox::{DeadLetter, Stage};
use model::schema::Subject;
use model::{Bytes, Realm as RealmName, Source, Timestamp};
use stream::{Output, Record, Topic, topics};

use crate::internal_events::{self, Batch, Metrics};
use crate::restoring::{Partition, Restoring};

/// Version of the correlator in the dead letters that it writes.
const READER: i32 = 1;

/// Why a batch cannot be processed. None of it is the fault of an event: those go to the dead letters.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A newer version writes already.
    #[error("{topic}-{partition} at offset {offset}")]
    Newer {
        topic: &'static str,
        partition: i32,
        offset: i64,
        #[source]
        source: DecodeError,
    },
    /// A record could not be written or restored.
    #[error(transparent)]
    Realm(#[from] correlation::Error),
    /// See [`changelog::Error`].
    #[error(transparent)]
    Changelog(#[from] changelog::Error),
    /// A dead letter or a fact that does not fit its schema.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A fact of a table without a topic.
    #[error("there is no topic for table `{0}`: the table of topics is incomplete")]
    NoTopic(&'static str),
}

/// State of all realms of the partitions that this instance owns.
pub struct Processor {
    metrics: Metrics,
    partitions: BTreeMap<i32, Partition>,
    /// While state is read back.
    restoring: Option<Restoring>,
    /// Partitions whose state was read back and that were not asked for yet.
    ready: BTreeMap<i32, Result<Partition, Error>>,
    staged: Batch,
    /// Realms that the batch at hand touched, or of which something is left to be derived.
    touched: BTreeSet<(i32, RealmName)>,
    /// About the most records in one transaction.
    max_output: usize,
}

impl Processor {
    pub fn new(metrics: Metrics, max_output: usize) -> Self {
        Self {
            metrics,
            partitions: BTreeMap::new(),
            restoring: None,
            ready: BTreeMap::new(),
            staged: Batch::default(),
            touched: BTreeSet::new(),
            max_output,
        }
    }

    /// Gives up a restore that is not finished: what is assigned and revoked meanwhile is read back from its beginning.
    fn give_up_restore(&mut self) {
        self.restoring = None;
        self.ready.clear();
    }

    fn count(&mut self, source: Source, outcome: &'static str) {
        *self.staged.events.entry((source, outcome)).or_default() += 1;
    }

    fn ignore(&mut self, source: Source, reason: &'static str) {
        *self.staged.ignored.entry((source.clone(), reason)).or_default() += 1;
        self.count(source, "ignored");
    }

    fn take(&mut self, record: Record, out: &mut Vec<Output>) -> Result<(), Error> {
        let Some(payload) = &record.payload else {
            self.ignore(Source::default(), "a tombstone, which says nothing here");
            return Ok(());
        };
        let read = match Subject::of_topic(record.topic.name) {
            Some(subject) => codec::decode_event(subject, payload),
            None => Err(DecodeError::NoEvents(record.topic.name)),
        };
        let event = match read {
            Ok(event) => event,
            Err(source @ DecodeError::UnknownSchema { .. }) => {
                let Record { topic, partition, offset, .. } = record;
                return Err(Error::Newer { topic: topic.name, partition, offset, source });
            }
            Err(error) => {
                out.push(dead_letter(&record, payload, &error)?);
                self.count(Source::default(), "dead");
                return Ok(());
            }
        };
        let oldest = self.staged.oldest.get_or_insert(event.received_at);
        *oldest = (*oldest).min(event.received_at);
        let (name, source) = (event.realm.clone(), event.source.clone());
        let realms = &mut self.partitions.entry(record.partition).or_default().realms;
        let realm = realms.entry(name.clone()).or_insert_with(|| Realm::new(name.clone()));
        match realm.apply(event) {
            Applied::Applied => self.count(source, "applied"),
            Applied::NoNews => self.count(source, "no_news"),
            Applied::Waiting => self.count(source, "waiting"),
            Applied::Ignored(reason) => self.ignore(source, reason),
        }
        self.touched.insert((record.partition, name));
        Ok(())
    }

    fn derive(&mut self, out: &mut Vec<Output>) -> Result<(), Error> {
        for (partition, name) in std::mem::take(&mut self.touched) {
            let Some(realm) = self.partitions.get_mut(&partition).and_then(|p| p.realms.get_mut(&name)) else {
                continue;
            };
            // Without room left, what is known is written all the same, and what follows from it comes with the next transaction.
            let delta = realm.derive_at_most(self.max_output.saturating_sub(out.len()))?;
            if realm.has_more() {
                self.touched.insert((partition, name.clone()));
            }
            self.staged.corrections += delta.corrections as u64;
            self.staged.deletions += delta.deletions as u64;
            for emission in delta.facts {
                let table = emission.fact.subject().topic();
                let topic = topics::find(table).ok_or(Error::NoTopic(table))?;
                *self.staged.facts.entry(table).or_default() += 1;
                out.push(Output::new(topic, emission.key, emission.payload));
            }
            for record in delta.changelog {
                let output = match record.value {
                    Some(value) => Output::new(&topics::CHANGELOG, record.key, value),
                    None => Output::tombstone(&topics::CHANGELOG, record.key),
                };
                out.push(output.to_partition(partition));
            }
            internal_events::sizes(&self.metrics, name.as_str(), realm.sizes());
        }
        Ok(())
    }
}

/// An event that cannot be read, with what can be told of it.
fn dead_letter(record: &Record, payload: &[u8], error: &DecodeError) -> Result<Output, EncodeError> {
    let reason = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    internal_events::died(record.topic.name, record.partition, record.offset, &reason);
    let key = record.key.clone().unwrap_or_default();
    let letter = DeadLetter {
        stage: Stage::Correlate,
        reason,
        adapter: READER,
        source: "".into(),
        realm: RealmName::new(String::from_utf8_lossy(&key)),
        provider: String::new(),
        delivery: String::new(),
        event: None,
        content_type: None,
        headers: BTreeMap::new(),
        received_at: Timestamp(record.timestamp),
        topic: record.topic.name.to_owned(),
        partition: record.partition,
        offset: record.offset,
        body: Bytes::from(payload.to_vec()),
    };
    Ok(Output::new(&topics::DEAD_LETTERS, key, codec::encode(&letter)?))
}

impl stream::worker::Processor for Processor {
    type Error = Error;

    fn process(&mut self, records: Vec<Record>, out: &mut Vec<Output>) -> Result<(), Error> {
        self.staged = Batch::default();
        let started = Instant::now();
        for record in records {
            self.take(record, out)?;
        }
        self.staged.applying = started.elapsed();
        let started = Instant::now();
        self.derive(out)?;
        self.staged.deriving = started.elapsed();
        Ok(())
    }

    fn committed(&mut self) {
        internal_events::committed(&self.metrics, &std::mem::take(&mut self.staged));
    }

    fn aborted(&mut self) {
        self.staged = Batch::default();
        self.touched.clear();
        self.partitions.clear();
        self.give_up_restore();
    }

    fn has_more(&self) -> bool {
        !self.touched.is_empty()
    }

    fn reached(&mut self, topic: &'static Topic, partition: i32, next: i64) {
        let realms = self.partitions.get_mut(&partition).into_iter().flat_map(|partition| &mut partition.realms);
        for (name, realm) in realms {
            if realm.reached(topic.name, next) {
                internal_events::caught_up(name.as_str(), realm.generation());
                self.touched.insert((partition, name.clone()));
            }
        }
    }

    fn assigned(&mut self, partition: i32) {
        self.give_up_restore();
        self.partitions.insert(partition, Partition::default());
    }

    fn revoked(&mut self, partition: i32) {
        self.give_up_restore();
        self.touched.retain(|(of, _)| *of != partition);
        for realm in self.partitions.remove(&partition).unwrap_or_default().realms.keys() {
            internal_events::given_back(&self.metrics, realm.as_str());
        }
    }

    fn restore(&mut self, partition: i32, key: &[u8], payload: Option<&[u8]>) -> Result<(), Error> {
        self.restoring.get_or_insert_with(Restoring::new).record(partition, key, payload);
        Ok(())
    }

    fn restored(&mut self, partition: i32) -> Result<(), Error> {
        if let Some(restoring) = self.restoring.take() {
            self.ready.extend(restoring.finish());
        }
        let state = self.ready.remove(&partition).transpose()?.unwrap_or_default();
        for (name, realm) in &state.realms {
            if realm.is_behind() {
                internal_events::behind(name.as_str(), realm.generation());
            }
            // Where another version of the derivation made the facts, or not all of them, the difference goes out at once.
            if realm.has_more() {
                self.touched.insert((partition, name.clone()));
            }
            internal_events::sizes(&self.metrics, name.as_str(), realm.sizes());
        }
        internal_events::restored(partition, state.realms.len(), state.restored);
        self.partitions.insert(partition, state);
        Ok(())
    }
}
