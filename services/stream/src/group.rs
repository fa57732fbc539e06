//! A member of a consumer group, served on one thread, that answers rebalances in its own time.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use crate::client::Observer;
use crate::config::{ConfigError, KafkaConfig};
use crate::metrics::Metrics;
use crate::record::Record;
use crate::topics::Topic;

/// A partition of a topic.
pub(crate) type TopicPartition = (&'static Topic, i32);

/// What the group decided and [`GroupConsumer`]'s owner has to answer: by `assign` or `unassign`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rebalance {
    Assigned(Vec<TopicPartition>),
    Revoked {
        /// The group took this member for dead: others own its partitions already.
        lost: bool,
    },
}

/// The topics of a subscription by their names in Kafka.
#[derive(Clone)]
pub(crate) struct Names(Arc<HashMap<String, &'static Topic>>);

impl Names {
    pub(crate) fn new(kafka: &KafkaConfig, topics: &[&'static Topic]) -> Names {
        Names(Arc::new(topics.iter().map(|topic| (kafka.topic_name(topic), *topic)).collect()))
    }

    pub(crate) fn topic(&self, name: &str) -> Option<&'static Topic> {
        self.0.get(name).copied()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// One member of a consumer group.
///
/// A rebalance is only noted in librdkafka's callback, which runs inside `poll`, and answered afterwards: what was read
/// can then be finished before partitions are handed over. The protocol is eager: everything is revoked, then everything
/// assigned anew.
pub(crate) struct GroupConsumer {
    consumer: BaseConsumer<GroupContext>,
    kafka: KafkaConfig,
    names: Names,
}

struct GroupContext {
    observer: Observer,
    names: Names,
    pending: Mutex<VecDeque<Rebalance>>,
    /// Nobody answers any more: the consumer is being dropped.
    closing: AtomicBool,
}

impl GroupConsumer {
    /// A member to be; [`subscribe`](Self::subscribe) makes it join.
    pub(crate) fn new(
        kafka: &KafkaConfig,
        group: &str,
        topics: &[&'static Topic],
        metrics: &Metrics,
    ) -> Result<GroupConsumer, ConfigError> {
        let names = Names::new(kafka, topics);
        let context = GroupContext {
            observer: Observer::new(group, metrics),
            names: names.clone(),
            pending: Mutex::default(),
            closing: AtomicBool::new(false),
        };
        let consumer: BaseConsumer<GroupContext> =
            kafka.consumer(group)?.create_with_context(context).map_err(ConfigError::from)?;
        Ok(GroupConsumer { consumer, kafka: kafka.clone(), names })
    }

    /// Joins the group.
    pub(crate) fn subscribe(&self) -> KafkaResult<()> {
        let subscription: Vec<&str> = self.names.all().collect();
        self.consumer.subscribe(&subscription)
    }

    /// The next record, if one comes in time. Returns early, with `None`, when there is a rebalance to answer.
    ///
    /// The caller must not lose the record: it is handed out once.
    pub(crate) fn poll(&self, timeout: Duration) -> Option<KafkaResult<Record>> {
        let polled = self.consumer.poll(timeout)?;
        polled.map(|message| self.record(&message)).transpose()
    }

    fn record(&self, message: &BorrowedMessage<'_>) -> Option<Record> {
        self.names.topic(message.topic()).map(|topic| Record::from_message(topic, message))
    }

    /// Whether a rebalance waits for its answer.
    pub(crate) fn must_rebalance(&self) -> bool {
        !self.consumer.context().lock().is_empty()
    }

    /// The oldest rebalance that waits for its answer.
    pub(crate) fn next_rebalance(&self) -> Option<Rebalance> {
        self.consumer.context().lock().pop_front()
    }

    /// Whether the partitions held have another owner already: nothing more can be committed.
    pub(crate) fn has_lost_its_partitions(&self) -> bool {
        let lost = |rebalance: &Rebalance| matches!(rebalance, Rebalance::Revoked { lost: true });
        self.consumer.context().lock().iter().any(lost)
    }

    /// Where the group stands: the next offset for each partition, or the beginning where nothing was committed. Waits
    /// (server-side) for offsets of a transaction that is still open.
    pub(crate) fn committed(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> KafkaResult<TopicPartitionList> {
        if partitions.is_empty() {
            return Ok(TopicPartitionList::new());
        }
        let asked = self.list(partitions.iter().map(|(topic, partition)| (*topic, *partition, Offset::Invalid)))?;
        let mut from = TopicPartitionList::new();
        for (topic, partition, next) in committed(&self.consumer, asked, timeout)? {
            from.add_partition_offset(&topic, partition, next.map_or(Offset::Beginning, Offset::Offset))?;
        }
        Ok(from)
    }

    /// Takes these partitions, from these offsets on. Also rewinds partitions that are held already.
    pub(crate) fn assign(&self, from: &TopicPartitionList) -> KafkaResult<()> {
        self.consumer.assign(from)
    }

    /// Gives all partitions back.
    pub(crate) fn unassign(&self) -> KafkaResult<()> {
        self.consumer.unassign()
    }

    pub(crate) fn pause(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        self.consumer.pause(partitions)
    }

    pub(crate) fn resume(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        self.consumer.resume(partitions)
    }

    /// Reads on from `offset`.
    pub(crate) fn seek(&self, topic: &Topic, partition: i32, offset: i64, timeout: Duration) -> KafkaResult<()> {
        self.consumer.seek(&self.kafka.topic_name(topic), partition, Offset::Offset(offset), timeout)
    }

    /// Commits offsets (the next one to be read) outside of a transaction.
    pub(crate) fn commit(&self, next: &TopicPartitionList) -> KafkaResult<()> {
        self.consumer.commit(next, CommitMode::Sync)
    }

    /// Who this member is in the group right now; a stale answer is what fences a zombie.
    pub(crate) fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer.group_metadata()
    }

    /// A list for librdkafka.
    pub(crate) fn list(
        &self,
        partitions: impl Iterator<Item = (&'static Topic, i32, Offset)>,
    ) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (topic, partition, offset) in partitions {
            list.add_partition_offset(&self.kafka.topic_name(topic), partition, offset)?;
        }
        Ok(list)
    }
}

/// Where the group of a consumer stands, member or not: the next offset of each partition asked for, none where nothing was committed.
/// Waits (server-side) for offsets of a transaction that is still open.
pub(crate) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    asked: TopicPartitionList,
    timeout: Duration,
) -> KafkaResult<Vec<(String, i32, Option<i64>)>> {
    let committed = consumer.committed_offsets(asked, timeout)?;
    let next = |offset| match offset {
        Offset::Offset(next) => Some(next),
        _ => None,
    };
    let elements = committed.elements();
    elements
        .iter()
        .map(|element| {
            element.error().map(|()| (element.topic().to_owned(), element.partition(), next(element.offset())))
        })
        .collect()
}

impl Drop for GroupConsumer {
    /// librdkafka closes only once every rebalance is answered.
    fn drop(&mut self) {
        let context = self.consumer.context();
        context.closing.store(true, Ordering::SeqCst);
        context.lock().clear();
        // An error here would only say that nothing is assigned.
        let _ = self.consumer.unassign();
    }
}

impl GroupContext {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Rebalance>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        if self.closing.load(Ordering::SeqCst) {
            let _ = consumer.unassign();
            return;
        }
        let rebalance = if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let known = |name: &str, partition| self.names.topic(name).map(|topic| (topic, partition));
            let elements = partitions.elements();
            Rebalance::Assigned(elements.iter().filter_map(|e| known(e.topic(), e.partition())).collect())
        } else {
            Rebalance::Revoked { lost: consumer.assignment_lost() }
        };
        self.lock().push_back(rebalance);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.lag(&statistics);
        self.observer.stats(statistics);
    }
}

impl GroupContext {
    /// What waits is what is fetched and not handed out, and what is stable and not fetched. librdkafka's own
    /// `consumer_lag` never reaches zero behind a transaction: the commit marker takes an offset that is never delivered.
    fn lag(&self, statistics: &Statistics) {
        for (name, topic) in &statistics.topics {
            let Some(known) = self.names.topic(name) else { continue };
            for (partition, stats) in &topic.partitions {
                if stats.fetch_state != "active" || stats.next_offset < 0 || stats.ls_offset < 0 {
                    continue;
                }
                let lag = stats.fetchq_cnt + (stats.ls_offset - stats.next_offset).max(0);
                let labels = [self.observer.client.as_str(), known.name, &partition.to_string()];
                self.observer.metrics.lag.with_label_values(&labels).set(lag);
            }
        }
    }
}

/// Takes the lag of partitions that are no longer held out of the metrics: their new owner shows it.
pub(crate) fn forget_lag(metrics: &Metrics, group: &str, partitions: &[TopicPartition]) {
    for (topic, partition) in partitions {
        // Errors where it was never set.
        let _ = metrics.lag.remove_label_values(&[group, topic.name, &partition.to_string()]);
    }
}
