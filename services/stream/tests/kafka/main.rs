//! Against a real Kafka: the one that `THROUGHLINE_TEST_KAFKA` (host:port) names, else the shared local stack. Each test
//! has topics of its own.

// Clippy knows the helpers of a test, outside of its function, for no test code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod append;
mod producer;
mod reader;
mod restore;
mod topics;
mod worker;

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus::Registry;
use stream::config::PartitionCounts;
use stream::producer::{IngestConfig, IngestProducer};
use stream::worker::{Processor, Worker, WorkerConfig, WorkerError};
use stream::{KafkaConfig, Metrics, Record, Topic, admin, scan};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A configuration whose topics nobody else has; they do not exist yet. `RUST_LOG` shows what goes on.
fn config(partitions: i32) -> KafkaConfig {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let topic_prefix = format!("test-{now}-{}-{}.", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let partitions = PartitionCounts { inbox: partitions, events: partitions };
    // What a broker allows at least: the group soon notices that a member was killed.
    let properties = [("session.timeout.ms".to_owned(), "6000".to_owned())].into();
    KafkaConfig { brokers: brokers(), topic_prefix, partitions, properties, ..KafkaConfig::default() }
}

/// The same with its topics made.
async fn with_topics(partitions: i32) -> Installation {
    let installation = Installation(config(partitions));
    admin::ensure_topics(&installation).await.unwrap();
    installation
}

/// A configuration whose topics are deleted in the end: a broker holds only so many.
struct Installation(KafkaConfig);

impl std::ops::Deref for Installation {
    type Target = KafkaConfig;

    fn deref(&self) -> &KafkaConfig {
        &self.0
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let config = self.0.clone();
        let delete = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(admin::delete_topics(&config))
        };
        // A test that failed for want of a broker shall say so itself.
        let _ = std::thread::spawn(delete).join();
    }
}

fn brokers() -> String {
    static BROKERS: OnceLock<String> = OnceLock::new();
    let find = || match std::env::var("THROUGHLINE_TEST_KAFKA") {
        Ok(brokers) => brokers,
        Err(_) => local_stack::SharedStack::ensure(&|line| eprintln!("{line}")).unwrap().addresses().kafka.clone(),
    };
    BROKERS.get_or_init(find).clone()
}

fn metrics() -> Metrics {
    Metrics::register(&Registry::new()).unwrap()
}

/// Writes records `(topic, key, payload)` in parallel and waits for all.
async fn produce(config: &KafkaConfig, records: impl IntoIterator<Item = (&'static Topic, String, String)>) {
    let producer = IngestProducer::start(config, IngestConfig::default(), &metrics()).unwrap();
    let sends: Vec<_> = records
        .into_iter()
        .map(|(topic, key, payload)| {
            let producer = producer.clone();
            tokio::spawn(async move { producer.send(topic, key.as_bytes(), payload.as_bytes(), &[]).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
}

/// All committed records of a topic.
async fn read(config: &KafkaConfig, topic: &'static Topic) -> Vec<Record> {
    let config = config.clone();
    let read = move || {
        let mut records = Vec::new();
        scan::read_all(&config, topic, |record| {
            records.push(record);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        records
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// A worker that runs, and its end.
struct Running {
    is_ready: Box<dyn Fn() -> bool>,
    ended: JoinHandle<Result<(), WorkerError>>,
    shutdown: CancellationToken,
}

impl Running {
    fn start(kafka: &KafkaConfig, config: WorkerConfig, processor: impl Processor + 'static) -> Running {
        let shutdown = CancellationToken::new();
        let worker = Worker::spawn(kafka, config, processor, &metrics(), shutdown.clone()).unwrap();
        Running { is_ready: Box::new(worker.readiness()), ended: tokio::spawn(worker.join()), shutdown }
    }

    async fn ready(&mut self) {
        eventually("the worker is ready", || async { self.ended.is_finished() || (self.is_ready)() }).await;
        if self.ended.is_finished() {
            panic!("the worker ended: {:?}", (&mut self.ended).await);
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.ended.await.unwrap().unwrap();
    }
}

/// Waits for what must come true soon.
async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let started = Instant::now();
    while !check().await {
        assert!(started.elapsed() < Duration::from_secs(40), "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
