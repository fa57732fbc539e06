//! The way into the inbox for what comes from the command line: the same as for deliveries.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::http::HeaderMap;
use ingestor::receive::{Inbox, record};
use model::inbox::InboxRecord;
use model::{Realm, Source};
use prometheus::Registry;
use stream::KafkaConfig;
use stream::producer::{IngestConfig, IngestProducer};

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
