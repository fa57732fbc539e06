//! At-least-once batches for a sink that is idempotent.
//!
//! A [`Reader`] is one member of a consumer group on a thread of its own. It hands out at most one batch of each partition
//! at a time and reads ahead one more; above that the partition pauses, so memory is bounded by partitions × 2 ×
//! [`ReaderConfig::max_batch_bytes`]. Offsets are committed when the caller says that a batch is stored, never earlier. A
//! caller that cannot store a batch keeps it and tries the same bytes again, or gives it back ([`Committer::rewind`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as commands;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::error::KafkaError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigError, KafkaConfig};
use crate::group::{GroupConsumer, Rebalance, TopicPartition, forget_lag};
use crate::internal_events;
use crate::metrics::Metrics;
use crate::record::Record;
use crate::topics::Topic;

/// How long a commit may wait for the thread to look.
const POLL: Duration = Duration::from_millis(10);
/// Records taken from librdkafka before the thread looks at anything else.
const POLL_BURST: usize = 1_000;
const SEEK_TIMEOUT: Duration = Duration::from_secs(10);

/// What a reader reads, and its bounds.
#[derive(Clone, Debug)]
pub struct ReaderConfig {
    /// The consumer group, see [`KafkaConfig::group_name`].
    pub group: String,
    pub topics: Vec<&'static Topic>,
    /// The most records of a batch.
    pub max_batch_records: usize,
    /// The most bytes of a batch, exceeded by one record at most.
    pub max_batch_bytes: usize,
    /// How long the first record of a batch waits for more.
    pub max_wait: Duration,
    /// How long a revoked partition, or the shutdown, waits for batches that are out.
    pub drain_timeout: Duration,
}

impl ReaderConfig {
    /// A reader of these topics with bounds that suit bulk inserts.
    pub fn new(group: impl Into<String>, topics: impl IntoIterator<Item = &'static Topic>) -> ReaderConfig {
        ReaderConfig {
            group: group.into(),
            topics: topics.into_iter().collect(),
            max_batch_records: 50_000,
            max_batch_bytes: 16 * 1024 * 1024,
            max_wait: Duration::from_millis(500),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Why a reader stopped, or why a commit failed.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("group {group}: Kafka failed while {doing}")]
    Kafka {
        group: String,
        doing: &'static str,
        #[source]
        source: KafkaError,
    },
    #[error(
        "group {group}: the offsets {next:?} (topic, partition, offset) could not be committed: try again, or rewind"
    )]
    Commit {
        group: String,
        next: Vec<(&'static str, i32, i64)>,
        #[source]
        source: Box<KafkaError>,
    },
    #[error("no thread for the reader of group {group}")]
    Thread {
        group: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the reader of group {group} has ended")]
    Ended { group: String },
}

/// Consecutive committed records of one partition; never empty. Offsets may have gaps (markers, compaction).
#[derive(Debug)]
pub struct Batch {
    pub topic: &'static Topic,
    pub partition: i32,
    pub records: Vec<Record>,
    pub first_offset: i64,
    pub last_offset: i64,
    /// Which assignment it belongs to.
    epoch: u64,
}

/// Reads batches.
pub struct Reader {
    batches: mpsc::UnboundedReceiver<Batch>,
    result: Option<oneshot::Receiver<Result<(), ReaderError>>>,
    committer: Committer,
    ready: Arc<AtomicBool>,
}

/// Says what became of batches. Clones may be used from several tasks.
#[derive(Clone)]
pub struct Committer {
    group: Arc<str>,
    commands: commands::Sender<Command>,
}

enum Command {
    Commit { stored: Vec<Stored>, done: oneshot::Sender<Result<(), ReaderError>> },
    Rewind { at: Position, first: i64 },
}

/// A batch that is stored.
#[derive(Clone, Copy)]
struct Stored {
    at: Position,
    next: i64,
    records: usize,
}

#[derive(Clone, Copy)]
struct Position {
    partition: TopicPartition,
    epoch: u64,
}

impl Batch {
    fn position(&self) -> Position {
        Position { partition: (self.topic, self.partition), epoch: self.epoch }
    }
}

impl Reader {
    /// Starts a reader; it connects by itself and as often as it takes. When `shutdown` is cancelled nothing more is read,
    /// batches that are out may still be committed for [`ReaderConfig::drain_timeout`], and the group is left.
    ///
    /// Errors on a configuration that librdkafka refuses.
    pub fn spawn(
        kafka: &KafkaConfig,
        config: ReaderConfig,
        metrics: &Metrics,
        shutdown: CancellationToken,
    ) -> Result<Reader, ReaderError> {
        let (batch_sender, batches) = mpsc::unbounded_channel();
        let (command_sender, command_receiver) = commands::channel();
        let (done, result) = oneshot::channel();
        let ready = Arc::new(AtomicBool::new(false));
        let committer = Committer { group: Arc::from(config.group.as_str()), commands: command_sender };
        let group = config.group.clone();
        let reading = Reading {
            group: GroupConsumer::new(kafka, &config.group, &config.topics, metrics)?,
            config,
            metrics: metrics.clone(),
            slots: HashMap::new(),
            epoch: 0,
            commands: command_receiver,
            batches: batch_sender,
            shutdown,
            ready: Arc::clone(&ready),
        };
        let run = move || {
            // Nobody waits where the reader was dropped.
            let _ = done.send(reading.run());
        };
        match thread::Builder::new().name(format!("reader-{group}")).spawn(run) {
            Ok(_) => Ok(Reader { batches, result: Some(result), committer, ready }),
            Err(source) => Err(ReaderError::Thread { group, source }),
        }
    }

    /// The next batch of any partition; `None` after a shutdown. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Batch>, ReaderError> {
        if let Some(batch) = self.batches.recv().await {
            return Ok(Some(batch));
        }
        match self.result.take() {
            None => Ok(None),
            Some(result) => match result.await {
                Ok(result) => result.map(|()| None),
                Err(_) => Err(ReaderError::Ended { group: self.committer.group.to_string() }),
            },
        }
    }

    /// See [`Committer::commit`].
    pub async fn commit(&self, batches: &[Batch]) -> Result<(), ReaderError> {
        self.committer.commit(batches).await
    }

    /// See [`Committer::rewind`].
    pub fn rewind(&self, batch: &Batch) -> Result<(), ReaderError> {
        self.committer.rewind(batch)
    }

    /// For tasks that store batches beside each other.
    pub fn committer(&self) -> Committer {
        self.committer.clone()
    }

    /// Whether the reader is a member of its group: a readiness check that outlives the reader.
    pub fn readiness(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        let ready = Arc::clone(&self.ready);
        move || ready.load(Ordering::Relaxed)
    }
}

impl Committer {
    /// The batches are stored: their offsets are committed, in one request, and the next batches of their partitions may come. A
    /// batch of a former assignment is ignored: the partition's new owner reads and stores it again. On an error try again, or
    /// rewind.
    pub async fn commit(&self, batches: &[Batch]) -> Result<(), ReaderError> {
        let (done, result) = oneshot::channel();
        let stored =
            |batch: &Batch| Stored { at: batch.position(), next: batch.last_offset + 1, records: batch.records.len() };
        self.command(Command::Commit { stored: batches.iter().map(stored).collect(), done })?;
        result.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// The batch is given back: its partition is read again from the batch's first offset.
    pub fn rewind(&self, batch: &Batch) -> Result<(), ReaderError> {
        self.command(Command::Rewind { at: batch.position(), first: batch.first_offset })
    }

    fn command(&self, command: Command) -> Result<(), ReaderError> {
        self.commands.send(command).map_err(|_| self.ended())
    }

    fn ended(&self) -> ReaderError {
        ReaderError::Ended { group: self.group.to_string() }
    }
}

/// The reader's thread.
struct Reading {
    group: GroupConsumer,
    config: ReaderConfig,
    metrics: Metrics,
    slots: HashMap<TopicPartition, Slot>,
    epoch: u64,
    commands: commands::Receiver<Command>,
    batches: mpsc::UnboundedSender<Batch>,
    shutdown: CancellationToken,
    ready: Arc<AtomicBool>,
}

/// What is read ahead of one partition, and whether a batch of it is out.
struct Slot {
    epoch: u64,
    records: Vec<Record>,
    bytes: usize,
    since: Instant,
    is_out: bool,
    is_paused: bool,
}

impl Slot {
    fn new(epoch: u64) -> Slot {
        Slot { epoch, records: Vec::new(), bytes: 0, since: Instant::now(), is_out: false, is_paused: false }
    }

    fn push(&mut self, record: Record) {
        if self.records.is_empty() {
            self.since = Instant::now();
        }
        self.bytes += record.bytes();
        self.records.push(record);
    }

    fn is_full(&self, config: &ReaderConfig) -> bool {
        self.records.len() >= config.max_batch_records || self.bytes >= config.max_batch_bytes
    }

    /// The batch to hand out now, if any.
    fn take(&mut self, config: &ReaderConfig) -> Option<Batch> {
        if self.is_out || !(self.is_full(config) || self.since.elapsed() >= config.max_wait) {
            return None;
        }
        let (first, last) = (self.records.first()?, self.records.last()?);
        let (topic, partition) = (first.topic, first.partition);
        let (first_offset, last_offset) = (first.offset, last.offset);
        self.is_out = true;
        self.bytes = 0;
        let records = std::mem::take(&mut self.records);
        Some(Batch { topic, partition, records, first_offset, last_offset, epoch: self.epoch })
    }
}

impl Reading {
    fn run(mut self) -> Result<(), ReaderError> {
        let result = self.read();
        self.ready.store(false, Ordering::Relaxed);
        let owned: Vec<_> = self.slots.keys().copied().collect();
        forget_lag(&self.metrics, &self.config.group, &owned);
        result
    }

    fn read(&mut self) -> Result<(), ReaderError> {
        self.group.subscribe().map_err(|source| self.failed("joining the group", source))?;
        while !self.shutdown.is_cancelled() && !self.batches.is_closed() {
            self.poll()?;
            while let Ok(command) = self.commands.try_recv() {
                self.serve(command)?;
            }
            self.hand_out()?;
            while let Some(rebalance) = self.group.next_rebalance() {
                self.rebalance(rebalance)?;
            }
        }
        self.drain()
    }

    fn poll(&mut self) -> Result<(), ReaderError> {
        for polled in 0..POLL_BURST {
            match self.group.poll(if polled == 0 { POLL } else { Duration::ZERO }) {
                None => return Ok(()),
                Some(Ok(record)) => {
                    let partition = (record.topic, record.partition);
                    let Some(slot) = self.slots.get_mut(&partition) else { continue };
                    slot.push(record);
                    if slot.is_full(&self.config) {
                        return self.pause_if_waiting(partition);
                    }
                }
                Some(Err(source @ KafkaError::MessageConsumptionFatal(_))) => {
                    return Err(self.failed("reading", source));
                }
                // Reported by the client's context; librdkafka goes on by itself.
                Some(Err(_)) => {}
            }
        }
        Ok(())
    }

    fn pause_if_waiting(&mut self, partition: TopicPartition) -> Result<(), ReaderError> {
        match self.slots.get_mut(&partition) {
            Some(slot) if slot.is_out && !slot.is_paused => slot.is_paused = true,
            _ => return Ok(()),
        }
        let one = [(partition.0, partition.1, Offset::Invalid)];
        let paused = self.group.list(one.into_iter()).and_then(|list| self.group.pause(&list));
        paused.map_err(|source| self.failed("pausing a partition", source))
    }

    fn resume(&self, partition: TopicPartition) -> Result<(), ReaderError> {
        let one = [(partition.0, partition.1, Offset::Invalid)];
        let resumed = self.group.list(one.into_iter()).and_then(|list| self.group.resume(&list));
        resumed.map_err(|source| self.failed("resuming a partition", source))
    }

    fn hand_out(&mut self) -> Result<(), ReaderError> {
        let mut resumed = Vec::new();
        for (partition, slot) in &mut self.slots {
            if let Some(batch) = slot.take(&self.config) {
                // A closed channel ends the loop.
                let _ = self.batches.send(batch);
                if std::mem::take(&mut slot.is_paused) {
                    resumed.push(*partition);
                }
            }
        }
        resumed.into_iter().try_for_each(|partition| self.resume(partition))
    }

    fn serve(&mut self, command: Command) -> Result<(), ReaderError> {
        match command {
            Command::Commit { stored, done } => {
                let result = self.commit(stored);
                // The caller may have gone away; the offsets are committed nevertheless.
                let _ = done.send(result);
                Ok(())
            }
            Command::Rewind { at, first } => self.rewind(at, first),
        }
    }

    /// The slot a command is for, unless the assignment it was made under is over.
    fn current(&mut self, at: Position) -> Option<&mut Slot> {
        let (topic, partition) = at.partition;
        let slot = self.slots.get_mut(&at.partition).filter(|slot| slot.epoch == at.epoch && slot.is_out);
        if slot.is_none() {
            internal_events::stale_batch(&self.config.group, topic.name, partition);
        }
        slot
    }

    fn commit(&mut self, mut stored: Vec<Stored>) -> Result<(), ReaderError> {
        stored.retain(|stored| self.current(stored.at).is_some());
        if stored.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let next = stored.iter().map(|Stored { at, next, .. }| (at.partition.0, at.partition.1, *next));
        let list =
            self.group.list(next.clone().map(|(topic, partition, next)| (topic, partition, Offset::Offset(next))));
        list.and_then(|list| self.group.commit(&list)).map_err(|source| {
            let next = next.map(|(topic, partition, next)| (topic.name, partition, next)).collect();
            ReaderError::Commit { group: self.config.group.clone(), next, source: Box::new(source) }
        })?;
        let records = stored.iter().map(|stored| (stored.at.partition.0.name, stored.records));
        internal_events::offsets_committed(&self.metrics, &self.config.group, records, started.elapsed());
        for Stored { at, .. } in stored {
            if let Some(slot) = self.current(at) {
                slot.is_out = false;
            }
        }
        Ok(())
    }

    fn rewind(&mut self, at: Position, first: i64) -> Result<(), ReaderError> {
        self.epoch += 1;
        let epoch = self.epoch;
        let Some(slot) = self.current(at) else { return Ok(()) };
        let was_paused = slot.is_paused;
        *slot = Slot::new(epoch);
        let (topic, partition) = at.partition;
        let sought = self.group.seek(topic, partition, first, SEEK_TIMEOUT);
        sought.map_err(|source| self.failed("going back to a batch given back", source))?;
        if was_paused { self.resume(at.partition) } else { Ok(()) }
    }

    fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), ReaderError> {
        let group = self.config.group.clone();
        match rebalance {
            Rebalance::Assigned(owned) => {
                internal_events::assigned(&self.metrics, &group, owned.len());
                self.epoch += 1;
                self.slots = owned.iter().map(|partition| (*partition, Slot::new(self.epoch))).collect();
                let from = owned.into_iter().map(|(topic, partition)| (topic, partition, Offset::Invalid));
                let assigned = self.group.list(from).and_then(|from| self.group.assign(&from));
                assigned.map_err(|source| self.failed("taking partitions", source))?;
                self.ready.store(true, Ordering::Relaxed);
                Ok(())
            }
            Rebalance::Revoked { lost } => {
                internal_events::revoked(&self.metrics, &group, self.slots.len(), lost);
                if !lost {
                    self.drain()?;
                }
                let owned: Vec<_> = self.slots.drain().map(|(partition, _)| partition).collect();
                forget_lag(&self.metrics, &group, &owned);
                self.ready.store(false, Ordering::Relaxed);
                self.group.unassign().map_err(|source| self.failed("giving partitions back", source))
            }
        }
    }

    /// Waits for batches that are out; what was only read ahead is dropped with its slot.
    fn drain(&mut self) -> Result<(), ReaderError> {
        let deadline = Instant::now() + self.config.drain_timeout;
        while self.slots.values().any(|slot| slot.is_out) && !self.batches.is_closed() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            match self.commands.recv_timeout(left.min(Duration::from_millis(100))) {
                Ok(Command::Rewind { at, .. }) => {
                    if let Some(slot) = self.current(at) {
                        slot.is_out = false;
                    }
                }
                Ok(command) => self.serve(command)?,
                Err(commands::RecvTimeoutError::Timeout) => {}
                Err(commands::RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn failed(&self, doing: &'static str, source: KafkaError) -> ReaderError {
        ReaderError::Kafka { group: self.config.group.clone(), doing, source }
    }
}
