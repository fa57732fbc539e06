//! What the end-to-end tests share: an installation to themselves, deliveries as GitHub sends them, and what a role tells of itself.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod github;
pub mod hook;
pub mod load;
pub mod metrics;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use end_to_end::installation::{self, Installation};
use local_stack::{Addresses, SharedStack};
use stream::config::PartitionCounts;
use stream::{KafkaConfig, Record, Topic};

/// The one source of these installations.
pub const SOURCE: &str = "github";

/// Real servers that all tests share.
pub async fn servers() -> Addresses {
    let ensure = || SharedStack::ensure(&|line| eprintln!("{line}")).unwrap();
    tokio::task::spawn_blocking(ensure).await.unwrap().addresses().clone()
}

/// The program under test.
pub async fn binary() -> PathBuf {
    tokio::task::spawn_blocking(installation::build).await.unwrap().unwrap()
}

/// An installation that takes webhooks of GitHub and has not been started.
pub fn installation(binary: &std::path::Path, servers: &Addresses, name: &str) -> Installation {
    let name = format!("t_{name}_{:08x}", fastrand::u32(..));
    Installation::new(binary, servers, &name, &[(SOURCE, "github")]).unwrap()
}

/// How an installation reaches Kafka.
pub fn kafka(installation: &Installation, servers: &Addresses) -> KafkaConfig {
    KafkaConfig {
        brokers: servers.kafka.clone(),
        topic_prefix: format!("{}.", installation.name()),
        partitions: PartitionCounts { inbox: 2, events: 2 },
        ..KafkaConfig::default()
    }
}

/// Everything that is committed in a topic.
pub async fn records(kafka: &KafkaConfig, topic: &'static Topic) -> Vec<Record> {
    let kafka = kafka.clone();
    let read = move || {
        let mut records = Vec::new();
        let visit = |record| {
            records.push(record);
            ControlFlow::Continue(())
        };
        stream::scan::read_all(&kafka, topic, visit).unwrap();
        records
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Ends an installation in good order, and removes what it left with the servers.
pub async fn remove(mut installation: Installation) {
    installation.stop_all().await.unwrap();
    installation.remove().await.unwrap();
}

/// Asks again until an answer comes, or fails with the last reason.
pub async fn eventually<T>(within: Duration, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(reason) => assert!(started.elapsed() < within, "not within {within:?}: {reason}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
