//! `throughline inspect`: what the adapter reads in one delivery.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use axum::http::HeaderMap;
use ingestor::normalise::{Adapters, adapters};
use ingestor::people::People;
use model::{Realm, Source};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{DEAD_LETTER, now, read_input, say, without_nulls};
use crate::cli::Inspect;
use crate::config::{Config, sections};

/// Key of the hash where none is configured: the same delivery then shows the same hashes everywhere, and none that is in use.
const KEY: &[u8] = b"inspect";

pub fn run(file: Option<&Path>, arguments: Inspect) -> anyhow::Result<ExitCode> {
    // The installation's own key, where there is one, shows the hashes that the tables have.
    let config = Config::load(file, sections::PEOPLE)?;
    let people = People::new(config.people.key.as_ref().map_or(KEY, |key| key.expose_secret().as_bytes()));
    let adapters = adapters().with(config.receive.generic()?);
    let (realm, provider) = resolve(&config, &adapters, &arguments.source)?;
    let body = read_input(&arguments.file)?;
    let source = Source::new(&*arguments.source);
    let mut record = ingestor::receive::record(source, realm, &provider, &HeaderMap::new(), body, now());
    record.event = arguments.event;
    record.content_type = Some(arguments.content_type);
    let mut dead = false;
    for line in ingestor::normalise::inspect(&record, &adapters, &people)? {
        let mut event: Value = serde_json::from_str(&line)?;
        dead |= event.get("dead_letter").is_some();
        without_nulls(&mut event);
        say(&event.to_string())?;
    }
    Ok(if dead { ExitCode::from(DEAD_LETTER) } else { ExitCode::SUCCESS })
}

/// Realm and provider of a configured source, or of a provider by its own name.
fn resolve(config: &Config, adapters: &Adapters, name: &str) -> anyhow::Result<(Realm, String)> {
    if let Some(source) = config.receive.sources.get(name) {
        return Ok((Realm::new(&*source.realm), source.provider.clone()));
    }
    if adapters.get(name).is_some() {
        return Ok((Realm::new("default"), name.to_owned()));
    }
    let known: Vec<&str> = adapters.names().collect();
    let sources: Vec<&str> = config.receive.sources.keys().map(String::as_str).collect();
    let configured = if sources.is_empty() { "none".to_owned() } else { sources.join(", ") };
    bail!("`{name}` is neither a provider ({}) nor a configured source ({configured})", known.join(", "))
}
