//! Making the topics, and refusing to start on topics that are not as the table says.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::client::Quiet;
use crate::config::{ConfigError, KafkaConfig};
use crate::topics::{self, Cleanup, Partitions, Retention, Topic};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// A topic just made is not at once known to every broker.
const SETTLE: Duration = Duration::from_secs(15);
const SETTLE_POLL: Duration = Duration::from_millis(100);
const LEADER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why Throughline does not start on these topics.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("Kafka at {brokers} did not answer while {doing}")]
    Kafka {
        brokers: String,
        doing: &'static str,
        #[source]
        source: KafkaError,
    },
    #[error("topic {topic} could not be made: {reason}; make it by hand or grant the right to create topics")]
    Create { topic: String, reason: String },
    #[error("topic {topic} could not be deleted: {reason}")]
    Delete { topic: String, reason: String },
    #[error("topic {topic} cannot be used {} s after it was made: {lacking}", SETTLE.as_secs())]
    NotSettled { topic: String, lacking: String },
    #[error("topic {topic} does not show its settings: {reason}; grant the right to describe its configuration")]
    Hidden { topic: String, reason: String },
    #[error("topic {topic} has {setting} = {found}, wanted is {wanted}: {advice}")]
    Mismatch { topic: String, setting: &'static str, found: String, wanted: String, advice: String },
    #[error(
        "topics {topic} ({found} partitions) and {other} ({other_found} partitions) must have the same number, else an \
         event and the state it belongs to meet on different instances: make {topic} anew with {other_found} partitions"
    )]
    CoPartition { topic: String, found: i32, other: String, other_found: i32 },
}

/// Makes the topics of the table that are missing and checks those that are there. Returns the names of those that it made; each of
/// them has a leader for every partition by then.
///
/// Checked are the number of partitions (and that co-partitioned topics agree), `cleanup.policy`, `max.message.bytes`
/// (a larger one is fine), `message.timestamp.type`, and `retention.ms` where records are kept for good. Nothing that is
/// there is changed. The first mismatch is returned; several processes may call it at once.
pub async fn ensure_topics(config: &KafkaConfig) -> Result<Vec<String>, TopicError> {
    let client = config.client()?;
    let admin: AdminClient<Quiet> = client.create_with_context(Quiet::new("admin")).map_err(ConfigError::from)?;
    let mut counts = partition_counts(config, admin.inner())?;
    let missing: Vec<&Topic> = topics::all().filter(|topic| !counts.contains_key(&config.topic_name(topic))).collect();
    let mut made = Vec::new();
    if !missing.is_empty() {
        made = create(config, &admin, &missing).await?;
        counts = settled(config, &admin, &missing).await?;
    }
    check_partitions(config, &counts)?;
    check_settings(config, &admin).await?;
    Ok(made)
}

/// Deletes every topic of the table, with all that is in them: for tests and installations to be thrown away.
pub async fn delete_topics(config: &KafkaConfig) -> Result<(), TopicError> {
    let client = config.client()?;
    let admin: AdminClient<Quiet> = client.create_with_context(Quiet::new("admin")).map_err(ConfigError::from)?;
    let names: Vec<String> = topics::all().map(|topic| config.topic_name(topic)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let results = admin.delete_topics(&names, &options()).await;
    for result in results.map_err(|source| unreachable(config, "deleting topics", source))? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((topic, code)) => return Err(TopicError::Delete { topic, reason: code.to_string() }),
        }
    }
    Ok(())
}

/// The number of partitions of each topic of the table that exists.
fn partition_counts(config: &KafkaConfig, client: &Client<Quiet>) -> Result<BTreeMap<String, i32>, TopicError> {
    let metadata = client
        .fetch_metadata(None, REQUEST_TIMEOUT)
        .map_err(|source| unreachable(config, "listing its topics", source))?;
    let ours = |name: &str| topics::all().any(|topic| config.topic_name(topic) == name);
    Ok(metadata
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none() && ours(topic.name()))
        .map(|topic| (topic.name().to_owned(), i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX)))
        .collect())
}

/// Makes topics; the names of those that no other process was quicker to make.
async fn create(
    config: &KafkaConfig,
    admin: &AdminClient<Quiet>,
    missing: &[&Topic],
) -> Result<Vec<String>, TopicError> {
    let settings: Vec<_> = missing.iter().map(|topic| (config.topic_name(topic), settings(topic), *topic)).collect();
    let new: Vec<NewTopic<'_>> = settings
        .iter()
        .map(|(name, settings, topic)| {
            let replication = TopicReplication::Fixed(config.replication.unwrap_or(-1));
            let new = NewTopic::new(name, config.partition_count(topic), replication);
            settings.iter().fold(new, |new, (key, value)| new.set(key, value))
        })
        .collect();
    let mut made = Vec::new();
    let results = admin.create_topics(&new, &options()).await;
    for result in results.map_err(|source| unreachable(config, "making topics", source))? {
        match result {
            Ok(topic) => made.push(topic),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(TopicError::Create { topic, reason: code.to_string() }),
        }
    }
    Ok(made)
}

/// What a topic is made with.
fn settings(topic: &Topic) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("cleanup.policy", topic.cleanup.as_str().to_owned()),
        ("max.message.bytes", topic.max_message_bytes.to_string()),
        ("message.timestamp.type", topic.timestamps.as_str().to_owned()),
        ("retention.ms", topic.retention.millis().to_string()),
    ];
    if topic.retention == Retention::Forever {
        settings.push(("retention.bytes", "-1".to_owned()));
    }
    if topic.cleanup != Cleanup::Delete {
        // The segment being written is never compacted: the default of 1 GiB would all be read at a restore.
        settings.push(("segment.bytes", (128 * 1024 * 1024).to_string()));
    }
    settings
}

/// Waits until new topics can be used; the number of partitions of each topic of the table.
async fn settled(
    config: &KafkaConfig,
    admin: &AdminClient<Quiet>,
    new: &[&Topic],
) -> Result<BTreeMap<String, i32>, TopicError> {
    let deadline = tokio::time::Instant::now() + SETTLE;
    loop {
        let counts = partition_counts(config, admin.inner())?;
        let Some((topic, lacking)) = new.iter().find_map(|topic| {
            let name = config.topic_name(topic);
            lacking(admin.inner(), &name, counts.get(&name).copied()).map(|lacking| (name, lacking))
        }) else {
            return Ok(counts);
        };
        if tokio::time::Instant::now() >= deadline {
            return Err(TopicError::NotSettled { topic, lacking });
        }
        tokio::time::sleep(SETTLE_POLL).await;
    }
}

/// What keeps a new topic from being used. Brokers name a partition's leader before it knows that it is the leader: only an answer
/// of its own counts.
fn lacking(client: &Client<Quiet>, topic: &str, partitions: Option<i32>) -> Option<String> {
    let Some(partitions) = partitions else { return Some("the brokers do not know it".to_owned()) };
    (0..partitions).find_map(|partition| {
        let error = client.fetch_watermarks(topic, partition, LEADER_TIMEOUT).err()?;
        Some(format!("partition {partition} has no leader ({error})"))
    })
}

fn check_partitions(config: &KafkaConfig, counts: &BTreeMap<String, i32>) -> Result<(), TopicError> {
    let found = |topic: &Topic| counts.get(&config.topic_name(topic)).copied().unwrap_or(0);
    let co_partitioned: Vec<_> = topics::all().filter(|topic| topic.partitions == Partitions::CoPartitioned).collect();
    for pair in co_partitioned.windows(2) {
        if let [other, topic] = pair
            && found(topic) != found(other)
        {
            return Err(TopicError::CoPartition {
                topic: config.topic_name(topic),
                found: found(topic),
                other: config.topic_name(other),
                other_found: found(other),
            });
        }
    }
    for topic in topics::all() {
        let (found, wanted) = (found(topic), config.partition_count(topic));
        if found != wanted {
            let setting = if topic.partitions == Partitions::Inbox { "inbox" } else { "events" };
            return Err(TopicError::Mismatch {
                topic: config.topic_name(topic),
                setting: "partitions",
                found: found.to_string(),
                wanted: wanted.to_string(),
                advice: format!("set kafka.partitions.{setting} = {found}, or make the topics of that setting anew"),
            });
        }
    }
    Ok(())
}

async fn check_settings(config: &KafkaConfig, admin: &AdminClient<Quiet>) -> Result<(), TopicError> {
    let names: Vec<String> = topics::all().map(|topic| config.topic_name(topic)).collect();
    let specifiers: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let described = admin
        .describe_configs(&specifiers, &options())
        .await
        .map_err(|source| unreachable(config, "describing topics", source))?;
    for ((topic, name), resource) in topics::all().zip(names).zip(described) {
        match resource {
            Ok(resource) => check_topic(topic, &name, &resource)?,
            Err(code) => return Err(TopicError::Hidden { topic: name, reason: code.to_string() }),
        }
    }
    Ok(())
}

fn check_topic(topic: &Topic, name: &str, resource: &ConfigResource) -> Result<(), TopicError> {
    let value = |key: &str| resource.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default();
    let mismatch = |setting: &'static str, found: String, wanted: String| {
        let advice = format!(
            "kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {setting}=[{wanted}]"
        );
        Err(TopicError::Mismatch { topic: name.to_owned(), setting, found, wanted, advice })
    };
    let cleanup = value("cleanup.policy");
    if sorted(&cleanup) != sorted(topic.cleanup.as_str()) {
        return mismatch("cleanup.policy", cleanup, topic.cleanup.as_str().to_owned());
    }
    let largest = value("max.message.bytes");
    if largest.parse::<u32>().unwrap_or(0) < topic.max_message_bytes {
        return mismatch("max.message.bytes", largest, topic.max_message_bytes.to_string());
    }
    let timestamps = value("message.timestamp.type");
    if timestamps != topic.timestamps.as_str() {
        return mismatch("message.timestamp.type", timestamps, topic.timestamps.as_str().to_owned());
    }
    if topic.retention == Retention::Forever && topic.cleanup == Cleanup::Delete {
        for setting in ["retention.ms", "retention.bytes"] {
            let retention = value(setting);
            if retention != "-1" {
                return mismatch(setting, retention, "-1".to_owned());
            }
        }
    }
    Ok(())
}

/// The parts of a list such as `compact,delete`, in order.
fn sorted(list: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = list.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.sort_unstable();
    parts
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT)).operation_timeout(Some(REQUEST_TIMEOUT))
}

fn unreachable(config: &KafkaConfig, doing: &'static str, source: KafkaError) -> TopicError {
    TopicError::Kafka { brokers: config.brokers.clone(), doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn co_partitioned_topics_must_agree() {
        let config = KafkaConfig::default();
        let mut counts: BTreeMap<String, i32> =
            topics::all().map(|topic| (config.topic_name(topic), config.partition_count(topic))).collect();
        check_partitions(&config, &counts).unwrap();
        counts.insert(config.topic_name(&topics::INCIDENT_EVENTS), 3);
        let error = check_partitions(&config, &counts).unwrap_err();
        assert!(matches!(error, TopicError::CoPartition { found: 3, .. }), "{error}");
    }

    #[test]
    fn the_order_of_a_list_is_no_mismatch() {
        assert_eq!(sorted("delete, compact"), sorted("compact,delete"));
        assert_ne!(sorted("delete"), sorted("compact,delete"));
    }
}
