//! The way into the inbox for what is fetched.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use backfill::Delivery;
use backfill::github::hook::{Attempt, Content};
use model::inbox::InboxRecord;
use model::{Realm, Source, Timestamp};

use crate::clock;
use crate::providers::record;
use crate::receive::{Inbox, PutError};

/// Attempts to put one delivery, the first included; each takes the front door's delivery timeout.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The record of a piece of history, as if it had been delivered at that time.
#[must_use]
pub fn told(source: &Source, realm: &Realm, delivery: Delivery, now: Timestamp) -> InboxRecord {
    InboxRecord {
        source: source.clone(),
        realm: realm.clone(),
        provider: delivery.provider.to_owned(),
        delivery: delivery.id,
        event: delivery.event,
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: now,
        body: delivery.body.into(),
    }
}

/// Puts what is fetched into the inbox, as the deliveries of one source.
#[derive(Clone)]
pub(super) struct Take {
    pub(super) inbox: Inbox,
    pub(super) source: Source,
    pub(super) realm: Realm,
}

impl Take {
    /// Takes a delivery of GitHub that never arrived. It is the record that the front door would have made of it: it is taken as received
    /// when GitHub tried, since of some events that is the only time.
    pub(super) async fn webhook(&self, first: &Attempt, content: Content) -> Result<(), PutError> {
        let mut headers = HeaderMap::new();
        let own = [("x-github-delivery", first.guid.as_str()), ("x-github-event", first.event.as_str())];
        let sent = content.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.into_iter().chain(sent) {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                headers.insert(name, value);
            }
        }
        // A webhook may send forms; the API gives JSON in any case.
        headers.insert(CONTENT_TYPE, JSON);
        let (source, realm) = (self.source.clone(), self.realm.clone());
        self.put(record(source, realm, "github", &headers, content.body, first.delivered_at)).await
    }

    /// Takes a piece of history.
    pub(super) async fn history(&self, delivery: Delivery) -> Result<(), PutError> {
        self.put(told(&self.source, &self.realm, delivery, clock::now())).await
    }

    async fn put(&self, record: InboxRecord) -> Result<(), PutError> {
        for _ in 1..ATTEMPTS {
            match self.inbox.put(record.clone()).await {
                Err(error) if error.may_pass() => tokio::time::sleep(PAUSE).await,
                result => return result,
            }
        }
        self.inbox.put(record).await
    }
}
