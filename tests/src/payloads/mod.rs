//! Real bodies, posted as their providers would have sent them, and what becomes of each.

mod files;
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "shared with test programs: it reads a folder whose content is known"
)]
#[path = "../../fixtures/github_bodies.rs"]
mod github_bodies;
mod sign;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ingestor::normalise::{Outcome, adapters, normalise};
use ingestor::people::People;
use local_stack::Addresses;
use model::codec;
use model::inbox::{DeadLetter, InboxRecord};
use model::schema::Subject;
use reqwest::Client;
use serde::Serialize;
use stream::{KafkaConfig, scan, topics};

use crate::installation::{Installation, PEOPLE_KEY, Role};

pub use files::{File, Posted, files};

/// How long normalise may take after the last delivery.
const WITHIN: Duration = Duration::from_secs(120);

/// What became of the bodies of all providers.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// By provider, sorted.
    pub providers: Vec<Counts>,
    /// Reasons for which bodies were ignored, by provider, with how many.
    #[serde(skip)]
    pub reasons: BTreeMap<(&'static str, String), usize>,
    /// Bodies that could not be read: file and reason.
    #[serde(skip)]
    pub dead: Vec<(String, String)>,
}

/// What became of the bodies of a provider.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Its name.
    pub provider: &'static str,
    /// Bodies that were posted.
    pub bodies: usize,
    /// Of them, those that became events.
    pub events: usize,
    /// Those ignored with a reason.
    pub ignored: usize,
    /// Those that could not be read.
    pub dead: usize,
}

/// How a delivery ended.
#[derive(Debug)]
enum End {
    Events,
    Ignored(String),
    Dead(String),
}

impl Verified {
    /// Whether nothing is dead and every body is accounted for.
    #[must_use]
    pub fn holds(&self) -> bool {
        let settled = |of: &Counts| of.events + of.ignored + of.dead == of.bodies;
        self.dead.is_empty() && !self.providers.is_empty() && self.providers.iter().all(settled)
    }
}

/// Posts every body to an installation of its own and tells what became of each.
///
/// # Errors
/// Where a body is not accepted, or something else fails.
pub async fn verify(
    binary: &Path,
    addresses: &Addresses,
    bodies: &[Posted],
    progress: &dyn Fn(&str),
) -> Result<Verified> {
    let providers: BTreeSet<&'static str> = bodies.iter().map(|posted| posted.provider).collect();
    let sources: Vec<(&str, &str)> = providers.iter().map(|provider| (*provider, *provider)).collect();
    let name = format!("t_payloads_{:08x}", fastrand::u32(..));
    let mut installation = Installation::new(binary, addresses, &name, &sources)?;
    installation.run(&["migrate"])?;
    installation.start(Role::Ingest).await?;
    progress(&format!("posting {} bodies of {} providers", bodies.len(), providers.len()));
    let http = Client::new();
    let mut deliveries = Vec::with_capacity(bodies.len());
    for posted in bodies {
        deliveries.push(post(&http, &installation, posted).await?);
    }
    progress("waiting until each is settled");
    let prefix = installation.name().to_owned();
    let started = Instant::now();
    while crate::lag::of_group(&addresses.kafka, &prefix, "normalise", &[&topics::INBOX])? > 0 {
        ensure!(started.elapsed() < WITHIN, "deliveries are still waiting after {WITHIN:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    installation.stop_all().await?;
    let kafka =
        KafkaConfig { partitions: stream::config::PartitionCounts { inbox: 2, events: 2 }, ..installation.kafka() };
    let ends = tokio::task::spawn_blocking(move || ends(&kafka)).await??;
    installation.remove().await?;
    verdict(bodies, &deliveries, &ends, &providers)
}

/// Posts a body; the key of its delivery in the inbox.
async fn post(http: &Client, installation: &Installation, posted: &Posted) -> Result<String> {
    let mut request = http.post(installation.hook(posted.provider)).body(posted.body.clone());
    let proof = sign::proof(posted.provider, &posted.body);
    for (name, value) in posted.headers.iter().chain(&proof) {
        request = request.header(name, value);
    }
    let answer = request.send().await.with_context(|| format!("{} was not answered", posted.file))?;
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    ensure!(status == 202, "{} was answered with {status}: {text}", posted.file);
    let accepted: serde_json::Value = serde_json::from_str(&text)?;
    let delivery = accepted["accepted"].as_str().with_context(|| format!("an unexpected answer: {text}"))?;
    Ok(format!("{}/{delivery}", posted.provider))
}

/// How each delivery ended, by its key, as Kafka has it. Why one is ignored stands nowhere: the adapters are asked again.
fn ends(kafka: &KafkaConfig) -> Result<BTreeMap<String, End>> {
    let (adapters, people) = (adapters(), People::new(PEOPLE_KEY.as_bytes()));
    let mut ends = BTreeMap::new();
    let mut wrong = None;
    let mut keep = |result: Result<Option<(String, End)>>| match result {
        Ok(end) => {
            ends.extend(end);
            ControlFlow::Continue(())
        }
        Err(error) => {
            wrong = Some(error);
            ControlFlow::Break(())
        }
    };
    scan::read_all(kafka, &topics::INBOX, |record| {
        let ignored = |delivery: InboxRecord| match normalise(&delivery, &adapters, &people) {
            Outcome::Ignored(reason) => {
                Some((format!("{}/{}", delivery.source, delivery.delivery), End::Ignored(reason)))
            }
            _ => None,
        };
        keep(codec::decode(record.payload.as_deref().unwrap_or_default()).map(ignored).map_err(Into::into))
    })?;
    for topic in topics::EVENTS {
        let subject = Subject::of_topic(topic.name).context("a topic without a schema")?;
        scan::read_all(kafka, topic, |record| {
            let event = codec::decode_event(subject, record.payload.as_deref().unwrap_or_default());
            let end = event.map(|event| Some((format!("{}/{}", event.source, event.delivery), End::Events)));
            keep(end.map_err(Into::into))
        })?;
    }
    scan::read_all(kafka, &topics::DEAD_LETTERS, |record| {
        let letter = codec::decode::<DeadLetter>(record.payload.as_deref().unwrap_or_default());
        let end =
            letter.map(|letter| Some((format!("{}/{}", letter.source, letter.delivery), End::Dead(letter.reason))));
        keep(end.map_err(Into::into))
    })?;
    wrong.map_or(Ok(ends), Err)
}

fn verdict(
    bodies: &[Posted],
    deliveries: &[String],
    ends: &BTreeMap<String, End>,
    providers: &BTreeSet<&'static str>,
) -> Result<Verified> {
    let mut counts: BTreeMap<&str, Counts> =
        providers.iter().map(|provider| (*provider, Counts { provider, ..Counts::default() })).collect();
    let (mut reasons, mut dead) = (BTreeMap::new(), Vec::new());
    for (posted, delivery) in bodies.iter().zip(deliveries) {
        let counts = counts.get_mut(posted.provider).context("a provider that was not counted")?;
        counts.bodies += 1;
        match ends.get(delivery) {
            Some(End::Events) => counts.events += 1,
            Some(End::Ignored(reason)) => {
                counts.ignored += 1;
                *reasons.entry((posted.provider, reason.clone())).or_default() += 1;
            }
            Some(End::Dead(reason)) => {
                counts.dead += 1;
                dead.push((posted.file.clone(), reason.clone()));
            }
            None => {}
        }
    }
    Ok(Verified { providers: counts.into_values().collect(), reasons, dead })
}
