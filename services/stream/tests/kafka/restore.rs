use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use stream::topics::{CHANGELOG, CI_EVENTS};
use stream::worker::{Processor, WorkerConfig};
use stream::{KafkaConfig, Output, Record};

use crate::Running;

/// Keeps what it is told to restore.
#[derive(Clone, Default)]
struct Keeping(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    state: BTreeMap<String, String>,
    records: usize,
    complete: Vec<i32>,
}

impl Processor for Keeping {
    type Error = Infallible;

    fn process(&mut self, _: Vec<Record>, _: &mut Vec<Output>) -> Result<(), Infallible> {
        Ok(())
    }

    fn restore(&mut self, _: i32, key: &[u8], payload: Option<&[u8]>) -> Result<(), Infallible> {
        let mut kept = self.0.lock().unwrap();
        kept.records += 1;
        let key = String::from_utf8(key.to_vec()).unwrap();
        match payload {
            Some(payload) => kept.state.insert(key, String::from_utf8(payload.to_vec()).unwrap()),
            None => kept.state.remove(&key),
        };
        Ok(())
    }

    fn restored(&mut self, partition: i32) -> Result<(), Infallible> {
        self.0.lock().unwrap().complete.push(partition);
        Ok(())
    }
}

struct Writer {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Writer {
    fn new(kafka: &KafkaConfig, id: &str) -> Writer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &kafka.brokers).set("transactional.id", kafka.group_name(id));
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
        producer.init_transactions(Duration::from_secs(10)).unwrap();
        Writer { producer, topic: kafka.topic_name(&CHANGELOG) }
    }

    /// Leaves the transaction open.
    fn write(&self, partition: i32, records: impl Iterator<Item = (String, Option<String>)>) {
        self.producer.begin_transaction().unwrap();
        for (key, payload) in records {
            let mut record = BaseRecord::to(&self.topic).key(key.as_bytes()).partition(partition);
            record.payload = payload.as_ref().map(String::as_bytes);
            while let Err((_, back)) = self.producer.send(record) {
                record = back;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        self.producer.flush(Duration::from_secs(20)).unwrap();
    }

    fn commit(&self) {
        self.producer.commit_transaction(Duration::from_secs(20)).unwrap();
    }

    fn abort(&self) {
        self.producer.abort_transaction(Duration::from_secs(20)).unwrap();
    }
}

fn restore(kafka: &KafkaConfig) -> (Running, Keeping) {
    let (keeping, group) = (Keeping::default(), kafka.group_name("restore"));
    let config = WorkerConfig::stateful(group.clone(), format!("{group}-a"), &[&CI_EVENTS], &CHANGELOG);
    (Running::start(kafka, config, keeping.clone()), keeping)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_changelog_is_complete_at_once() {
    let kafka = crate::with_topics(3).await;
    let (mut worker, keeping) = restore(&kafka);
    worker.ready().await;
    assert_eq!(keeping.0.lock().unwrap().complete, [0, 1, 2]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_changelog_is_restored_without_what_was_aborted() {
    const BLOCK: usize = 10_000;
    let kafka = crate::with_topics(2).await;
    let mut expected = BTreeMap::new();
    let writer = Writer::new(&kafka, "writer");
    for block in 0..12 {
        let record = |i: usize| {
            (format!("key {}", (block * 7919 + i) % 60_000), (!i.is_multiple_of(10)).then(|| format!("{block} {i}")))
        };
        // Partition 0 is left to end with an aborted block, behind which nothing follows.
        writer.write(
            (block % 2) as i32,
            (0..BLOCK).map(record).map(|(key, payload)| (format!("{} {key}", block % 2), payload)),
        );
        if matches!(block, 3 | 10) {
            writer.abort();
            continue;
        }
        writer.commit();
        for (key, payload) in (0..BLOCK).map(record) {
            let key = format!("{} {key}", block % 2);
            match payload {
                Some(payload) => expected.insert(key, payload),
                None => expected.remove(&key),
            };
        }
    }
    let started = Instant::now();
    let (mut worker, keeping) = restore(&kafka);
    worker.ready().await;
    println!("restored in {:?}", started.elapsed());
    {
        let kept = keeping.0.lock().unwrap();
        assert_eq!(kept.records, 10 * BLOCK);
        assert!(kept.state == expected, "{} keys restored, {} expected", kept.state.len(), expected.len());
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_transaction_does_not_end_a_restore_early() {
    for commits in [true, false] {
        let kafka = crate::with_topics(1).await;
        let writer = Writer::new(&kafka, "peer");
        writer.write(0, [("a".to_owned(), Some("1".to_owned()))].into_iter());
        writer.commit();
        writer.write(0, [("a".to_owned(), Some("2".to_owned()))].into_iter());
        let (mut worker, keeping) = restore(&kafka);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!(worker.is_ready)(), "restored although the end is not decided");
        if commits {
            writer.commit()
        } else {
            writer.abort()
        }
        worker.ready().await;
        let wanted = if commits { "2" } else { "1" };
        assert_eq!(keeping.0.lock().unwrap().state.get("a").map(String::as_str), Some(wanted));
        worker.stop().await;
    }
}
