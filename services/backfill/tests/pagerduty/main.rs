//! Histories of PagerDuty read from an API on this machine, through its limits, its outages and interruptions.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

mod history;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use backfill::BackfillError;
use backfill::http::{self, Client, Patience};
use backfill::pagerduty::{self, Cursor, Part, Query};
use history::{SINCE, World, at, expected, world};
use model::Timestamp;
use serde_json::{Value, json};
use support::{Fault, Server, TOKEN};

type Outcome = support::Outcome<Part>;

fn client(server: &Server, token: &str) -> Client {
    let patience = Patience { tries: 4, outage: Duration::from_millis(5), limit: Duration::from_millis(5) };
    Client::new(http::Api { patience, ..pagerduty::api(&server.root, &token.into()) }).unwrap()
}

fn query() -> Query {
    Query { since: Timestamp::parse_rfc3339(SINCE).unwrap() }
}

fn with_pages(page_size: usize) -> World {
    World { page_size, ..world() }
}

/// Reads from there until `most` deliveries were taken.
async fn read(client: &Client, query: &Query, from: Cursor, most: usize) -> Outcome {
    support::read(most, async |keep, sink| pagerduty::resume(client, query, from, keep, sink).await).await
}

async fn whole(client: &Client, query: &Query) -> Outcome {
    let outcome = read(client, query, Cursor::default(), usize::MAX).await;
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome
}

#[tokio::test]
async fn everything_since_the_date_comes_once_however_long_the_pages_are() {
    for page_size in [1, 2, 100] {
        let server = Server::serve(with_pages(page_size), &[]).await;
        let client = client(&server, TOKEN);
        let outcome = whole(&client, &query()).await;
        assert_eq!(outcome.names(), expected(), "pages of {page_size}");
        let mut asked = server.requests();
        asked.sort();
        let count = asked.len();
        asked.dedup();
        assert_eq!(asked.len(), count, "something was asked for twice");
        let steps: Vec<_> = outcome.progress.iter().filter(|step| step.stage == "incidents").collect();
        assert!(steps.iter().any(|step| (step.done, step.total) == (1, Some(3))), "{steps:?}");
        assert_eq!((steps.last().unwrap().done, steps.last().unwrap().total), (3, Some(3)));
    }
}

#[tokio::test]
async fn bodies_are_those_of_webhooks() {
    let server = Server::serve(world(), &[]).await;
    let outcome = whole(&client(&server, TOKEN), &query()).await;
    let event = |name: &str, of: &str| {
        let is = |body: &Value| body["event"]["data"]["id"] == of || body["event"]["data"]["incident"]["id"] == of;
        let found = outcome.bodies(&format!("incident.{name}")).into_iter().find(is);
        found.unwrap_or_else(|| panic!("no {name} of {of}"))["event"].clone()
    };
    let taken_on = event("acknowledged", "PINC001");
    assert_eq!(taken_on["occurred_at"], "2026-03-03T09:00:00.000Z");
    assert_eq!((&taken_on["agent"]["id"], &taken_on["data"]["urgency"]), (&json!("PUSER01"), &json!("high")));
    // Who was called is none of what is read.
    assert_eq!(taken_on["data"].get("assignments"), None);
    assert_eq!(event("resolved", "PINC002")["data"]["resolve_reason"]["incident"]["id"], "PINC001");
    assert_eq!(event("reopened", "PINC003")["occurred_at"], at(5, 12).replace('Z', ".000Z"));
    let fields = event("custom_field_values.updated", "PINC001");
    assert_eq!(fields["data"]["custom_fields"][0]["value"], "production");
}

#[tokio::test]
async fn custom_fields_are_asked_for_where_the_account_has_any() {
    let server = Server::serve(World { fields: None, ..world() }, &[]).await;
    let outcome = whole(&client(&server, TOKEN), &query()).await;
    assert_eq!(outcome.names().len(), expected().len() - 3);
    assert_eq!(server.requests().iter().filter(|path| path.contains("custom_fields")).count(), 1);
}

#[tokio::test]
async fn limits_are_obeyed_and_outages_outlasted() {
    let faults = [(1, Fault::BadGateway), (3, Fault::Last), (5, Fault::TooMany), (8, Fault::BadGateway)];
    let server = Server::serve(with_pages(2), &faults).await;
    let client = client(&server, TOKEN);
    let outcome = whole(&client, &query()).await;
    assert_eq!(outcome.names(), expected());
    assert_eq!(server.too_early(), 0);
    let waits = outcome.waits();
    assert_eq!(waits.len(), 4, "{waits:?}");
    assert_eq!(waits.iter().filter(|wait| wait.contains("waiting for the rate limit until ")).count(), 2, "{waits:?}");
    assert!(client.usage().waited >= Duration::from_secs(1));
}

/// Wherever it was interrupted, the rest comes with the second reading.
#[tokio::test]
async fn an_interrupted_reading_goes_on_where_it_was() {
    let expected = expected();
    for page_size in [1, 2, 100] {
        for most in 0..expected.len() {
            let first = Server::serve(with_pages(page_size), &[]).await;
            let mut outcome = read(&client(&first, TOKEN), &query(), Cursor::default(), most).await;
            assert!(matches!(outcome.error, Some(BackfillError::Closed)), "after {most}: {:?}", outcome.error);
            outcome.checkpoints.retain(|checkpoint| checkpoint.delivered <= most as u64);
            let from = outcome.checkpoints.pop().map(|checkpoint| checkpoint.cursor).unwrap_or_default();
            let kept = serde_json::to_string(&from).unwrap();
            let second = Server::serve(with_pages(page_size), &[]).await;
            let rest = read(&client(&second, TOKEN), &query(), serde_json::from_str(&kept).unwrap(), usize::MAX).await;
            assert!(rest.error.is_none(), "{:?}", rest.error);
            // An incident that was read whole is not read again, nor is the one at hand read twice over.
            assert!(rest.deliveries.len() <= expected.len() - most + 4, "after {most}: {}", rest.deliveries.len());
            let mut names = [outcome.names(), rest.names()].concat();
            names.sort();
            names.dedup();
            assert_eq!(names, expected, "after {most}, pages of {page_size}");
        }
    }
}

/// Half a year at a time, and no more than 10 000.
#[tokio::test]
async fn years_and_many_incidents_are_read_in_spans() {
    let mut world = World { fields: None, ..world() };
    let template = world.incidents[1].clone();
    let incident = |n: i64| {
        let mut incident = template.clone();
        // Years apart, and 12 000 of one day.
        let at = if n < 12_000 { 1_772_600_000 + n } else { 1_500_000_000 + (n - 12_000) * 20_000_000 };
        incident["id"] = json!(format!("P{n}"));
        incident["created_at"] = json!(jiff::Timestamp::from_second(at).unwrap().to_string());
        incident
    };
    world.incidents = (0..12_012).map(incident).collect();
    let server = Server::serve(world, &[]).await;
    let query = Query { since: Timestamp(1_500_000_000_000) };
    let outcome = whole(&client(&server, TOKEN), &query).await;
    // Their logs are gone, so that each is asked for, and nothing is told.
    let logs = server.requests().iter().filter(|path| path.contains("/log_entries")).count();
    assert_eq!((logs, outcome.deliveries.len()), (12_012, 0));
}

#[tokio::test]
async fn errors_say_what_to_do_and_never_the_key() {
    let server = Server::serve(world(), &[]).await;
    let error = read(&client(&server, "wr0ng"), &query(), Cursor::default(), usize::MAX).await.error.unwrap();
    let text = format!("{error} {error:?}");
    assert!(text.contains("401 Unauthorized") && text.contains("https://api.eu.pagerduty.com"), "{text}");
    assert!(!text.contains("wr0ng"), "{text}");
}
