//! Sends the history to an installation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, StatusCode};

use super::{BOARD, Demo, GITHUB, TEKTON, Webhook};
use crate::installation::{Installation, SECRET};

/// What stands before the names of the demo's sources in `deploy/demo/throughline.toml`, where other sources have names too.
const BESIDE_OTHERS: &str = "demo-";

/// Sources of the demo and their providers.
pub const SOURCES: [(&str, &str); 3] = [(GITHUB, "github"), (TEKTON, "cdevents"), (BOARD, "import")];

/// How many deliveries are under way at a time.
const SENDERS: usize = 32;

/// Sends the deliveries, signed, each until it is accepted.
///
/// # Errors
/// Where one is refused for good.
pub async fn send(installation: &Installation, webhooks: Vec<Webhook>, progress: &dyn Fn(&str)) -> Result<()> {
    let targets = webhooks.into_iter().map(|webhook| (installation.hook(webhook.source), webhook)).collect();
    send_to(targets, SECRET, progress).await
}

/// The same to the front door of `deploy/demo/throughline.toml`, wherever it runs: `hooks` is what comes before the name of a source.
///
/// # Errors
/// As [`send`].
pub async fn send_into(hooks: &str, secret: &str, webhooks: Vec<Webhook>, progress: &dyn Fn(&str)) -> Result<()> {
    let hook = |webhook: &Webhook| format!("{}/{BESIDE_OTHERS}{}", hooks.trim_end_matches('/'), webhook.source);
    send_to(webhooks.into_iter().map(|webhook| (hook(&webhook), webhook)).collect(), secret, progress).await
}

async fn send_to(targets: Vec<(String, Webhook)>, secret: &str, progress: &dyn Fn(&str)) -> Result<()> {
    let (total, secret): (_, Arc<[u8]>) = (targets.len(), secret.as_bytes().into());
    let (targets, next, http) = (Arc::new(targets), Arc::new(AtomicUsize::new(0)), Client::new());
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (targets, next, http) = (Arc::clone(&targets), Arc::clone(&next), http.clone());
            let secret = Arc::clone(&secret);
            tokio::spawn(async move {
                while let Some((url, webhook)) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    deliver(&http, url, webhook, &secret).await?;
                }
                Ok::<(), anyhow::Error>(())
            })
        })
        .collect();
    while senders.iter().any(|sender| !sender.is_finished()) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        progress(&format!("{:>6} of {total} webhooks sent", next.load(Ordering::Relaxed).min(total)));
    }
    for sender in senders {
        sender.await??;
    }
    Ok(())
}

/// Sends one delivery as its provider would, again while the answer is that it should come later.
async fn deliver(http: &Client, url: &str, webhook: &Webhook, secret: &[u8]) -> Result<()> {
    for _ in 0..60 {
        let mut request = http.post(url).body(webhook.body.clone());
        for (name, value) in webhook.signed_headers(secret) {
            request = request.header(name, value);
        }
        let status = request.send().await.with_context(|| format!("{url} does not answer"))?.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        }
        ensure!(status == StatusCode::ACCEPTED, "{url} answered {status} to delivery {}", webhook.delivery);
        return Ok(());
    }
    anyhow::bail!("{url} answered 503 for a minute")
}

impl Demo {
    /// The half year up to this midnight, so that a demo that is played twice in a day is the same.
    #[must_use]
    pub fn until_today() -> Self {
        let now = jiff::Timestamp::now().as_millisecond();
        let day = super::clock::DAY * 1000;
        super::generate(7, model::Timestamp(now.div_euclid(day) * day))
    }
}
