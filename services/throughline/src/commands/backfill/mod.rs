//! `throughline backfill`: history that is there already, into the inbox.
//!
//! A reader gives deliveries, as fast as Kafka takes them; what is sent twice is one record, and known by its id.

pub mod git;
mod progress;

use backfill::Delivery;
use ingestor::receive::Inbox;
use model::inbox::InboxRecord;
use model::{Realm, Source};
use tokio::sync::mpsc;

use super::now;
use super::sending::Sending;

/// Deliveries that a reader may be ahead of what is sent.
const READ_AHEAD: usize = 64;

/// Puts deliveries into the inbox until the reader has no more; how many there were.
async fn send(
    mut deliveries: mpsc::Receiver<Delivery>,
    inbox: Inbox,
    source: &Source,
    realm: &Realm,
) -> anyhow::Result<u64> {
    let mut sending = Sending::new(inbox);
    let mut landed = 0;
    while let Some(delivery) = deliveries.recv().await {
        landed += sending.send(record(delivery, source, realm)).await?;
    }
    while let Some(one) = sending.landed().await {
        one?;
        landed += 1;
    }
    Ok(landed)
}

fn record(delivery: Delivery, source: &Source, realm: &Realm) -> InboxRecord {
    InboxRecord {
        source: source.clone(),
        realm: realm.clone(),
        provider: delivery.provider.to_owned(),
        delivery: delivery.id,
        event: delivery.event,
        content_type: Some("application/json".to_owned()),
        headers: Default::default(),
        received_at: now(),
        body: delivery.body.into(),
    }
}
