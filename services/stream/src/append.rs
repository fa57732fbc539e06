//! Records written from outside of any worker, in transactions of bounded size.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::KafkaConfig;
use crate::metrics::Metrics;
use crate::record::{Output, size};
use crate::topics;
use crate::transaction::{Failure, TransactionalProducer};
use crate::worker::{WorkerConfig, WorkerError};

/// What one transaction holds at most; the bytes are exceeded by one record.
const MAX_RECORDS: usize = 10_000;
const MAX_BYTES: usize = 16 * 1024 * 1024;
const ABORT_PAUSE: Duration = Duration::from_millis(100);

/// The next offset after what was written or read, by the name of the topic and the partition.
pub type Positions = BTreeMap<(&'static str, i32), i64>;

/// Writes records of the event topics.
///
/// Whoever looks for what to write may take its time: records are held back until a transaction is full, so that none is ever open
/// for longer than it takes to write it. A second appender of the same name fences the first.
pub struct Appender {
    producer: TransactionalProducer,
    config: WorkerConfig,
    held: Vec<Output>,
    bytes: usize,
    ends: Positions,
}

impl Appender {
    /// Starts it; `id` is its transactional id, see [`KafkaConfig::group_name`]. What an earlier one left open is ended.
    pub fn open(kafka: &KafkaConfig, id: &str, metrics: &Metrics) -> Result<Appender, WorkerError> {
        let config = WorkerConfig::stateless(id, id, &[]);
        let producer = TransactionalProducer::new(kafka, &config, &topics::EVENTS, metrics)?;
        producer.init(&CancellationToken::new())?;
        Ok(Appender { producer, config, held: Vec::new(), bytes: 0, ends: Positions::new() })
    }

    /// Writes a record, with others at some later time.
    pub fn append(&mut self, record: Output) -> Result<(), WorkerError> {
        self.bytes += size(Some(&record.key), record.payload.as_deref(), &record.headers);
        self.held.push(record);
        if self.held.len() >= MAX_RECORDS || self.bytes >= MAX_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what is held back. Returns where the last record of each partition was put, and one more.
    pub fn finish(mut self) -> Result<Positions, WorkerError> {
        self.flush()?;
        Ok(self.ends)
    }

    fn flush(&mut self) -> Result<(), WorkerError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.attempt() {
                Ok(()) => break,
                Err(Failure::Fatal(error)) => return Err(*error),
                Err(Failure::Abort(source)) => {
                    self.producer.abort(&CancellationToken::new())?;
                    if attempts >= self.config.max_attempts {
                        return Err(WorkerError::GivenUp { group: self.config.group.clone(), attempts, source });
                    }
                    thread::sleep(ABORT_PAUSE * attempts);
                }
            }
        }
        let written = self.producer.take_written();
        self.ends.extend(written.into_iter().map(|((topic, partition), last)| ((topic.name, partition), last + 1)));
        self.held.clear();
        self.bytes = 0;
        Ok(())
    }

    fn attempt(&mut self) -> Result<(), Failure> {
        self.producer.begin()?;
        for record in &self.held {
            self.producer.send(record)?;
        }
        self.producer.commit()
    }
}
