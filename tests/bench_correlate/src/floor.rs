//! `floor`: what correlating would cost if nothing had to be thought about.
//!
//! A bare loop on rdkafka with the settings of the correlator. It reads the same input in transactions of the same size, decodes every
//! event, and writes as many facts and changelog records for each event as the correlator did, of the same sizes: those that it
//! finds in the correlator's own topics, each fact encoded anew.

use std::collections::HashMap;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use correlator::CorrelatorConfig;
use model::codec;
use model::fact::Fact;
use model::schema::Subject;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};
use stream::{Topic, topics};

use crate::feed::send;
use crate::kafka::{Place, WITHIN};

/// Records in a row that are kept as a sample: as many as lie in a batch, so that they compress as well as they did.
const CHUNK: usize = 1_000;
/// Chunks of a topic that are kept, spread over all of it: what is written late may be larger than what is written early.
const CHUNKS: usize = 64;
/// How long to wait for the first event of a batch.
const IDLE_POLL: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub struct Floor {
    #[command(flatten)]
    place: Place,
    /// What the topics to write to begin with.
    #[arg(long)]
    output: String,
    /// Consumer group, by its whole name.
    #[arg(long)]
    group: String,
    /// Events in the input.
    #[arg(long)]
    events: u64,
}

/// What the correlator wrote to a topic.
struct Written {
    topic: String,
    /// Records for each event.
    ratio: f64,
    samples: Vec<Sample>,
    /// Records due; whole ones are written.
    due: f64,
    next: usize,
}

enum Sample {
    Fact(String, Box<Fact>),
    /// Key and value as they are; to the partition of the event.
    State(Vec<u8>, Option<Vec<u8>>),
}

impl Floor {
    pub fn run(&self) -> Result<()> {
        let facts = topics::FACTS.iter();
        let mut written =
            facts.chain([&topics::CHANGELOG]).map(|topic| self.written(topic)).collect::<Result<Vec<_>>>()?;
        written.retain(|topic| !topic.samples.is_empty());
        let mut client = self.place.producer();
        client.set("transactional.id", &self.group).set("transaction.timeout.ms", "10000");
        let producer: ThreadedProducer<DefaultProducerContext> = client.create()?;
        producer.init_transactions(WITHIN)?;
        let mut input = Input::new(&self.place, &self.group)?;
        let config = CorrelatorConfig::default();
        let interval = Duration::from_millis(config.commit_interval_ms);
        let mut due = Instant::now() + interval;
        loop {
            let batch = input.read(config.max_batch_records, due)?;
            if batch.is_empty() {
                continue;
            }
            producer.begin_transaction()?;
            for partition in &batch {
                for topic in &mut written {
                    topic.write(&producer, *partition)?;
                }
            }
            input.commit(&producer)?;
            due = Instant::now() + interval;
        }
    }

    /// What the correlator wrote to a topic: how much of it for each event, and a sample.
    fn written(&self, topic: &'static Topic) -> Result<Written> {
        let (mut samples, mut failed) = (Spread::default(), None);
        let count = stream::scan::read_all(&self.place.config(&self.place.prefix), topic, |record| {
            match samples.take(|| sample(topic, record)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(Written {
                topic: self.place.config(&self.output).topic_name(topic),
                ratio: count as f64 / self.events as f64,
                samples: samples.chunks.into_iter().flatten().collect(),
                due: 0.0,
                next: 0,
            }),
        }
    }
}

/// Chunks of records, evenly spread over however many come.
#[derive(Default)]
struct Spread {
    chunks: Vec<Vec<Sample>>,
    seen: usize,
    /// Every chunk is kept, or every second, fourth, … one.
    doublings: u32,
}

impl Spread {
    /// Takes a record in, where it falls into a chunk that is kept.
    fn take(&mut self, sample: impl FnOnce() -> Result<Sample>) -> Result<()> {
        let (chunk, within) = (self.seen / CHUNK, self.seen % CHUNK);
        self.seen += 1;
        if !chunk.is_multiple_of(1 << self.doublings) {
            return Ok(());
        }
        if within == 0 {
            if self.chunks.len() == CHUNKS {
                let mut even = (0..CHUNKS).map(|place| place % 2 == 0);
                self.chunks.retain(|_| even.next().unwrap_or_default());
                self.doublings += 1;
            }
            self.chunks.push(Vec::new());
        }
        if let Some(open) = self.chunks.last_mut() {
            open.push(sample()?);
        }
        Ok(())
    }
}

fn sample(topic: &'static Topic, record: stream::Record) -> Result<Sample> {
    let key = record.key.unwrap_or_default();
    match Subject::of_topic(topic.name) {
        None => Ok(Sample::State(key, record.payload)),
        Some(subject) => {
            let fact = codec::decode_fact(subject, &record.payload.unwrap_or_default())?;
            Ok(Sample::Fact(String::from_utf8(key)?, Box::new(fact)))
        }
    }
}

impl Written {
    /// Writes what one event leads to on average.
    fn write(&mut self, producer: &ThreadedProducer<DefaultProducerContext>, partition: i32) -> Result<()> {
        self.due += self.ratio;
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.next = (self.next + 1) % self.samples.len();
            let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic);
            match &self.samples[self.next] {
                Sample::Fact(key, fact) => {
                    let payload = fact.encode()?;
                    send(producer, record.key(key.as_bytes()).payload(&payload))?;
                }
                Sample::State(key, value) => {
                    let mut record = record.key(key).partition(partition);
                    record.payload = value.as_deref();
                    send(producer, record)?;
                }
            }
        }
        Ok(())
    }
}

/// The event topics, read as a member of a group.
struct Input {
    consumer: BaseConsumer,
    topics: Vec<(String, Subject)>,
    /// What comes next after the batch at hand.
    next: HashMap<(Subject, i32), i64>,
}

impl Input {
    fn new(place: &Place, group: &str) -> Result<Self> {
        let config = place.config(&place.prefix);
        let of = |topic: &Topic| Some((config.topic_name(topic), Subject::of_topic(topic.name)?));
        let topics: Vec<(String, Subject)> = topics::EVENTS.into_iter().filter_map(of).collect();
        let consumer: BaseConsumer = place.consumer(group).create()?;
        consumer.subscribe(&topics.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())?;
        Ok(Self { consumer, topics, next: HashMap::new() })
    }

    /// Reads and decodes until the batch is full, or `due` is over and nothing more is at hand; the partition of each event.
    fn read(&mut self, most: usize, due: Instant) -> Result<Vec<i32>> {
        let mut batch = Vec::new();
        while batch.len() < most {
            let wait = if batch.is_empty() { IDLE_POLL } else { due.saturating_duration_since(Instant::now()) };
            let Some(message) = self.consumer.poll(wait) else {
                if batch.is_empty() || Instant::now() >= due {
                    break;
                }
                continue;
            };
            let message = message.context("the input cannot be read")?;
            let named = self.topics.iter().find(|(name, _)| name == message.topic());
            let (_, subject) =
                named.with_context(|| format!("a record of {}, which was not asked for", message.topic()))?;
            black_box(codec::decode_event(*subject, message.payload().unwrap_or_default())?);
            self.next.insert((*subject, message.partition()), message.offset() + 1);
            batch.push(message.partition());
        }
        Ok(batch)
    }

    /// Commits what was written, and how far was read.
    fn commit(&mut self, producer: &ThreadedProducer<DefaultProducerContext>) -> Result<()> {
        let mut offsets = TopicPartitionList::new();
        for ((subject, partition), next) in self.next.drain() {
            if let Some((name, _)) = self.topics.iter().find(|(_, of)| *of == subject) {
                offsets.add_partition_offset(name, partition, Offset::Offset(next))?;
            }
        }
        let member = self.consumer.group_metadata().context("the group has no coordinator")?;
        producer.send_offsets_to_transaction(&offsets, &member, WITHIN)?;
        // Committing while records are on their way polls for them at long intervals.
        while producer.in_flight_count() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        producer.commit_transaction(WITHIN)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_everything() {
        let mut spread = Spread::default();
        let all = 1_000 * CHUNK;
        for number in 0..all {
            spread.take(|| Ok(Sample::State(number.to_be_bytes().to_vec(), None))).unwrap();
        }
        let first = |chunk: &Vec<Sample>| match &chunk[0] {
            Sample::State(key, None) => usize::from_be_bytes(key.as_slice().try_into().unwrap()),
            _ => panic!("another record than was put in"),
        };
        let starts: Vec<usize> = spread.chunks.iter().map(first).collect();
        assert_eq!(starts, (0..all).step_by(16 * CHUNK).collect::<Vec<_>>());
        assert!(spread.chunks.iter().all(|chunk| chunk.len() == CHUNK));
    }
}
