//! What a sender is told, and what becomes of what it sent.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::time::Duration;

use end_to_end::installation::{Installation, Role};
use local_stack::Addresses;
use model::codec;
use model::inbox::{DeadLetter, Stage};
use reqwest::StatusCode;
use stream::topics;

use support::github::{Bulk, Delivery, GitHub, History, large_push, sign};
use support::metrics::Metrics;

const MIB: usize = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_is_answered_and_what_is_accepted_is_accounted_for() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut installation = support::installation(&binary, &servers, "answers");
    installation.start(Role::All).await.unwrap();
    let github = GitHub::of(&installation);

    what_is_not_the_sources_own_is_refused(&github, &installation).await;
    a_redelivery_changes_nothing(&github, &installation).await;
    an_unknown_kind_is_ignored_by_name(&github, &installation).await;
    what_is_no_json_becomes_a_dead_letter(&github, &installation, &servers).await;
    a_body_may_be_as_large_as_github_sends(&github, &installation, &servers).await;

    let metrics = Metrics::of(&installation, Role::All).await;
    let outcomes = metrics.outcomes();
    let accepted = metrics.sum("throughline_receive_requests_total", &[("status", "202")]);
    eprintln!("{accepted} accepted: {outcomes:?}");
    assert_eq!(outcomes.values().sum::<u64>(), accepted, "{outcomes:?}");
    support::remove(installation).await;
}

async fn what_is_not_the_sources_own_is_refused(github: &GitHub, installation: &Installation) {
    let delivery = History { repositories: 1 }.delivery(0);
    let wrong = sign(b"another body");
    for signature in [None, Some(wrong.as_str()), Some("sha256=00"), Some("")] {
        let answer = github.send_with(&delivery, signature).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{signature:?}");
    }
    let nobody = reqwest::Client::new().post(installation.hook("nobody")).body("{}").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
    let large = Delivery::new("too-large", "push", vec![b' '; 25 * MIB + 1]);
    let answer = github.send(&large).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let metrics = Metrics::of(installation, Role::All).await;
    let requests = metrics.by("throughline_receive_requests_total", "status");
    assert_eq!(requests, [("202", 0), ("401", 4), ("404", 1), ("413", 1)].into());
    assert!(metrics.outcomes().is_empty(), "{:?}", metrics.outcomes());
}

async fn a_redelivery_changes_nothing(github: &GitHub, installation: &Installation) {
    let history = History { repositories: 2 };
    let count = 12;
    let mut states = Vec::new();
    for round in 1..=2 {
        for n in 0..count {
            github.deliver(&history.delivery(n)).await;
        }
        outcome(installation, "events", round * count).await;
        installation.wait_drained(PATIENCE).await.unwrap();
        // With every revision that was ever written: not even a row that says the same again.
        let mut rows = Vec::new();
        for table in ["deployments", "releases", "release_commits"] {
            rows.push(installation.query(&format!("SELECT * FROM {table}_rows ORDER BY ALL")).await.unwrap());
        }
        states.push(rows);
    }
    let deployments = installation.number("SELECT count() FROM deployments").await.unwrap();
    assert_eq!(deployments, history.deployments(count));
    assert_eq!(states[0], states[1]);
}

async fn an_unknown_kind_is_ignored_by_name(github: &GitHub, installation: &Installation) {
    github.deliver(&Delivery::new("star", "star", r#"{"action": "created"}"#)).await;
    let metrics = outcome(installation, "ignored", 1).await;
    let ignored = metrics.by("throughline_normalise_ignored_total", "reason");
    assert_eq!(ignored, [("star.created: bears on no delivery", 1)].into());
}

async fn what_is_no_json_becomes_a_dead_letter(github: &GitHub, installation: &Installation, servers: &Addresses) {
    let broken = Delivery::new("broken", "push", r#"{"ref": "refs/heads/main", "#);
    github.deliver(&broken).await;
    outcome(installation, "dead_letter", 1).await;
    let letter = dead_letter(installation, servers, "broken").await;
    assert_eq!(letter.stage, Stage::Normalise);
    assert_eq!((letter.source.as_str(), letter.event.as_deref()), (support::SOURCE, Some("push")));
    assert_eq!(letter.body.as_ref(), broken.body);
    let reason = &letter.reason;
    assert!(reason.starts_with("the body does not have the shape of `GitHub push`: EOF"), "{reason}");
}

async fn a_body_may_be_as_large_as_github_sends(github: &GitHub, installation: &Installation, servers: &Addresses) {
    let before = Metrics::of(installation, Role::All).await.outcomes()["events"];
    github.deliver(&large_push("large", 25 * MIB, Bulk::Messages)).await;
    outcome(installation, "events", before + 1).await;

    // All that it tells is more than an event may hold: with its reason it fits among the dead letters.
    let paths = large_push("paths", 25 * MIB, Bulk::Paths);
    github.deliver(&paths).await;
    outcome(installation, "dead_letter", 2).await;
    let letter = dead_letter(installation, servers, "paths").await;
    assert_eq!(letter.body.as_ref().len(), paths.body.len());
    assert!(letter.body.as_ref() == paths.body, "the body was changed");
    assert!(letter.reason.contains("ci.events no more than 8388608"), "{}", letter.reason);
}

/// Waits until as many deliveries have come to this outcome; no more may.
async fn outcome(installation: &Installation, outcome: &str, wanted: u64) -> Metrics {
    support::eventually(PATIENCE, async || {
        let metrics = Metrics::of(installation, Role::All).await;
        let outcomes = metrics.outcomes();
        let count = outcomes.get(outcome).copied().unwrap_or_default();
        assert!(count <= wanted, "{outcomes:?}");
        if count < wanted { Err(format!("{outcomes:?}, wanted {wanted} {outcome}")) } else { Ok(metrics) }
    })
    .await
}

async fn dead_letter(installation: &Installation, servers: &Addresses, delivery: &str) -> DeadLetter {
    let records = support::records(&support::kafka(installation, servers), &topics::DEAD_LETTERS).await;
    let letters = records.iter().map(|record| codec::decode::<DeadLetter>(record.payload.as_deref().unwrap()).unwrap());
    letters.into_iter().find(|letter| letter.delivery == delivery).expect("a dead letter of the delivery")
}
