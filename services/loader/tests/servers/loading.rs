use std::time::Instant;

use loader::{DecodeError, Error};
use local_stack::SharedStack;
use model::fact::Fact;
use serde_json::Value;

use crate::common::{Installation, PATIENCE, build, builds};

async fn installation() -> Installation {
    let stack = SharedStack::ensure(&|line| println!("{line}")).unwrap();
    Installation::new(stack.addresses()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_filled_and_a_replay_changes_nothing() {
    let installation = installation().await;
    let one_of_each = warehouse::Table::all().iter().map(|table| match table.name {
        "builds" => build(0, 1),
        _ => Fact::empty(table.subject).unwrap(),
    });
    installation.write(one_of_each).await;
    installation.write((1..500).map(|run| build(run, 1))).await;
    // A correction, a deletion, and a correction that comes after a later one.
    installation.write([build(1, 2)]).await;
    installation.write([build(2, 0).identity().tombstone("default".into(), 3)]).await;
    installation.write([build(2, 2)]).await;

    let loader = installation.start("first");
    installation.wait_for("SELECT count() AS n FROM builds", 499).await;
    for table in warehouse::Table::all().iter().filter(|table| table.name != "builds") {
        installation.wait_for(&format!("SELECT count() AS n FROM {}", table.name), 1).await;
    }
    let watermark = "SELECT sum(next_offset) AS n FROM load_watermarks WHERE topic = 'facts.builds'";
    installation.wait_for(watermark, 503).await;
    assert!((loader.is_ready)());
    assert!(loader.metric("throughline_loader_rows_total") >= 514.0);
    assert_eq!(loader.metric("throughline_loader_clickhouse_available"), 1.0);
    loader.stop().await.unwrap();
    let before = content(&installation).await;

    // Another group has no offsets: it reads all of it again, from several partitions and in other batches.
    let loader = installation.start("second");
    let started = Instant::now();
    while loader.metric("throughline_loader_rows_total") < 512.0 {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    loader.stop().await.unwrap();
    assert_eq!(content(&installation).await, before);

    // The first goes on where it was.
    installation.write([build(1000, 1)]).await;
    let loader = installation.start("first");
    installation.wait_for("SELECT count() AS n FROM builds", 500).await;
    assert_eq!(loader.metric("throughline_loader_rows_total"), 1.0);
    loader.stop().await.unwrap();
    installation.drop().await;
}

async fn content(installation: &Installation) -> Vec<Value> {
    installation.warehouse.query_rows("SELECT * FROM builds ORDER BY run, at").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_newer_version_stops_the_loader() {
    let installation = installation().await;
    let loader = installation.start("loader");
    let from_the_future = [0, 0, 0, 0x27, 0x0f, 1, 2, 3];
    installation.producer.send(builds(), b"k", &from_the_future, &[]).await.unwrap();
    let error = tokio::time::timeout(PATIENCE, loader.result).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, Error::Decode(DecodeError::Unreadable { offset: 0, .. })), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("upgrade this reader first"), "{cause}");

    // The next one meets it again: nothing was skipped.
    let loader = installation.start("loader");
    assert!(tokio::time::timeout(PATIENCE, loader.result).await.unwrap().unwrap().is_err());
    installation.drop().await;
}
