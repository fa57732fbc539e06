//! The command line.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use globset::Glob;
use model::Timestamp;

/// Collects what the delivery process tells about itself and answers, for every release, where its time went.
#[derive(Debug, Parser)]
#[command(name = "throughline", version, propagate_version = true, max_term_width = 100, after_long_help = EXIT_CODES)]
pub struct Cli {
    /// TOML file with the configuration; each key can be overridden by the environment (THROUGHLINE_KAFKA__BROKERS=…).
    #[arg(long, short, global = true, env = "THROUGHLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Configuration:
  Defaults, then the file, then the environment. THROUGHLINE_KAFKA__BROKERS sets `brokers` of
  [kafka]; values are read as TOML (true, 12, [\"a\", \"b\"]), else as text. A secret is a text,
  { env = \"NAME\" } or { file = \"/path\" }. RUST_LOG overrides log.level.

Exit codes:
  0    done, or ended by a signal with everything drained
  1    failed: the reason is the last line of the log, or on standard error
  2    wrong usage; `inspect`: the delivery would be a dead letter
  130  ended at once by a second SIGINT (143: by SIGTERM)";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive deliveries and normalise them into events.
    #[command(after_help = "\
Examples:
  throughline ingest --config throughline.toml
  THROUGHLINE_KAFKA__BROKERS=kafka:9092 throughline ingest --config throughline.toml")]
    Ingest,

    /// Derive facts from events.
    #[command(after_help = "\
Examples:
  throughline correlate --config throughline.toml")]
    Correlate,

    /// Load facts into ClickHouse.
    #[command(after_help = "\
Examples:
  throughline load --config throughline.toml")]
    Load,

    /// Run every role in one process.
    #[command(after_help = "\
Examples:
  throughline all --config throughline.toml
  THROUGHLINE_LOG__LEVEL=debug throughline all --config throughline.toml")]
    All,

    /// Make the topics in Kafka and the tables in ClickHouse, and say what was done.
    #[command(after_help = "\
Examples:
  throughline migrate --config throughline.toml")]
    Migrate,

    /// Put events from files of JSON lines into the inbox.
    #[command(after_help = "\
Examples:
  throughline import history.jsonl
  throughline import --source git-backfill commits-*.jsonl
  git-history-exporter | throughline import -

A line that cannot be read is named on standard error, and the rest goes on; the exit code is
then 1. Importing a file twice changes nothing: a line is known by the hash of its text.")]
    Import(Import),

    /// Put the history that is there already into the inbox.
    #[command(subcommand)]
    Backfill(Backfill),

    /// Work everything out anew from what is in Kafka, as after a mended definition or a mended adapter.
    #[command(after_help = "\
Examples:
  throughline replay --config throughline.toml
  throughline replay --from inbox --dry-run
  throughline replay --from inbox --json

Stop every correlator first, and start them again afterwards. The rows that are there stay until the
correlators have read as much as before; then what is different is corrected. Running it twice, or
while a replay goes on, does no harm.

--from inbox comes after an adapter was mended: deliveries whose bodies are still in the inbox (90
days by default) are read by the adapters of this version, and compared with what was read of them.
Where nothing differs, nothing is written. What differs replaces what a lower version of the adapter
had read; a delivery that cannot be read any more keeps what was read of it. Upgrade `throughline
ingest` to this version first. It may run meanwhile, so that webhooks are taken; `throughline all`
holds a correlator and must be stopped. A dry run needs nothing stopped. The exit code is 1 where
deliveries are left that differ without a higher version of their adapter.")]
    Replay(Replay),

    /// Show what the adapter reads in one delivery, without Kafka and without storing anything.
    #[command(after_help = "\
Examples:
  throughline inspect github --event deployment_status payload.json
  curl -s https://example.org/payload | throughline inspect gitlab --event 'Pipeline Hook' -

Prints one JSON line for each event, or {\"ignored\": \"why\"}, or {\"dead_letter\": \"why\"} (exit code 2).")]
    Inspect(Inspect),

    /// Work with the catalog: components, teams, environments, gates, calendars.
    #[command(subcommand)]
    Catalog(Catalog),

    /// Work with the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),

    /// Show the version, the commit it was built from, and the schemas it knows.
    #[command(after_help = "\
Examples:
  throughline version
  throughline version --json")]
    Version(Version),
}

#[derive(Debug, Args)]
pub struct Import {
    /// Files of JSON lines, one event each; `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Source that the events are said to come from.
    #[arg(long, default_value = "import", value_name = "NAME", value_parser = source_name)]
    pub source: String,

    /// Realm that the events belong to; that of the configured source of this name, else `default`.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: Option<String>,

    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Backfill {
    /// Every commit and tag of a git repository.
    #[command(after_help = "\
Examples:
  throughline backfill git /srv/git/shop.git
  throughline backfill git https://github.com/acme/shop --tags 'v*'
  throughline backfill git shop.bundle --repository github.com/acme/shop --since 2024-01-01

An address and a bundle are cloned by `git`, which must be installed, into a temporary folder. A
private repository over https takes its token from THROUGHLINE_GIT_TOKEN.

A tag is told of as a tag. Whether tags count as deployments, the catalog says: the lines for it are
printed at the end. A shallow clone ends in a hole, and releases across it are marked as incomplete.
Running it again changes nothing, and brings what is new.")]
    Git(BackfillGit),
}

#[derive(Debug, Args)]
pub struct BackfillGit {
    /// Folder of a repository, git bundle, or address (https://…, ssh://…, git@host:path).
    #[arg(value_name = "PATH|URL")]
    pub from: String,

    /// Name of the repository, as other sources name it; that of its remote `origin`, else `localhost/<folder>`.
    #[arg(long, value_name = "HOST/PATH")]
    pub repository: Option<String>,

    /// Branch to read; the default branch of the repository.
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,

    /// Only tags whose name matches, `*` for any run of characters.
    #[arg(long, value_name = "PATTERN")]
    pub tags: Option<Glob>,

    /// Leave out what is older: a day (UTC), or a time like 2024-05-01T09:30:00Z.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub since: Option<Timestamp>,

    #[command(flatten)]
    pub target: Target,
}

/// Where a history goes, and what is said of it.
#[derive(Debug, Args)]
pub struct Target {
    /// Source that it is said to come from.
    #[arg(long, default_value = "git", value_name = "NAME", value_parser = source_name)]
    pub source: String,

    /// Realm that it belongs to; that of the configured source of this name, else `default`.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: Option<String>,

    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplayFrom {
    /// The events, as they were read.
    Events,
    /// The bodies of deliveries, by the adapters of this version.
    Inbox,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// What to read again.
    #[arg(long, value_enum, default_value_t = ReplayFrom::Events)]
    pub from: ReplayFrom,

    /// Only show what would differ, by source and with examples; needs `--from inbox`.
    #[arg(long)]
    pub dry_run: bool,

    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Inspect {
    /// Provider (`github`), or a source of the configuration.
    pub source: String,

    /// File with the body of the delivery; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Name of the event, as the provider's header gives it.
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,

    /// Content type of the body.
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    pub content_type: String,
}

#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Send a catalog; of one realm the highest revision counts.
    #[command(after_help = "\
Examples:
  throughline catalog put catalog.toml
  throughline catalog put catalog.toml --realm acme")]
    Put {
        /// The catalog as TOML; without `revision` it gets the time of now.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Realm that it is the catalog of.
        #[arg(long, default_value = "default", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        realm: String,
    },
    /// Check a catalog without sending it.
    #[command(after_help = "\
Examples:
  throughline catalog check catalog.toml")]
    Check {
        /// The catalog as TOML.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration and show every effective key with its origin; secrets are not shown.
    #[command(after_help = "\
Examples:
  throughline config check --config throughline.toml
  throughline config check --config throughline.toml --json")]
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Version {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A name of a source leads the key of its records: it takes what the address of a webhook takes.
fn source_name(text: &str) -> Result<String, String> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(legal) {
        return Ok(text.to_owned());
    }
    Err("a source's name has 1 to 64 of a-z, 0-9, '.', '_' and '-'".to_owned())
}

/// A day, at its begin, or a time.
fn date(text: &str) -> Result<Timestamp, String> {
    let day = text.len() == "2024-05-01".len();
    let read =
        if day { Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")) } else { Timestamp::parse_rfc3339(text) };
    read.map_err(|_| "it is neither a day like 2024-05-01 nor a time like 2024-05-01T09:30:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_examples() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        let mut waiting: Vec<_> = command.get_subcommands().filter(|c| c.get_name() != "help").cloned().collect();
        while let Some(command) = waiting.pop() {
            if command.has_subcommands() {
                waiting.extend(command.get_subcommands().filter(|c| c.get_name() != "help").cloned());
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.starts_with("Examples:"), "{}", command.get_name());
            }
        }
    }

    #[test]
    fn a_date_is_a_day_or_a_time() {
        assert_eq!(date("2024-05-01"), date("2024-05-01T02:00:00+02:00"));
        assert!(date("2024-05-01").is_ok());
        for text in ["2024-13-01", "yesterday", "2024-05-01T09:30:00"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_source_has_a_name_that_can_stand_in_a_key() {
        assert!(source_name("git-backfill.2").is_ok());
        for name in ["", "a/b", "A", &"a".repeat(65)] {
            assert!(source_name(name).is_err(), "{name}");
        }
    }
}
