//! A consumer group sent back to the beginning of its input, in one transaction with what becomes of its state.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::append::Positions;
use crate::client::Quiet;
use crate::config::{ConfigError, KafkaConfig};
use crate::group::committed;
use crate::metrics::Metrics;
use crate::record::Output;
use crate::scan::{ScanError, Watermarks, read_all};
use crate::topics::Topic;
use crate::transaction::{Failure, TransactionalProducer};
use crate::worker::{WorkerConfig, WorkerError};

const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// A whole changelog is written in it. Readers wait for it where the command is killed and not run again.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// A consumer group with state.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// Its whole name, see [`KafkaConfig::group_name`].
    pub name: &'a str,
    /// What it reads.
    pub inputs: &'a [&'static Topic],
    /// Where its state is kept.
    pub changelog: &'static Topic,
}

/// What goes with the move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Along {
    /// Further records for the changelog, each with its partition.
    pub records: Vec<Output>,
    /// What counts as read by the group beside what it had read: it was written for it since.
    pub beyond: Positions,
}

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
         state is of a group of another name; start its members under that name, let them catch up, then try again"
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
    #[error("the transaction was given up: try again")]
    GivenUp(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// From the caller: a record of the changelog that it cannot read.
    #[error("the changelog cannot be used")]
    Changelog(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<Failure> for RewindError {
    fn from(failure: Failure) -> RewindError {
        match failure {
            Failure::Abort(source) => RewindError::GivenUp(source),
            Failure::Fatal(error) => RewindError::Worker(*error),
        }
    }
}

fn failed(doing: &'static str) -> impl Fn(KafkaError) -> RewindError {
    move |source| RewindError::Kafka { doing, source }
}

type Changes = BTreeMap<(i32, Vec<u8>), Change>;

/// Sends a group back to the beginning of its inputs. `change` is asked of every record of the changelog: by its key, its value, and
/// what the group had read of the partition.
///
/// # Errors
/// Where a member of the group is running, or Kafka fails.
pub fn rewind<E: std::error::Error + Send + Sync + 'static>(
    kafka: &KafkaConfig,
    group: Group<'_>,
    along: &Along,
    metrics: &Metrics,
    change: impl FnMut(&[u8], &[u8], &Read) -> Result<Change, E>,
) -> Result<Rewound, RewindError> {
    let consumer = consumer(kafka, group.name)?;
    no_members(&consumer, group.name)?;
    // Also ends what was left open by one that was killed, as `prepare` does.
    let mut producer = producer(kafka, group, metrics)?;
    let (from, read) = positions(kafka, &consumer, group.inputs, &along.beyond)?;
    let changes = changes(kafka, group, &read, change)?;
    producer.begin()?;
    // First the group: its members then wait for the end of the transaction, and do not find a changelog in the middle of it.
    let written = move_group(&producer, &consumer, group.name, &from)
        .and_then(|()| write(&producer, group.changelog, changes, &along.records))
        .and_then(|done| Ok(producer.commit().map(|()| done)?));
    match written {
        Ok(done) => Ok(Rewound { partitions: from.count(), ..done }),
        // A producer that has failed for good cannot abort either.
        Err(error @ RewindError::Worker(_)) => Err(error),
        Err(error) => {
            // Tried once: where that fails, too, the next run or the timeout ends it.
            let once = CancellationToken::new();
            once.cancel();
            let _ = producer.abort(&once);
            Err(error)
        }
    }
}

/// Looks whether the group can be sent back, and ends what an attempt that was killed left open, so that nobody need wait for it.
///
/// # Errors
/// Where a member of the group is running, or Kafka fails.
pub fn prepare(kafka: &KafkaConfig, group: Group<'_>, metrics: &Metrics) -> Result<(), RewindError> {
    no_members(&consumer(kafka, group.name)?, group.name)?;
    producer(kafka, group, metrics).map(drop)
}

fn consumer(kafka: &KafkaConfig, group: &str) -> Result<BaseConsumer<Quiet>, RewindError> {
    Ok(kafka.consumer(group)?.create_with_context(Quiet::new("rewind")).map_err(ConfigError::from)?)
}

fn no_members(consumer: &BaseConsumer<Quiet>, group: &str) -> Result<(), RewindError> {
    let groups = consumer.fetch_group_list(Some(group), CALL_TIMEOUT).map_err(failed("looking for members"))?;
    let members = groups.groups().iter().map(|group| group.members().len()).sum();
    if members > 0 { Err(RewindError::Running { group: group.to_owned(), members }) } else { Ok(()) }
}

fn producer(kafka: &KafkaConfig, group: Group<'_>, metrics: &Metrics) -> Result<TransactionalProducer, RewindError> {
    let config = WorkerConfig {
        transaction_timeout: TRANSACTION_TIMEOUT,
        commit_timeout: TRANSACTION_TIMEOUT,
        ..WorkerConfig::stateful(group.name, format!("{}-rewind", group.name), group.inputs, group.changelog)
    };
    let producer = TransactionalProducer::new(kafka, &config, &[], metrics)?;
    producer.init(&CancellationToken::new())?;
    Ok(producer)
}

/// Where the inputs begin, and how far the group had read each of them, by partition; beyond that, where it had read any.
fn positions(
    kafka: &KafkaConfig,
    consumer: &BaseConsumer<Quiet>,
    inputs: &[&'static Topic],
    beyond: &Positions,
) -> Result<(TopicPartitionList, BTreeMap<i32, Read>), RewindError> {
    let doing = "asking for committed offsets";
    let watermarks = Watermarks::new(kafka)?;
    let (mut from, mut read) = (TopicPartitionList::new(), BTreeMap::<i32, BTreeMap<String, i64>>::new());
    for topic in inputs {
        let (name, mut asked) = (kafka.topic_name(topic), TopicPartitionList::new());
        for partition in watermarks.partitions(topic)? {
            let low = watermarks.span(topic, partition)?.low;
            from.add_partition_offset(&name, partition, Offset::Offset(low)).map_err(failed(doing))?;
            asked.add_partition(&name, partition);
        }
        for (_, partition, next) in committed(consumer, asked, CALL_TIMEOUT).map_err(failed(doing))? {
            if let Some(next) = next {
                read.entry(partition).or_default().insert(topic.name.to_owned(), next);
            }
        }
    }
    for ((topic, partition), end) in beyond {
        if let Some(read) = read.get_mut(partition) {
            let next = read.entry((*topic).to_owned()).or_default();
            *next = (*next).max(*end);
        }
    }
    Ok((from, read.into_iter().map(|(partition, read)| (partition, read.into_iter().collect())).collect()))
}

/// What becomes of each record of the changelog.
fn changes<E: std::error::Error + Send + Sync + 'static>(
    kafka: &KafkaConfig,
    group: Group<'_>,
    read: &BTreeMap<i32, Read>,
    mut change: impl FnMut(&[u8], &[u8], &Read) -> Result<Change, E>,
) -> Result<Changes, RewindError> {
    let mut changes = Changes::new();
    let mut wrong = None;
    read_all(kafka, group.changelog, |record| {
        let key = record.key.unwrap_or_default();
        let change = match (record.payload, read.get(&record.partition)) {
            (None, _) => Ok(Change::Keep),
            (Some(_), None) => {
                Err(RewindError::NothingRead { group: group.name.to_owned(), partition: record.partition })
            }
            (Some(value), Some(read)) => {
                change(&key, &value, read).map_err(|error| RewindError::Changelog(Box::new(error)))
            }
        };
        match change {
            Ok(change) => {
                // The last record of a key counts.
                let of = (record.partition, key);
                match change {
                    Change::Keep => changes.remove(&of),
                    change => changes.insert(of, change),
                };
                ControlFlow::Continue(())
            }
            Err(error) => {
                wrong = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    wrong.map_or(Ok(changes), Err)
}

fn write(
    producer: &TransactionalProducer,
    changelog: &'static Topic,
    changes: Changes,
    further: &[Output],
) -> Result<Rewound, RewindError> {
    let mut done = Rewound::default();
    for ((partition, key), change) in changes {
        let record = match change {
            Change::Keep => continue,
            Change::Delete => {
                done.deleted += 1;
                Output::tombstone(changelog, key)
            }
            Change::Replace(value) => {
                done.replaced += 1;
                Output::new(changelog, key, value)
            }
        };
        producer.send(&record.to_partition(partition))?;
    }
    for record in further {
        producer.send(record)?;
    }
    Ok(done)
}

/// Moves the group within the transaction. Kafka takes offsets in a transaction from outside of a group even while it has members, so
/// they are looked for once more: who joins from now on waits for the transaction to end before it asks where it stands.
fn move_group(
    producer: &TransactionalProducer,
    consumer: &BaseConsumer<Quiet>,
    group: &str,
    from: &TopicPartitionList,
) -> Result<(), RewindError> {
    let unknown = || failed("moving the group")(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownGroup));
    let member = consumer.group_metadata().ok_or_else(unknown)?;
    producer.send_offsets(from, &member)?;
    no_members(consumer, group)
}
