//! What follows from the history in memory, without any server: through the adapters and the correlation.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use ingestor::people::People;
use ingestor::providers::{Provider, Reading, cdevents::CdEvents, github::GitHub, import::Import};
use model::Timestamp;
use model::event::Event;
use model::fact::Fact;
use model::inbox::InboxRecord;

use super::{Demo, GITHUB, TEKTON, Webhook};

/// 2026-05-20T12:00:00Z, a Wednesday: an end of the history for whoever wants it to be always the same.
pub const NOW: Timestamp = Timestamp(1_779_278_400_000);

/// What comes out when the webhooks arrive in this order.
///
/// # Errors
/// Where one of them is not read as events.
pub fn facts(demo: &Demo, webhooks: &[Webhook]) -> Result<Vec<Fact>> {
    facts_of(demo, webhooks.iter().map(delivery))
}

/// The delivery as the inbox has it, taken when it was sent.
#[must_use]
pub fn delivery(webhook: &Webhook) -> InboxRecord {
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
///
/// # Errors
/// Where one of them is not read as events.
pub fn facts_of(demo: &Demo, deliveries: impl IntoIterator<Item = InboxRecord>) -> Result<Vec<Fact>> {
    let mut realm = realm_of(deliveries)?;
    realm.apply(event("control", "catalog", 0, (NOW, NOW), demo.catalog.clone().into()));
    Ok(realm.derive_everything())
}

/// What is known after these deliveries, without a catalog. Every one of them must be read: none is ignored, none unreadable.
///
/// # Errors
/// Where one is not.
pub fn realm_of(deliveries: impl IntoIterator<Item = InboxRecord>) -> Result<correlation::Realm> {
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
            other => bail!("{:?} at {} is not read as events: {other:?}", delivery.event, delivery.received_at),
        }
    }
    Ok(realm)
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
