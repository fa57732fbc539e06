//! Topics from some time on, as they grow.

use std::ops::ControlFlow;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::client::Quiet;
use crate::config::{ConfigError, KafkaConfig};
use crate::record::Record;
use crate::scan::{ScanError, Watermarks};
use crate::topics::Topic;

const POLL: Duration = Duration::from_millis(200);

/// Visits every committed record of these topics that is not older than `since` (milliseconds since 1970), first those that are there,
/// then each as it comes, until `visit` breaks. Where nothing comes `visit` is asked with `None` a few times a second. Blocks: call
/// it from a thread that may.
pub fn follow(
    kafka: &KafkaConfig,
    topics: &[&'static Topic],
    since: i64,
    mut visit: impl FnMut(Option<Record>) -> ControlFlow<()>,
) -> Result<(), ScanError> {
    let names: Vec<(String, &'static Topic)> = topics.iter().map(|topic| (kafka.topic_name(topic), *topic)).collect();
    let consumer: BaseConsumer<Quiet> = kafka
        .consumer(&kafka.group_name("inspect"))?
        .create_with_context(Quiet::new("tail"))
        .map_err(ConfigError::from)?;
    consumer.assign(&beginning(kafka, &names, since)?).map_err(|source| failed(topics, source))?;
    loop {
        let flow = match consumer.poll(POLL) {
            None => visit(None),
            Some(Ok(message)) => match names.iter().find(|(name, _)| name == message.topic()) {
                Some((_, topic)) => visit(Some(Record::from_message(topic, &message))),
                None => ControlFlow::Continue(()),
            },
            Some(Err(source @ KafkaError::MessageConsumptionFatal(_))) => return Err(failed(topics, source)),
            // Librdkafka has said so through its context, and goes on by itself.
            Some(Err(_)) => visit(None),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
}

fn beginning(
    kafka: &KafkaConfig,
    names: &[(String, &'static Topic)],
    since: i64,
) -> Result<TopicPartitionList, ScanError> {
    let watermarks = Watermarks::new(kafka)?;
    let mut from = TopicPartitionList::new();
    for (name, topic) in names {
        for (partition, offset) in watermarks.at(topic, since)? {
            let offset = offset.map_or(Offset::End, Offset::Offset);
            from.add_partition_offset(name, partition, offset).map_err(|source| failed(&[topic], source))?;
        }
    }
    Ok(from)
}

fn failed(topics: &[&'static Topic], source: KafkaError) -> ScanError {
    let topic = topics.iter().map(|topic| topic.name).collect::<Vec<_>>().join(", ");
    ScanError::Kafka { topic, doing: "following", source }
}
