//! The history through the adapters and the correlation, without any server: what comes out must be what the history was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ingestor::people::People;
use ingestor::providers::{Provider, Reading, cdevents::CdEvents, github::GitHub, import::Import};
use model::Timestamp;
use model::event::Event;
use model::fact::{Fact, ReleaseFact};
use model::inbox::InboxRecord;

use super::*;

/// 2026-05-20T12:00:00Z, a Wednesday.
pub const NOW: Timestamp = Timestamp(1_779_278_400_000);

/// The history and what comes out of it; made once for all tests.
pub fn plain() -> &'static (Demo, Vec<Fact>) {
    static PLAIN: OnceLock<(Demo, Vec<Fact>)> = OnceLock::new();
    PLAIN.get_or_init(|| {
        let demo = generate(7, NOW);
        let facts = facts(&demo, &demo.webhooks);
        (demo, facts)
    })
}

/// What comes out when the deliveries arrive in this order.
fn facts(demo: &Demo, webhooks: &[Webhook]) -> Vec<Fact> {
    facts_of(demo, webhooks.iter().map(delivery))
}

/// The delivery as the inbox has it, taken when it was sent.
pub(super) fn delivery(webhook: &Webhook) -> InboxRecord {
    InboxRecord {
        source: webhook.source.into(),
        realm: "default".into(),
        provider: provider(webhook.source).name().to_owned(),
        delivery: webhook.delivery.clone(),
        event: webhook.event.clone(),
        content_type: Some(webhook.content_type.to_owned()),
        headers: BTreeMap::new(),
        received_at: webhook.occurred_at,
        body: model::Bytes::from(webhook.body.clone()),
    }
}

fn provider(source: &str) -> &'static dyn Provider {
    match source {
        GITHUB => &GitHub,
        TEKTON => &CdEvents,
        _ => &Import,
    }
}

/// What follows from these deliveries under the catalog of the demo.
pub(super) fn facts_of(demo: &Demo, deliveries: impl IntoIterator<Item = InboxRecord>) -> Vec<Fact> {
    let mut realm = realm_of(deliveries);
    realm.apply(event("control", "catalog", 0, (NOW, NOW), demo.catalog.clone().into()));
    realm.derive_everything()
}

/// What is known after these webhooks, without a catalog.
pub fn realm(webhooks: &[Webhook]) -> correlation::Realm {
    realm_of(webhooks.iter().map(delivery))
}

/// What is known after these deliveries, without a catalog. Every one of them must be read: none is ignored, none unreadable.
fn realm_of(deliveries: impl IntoIterator<Item = InboxRecord>) -> correlation::Realm {
    let mut realm = correlation::Realm::new("default".into());
    let people = People::new(b"demo");
    for delivery in deliveries {
        match provider(delivery.source.as_str()).read(&delivery, &people) {
            Ok(Reading::Events(events)) => {
                for (index, observed) in events.into_iter().enumerate() {
                    let (source, times) = (delivery.source.as_str(), (observed.occurred_at, delivery.received_at));
                    let mut event = event(source, &delivery.delivery, index as i32, times, observed.body);
                    event.link = observed.link;
                    realm.apply(event);
                }
            }
            other => panic!("{:?} at {}: {other:?}", delivery.event, delivery.received_at),
        }
    }
    realm
}

fn event(
    source: &str,
    delivery: &str,
    index: i32,
    (occurred_at, received_at): (Timestamp, Timestamp),
    body: model::event::Body,
) -> Event<model::event::Body> {
    Event {
        realm: "default".into(),
        source: source.into(),
        provider: source.to_owned(),
        delivery: delivery.to_owned(),
        index,
        adapter: 1,
        occurred_at,
        received_at,
        link: None,
        body,
    }
}

/// Lines that stand on one side only.
fn difference(told: &BTreeSet<String>, expected: &BTreeSet<String>) -> Vec<String> {
    let surplus = told.difference(expected).map(|line| format!("+ {line}"));
    let missing = expected.difference(told).map(|line| format!("- {line}"));
    surplus.chain(missing).collect()
}

fn assert_same(what: &str, told: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let wrong = difference(told, expected);
    assert!(wrong.is_empty(), "{what}: {} of {} differ\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}

#[test]
fn releases_are_those_of_the_history() {
    let (demo, facts) = plain();
    assert_releases(demo, facts);
}

/// The history ends today, whatever day that is.
#[test]
fn releases_are_those_of_the_history_on_any_day() {
    for day in 0..6 {
        let demo = generate(day, NOW + model::Millis(day as i64 * 31 * 86_400_000));
        assert_releases(&demo, &facts(&demo, &demo.webhooks));
    }
}

fn assert_releases(demo: &Demo, facts: &[Fact]) {
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Release(ReleaseFact {
                component,
                version,
                kind,
                production_at: Some(at),
                commits,
                lead_time,
                lead_time_longest,
                ..
            }) => Some(format!("{component} {version} {kind:?} {at} {commits} {lead_time:?} {lead_time_longest:?}")),
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .releases
        .iter()
        .map(|r| {
            let ExpectedRelease { component, version, kind, production_at, commits, lead_time, lead_time_longest } = r;
            let count = commits.len();
            format!("{component} {version} {kind:?} {production_at} {count} {lead_time:?} {lead_time_longest:?}")
        })
        .collect();
    assert_same("releases", &told, &expected);
}

#[test]
fn gates_are_those_of_the_history() {
    let (demo, facts) = plain();
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::GateWait(g) => Some(format!(
                "{} {} {:?} {:?} {:?} {:?}",
                g.component, g.gate, g.requested_at, g.decided_at, g.outcome, g.wait
            )),
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .gates
        .iter()
        .map(|g| {
            format!(
                "{} {} {:?} {:?} {:?} {:?}",
                g.component,
                g.gate,
                Some(g.requested_at),
                g.decided_at,
                g.outcome,
                g.wait
            )
        })
        .collect();
    assert_same("gates", &told, &expected);
}

#[test]
fn deployments_are_those_of_the_history() {
    let (demo, facts) = plain();
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Deployment(d) => {
                let success = d.finished_at.map(|_| d.outcome == Some(model::event::Outcome::Success));
                Some(format!(
                    "{} {} {} {:?} {:?} {success:?}",
                    d.component, d.environment, d.deployment, d.commit, d.finished_at
                ))
            }
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .deployments
        .iter()
        .map(|d| {
            format!(
                "{} {} {} {:?} {:?} {:?}",
                d.component,
                d.environment,
                d.deployment,
                Some(&d.commit),
                d.finished_at,
                d.success
            )
        })
        .collect();
    assert_same("deployments", &told, &expected);
}

#[test]
fn builds_are_those_of_the_history() {
    let (demo, facts) = plain();
    // Which component a run of the monorepo belongs to, its history does not say.
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Build(b) => {
                let success = b.finished_at.map(|_| b.outcome == Some(model::event::Outcome::Success));
                Some(format!("{} {} {} {:?} {success:?}", b.run, b.attempt, b.pipeline, b.finished_at))
            }
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .builds
        .iter()
        .map(|b| format!("{} {} {} {:?} {:?}", b.run, b.attempt, b.pipeline, b.finished_at, b.success))
        .collect();
    assert_same("builds", &told, &expected);
}

#[test]
fn disorder_changes_nothing() {
    let (demo, plain) = plain();
    let disturbed = facts(demo, &disturb(&demo.webhooks, 11));
    let lines = |facts: &[Fact]| -> BTreeSet<String> { facts.iter().map(|fact| format!("{fact:?}")).collect() };
    assert_same("facts", &lines(&disturbed), &lines(plain));
}
