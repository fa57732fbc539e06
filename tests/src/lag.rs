//! How much each part of an installation still has to do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use stream::{Topic, topics};

/// Kafka tells the offsets of a group only once no open transaction holds any: that of a killed member is aborted after 10 s, and the
/// coordinator looks every 10 s.
const WITHIN: Duration = Duration::from_secs(40);

/// Records that wait, by consumer group: what is in the log behind the group's offset, of the records that a reader of committed ones
/// gets. Transaction markers take offsets too, and are not records.
///
/// # Errors
/// Where Kafka does not answer.
pub fn left(brokers: &str, prefix: &str) -> Result<BTreeMap<&'static str, u64>> {
    let facts: Vec<&'static Topic> = topics::FACTS.iter().collect();
    let groups: [(&'static str, Vec<&'static Topic>); 3] =
        [("normalise", vec![&topics::INBOX]), ("correlator", topics::EVENTS.to_vec()), ("loader", facts)];
    let mut left = BTreeMap::new();
    for (group, topics) in groups {
        left.insert(group, of_group(brokers, prefix, group, &topics)?);
    }
    Ok(left)
}

/// Records that wait for one group.
///
/// # Errors
/// Where Kafka does not answer.
pub fn of_group(brokers: &str, prefix: &str, group: &str, topics: &[&'static Topic]) -> Result<u64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("{prefix}.{group}"))
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()?;
    let mut asked = TopicPartitionList::new();
    for topic in topics {
        let name = format!("{prefix}.{}", topic.name);
        let metadata =
            consumer.fetch_metadata(Some(&name), WITHIN).with_context(|| format!("no metadata of {name}"))?;
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            asked.add_partition(&name, partition.id());
        }
    }
    let committed = consumer.committed_offsets(asked, WITHIN).context("no offsets of the group")?;
    let mut behind = TopicPartitionList::new();
    for element in committed.elements() {
        let (low, high) = consumer.fetch_watermarks(element.topic(), element.partition(), WITHIN)?;
        let next = match element.offset() {
            Offset::Offset(offset) => offset.max(low),
            _ => low,
        };
        if next < high {
            behind.add_partition_offset(element.topic(), element.partition(), Offset::Offset(next))?;
        }
    }
    count(&consumer, &behind)
}

/// Reads what is behind the offsets.
fn count(consumer: &BaseConsumer, behind: &TopicPartitionList) -> Result<u64> {
    let mut open = behind.count();
    if open == 0 {
        return Ok(0);
    }
    consumer.assign(behind)?;
    let mut records = 0;
    while open > 0 {
        match consumer.poll(WITHIN) {
            Some(Ok(_)) => records += 1,
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => return Err(error).context("what waits cannot be read"),
            None => anyhow::bail!("Kafka sent nothing for {WITHIN:?}"),
        }
    }
    Ok(records)
}
