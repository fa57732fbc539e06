//! What the tests against real servers share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ingestor::receive::{Inbox, ReceiveConfig, Receiver, router, serve};
use model::codec::{self, Record as _};
use model::inbox::InboxRecord;
use prometheus::Registry;
use stream::producer::IngestProducer;
use stream::{KafkaConfig, Topic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Topics of one's own in this Kafka.
pub async fn topics_at(brokers: &str) -> KafkaConfig {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let kafka = KafkaConfig {
        brokers: brokers.to_owned(),
        topic_prefix: format!("test-{}-{nanos:x}.", std::process::id()),
        partitions: stream::config::PartitionCounts { inbox: 2, events: 3 },
        ..KafkaConfig::default()
    };
    stream::admin::ensure_topics(&kafka).await.unwrap();
    kafka
}

/// Topics of one's own in the Kafka that all tests share.
pub async fn topics() -> KafkaConfig {
    let ensure = || local_stack::SharedStack::ensure(&|line| eprintln!("{line}")).unwrap();
    let stack = tokio::task::spawn_blocking(ensure).await.unwrap();
    topics_at(&stack.addresses().kafka).await
}

/// Everything that is committed in a topic.
pub async fn read_all(kafka: &KafkaConfig, topic: &'static Topic) -> Vec<stream::Record> {
    let kafka = kafka.clone();
    let read = move || {
        let started = Instant::now();
        loop {
            let mut records = Vec::new();
            let read = stream::scan::read_all(&kafka, topic, |record| {
                records.push(record);
                ControlFlow::Continue(())
            });
            match read {
                Ok(_) => return records,
                // A partition just made may not have its leader yet.
                Err(_) if started.elapsed() < Duration::from_secs(10) => std::thread::sleep(Duration::from_millis(200)),
                Err(error) => panic!("{topic} cannot be read: {error}"),
            }
        }
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Everything in the inbox, by delivery.
pub async fn inbox(kafka: &KafkaConfig) -> BTreeMap<String, InboxRecord> {
    let records = read_all(kafka, &stream::topics::INBOX).await;
    let decode = |record: &stream::Record| codec::decode::<InboxRecord>(record.payload.as_deref().unwrap()).unwrap();
    assert_eq!(InboxRecord::SUBJECT.topic(), stream::topics::INBOX.name);
    records.iter().map(decode).map(|record| (record.delivery.clone(), record)).collect()
}

/// Waits until it holds.
pub async fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The sum of a metric over the samples that have these labels.
pub fn metric(registry: &Registry, name: &str, labels: &[(&str, &str)]) -> f64 {
    let families = registry.gather();
    let Some(family) = families.iter().find(|family| family.name() == name) else { return 0.0 };
    let has = |metric: &prometheus::proto::Metric, (name, value): &(&str, &str)| {
        metric.get_label().iter().any(|label| label.name() == *name && label.value() == *value)
    };
    let matching = family.get_metric().iter().filter(|metric| labels.iter().all(|label| has(metric, label)));
    matching.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
}

/// A front door on a port of its own.
pub struct Server {
    pub address: SocketAddr,
    pub registry: Registry,
    pub receiver: Receiver,
    pub shutdown: CancellationToken,
    pub served: JoinHandle<()>,
}

impl Server {
    /// Opens it, and waits for Kafka.
    pub async fn start(kafka: &KafkaConfig, config: &str) -> Server {
        let mut config: ReceiveConfig = toml::from_str(config).unwrap();
        config.listen = ([127, 0, 0, 1], 0).into();
        let registry = Registry::new();
        let metrics = stream::Metrics::register(&registry).unwrap();
        let producer = IngestProducer::start(kafka, config.ingest(), &metrics).unwrap();
        let metrics = ingestor::receive::Metrics::register(&registry).unwrap();
        let receiver = Receiver::new(&config, Inbox::new(producer), metrics).unwrap();
        let listener = receiver.bind().await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let served = {
            let (receiver, shutdown) = (receiver.clone(), shutdown.clone());
            tokio::spawn(async move { serve(&receiver, listener, router(receiver.clone()), shutdown).await })
        };
        until("ready", Duration::from_secs(15), || receiver.is_ready()).await;
        Server { address, registry, receiver, shutdown, served }
    }

    pub async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), read: Vec::new() }
    }

    /// One POST on a connection of its own.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut client = self.connect().await;
        client.send(&head("POST", path, headers, body.len())).await;
        client.send(body).await;
        client.reply().await.expect("an answer")
    }

    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        metric(&self.registry, name, labels)
    }
}

/// The head of a request with a body of that length.
pub fn head(method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let length = length.to_string();
    raw_head(method, path, &[headers, &[("Content-Length", &length)]].concat())
}

/// The head of a request with these headers and no others.
pub fn raw_head(method: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n").into_bytes()
}

/// A sender that can misbehave.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What it was told.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Client {
    /// Sends, as far as the other side takes it.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Closes the sending half.
    pub async fn stop_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next answer; `None` when the connection ended without one.
    pub async fn reply(&mut self) -> Option<Reply> {
        let end = loop {
            match self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more().await?,
            }
        };
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: BTreeMap<_, _> = lines.filter_map(pair).collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        while self.read.len() < length {
            self.more().await?;
        }
        let body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        Some(Reply { status, headers, body })
    }

    async fn more(&mut self) -> Option<()> {
        let read = tokio::time::timeout(Duration::from_secs(20), self.stream.read_buf(&mut self.read));
        match read.await.expect("an answer within 20 s") {
            Ok(1..) => Some(()),
            _ => None,
        }
    }
}
