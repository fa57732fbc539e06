//! The way into the inbox for what comes from the command line: the same as for deliveries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::http::HeaderMap;
use backfill::Delivery;
use ingestor::receive::{Inbox, record};
use ingestor::reconcile::told;
use model::inbox::InboxRecord;
use model::{Realm, Source};
use prometheus::Registry;
use stream::KafkaConfig;
use stream::producer::{IngestConfig, IngestProducer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::now;

/// Adapter that reads what the command line puts in.
const PROVIDER: &str = "import";
/// Nobody waits at the other end: a slow broker is waited for.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long Kafka may take to answer for the first time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// Attempts to put one record, the first included. With the timeout above that is some five minutes of outage.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// Records on their way at once.
const IN_FLIGHT: usize = 8192;
/// Bytes on their way at once: half of what the producer holds, so that it never refuses one.
const BYTES_IN_FLIGHT: usize = 64 * 1024 * 1024;

/// Opens the inbox and waits until Kafka has it.
///
/// # Errors
/// Where Kafka does not answer in time, or has no such topic.
pub async fn open(kafka: &KafkaConfig) -> anyhow::Result<Inbox> {
    let metrics = stream::Metrics::register(&Registry::new())?;
    let bounds = IngestConfig { delivery_timeout: DELIVERY_TIMEOUT, ..IngestConfig::default() };
    let inbox = Inbox::new(IngestProducer::start(kafka, bounds, &metrics)?);
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    while !inbox.is_ready() {
        if Instant::now() > deadline {
            bail!(
                "Kafka at {} does not answer, or has no topic {} (`throughline migrate` makes it)",
                kafka.brokers,
                kafka.topic_name(&stream::topics::INBOX)
            );
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(inbox)
}

/// The record of one line: its delivery id is the hash of the line, so that a line sent twice is one record.
pub fn line(source: &Source, realm: &Realm, line: Vec<u8>) -> InboxRecord {
    record(source.clone(), realm.clone(), PROVIDER, &HeaderMap::new(), line, now())
}

/// The record of a piece of history, as if it had been delivered now.
pub fn delivery(source: &Source, realm: &Realm, delivery: Delivery) -> InboxRecord {
    told(source, realm, delivery, now())
}

/// Records on their way.
pub struct Sending {
    inbox: Inbox,
    slots: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Sending {
    pub fn new(inbox: Inbox) -> Self {
        let (slots, bytes) = (Semaphore::new(IN_FLIGHT), Semaphore::new(BYTES_IN_FLIGHT));
        Self { inbox, slots: Arc::new(slots), bytes: Arc::new(bytes), tasks: JoinSet::new() }
    }

    /// Sends a record as soon as there is room; how many have arrived meanwhile.
    ///
    /// # Errors
    /// Where Kafka refuses one, or does not answer for minutes.
    pub async fn send(&mut self, record: InboxRecord) -> anyhow::Result<u64> {
        let size = u32::try_from(record.body.0.len().clamp(1, BYTES_IN_FLIGHT)).unwrap_or(u32::MAX);
        let slot = Arc::clone(&self.slots).acquire_owned().await.context("sending was stopped")?;
        let room = Arc::clone(&self.bytes).acquire_many_owned(size).await.context("sending was stopped")?;
        let inbox = self.inbox.clone();
        self.tasks.spawn(async move {
            let sent = put(&inbox, record).await;
            drop((slot, room));
            sent
        });
        let mut arrived = 0;
        while let Some(sent) = self.tasks.try_join_next() {
            sent??;
            arrived += 1;
        }
        Ok(arrived)
    }

    /// Waits for all that are on their way; how many those were.
    ///
    /// # Errors
    /// Where Kafka refuses one, or does not answer for minutes.
    pub async fn settle(&mut self) -> anyhow::Result<u64> {
        let mut arrived = 0;
        while let Some(sent) = self.tasks.join_next().await {
            sent??;
            arrived += 1;
        }
        Ok(arrived)
    }
}

/// Puts a record in, trying again where that may help.
///
/// # Errors
/// Where Kafka refuses it, or does not answer for minutes.
pub async fn put(inbox: &Inbox, record: InboxRecord) -> anyhow::Result<()> {
    for _ in 1..ATTEMPTS {
        match inbox.put(record.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) if error.may_pass() => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    inbox.put(record).await.with_context(|| format!("given up after {ATTEMPTS} attempts"))
}
