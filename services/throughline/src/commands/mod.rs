//! One module for each command.

mod acknowledge;
pub mod backfill;
pub mod catalog;
pub mod config;
pub mod connect;
pub mod dead_letters;
pub mod health;
pub mod import;
pub mod inbox;
pub mod inspect;
pub mod migrate;
mod progress;
pub mod query;
mod refused;
pub mod replay;
pub mod run;
pub mod schema;
pub mod sources;
mod table;
pub mod tail;
pub mod trial;
pub mod version;
pub mod why;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use model::Timestamp;
use serde_json::Value;

use crate::cli::{Backfill, Cli, Command, ConfigCommand, Connect};

/// `inspect`: the delivery would be a dead letter.
pub const DEAD_LETTER: u8 = 2;

/// Runs the command.
///
/// # Errors
/// What the process ends with, to be printed once.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Ingest => run::run(file, run::Roles::INGEST),
        Command::Correlate => run::run(file, run::Roles::CORRELATE),
        Command::Load => run::run(file, run::Roles::LOAD),
        Command::Review => run::run(file, run::Roles::REVIEW),
        Command::All => run::run(file, run::Roles::ALL),
        Command::Migrate => migrate::run(file),
        Command::Health(arguments) => health::run(file, &arguments),
        Command::Import(arguments) => import::run(file, arguments),
        Command::Backfill(Backfill::Git(arguments)) => backfill::git::run(file, arguments),
        Command::Backfill(Backfill::Github(arguments)) => backfill::github::run(file, &arguments),
        Command::Backfill(Backfill::Gitlab(arguments)) => backfill::gitlab::run(file, &arguments),
        Command::Backfill(Backfill::Pagerduty(arguments)) => backfill::pagerduty::run(file, &arguments),
        Command::Replay(arguments) => replay::run(file, &arguments),
        Command::Inspect(arguments) => inspect::run(file, arguments),
        Command::Sources(arguments) => sources::run(file, &arguments),
        Command::Query(arguments) => query::run(file, &arguments),
        Command::Schema(arguments) => schema::run(file, &arguments),
        Command::Why(why) => why::run(file, why),
        Command::Try(arguments) => trial::run(arguments),
        Command::Acknowledge(arguments) => acknowledge::run(file, &arguments),
        Command::Tail(arguments) => tail::run(file, &arguments),
        Command::DeadLetters(command) => dead_letters::run(file, command),
        Command::Connect(Connect::Github(arguments)) => connect::github::run(&arguments),
        Command::Catalog(command) => catalog::run(file, command),
        Command::Config(ConfigCommand::Check { json }) => config::check(file, json),
        Command::Version(arguments) => version::run(arguments.json),
    }
}

/// Runs a command that ends by itself.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?.block_on(work)
}

/// Writes a line to standard output. That nobody reads it any more is no error: `throughline … | head` is a fair use.
fn say(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a line to standard error.
fn complain(text: &str) {
    // Nothing is left to say it to.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The content of a file, or of standard input for `-`.
fn read_input(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("standard input cannot be read")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Drops what is not told, for people's eyes.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The time of now.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
