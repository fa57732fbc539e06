//! One module for each command.

pub mod backfill;
pub mod catalog;
pub mod config;
pub mod import;
pub mod inbox;
pub mod inspect;
pub mod migrate;
pub mod replay;
pub mod run;
mod sending;
pub mod version;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use model::{Realm, Timestamp};

use crate::cli::{Backfill, Catalog, Cli, Command, ConfigCommand};
use crate::config::Config;

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
        Command::All => run::run(file, run::Roles::ALL),
        Command::Migrate => migrate::run(file),
        Command::Import(arguments) => import::run(file, arguments),
        Command::Backfill(Backfill::Git(arguments)) => backfill::git::run(file, arguments),
        Command::Replay(arguments) => replay::run(file, &arguments),
        Command::Inspect(arguments) => inspect::run(file, arguments),
        Command::Catalog(Catalog::Put { file: catalog, realm }) => catalog::put(file, &catalog, &realm),
        Command::Catalog(Catalog::Check { file: catalog }) => catalog::check(&catalog),
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

/// The realm that was asked for, else that of the configured source of this name, else `default`.
fn realm(config: &Config, source: &str, asked: Option<&str>) -> Realm {
    let configured = || config.receive.sources.get(source).map(|source| source.realm.as_str());
    Realm::new(asked.or_else(configured).unwrap_or("default"))
}

/// The time of now.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
