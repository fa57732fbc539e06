//! The transactional producer of one worker.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::statistics::Statistics;
use tokio_util::sync::CancellationToken;

use crate::client::Observer;
use crate::config::{KafkaConfig, millis};
use crate::group::TopicPartition;
use crate::internal_events;
use crate::metrics::Metrics;
use crate::record::{Output, owned_headers};
use crate::topics::{self, Topic};
use crate::worker::{WorkerConfig, WorkerError};

const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const QUEUE_POLL: Duration = Duration::from_millis(1);
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Outputs that wait to be sent; above it the worker waits for the network.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// How a transaction cannot go on.
pub(crate) enum Failure {
    /// It has to be aborted; the next one may do better.
    Abort(Box<dyn Error + Send + Sync>),
    /// The process has to restart.
    Fatal(Box<WorkerError>),
}

pub(crate) struct TransactionalProducer {
    // A thread of its own serves delivery reports: librdkafka's abort waits for them, and `flush` on a bare producer
    // rounds every commit up to its polling interval of 100 ms.
    producer: ThreadedProducer<Context>,
    /// How to make it again.
    kafka: KafkaConfig,
    config: WorkerConfig,
    noted: Vec<&'static Topic>,
    names: HashMap<&'static str, String>,
    group: String,
    id: String,
    commit_timeout: Duration,
    metrics: Metrics,
    is_open: bool,
}

struct Context {
    observer: Observer,
    /// The topics of which the offsets are noted, by their names in Kafka.
    noted: Vec<(String, &'static Topic)>,
    /// The last offset written to each partition of them since it was last asked for.
    written: Mutex<Written>,
}

/// The last offset written to each partition.
pub(crate) type Written = HashMap<TopicPartition, i64>;

impl TransactionalProducer {
    /// Of the topics in `noted` it is noted how far they are written.
    pub(crate) fn new(
        kafka: &KafkaConfig,
        config: &WorkerConfig,
        noted: &[&'static Topic],
        metrics: &Metrics,
    ) -> Result<TransactionalProducer, WorkerError> {
        Ok(TransactionalProducer {
            producer: connect(kafka, config, noted, metrics)?,
            kafka: kafka.clone(),
            config: config.clone(),
            noted: noted.to_vec(),
            names: topics::all().map(|topic| (topic.name, kafka.topic_name(topic))).collect(),
            group: config.group.clone(),
            id: config.transactional_id.clone(),
            commit_timeout: config.commit_timeout,
            metrics: metrics.clone(),
            is_open: false,
        })
    }

    /// Fences every older producer of the same id and ends the transaction it left open. Waits for Kafka as long as it
    /// takes; false when shut down meanwhile.
    pub(crate) fn init(&self, shutdown: &CancellationToken) -> Result<bool, WorkerError> {
        while !shutdown.is_cancelled() {
            match self.producer.init_transactions(CALL_TIMEOUT) {
                Ok(()) => return Ok(true),
                Err(error) if is_retriable(&error) => {
                    internal_events::retrying(&self.group, "starting transactions", &error);
                    std::thread::sleep(RETRY_PAUSE);
                }
                Err(error) => return Err(self.fatal("starting transactions", error)),
            }
        }
        Ok(false)
    }

    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.producer.begin_transaction().map_err(|error| self.failure("beginning a transaction", error))?;
        self.is_open = true;
        Ok(())
    }

    /// Queues one record; waits while the queue is full.
    pub(crate) fn send(&self, output: &Output) -> Result<(), Failure> {
        let deadline = Instant::now() + self.commit_timeout;
        let name = self.names.get(output.topic.name).map_or(output.topic.name, String::as_str);
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(name).key(&output.key);
        record.partition = output.partition;
        record.payload = output.payload.as_deref();
        record.headers = owned_headers(&output.headers);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                    if Instant::now() < deadline =>
                {
                    record = back;
                    std::thread::sleep(QUEUE_POLL);
                }
                Err((error, _)) => return Err(Failure::Abort(Box::new(error))),
            }
        }
    }

    /// Ties the input's offsets to the transaction. The group's coordinator refuses them where `member` is no longer
    /// current, which is what keeps a zombie from committing anything at all.
    pub(crate) fn send_offsets(
        &self,
        next: &TopicPartitionList,
        member: &ConsumerGroupMetadata,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + self.commit_timeout;
        loop {
            match self.producer.send_offsets_to_transaction(next, member, CALL_TIMEOUT) {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) && Instant::now() < deadline => {
                    internal_events::retrying(&self.group, "adding offsets to a transaction", &error);
                }
                Err(error) => return Err(self.failure("adding offsets to a transaction", error)),
            }
        }
    }

    /// Commits. `Ok` is committed, [`Failure::Abort`] not committed; anything else ends the process, which on its restart
    /// learns from the log which of the two it was.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let deadline = started + self.commit_timeout;
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            std::thread::sleep(QUEUE_POLL);
        }
        loop {
            match self.producer.commit_transaction(CALL_TIMEOUT) {
                Ok(()) => {
                    self.is_open = false;
                    return Ok(());
                }
                // Records are still on their way: the commit itself has not been asked for yet.
                Err(error @ KafkaError::Flush(_)) if Instant::now() >= deadline => {
                    return Err(Failure::Abort(Box::new(error)));
                }
                Err(error) if requires_abort(&error) => return Err(Failure::Abort(Box::new(error))),
                Err(error) if is_fatal(&error) => {
                    return Err(Failure::Fatal(Box::new(self.fatal("committing a transaction", error))));
                }
                Err(error) if is_retriable(&error) && Instant::now() < deadline => {
                    internal_events::retrying(&self.group, "committing a transaction", &error);
                }
                Err(source) => {
                    let waited = started.elapsed();
                    internal_events::transaction_indeterminate(&self.metrics, &self.group, waited);
                    let transactional_id = self.id.clone();
                    return Err(Failure::Fatal(Box::new(WorkerError::Indeterminate {
                        transactional_id,
                        waited,
                        source: Box::new(source),
                    })));
                }
            }
        }
    }

    /// Aborts what was begun, if anything, for as long as it takes, unless shut down meanwhile: then the transaction ends
    /// by its timeout, or by the next `init`.
    pub(crate) fn abort(&mut self, shutdown: &CancellationToken) -> Result<(), WorkerError> {
        while self.is_open {
            match self.producer.abort_transaction(CALL_TIMEOUT) {
                Ok(()) => self.is_open = false,
                Err(error) if is_retriable(&error) && !shutdown.is_cancelled() => {
                    internal_events::retrying(&self.group, "aborting a transaction", &error);
                    std::thread::sleep(RETRY_PAUSE);
                }
                Err(_) if shutdown.is_cancelled() => break,
                // Kafka was away for longer than a transaction may last, and has aborted it by itself. Its commit was never asked
                // for, so nothing is lost; librdkafka wants a new producer to go on.
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::InvalidTransactionalState) => {
                    internal_events::retrying(
                        &self.group,
                        "aborting a transaction that Kafka has ended already",
                        &error,
                    );
                    self.producer = connect(&self.kafka, &self.config, &self.noted, &self.metrics)?;
                    self.is_open = !self.init(shutdown)?;
                    if self.is_open {
                        break;
                    }
                }
                Err(error) => return Err(self.fatal("aborting a transaction", error)),
            }
        }
        self.written().clear();
        Ok(())
    }

    /// The last offset written to each partition of the topics that are noted, since the last call.
    pub(crate) fn take_written(&self) -> Written {
        std::mem::take(&mut *self.written())
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.producer.context().lock()
    }

    fn failure(&self, doing: &'static str, error: KafkaError) -> Failure {
        if is_fatal(&error) {
            Failure::Fatal(Box::new(self.fatal(doing, error)))
        } else {
            Failure::Abort(Box::new(error))
        }
    }

    fn fatal(&self, doing: &'static str, source: KafkaError) -> WorkerError {
        use RDKafkaErrorCode as Code;
        match source.rdkafka_error_code() {
            Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::FencedInstanceId) => {
                WorkerError::Fenced { transactional_id: self.id.clone(), source: Box::new(source) }
            }
            _ => WorkerError::Kafka { group: self.group.clone(), doing, source: Box::new(source) },
        }
    }
}

fn connect(
    kafka: &KafkaConfig,
    config: &WorkerConfig,
    noted: &[&'static Topic],
    metrics: &Metrics,
) -> Result<ThreadedProducer<Context>, WorkerError> {
    let context = Context {
        observer: Observer::new(config.transactional_id.clone(), metrics),
        noted: noted.iter().map(|topic| (kafka.topic_name(topic), *topic)).collect(),
        written: Mutex::default(),
    };
    let producer = kafka
        .producer(QUEUE_BYTES)?
        .set("transactional.id", &config.transactional_id)
        .set("transaction.timeout.ms", millis(config.transaction_timeout))
        .set("delivery.timeout.ms", millis(config.transaction_timeout))
        .create_with_context(context)
        .map_err(crate::config::ConfigError::from)?;
    Ok(producer)
}

fn transaction_error(error: &KafkaError) -> Option<&RDKafkaError> {
    match error {
        KafkaError::Transaction(error) => Some(error),
        _ => None,
    }
}

fn is_fatal(error: &KafkaError) -> bool {
    transaction_error(error).is_some_and(RDKafkaError::is_fatal)
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Flush(_)) || transaction_error(error).is_some_and(RDKafkaError::is_retriable)
}

fn requires_abort(error: &KafkaError) -> bool {
    transaction_error(error).is_some_and(RDKafkaError::txn_requires_abort)
}

impl Context {
    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    /// A record that failed needs no note: librdkafka then refuses to commit the transaction.
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Ok(message) = result
            && let Some((_, topic)) = self.noted.iter().find(|(name, _)| name == message.topic())
        {
            let mut written = self.lock();
            let last = written.entry((*topic, message.partition())).or_insert(-1);
            *last = message.offset().max(*last);
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.observer.stats(statistics);
    }
}
