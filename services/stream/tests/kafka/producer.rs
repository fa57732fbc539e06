use std::time::{Duration, Instant};

use stream::KafkaConfig;
use stream::producer::{IngestConfig, IngestProducer, SendError};
use stream::topics::{CI_EVENTS, INBOX};

#[tokio::test]
async fn an_acknowledged_record_is_there() {
    let config = crate::with_topics(3).await;
    let producer = IngestProducer::start(&config, IngestConfig::default(), &crate::metrics()).unwrap();
    crate::eventually("Kafka is available", || async { producer.is_available() }).await;
    let headers = [("x-event".to_owned(), b"push".to_vec())];
    let started = Instant::now();
    let ack = producer.send(&INBOX, b"github/1", b"body", &headers).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let records = crate::read(&config, &INBOX).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((record.partition, record.offset), (ack.partition, ack.offset));
    assert_eq!((record.key.as_deref(), record.payload.as_deref()), (Some(&b"github/1"[..]), Some(&b"body"[..])));
    assert_eq!(record.header("x-event"), Some(&b"push"[..]));
    assert!(record.timestamp > 1_700_000_000_000);
}

#[tokio::test]
async fn the_largest_body_passes_and_one_more_byte_does_not() {
    let config = crate::with_topics(1).await;
    let producer = IngestProducer::start(&config, IngestConfig::default(), &crate::metrics()).unwrap();
    let large = vec![7; 32 * 1024 * 1024 - 256];
    producer.send(&INBOX, b"k", &large, &[]).await.unwrap();
    let error = producer.send(&INBOX, b"k", &vec![7; 32 * 1024 * 1024], &[]).await.unwrap_err();
    assert!(matches!(error, SendError::TooLarge { topic: "inbox", limit: 33_554_432, .. }), "{error}");
    let error = producer.send(&CI_EVENTS, b"k", &large, &[]).await.unwrap_err();
    assert!(matches!(error, SendError::TooLarge { topic: "ci.events", .. }), "{error}");
    assert_eq!(crate::read(&config, &INBOX).await.len(), 1);
}

/// Nothing listens there.
fn away() -> KafkaConfig {
    KafkaConfig { brokers: "127.0.0.1:1".to_owned(), ..KafkaConfig::default() }
}

#[tokio::test]
async fn without_kafka_it_says_so_in_bounded_time() {
    let bounds = IngestConfig { delivery_timeout: Duration::from_secs(1), ..IngestConfig::default() };
    let producer = IngestProducer::start(&away(), bounds, &crate::metrics()).unwrap();
    let started = Instant::now();
    let error = producer.send(&INBOX, b"k", b"v", &[]).await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(!producer.is_available());
}

#[tokio::test]
async fn a_full_budget_refuses_at_once_and_recovers() {
    let bounds = IngestConfig { budget_bytes: 10_000, delivery_timeout: Duration::from_secs(3) };
    let producer = IngestProducer::start(&away(), bounds, &crate::metrics()).unwrap();
    let waiting = {
        let producer = producer.clone();
        tokio::spawn(async move { producer.send(&INBOX, b"k", &[0; 8_000], &[]).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    let error = producer.send(&INBOX, b"k", &[0; 8_000], &[]).await.unwrap_err();
    assert!(matches!(error, SendError::Overloaded { budget_bytes: 10_000 }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(matches!(waiting.await.unwrap(), Err(SendError::Unavailable { .. })));
    // The bytes of the record that was given up are free again.
    let error = producer.send(&INBOX, b"k", &[0; 8_000], &[]).await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }), "{error:?}");
}
