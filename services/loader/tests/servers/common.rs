//! An installation of one's own: topics with a prefix, a database, a loader.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use loader::{Error, Loader, LoaderConfig};
use local_stack::{ADMIN, Addresses};
use model::fact::{BuildFact, Fact};
use model::schema::Subject;
use model::{RunId, Timestamp};
use prometheus::Registry;
use serde_json::Value;
use stream::config::PartitionCounts;
use stream::producer::{IngestConfig, IngestProducer};
use stream::{KafkaConfig, Metrics};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use warehouse::{Warehouse, WarehouseConfig};

pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Installation {
    pub kafka: KafkaConfig,
    pub warehouse: Warehouse,
    pub producer: IngestProducer,
}

/// A loader that runs.
pub struct Running {
    pub shutdown: CancellationToken,
    pub registry: Registry,
    pub is_ready: Box<dyn Fn() -> bool>,
    pub result: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub async fn stop(self) -> Result<(), Error> {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.result).await.expect("the loader does not stop").unwrap()
    }

    /// Sum of a counter or gauge over its labels; 0 where nothing has happened yet.
    pub fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name);
        family
            .iter()
            .flat_map(|family| family.get_metric())
            .map(|m| m.get_counter().get_value() + m.get_gauge().get_value())
            .sum()
    }
}

impl Installation {
    pub async fn new(addresses: &Addresses) -> Installation {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let name = format!("t_loader_{nanos}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let kafka = KafkaConfig {
            brokers: addresses.kafka.clone(),
            topic_prefix: format!("{name}."),
            partitions: PartitionCounts { inbox: 1, events: 3 },
            ..KafkaConfig::default()
        };
        let warehouse = Warehouse::new(&WarehouseConfig {
            url: addresses.clickhouse.clone(),
            database: name,
            user: ADMIN.name.to_owned(),
            insert_timeout_ms: 5_000,
            ..WarehouseConfig::default()
        })
        .unwrap();
        warehouse.migrate().await.unwrap();
        stream::admin::ensure_topics(&kafka).await.unwrap();
        let metrics = Metrics::register(&Registry::new()).unwrap();
        // A broker that has just started may take its time.
        let patient = IngestConfig { delivery_timeout: PATIENCE, ..IngestConfig::default() };
        let producer = IngestProducer::start(&kafka, patient, &metrics).unwrap();
        Installation { kafka, warehouse, producer }
    }

    pub fn start(&self, group: &str) -> Running {
        let (registry, shutdown) = (Registry::new(), CancellationToken::new());
        let metrics = Metrics::register(&registry).unwrap();
        let config = LoaderConfig { group: group.to_owned(), max_wait_ms: 50, ..LoaderConfig::default() };
        let loader =
            Loader::start(config, &self.kafka, self.warehouse.clone(), &metrics, &registry, shutdown.clone()).unwrap();
        let is_ready = Box::new(loader.readiness());
        Running { shutdown, registry, is_ready, result: tokio::spawn(loader.run()) }
    }

    /// Writes facts to their topics, and waits until Kafka has them all.
    pub async fn write(&self, facts: impl IntoIterator<Item = Fact>) {
        let mut sent = JoinSet::new();
        for fact in facts {
            let topic = stream::topics::find(fact.subject().topic()).unwrap();
            let (producer, key, bytes) = (self.producer.clone(), key(&fact), fact.encode().unwrap());
            sent.spawn(async move { producer.send(topic, key.as_bytes(), &bytes, &[]).await.map(drop) });
        }
        while let Some(result) = sent.join_next().await {
            result.unwrap().unwrap();
        }
    }

    /// A number that a query gives as column `n`; -1 while ClickHouse is away.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows: Vec<Value> = self.warehouse.query_rows(sql).await.unwrap_or_default();
        rows.first().and_then(|row| row["n"].as_i64()).unwrap_or(-1)
    }

    pub async fn wait_for(&self, sql: &str, wanted: i64) {
        let started = Instant::now();
        loop {
            let found = self.number(sql).await;
            if found == wanted {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{found} instead of {wanted}: {sql}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn drop(self) {
        let drop = format!("DROP DATABASE {}", self.warehouse.database());
        self.warehouse.execute(&drop).await.unwrap();
        // A broker holds only so many topics.
        stream::admin::delete_topics(&self.kafka).await.unwrap();
    }
}

/// The realm and what the fact is about: its revisions stay in one partition, in order.
fn key(fact: &Fact) -> String {
    format!("default/{:?}", fact.identity())
}

pub fn build(run: usize, revision: i64) -> Fact {
    Fact::Build(BuildFact {
        realm: "default".into(),
        component: "shop".into(),
        run: RunId::new(format!("run-{run:06}")),
        attempt: 1,
        at: Timestamp(1_700_000_000_000 + run as i64 * 60_000),
        pipeline: format!("revision {revision}"),
        revision,
        ..Default::default()
    })
}

/// The topic that builds are written to.
pub fn builds() -> &'static stream::Topic {
    stream::topics::find(Subject::Builds.topic()).unwrap()
}
