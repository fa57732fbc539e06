//! Clients beside those of the crate `stream`: with its settings, and without what it does with them.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use rdkafka::ClientConfig;
use stream::KafkaConfig;
use stream::config::PartitionCounts;

/// How long a question to Kafka may take.
pub const WITHIN: Duration = Duration::from_secs(30);

/// An installation's place in Kafka.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Bootstrap servers.
    #[arg(long)]
    brokers: String,
    /// What the topics of the input begin with.
    #[arg(long)]
    pub prefix: String,
    /// Partitions of the event topics.
    #[arg(long, default_value_t = 2)]
    partitions: i32,
}

impl Place {
    /// The topics that begin with `prefix`.
    pub fn config(&self, prefix: &str) -> KafkaConfig {
        KafkaConfig {
            brokers: self.brokers.clone(),
            topic_prefix: prefix.to_owned(),
            partitions: PartitionCounts { inbox: self.partitions, events: self.partitions },
            ..KafkaConfig::default()
        }
    }

    /// Makes the topics that begin with `prefix`.
    pub fn ensure_topics(&self, prefix: &str) -> Result<()> {
        let config = self.config(prefix);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(stream::admin::ensure_topics(&config)).context("the topics cannot be made")?;
        Ok(())
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.brokers).set("topic.metadata.refresh.interval.ms", "60000");
        client
    }

    /// As `stream` writes.
    pub fn producer(&self) -> ClientConfig {
        let mut client = self.client();
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("compression.codec", "zstd")
            .set("linger.ms", "2")
            .set("message.max.bytes", "35651584")
            .set("queue.buffering.max.kbytes", "65536");
        client
    }

    /// As `stream` reads.
    pub fn consumer(&self, group: &str) -> ClientConfig {
        let mut client = self.client();
        client
            .set("group.id", group)
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("partition.assignment.strategy", "range")
            .set("message.max.bytes", "35651584")
            .set("session.timeout.ms", "15000");
        client
    }
}
