//! Deliveries that cannot be read: they are shown with the reason, and go back in once they can be read. And what is read, as it is
//! read.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::time::Duration;

use end_to_end::installation::{Installation, Role};
use model::codec;
use model::inbox::{DeadLetter, Stage};
use model::{Source, Timestamp};
use prometheus::Registry;
use serde_json::Value;
use stream::append::Appender;
use stream::{KafkaConfig, Output, topics};

use support::github::{Delivery, GitHub, History};

const HISTORY: History = History { repositories: 1 };
const PATIENCE: Duration = Duration::from_secs(60);

/// The letter that an adapter wrote which could not read a good delivery.
fn wrongly_dead(kafka: &KafkaConfig, delivery: &Delivery) {
    let letter = DeadLetter {
        stage: Stage::Normalise,
        reason: "a word that was not known then".to_owned(),
        adapter: 0,
        source: Source::new(support::SOURCE),
        realm: "default".into(),
        provider: "github".to_owned(),
        delivery: delivery.id.clone(),
        event: Some(delivery.event.clone()),
        content_type: Some("application/json".to_owned()),
        headers: Default::default(),
        received_at: Timestamp(1_714_521_600_000),
        topic: "inbox".to_owned(),
        partition: 0,
        offset: 0,
        body: delivery.body.clone().into(),
    };
    let metrics = stream::Metrics::register(&Registry::new()).unwrap();
    let mut appender = Appender::open(kafka, &kafka.group_name("past"), &metrics).unwrap();
    let key = format!("{}/{}", letter.source, letter.delivery);
    appender.append(Output::new(&topics::DEAD_LETTERS, key, codec::encode(&letter).unwrap())).unwrap();
    appender.finish().unwrap();
}

fn lines(installation: &Installation, arguments: &[&str]) -> Vec<Value> {
    installation.run(arguments).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_goes_back_in_once_it_can() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut installation = support::installation(&binary, &servers, "letters");
    installation.run(&["migrate"]).unwrap();
    for role in [Role::Ingest, Role::Correlate, Role::Load] {
        installation.start(role).await.unwrap();
    }
    assert_eq!(installation.run(&["dead-letters", "list"]).unwrap(), "No dead letters.\n");

    let github = GitHub::of(&installation);
    for n in 0..40 {
        github.deliver(&HISTORY.delivery(n)).await;
    }
    github.deliver(&Delivery::new("broken", "push", "{\"ref\":")).await;
    let good = HISTORY.delivery(40);
    let kafka = support::kafka(&installation, &servers);
    let letter = good.clone();
    tokio::task::spawn_blocking(move || wrongly_dead(&kafka, &letter)).await.unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();

    let list = ["dead-letters", "list", "--json"];
    let found = lines(&installation, &list);
    let readable = |id: &str| found.iter().find(|letter| letter["id"] == id).unwrap()["readable_now"].clone();
    let good_id = format!("{}/{}", support::SOURCE, good.id);
    assert_eq!((found.len(), readable("github/broken"), readable(&good_id)), (2, false.into(), true.into()));
    let shown = installation.run(&["dead-letters", "show", "github/broken"]).unwrap();
    assert!(shown.contains(r#""body": "{\"ref\":""#) && shown.contains("GitHub push"), "{shown}");
    assert_eq!(installation.run(&["dead-letters", "show", "github/broken", "--body"]).unwrap(), "{\"ref\":\n");
    let unknown = installation.run(&["dead-letters", "show", "github/none"]).unwrap_err();
    assert!(format!("{unknown:#}").contains("no dead letter `github/none`"), "{unknown:#}");

    let before = HISTORY.deployments(40);
    assert_eq!(installation.number("SELECT count() FROM deployments").await.unwrap(), before);
    let left = installation.run(&["dead-letters", "replay", "--all"]).unwrap_err();
    assert!(format!("{left:#}").contains("1 put back into the inbox, 1 still dead"), "{left:#}");
    installation.wait_drained(PATIENCE).await.unwrap();
    assert_eq!(lines(&installation, &list).len(), 1, "the one that was read is done with");

    // What was read of it is what is read of it as a webhook: to send it as well changes nothing.
    github.deliver(&good).await;
    installation.wait_drained(PATIENCE).await.unwrap();
    let tail = |arguments: &[&str]| lines(&installation, &[&["tail", "--no-follow", "--json"], arguments].concat());
    let of_it = tail(&[]).into_iter().filter(|event| event["delivery"] == good.id).count();
    assert_eq!(of_it % 2, 0, "once by the letter, once by the webhook");
    assert!(of_it > 0);
    let kinds: Vec<Value> = tail(&["--kind", "deployment"]);
    assert!(kinds.iter().all(|event| event["body"]["Deployment"].is_object()) && !kinds.is_empty());
    assert_eq!(tail(&["--source", "another"]), Vec::<Value>::new());
    support::remove(installation).await;
}
