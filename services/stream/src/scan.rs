//! A topic from its start to its end, once: how state is restored, and how a topic is inspected.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::client::{Quiet, serve};
use crate::config::{ConfigError, KafkaConfig, millis};
use crate::group::committed;
use crate::record::Record;
use crate::topics::Topic;

const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Offsets of an open transaction are waited for.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(30);
const STABLE_POLL: Duration = Duration::from_millis(50);
const READ_ALL_STALL: Duration = Duration::from_secs(60);

/// A topic could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("Kafka failed while {doing} {topic}")]
    Kafka {
        topic: String,
        doing: &'static str,
        #[source]
        source: KafkaError,
    },
    #[error(
        "reading {topic} made no progress for {} s; partitions and the offsets missing to their ends: {missing:?}. \
         An open transaction of a producer that died ends by itself after its timeout: look for a hung one with \
         kafka-transactions.sh", waited.as_secs()
    )]
    Stalled { topic: String, waited: Duration, missing: Vec<(i32, i64)> },
}

/// The first offset and the one after the last, of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Answers where partitions end, open transactions included.
pub(crate) struct Watermarks {
    client: BaseConsumer<Quiet>,
    kafka: KafkaConfig,
}

impl Watermarks {
    pub(crate) fn new(kafka: &KafkaConfig) -> Result<Watermarks, ConfigError> {
        let mut config = kafka.client()?;
        let client = config.set("isolation.level", "read_uncommitted").create_with_context(Quiet::new("watermarks"));
        Ok(Watermarks { client: client.map_err(ConfigError::from)?, kafka: kafka.clone() })
    }

    pub(crate) fn span(&self, topic: &Topic, partition: i32) -> Result<Span, ScanError> {
        let topic = self.kafka.topic_name(topic);
        let answer = self.client.fetch_watermarks(&topic, partition, QUERY_TIMEOUT);
        serve(&self.client);
        if answer.is_ok() {
            self.client.context().connected();
        }
        let (low, high) =
            answer.map_err(|source| ScanError::Kafka { topic, doing: "asking for the end of", source })?;
        Ok(Span { low, high })
    }

    /// The same, asked again for a while: a broker that has just become leader, of a new topic for one, denies it at first.
    fn span_patiently(&self, topic: &Topic, partition: i32) -> Result<Span, ScanError> {
        let deadline = Instant::now() + QUERY_TIMEOUT;
        loop {
            match self.span(topic, partition) {
                Err(_) if Instant::now() < deadline => std::thread::sleep(STABLE_POLL),
                outcome => return outcome,
            }
        }
    }

    /// The spans of all partitions, asked for as patiently.
    fn spans(&self, topic: &Topic) -> Result<Vec<(i32, Span)>, ScanError> {
        let partitions = self.partitions(topic)?.into_iter();
        partitions.map(|partition| Ok((partition, self.span_patiently(topic, partition)?))).collect()
    }

    /// For each partition the offset of the first record that is not older than `since`; none where there is none.
    pub(crate) fn at(&self, topic: &Topic, since: i64) -> Result<BTreeMap<i32, Option<i64>>, ScanError> {
        let name = self.kafka.topic_name(topic);
        let failed = |source| ScanError::Kafka { topic: name.clone(), doing: "looking for a time in", source };
        let mut asked = TopicPartitionList::new();
        for partition in self.partitions(topic)? {
            asked.add_partition_offset(&name, partition, Offset::Offset(since)).map_err(failed)?;
        }
        let found = self.client.offsets_for_times(asked, QUERY_TIMEOUT).map_err(failed)?;
        let offset = |offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
        Ok(found.elements().iter().map(|of| (of.partition(), offset(of.offset()))).collect())
    }

    pub(crate) fn partitions(&self, topic: &Topic) -> Result<Vec<i32>, ScanError> {
        let name = self.kafka.topic_name(topic);
        let doing = "asking for the partitions of";
        let failed = |source| ScanError::Kafka { topic: name.clone(), doing, source };
        let metadata = self.client.fetch_metadata(Some(&name), QUERY_TIMEOUT).map_err(failed)?;
        let found = metadata.topics().first();
        if let Some(code) = found.and_then(|topic| topic.error()) {
            return Err(failed(KafkaError::MetadataFetch(code.into())));
        }
        Ok(found.map_or_else(Vec::new, |topic| topic.partitions().iter().map(|p| p.id()).collect()))
    }
}

/// What [`Scan::step`] came to.
pub(crate) enum Step<'a> {
    Record(BorrowedMessage<'a>),
    /// Nothing yet.
    Idle,
    /// Everything committed below the ends was handed out.
    Done,
}

/// Reads partitions of one topic, committed records only, each up to its end as it was at the start.
///
/// The end is the high watermark with open transactions included, so that nothing which may still become part of the state
/// is missed. First the last stable offset is waited for to pass it. From then on an end-of-partition that librdkafka
/// raises (at the last stable offset) is beyond the end, whatever markers and aborted records lie in between: they take
/// offsets that are never delivered, so the last delivered one says nothing.
pub(crate) struct Scan {
    consumer: BaseConsumer<Quiet>,
    topic: String,
    unread: BTreeMap<i32, Span>,
    stable: bool,
    stall_timeout: Duration,
    progress: Instant,
    lowest_missing: i64,
}

impl Scan {
    /// `group` is not joined; its name is wanted by librdkafka, and by access rules.
    pub(crate) fn start(
        kafka: &KafkaConfig,
        group: &str,
        topic: &Topic,
        spans: impl IntoIterator<Item = (i32, Span)>,
        stall_timeout: Duration,
    ) -> Result<Scan, ScanError> {
        let mut config = kafka.consumer(group)?;
        // A follower's stable offset may be behind the leader's: the end of the partition must be the leader's.
        config.remove("client.rack");
        config
            .set("enable.partition.eof", "true")
            .set("statistics.interval.ms", "0")
            // The end is noticed by a fetch that finds nothing: it need not wait for more.
            .set("fetch.wait.max.ms", millis(Duration::from_millis(10)));
        // A reader that is as fast needs little read ahead, and what is taken for it is hardly given back. Waiting a second, as it does
        // by default, whenever so much is there would be most of a restore.
        for (property, value) in [("queued.max.messages.kbytes", "16384"), ("fetch.queue.backoff.ms", "5")] {
            if !kafka.properties.contains_key(property) {
                config.set(property, value);
            }
        }
        let consumer = config.create_with_context(Quiet::new("scan")).map_err(ConfigError::from)?;
        let unread: BTreeMap<i32, Span> = spans.into_iter().filter(|(_, span)| span.low < span.high).collect();
        let (topic, progress) = (kafka.topic_name(topic), Instant::now());
        Ok(Scan { consumer, topic, unread, stable: false, stall_timeout, progress, lowest_missing: i64::MAX })
    }

    /// One step, of at most about `timeout`.
    pub(crate) fn step(&mut self, timeout: Duration) -> Result<Step<'_>, ScanError> {
        if self.unread.is_empty() {
            return Ok(Step::Done);
        }
        if self.progress.elapsed() > self.stall_timeout {
            return Err(self.stalled());
        }
        if !self.stable {
            return self.wait_until_stable();
        }
        match self.consumer.poll(timeout) {
            None => Ok(Step::Idle),
            Some(Ok(message)) => {
                self.progress = Instant::now();
                let (partition, offset) = (message.partition(), message.offset());
                let Some(span) = self.unread.get_mut(&partition) else { return Ok(Step::Idle) };
                if offset >= span.high {
                    self.unread.remove(&partition);
                    return Ok(Step::Idle);
                }
                span.low = offset + 1;
                if span.low >= span.high {
                    self.unread.remove(&partition);
                }
                Ok(Step::Record(message))
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.progress = Instant::now();
                self.unread.remove(&partition);
                Ok(Step::Idle)
            }
            Some(Err(source @ KafkaError::MessageConsumptionFatal(_))) => Err(self.failed("reading", source)),
            // Librdkafka has said so through its context and goes on by itself; the deadline ends what it cannot mend.
            Some(Err(_)) => Ok(Step::Idle),
        }
    }

    fn wait_until_stable(&mut self) -> Result<Step<'static>, ScanError> {
        let mut missing = 0;
        for (partition, span) in &self.unread {
            match self.consumer.fetch_watermarks(&self.topic, *partition, QUERY_TIMEOUT) {
                Ok((_, stable)) => missing += (span.high - stable).max(0),
                // The deadline ends what does not pass.
                Err(_) => return Ok(Step::Idle),
            }
        }
        if missing < self.lowest_missing {
            self.lowest_missing = missing;
            self.progress = Instant::now();
        }
        if missing > 0 {
            std::thread::sleep(STABLE_POLL);
            return Ok(Step::Idle);
        }
        let mut from = TopicPartitionList::new();
        for (partition, span) in &self.unread {
            from.add_partition_offset(&self.topic, *partition, Offset::Offset(span.low))
                .map_err(|source| self.failed("choosing where to begin in", source))?;
        }
        self.consumer.assign(&from).map_err(|source| self.failed("beginning to read", source))?;
        self.stable = true;
        self.progress = Instant::now();
        Ok(Step::Idle)
    }

    fn failed(&self, doing: &'static str, source: KafkaError) -> ScanError {
        ScanError::Kafka { topic: self.topic.clone(), doing, source }
    }

    fn stalled(&self) -> ScanError {
        let missing = self.unread.iter().map(|(partition, span)| (*partition, span.high - span.low)).collect();
        ScanError::Stalled { topic: self.topic.clone(), waited: self.stall_timeout, missing }
    }
}

/// Visits every committed record of a topic from its start to where it ends now; partitions are interleaved. Blocks: call
/// it from a thread that may. Returns the number of records visited; `ControlFlow::Break` ends it early.
pub fn read_all(
    kafka: &KafkaConfig,
    topic: &'static Topic,
    visit: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<u64, ScanError> {
    read(kafka, topic, |_| i64::MAX, visit)
}

/// As [`read_all`], each partition up to its offset in `ends`, those without one not at all.
pub fn read_until(
    kafka: &KafkaConfig,
    topic: &'static Topic,
    ends: &BTreeMap<i32, i64>,
    visit: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<u64, ScanError> {
    read(kafka, topic, |partition| ends.get(&partition).copied().unwrap_or(0), visit)
}

/// As [`read_all`], from the first record that is not older than `since`, in milliseconds since 1970 by the clock of the topic.
pub fn read_since(
    kafka: &KafkaConfig,
    topic: &'static Topic,
    since: i64,
    visit: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<u64, ScanError> {
    let watermarks = Watermarks::new(kafka)?;
    let from = watermarks.at(topic, since)?;
    let begin = |(partition, span): (i32, Span)| {
        // The end stands for "nothing so young".
        let low = from.get(&partition).copied().flatten().unwrap_or(span.high);
        (partition, Span { low: low.clamp(span.low, span.high), ..span })
    };
    let spans = watermarks.spans(topic)?.into_iter().map(begin).collect();
    visit_spans(kafka, topic, spans, visit)
}

fn read(
    kafka: &KafkaConfig,
    topic: &'static Topic,
    end: impl Fn(i32) -> i64,
    visit: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<u64, ScanError> {
    let up_to = |(partition, span): (i32, Span)| (partition, Span { high: span.high.min(end(partition)), ..span });
    let spans = Watermarks::new(kafka)?.spans(topic)?.into_iter().map(up_to).collect();
    visit_spans(kafka, topic, spans, visit)
}

fn visit_spans(
    kafka: &KafkaConfig,
    topic: &'static Topic,
    spans: Vec<(i32, Span)>,
    mut visit: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<u64, ScanError> {
    let group = kafka.group_name("inspect");
    let mut scan = Scan::start(kafka, &group, topic, spans, READ_ALL_STALL)?;
    let mut visited = 0;
    loop {
        match scan.step(Duration::from_millis(200))? {
            Step::Done => return Ok(visited),
            Step::Idle => {}
            Step::Record(message) => {
                visited += 1;
                if visit(Record::from_message(topic, &message)).is_break() {
                    return Ok(visited);
                }
            }
        }
    }
}

/// How far a group, by its whole name, has read a topic: the next offset of each partition of which it has read anything.
pub fn progress(kafka: &KafkaConfig, group: &str, topic: &'static Topic) -> Result<BTreeMap<i32, i64>, ScanError> {
    let consumer: BaseConsumer<Quiet> =
        kafka.consumer(group)?.create_with_context(Quiet::new("progress")).map_err(ConfigError::from)?;
    let name = kafka.topic_name(topic);
    let mut asked = TopicPartitionList::new();
    for partition in Watermarks::new(kafka)?.partitions(topic)? {
        asked.add_partition(&name, partition);
    }
    let doing = "asking how far a group has read";
    let committed = committed(&consumer, asked, COMMITTED_TIMEOUT).map_err(|source| ScanError::Kafka {
        topic: name,
        doing,
        source,
    })?;
    Ok(committed.into_iter().filter_map(|(_, partition, next)| Some((partition, next?))).collect())
}
