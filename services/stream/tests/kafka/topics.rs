use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use stream::admin::{TopicError, ensure_topics};
use stream::topics::{self, CONTROL, INBOX};
use stream::{KafkaConfig, Topic};

use crate::Installation;

async fn make(config: &KafkaConfig, topic: &Topic, partitions: i32, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &config.brokers).create().unwrap();
    let name = config.topic_name(topic);
    let new = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
    let new = settings.iter().fold(new, |new, (key, value)| new.set(key, value));
    admin.create_topics([&new], &AdminOptions::new()).await.unwrap().remove(0).unwrap();
}

#[tokio::test]
async fn are_made_once_and_found_again() {
    let config = Installation(crate::config(2));
    let (first, second) = tokio::join!(ensure_topics(&config), ensure_topics(&config));
    let mut made = [first.unwrap(), second.unwrap()].concat();
    made.sort_unstable();
    let mut wanted: Vec<String> = topics::all().map(|topic| config.topic_name(topic)).collect();
    wanted.sort_unstable();
    assert_eq!(made, wanted, "each was made by one of the two");
    assert_eq!(ensure_topics(&config).await.unwrap(), [""; 0]);
    for topic in topics::all() {
        assert_eq!(crate::read(&config, topic).await, [], "{topic}");
    }
}

#[tokio::test]
async fn a_mismatch_is_refused_and_says_what_to_do() {
    let config = Installation(crate::config(2));
    make(&config, &INBOX, 2, &[("cleanup.policy", "delete"), ("message.timestamp.type", "LogAppendTime")]).await;
    let error = ensure_topics(&config).await.unwrap_err();
    assert!(matches!(&error, TopicError::Mismatch { setting: "cleanup.policy", .. }), "{error}");
    let text = error.to_string();
    for part in [config.topic_name(&INBOX).as_str(), "delete", "compact,delete", "kafka-configs.sh"] {
        assert!(text.contains(part), "{text}");
    }

    let config = Installation(crate::config(2));
    let small = ("max.message.bytes", "1048588");
    let settings = [("cleanup.policy", "compact,delete"), ("message.timestamp.type", "LogAppendTime"), small];
    make(&config, &INBOX, 2, &settings).await;
    let error = ensure_topics(&config).await.unwrap_err();
    assert!(matches!(&error, TopicError::Mismatch { setting: "max.message.bytes", .. }), "{error}");
}

#[tokio::test]
async fn topics_that_are_not_co_partitioned_are_refused() {
    let config = Installation(crate::config(2));
    make(&config, &CONTROL, 3, &[]).await;
    let error = ensure_topics(&config).await.unwrap_err();
    assert!(matches!(&error, TopicError::CoPartition { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&config.topic_name(&CONTROL)) && text.contains("3 partitions"), "{text}");
}

#[tokio::test]
async fn another_number_of_partitions_than_configured_is_refused() {
    let config = crate::with_topics(2).await;
    let mut other = config.0.clone();
    other.partitions.inbox = 5;
    let error = ensure_topics(&other).await.unwrap_err();
    assert!(error.to_string().contains("kafka.partitions.inbox = 2"), "{error}");
}
