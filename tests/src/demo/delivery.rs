//! Webhooks as they are sent, and the ways in which they arrive.

use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use model::Timestamp;
use sha2::Sha256;

use super::clock::{DAY, HOUR, MINUTE};

/// One delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Name of the source in the configuration: [`super::GITHUB`], [`super::TEKTON`] or [`super::BOARD`].
    pub source: &'static str,
    /// Name of the event, which GitHub puts into a header.
    pub event: Option<String>,
    /// Content type of the body.
    pub content_type: &'static str,
    /// Id of the delivery; a redelivery has the same.
    pub delivery: String,
    /// Headers that the provider sends, without the content type and without a signature or a token.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte as it is to be signed and sent.
    pub body: Vec<u8>,
    /// When it happened, by the provider's clock.
    pub occurred_at: Timestamp,
}

impl Webhook {
    /// All headers to send: the provider's, the content type, and what proves the sender. GitHub signs the body with the
    /// secret, the others show it as a bearer token.
    #[must_use]
    pub fn signed_headers(&self, secret: &[u8]) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        headers.push(("content-type".to_owned(), self.content_type.to_owned()));
        headers.push(if self.source == super::GITHUB {
            ("x-hub-signature-256".to_owned(), sign_github(secret, &self.body))
        } else {
            ("authorization".to_owned(), format!("Bearer {}", String::from_utf8_lossy(secret)))
        });
        headers
    }
}

/// Value of the header `X-Hub-Signature-256`: `sha256=` and HMAC-SHA-256 over the raw body, in hex.
/// See <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
#[must_use]
pub fn sign_github(secret: &[u8], body: &[u8]) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The same deliveries as a bad week brings them: 5 % arrive hours or days late, 3 % arrive twice under one id, and what happened
/// within two minutes of each other changes places. Nothing is lost: the same set of deliveries comes out.
#[must_use]
pub fn disturb(webhooks: &[Webhook], seed: u64) -> Vec<Webhook> {
    const MILLIS: i64 = 1000;
    let mut rng = Rng::with_seed(seed);
    let mut arrivals = Vec::with_capacity(webhooks.len() * 103 / 100);
    // The order given is the order of arrival; a late delivery must not take those behind it along.
    let mut clock = i64::MIN;
    for webhook in webhooks {
        clock = clock.max(webhook.occurred_at.0);
        let late = if rng.u32(0..100) < 5 { rng.i64(HOUR..=3 * DAY) * MILLIS } else { 0 };
        let arrival = clock + late + rng.i64(0..=2 * MINUTE * MILLIS);
        arrivals.push((arrival, webhook));
        if rng.u32(0..100) < 3 {
            arrivals.push((arrival + rng.i64(1..=2 * DAY) * MILLIS, webhook));
        }
    }
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    arrivals.into_iter().map(|(_, webhook)| webhook.clone()).collect()
}
