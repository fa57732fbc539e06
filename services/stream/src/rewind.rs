//! A consumer group sent back to the beginning of its input, in one transaction with what becomes of its state.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::client::Quiet;
use crate::config::{ConfigError, KafkaConfig};
use crate::scan::{ScanError, Watermarks, read_all};
use crate::topics::Topic;

const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// A whole changelog is written in it; the most that brokers grant by default.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const QUEUE_BYTES: usize = 64 * 1024 * 1024;
const QUEUE_POLL: Duration = Duration::from_millis(1);

/// What becomes of a record of the changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Keep,
    Delete,
    Replace(Vec<u8>),
}

/// The inputs of a partition that the group had read some of, each with the next offset.
pub type Read = Vec<(String, i64)>;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewound {
    /// Partitions of the input that are read from their beginning again.
    pub partitions: usize,
    /// Records of the changelog that were deleted.
    pub deleted: usize,
    /// Records of the changelog that were replaced.
    pub replaced: usize,
}

/// A group could not be sent back; nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RewindError {
    #[error(
        "{members} members of group `{group}` are running: stop them first; one that was killed counts until its session has \
         timed out, 15 s by default"
    )]
    Running { group: String, members: usize },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Scan(#[from] ScanError),
    #[error("Kafka failed while {doing}")]
    Kafka {
        doing: &'static str,
        #[source]
        source: KafkaError,
    },
    /// From the caller: a record of the changelog that it cannot read.
    #[error("the changelog cannot be used")]
    Changelog(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn failed(doing: &'static str) -> impl Fn(KafkaError) -> RewindError {
    move |source| RewindError::Kafka { doing, source }
}

/// Sends `group`, by its whole name, back to the beginning of its inputs. `change` is asked of every record of the changelog: by its
/// key, its value, and what the group had read of the partition.
///
/// # Errors
/// Where a member of the group is running, or Kafka fails.
pub fn rewind<E: std::error::Error + Send + Sync + 'static>(
    kafka: &KafkaConfig,
    group: &str,
    inputs: &[&'static Topic],
    changelog: &'static Topic,
    mut change: impl FnMut(&[u8], &[u8], &Read) -> Result<Change, E>,
) -> Result<Rewound, RewindError> {
    let consumer: BaseConsumer<Quiet> =
        kafka.consumer(group)?.create_with_context(Quiet::new("rewind")).map_err(ConfigError::from)?;
    refuse_members(&consumer, group)?;
    let (from, read) = positions(kafka, &consumer, inputs)?;
    let nothing = Read::new();
    let mut changes: BTreeMap<(i32, Vec<u8>), Change> = BTreeMap::new();
    let mut wrong = None;
    read_all(kafka, changelog, |record| {
        let key = record.key.unwrap_or_default();
        let read = read.get(&record.partition).unwrap_or(&nothing);
        match record.payload.map_or(Ok(Change::Keep), |value| change(&key, &value, read)) {
            Ok(change) => {
                changes.insert((record.partition, key), change);
                ControlFlow::Continue(())
            }
            Err(error) => {
                wrong = Some(RewindError::Changelog(Box::new(error)));
                ControlFlow::Break(())
            }
        }
    })?;
    match wrong {
        Some(error) => Err(error),
        None => commit(kafka, group, &consumer, &from, changelog, &changes),
    }
}

fn refuse_members(consumer: &BaseConsumer<Quiet>, group: &str) -> Result<(), RewindError> {
    let groups = consumer.fetch_group_list(Some(group), CALL_TIMEOUT).map_err(failed("looking for members"))?;
    let members = groups.groups().iter().map(|group| group.members().len()).sum();
    if members > 0 { Err(RewindError::Running { group: group.to_owned(), members }) } else { Ok(()) }
}

/// Where the inputs begin, and how far the group had read each of them, by partition.
fn positions(
    kafka: &KafkaConfig,
    consumer: &BaseConsumer<Quiet>,
    inputs: &[&'static Topic],
) -> Result<(TopicPartitionList, BTreeMap<i32, Read>), RewindError> {
    let doing = "asking for committed offsets";
    let watermarks = Watermarks::new(kafka)?;
    let (mut from, mut read) = (TopicPartitionList::new(), BTreeMap::<i32, Read>::new());
    for topic in inputs {
        let name = kafka.topic_name(topic);
        for partition in watermarks.partitions(topic)? {
            let low = watermarks.span(topic, partition)?.low;
            from.add_partition_offset(&name, partition, Offset::Offset(low)).map_err(failed(doing))?;
            let mut asked = TopicPartitionList::new();
            asked.add_partition(&name, partition);
            let committed = consumer.committed_offsets(asked, CALL_TIMEOUT).map_err(failed(doing))?;
            if let Some(Offset::Offset(next)) = committed.find_partition(&name, partition).map(|found| found.offset()) {
                read.entry(partition).or_default().push((topic.name.to_owned(), next));
            }
        }
    }
    Ok((from, read))
}

fn commit(
    kafka: &KafkaConfig,
    group: &str,
    consumer: &BaseConsumer<Quiet>,
    from: &TopicPartitionList,
    changelog: &'static Topic,
    changes: &BTreeMap<(i32, Vec<u8>), Change>,
) -> Result<Rewound, RewindError> {
    let producer: ThreadedProducer<DefaultProducerContext> = kafka
        .producer(QUEUE_BYTES)?
        .set("transactional.id", format!("{group}-rewind"))
        .set("transaction.timeout.ms", TRANSACTION_TIMEOUT.as_millis().to_string())
        .set("delivery.timeout.ms", TRANSACTION_TIMEOUT.as_millis().to_string())
        .create()
        .map_err(ConfigError::from)?;
    producer.init_transactions(CALL_TIMEOUT).map_err(failed("starting transactions"))?;
    producer.begin_transaction().map_err(failed("beginning a transaction"))?;
    let mut done = Rewound { partitions: from.count(), ..Rewound::default() };
    let name = kafka.topic_name(changelog);
    for ((partition, key), change) in changes {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&name).key(key.as_slice()).partition(*partition);
        match change {
            Change::Keep => continue,
            Change::Delete => done.deleted += 1,
            Change::Replace(value) => {
                record.payload = Some(value);
                done.replaced += 1;
            }
        }
        send(&producer, record)?;
    }
    let member = consumer.group_metadata().ok_or(RewindError::Kafka {
        doing: "asking for the group",
        source: KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownGroup),
    })?;
    producer.send_offsets_to_transaction(from, &member, CALL_TIMEOUT).map_err(failed("moving the group"))?;
    producer.commit_transaction(TRANSACTION_TIMEOUT).map_err(failed("committing"))?;
    Ok(done)
}

fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    mut record: BaseRecord<'_, [u8], [u8]>,
) -> Result<(), RewindError> {
    let deadline = Instant::now() + CALL_TIMEOUT;
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if Instant::now() < deadline => {
                record = back;
                std::thread::sleep(QUEUE_POLL);
            }
            Err((error, _)) => return Err(failed("writing to the changelog")(error)),
        }
    }
}
