//! Kafka and ClickHouse away under load: it costs time and nothing else.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use end_to_end::installation::{Installation, Role};
use local_stack::Stack;
use model::codec;
use model::event::CiEvent;
use stream::topics;
use tokio::task::{JoinSet, block_in_place};
use tokio::time::sleep;

use support::github::{Delivery, GitHub, History};
use support::load::{Answer, Load};
use support::metrics::Metrics;

const OUTAGE: Duration = Duration::from_secs(20);
/// Deliveries a second, outage or not.
const RATE: u32 = 200;
const HISTORY: History = History { repositories: 20 };

const MIB: u64 = 1024 * 1024;
/// Bodies that hold memory while Kafka is away: together half as much again as the budget.
const LARGE: usize = 24;
const LARGE_BYTES: usize = 8 * 1024 * 1024;
/// What bodies and what waits for Kafka may take together (`receive.budget_bytes`, twice), and room for all else.
const MAX_GROWTH: u64 = (2 * 128 + 96) * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn outages_cost_time_and_nothing_else() {
    let binary = support::binary().await;
    let start = || Stack::start(&|line| eprintln!("{line}")).unwrap();
    let mut stack = tokio::task::spawn_blocking(start).await.unwrap();
    let mut installation = support::installation(&binary, stack.addresses(), "outages");
    installation.start(Role::All).await.unwrap();
    let started = Instant::now();
    let load = Load::start(&GitHub::of(&installation), HISTORY, RATE);
    sleep(Duration::from_secs(4)).await;

    kafka_is_away(&mut stack, &installation, &load).await;
    load.caught_up(Duration::from_secs(40)).await;
    clickhouse_is_away(&mut stack, &installation, &load).await;
    sleep(Duration::from_secs(2)).await;

    let sent = load.stop().await;
    installation.wait_drained(Duration::from_secs(60)).await.unwrap();
    let seconds = started.elapsed().as_secs();
    everything_counts_once(&installation, &stack, sent).await;
    eprintln!("{sent} deliveries sent and accepted in {seconds} s");
    installation.stop_all().await.unwrap();
}

/// Sends 503 with `Retry-After` meanwhile, in bounded memory.
async fn kafka_is_away(stack: &mut Stack, installation: &Installation, load: &Load) {
    let pid = installation.pid(Role::All).unwrap();
    let before = resident(pid);
    block_in_place(|| stack.stop_kafka());
    let away = Instant::now();
    let large = hold_memory(installation);
    let mut peak = before;
    while away.elapsed() < OUTAGE {
        peak = peak.max(resident(pid));
        sleep(Duration::from_millis(100)).await;
    }
    let answers = load.answers(away + Duration::from_secs(1), Instant::now());
    block_in_place(|| stack.start_kafka()).unwrap();
    let back = Instant::now();
    let large: Vec<u16> = large.join_all().await;
    let recovered = load.first_accepted_after(back).await - back;
    let refused = answers.iter().filter(|answer| **answer == Answer::TryAgainLater).count();
    eprintln!(
        "Kafka away for {OUTAGE:?}: {refused} answers 503 with Retry-After, {} others; accepting again {recovered:?} after its \
         return; resident {:?} MiB before, {:?} at most",
        answers.len() - refused,
        before.map(|bytes| bytes / MIB),
        peak.map(|bytes| bytes / MIB),
    );
    assert!(refused as u32 >= RATE, "only {refused} answers");
    assert!(answers.iter().all(|answer| *answer == Answer::TryAgainLater), "{:?}", BTreeSet::from_iter(answers));
    assert!(large.iter().all(|status| *status == 503), "{large:?}");
    assert!(recovered < Duration::from_secs(10), "accepting again only after {recovered:?}");
    if let (Some(before), Some(peak)) = (before, peak) {
        assert!(peak - before < MAX_GROWTH, "grew from {before} to {peak} bytes");
    }
}

/// Sends more than may be held at once; the answers.
fn hold_memory(installation: &Installation) -> JoinSet<u16> {
    let mut sent = JoinSet::new();
    for n in 0..LARGE {
        let github = GitHub::of(installation);
        sent.spawn(async move {
            let body = serde_json::json!({"action": "created", "text": "x".repeat(LARGE_BYTES)}).to_string();
            let answer = github.send(&Delivery::new(format!("large-{n}"), "star", body)).await;
            answer.map_or(0, |answer| answer.status().as_u16())
        });
    }
    sent
}

/// Nobody at the front door notices.
async fn clickhouse_is_away(stack: &mut Stack, installation: &Installation, load: &Load) {
    let before = installation.number("SELECT count() FROM deployments").await.unwrap();
    let away = Instant::now();
    block_in_place(|| stack.stop_clickhouse());
    sleep(OUTAGE).await;
    block_in_place(|| stack.start_clickhouse()).unwrap();
    let answers = load.answers(away, Instant::now());
    eprintln!("ClickHouse away for {OUTAGE:?}: {} answers, with {before} deployments loaded before", answers.len());
    assert!(answers.len() as u32 >= RATE * OUTAGE.as_secs() as u32 / 2, "only {} answers", answers.len());
    assert!(answers.iter().all(|answer| *answer == Answer::Accepted), "{:?}", BTreeSet::from_iter(answers));
}

async fn everything_counts_once(installation: &Installation, stack: &Stack, sent: u64) {
    let kafka = support::kafka(installation, stack.addresses());
    let events = support::records(&kafka, &topics::CI_EVENTS).await;
    let events: Vec<CiEvent> =
        events.iter().map(|event| codec::decode(event.payload.as_deref().unwrap()).unwrap()).collect();
    let told: BTreeSet<&str> = events.iter().map(|event| event.delivery.as_str()).collect();
    assert_eq!(told.len() as u64, sent, "deliveries that told an event");
    assert!(support::records(&kafka, &topics::DEAD_LETTERS).await.is_empty());
    let outcomes = Metrics::of(installation, Role::All).await;
    let outcomes = outcomes.outcomes();
    assert_eq!(outcomes.get("dead_letter"), None);

    let deployments = HISTORY.deployments(sent);
    // Every deployed commit was deployed once, and pushed in a delivery of its own.
    for (table, distinct) in [
        ("deployments", "deployment"),
        ("releases", "(component, version)"),
        ("release_commits", "(component, commit, environment)"),
    ] {
        let counts = installation.query(&format!("SELECT count(), uniqExact({distinct}) FROM {table}")).await.unwrap();
        assert_eq!(counts.trim(), format!("{deployments}\t{deployments}"), "{table}: rows, distinct rows");
    }
    let stored = installation.number("SELECT count() FROM deployments_rows FINAL").await.unwrap();
    assert_eq!(stored, deployments);
    eprintln!("{outcomes:?} of deliveries; {} events; {deployments} deployments, each once", events.len());
}

/// Resident memory of a process in bytes, where the system tells it.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
