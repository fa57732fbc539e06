//! Everything worked out anew from the events: the rows stay, and go on from there.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::time::Duration;

use end_to_end::installation::{Installation, Role};
use local_stack::Addresses;
use stream::topics;
use tokio::task::JoinSet;

use support::github::{GitHub, History};

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
    for installation in [plain, replayed] {
        support::remove(installation).await;
    }
}
