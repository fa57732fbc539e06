//! A consumer group sent back to the beginning of its input, in one transaction with what becomes of its state.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::client::Quiet;
use crate::config::{ConfigError, KafkaConfig, millis};
use crate::scan::{ScanError, Watermarks, read_all};
use crate::topics::Topic;

const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// A whole changelog is written in it. Readers wait for it where the command is killed and not run again.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5 * 60);
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

/// A group could not be sent back. Nothing has changed then, unless it was the commit whose outcome is not known.
#[derive(Debug, thiserror::Error)]
pub enum RewindError {
    #[error(
        "{members} members of group `{group}` are running: stop them first; one that was killed counts until its session has \
         timed out, 15 s by default"
    )]
    Running { group: String, members: usize },
    #[error(
        "the group `{group}` has state in partition {partition} and has read nothing of it: its offsets have expired, or the \
         state is of a group of another name"
    )]
    NothingRead { group: String, partition: i32 },
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
    // Also ends what was left open by one that was killed, which the reading below would wait for.
    let producer = producer(kafka, group)?;
    let (from, read) = positions(kafka, &consumer, inputs)?;
    let mut changes: BTreeMap<(i32, Vec<u8>), Change> = BTreeMap::new();
    let mut wrong = None;
    read_all(kafka, changelog, |record| {
        let key = record.key.unwrap_or_default();
        let change = match (record.payload, read.get(&record.partition)) {
            (None, _) => Ok(Change::Keep),
            (Some(_), None) => Err(RewindError::NothingRead { group: group.to_owned(), partition: record.partition }),
            (Some(value), Some(read)) => {
                change(&key, &value, read).map_err(|error| RewindError::Changelog(Box::new(error)))
            }
        };
        match change {
            Ok(change) => {
                changes.insert((record.partition, key), change);
                ControlFlow::Continue(())
            }
            Err(error) => {
                wrong = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = wrong {
        return Err(error);
    }
    producer.begin_transaction().map_err(failed("beginning a transaction"))?;
    let written = write(&producer, &kafka.topic_name(changelog), &changes)
        .and_then(|done| move_group(&producer, &consumer, group, &from).map(|()| done));
    match written {
        Ok(done) => {
            producer.commit_transaction(TRANSACTION_TIMEOUT).map_err(failed("committing"))?;
            Ok(Rewound { partitions: from.count(), ..done })
        }
        Err(error) => {
            // Where that fails, too, the next run or the timeout ends it.
            let _ = producer.abort_transaction(CALL_TIMEOUT);
            Err(error)
        }
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

fn producer(kafka: &KafkaConfig, group: &str) -> Result<ThreadedProducer<DefaultProducerContext>, RewindError> {
    let producer: ThreadedProducer<DefaultProducerContext> = kafka
        .producer(QUEUE_BYTES)?
        .set("transactional.id", format!("{group}-rewind"))
        .set("transaction.timeout.ms", millis(TRANSACTION_TIMEOUT))
        .set("delivery.timeout.ms", millis(TRANSACTION_TIMEOUT))
        .create()
        .map_err(ConfigError::from)?;
    producer.init_transactions(CALL_TIMEOUT).map_err(failed("starting transactions"))?;
    Ok(producer)
}

fn write(
    producer: &ThreadedProducer<DefaultProducerContext>,
    changelog: &str,
    changes: &BTreeMap<(i32, Vec<u8>), Change>,
) -> Result<Rewound, RewindError> {
    let mut done = Rewound::default();
    for ((partition, key), change) in changes {
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(changelog).key(key.as_slice()).partition(*partition);
        match change {
            Change::Keep => continue,
            Change::Delete => done.deleted += 1,
            Change::Replace(value) => {
                record.payload = Some(value);
                done.replaced += 1;
            }
        }
        send(producer, record)?;
    }
    Ok(done)
}

/// Moves the group within the transaction. Kafka takes offsets in a transaction from outside of a group even while it has members, so
/// they are looked for once more: who joins from now on waits for the transaction to end before it asks where it stands.
fn move_group(
    producer: &ThreadedProducer<DefaultProducerContext>,
    consumer: &BaseConsumer<Quiet>,
    group: &str,
    from: &TopicPartitionList,
) -> Result<(), RewindError> {
    let doing = "moving the group";
    let unknown = || failed(doing)(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownGroup));
    let member = consumer.group_metadata().ok_or_else(unknown)?;
    producer.send_offsets_to_transaction(from, &member, CALL_TIMEOUT).map_err(failed(doing))?;
    refuse_members(consumer, group)
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
