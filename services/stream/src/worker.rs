//! Read, process, write: exactly once, with state or without.
//!
//! A [`Worker`] is one member of a consumer group with one transactional producer, on a thread of its own. Each
//! transaction holds the offsets of a batch of input, the changes of state (changelog records) and whatever else the
//! [`Processor`] wrote for it: all of it becomes visible, or nothing does. What that rests on:
//!
//! - **Fencing.** Offsets go into the transaction with the group's metadata read anew each time. An instance whose
//!   partitions were given to another cannot commit, whatever it still believes. Every transaction carries offsets, also
//!   one without input, else it would escape that check.
//! - **Taking over.** The order is: wait for the group's *stable* offsets (an open transaction of the former owner that
//!   holds offsets is over then), then ask for the changelog's end, then restore up to it.
//! - **An abort is rare and simple.** All partitions of the instance go back to the committed offsets, all state is
//!   dropped and restored from the changelog. After [`WorkerConfig::max_attempts`] in a row the worker gives up.
//! - **Three outcomes.** A commit whose outcome stays unknown is fatal: the process restarts and learns it from the log.
//! - **A rebalance** is answered after the batch at hand is committed. State of a partition that comes back is kept where
//!   the changelog still ends with this instance's own last write.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::error::KafkaError;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigError, KafkaConfig};
use crate::metrics::Metrics;
use crate::record::{Output, Record};
use crate::scan::ScanError;
use crate::topics::Topic;

mod runtime;

/// What a worker does with its input. Called from the worker's thread alone.
///
/// A stateless processor needs `process` only. For one with state the calls for a partition are `assigned`, `restore`
/// for each record of the changelog (each key at least once, its last value last), `restored`, then `process`; `revoked`
/// ends it. After `aborted` the same begins anew for every partition.
pub trait Processor: Send {
    /// Why a batch could not be processed.
    type Error: Error + Send + Sync + 'static;

    /// One batch: records of every partition this instance owns, in order within each topic and partition. What is pushed
    /// to `out` commits together with the batch or not at all. May be called with no records, see
    /// [`has_more`](Self::has_more).
    ///
    /// State may be changed here already: if the transaction does not commit, [`aborted`](Self::aborted) follows. An error
    /// aborts the transaction and the batch is read again; so it must not be returned for input that is merely bad.
    fn process(&mut self, records: Vec<Record>, out: &mut Vec<Output>) -> Result<(), Self::Error>;

    /// What the last `process` wrote is now visible to all, and its input will not come again.
    fn committed(&mut self) {}

    /// The last `process` never happened: drop the state of all partitions.
    fn aborted(&mut self) {}

    /// This partition (of every input topic) is now ours: begin with empty state.
    fn assigned(&mut self, partition: i32) {
        let _ = partition;
    }

    /// This partition is ours no more: drop its state.
    fn revoked(&mut self, partition: i32) {
        let _ = partition;
    }

    /// One committed changelog record; without payload the key was deleted. All of them come before the first
    /// [`restored`](Self::restored), which may tell of an error in one.
    fn restore(&mut self, partition: i32, key: &[u8], payload: Option<&[u8]>) -> Result<(), Self::Error> {
        let _ = (partition, key, payload);
        Ok(())
    }

    /// The state of this partition is complete.
    fn restored(&mut self, partition: i32) -> Result<(), Self::Error> {
        let _ = partition;
        Ok(())
    }

    /// The input is read up to this offset, which comes next: told of each input when its partition is taken up, and of those that
    /// went on after each commit.
    fn reached(&mut self, topic: &'static Topic, partition: i32, next: i64) {
        let _ = (topic, partition, next);
    }

    /// Whether there is output left that the last transaction had no room for: `process` is then called again at the next
    /// commit interval, with input if there is any.
    fn has_more(&self) -> bool {
        false
    }
}

/// What a worker reads, and its bounds.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The consumer group, see [`KafkaConfig::group_name`].
    pub group: String,
    /// Stable over restarts of this instance and different from that of every other instance.
    pub transactional_id: String,
    /// The input. With a changelog, co-partitioned.
    pub inputs: Vec<&'static Topic>,
    /// Where state is kept; `None` for a stateless processor.
    pub changelog: Option<&'static Topic>,
    /// Time between two commits while there is input. An idle worker commits what arrives at once.
    pub commit_interval: Duration,
    /// The most records of input in one transaction.
    pub max_batch_records: usize,
    /// The most bytes of input in one transaction, exceeded by one record at most.
    pub max_batch_bytes: usize,
    /// After this long the coordinator aborts a transaction whose producer has died. Readers wait for it meanwhile.
    pub transaction_timeout: Duration,
    /// After this long without an answer a commit is given up as indeterminate.
    pub commit_timeout: Duration,
    /// A restore that makes no progress for this long fails. Must be well above `transaction_timeout` (the brokers look
    /// for timed out transactions every 10 s).
    pub restore_stall_timeout: Duration,
    /// Aborts in a row after which the worker gives up.
    pub max_attempts: u32,
}

impl WorkerConfig {
    /// A worker without state.
    pub fn stateless(group: impl Into<String>, transactional_id: impl Into<String>, inputs: &[&'static Topic]) -> Self {
        WorkerConfig {
            group: group.into(),
            transactional_id: transactional_id.into(),
            inputs: inputs.to_vec(),
            changelog: None,
            commit_interval: Duration::from_millis(100),
            max_batch_records: 10_000,
            max_batch_bytes: 32 * 1024 * 1024,
            transaction_timeout: Duration::from_secs(10),
            commit_timeout: Duration::from_secs(60),
            restore_stall_timeout: Duration::from_secs(60),
            max_attempts: 5,
        }
    }

    /// A worker whose state is in `changelog`, partition by partition as the input.
    pub fn stateful(
        group: impl Into<String>,
        transactional_id: impl Into<String>,
        inputs: &[&'static Topic],
        changelog: &'static Topic,
    ) -> Self {
        WorkerConfig { changelog: Some(changelog), ..WorkerConfig::stateless(group, transactional_id, inputs) }
    }
}

/// Why a worker stopped. Each is for the process to end with: a restart begins from what is committed.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("group {group}: Kafka failed while {doing}")]
    Kafka {
        group: String,
        doing: &'static str,
        #[source]
        source: Box<KafkaError>,
    },
    #[error(
        "transactional id {transactional_id} was taken over: another instance uses it too (give each its own), or this \
         one was silent for longer than the transaction timeout"
    )]
    Fenced {
        transactional_id: String,
        #[source]
        source: Box<KafkaError>,
    },
    #[error(
        "the outcome of a commit of {transactional_id} is unknown after {} s; a restart finds it in the log",
        waited.as_secs()
    )]
    Indeterminate {
        transactional_id: String,
        waited: Duration,
        #[source]
        source: Box<KafkaError>,
    },
    #[error(
        "group {group} was given partition {partition} without that of {missing}: the input topics must have equally many \
         partitions and every member of the group must subscribe to all of them"
    )]
    NotCoPartitioned { group: String, partition: i32, missing: &'static str },
    #[error("group {group}: state cannot be restored")]
    Restore {
        group: String,
        #[source]
        source: Box<ScanError>,
    },
    #[error("group {group}: the changelog of partition {partition} cannot be applied")]
    Changelog {
        group: String,
        partition: i32,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("group {group}: {attempts} transactions in a row were aborted")]
    GivenUp {
        group: String,
        attempts: u32,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("no thread for the worker of group {group}")]
    Thread {
        group: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the worker of group {group} panicked")]
    Panicked { group: String },
}

/// A running worker.
pub struct Worker {
    group: String,
    ready: Arc<AtomicBool>,
    result: oneshot::Receiver<Result<(), WorkerError>>,
}

impl Worker {
    /// Starts a worker on a thread of its own. It waits for Kafka as long as it takes. When `shutdown` is cancelled it
    /// finishes the transaction at hand (bounded by [`WorkerConfig::commit_timeout`]), leaves the group and ends.
    ///
    /// Errors on a configuration that librdkafka refuses.
    pub fn spawn<P: Processor + 'static>(
        kafka: &KafkaConfig,
        config: WorkerConfig,
        processor: P,
        metrics: &Metrics,
        shutdown: CancellationToken,
    ) -> Result<Worker, WorkerError> {
        let group = config.group.clone();
        let ready = Arc::new(AtomicBool::new(false));
        let runtime = runtime::Runtime::new(kafka, config, processor, metrics, shutdown, Arc::clone(&ready))?;
        let (done, result) = oneshot::channel();
        let run = move || {
            // Nobody waits where the handle was dropped.
            let _ = done.send(runtime.run());
        };
        match thread::Builder::new().name(format!("worker-{group}")).spawn(run) {
            Ok(_) => Ok(Worker { group, ready, result }),
            Err(source) => Err(WorkerError::Thread { group, source }),
        }
    }

    /// Whether the worker is a member of its group and its state is complete: for readiness.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// A readiness check that outlives [`join`](Self::join).
    pub fn readiness(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        let ready = Arc::clone(&self.ready);
        move || ready.load(Ordering::Relaxed)
    }

    /// Waits until the worker has ended: `Ok` after a shutdown.
    pub async fn join(self) -> Result<(), WorkerError> {
        match self.result.await {
            Ok(result) => result,
            Err(_) => Err(WorkerError::Panicked { group: self.group }),
        }
    }
}
