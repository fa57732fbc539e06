//! What histories that are read by an API have in common: the token, where they go, how far they are, and what they came to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use backfill::http::Client;
use backfill::{BackfillError, Checkpoint, Cursor, Part, Sink};
use ingestor::secret::Secret;
use model::{Realm, Source};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::progress::{Progress, duration};
use super::state::State;
use super::take::{Checkpoints, Taken, take};
use crate::cli::ReadHistory;
use crate::commands::{block_on, complain, inbox, say};
use crate::config::Config;

/// Ended by Ctrl-C, as shells say it.
const INTERRUPTED: u8 = 130;

/// A history that is asked for.
pub struct History<'a> {
    /// Its provider: `github`.
    pub provider: &'static str,
    /// What it is of: `acme/shop`.
    pub of: String,
    /// Root of the API.
    pub root: &'a str,
    /// What is read of it: another selection is another history.
    pub selected: String,
    pub how: &'a ReadHistory,
}

/// What a backfill came to.
#[derive(Debug, Serialize)]
struct Summary {
    history: String,
    source: Source,
    realm: Realm,
    /// Deliveries that Kafka has, by the name of their event.
    deliveries: BTreeMap<String, u64>,
    requests: u64,
    /// Time spent waiting for limits and outages.
    waited_milliseconds: u64,
    milliseconds: u64,
    /// Whether everything is read.
    complete: bool,
    /// Whether an earlier start had read some of it.
    resumed: bool,
}

/// The token of that file, else of that variable. `others` are options that would do as well.
pub fn token(file: Option<&Path>, variable: &str, provider: &str, others: &str) -> anyhow::Result<SecretString> {
    let token = match file {
        Some(file) => Secret::File(file.to_owned()),
        None => Secret::Env(variable.to_owned()),
    };
    token.resolve().with_context(|| {
        format!("{provider} gives a history to those it knows only (--token-env, --token-file{others})")
    })
}

/// The parts that are named, else all.
pub fn parts<P: Part>(only: &[P]) -> BTreeSet<P> {
    let parts = if only.is_empty() { P::all() } else { only };
    parts.iter().copied().collect()
}

/// Names of parts, and whether paths are read.
pub fn selected<P: Part>(parts: &BTreeSet<P>, paths: bool) -> String {
    let parts: Vec<&str> = parts.iter().map(|part| part.key()).collect();
    format!("{}{}", parts.join("+"), if paths { " with paths" } else { "" })
}

/// Reads a history into the inbox, from where an earlier start of the same one was.
pub fn run<P: Part + Serialize + DeserializeOwned>(
    config: &Config,
    history: &History<'_>,
    client: &Arc<Client>,
    read: impl AsyncFnOnce(Cursor<P>, &(dyn Fn(Checkpoint<P>) + Send + Sync), &Sink) -> Result<(), BackfillError>,
) -> anyhow::Result<ExitCode> {
    let place = super::place(&config.receive.sources, history.provider, &history.how.into)?;
    let state = State::new(history.how.state.as_deref(), described(history, &place, config))?;
    let from: Option<Cursor<P>> = state.load()?;
    let (started, resumed) = (Instant::now(), from.is_some());
    let line = Arc::new(Mutex::new(Progress::new()));
    let show = {
        let (client, line) = (Arc::clone(client), Arc::clone(&line));
        move |step: backfill::Progress| {
            line.lock().unwrap_or_else(PoisonError::into_inner).show(&step, Some(client.usage()));
        }
    };
    let checkpoints = Checkpoints::default();
    let taken = block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        let reading = async |sink: Sink| {
            let keep = |checkpoint| checkpoints.push(checkpoint);
            Ok(read(from.unwrap_or_default(), &keep, &sink).await?)
        };
        take(inbox, &place, &state, &checkpoints, Arc::new(show), reading).await
    });
    line.lock().unwrap_or_else(PoisonError::into_inner).finish();
    finish(history, client, place, &state, taken?, (started, resumed))
}

/// What is read and where it goes.
fn described(history: &History<'_>, (source, realm): &(Source, Realm), config: &Config) -> String {
    let History { provider, of, root, selected, how } = history;
    let inbox = config.kafka.topic_name(&stream::topics::INBOX);
    let (since, brokers) = (how.since, &config.kafka.brokers);
    format!("{provider} {of} of {root} since {since} {selected} as {source} {realm} into {inbox} at {brokers}")
}

fn finish(
    history: &History<'_>,
    client: &Client,
    (source, realm): (Source, Realm),
    state: &State,
    taken: Taken,
    (started, resumed): (Instant, bool),
) -> anyhow::Result<ExitCode> {
    let (complete, usage) = (!taken.interrupted && taken.failed.is_none(), client.usage());
    let summary = Summary {
        history: history.of.clone(),
        source,
        realm,
        deliveries: taken.deliveries,
        requests: usage.requests,
        waited_milliseconds: milliseconds(usage.waited),
        milliseconds: milliseconds(started.elapsed()),
        complete,
        resumed,
    };
    say(&if history.how.json { serde_json::to_string(&summary)? } else { summary.to_string() })?;
    if let Some(error) = taken.failed {
        return Err(error.context("the history is not whole; the same command goes on from here"));
    }
    if complete {
        state.remove()?;
        return Ok(ExitCode::SUCCESS);
    }
    complain("interrupted; the same command goes on from here");
    Ok(ExitCode::from(INTERRUPTED))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { history, source, realm, deliveries, requests, .. } = self;
        let all: u64 = deliveries.values().sum();
        let time = duration(Duration::from_millis(self.milliseconds));
        let waited = duration(Duration::from_millis(self.waited_milliseconds));
        write!(f, "{all} deliveries of {history} are in the inbox as source {source}, realm {realm}")?;
        for (event, count) in deliveries {
            write!(f, "\n{count:>8} {event}")?;
        }
        write!(f, "\n{requests} requests in {time}, {waited} of it waiting")
    }
}
