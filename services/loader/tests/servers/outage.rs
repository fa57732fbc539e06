use std::time::{Duration, Instant};

use local_stack::Stack;

use crate::common::{Installation, PATIENCE, build};

const BUILDS: usize = 20_000;

/// ClickHouse is killed, and later stopped in good order, while facts keep coming.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_while_clickhouse_is_away() {
    let mut stack = Stack::start(&|line| println!("{line}")).unwrap();
    let installation = Installation::new(stack.addresses()).await;
    let loader = installation.start("loader");

    let writing = async {
        for revision in 1..=2 {
            for chunk in 0..20 {
                let runs = chunk * BUILDS / 20..(chunk + 1) * BUILDS / 20;
                installation.write(runs.map(|run| build(run, revision))).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let breaking = async {
        wait_until(|| (loader.is_ready)() && loader.metric("throughline_loader_rows_total") > 0.0).await;
        stack.kill_clickhouse();
        wait_until(|| !(loader.is_ready)()).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        stack.start_clickhouse().unwrap();
        wait_until(|| (loader.is_ready)()).await;
        stack.stop_clickhouse();
        tokio::time::sleep(Duration::from_secs(1)).await;
        stack.start_clickhouse().unwrap();
    };
    tokio::join!(writing, breaking);

    let last = format!("SELECT countIf(pipeline = 'revision 2') AS n FROM builds HAVING count() = {BUILDS}");
    installation.wait_for(&last, BUILDS as i64).await;
    let distinct = "SELECT uniqExact(run) AS n FROM builds";
    assert_eq!(installation.number(distinct).await, BUILDS as i64);
    assert!(loader.metric("throughline_loader_retries_total") >= 1.0);
    assert!((loader.is_ready)());

    // Asked to stop while ClickHouse is away, it does not wait for it.
    stack.stop_clickhouse();
    installation.write([build(BUILDS, 1)]).await;
    wait_until(|| !(loader.is_ready)()).await;
    let started = Instant::now();
    loader.stop().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(8));
    // What was not stored comes again.
    stack.start_clickhouse().unwrap();
    let loader = installation.start("loader");
    installation.wait_for("SELECT count() AS n FROM builds", BUILDS as i64 + 1).await;
    loader.stop().await.unwrap();
}

async fn wait_until(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
