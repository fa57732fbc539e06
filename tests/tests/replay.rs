//! Everything worked out anew from the events: the rows stay, and go on from there.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::time::Duration;

use end_to_end::installation::{Installation, PEOPLE_KEY, Role};
use end_to_end::rollups;
use ingestor::normalise::{Outcome, adapters, normalise};
use ingestor::people::People;
use ingestor::providers;
use local_stack::Addresses;
use model::codec;
use model::event::{Body, Event};
use model::inbox::InboxRecord;
use model::{Source, Timestamp};
use prometheus::Registry;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;
use stream::append::Appender;
use stream::{KafkaConfig, Output, topics};
use tokio::task::JoinSet;

use support::github::{Delivery, GitHub, History};
use support::metrics::Metrics;

const HISTORY: History = History { repositories: 4 };
const DELIVERIES: u64 = 400;
const SENDERS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

async fn send(installation: &Installation, deliveries: std::ops::Range<u64>) {
    let mut senders = JoinSet::new();
    for first in deliveries.clone().take(SENDERS) {
        let (github, own) = (GitHub::of(installation), (first..deliveries.end).step_by(SENDERS));
        senders.spawn(async move {
            for n in own {
                assert_eq!(github.send(&HISTORY.delivery(n)).await.unwrap().status(), 202);
            }
        });
    }
    senders.join_all().await;
    installation.wait_drained(PATIENCE).await.unwrap();
}

/// How many facts were ever written.
async fn facts(installation: &Installation, servers: &Addresses) -> usize {
    let kafka = support::kafka(installation, servers);
    let mut count = 0;
    for topic in topics::FACTS.iter() {
        count += support::records(&kafka, topic).await.len();
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_leaves_the_rows_and_goes_on() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut plain = support::installation(&binary, &servers, "once");
    let mut replayed = support::installation(&binary, &servers, "again");
    for installation in [&mut plain, &mut replayed] {
        installation.run(&["migrate"]).unwrap();
        for role in [Role::Ingest, Role::Correlate, Role::Load] {
            installation.start(role).await.unwrap();
        }
        send(installation, 0..DELIVERIES).await;
    }

    let refused = replayed.run(&["replay"]).unwrap_err();
    assert!(format!("{refused:#}").contains("stop them first"), "{refused:#}");
    replayed.stop(Role::Correlate).await.unwrap();
    let before = facts(&replayed, &servers).await;
    for _ in 0..2 {
        let said = replayed.run(&["replay", "--json"]).unwrap();
        assert!(said.contains(r#""realms":1"#), "{said}");
    }
    replayed.start(Role::Correlate).await.unwrap();
    replayed.wait_drained(PATIENCE).await.unwrap();
    assert_eq!(facts(&replayed, &servers).await, before, "what was the same was written again");
    // What it learnt again is in its changelog, behind what it forgot.
    replayed.stop(Role::Correlate).await.unwrap();
    replayed.start(Role::Correlate).await.unwrap();

    for installation in [&plain, &replayed] {
        send(installation, DELIVERIES..2 * DELIVERIES).await;
    }
    let differences = plain.differences(&replayed).await.unwrap();
    assert!(differences.values().all(|rows| *rows == 0), "{differences:?}");
    let generations = "SELECT uniqExact(bitShiftRight(revision, 40)) FROM deployments_rows";
    assert_eq!(replayed.number(generations).await.unwrap(), 2, "rows of before and rows of after");
    assert_eq!(replayed.number("SELECT count() FROM deployments").await.unwrap(), HISTORY.deployments(2 * DELIVERIES));
    let rollups = rollups::compare(&replayed).await.unwrap();
    assert!(rollups.rows > 100 && rollups.differences.is_empty(), "{rollups:?}");
    for installation in [plain, replayed] {
        support::remove(installation).await;
    }
}

/// Deliveries of which an older adapter had made something else, or nothing.
const MENDED: u64 = 200;

/// What is in Kafka where an older adapter was at work.
struct Past {
    kafka: KafkaConfig,
    appender: Appender,
}

impl Past {
    fn of(kafka: &KafkaConfig) -> Past {
        let metrics = stream::Metrics::register(&Registry::new()).unwrap();
        Past { kafka: kafka.clone(), appender: Appender::open(kafka, &kafka.group_name("past"), &metrics).unwrap() }
    }

    /// A delivery in the inbox.
    fn taken(&mut self, delivery: &Delivery) {
        let record = inbox_record(delivery);
        let key = format!("{}/{}", record.source, record.delivery);
        self.appender.append(Output::new(&topics::INBOX, key, codec::encode(&record).unwrap())).unwrap();
    }

    /// What a version of the adapter read in it: what is really in `body`.
    fn read(&mut self, delivery: &Delivery, adapter: i32, body: &Delivery) {
        for event in events(&Delivery { id: delivery.id.clone(), ..body.clone() }) {
            let realm = event.realm.as_str().to_owned();
            let (subject, payload) = codec::encode_event(Event { adapter, ..event }).unwrap();
            let topic = topics::find(subject.topic()).unwrap();
            self.appender.append(Output::new(topic, realm, payload)).unwrap();
        }
    }

    /// All of the inbox is read.
    fn finish(self) {
        self.appender.finish().unwrap();
        let group = self.kafka.group_name("normalise");
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &self.kafka.brokers).set("group.id", &group).create().unwrap();
        let (name, mut read) = (self.kafka.topic_name(&topics::INBOX), TopicPartitionList::new());
        for partition in 0..self.kafka.partitions.inbox {
            let (_, high) = consumer.fetch_watermarks(&name, partition, PATIENCE).unwrap();
            read.add_partition_offset(&name, partition, Offset::Offset(high)).unwrap();
        }
        consumer.commit(&read, CommitMode::Sync).unwrap();
    }
}

fn inbox_record(delivery: &Delivery) -> InboxRecord {
    InboxRecord {
        source: Source::new(support::SOURCE),
        realm: "default".into(),
        provider: "github".to_owned(),
        delivery: delivery.id.clone(),
        event: Some(delivery.event.clone()),
        content_type: Some("application/json".to_owned()),
        headers: Default::default(),
        received_at: Timestamp(1_714_521_600_000),
        body: delivery.body.clone().into(),
    }
}

fn events(delivery: &Delivery) -> Vec<Event<Body>> {
    match normalise(&inbox_record(delivery), &adapters(), &People::new(PEOPLE_KEY.as_bytes())) {
        Outcome::Events(events) => events,
        other => panic!("{}: {other:?}", delivery.id),
    }
}

/// The version of the adapter that there is.
fn now() -> i32 {
    providers::find("github").unwrap().version()
}

/// Of every ten deliveries one was read as something that never happened, one was a dead letter, one was read wrong and has been read
/// again by a replay that was cut off. Others were read well, by either version. One more was to be ignored, and one cannot be read
/// any more.
fn make_past(kafka: &KafkaConfig) {
    let mut past = Past::of(kafka);
    for n in 0..MENDED {
        let (delivery, never) = (HISTORY.delivery(n), HISTORY.delivery(10_000 + n));
        past.taken(&delivery);
        match n % 10 {
            0 => past.read(&delivery, 0, &never),
            1 => {}
            2 => {
                past.read(&delivery, 0, &never);
                past.read(&delivery, now(), &delivery);
            }
            3..=6 => past.read(&delivery, 0, &delivery),
            _ => past.read(&delivery, now(), &delivery),
        }
    }
    let ignored = Delivery::new("ignored", "issues", r#"{"action":"opened"}"#);
    let dead = Delivery::new("dead", "push", "no JSON");
    for (delivery, was) in [(&ignored, HISTORY.delivery(20_000)), (&dead, HISTORY.delivery(8))] {
        past.taken(delivery);
        past.read(delivery, 0, &was);
    }
    past.finish();
}

/// The summary of a replay of the inbox.
fn replay(installation: &Installation, arguments: &[&str]) -> Value {
    let said = installation.run(&[&["replay", "--from", "inbox", "--json"], arguments].concat()).unwrap();
    serde_json::from_str(&said).unwrap()
}

async fn restart(installation: &mut Installation) {
    installation.start(Role::Correlate).await.unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
}

async fn assert_equal(one: &Installation, other: &Installation) {
    let differences = one.differences(other).await.unwrap();
    assert!(differences.values().all(|rows| *rows == 0), "{differences:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_adapter_leaves_the_tables_of_a_fresh_installation() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut fresh = support::installation(&binary, &servers, "fresh");
    let mut mended = support::installation(&binary, &servers, "mended");
    for installation in [&mut fresh, &mut mended] {
        installation.run(&["migrate"]).unwrap();
    }
    let kafka = support::kafka(&mended, &servers);
    tokio::task::spawn_blocking(move || make_past(&kafka)).await.unwrap();
    for installation in [&mut fresh, &mut mended] {
        for role in [Role::Ingest, Role::Correlate, Role::Load] {
            installation.start(role).await.unwrap();
        }
    }
    send(&fresh, 0..MENDED).await;
    mended.wait_drained(PATIENCE).await.unwrap();
    assert!(fresh.differences(&mended).await.unwrap().values().sum::<u64>() > 0, "the past was to be wrong");

    // Looking does no harm. Everything else waits for the correlators to be stopped; the front door stays open.
    let looked = replay(&mended, &["--dry-run"]);
    let (different, superseded) = (3 * MENDED / 10 + 1, 2 * MENDED / 10 + 1);
    assert_eq!((&looked["deliveries"], &looked["different"]), (&(MENDED + 2).into(), &different.into()), "{looked}");
    assert_eq!((&looked["superseded"], &looked["kept"]), (&superseded.into(), &1.into()), "{looked}");
    assert_eq!(looked["examples"].as_array().unwrap().len(), 4, "{looked}");
    let refused = mended.run(&["replay", "--from", "inbox"]).unwrap_err();
    assert!(format!("{refused:#}").contains("stop them first"), "{refused:#}");
    mended.stop(Role::Correlate).await.unwrap();
    let done = replay(&mended, &[]);
    assert_eq!((&done["different"], &done["begun"]["realms"]), (&different.into(), &1.into()), "{done}");
    let again = replay(&mended, &[]);
    assert_eq!((&again["different"], &again["kept"], &again["begun"]), (&0.into(), &1.into(), &Value::Null), "{again}");
    restart(&mut mended).await;
    assert_equal(&fresh, &mended).await;
    let metrics = Metrics::of(&mended, Role::Correlate).await;
    let ignored = metrics.by("throughline_correlator_ignored_total", "reason");
    assert_eq!(ignored.get(correlation::SUPERSEDED), Some(&superseded), "{ignored:?}");

    // What is superseded stays so when the events are read again, and new deliveries are read as ever.
    mended.stop(Role::Correlate).await.unwrap();
    mended.run(&["replay"]).unwrap();
    restart(&mut mended).await;
    for installation in [&fresh, &mended] {
        send(installation, MENDED..MENDED + DELIVERIES).await;
    }
    assert_equal(&fresh, &mended).await;

    // Without a higher version nobody can tell which reading counts.
    let kafka = support::kafka(&mended, &servers);
    let unraised = move || {
        let mut past = Past::of(&kafka);
        past.read(&HISTORY.delivery(0), now(), &HISTORY.delivery(30_000));
        past.appender.finish().unwrap();
    };
    tokio::task::spawn_blocking(unraised).await.unwrap();
    let left = mended.run(&["replay", "--from", "inbox", "--dry-run"]).unwrap_err();
    assert!(format!("{left:#}").contains("raise the adapter's `version`"), "{left:#}");
    for installation in [fresh, mended] {
        support::remove(installation).await;
    }
}
