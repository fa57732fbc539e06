//! `throughline backfill github`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use backfill::github::{self, Address, App, Credential, Cursor, Part, Query};
use backfill::http::Client;
use ingestor::receive::Inbox;
use ingestor::secret::Secret;
use model::{Realm, Source};
use serde::Serialize;

use super::progress::{Progress, duration};
use super::state::State;
use super::take::{Checkpoints, Taken, take};
use crate::cli::BackfillGithub;
use crate::commands::{block_on, complain, inbox, say};
use crate::config::{Config, sections};

/// Ended by Ctrl-C, as shells say it.
const INTERRUPTED: u8 = 130;

/// What a backfill came to.
#[derive(Debug, Serialize)]
struct Summary {
    repository: String,
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

pub fn run(file: Option<&Path>, arguments: &BackfillGithub) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let address = Address::parse(&arguments.repository)?;
    let root = arguments.api.clone().unwrap_or(address.api);
    let parts: BTreeSet<Part> =
        if arguments.only.is_empty() { Part::ALL.into() } else { arguments.only.iter().copied().collect() };
    let query =
        Query { owner: address.owner, name: address.name, since: arguments.since, parts, paths: arguments.paths };
    let place = super::place(&config.receive.sources, "github", &arguments.into)?;
    let client = credential(arguments)?.client(github::api(&root, None), &query.owner, &query.name)?;
    let state = State::new(arguments.state.as_deref(), described(&root, &query, &place, &config))?;
    let from: Option<Cursor> = state.load()?;
    let (started, resumed) = (Instant::now(), from.is_some());
    let taken = block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        read(inbox, client, &query, &place, &state, from.unwrap_or_default()).await
    })?;
    finish(arguments, &query, place, &state, taken, (started, resumed))
}

/// Who asks: an App, or whoever the token is of.
fn credential(arguments: &BackfillGithub) -> anyhow::Result<Credential> {
    if let (Some(id), Some(file)) = (arguments.app, &arguments.private_key) {
        return Ok(Credential::App(App::new(id, &Secret::File(file.clone()).resolve()?)?));
    }
    let token = match &arguments.token_file {
        Some(file) => Secret::File(file.clone()),
        None => Secret::Env(arguments.token_env.clone()),
    };
    let token = token
        .resolve()
        .context("GitHub gives a history to a token or an App only (--token-env, --token-file, --app)")?;
    Ok(Credential::Token(token))
}

/// What is read and where it goes.
fn described(root: &str, query: &Query, (source, realm): &(Source, Realm), config: &Config) -> String {
    let Query { owner, name, since, parts, paths } = query;
    let parts: Vec<&str> = parts.iter().map(|part| part.key()).collect();
    let (parts, paths) = (parts.join("+"), if *paths { " with paths" } else { "" });
    let inbox = config.kafka.topic_name(&stream::topics::INBOX);
    let brokers = &config.kafka.brokers;
    format!(
        "github {owner}/{name} of {root} since {since} {parts}{paths} as {source} {realm} into {inbox} at {brokers}"
    )
}

/// A history that was read as far as it goes, and the requests that it took.
struct Read {
    taken: Taken,
    requests: u64,
    waited: Duration,
}

async fn read(
    inbox: Inbox,
    client: Client,
    query: &Query,
    place: &(Source, Realm),
    state: &State,
    from: Cursor,
) -> anyhow::Result<Read> {
    let (client, checkpoints) = (Arc::new(client), Checkpoints::default());
    let line = Arc::new(Mutex::new(Progress::new()));
    let show = {
        let (client, line) = (Arc::clone(&client), Arc::clone(&line));
        move |step: backfill::Progress| {
            line.lock().unwrap_or_else(PoisonError::into_inner).show(&step, Some(client.usage()));
        }
    };
    let taken = take(inbox, place, state, &checkpoints, Arc::new(show), async |sink| {
        let keep = |checkpoint| checkpoints.push(checkpoint);
        Ok(github::resume(&client, query, from, &keep, &sink).await?)
    })
    .await;
    line.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let usage = client.usage();
    Ok(Read { taken: taken?, requests: usage.requests, waited: usage.waited })
}

fn finish(
    arguments: &BackfillGithub,
    query: &Query,
    (source, realm): (Source, Realm),
    state: &State,
    Read { taken, requests, waited }: Read,
    (started, resumed): (Instant, bool),
) -> anyhow::Result<ExitCode> {
    let complete = !taken.interrupted && taken.failed.is_none();
    let summary = Summary {
        repository: format!("{}/{}", query.owner, query.name),
        source,
        realm,
        deliveries: taken.deliveries,
        requests,
        waited_milliseconds: milliseconds(waited),
        milliseconds: milliseconds(started.elapsed()),
        complete,
        resumed,
    };
    say(&if arguments.json { serde_json::to_string(&summary)? } else { summary.to_string() })?;
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
        let Self { repository, source, realm, deliveries, requests, .. } = self;
        let all: u64 = deliveries.values().sum();
        let time = duration(Duration::from_millis(self.milliseconds));
        let waited = duration(Duration::from_millis(self.waited_milliseconds));
        write!(f, "{all} deliveries of {repository} are in the inbox as source {source}, realm {realm}")?;
        for (event, count) in deliveries {
            write!(f, "\n{count:>8} {event}")?;
        }
        write!(f, "\n{requests} requests in {time}, {waited} of it waiting")
    }
}
