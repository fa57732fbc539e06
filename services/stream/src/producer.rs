//! The front door's producer: an answer once Kafka has the record, in bounded time and memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::sync::Semaphore;

use crate::client::{Observer, serve};
use crate::config::{ConfigError, KafkaConfig, millis};
use crate::internal_events;
use crate::metrics::Metrics;
use crate::record::{Header, owned_headers, size};
use crate::topics::{self, Topic};

const PROBE_INTERVAL: Duration = Duration::from_secs(2);
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bounds of an [`IngestProducer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestConfig {
    /// Bytes of records (key, payload, headers) that may wait for their acknowledgement at once. A record larger than this
    /// is never accepted, so it should hold several of the largest.
    pub budget_bytes: usize,
    /// After this long without an acknowledgement a record is given up.
    pub delivery_timeout: Duration,
}

impl Default for IngestConfig {
    fn default() -> IngestConfig {
        IngestConfig { budget_bytes: 128 * 1024 * 1024, delivery_timeout: Duration::from_secs(5) }
    }
}

/// Where Kafka put a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    pub partition: i32,
    pub offset: i64,
}

/// Why a record was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Too much is in flight: refused at once. The sender should try again later.
    #[error("{budget_bytes} bytes already wait for Kafka: try again later")]
    Overloaded { budget_bytes: usize },
    /// No acknowledgement within the delivery timeout. The record may be in the topic nevertheless: a second attempt
    /// with the same key is the same record to everybody downstream.
    #[error("Kafka did not acknowledge the record for {topic} within {} ms", waited.as_millis())]
    Unavailable {
        topic: &'static str,
        waited: Duration,
        #[source]
        source: KafkaError,
    },
    /// The record is larger than its topic allows. Another attempt fares no better.
    #[error("the record of {bytes} bytes is larger than {topic} takes ({limit} bytes)")]
    TooLarge { topic: &'static str, bytes: usize, limit: u32 },
    /// Kafka refuses the record for another reason, such as a missing right.
    #[error("Kafka refuses the record for {topic}")]
    Refused {
        topic: &'static str,
        #[source]
        source: KafkaError,
    },
}

impl SendError {
    /// A word for labels and log lines.
    pub fn reason(&self) -> &'static str {
        match self {
            SendError::Overloaded { .. } => "overloaded",
            SendError::Unavailable { .. } => "unavailable",
            SendError::TooLarge { .. } => "too_large",
            SendError::Refused { .. } => "refused",
        }
    }
}

/// Writes records one by one and waits for each until all replicas in sync have it (`acks=all`, idempotent). Clones share
/// one connection and one budget.
#[derive(Clone)]
pub struct IngestProducer {
    shared: Arc<Shared>,
}

struct Shared {
    producer: FutureProducer<Observer>,
    kafka: KafkaConfig,
    config: IngestConfig,
    budget: Arc<Semaphore>,
    available: Arc<AtomicBool>,
    metrics: Metrics,
    /// Dropped with the producer, which ends the probe's thread.
    _probe: mpsc::Sender<()>,
}

impl IngestProducer {
    /// Starts the producer; it connects by itself and as often as it takes. Errors on a configuration that librdkafka
    /// refuses, never because Kafka is away.
    pub fn start(kafka: &KafkaConfig, config: IngestConfig, metrics: &Metrics) -> Result<IngestProducer, ConfigError> {
        let producer: FutureProducer<Observer> = kafka
            // The budget is the limit. librdkafka lets go of a record a moment after its report: it needs room for both.
            .producer(config.budget_bytes.saturating_mul(2))?
            .set("delivery.timeout.ms", millis(config.delivery_timeout))
            // No single request may outlive the answer to the sender.
            .set("request.timeout.ms", millis(config.delivery_timeout))
            .create_with_context(Observer::new("ingest", metrics))
            .map_err(ConfigError::from)?;
        let available = Arc::new(AtomicBool::new(false));
        let (keep, dropped) = mpsc::channel();
        spawn_probe(kafka, metrics, Arc::clone(&available), dropped)?;
        metrics.queue_limit_bytes.set(i64::try_from(config.budget_bytes).unwrap_or(i64::MAX));
        let budget = Arc::new(Semaphore::new(config.budget_bytes.min(Semaphore::MAX_PERMITS)));
        let (kafka, metrics) = (kafka.clone(), metrics.clone());
        Ok(IngestProducer {
            shared: Arc::new(Shared { producer, kafka, config, budget, available, metrics, _probe: keep }),
        })
    }

    /// Writes one record; the partition follows from the key. Resolves within the delivery timeout and a little, and at
    /// once where the budget is exhausted or the record too large.
    pub async fn send(
        &self,
        topic: &'static Topic,
        key: &[u8],
        payload: &[u8],
        headers: &[Header],
    ) -> Result<Ack, SendError> {
        self.write(topic, key, Some(payload), headers).await
    }

    /// Writes a tombstone for a key; else as [`Self::send`].
    pub async fn forget(&self, topic: &'static Topic, key: &[u8]) -> Result<Ack, SendError> {
        self.write(topic, key, None, &[]).await
    }

    async fn write(
        &self,
        topic: &'static Topic,
        key: &[u8],
        payload: Option<&[u8]>,
        headers: &[Header],
    ) -> Result<Ack, SendError> {
        let result = self.deliver(topic, key, payload, headers).await;
        let metrics = &self.shared.metrics;
        match &result {
            Ok(_) => {
                internal_events::record_sent(metrics, topic.name);
                self.shared.note(true);
            }
            Err(error) => {
                internal_events::send_failed(metrics, topic.name, error.reason(), error);
                if matches!(error, SendError::Unavailable { .. }) {
                    self.shared.note(false);
                }
            }
        }
        result
    }

    /// Whether Kafka was reached a moment ago and the inbox has a leader for every partition: for readiness.
    pub fn is_available(&self) -> bool {
        self.shared.available.load(Ordering::Relaxed)
    }

    async fn deliver(
        &self,
        topic: &'static Topic,
        key: &[u8],
        payload: Option<&[u8]>,
        headers: &[Header],
    ) -> Result<Ack, SendError> {
        let shared = &self.shared;
        let bytes = size(Some(key), payload, headers);
        let too_large = SendError::TooLarge { topic: topic.name, bytes, limit: topic.max_message_bytes };
        if bytes > topic.max_message_bytes as usize {
            return Err(too_large);
        }
        let overloaded = || SendError::Overloaded { budget_bytes: shared.config.budget_bytes };
        let permits = u32::try_from(bytes).map_err(|_| overloaded())?;
        let permit = Arc::clone(&shared.budget).try_acquire_many_owned(permits).map_err(|_| overloaded())?;
        let name = shared.kafka.topic_name(topic);
        let mut record = FutureRecord::<[u8], [u8]>::to(&name).key(key);
        record.payload = payload;
        record.headers = owned_headers(headers);
        let delivery = shared.producer.send_result(record).map_err(|(error, _)| error);
        shared.observe_queue();
        let outcome = match delivery {
            // The bytes stay in librdkafka's queue until the report, also when the caller has gone away meanwhile: the
            // task keeps the permit for them.
            Ok(delivery) => {
                let report = tokio::spawn(async move {
                    let outcome = delivery.await;
                    drop(permit);
                    outcome
                });
                match report.await {
                    Ok(Ok(outcome)) => outcome.map_err(|(error, _)| error),
                    _ => Err(KafkaError::Canceled),
                }
            }
            Err(error) => Err(error),
        };
        shared.observe_queue();
        let delivery = outcome.map_err(|source| match source.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => overloaded(),
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => too_large,
            Some(code) if is_outage(code) => {
                SendError::Unavailable { topic: topic.name, waited: shared.config.delivery_timeout, source }
            }
            _ => SendError::Refused { topic: topic.name, source },
        })?;
        Ok(Ack { partition: delivery.partition, offset: delivery.offset })
    }
}

impl Shared {
    fn observe_queue(&self) {
        let used = self.config.budget_bytes.saturating_sub(self.budget.available_permits());
        self.metrics.queue_bytes.set(i64::try_from(used).unwrap_or(i64::MAX));
    }

    fn note(&self, available: bool) {
        let before = self.available.swap(available, Ordering::Relaxed);
        internal_events::availability(&self.metrics, available, before != available);
    }
}

/// What passes when Kafka comes back, against what a person has to mend.
fn is_outage(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::MessageTimedOut
            | Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::BrokerNotAvailable
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::UnknownTopicOrPartition
            | Code::PurgeQueue
            | Code::PurgeInflight
    )
}

/// Asks for the inbox every two seconds. Without it a producer that nobody is routed to could never show that Kafka is
/// back.
fn spawn_probe(
    kafka: &KafkaConfig,
    metrics: &Metrics,
    available: Arc<AtomicBool>,
    dropped: mpsc::Receiver<()>,
) -> Result<(), ConfigError> {
    let metrics = metrics.clone();
    let probe: BaseConsumer<Observer> =
        kafka.client()?.create_with_context(Observer::new("probe", &metrics)).map_err(ConfigError::from)?;
    let inbox = kafka.topic_name(&topics::INBOX);
    let run = move || {
        loop {
            let answer = probe.fetch_metadata(Some(&inbox), PROBE_TIMEOUT);
            serve(&probe);
            if answer.is_ok() {
                probe.context().connected();
            }
            let reached = answer.is_ok_and(|metadata| {
                metadata.topics().iter().all(|topic| {
                    let led = topic.partitions().iter().all(|partition| partition.leader() >= 0);
                    topic.error().is_none() && !topic.partitions().is_empty() && led
                })
            });
            let before = available.swap(reached, Ordering::Relaxed);
            internal_events::availability(&metrics, reached, before != reached);
            if !matches!(dropped.recv_timeout(PROBE_INTERVAL), Err(mpsc::RecvTimeoutError::Timeout)) {
                return;
            }
        }
    };
    let spawned = thread::Builder::new().name("kafka-probe".to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| {
        ConfigError::Client(KafkaError::ClientCreation(format!("no thread for the availability probe: {error}")))
    })
}
