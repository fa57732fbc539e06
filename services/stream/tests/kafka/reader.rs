use std::collections::BTreeSet;
use std::time::Duration;

use stream::KafkaConfig;
use stream::reader::{Batch, Reader, ReaderConfig};
use stream::topics::FACTS;
use tokio_util::sync::CancellationToken;

fn start(kafka: &KafkaConfig) -> (Reader, CancellationToken) {
    let shutdown = CancellationToken::new();
    let config = ReaderConfig {
        max_batch_records: 100,
        max_wait: Duration::from_millis(100),
        drain_timeout: Duration::from_secs(3),
        ..ReaderConfig::new(kafka.group_name("load"), &FACTS[..2])
    };
    (Reader::spawn(kafka, config, &crate::metrics(), shutdown.clone()).unwrap(), shutdown)
}

fn facts(range: std::ops::Range<u32>) -> impl Iterator<Item = (&'static stream::Topic, String, String)> {
    range.map(|i| (&FACTS[i as usize % 2], format!("key {}", i % 40), i.to_string()))
}

fn values(batch: &Batch) -> Vec<u32> {
    let text = |payload: &Vec<u8>| std::str::from_utf8(payload).unwrap().parse().unwrap();
    batch.records.iter().map(|record| text(record.payload.as_ref().unwrap())).collect()
}

async fn next(reader: &mut Reader) -> Batch {
    tokio::time::timeout(Duration::from_secs(20), reader.next()).await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_does_not_come_again_and_what_is_not_does() {
    const N: u32 = 2_000;
    let kafka = crate::with_topics(3).await;
    crate::produce(&kafka, facts(0..N)).await;
    let mut seen = BTreeSet::new();
    let (mut reader, shutdown) = start(&kafka);
    while seen.len() < N as usize / 2 {
        let batch = next(&mut reader).await;
        assert!(batch.records.len() <= 100 && batch.records.iter().all(|r| r.partition == batch.partition));
        assert_eq!(batch.last_offset, batch.records.last().unwrap().offset);
        for value in values(&batch) {
            assert!(seen.insert(value), "{value} came twice");
        }
        reader.commit(&[batch]).await.unwrap();
    }
    // This one is read, but never stored.
    let lost = next(&mut reader).await;
    shutdown.cancel();
    drop(reader);
    assert!(values(&lost).iter().all(|value| !seen.contains(value)));

    let (mut reader, shutdown) = start(&kafka);
    while seen.len() < N as usize {
        let batch = next(&mut reader).await;
        for value in values(&batch) {
            assert!(seen.insert(value), "{value} came twice");
        }
        reader.commit(&[batch]).await.unwrap();
    }
    shutdown.cancel();
    assert!(reader.next().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_given_back_comes_again_in_order() {
    const N: u32 = 600;
    let kafka = crate::with_topics(1).await;
    crate::produce(&kafka, facts(0..N)).await;
    let (mut reader, shutdown) = start(&kafka);
    let mut offsets = [-1; 2];
    let (mut stored, mut given_back) = (0, 0);
    while stored < N as usize {
        let batch = next(&mut reader).await;
        let index = FACTS[..2].iter().position(|topic| topic == batch.topic).unwrap();
        assert_eq!(batch.first_offset, offsets[index] + 1, "of {}", batch.topic);
        if given_back < 5 {
            given_back += 1;
            // Long enough for the reader to have read ahead and paused.
            tokio::time::sleep(Duration::from_millis(100)).await;
            reader.rewind(&batch).unwrap();
            // Too late: the batch is not ours any more.
            reader.commit(&[batch]).await.unwrap();
            continue;
        }
        offsets[index] = batch.last_offset;
        stored += batch.records.len();
        reader.commit(&[batch]).await.unwrap();
    }
    shutdown.cancel();
    assert!(reader.next().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_committed_together_only_one_given_back_comes_again() {
    const N: u32 = 600;
    let kafka = crate::with_topics(3).await;
    crate::produce(&kafka, facts(0..N)).await;
    let (mut reader, shutdown) = start(&kafka);
    let mut together = Vec::new();
    while together.len() < 4 {
        together.push(next(&mut reader).await);
    }
    reader.rewind(&together[1]).unwrap();
    reader.commit(&together).await.unwrap();
    shutdown.cancel();
    drop(reader);
    let given_back: BTreeSet<u32> = values(&together.remove(1)).into_iter().collect();
    let stored: BTreeSet<u32> = together.iter().flat_map(values).collect();

    let (mut reader, shutdown) = start(&kafka);
    let mut seen = BTreeSet::new();
    while seen.len() + stored.len() < N as usize {
        let batch = next(&mut reader).await;
        seen.extend(values(&batch));
        reader.commit(&[batch]).await.unwrap();
    }
    assert!(seen.is_disjoint(&stored) && seen.is_superset(&given_back));
    shutdown.cancel();
    assert!(reader.next().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_readers_share_the_partitions_and_lose_nothing() {
    const N: u32 = 3_000;
    let kafka = crate::with_topics(4).await;
    let (mut a, stop_a) = start(&kafka);
    crate::produce(&kafka, facts(0..N)).await;
    let mut seen = BTreeSet::new();
    let first = next(&mut a).await;
    let (mut b, stop_b) = start(&kafka);
    seen.extend(values(&first));
    a.commit(&[first]).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while seen.len() < N as usize {
        let (reader, batch) = tokio::select! {
            batch = a.next() => (&a, batch),
            batch = b.next() => (&b, batch),
            () = tokio::time::sleep_until(deadline) => panic!("{} of {N} seen", seen.len()),
        };
        let batch = batch.unwrap().unwrap();
        seen.extend(values(&batch));
        reader.commit(&[batch]).await.unwrap();
    }
    stop_a.cancel();
    stop_b.cancel();
    assert!(a.next().await.unwrap().is_none());
    assert!(b.next().await.unwrap().is_none());
}
