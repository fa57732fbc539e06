use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stream::rewind::{Along, Change, Group, RewindError, Rewound};
use stream::topics::{self, CHANGELOG, CI_EVENTS, CONTROL, DEAD_LETTERS, EVENTS, INBOX};
use stream::worker::{Processor, WorkerConfig, WorkerError};
use stream::{KafkaConfig, Output, Record};

use crate::Running;

/// Counts records by key; emits each record's payload once as a fact. Fails, and panics, at random while it has faults left.
#[derive(Clone)]
struct Counting {
    state: HashMap<i32, BTreeMap<String, u64>>,
    shared: Arc<Shared>,
    batch: u64,
}

#[derive(Default)]
struct Shared {
    committed: AtomicU64,
    aborted: AtomicU64,
    restored: AtomicU64,
    faults: AtomicI64,
    random: AtomicU64,
    /// The state of the instance that stopped last, or of all that are running, by partition.
    states: Mutex<BTreeMap<i32, BTreeMap<String, u64>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("a fault")]
struct Fault;

impl Shared {
    fn with_faults(faults: i64) -> Arc<Shared> {
        Arc::new(Shared { faults: AtomicI64::new(faults), random: AtomicU64::new(42), ..Shared::default() })
    }

    /// One of `n`, by a linear congruential generator.
    fn one_in(&self, n: u64) -> bool {
        let step = |x: u64| Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let drawn = self.random.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap();
        (drawn >> 33).is_multiple_of(n)
    }

    fn takes_fault(&self, n: u64) -> bool {
        self.faults.load(Ordering::Relaxed) > 0 && self.one_in(n) && self.faults.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

impl Counting {
    fn new(shared: &Arc<Shared>) -> Counting {
        Counting { state: HashMap::new(), shared: Arc::clone(shared), batch: 0 }
    }
}

impl Processor for Counting {
    type Error = Fault;

    fn process(&mut self, records: Vec<Record>, out: &mut Vec<Output>) -> Result<(), Fault> {
        self.batch = records.len() as u64;
        for record in records {
            let key = String::from_utf8(record.key.unwrap()).unwrap();
            let count = self.state.get_mut(&record.partition).expect("assigned").entry(key.clone()).or_insert(0);
            *count += 1;
            out.push(Output::new(&CHANGELOG, key.clone(), count.to_string()).to_partition(record.partition));
            out.push(Output::new(topics::facts_of("releases").unwrap(), key, record.payload.unwrap()));
            if self.shared.takes_fault(60) {
                assert!(!self.shared.one_in(3), "a crash");
                return Err(Fault);
            }
        }
        Ok(())
    }

    fn committed(&mut self) {
        self.shared.committed.fetch_add(self.batch, Ordering::Relaxed);
        let mut states = self.shared.states.lock().unwrap();
        states.extend(self.state.iter().map(|(partition, state)| (*partition, state.clone())));
    }

    fn aborted(&mut self) {
        self.shared.aborted.fetch_add(1, Ordering::Relaxed);
        self.state.clear();
    }

    fn assigned(&mut self, partition: i32) {
        assert!(self.state.insert(partition, BTreeMap::new()).is_none(), "assigned twice");
    }

    fn revoked(&mut self, partition: i32) {
        self.state.remove(&partition).expect("revoked what was not assigned");
    }

    fn restore(&mut self, partition: i32, key: &[u8], payload: Option<&[u8]>) -> Result<(), Fault> {
        let (state, key) = (self.state.get_mut(&partition).unwrap(), String::from_utf8(key.to_vec()).unwrap());
        match payload {
            Some(count) => state.insert(key, std::str::from_utf8(count).unwrap().parse().unwrap()),
            None => state.remove(&key),
        };
        self.shared.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn stateful(kafka: &KafkaConfig, instance: &str) -> WorkerConfig {
    let group = kafka.group_name("count");
    let id = format!("{group}-{instance}");
    WorkerConfig {
        commit_interval: Duration::from_millis(20),
        max_batch_records: 100,
        max_attempts: 3,
        ..WorkerConfig::stateful(group, id, &EVENTS, &CHANGELOG)
    }
}

/// `n` records over all event topics, under 50 keys.
fn input(range: std::ops::Range<u32>) -> impl Iterator<Item = (&'static stream::Topic, String, String)> {
    range.map(|i| (EVENTS[i as usize % EVENTS.len()], format!("realm-{}", i % 50), format!("fact {i}")))
}

async fn assert_each_once(kafka: &KafkaConfig, shared: &Shared, n: u32) {
    let facts = crate::read(kafka, topics::facts_of("releases").unwrap()).await;
    let mut seen = BTreeMap::new();
    for fact in facts {
        *seen.entry(String::from_utf8(fact.payload.unwrap()).unwrap()).or_insert(0) += 1;
    }
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "not once: {twice:?}");
    assert_eq!(seen.len(), n as usize);

    let mut changelog: BTreeMap<i32, BTreeMap<String, u64>> = BTreeMap::new();
    for record in crate::read(kafka, &CHANGELOG).await {
        let count = String::from_utf8(record.payload.unwrap()).unwrap().parse().unwrap();
        changelog.entry(record.partition).or_default().insert(String::from_utf8(record.key.unwrap()).unwrap(), count);
    }
    let total: u64 = changelog.values().flat_map(BTreeMap::values).sum();
    assert_eq!(total, u64::from(n));
    let mut states = shared.states.lock().unwrap().clone();
    states.retain(|_, state| !state.is_empty());
    assert_eq!(changelog, states, "the changelog is not the state");
    assert_eq!(shared.committed.load(Ordering::Relaxed), u64::from(n));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_counts_once_whatever_fails() {
    const N: u32 = 6_000;
    let kafka = crate::with_topics(3).await;
    crate::produce(&kafka, input(0..N)).await;
    let shared = Shared::with_faults(25);
    let (mut crashes, mut given_up) = (0, 0);
    loop {
        let mut worker = Running::start(&kafka, stateful(&kafka, "a"), Counting::new(&shared));
        let counted = || async { shared.committed.load(Ordering::Relaxed) >= u64::from(N) };
        tokio::select! {
            result = &mut worker.ended => match result.unwrap() {
                Err(WorkerError::Panicked { .. }) => crashes += 1,
                Err(WorkerError::GivenUp { .. }) => given_up += 1,
                other => panic!("{other:?}"),
            },
            () = crate::eventually("all is counted", counted) => {
                worker.stop().await;
                break;
            }
        }
    }
    let aborted = shared.aborted.load(Ordering::Relaxed);
    println!("{crashes} crashes, {aborted} aborts, {given_up} times given up");
    assert!(crashes > 0 && aborted > 0);
    assert_each_once(&kafka, &shared, N).await;
}

/// What [`every_record_counts_once_whenever_the_process_is_killed`] runs in a process of its own, until it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn process_to_be_killed() {
    let Ok(prefix) = std::env::var(TO_BE_KILLED) else { return };
    let kafka = KafkaConfig { topic_prefix: prefix, ..crate::config(2) };
    Running::start(&kafka, stateful(&kafka, "a"), Counting::new(&Shared::with_faults(0))).ended.await.unwrap().unwrap();
}

const TO_BE_KILLED: &str = "THROUGHLINE_TEST_PREFIX_TO_BE_KILLED";

#[tokio::test(flavor = "multi_thread")]
async fn every_record_counts_once_whenever_the_process_is_killed() {
    const N: u32 = 20_000;
    let kafka = crate::with_topics(2).await;
    crate::produce(&kafka, input(0..N)).await;
    let facts = topics::facts_of("releases").unwrap();
    let mut killed_at = Vec::new();
    for _ in 0..2 {
        let before = crate::read(&kafka, facts).await.len();
        let mut process = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker::process_to_be_killed", "--nocapture"])
            .env(TO_BE_KILLED, &kafka.topic_prefix)
            .spawn()
            .unwrap();
        let advanced = || async { crate::read(&kafka, facts).await.len() > before };
        crate::eventually("the process counts", advanced).await;
        process.kill().unwrap();
        process.wait().unwrap();
        killed_at.push(crate::read(&kafka, facts).await.len());
    }
    println!("killed at {killed_at:?} of {N}");
    assert!(killed_at.iter().all(|at| *at < N as usize), "too late to tell: {killed_at:?}");
    let shared = Shared::with_faults(0);
    let worker = Running::start(&kafka, stateful(&kafka, "a"), Counting::new(&shared));
    let counted = || async { crate::read(&kafka, facts).await.len() >= N as usize };
    crate::eventually("all is counted", counted).await;
    worker.stop().await;
    assert!(shared.restored.load(Ordering::Relaxed) > 0);
    shared.committed.store(u64::from(N), Ordering::Relaxed);
    assert_each_once(&kafka, &shared, N).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_come_and_go_without_loss_or_doubling() {
    const PART: u32 = 2_000;
    let kafka = crate::with_topics(4).await;
    let shared = Shared::with_faults(0);
    let start = |instance: &str| Running::start(&kafka, stateful(&kafka, instance), Counting::new(&shared));
    let mut a = start("a");
    a.ready().await;
    let producing = tokio::spawn({
        let kafka = kafka.0.clone();
        async move {
            for part in 0..3 {
                crate::produce(&kafka, input(part * PART..(part + 1) * PART)).await;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    });
    let b = start("b");
    tokio::time::sleep(Duration::from_millis(700)).await;
    a.stop().await;
    producing.await.unwrap();
    let all = u64::from(3 * PART);
    crate::eventually("all is counted", || async { shared.committed.load(Ordering::Relaxed) >= all }).await;
    b.stop().await;
    assert_each_once(&kafka, &shared, 3 * PART).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_of_the_same_name_fences_the_first() {
    let kafka = crate::with_topics(1).await;
    let shared = Shared::with_faults(0);
    let start = || Running::start(&kafka, stateful(&kafka, "a"), Counting::new(&shared));
    let mut first = start();
    first.ready().await;
    // It fences at its start. The first notices with the next transaction, for which it needs its partition back.
    let second = start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    second.stop().await;
    crate::produce(&kafka, input(0..20)).await;
    let error = tokio::time::timeout(Duration::from_secs(30), first.ended).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, WorkerError::Fenced { .. }), "{error:?}");
    assert!(error.to_string().contains("another instance"), "{error}");
}

/// Sends what is good to the events and what is not to the dead letters.
struct Sorting;

impl Processor for Sorting {
    type Error = Fault;

    fn process(&mut self, records: Vec<Record>, out: &mut Vec<Output>) -> Result<(), Fault> {
        for record in records {
            let (key, payload) = (record.key.unwrap_or_default(), record.payload.unwrap_or_default());
            out.push(match payload.starts_with(b"good") {
                true => Output::new(&CI_EVENTS, "default", payload),
                false => Output::new(&DEAD_LETTERS, key, payload).with_header("reason", "bad"),
            });
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_worker_needs_no_changelog() {
    let kafka = crate::with_topics(2).await;
    let records = |n: u32| {
        (0..n).map(|i| (&INBOX, format!("s/{i}"), format!("{} {i}", if i % 10 == 0 { "bad" } else { "good" })))
    };
    let group = kafka.group_name("normalise");
    let config = WorkerConfig::stateless(group.clone(), format!("{group}-a"), &[&INBOX]);
    for round in 0..2 {
        crate::produce(&kafka, records(500)).await;
        let worker = Running::start(&kafka, config.clone(), Sorting);
        let wanted = (round + 1) * 450;
        crate::eventually("the inbox is sorted", || async { crate::read(&kafka, &CI_EVENTS).await.len() >= wanted })
            .await;
        worker.stop().await;
    }
    assert_eq!(crate::read(&kafka, &CI_EVENTS).await.len(), 900);
    let dead = crate::read(&kafka, &DEAD_LETTERS).await;
    assert_eq!(dead.len(), 100);
    assert!(dead.iter().all(|record| record.header("reason") == Some(b"bad")));
}

/// Writes its output ten records at a time, however much there is.
#[derive(Default)]
struct Dripping {
    left: u32,
    batches: Arc<AtomicU64>,
}

impl Processor for Dripping {
    type Error = Fault;

    fn process(&mut self, records: Vec<Record>, out: &mut Vec<Output>) -> Result<(), Fault> {
        self.left += 35 * records.len() as u32;
        let now = self.left.min(10);
        out.extend((0..now).map(|i| Output::new(&topics::FACTS[1], format!("k{i}"), "v")));
        self.left -= now;
        Ok(())
    }

    fn committed(&mut self) {
        self.batches.fetch_add(1, Ordering::Relaxed);
    }

    fn has_more(&self) -> bool {
        self.left > 0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_room_follows_without_input() {
    let kafka = crate::with_topics(1).await;
    crate::produce(&kafka, [(&CONTROL, "default".to_owned(), "catalog".to_owned())]).await;
    let processor = Dripping::default();
    let batches = Arc::clone(&processor.batches);
    let worker = Running::start(&kafka, stateful(&kafka, "a"), processor);
    crate::eventually("four transactions", || async { batches.load(Ordering::Relaxed) >= 4 }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    worker.stop().await;
    assert_eq!(batches.load(Ordering::Relaxed), 4);
    assert_eq!(crate::read(&kafka, &topics::FACTS[1]).await.len(), 35);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_back_to_its_beginning_with_its_state() {
    const N: u32 = 1_000;
    let kafka = crate::with_topics(2).await;
    crate::produce(&kafka, input(0..N)).await;
    let shared = Shared::with_faults(0);
    let mut worker = Running::start(&kafka, stateful(&kafka, "a"), Counting::new(&shared));
    worker.ready().await;
    let rewind = |change: fn(&[u8]) -> Change| {
        let (kafka, group) = (kafka.0.clone(), kafka.group_name("count"));
        let rewind = move || {
            let mut seen = BTreeMap::new();
            let (group, metrics) = (Group { name: &group, inputs: &EVENTS, changelog: &CHANGELOG }, crate::metrics());
            let along = Along {
                records: vec![Output::new(&CHANGELOG, "along", "7").to_partition(1)],
                beyond: (0..2).map(|partition| (("control", partition), 1_000_000)).collect(),
            };
            let rewound = stream::rewind::rewind(&kafka, group, &along, &metrics, |key, _, read| {
                seen.extend(read.iter().cloned());
                Ok::<_, Fault>(change(key))
            });
            rewound.map(|rewound| (rewound, seen))
        };
        tokio::task::spawn_blocking(rewind)
    };
    let refused = rewind(|_| Change::Delete).await.unwrap();
    assert!(matches!(refused, Err(RewindError::Running { members: 1, .. })), "{refused:?}");
    crate::eventually("all is counted", || async { shared.committed.load(Ordering::Relaxed) >= u64::from(N) }).await;
    worker.stop().await;

    // Half of the state is forgotten, the other half begins with a count of 1000.
    let (rewound, seen) = rewind(|key| match key.last() {
        Some(digit) if digit % 2 == 0 => Change::Delete,
        _ => Change::Replace(b"1000".to_vec()),
    })
    .await
    .unwrap()
    .unwrap();
    assert_eq!(rewound, Rewound { partitions: 2 * EVENTS.len(), deleted: 25, replaced: 25 });
    assert_eq!(seen.len(), EVENTS.len(), "every topic had been read: {seen:?}");
    assert_eq!(seen["control"], 1_000_000);
    assert!(seen["ci.events"] < 1_000_000);

    let shared = Shared::with_faults(0);
    let worker = Running::start(&kafka, stateful(&kafka, "a"), Counting::new(&shared));
    crate::eventually("all is counted", || async { shared.committed.load(Ordering::Relaxed) >= u64::from(N) }).await;
    worker.stop().await;
    let mut counts: BTreeMap<String, u64> =
        shared.states.lock().unwrap().values().flatten().map(|(k, n)| (k.clone(), *n)).collect();
    assert_eq!(counts.remove("along"), Some(7));
    let each = u64::from(N) / 50;
    for (key, count) in counts {
        let begun = if key.as_bytes().last().unwrap() % 2 == 0 { 0 } else { 1000 };
        assert_eq!(count, begun + each, "{key}");
    }
}
