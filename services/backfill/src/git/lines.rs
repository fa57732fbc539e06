//! Events as deliveries of the import format.

use model::Timestamp;
use model::event::Body;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Error;
use crate::{Delivery, Progress, Sink};

/// An import refuses what is older, as seconds taken for milliseconds; clocks of commits may say anything.
const EARLIEST: Timestamp = Timestamp::from_seconds(100_000_000);

#[derive(Serialize)]
struct Line<'a> {
    occurred_at: Timestamp,
    body: &'a Body,
}

/// Delivers an event under the id that `throughline import` would give its line.
pub(super) fn deliver(at: Timestamp, body: impl Into<Body>, sink: &Sink) -> Result<(), Error> {
    let body = serde_json::to_vec(&Line { occurred_at: at.max(EARLIEST), body: &body.into() })?;
    let id = hex::encode(Sha256::digest(&body));
    let delivery = Delivery { provider: "import", event: None, id, body };
    sink.deliveries.blocking_send(delivery).map_err(|_| Error::Closed)
}

/// Tells how far it is.
pub(super) fn progress(sink: &Sink, stage: &str, done: usize, total: Option<usize>) {
    (sink.progress)(Progress { stage: stage.to_owned(), done: count(done), total: total.map(count) });
}

pub(super) fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
