//! Normalise: what a delivery comes to, and that it comes to it once.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ingestor::normalise::{
    Adapters, Metrics, NormaliseConfig, NormaliseError, Normaliser, Outcome, inspect, normalise, start,
};
use ingestor::people::People;
use ingestor::providers::{Door, Observed, Page, Provider, Reading, Unreadable};
use ingestor::receive::{Inbox, record};
use ingestor::signature::Scheme;
use model::codec;
use model::event::{Body, Event, Gate, GateRequested, References, Tag, TagAction};
use model::inbox::{DeadLetter, InboxRecord, Stage};
use model::{GateId, Repository, Timestamp};
use prometheus::Registry;
use stream::producer::{IngestConfig, IngestProducer};
use stream::worker::Processor;
use stream::{Output, Record, topics};
use support::{metric, read_all, until};
use tokio_util::sync::CancellationToken;

/// Does what the body says.
struct Script;

impl Provider for Script {
    fn door(&self) -> &'static Door {
        &Door { provider: "script", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &[] }
    }

    fn page(&self) -> &'static Page {
        &Page { title: "", tells: "", steps: &[], permissions: &[], events: &[], notes: &[], documentation: "" }
    }

    fn version(&self) -> i32 {
        3
    }

    fn read(&self, delivery: &InboxRecord, _: &People) -> Result<Reading, Unreadable> {
        let text = String::from_utf8_lossy(&delivery.body.0);
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match word {
            "tag" => Ok(Reading::Events(vec![tag(rest), gate(rest)])),
            "ignored" => Ok(Reading::Ignored("of no interest".to_owned())),
            "nothing" => Ok(Reading::Events(Vec::new())),
            "batch" => Ok(Reading::Mixed { events: vec![tag(rest)], unreadable: "element 1 is no tag".to_owned() }),
            "huge" => Ok(Reading::Events(vec![tag(rest), tag(&"x".repeat(9 << 20))])),
            "panic" => panic!("index out of bounds"),
            "chatty" => Err(Unreadable::Value("é".repeat(1 << 20))),
            _ => Err(Unreadable::Shape {
                what: "a script".to_owned(),
                source: serde_json::from_str::<u8>(&text).unwrap_err(),
            }),
        }
    }
}

fn tag(name: &str) -> Observed {
    let body = Tag::new(Repository::from_url("github.com/acme/shop"), name.to_owned(), TagAction::Tagged).into();
    Observed { occurred_at: Timestamp(5), link: Some("https://example.com".to_owned()), body }
}

fn gate(name: &str) -> Observed {
    let gate = Gate::new(GateId::new(name), "board".to_owned());
    Observed { occurred_at: Timestamp(6), link: None, body: GateRequested::new(gate, References::default()).into() }
}

fn adapters() -> Adapters {
    Adapters::default().with(Script)
}

fn people() -> People {
    People::new(b"k")
}

fn delivery(provider: &str, body: &str) -> InboxRecord {
    let body = body.as_bytes().to_vec();
    record("shop".into(), "acme".into(), provider, &Default::default(), body, Timestamp(1_000))
}

fn dead(provider: &str, body: &str) -> (i32, String) {
    match normalise(&delivery(provider, body), &adapters(), &people()) {
        Outcome::Dead { adapter, reason, .. } => (adapter, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_get_their_envelope() {
    let delivery = delivery("script", "tag v1");
    let Outcome::Events(events) = normalise(&delivery, &adapters(), &people()) else { panic!("no events") };
    assert_eq!(events.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 1]);
    let first = &events[0];
    assert_eq!((first.realm.as_str(), first.source.as_str(), first.provider.as_str()), ("acme", "shop", "script"));
    assert_eq!((first.adapter, first.occurred_at, first.received_at), (3, Timestamp(5), Timestamp(1_000)));
    assert_eq!((&first.delivery, first.body.kind()), (&delivery.delivery, "Tag"));
}

#[test]
fn what_cannot_be_read_says_why() {
    let (adapter, reason) = dead("script", "nonsense");
    assert_eq!(adapter, 3);
    assert_eq!(reason, "the body does not have the shape of `a script`: expected ident at line 1 column 2");
    let (adapter, reason) = dead("gitbuh", "tag v1");
    assert_eq!((adapter, reason.as_str()), (0, "no adapter for provider `gitbuh`; this version has script"));
    assert!(dead("script", "panic").1.ends_with("it panicked: index out of bounds"));
}

#[test]
fn inspection_is_a_line_each() {
    let lines = |body| inspect(&delivery("script", body), &adapters(), &people()).unwrap();
    assert_eq!(lines("ignored"), [r#"{"ignored":"of no interest"}"#]);
    assert_eq!(lines("nothing"), [r#"{"ignored":"tells nothing"}"#]);
    let tagged = lines("tag v1");
    assert_eq!(tagged.len(), 2);
    let event: Event<Body> = serde_json::from_str(&tagged[0]).unwrap();
    assert_eq!(event.body.kind(), "Tag");
    let batch = lines("batch v1");
    assert_eq!(batch.len(), 2);
    assert_eq!(batch[1], r#"{"dead_letter":"element 1 is no tag"}"#);
}

/// A normaliser without Kafka, and its numbers.
fn processor() -> (Normaliser, Registry) {
    let registry = Registry::new();
    (Normaliser::new(adapters(), people(), Metrics::register(&registry).unwrap()), registry)
}

fn consumed(offset: i64, payload: Option<Vec<u8>>) -> Record {
    let key = Some(format!("shop/d{offset}").into_bytes());
    Record { topic: &topics::INBOX, partition: 1, offset, timestamp: 9, key, payload, headers: Vec::new() }
}

fn scripted(offset: i64, body: &str) -> Record {
    let delivery = InboxRecord { delivery: format!("d{offset}"), ..delivery("script", body) };
    consumed(offset, Some(codec::encode(&delivery).unwrap()))
}

fn letters(out: &[Output]) -> Vec<DeadLetter> {
    let dead = out.iter().filter(|output| *output.topic == topics::DEAD_LETTERS);
    dead.map(|output| codec::decode(output.payload.as_deref().unwrap()).unwrap()).collect()
}

#[test]
fn every_record_ends_as_one_thing_and_counts_at_the_commit() {
    let (mut normaliser, registry) = processor();
    let bodies = ["tag v1", "ignored", "nothing", "batch v2", "huge v3", "panic", "chatty", "nonsense"];
    let mut records: Vec<_> = (0..).zip(bodies).map(|(offset, body)| scripted(offset, body)).collect();
    records.push(consumed(8, None));
    records.push(consumed(9, Some(b"not framed".to_vec())));
    let records_total = |outcome| metric(&registry, "throughline_normalise_records_total", &[("outcome", outcome)]);
    let totals = || (records_total("events"), records_total("ignored"), records_total("dead_letter"));

    let mut out = Vec::new();
    normaliser.process(records.clone(), &mut out).unwrap();
    assert_eq!(totals(), (0.0, 0.0, 0.0), "not committed");
    normaliser.aborted();
    normaliser.committed();
    assert_eq!(totals(), (0.0, 0.0, 0.0), "what was aborted does not count");

    out.clear();
    normaliser.process(records, &mut out).unwrap();
    normaliser.committed();
    assert_eq!(totals(), (1.0, 3.0, 6.0));
    assert_eq!(metric(&registry, "throughline_normalise_events_total", &[]), 3.0);
    assert_eq!(metric(&registry, "throughline_normalise_unsettled_records_total", &[]), 0.0);

    let events: Vec<_> = out.iter().filter(|output| *output.topic != topics::DEAD_LETTERS).collect();
    let topics: Vec<_> = events.iter().map(|output| output.topic.name).collect();
    assert_eq!(topics, ["ci.events", "approval.events", "ci.events"]);
    assert!(events.iter().all(|output| output.key == b"acme"), "the key is the realm");

    let letters = letters(&out);
    let offsets: Vec<_> = letters.iter().map(|letter| (letter.offset, letter.delivery.as_str())).collect();
    assert_eq!(offsets, [(3, "d3"), (4, "d4"), (5, "d5"), (6, "d6"), (7, "d7"), (9, "d9")]);
    let huge = &letters[1];
    assert!(huge.reason.starts_with("event 1 (Tag) takes 94"), "{}", huge.reason);
    assert_eq!((huge.stage, huge.adapter, huge.topic.as_str(), huge.partition), (Stage::Normalise, 3, "inbox", 1));
    assert!(letters[3].reason.len() < 17_000 && letters[3].reason.ends_with("(cut)"), "{}", letters[3].reason.len());
    assert_eq!((letters[4].body.as_ref(), letters[4].realm.as_str()), (b"nonsense".as_slice(), "acme"));
    let unframed = &letters[5];
    assert_eq!((unframed.source.as_str(), unframed.received_at), ("shop", Timestamp(9)));
    assert_eq!(unframed.body.as_ref(), b"not framed");
}

#[test]
fn what_a_newer_version_wrote_stops_the_role() {
    let (mut normaliser, registry) = processor();
    let newer = consumed(4, Some(vec![0, 0x7f, 0, 0, 0, 1]));
    let error = normaliser.process(vec![scripted(3, "tag v1"), newer], &mut Vec::new()).unwrap_err();
    assert!(matches!(error, NormaliseError::Newer { partition: 1, offset: 4, .. }), "{error}");
    assert_eq!(metric(&registry, "throughline_normalise_unsettled_records_total", &[]), 0.0);
}

/// Deliveries that keep coming while instances come and go.
struct Feed {
    inbox: Inbox,
    sent: BTreeSet<String>,
}

impl Feed {
    /// Ten deliveries of each of three realms: six with events, two ignored, two dead.
    async fn send(&mut self) {
        for _ in 0..10 {
            for realm in ["acme", "initech", "umbrella"] {
                let n = self.sent.len();
                let body = match n / 3 % 10 {
                    0..6 => format!("tag v{n}"),
                    6..8 => format!("ignored {n}"),
                    _ => format!("nonsense {n}"),
                };
                let record = InboxRecord { realm: realm.into(), ..delivery("script", &body) };
                self.sent.insert(record.delivery.clone());
                self.inbox.put(record).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_and_rebalances_neither_lose_nor_repeat() {
    let kafka = support::topics().await;
    let registry = Registry::new();
    let (stream, metrics) = (stream::Metrics::register(&registry).unwrap(), Metrics::register(&registry).unwrap());
    let producer = IngestProducer::start(&kafka, IngestConfig::default(), &stream).unwrap();
    let mut feed = Feed { inbox: Inbox::new(producer), sent: BTreeSet::new() };
    let run = |instance: &str| {
        let shutdown = CancellationToken::new();
        let config = NormaliseConfig { instance: instance.to_owned() };
        let normaliser = Normaliser::new(adapters(), people(), metrics.clone());
        (start(&config, &kafka, normaliser, &stream, shutdown.clone()).unwrap(), shutdown)
    };
    let records = || metric(&registry, "throughline_normalise_records_total", &[]) as usize;

    let (first, stop_first) = run("a");
    feed.send().await;
    until("the first one works", Duration::from_secs(20), || records() > 0).await;
    let (second, stop_second) = run("b");
    for _ in 0..5 {
        feed.send().await;
    }
    stop_first.cancel();
    feed.send().await;
    first.join().await.unwrap();
    let (third, stop_third) = run("a");
    feed.send().await;
    stop_second.cancel();
    feed.send().await;
    second.join().await.unwrap();
    let sent = feed.sent.len();
    until("all are consumed", Duration::from_secs(30), || records() >= sent).await;
    stop_third.cancel();
    third.join().await.unwrap();

    assert_eq!(sent, 270);
    let counted = |outcome| metric(&registry, "throughline_normalise_records_total", &[("outcome", outcome)]) as usize;
    assert_eq!((counted("events"), counted("ignored"), counted("dead_letter")), (162, 54, 54));
    let mut partitions: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    let kafka = Arc::new(kafka);
    for topic in [&topics::CI_EVENTS, &topics::APPROVAL_EVENTS] {
        let mut seen = BTreeSet::new();
        for record in read_all(&kafka, topic).await {
            let subject = model::schema::Subject::of_topic(topic.name).unwrap();
            let event = codec::decode_event(subject, record.payload.as_deref().unwrap()).unwrap();
            assert!(feed.sent.contains(&event.delivery));
            assert!(seen.insert(event.delivery), "twice in {topic}");
            partitions.entry(event.realm.to_string()).or_default().insert(record.partition);
        }
        assert_eq!(seen.len(), 162, "{topic}");
    }
    assert!(partitions.values().all(|of_a_realm| of_a_realm.len() == 1), "{partitions:?}");
    let dead = read_all(&kafka, &topics::DEAD_LETTERS).await;
    let dead: BTreeSet<_> = dead.into_iter().map(|record| record.key.unwrap()).collect();
    assert_eq!(dead.len(), 54);
}
