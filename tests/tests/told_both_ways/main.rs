//! A history that webhooks told, and the same one read from an API: alone, before the webhooks, and after them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

mod gitlab;
#[path = "../../../services/backfill/tests/gitlab/history.rs"]
mod gitlab_api;
mod pagerduty;
#[path = "../../../services/backfill/tests/pagerduty/history.rs"]
mod pagerduty_api;
#[path = "../../../services/backfill/tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use backfill::Delivery;
use correlation::Realm;
use ingestor::normalise::{Outcome, adapters, normalise};
use ingestor::people::People;
use ingestor::reconcile::told;
use model::Timestamp;
use model::fact::{Fact, Identity};
use model::inbox::InboxRecord;
use serde_json::Value;

/// When a history is read: 2026-04-01T00:00:00Z, after all of it.
const READ_AT: Timestamp = Timestamp(1_775_001_600_000);

/// Rows by what makes them the same row, without the names of the deliveries that told them.
type Rows = BTreeMap<Identity, Value>;

/// A webhook, received then.
fn webhook(provider: &'static str, number: usize, received_at: &str, body: &Value) -> InboxRecord {
    InboxRecord {
        source: provider.into(),
        realm: "default".into(),
        provider: provider.to_owned(),
        delivery: format!("webhook-{number}"),
        event: None,
        content_type: Some("application/json".to_owned()),
        headers: BTreeMap::new(),
        received_at: Timestamp::parse_rfc3339(received_at).unwrap(),
        body: body.to_string().into_bytes().into(),
    }
}

/// A delivery of a backfill, as it is put into the inbox.
fn read_back(delivery: Delivery) -> InboxRecord {
    told(&delivery.provider.into(), &"default".into(), delivery, READ_AT)
}

/// What follows from these deliveries in this order. Every one of them must be read: none is ignored, none unreadable.
fn rows<'d>(deliveries: impl IntoIterator<Item = &'d InboxRecord>) -> Rows {
    let (mut realm, adapters, people) = (Realm::new("default".into()), adapters(), People::new(b"key of the tests"));
    for delivery in deliveries {
        match normalise(delivery, &adapters, &people) {
            Outcome::Events(events) => events.into_iter().for_each(|event| _ = realm.apply(event)),
            other => panic!("{} {:?}: {other:?}", delivery.delivery, delivery.event),
        }
    }
    let delta = realm.derive().unwrap();
    let facts = delta.facts.into_iter().map(|emission| emission.fact).filter(|fact| !fact.is_deleted());
    facts.map(|fact| (fact.identity(), row(&fact))).collect()
}

fn row(fact: &Fact) -> Value {
    let mut row = serde_json::to_value(fact).unwrap();
    row.as_object_mut().unwrap().remove("evidence");
    row
}

/// `table.column` of what differs, and `table: only …` of rows that stand on one side, each with an example.
fn differences(one: &Rows, other: &Rows) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for identity in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        let table = identity.subject().topic().trim_start_matches("facts.");
        match (one.get(identity), other.get(identity)) {
            (Some(row), Some(other)) => {
                let differing = row.as_object().unwrap().iter().filter(|(column, value)| **value != other[*column]);
                found.extend(differing.map(|(column, value)| {
                    (format!("{table}.{column}"), format!("{value} {} of {identity:?}", other[column]))
                }));
            }
            (row, _) => {
                let side = if row.is_some() { "first" } else { "second" };
                found.insert(format!("{table}: only the {side}"), format!("{identity:?}"));
            }
        }
    }
    found
}

/// The history is the same whichever way it came last and whatever came twice; what webhooks tell beyond the API, and the API beyond
/// webhooks, is exactly this.
fn assert_told_both_ways(webhooks: &[InboxRecord], history: &[InboxRecord], beyond: &[&str], lacking: &[&str]) {
    let both = rows(webhooks.iter().chain(history));
    assert_eq!(differences(&both, &rows(history.iter().chain(webhooks))), BTreeMap::new(), "in the other order");
    let twice = webhooks.iter().chain(history).chain(webhooks).chain(history);
    assert_eq!(differences(&both, &rows(twice)), BTreeMap::new(), "all of it twice");
    let mixed = (0..webhooks.len().max(history.len())).flat_map(|n| [history.get(n), webhooks.get(n)]).flatten();
    assert_eq!(differences(&both, &rows(mixed)), BTreeMap::new(), "mixed");
    let by_webhooks = rows(webhooks);
    assert_exactly(&differences(&by_webhooks, &both), beyond, "by the API beyond webhooks");
    assert_exactly(&differences(&by_webhooks, &rows(history)), lacking, "by webhooks beyond the API");
}

fn assert_exactly(found: &BTreeMap<String, String>, expected: &[&str], what: &str) {
    // Sums differ where what they sum up does.
    let named = found.keys().map(String::as_str).filter(|name| !name.starts_with("rollup_"));
    assert!(named.eq(expected.iter().copied()), "{what}: {found:#?}");
}
