//! Every role killed while there is work to do: the tables come out as if nothing had happened.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use end_to_end::installation::{Installation, Role};
use local_stack::Addresses;
use stream::topics;
use tokio::task::JoinSet;

use support::github::{GitHub, History};

const HISTORY: History = History { repositories: 8 };
const DELIVERIES: u64 = 3000;
const SENDERS: u64 = 8;
/// By all senders together: slow enough that every kill hits a role at work.
const PER_SECOND: u64 = 250;
const PATIENCE: Duration = Duration::from_secs(60);

/// In the order of their deaths, the last in the flow first: the others go on bringing work.
const ROLES: [Role; 3] = [Role::Load, Role::Correlate, Role::Ingest];

/// Sends the history, each delivery until it is accepted; `accepted` counts.
fn send(installation: &Installation, paced: bool, accepted: &Arc<AtomicU64>) -> JoinSet<u64> {
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (github, accepted) = (GitHub::of(installation), Arc::clone(accepted));
        senders.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 * SENDERS / PER_SECOND));
            let mut refused = 0;
            for n in (sender..DELIVERIES).step_by(SENDERS as usize) {
                if paced {
                    ticks.tick().await;
                }
                let delivery = HISTORY.delivery(n);
                while !github.send(&delivery).await.is_ok_and(|answer| answer.status().as_u16() == 202) {
                    refused += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                accepted.fetch_add(1, Ordering::Relaxed);
            }
            refused
        });
    }
    senders
}

/// How much a role has written.
async fn written(installation: &Installation, servers: &Addresses, role: Role) -> u64 {
    let topic = match role {
        Role::Load => return installation.number("SELECT count() FROM deployments").await.unwrap(),
        Role::Correlate | Role::CorrelateToo(_) => topics::facts_of("deployments").unwrap(),
        Role::Ingest | Role::All => &topics::CI_EVENTS,
    };
    support::records(&support::kafka(installation, servers), topic).await.len() as u64
}

async fn start(installation: &mut Installation) {
    installation.run(&["migrate"]).unwrap();
    for role in ROLES {
        installation.spawn(role).unwrap();
    }
    for role in ROLES {
        installation.wait_ready(role).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_roles_leave_the_tables_of_an_undisturbed_run() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let started = Instant::now();
    let mut plain = support::installation(&binary, &servers, "plain");
    start(&mut plain).await;
    let refused: u64 = send(&plain, false, &Arc::default()).join_all().await.into_iter().sum();
    assert_eq!(refused, 0);
    plain.wait_drained(PATIENCE).await.unwrap();
    plain.stop_all().await.unwrap();
    let plain_took = started.elapsed();

    let mut killed = support::installation(&binary, &servers, "killed");
    // Small transactions and loads: many moments to be killed at.
    killed.set("THROUGHLINE_CORRELATE__MAX_BATCH_RECORDS", "20");
    killed.set("THROUGHLINE_LOAD__MAX_WAIT_MS", "20");
    start(&mut killed).await;
    let accepted = Arc::default();
    let senders = send(&killed, true, &accepted);
    let mut at_kill = Vec::new();
    for (role, share) in ROLES.into_iter().zip(1..) {
        while accepted.load(Ordering::Relaxed) < DELIVERIES * share / 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        at_kill.push((role, written(&killed, &servers, role).await));
        killed.kill(role).unwrap();
        killed.spawn(role).unwrap();
    }
    let refused: u64 = senders.join_all().await.into_iter().sum();
    for role in ROLES {
        killed.wait_ready(role).await.unwrap();
    }
    killed.wait_drained(PATIENCE).await.unwrap();
    let mut at_end = Vec::new();
    for role in ROLES {
        at_end.push((role, written(&killed, &servers, role).await));
    }
    killed.stop_all().await.unwrap();

    let differences = plain.differences(&killed).await.unwrap();
    let deployments = killed.number("SELECT count() FROM deployments").await.unwrap();
    eprintln!(
        "{DELIVERIES} deliveries, {deployments} deployments; written at the kill {at_kill:?}, at the end {at_end:?}; {refused} \
         sendings repeated; differences {differences:?}; {plain_took:?} undisturbed, {:?} in all",
        started.elapsed()
    );
    assert_eq!(deployments, HISTORY.deployments(DELIVERIES));
    assert!(differences.values().all(|rows| *rows == 0), "{differences:?}");
    for ((role, then), (_, in_the_end)) in at_kill.into_iter().zip(at_end) {
        assert!(0 < then && then < in_the_end, "{role:?} was killed with {then} of {in_the_end} written: not at work");
    }
    for installation in [plain, killed] {
        support::remove(installation).await;
    }
}
