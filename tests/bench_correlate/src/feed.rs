//! `feed`: events into the event topics, as normalise would write them.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use correlator::CorrelatorConfig;
use load::amount;
use model::codec;
use model::event::{Body, CiBody, Event};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use serde::Serialize;

use crate::kafka::Place;

#[derive(Debug, Args)]
pub struct Feed {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    load: crate::Load,
    /// Instead of a number of events: as many as it takes to tell of so many commits.
    #[arg(long, value_parser = amount)]
    commits: Option<u64>,
    /// Make the topics that begin with this as well; may be repeated.
    #[arg(long, value_name = "PREFIX")]
    also: Vec<String>,
}

/// What was written.
#[derive(Debug, Default, Serialize)]
struct Fed {
    events: u64,
    components: usize,
    /// Different ones.
    commits: u64,
    bytes: u64,
    kinds: BTreeMap<&'static str, u64>,
    partitions: BTreeMap<i32, u64>,
    /// Of the correlator by default: what it is compared with commits as often.
    commit_interval_ms: u64,
}

/// Counts what arrived.
#[derive(Debug, Default)]
struct Deliveries(Mutex<(BTreeMap<i32, u64>, Option<KafkaError>)>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(message) => *counts.0.entry(message.partition()).or_default() += 1,
            Err((error, _)) => counts.1 = Some(error.clone()),
        }
    }
}

impl Feed {
    pub fn run(&self) -> Result<()> {
        self.place.ensure_topics(&self.place.prefix)?;
        for prefix in &self.also {
            self.place.ensure_topics(prefix)?;
        }
        let config = self.place.config(&self.place.prefix);
        let producer: ThreadedProducer<Deliveries> =
            self.place.producer().set("linger.ms", "50").create_with_context(Deliveries::default())?;
        let mut world = self.load.world();
        let mut fed = Fed { components: world.components(), ..Fed::default() };
        let mut commits = Commits::default();
        while self.commits.map_or(fed.events < self.load.events, |wanted| commits.count() < wanted) {
            let Some(event) = world.next() else { break };
            commits.see(&event);
            *fed.kinds.entry(event.body.kind()).or_default() += 1;
            let key = event.realm.clone();
            let (subject, bytes) = codec::encode_event(event)?;
            fed.events += 1;
            fed.bytes += bytes.len() as u64;
            let topic = format!("{}{}", config.topic_prefix, subject.topic());
            send(&producer, BaseRecord::to(&topic).key(key.as_str().as_bytes()).payload(&bytes))?;
        }
        producer.flush(Duration::from_secs(60)).context("Kafka did not take the events")?;
        fed.commits = commits.count();
        fed.commit_interval_ms = CorrelatorConfig::default().commit_interval_ms;
        let mut deliveries = producer.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = deliveries.1.take() {
            return Err(error).context("Kafka refused an event");
        }
        fed.partitions = std::mem::take(&mut deliveries.0);
        crate::finish(&fed)
    }
}

/// Queues a record; waits while the queue is full.
pub fn send<C: ProducerContext<DeliveryOpaque = ()> + 'static>(
    producer: &ThreadedProducer<C>,
    mut record: BaseRecord<'_, [u8], [u8]>,
) -> Result<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err((error, _)) => return Err(error).context("a record cannot be queued"),
        }
    }
}

/// The commits told of, by the first 64 bits of their ids.
#[derive(Debug, Default)]
struct Commits(HashSet<u64>);

impl Commits {
    fn see(&mut self, event: &Event<Body>) {
        let Body::Ci(CiBody::Push(push)) = &event.body else { return };
        let ids = push.commits.iter().filter_map(|commit| commit.id.as_str().get(..16));
        self.0.extend(ids.filter_map(|id| u64::from_str_radix(id, 16).ok()));
    }

    fn count(&self) -> u64 {
        self.0.len() as u64
    }
}
