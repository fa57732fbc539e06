//! How to reach Kafka.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::topics::{Partitions, Topic};

/// librdkafka's own limit on a record: a little above the largest topic's, so that the topic decides.
const MESSAGE_MAX_BYTES: u32 = 34 * 1024 * 1024;

/// How often a client that lives long tells how it stands: lag, and whether it is connected.
pub(crate) const STATISTICS_INTERVAL_MS: &str = "5000";

/// What correctness rests on; setting one of these through `properties` is refused.
const RESERVED: [&str; 17] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.protocol",
    "isolation.level",
    "message.max.bytes",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Where Kafka is and how this installation uses it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// What every topic's name begins with; the consumer groups' and transactional ids should begin with it too, see
    /// [`KafkaConfig::group_name`].
    pub topic_prefix: String,
    /// How many partitions a topic is made with.
    pub partitions: PartitionCounts,
    /// Copies of each record; unset leaves it to the brokers' `default.replication.factor`.
    pub replication: Option<i32>,
    /// How the connection is protected.
    pub security: Security,
    /// Further properties of librdkafka, by their own names.
    pub properties: BTreeMap<String, String>,
}

/// Numbers of partitions. They are for life: changing one changes which partition a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PartitionCounts {
    /// Of the inbox and the dead letters.
    pub inbox: i32,
    /// Of the event topics, the control topic, the changelog and the facts.
    pub events: i32,
}

/// How the connection to Kafka is protected.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    pub protocol: Protocol,
    /// Wanted with the two `sasl` protocols.
    pub sasl_mechanism: Option<SaslMechanism>,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// PEM file of the authorities to trust; unset trusts those of the system.
    pub ca_file: Option<PathBuf>,
}

/// `security.protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

/// `sasl.mechanism`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum SaslMechanism {
    #[serde(rename = "PLAIN")]
    Plain,
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

/// A configuration that cannot work. No variant holds a value of a property: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("kafka.brokers is empty: name at least one broker as host:port")]
    NoBrokers,
    #[error(
        "kafka.topic_prefix {0:?} does not fit a topic name: use letters, digits, '.', '_' and '-', at most 200 of them"
    )]
    TopicPrefix(String),
    #[error("kafka.partitions.{name} is {found}: at least 1 is needed")]
    Partitions { name: &'static str, found: i32 },
    #[error("kafka.security.protocol needs sasl_mechanism, username and password: {missing} is not set")]
    Sasl { missing: &'static str },
    #[error("kafka.properties sets {0:?}, which Throughline decides: take it out")]
    Reserved(String),
    #[error("librdkafka refuses the property {property:?} ({reason}): see kafka.properties")]
    Refused { property: String, reason: String },
    #[error("librdkafka cannot be started: see kafka.properties and kafka.security")]
    Client(#[source] KafkaError),
}

impl Default for KafkaConfig {
    fn default() -> KafkaConfig {
        KafkaConfig {
            brokers: "localhost:9092".to_owned(),
            topic_prefix: "throughline.".to_owned(),
            partitions: PartitionCounts::default(),
            replication: None,
            security: Security::default(),
            properties: BTreeMap::new(),
        }
    }
}

impl Default for PartitionCounts {
    fn default() -> PartitionCounts {
        PartitionCounts { inbox: 6, events: 6 }
    }
}

impl fmt::Debug for KafkaConfig {
    /// Properties by name alone: a value may be a secret (`ssl.key.password`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfig")
            .field("brokers", &self.brokers)
            .field("topic_prefix", &self.topic_prefix)
            .field("partitions", &self.partitions)
            .field("replication", &self.replication)
            .field("security", &self.security)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

impl KafkaConfig {
    /// Checks what can be checked without a broker. Everything that takes a configuration calls it.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.brokers.trim().is_empty() {
            return Err(ConfigError::NoBrokers);
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if self.topic_prefix.len() > 200 || !self.topic_prefix.bytes().all(legal) {
            return Err(ConfigError::TopicPrefix(self.topic_prefix.clone()));
        }
        for (name, found) in [("inbox", self.partitions.inbox), ("events", self.partitions.events)] {
            if found < 1 {
                return Err(ConfigError::Partitions { name, found });
            }
        }
        if let Some(reserved) = self.properties.keys().find(|key| RESERVED.contains(&key.as_str())) {
            return Err(ConfigError::Reserved(reserved.clone()));
        }
        self.security.validate()
    }

    /// The name of a topic in Kafka.
    pub fn topic_name(&self, topic: &Topic) -> String {
        format!("{}{}", self.topic_prefix, topic.name)
    }

    /// A consumer group or transactional id that belongs to this installation alone.
    pub fn group_name(&self, name: &str) -> String {
        format!("{}{name}", self.topic_prefix)
    }

    /// How many partitions a topic is to have.
    pub fn partition_count(&self, topic: &Topic) -> i32 {
        match topic.partitions {
            Partitions::Inbox => self.partitions.inbox,
            Partitions::CoPartitioned | Partitions::Facts => self.partitions.events,
        }
    }

    /// What every client shares.
    pub(crate) fn client(&self) -> Result<ClientConfig, ConfigError> {
        self.validate()?;
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "throughline")
            .set("topic.metadata.refresh.interval.ms", "60000")
            .set("reconnect.backoff.max.ms", "2000")
            .set("log.connection.close", "false");
        self.security.apply(&mut client);
        self.apply_properties(&mut client);
        Ok(client)
    }

    /// A producer whose queue holds at most `queue_bytes` of records.
    pub(crate) fn producer(&self, queue_bytes: usize) -> Result<ClientConfig, ConfigError> {
        let mut client = self.client()?;
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("compression.codec", "zstd")
            .set("linger.ms", "2")
            .set("message.max.bytes", MESSAGE_MAX_BYTES.to_string())
            .set("queue.buffering.max.kbytes", queue_bytes.div_ceil(1024).max(1).to_string())
            .set("statistics.interval.ms", STATISTICS_INTERVAL_MS);
        self.apply_properties(&mut client);
        Ok(client)
    }

    /// A consumer that sees committed records only and commits nothing by itself.
    pub(crate) fn consumer(&self, group: &str) -> Result<ClientConfig, ConfigError> {
        let mut client = self.client()?;
        client
            .set("group.id", group)
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            // Equally partitioned topics of one subscription are dealt out alike: partition n of each to one member.
            .set("partition.assignment.strategy", "range")
            .set("message.max.bytes", MESSAGE_MAX_BYTES.to_string())
            .set("session.timeout.ms", "15000")
            .set("statistics.interval.ms", STATISTICS_INTERVAL_MS);
        self.apply_properties(&mut client);
        Ok(client)
    }

    /// The operator's word is the last, on what is not reserved.
    fn apply_properties(&self, client: &mut ClientConfig) {
        for (key, value) in &self.properties {
            client.set(key, value);
        }
    }
}

impl Security {
    fn validate(&self) -> Result<(), ConfigError> {
        let missing = [
            ("sasl_mechanism", self.sasl_mechanism.is_none()),
            ("username", self.username.is_none()),
            ("password", self.password.is_none()),
        ];
        match (self.protocol, missing.iter().find(|(_, missing)| *missing)) {
            (Protocol::SaslPlaintext | Protocol::SaslSsl, Some((missing, _))) => Err(ConfigError::Sasl { missing }),
            _ => Ok(()),
        }
    }

    fn apply(&self, client: &mut ClientConfig) {
        client.set(
            "security.protocol",
            match self.protocol {
                Protocol::Plaintext => "plaintext",
                Protocol::Ssl => "ssl",
                Protocol::SaslPlaintext => "sasl_plaintext",
                Protocol::SaslSsl => "sasl_ssl",
            },
        );
        if let Some(mechanism) = self.sasl_mechanism {
            client.set(
                "sasl.mechanism",
                match mechanism {
                    SaslMechanism::Plain => "PLAIN",
                    SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
                    SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
                },
            );
        }
        if let Some(username) = &self.username {
            client.set("sasl.username", username);
        }
        if let Some(password) = &self.password {
            client.set("sasl.password", password.expose_secret());
        }
        if let Some(file) = &self.ca_file {
            client.set("ssl.ca.location", file.to_string_lossy());
        }
    }
}

impl From<KafkaError> for ConfigError {
    /// Drops the value of a refused property, which librdkafka repeats.
    fn from(error: KafkaError) -> ConfigError {
        match error {
            KafkaError::ClientConfig(_, reason, property, value) => {
                let reason = if value.is_empty() { reason } else { reason.replace(&value, "***") };
                ConfigError::Refused { property, reason }
            }
            other => ConfigError::Client(other),
        }
    }
}

/// A duration in whole milliseconds, as librdkafka wants it.
pub(crate) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> KafkaConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn defaults_are_enough() {
        let config = parse("");
        config.validate().unwrap();
        assert_eq!(config.topic_name(&crate::topics::INBOX), "throughline.inbox");
        config.producer(1 << 20).unwrap().create_native_config().unwrap();
        config.consumer("g").unwrap().create_native_config().unwrap();
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = parse(
            "[security]\nprotocol = 'sasl_ssl'\nsasl_mechanism = 'SCRAM-SHA-512'\nusername = 'u'\npassword = 'hunter2'\n\
             [properties]\n'ssl.key.password' = 'hunter3'",
        );
        config.validate().unwrap();
        let printed = format!("{config:?}");
        assert!(!printed.contains("hunter") && printed.contains("ssl.key.password"), "{printed}");
        assert_eq!(config.client().unwrap().get("sasl.password"), Some("hunter2"));
    }

    #[test]
    fn a_refused_value_is_not_repeated() {
        let config = parse("[properties]\n'socket.timeout.ms' = 'hunter2'");
        let error = config.client().unwrap().create_native_config().map(drop).map_err(ConfigError::from).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("socket.timeout.ms") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_name() {
        for (text, named) in [
            ("brokers = ' '", "kafka.brokers"),
            ("topic_prefix = 'a b'", "a b"),
            ("partitions.events = 0", "kafka.partitions.events"),
            ("security.protocol = 'sasl_ssl'", "sasl_mechanism"),
            ("properties.'isolation.level' = 'read_uncommitted'", "isolation.level"),
        ] {
            let error = parse(text).validate().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        assert!(toml::from_str::<KafkaConfig>("broker = 'x'").is_err(), "unknown fields are refused");
    }
}
