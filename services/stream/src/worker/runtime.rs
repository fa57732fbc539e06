//! The worker's loop.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use super::{Processor, WorkerConfig, WorkerError};
use crate::config::KafkaConfig;
use crate::group::{GroupConsumer, Rebalance, TopicPartition, forget_lag};
use crate::internal_events::{self, Counts};
use crate::metrics::Metrics;
use crate::record::{Output, Record};
use crate::scan::{Scan, Span, Step, Watermarks};
use crate::topics::Topic;
use crate::transaction::{Failure, TransactionalProducer};

/// How often an idle worker looks at its shutdown token.
const IDLE_POLL: Duration = Duration::from_millis(100);
/// How often a restore looks after the group, which would otherwise take this member for dead.
const GROUP_POLL: Duration = Duration::from_millis(100);
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(5);
const ABORT_PAUSE: Duration = Duration::from_millis(100);
const RETRY_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Runtime<P> {
    config: WorkerConfig,
    kafka: KafkaConfig,
    processor: P,
    metrics: Metrics,
    shutdown: CancellationToken,
    ready: Arc<AtomicBool>,
    group: GroupConsumer,
    producer: TransactionalProducer,
    watermarks: Watermarks,
    owned: Vec<TopicPartition>,
    /// The next offset of each partition owned.
    next: HashMap<TopicPartition, i64>,
    /// Partitions the processor has state for, complete or not.
    held: BTreeSet<i32>,
    /// Those of them whose state is complete, with the changelog's end when it became so, own writes included.
    complete: HashMap<i32, i64>,
    batch: Vec<Record>,
    batch_bytes: usize,
    last_commit: Instant,
    aborts: u32,
}

/// Whether something that takes long was finished, or left for a rebalance or the shutdown.
#[derive(PartialEq)]
enum Flow {
    Finished,
    Interrupted,
}

impl<P: Processor> Runtime<P> {
    pub(super) fn new(
        kafka: &KafkaConfig,
        config: WorkerConfig,
        processor: P,
        metrics: &Metrics,
        shutdown: CancellationToken,
        ready: Arc<AtomicBool>,
    ) -> Result<Runtime<P>, WorkerError> {
        Ok(Runtime {
            group: GroupConsumer::new(kafka, &config.group, &config.inputs, metrics)?,
            producer: TransactionalProducer::new(kafka, &config, config.changelog.as_slice(), metrics)?,
            watermarks: Watermarks::new(kafka)?,
            config,
            kafka: kafka.clone(),
            processor,
            metrics: metrics.clone(),
            shutdown,
            ready,
            owned: Vec::new(),
            next: HashMap::new(),
            held: BTreeSet::new(),
            complete: HashMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            last_commit: Instant::now(),
            aborts: 0,
        })
    }

    pub(super) fn run(mut self) -> Result<(), WorkerError> {
        let result = self.work();
        self.ready.store(false, Ordering::Relaxed);
        forget_lag(&self.metrics, &self.config.group, &self.owned);
        result
    }

    fn work(&mut self) -> Result<(), WorkerError> {
        if !self.producer.init(&self.shutdown)? {
            return Ok(());
        }
        self.group.subscribe().map_err(|source| self.failed("joining the group", source))?;
        while !self.shutdown.is_cancelled() {
            self.collect()?;
            if self.group.has_lost_its_partitions() {
                self.clear_batch();
            } else if self.has_work() && !self.shutdown.is_cancelled() {
                self.transact()?;
            }
            while let Some(rebalance) = self.group.next_rebalance() {
                self.rebalance(rebalance)?;
            }
        }
        Ok(())
    }

    fn has_work(&self) -> bool {
        !self.batch.is_empty() || (self.is_complete() && self.processor.has_more())
    }

    /// Whether every partition owned has its state.
    fn is_complete(&self) -> bool {
        self.ready.load(Ordering::Relaxed) && !self.owned.is_empty()
    }

    /// Reads until the commit interval is over and nothing more is at hand, or the batch is full, or something else is to
    /// be done.
    fn collect(&mut self) -> Result<(), WorkerError> {
        let due = self.last_commit + self.config.commit_interval;
        while !self.group.must_rebalance() && !self.shutdown.is_cancelled() {
            let full = self.batch.len() >= self.config.max_batch_records;
            if full || self.batch_bytes >= self.config.max_batch_bytes {
                return Ok(());
            }
            let timeout = if self.has_work() { due.saturating_duration_since(Instant::now()) } else { IDLE_POLL };
            if !self.poll(timeout)? && (!self.has_work() || Instant::now() >= due) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds a record to the batch, if one comes in time.
    fn poll(&mut self, timeout: Duration) -> Result<bool, WorkerError> {
        match self.group.poll(timeout) {
            None => Ok(false),
            Some(Ok(record)) => {
                self.batch_bytes += record.bytes();
                self.batch.push(record);
                Ok(true)
            }
            Some(Err(source @ KafkaError::MessageConsumptionFatal(_))) => Err(self.failed("reading", source)),
            // Reported by the client's context; librdkafka goes on by itself.
            Some(Err(_)) => Ok(false),
        }
    }

    fn clear_batch(&mut self) {
        self.batch.clear();
        self.batch_bytes = 0;
    }

    /// One transaction: the batch, what it leads to, and its offsets.
    fn transact(&mut self) -> Result<(), WorkerError> {
        let started = Instant::now();
        let records = mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let input = Counts::of(records.iter().map(|record| record.topic));
        let mut touched: HashMap<TopicPartition, i64> = HashMap::new();
        for record in &records {
            touched.insert((record.topic, record.partition), record.offset + 1);
        }
        let mut output = Vec::new();
        let result = self.attempt(records, &touched, &mut output);
        self.last_commit = Instant::now();
        match result {
            Ok(()) => {
                let output = Counts::of(output.iter().map(|output| output.topic));
                internal_events::transaction_committed(
                    &self.metrics,
                    &self.config.group,
                    &input,
                    &output,
                    started.elapsed(),
                );
                self.aborts = 0;
                self.next.extend(touched.iter().map(|(input, next)| (*input, *next)));
                self.note_changelog();
                self.processor.committed();
                self.tell_reached(touched.into_iter());
                Ok(())
            }
            Err(Failure::Abort(cause)) => self.abort(cause),
            Err(Failure::Fatal(error)) => Err(*error),
        }
    }

    fn attempt(
        &mut self,
        records: Vec<Record>,
        touched: &HashMap<TopicPartition, i64>,
        output: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        // First, so that the transaction's timeout does not run while the processor works.
        self.processor.process(records, output).map_err(|error| Failure::Abort(Box::new(error)))?;
        self.producer.begin()?;
        for output in output.iter() {
            self.producer.send(output)?;
        }
        let offsets = if touched.is_empty() { &self.next } else { touched };
        let offsets = offsets.iter().map(|((topic, partition), next)| (*topic, *partition, Offset::Offset(*next)));
        let offsets = self.group.list(offsets).map_err(|error| Failure::Abort(Box::new(error)))?;
        let member = self.group.metadata().ok_or_else(|| Failure::Abort("the group has no coordinator".into()))?;
        self.producer.send_offsets(&offsets, &member)?;
        self.producer.commit()
    }

    fn tell_reached(&mut self, inputs: impl Iterator<Item = (TopicPartition, i64)>) {
        inputs.for_each(|((topic, partition), next)| self.processor.reached(topic, partition, next));
    }

    /// Where the changelog of each partition just written ends: behind its last record and the commit's marker.
    fn note_changelog(&mut self) {
        for ((_, partition), last) in self.producer.take_written() {
            self.complete.insert(partition, last + 2);
        }
    }

    fn abort(&mut self, cause: Box<dyn Error + Send + Sync>) -> Result<(), WorkerError> {
        self.aborts += 1;
        self.ready.store(false, Ordering::Relaxed);
        internal_events::transaction_aborted(&self.metrics, &self.config.group, self.aborts, cause.as_ref());
        self.producer.abort(&self.shutdown)?;
        self.clear_batch();
        self.processor.aborted();
        self.held.clear();
        self.complete.clear();
        if self.aborts >= self.config.max_attempts {
            let (group, attempts) = (self.config.group.clone(), self.aborts);
            return Err(WorkerError::GivenUp { group, attempts, source: cause });
        }
        thread::sleep(ABORT_PAUSE * self.aborts);
        // A rebalance that waits for its answer begins anew by itself.
        if self.group.must_rebalance() { Ok(()) } else { self.take_up() }
    }

    fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), WorkerError> {
        let group = &self.config.group;
        self.ready.store(false, Ordering::Relaxed);
        match rebalance {
            Rebalance::Assigned(owned) => {
                internal_events::assigned(&self.metrics, group, owned.len());
                self.owned = owned;
                self.check_co_partitioned()?;
                self.take_up()
            }
            Rebalance::Revoked { lost } => {
                internal_events::revoked(&self.metrics, group, self.owned.len(), lost);
                forget_lag(&self.metrics, group, &self.owned);
                // What is read by now belongs to the next owner; state waits for who that is.
                self.clear_batch();
                self.owned.clear();
                self.next.clear();
                self.group.unassign().map_err(|source| self.failed("giving partitions back", source))
            }
        }
    }

    fn check_co_partitioned(&self) -> Result<(), WorkerError> {
        if self.config.changelog.is_none() {
            return Ok(());
        }
        for partition in self.partitions() {
            for topic in &self.config.inputs {
                if !self.owned.contains(&(topic, partition)) {
                    let group = self.config.group.clone();
                    return Err(WorkerError::NotCoPartitioned { group, partition, missing: topic.name });
                }
            }
        }
        Ok(())
    }

    /// The numbers of the partitions owned.
    fn partitions(&self) -> BTreeSet<i32> {
        self.owned.iter().map(|(_, partition)| *partition).collect()
    }

    /// Begins with the partitions owned, or begins anew after an abort: from the committed offsets, with the state that
    /// belongs to them.
    fn take_up(&mut self) -> Result<(), WorkerError> {
        let Some(from) = self.committed()? else { return Ok(()) };
        self.next = self
            .owned
            .iter()
            .map(|(topic, partition)| {
                ((*topic, *partition), offset_in(&from, &self.kafka.topic_name(topic), *partition))
            })
            .collect();
        let failed = |doing| move |source| (doing, source);
        let group = &self.group;
        group
            .assign(&from)
            .map_err(failed("taking partitions"))
            .and_then(|()| group.pause(&from).map_err(failed("pausing partitions")))
            .map_err(|(doing, source)| self.failed(doing, source))?;
        if self.restore()? == Flow::Interrupted {
            return Ok(());
        }
        let inputs = self.next.clone();
        self.tell_reached(inputs.into_iter());
        self.group.resume(&from).map_err(|source| self.failed("resuming partitions", source))?;
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Where the group stands, once no open transaction can change it any more; `None` when interrupted.
    fn committed(&mut self) -> Result<Option<TopicPartitionList>, WorkerError> {
        loop {
            match self.group.committed(&self.owned, COMMITTED_TIMEOUT) {
                Ok(from) => return Ok(Some(from)),
                Err(error) => internal_events::retrying(&self.config.group, "asking for committed offsets", &error),
            }
            thread::sleep(RETRY_PAUSE);
            if self.look_after_group()? == Flow::Interrupted {
                return Ok(None);
            }
        }
    }

    /// Serves the group while something else takes long. A record that slips through is kept.
    fn look_after_group(&mut self) -> Result<Flow, WorkerError> {
        self.poll(Duration::ZERO)?;
        let interrupted = self.group.must_rebalance() || self.shutdown.is_cancelled();
        Ok(if interrupted { Flow::Interrupted } else { Flow::Finished })
    }

    /// Gives the processor its partitions, each with its state.
    fn restore(&mut self) -> Result<Flow, WorkerError> {
        let started = Instant::now();
        let owned = self.partitions();
        for partition in self.held.difference(&owned).copied().collect::<Vec<_>>() {
            self.drop_state(partition);
        }
        let mut cold = Vec::new();
        for &partition in &owned {
            let Some(span) = self.changelog_span(partition)? else { return Ok(Flow::Interrupted) };
            if self.complete.get(&partition) == Some(&span.high) {
                continue;
            }
            self.drop_state(partition);
            self.processor.assigned(partition);
            self.held.insert(partition);
            cold.push((partition, span));
        }
        let records = match self.config.changelog {
            Some(changelog) => match self.read_changelog(changelog, &cold)? {
                Some(records) => records,
                None => return Ok(Flow::Interrupted),
            },
            None => 0,
        };
        for (partition, span) in &cold {
            self.processor.restored(*partition).map_err(|error| self.cannot_apply(*partition, error))?;
            self.complete.insert(*partition, span.high);
        }
        let (cold, warm) = (cold.len(), owned.len() - cold.len());
        internal_events::restored(&self.metrics, &self.config.group, cold, warm, records, started.elapsed());
        Ok(Flow::Finished)
    }

    /// Where the changelog of a partition begins and ends; `None` when interrupted.
    fn changelog_span(&mut self, partition: i32) -> Result<Option<Span>, WorkerError> {
        let Some(changelog) = self.config.changelog else { return Ok(Some(Span { low: 0, high: 0 })) };
        let deadline = Instant::now() + self.config.restore_stall_timeout;
        loop {
            match self.watermarks.span(changelog, partition) {
                Ok(span) => return Ok(Some(span)),
                Err(error) if Instant::now() >= deadline => return Err(self.cannot_restore(error)),
                Err(error) => {
                    internal_events::retrying(&self.config.group, "asking for the end of the changelog", &error)
                }
            }
            thread::sleep(RETRY_PAUSE);
            if self.look_after_group()? == Flow::Interrupted {
                return Ok(None);
            }
        }
    }

    /// The number of records read; `None` when interrupted.
    fn read_changelog(&mut self, changelog: &'static Topic, spans: &[(i32, Span)]) -> Result<Option<u64>, WorkerError> {
        let (group, stall) = (self.config.group.clone(), self.config.restore_stall_timeout);
        let scan = Scan::start(&self.kafka, &group, changelog, spans.iter().copied(), stall);
        let mut scan = scan.map_err(|error| self.cannot_restore(error))?;
        let mut records = 0;
        let mut looked = Instant::now();
        loop {
            match scan.step(IDLE_POLL).map_err(|error| self.cannot_restore(error))? {
                Step::Done => return Ok(Some(records)),
                Step::Idle => {}
                Step::Record(message) => {
                    records += 1;
                    let (partition, key) = (message.partition(), message.key().unwrap_or_default());
                    let applied = self.processor.restore(partition, key, message.payload());
                    applied.map_err(|error| self.cannot_apply(partition, error))?;
                }
            }
            if looked.elapsed() >= GROUP_POLL {
                looked = Instant::now();
                if self.look_after_group()? == Flow::Interrupted {
                    return Ok(None);
                }
            }
        }
    }

    fn drop_state(&mut self, partition: i32) {
        self.complete.remove(&partition);
        if self.held.remove(&partition) {
            self.processor.revoked(partition);
        }
    }

    fn failed(&self, doing: &'static str, source: KafkaError) -> WorkerError {
        WorkerError::Kafka { group: self.config.group.clone(), doing, source: Box::new(source) }
    }

    fn cannot_restore(&self, source: crate::scan::ScanError) -> WorkerError {
        WorkerError::Restore { group: self.config.group.clone(), source: Box::new(source) }
    }

    fn cannot_apply(&self, partition: i32, error: P::Error) -> WorkerError {
        WorkerError::Changelog { group: self.config.group.clone(), partition, source: Box::new(error) }
    }
}

/// The offset a list holds for a partition; the beginning counts as 0.
fn offset_in(list: &TopicPartitionList, topic: &str, partition: i32) -> i64 {
    match list.find_partition(topic, partition).map(|element| element.offset()) {
        Some(Offset::Offset(offset)) => offset,
        _ => 0,
    }
}
