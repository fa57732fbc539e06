//! The inbox read again after an adapter was mended, and what is different written to the event topics.
//!
//! What a delivery tells is a set of observations. It is compared by their digests: what the adapters of today read of the bodies that
//! the inbox still has, beside what is in the event topics and counts. Where that differs, the events are written, and it is told which
//! deliveries are superseded: those of which an earlier version of the adapter had read something else.
//!
//! Events are written in transactions of their own, before whoever calls marks what is superseded: a replay that is cut off in between
//! finds them there when it is run again, and what is left to do.

mod delivery;
mod observation;
mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map};
use std::ops::ControlFlow;

use model::codec::{DecodeError, EncodeError};
use model::{Realm, Source};
use stream::append::{Appender, Positions};
use stream::scan::{ScanError, progress, read_all, read_until};
use stream::topics::{EVENTS, INBOX};
use stream::worker::WorkerError;
use stream::{KafkaConfig, Output, Record};

use self::delivery::{Before, Delivery, Difference, Verdict};
use self::observation::{Key, Observation, key, key_of};
pub use self::report::{Counts, Example};
use crate::normalise::{Adapters, End, GROUP, NormaliseError, read};
use crate::people::People;

/// Why the inbox cannot be read again. What was written by then is found there by the next attempt.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The offsets of the normalisers are gone.
    #[error(
        "the group `{group}` has read nothing of the inbox: its offsets have expired, or it never ran; start `throughline ingest`, let it \
         catch up, then replay"
    )]
    NothingRead {
        /// Name of the group.
        group: String,
    },
    /// See [`ScanError`].
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A record of the inbox by a newer version.
    #[error(transparent)]
    Inbox(#[from] NormaliseError),
    /// An event by a newer version.
    #[error("{topic}-{partition} at offset {offset}: written by a newer version; replay with that one")]
    Newer {
        /// Its topic.
        topic: &'static str,
        /// Its partition.
        partition: i32,
        /// Its offset.
        offset: i64,
        /// The schema in question.
        #[source]
        source: DecodeError,
    },
    /// A defect of ours.
    #[error("an event that was just written cannot be read")]
    Unreadable(#[from] DecodeError),
    /// A defect of ours.
    #[error("an event that was read cannot be written")]
    Encode(#[from] EncodeError),
    /// Events could not be written.
    #[error(transparent)]
    Write(#[from] WorkerError),
}

/// Of this delivery, only events by this version of its adapter, or a later one, count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Superseded {
    /// Partition of the event topics in which its events are.
    pub partition: i32,
    /// Their realm.
    pub realm: Realm,
    /// Its source.
    pub source: Source,
    /// Its id.
    pub delivery: String,
    /// The version.
    pub adapter: i32,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bodies were read.
    Reading(u64),
    /// So many events were compared.
    Comparing(u64),
    /// So many events were written.
    Writing(u64),
}

/// What reads: the same as in [`crate::normalise`].
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Where the inbox is.
    pub kafka: &'a KafkaConfig,
    /// The adapters of today.
    pub adapters: &'a Adapters,
    /// The key must be the one that the events were read with.
    pub people: &'a People,
}

/// The inbox as it is read now, held against what was read of it.
pub struct Comparison<'a> {
    reader: Reader<'a>,
    /// How far the normalisers have read the inbox.
    ends: BTreeMap<i32, i64>,
    /// What is not as it was.
    verdicts: HashMap<Key, Verdict>,
    sources: BTreeMap<Source, Counts>,
    places: Vec<(i32, Realm)>,
    /// How far the event topics were compared.
    compared: Positions,
}

/// What [`Comparison::write`] has done.
#[derive(Debug, Default)]
pub struct Written {
    /// How many events.
    pub events: u64,
    /// Deliveries of which what was read before counts no more, once that is marked.
    pub superseded: BTreeSet<Superseded>,
    /// Where the events end that count now.
    pub ends: Positions,
}

/// Reads the inbox up to where the normalisers are, and compares. What they read meanwhile is read by the same adapters.
///
/// # Errors
/// Where Kafka fails, or a newer version wrote what is there.
pub fn compare<'a>(
    reader: Reader<'a>,
    superseded: impl IntoIterator<Item = Superseded>,
    mut progress: impl FnMut(Progress),
) -> Result<Comparison<'a>, ReplayError> {
    let ends = reader.ends()?;
    let mut known = Known::default();
    known.read(reader, &ends, &mut progress)?;
    for mark in superseded {
        known.mark(mark);
    }
    let compared = known.compare(reader.kafka, &mut progress)?;
    let mut verdicts = HashMap::new();
    let mut counts = vec![Counts::default(); known.sources.names.len()];
    for (key, delivery) in known.deliveries {
        let verdict = delivery.verdict();
        if let Some(counts) = counts.get_mut(delivery.source) {
            counts.count(&verdict);
        }
        if !matches!(verdict, Verdict::Same | Verdict::Dead) {
            verdicts.insert(key, verdict);
        }
    }
    let sources = known.sources.names.into_iter().zip(counts).collect();
    Ok(Comparison { reader, ends, verdicts, sources, places: known.places.names, compared })
}

impl Reader<'_> {
    fn ends(self) -> Result<BTreeMap<i32, i64>, ReplayError> {
        let group = self.kafka.group_name(GROUP);
        let ends = progress(self.kafka, &group, &INBOX)?;
        if ends.is_empty() && read_all(self.kafka, &INBOX, |_| ControlFlow::Break(()))? > 0 {
            return Err(ReplayError::NothingRead { group });
        }
        Ok(ends)
    }
}

/// Names by number.
#[derive(Debug)]
struct Numbered<T> {
    names: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { names: Vec::new() }
    }
}

impl<T: PartialEq> Numbered<T> {
    /// There are few of them.
    fn number(&mut self, name: T) -> usize {
        match self.names.iter().position(|known| *known == name) {
            Some(number) => number,
            None => {
                self.names.push(name);
                self.names.len() - 1
            }
        }
    }
}

/// What is known of the deliveries in the inbox.
#[derive(Debug, Default)]
struct Known {
    deliveries: HashMap<Key, Delivery>,
    sources: Numbered<Source>,
    places: Numbered<(i32, Realm)>,
}

impl Known {
    fn read(
        &mut self,
        reader: Reader<'_>,
        ends: &BTreeMap<i32, i64>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), ReplayError> {
        let mut bodies = 0;
        let mut wrong = None;
        let visit = |record: Record| {
            bodies += 1;
            progress(Progress::Reading(bodies));
            self.arrived(record, reader)
        };
        read_until(reader.kafka, &INBOX, ends, fallible(&mut wrong, visit))?;
        wrong.map_or(Ok(()), Err)
    }

    fn arrived(&mut self, record: Record, reader: Reader<'_>) -> Result<(), ReplayError> {
        let key = key(record.key.as_deref().unwrap_or_default());
        if record.payload.is_none() {
            // Its body was to be forgotten: what was learnt from it stays as it is.
            self.deliveries.remove(&key);
            return Ok(());
        }
        let read = read(record, reader.adapters, reader.people)?;
        let mut digests = Vec::with_capacity(read.outputs.len());
        for output in events(&read.outputs) {
            digests.push(observation(output)?.digest);
        }
        let source = self.sources.number(read.settled.source);
        let delivery = self.deliveries.entry(key).or_default();
        (delivery.source, delivery.adapter) = (source, read.adapter);
        delivery.is_dead |= matches!(read.settled.end, End::Dead { .. });
        delivery.arrived(read.settled.received_at.0, digests);
        Ok(())
    }

    fn mark(&mut self, mark: Superseded) {
        if let Some(delivery) = self.deliveries.get_mut(&key_of(&mark.source, &mark.delivery)) {
            delivery.marks.push((self.places.number((mark.partition, mark.realm)), mark.adapter));
        }
    }

    /// Looks for what was read of the deliveries; gives how far it has looked.
    fn compare(&mut self, kafka: &KafkaConfig, progress: &mut impl FnMut(Progress)) -> Result<Positions, ReplayError> {
        let (mut compared, mut count) = (Positions::new(), 0);
        for topic in EVENTS {
            let mut wrong = None;
            let visit = |record: Record| {
                count += 1;
                progress(Progress::Comparing(count));
                compared.insert((topic.name, record.partition), record.offset + 1);
                self.found(&record)
            };
            read_all(kafka, topic, fallible(&mut wrong, visit))?;
            wrong.map_or(Ok(()), Err)?;
        }
        Ok(compared)
    }

    fn found(&mut self, record: &Record) -> Result<(), ReplayError> {
        let Record { topic, partition, offset, payload: Some(payload), .. } = record else { return Ok(()) };
        let observation = match Observation::read(topic, payload) {
            Ok(observation) => observation?,
            Err(source @ DecodeError::UnknownSchema { .. }) => {
                return Err(ReplayError::Newer { topic: topic.name, partition: *partition, offset: *offset, source });
            }
            // The correlators have it in the dead letters: it counts for nothing.
            Err(_) => return Ok(()),
        };
        let Observation { key, realm, adapter, received_at, digest } = observation;
        if let Some(delivery) = self.deliveries.get_mut(&key) {
            let place = self.places.number((*partition, realm));
            let is_kept = delivery.arrivals.contains(&received_at.0);
            delivery.before.push(Before { digest, adapter, place, is_kept });
        }
        Ok(())
    }
}

impl Comparison<'_> {
    /// What was found, by source.
    #[must_use]
    pub const fn sources(&self) -> &BTreeMap<Source, Counts> {
        &self.sources
    }

    /// What was found in all.
    #[must_use]
    pub fn total(&self) -> Counts {
        self.sources.values().copied().sum()
    }

    /// A few deliveries that are not read as before: at most so many for each source and each way in which they are not.
    ///
    /// # Errors
    /// Where Kafka fails.
    pub fn examples(&self, most: usize) -> Result<Vec<Example>, ReplayError> {
        let mut examples = report::Examples::new(most, self.verdicts.len());
        if self.verdicts.is_empty() {
            return Ok(Vec::new());
        }
        read_until(self.reader.kafka, &INBOX, &self.ends, |record| {
            let of = record.key.unwrap_or_default();
            match self.verdicts.get(&key(&of)) {
                Some(verdict) => examples.add(&of, verdict),
                None => ControlFlow::Continue(()),
            }
        })?;
        Ok(examples.finish())
    }

    /// Writes the events that are missing, and tells what they supersede. Marking that, and having everything worked out anew, is up to
    /// the caller: until then what was read before counts beside it.
    ///
    /// # Errors
    /// Where Kafka fails. A part may be written then; the next attempt goes on from there.
    pub fn write(
        mut self,
        metrics: &stream::Metrics,
        mut progress: impl FnMut(Progress),
    ) -> Result<Written, ReplayError> {
        let Reader { kafka, .. } = self.reader;
        let mut appender = Appender::open(kafka, &kafka.group_name("replay"), metrics)?;
        let mut written = Written::default();
        let mut wrong = None;
        let ends = std::mem::take(&mut self.ends);
        let visit = |record: Record| {
            for output in self.missing(record, &mut written.superseded)? {
                appender.append(output)?;
                written.events += 1;
                progress(Progress::Writing(written.events));
            }
            Ok(())
        };
        read_until(kafka, &INBOX, &ends, fallible(&mut wrong, visit))?;
        if let Some(error) = wrong {
            return Err(error);
        }
        written.ends = self.compared;
        for (place, end) in appender.finish()? {
            let known = written.ends.entry(place).or_default();
            *known = end.max(*known);
        }
        Ok(written)
    }

    /// The events of a delivery that are missing, each once, and where it is superseded. Only deliveries of which the inbox still has
    /// the body are: what cannot be read again stays as it was.
    fn missing(&mut self, record: Record, superseded: &mut BTreeSet<Superseded>) -> Result<Vec<Output>, ReplayError> {
        let of = key(record.key.as_deref().unwrap_or_default());
        let hash_map::Entry::Occupied(mut verdict) = self.verdicts.entry(of) else { return Ok(Vec::new()) };
        let Verdict::Differs(Difference { missing, superseded_in, adapter, .. }) = verdict.get_mut() else {
            return Ok(Vec::new());
        };
        let read = read(record, self.reader.adapters, self.reader.people)?;
        for place in std::mem::take(superseded_in) {
            let Some((partition, realm)) = self.places.get(place).cloned() else { continue };
            let (source, delivery) = (read.settled.source.clone(), read.delivery.clone());
            superseded.insert(Superseded { partition, realm, source, delivery, adapter: *adapter });
        }
        let mut found = Vec::new();
        for output in read.outputs.into_iter().filter(is_event) {
            let digest = observation(&output)?.digest;
            if let Some(at) = missing.iter().position(|missing| *missing == digest) {
                missing.swap_remove(at);
                found.push(output);
            }
        }
        Ok(found)
    }
}

fn is_event(output: &Output) -> bool {
    EVENTS.contains(&output.topic)
}

fn events(outputs: &[Output]) -> impl Iterator<Item = &Output> {
    outputs.iter().filter(|output| is_event(output))
}

fn observation(output: &Output) -> Result<Observation, ReplayError> {
    Ok(Observation::read(output.topic, output.payload.as_deref().unwrap_or_default())??)
}

/// Lets a visitor fail: that ends the scan.
fn fallible<'a>(
    wrong: &'a mut Option<ReplayError>,
    mut visit: impl FnMut(Record) -> Result<(), ReplayError> + 'a,
) -> impl FnMut(Record) -> ControlFlow<()> + 'a {
    move |record| match visit(record) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            *wrong = Some(error);
            ControlFlow::Break(())
        }
    }
}
