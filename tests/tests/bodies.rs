//! Every captured body of GitHub, sent as the webhook it was.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

#[path = "../fixtures/github_bodies.rs"]
mod captured;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use end_to_end::installation::{Role, TABLES};
use model::codec;
use model::inbox::DeadLetter;
use stream::topics;

use captured::captured_bodies;
use support::github::{Delivery, GitHub};
use support::metrics::Metrics;

/// Bodies that nobody could read, and why: none.
const DEAD: &[(&str, &str)] = &[];

#[tokio::test(flavor = "multi_thread")]
async fn every_captured_body_is_accepted_and_accounted_for() {
    let Some(bodies) = captured_bodies() else { return };
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut installation = support::installation(&binary, &servers, "bodies");
    installation.start(Role::All).await.unwrap();
    let github = GitHub::of(&installation);
    for body in &bodies {
        // Named after its file: a dead letter then says which it is.
        github.deliver(&Delivery::new(&body.name, &body.event, std::fs::read(&body.path).unwrap())).await;
    }

    let all = bodies.len() as u64;
    let metrics = support::eventually(Duration::from_secs(30), async || {
        let metrics = Metrics::of(&installation, Role::All).await;
        let outcomes = metrics.outcomes();
        let settled = outcomes.values().sum::<u64>();
        if settled < all { Err(format!("{outcomes:?} of {all} bodies")) } else { Ok(metrics) }
    })
    .await;
    installation.wait_drained(Duration::from_secs(30)).await.unwrap();
    let kafka = support::kafka(&installation, &servers);
    let letters = support::records(&kafka, &topics::DEAD_LETTERS).await;
    let letters: Vec<DeadLetter> =
        letters.iter().map(|record| codec::decode(record.payload.as_deref().unwrap()).unwrap()).collect();
    let dead: Vec<(&str, &str)> = letters.iter().map(|l| (l.delivery.as_str(), l.reason.as_str())).collect();
    assert_eq!(dead, DEAD);

    let outcomes = metrics.outcomes();
    assert_eq!(outcomes.values().sum::<u64>(), all, "{outcomes:?}");
    assert_eq!(outcomes.get("dead_letter").copied().unwrap_or_default(), DEAD.len() as u64);
    assert_eq!(metrics.sum("throughline_receive_requests_total", &[("status", "202")]), all);
    let told = metrics.sum("throughline_normalise_events_total", &[]);
    let mut kept = 0;
    for topic in topics::EVENTS {
        kept += support::records(&kafka, topic).await.len() as u64;
    }
    assert_eq!(kept, told, "events in Kafka, and those counted");
    let mut rows = BTreeMap::new();
    for table in TABLES {
        rows.insert(table, installation.number(&format!("SELECT count() FROM {table}")).await.unwrap());
    }
    eprintln!("{all} bodies: {outcomes:?}; {told} events; rows: {rows:?}");
    support::remove(installation).await;
}
