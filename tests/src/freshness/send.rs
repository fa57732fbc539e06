//! Sends webhooks by a schedule, whatever becomes of those before.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::prepared::{Head, Signed};

/// Webhooks that may be unanswered at once; those that are due then wait, and their time counts.
const UNANSWERED: usize = 512;
/// GitHub gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a webhook at the front door. Times are microseconds since 1970.
#[derive(Debug)]
pub struct Sent {
    pub delivery: String,
    /// When it was to be sent.
    pub due: i64,
    /// When the answer was there.
    pub answered: i64,
    /// Whether it was accepted; GitHub would not send it again.
    pub accepted: bool,
}

/// Sends so many a second, evenly, each at its time.
///
/// # Errors
/// Where a webhook cannot be read, or no HTTP client can be made.
pub async fn send(hook: &str, mut webhooks: mpsc::Receiver<Result<Signed>>, rate: u32) -> Result<Vec<Sent>> {
    let http = Client::builder().timeout(PATIENCE).build()?;
    let unanswered = Arc::new(Semaphore::new(UNANSWERED));
    let mut answers = JoinSet::new();
    let mut sent = Vec::new();
    let (started, clock) = (Instant::now(), now());
    let period = Duration::from_secs(1) / rate.max(1);
    let mut after = Duration::ZERO;
    while let Some(webhook) = webhooks.recv().await {
        let Signed { head, body } = webhook?;
        sleep_until(started + after).await;
        let permit = Arc::clone(&unanswered).acquire_owned().await?;
        let due = clock + micros(after);
        let post = http.post(hook).header(CONTENT_TYPE, "application/json");
        answers.spawn(async move {
            let Head { event, delivery, signature, .. } = head;
            let post = post.header("x-github-event", event).header("x-github-delivery", delivery.as_str());
            let answer = post.header("x-hub-signature-256", signature).body(body).send().await;
            drop(permit);
            let accepted = answer.is_ok_and(|answer| answer.status() == StatusCode::ACCEPTED);
            Sent { delivery, due, answered: now(), accepted }
        });
        while let Some(answered) = answers.try_join_next() {
            sent.push(answered.context("a webhook was not sent")?);
        }
        after += period;
    }
    while let Some(answered) = answers.join_next().await {
        sent.push(answered.context("a webhook was not sent")?);
    }
    Ok(sent)
}

/// Microseconds since 1970.
pub fn now() -> i64 {
    micros(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
