//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use backfill::{Part, github, gitlab, pagerduty};
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use globset::Glob;
use model::{Millis, Timestamp};

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
    /// Show the releases of a repository and where their time went, without any server.
    #[command(after_help = "\
Examples:
  throughline try .
  throughline try https://github.com/BurntSushi/ripgrep
  throughline try ../shop --tags 'v*' --releases 30
  throughline try shop.bundle --json
  GITHUB_TOKEN=$(gh auth token) throughline try ../shop
  throughline try ../shop --gitlab https://gitlab.example.com/acme/shop --token-file token

Every tag is taken for a release to production, and everything is worked out in memory: nothing is
stored anywhere. An address needs `git`; THROUGHLINE_GIT_TOKEN gives the token for a private one.

With a token, in GITHUB_TOKEN or GITLAB_TOKEN or as named, the project at GitHub or GitLab is read as
well: changes with reviews, builds, deployments, approvals. GitHub's token needs read access to
Contents, Pull requests, Actions and Deployments; GitLab's the scope read_api. Unless --github or
--gitlab names another host, only github.com and gitlab.com are asked. Where something was deployed to
production, that counts instead of tags, unless --tags is given. If the API fails, what git told is
shown; Ctrl-C ends the reading, and shows what is there.")]
    Try(Try),

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

    /// Work out the figures of the components from ClickHouse, and serve them at /metrics.
    #[command(after_help = "\
Examples:
  throughline review --config throughline.toml
  THROUGHLINE_CLICKHOUSE__USER=throughline_read throughline review --config throughline.toml

Medians, shares and sustained shifts, for Prometheus to compare: rules and alerts are in
deploy/prometheus. A user of ClickHouse that reads is enough.")]
    Review,

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

    /// Ask a running role whether it is ready: the health check of a container, which has no other client.
    #[command(after_help = "\
Examples:
  throughline health
  throughline health --url http://ingest-1:9464

Asks /readyz of the admin port of the configuration on this machine, or of the one named. The exit code
is 0 where everything is ready; else 1, and what is waited for is named.")]
    Health(Health),

    /// Put events from files of JSON lines into the inbox.
    #[command(after_help = "\
Examples:
  throughline import history.jsonl
  throughline import --source git-backfill commits-*.jsonl
  git-history-exporter | throughline import -

A line that cannot be read is named on standard error, and the rest goes on; the exit code is
then 1. Importing a file twice changes nothing: a line is known by the hash of its text.")]
    Import(Import),

    /// Read history that is there already, and put it into the inbox.
    #[command(subcommand)]
    Backfill(Backfill),

    /// Work everything out anew from what is in Kafka, as after a mended definition or a mended adapter.
    #[command(after_help = "\
Examples:
  throughline replay --config throughline.toml
  throughline replay --resend
  throughline replay --from inbox --dry-run
  throughline replay --from inbox --json

Stop every correlator first, and start them again afterwards. The rows that are there stay until the
correlators have read as much as before; then what is different is corrected. Running it twice, or
while a replay goes on, does no harm.

--resend writes every row again, also those that come out the same: for a database that was lost.
Make its tables first, by `throughline migrate`.

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

    /// Answer a question from the tables: one that people often ask, by its name, or any other in SQL.
    #[command(after_help = "\
Examples:
  throughline query
  throughline query lead-time-by-segment
  throughline query waits-on-weekday --param weekday=5 --param since=30d
  throughline query gate-waits --param component=payouts --csv > gates.csv
  throughline query gate-waits --show
  throughline query --sql 'SELECT component, count() FROM releases GROUP BY component'
  throughline query --sql - --json < mine.sql

A table shows durations as 2 h 13 min: a column of 64 bits is one where its name is that of a
duration in the tables, or ends with it (lead_time, median_lead_time). CSV and JSON have
milliseconds. Times are UTC, in a table to the second; a null is `-`.

A parameter of a query is written {name:Type}. A time is given as 2026-01-01, 2026-01-01T09:30:00Z,
now, or as a span until now (90d). Nothing can be changed: ClickHouse is told that the query only
reads (readonly = 2). It ends after clickhouse.query_timeout_ms, with an error beyond a million
rows, and a table after 1000; SETTINGS in a query of one's own raise limits as far as the user may.
Any user who may read the database is enough.")]
    Query(Query),

    /// Show the tables: what each is, what makes a row, and every column with its type and its meaning.
    #[command(after_help = "\
Examples:
  throughline schema
  throughline schema releases
  throughline schema --json | jq -r '.[] | .name + \": \" + .comment'

It is what ClickHouse says of the configured database; a user who may read it is enough.")]
    Schema(Schema),

    /// Show why a figure is what it is: its formula, what it rests on, and the events that told it.
    #[command(subcommand)]
    Why(Why),

    /// Acknowledge a shift: what came since is the component's new usual, and an alert about it ends.
    #[command(after_help = "\
Examples:
  throughline acknowledge payouts --note 'a second approval, as agreed with audit'
  throughline acknowledge payouts --at 2026-05-20T14:00:00Z --by github.com/octocat
  throughline acknowledge acme/shop --realm acme --json

What came since the shift began is then what comes later is compared with. Where no shift stands,
history begins to count at that time: nothing is said before there are enough releases again. Every
acknowledgement counts, in the order of their times; the same time twice is one, and none can be
taken back. They stand in the column `acknowledged` of the table `components`, and a name that this
table does not have is refused. The account of --by leaves the inbox as a keyed hash.")]
    Acknowledge(Acknowledge),

    /// Show events as they are read, one line each.
    #[command(after_help = "\
Examples:
  throughline tail
  throughline tail --source github --kind Deployment --since 2h
  throughline tail --since 7d --no-follow --json | jq .body

The time in a line is that of the event, by the provider's clock.")]
    Tail(Tail),

    /// Look at deliveries that could not be read, and put them back once they can be.
    #[command(subcommand)]
    DeadLetters(DeadLetters),

    /// Show which providers there are, how one of them is connected, or what arrives.
    #[command(after_help = "\
Examples:
  throughline sources
  throughline sources github
  throughline sources status
  throughline sources shop --config throughline.toml
  throughline sources github --json

NAME is a provider, or a source of the configuration. What is to be done at the provider is shown with
the address and with the place of the secret, never with the secret itself.")]
    Sources(Sources),

    /// Set a provider up, as far as a command can.
    #[command(subcommand)]
    Connect(Connect),

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
pub struct Try {
    /// Folder with a git repository, a bundle, or an address.
    #[arg(value_name = "PATH|URL")]
    pub from: String,

    /// Only tags like this are releases.
    #[arg(long, value_name = "PATTERN")]
    pub tags: Option<String>,

    /// Branch to read instead of the default one; what tags reach is read, too.
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,

    /// Name of the repository: `github.com/acme/shop`; that of its remote `origin` unless given.
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,

    /// Project at GitHub, or the address of its page; that of the repository unless given.
    #[arg(long, value_name = "OWNER/NAME|URL")]
    pub github: Option<String>,

    /// Project at GitLab, or the address of its page; that of the repository unless given.
    #[arg(long, value_name = "GROUP/PROJECT|URL", conflicts_with = "github")]
    pub gitlab: Option<String>,

    /// Environment variable that holds the token; GITHUB_TOKEN or GITLAB_TOKEN, where it is set.
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    pub token_env: Option<String>,

    /// File that holds the token.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Root of the API, where it is not where the provider has it.
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,

    /// From when on the project is read: a day (UTC) or a time; 90 days before the newest tag unless given.
    #[arg(long, value_name = "DATE", value_parser = day_or_time)]
    pub since: Option<Timestamp>,

    /// How many releases to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub releases: usize,

    /// Print everything as JSON, all releases included.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Health {
    /// Address of the admin port.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
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

    /// The history of a repository by GitHub's REST API.
    #[command(after_help = "\
Examples:
  throughline backfill github acme/shop --since 2026-01-01
  throughline backfill github https://github.example.com/acme/shop --since 2026-01-01 --token-env GHES_TOKEN
  throughline backfill github acme/shop --since 2026-01-01 --only commits,pulls --paths
  throughline backfill github acme/shop --since 2026-01-01 --app 12345 --private-key github.private-key.pem

The token needs read access to Contents, Pull requests, Actions and Deployments (a classic token:
`repo`), as the App of `throughline connect github` has it. GitHub's limits are waited for.

History and webhooks tell of the same things: either may come first, both may come, and reading it
again changes nothing. Interrupted, by Ctrl-C or otherwise, the same command goes on where it was.")]
    Github(BackfillGithub),

    /// The history of a project by GitLab's REST API.
    #[command(after_help = "\
Examples:
  throughline backfill gitlab acme/backend/shop --since 2026-01-01
  throughline backfill gitlab https://gitlab.example.com/acme/shop --since 2026-01-01 --token-file token
  throughline backfill gitlab acme/shop --since 2026-01-01 --only commits,merge-requests --paths

The token is one of a person, a group or a project, with the scope `read_api` and the role Reporter.
GitLab's limits are waited for.

The API does not tell which jobs were started by hand, nor since when a deployment waited for its
approval: webhooks do. History and webhooks tell of the same things: either may come first, both may
come, and reading it again changes nothing. Interrupted, the same command goes on where it was.")]
    Gitlab(BackfillGitlab),

    /// The incidents of an account by PagerDuty's REST API.
    #[command(after_help = "\
Examples:
  throughline backfill pagerduty --since 2026-01-01
  throughline backfill pagerduty --since 2026-01-01 --api https://api.eu.pagerduty.com
  throughline backfill pagerduty --since 2026-01-01 --token-file key --json

A read-only API key of the account is enough. PagerDuty's limits are waited for.

History and webhooks tell of the same incidents: either may come first, both may come, and reading it
again changes nothing. Interrupted, by Ctrl-C or otherwise, the same command goes on where it was.")]
    Pagerduty(BackfillPagerduty),
}

/// From when on a history is read by an API, and what becomes of it.
#[derive(Debug, Args)]
pub struct ReadHistory {
    /// From when on: a day (UTC), or a time like 2026-01-01T09:30:00Z.
    #[arg(long, value_name = "DATE", value_parser = day_or_time)]
    pub since: Timestamp,

    #[command(flatten)]
    pub into: Destination,

    /// File that keeps how far it is; one for these arguments in the user's folder of states by default.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct BackfillGithub {
    /// Repository at github.com, or the address of its page.
    #[arg(value_name = "OWNER/NAME|URL")]
    pub repository: String,

    /// Only these parts: commits, tags, pulls, runs, deployments, releases.
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = part::<github::Part>)]
    pub only: Vec<github::Part>,

    /// Read the paths of each commit too, by one request each: for a catalog that knows components by their paths.
    #[arg(long)]
    pub paths: bool,

    /// Environment variable that holds the token.
    #[arg(long, value_name = "NAME", default_value = "GITHUB_TOKEN", conflicts_with = "token_file")]
    pub token_env: String,

    /// File that holds the token.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// GitHub App to read as, instead of a token.
    #[arg(long, value_name = "ID", requires = "private_key", conflicts_with_all = ["token_env", "token_file"])]
    pub app: Option<u64>,

    /// File with the private key of the App.
    #[arg(long, value_name = "FILE", requires = "app")]
    pub private_key: Option<PathBuf>,

    /// Root of the API, where it is not where GitHub has it.
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,

    #[command(flatten)]
    pub how: ReadHistory,
}

#[derive(Debug, Args)]
pub struct BackfillGitlab {
    /// Project at gitlab.com with its groups, or the address of its page.
    #[arg(value_name = "GROUP/PROJECT|URL")]
    pub project: String,

    /// Only these parts: commits, tags, merge-requests, pipelines, child-pipelines, deployments, releases.
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = part::<gitlab::Part>)]
    pub only: Vec<gitlab::Part>,

    /// Read the paths of each commit too, by one request each: for a catalog that knows components by their paths.
    #[arg(long)]
    pub paths: bool,

    /// Environment variable that holds the token.
    #[arg(long, value_name = "NAME", default_value = "GITLAB_TOKEN", conflicts_with = "token_file")]
    pub token_env: String,

    /// File that holds the token.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Root of the API, where it is not at /api/v4 of the host.
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,

    #[command(flatten)]
    pub how: ReadHistory,
}

#[derive(Debug, Args)]
pub struct BackfillPagerduty {
    /// Environment variable that holds the API key.
    #[arg(long, value_name = "NAME", default_value = "PAGERDUTY_TOKEN", conflicts_with = "token_file")]
    pub token_env: String,

    /// File that holds the API key.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Root of the API; of an account in Europe, `https://api.eu.pagerduty.com`.
    #[arg(long, value_name = "URL", default_value = pagerduty::API)]
    pub api: String,

    #[command(flatten)]
    pub how: ReadHistory,
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
    #[arg(long, value_name = "DATE", value_parser = day_or_time)]
    pub since: Option<Timestamp>,

    #[command(flatten)]
    pub into: Destination,

    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Whose history it is.
#[derive(Debug, Args)]
pub struct Destination {
    /// Source that it is said to come from; the configured one of this provider where there is exactly one, for a repository `git`.
    #[arg(long, value_name = "NAME", value_parser = source_name)]
    pub source: Option<String>,

    /// Realm that it belongs to; that of the configured source of this name, else `default`.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: Option<String>,
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

    /// Write every row again, not only what is different.
    #[arg(long)]
    pub resend: bool,

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

/// Which figure.
#[derive(Debug, Subcommand)]
pub enum Why {
    /// The lead time of a release and its segments, step by step.
    #[command(after_help = "\
Examples:
  throughline why release billing 05e79bb
  throughline why release shop v1.4.0 --json")]
    Release {
        /// Component, as in the table `releases`.
        component: String,
        /// Version, or how it begins.
        // Its own id: `version` is that of the flag every command has.
        #[arg(id = "release_version", value_name = "VERSION")]
        version: String,
        /// Realm; needed where there are several.
        #[arg(long, value_name = "NAME")]
        realm: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// The wait at a gate.
    #[command(after_help = "\
Examples:
  throughline why gate github.com/acme/billing/actions/runs/77/1/production
  throughline why gate runs/77/1/production --json")]
    Gate {
        /// Id of the meeting as in the table `gate_waits`, or how it ends.
        gate: String,
        /// Realm; needed where there are several.
        #[arg(long, value_name = "NAME")]
        realm: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// The releases that an incident is attributed to.
    #[command(after_help = "\
Examples:
  throughline why incident PGR0VU2
  throughline why incident INC0010007 --json")]
    Incident {
        /// Number of the incident, its id as in the table `incidents`, or how that ends.
        incident: String,
        /// Realm; needed where there are several.
        #[arg(long, value_name = "NAME")]
        realm: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("asked").args(["name", "sql"])))]
pub struct Query {
    /// Question to answer; without one, all are listed.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Value of a parameter of the query.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter, requires = "asked")]
    pub param: Vec<(String, String)>,

    /// Query to run instead; `-` reads it from standard input.
    #[arg(long, value_name = "SQL")]
    pub sql: Option<String>,

    /// Show how the answer is read, the parameters and the SQL, and ask nothing.
    #[arg(long, requires = "name", conflicts_with_all = ["csv", "param"])]
    pub show: bool,

    /// Print CSV with a heading.
    #[arg(long, conflicts_with = "json", requires = "asked")]
    pub csv: bool,

    /// Print each row as a line of JSON; the questions, where none is asked, as one list.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Schema {
    /// Only this table.
    #[arg(value_name = "TABLE")]
    pub table: Option<String>,

    /// Also what is not for readers: the tables beneath the views, and what was migrated.
    #[arg(long, conflicts_with = "table")]
    pub all: bool,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Acknowledge {
    /// Component, by its name in the tables.
    #[arg(value_name = "COMPONENT", value_parser = NonEmptyStringValueParser::new())]
    pub component: String,

    /// Realm.
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: String,

    /// Why, for whoever asks later.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub note: Option<String>,

    /// From when on: a day (UTC) or a time; now unless given.
    #[arg(long, value_name = "DATE", value_parser = day_or_time)]
    pub at: Option<Timestamp>,

    /// Account or address of the person who says so.
    #[arg(long, value_name = "ACCOUNT", value_parser = NonEmptyStringValueParser::new())]
    pub by: Option<String>,

    /// Print what was done as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Tail {
    /// Only events of this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// Only events of this kind: `Deployment`, `pipeline-run`.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// Begin with what was read so long ago: `90s`, `10m`, `2h`, `7d`.
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = span)]
    pub since: Millis,

    /// End after what is there.
    #[arg(long)]
    pub no_follow: bool,

    /// Print each event as a line of JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Sources {
    #[command(subcommand)]
    pub command: Option<SourcesCommand>,

    /// Provider (`github`), or a source of the configuration; without one, all providers.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum SourcesCommand {
    /// Show what arrives: last event, rate, rejected signatures, dead letters, gaps, and what should come and does not.
    #[command(after_help = "\
Examples:
  throughline sources status
  throughline sources status github
  throughline sources status --json

A gap is an interval in which deliveries may be missing: nothing could be taken, deliveries were
refused, or the source was silent beyond its habit. `throughline ingest` closes it where the source has
an `api` in the configuration; one that is lost says what is missing and what to do.")]
    Status(SourcesStatus),
}

#[derive(Debug, Args)]
pub struct SourcesStatus {
    /// Source of the configuration; without one, all of them.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Connect {
    /// Register a GitHub App that tells what happens, may read what it tells of, and can change nothing.
    #[command(after_help = "\
Examples:
  throughline connect github --org acme --url https://throughline.example.com
  throughline connect github --url https://throughline.example.com --into /etc/throughline/secrets
  throughline connect github --url https://throughline.example.com --github https://github.example.com

It shows a page on this machine with one button; GitHub asks once more and gives the App's private
key and the secret of its webhooks, which are written to files for their owner alone and never
printed. What is printed on standard output belongs into the configuration. Then install the App on
the repositories. An owner of the organisation has to press the button.

From another machine: ssh -L 8400:127.0.0.1:8400 HOST, and --listen 127.0.0.1:8400 there.

The other way is a webhook that is set up by hand: throughline sources github.")]
    Github(ConnectGithub),
}

#[derive(Debug, Args)]
pub struct ConnectGithub {
    /// Organisation that the App belongs to; the account that is logged in unless given.
    #[arg(long, value_name = "ORG", value_parser = account)]
    pub org: Option<String>,

    /// Address of this installation, as GitHub reaches it.
    #[arg(long, value_name = "URL")]
    pub url: String,

    /// Name of the App: GitHub has one of each name. `Throughline ORG` unless given.
    #[arg(long, value_name = "NAME", value_parser = app_name)]
    pub name: Option<String>,

    /// Source that the App is for.
    #[arg(long, value_name = "NAME", default_value = "github", value_parser = source_name)]
    pub source: String,

    /// Folder for the private key and the secret.
    #[arg(long, value_name = "DIR", default_value = "secrets")]
    pub into: PathBuf,

    /// Replace the files of an earlier App.
    #[arg(long)]
    pub force: bool,

    /// Address of the page on this machine; any free port unless given.
    #[arg(long, value_name = "127.0.0.1:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Address of a GitHub Enterprise Server.
    #[arg(long, value_name = "URL", default_value = "https://github.com")]
    pub github: String,

    /// Root of the API, where it is not where GitHub has it.
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// List them, each with why it could not be read and whether it would be read now.
    #[command(after_help = "\
Examples:
  throughline dead-letters list
  throughline dead-letters list --source github --since 7d
  throughline dead-letters list --json | jq -r .reason | sort | uniq -c")]
    List {
        #[command(flatten)]
        filter: LetterFilter,
        /// Print each as a line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one, with its body.
    #[command(after_help = "\
Examples:
  throughline dead-letters show github/72d3162e-cc78-11e3-81ab-4c9367dc0958
  throughline dead-letters show jenkins/9f86d081 --body > body.json

The body is as it came, and may name people.")]
    Show {
        /// Source and delivery, as `list` shows them.
        id: String,
        /// Print the body alone.
        #[arg(long)]
        body: bool,
    },
    /// Put deliveries back into the inbox that this version can read.
    #[command(after_help = "\
Examples:
  throughline dead-letters replay github/72d3162e-cc78-11e3-81ab-4c9367dc0958
  throughline dead-letters replay --source jenkins
  throughline dead-letters replay --all

What this version cannot read either is named and left; the exit code is then 1. `throughline ingest`
must be of this version, too.")]
    Replay {
        /// Sources and deliveries, as `list` shows them.
        #[arg(value_name = "ID", conflicts_with = "all")]
        ids: Vec<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        filter: LetterFilter,
        /// Print what was done as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct LetterFilter {
    /// Only those of this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// Only those of so long: `90s`, `10m`, `2h`, `7d`.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub since: Option<Millis>,
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
    /// Show the catalog in force, and what holds where it says nothing.
    #[command(after_help = "\
Examples:
  throughline catalog show
  throughline catalog show --realm acme --json")]
    Show(CatalogShow),
    /// List what has arrived and maps to nothing, with the line that would map it.
    #[command(after_help = "\
Examples:
  throughline catalog unmapped
  throughline catalog unmapped --days 7 --json")]
    Unmapped(CatalogUnmapped),
    /// Suggest a catalog from what has arrived: each line with its evidence, and which releases it would make.
    #[command(after_help = "\
Examples:
  throughline catalog suggest
  throughline catalog suggest --days 90 --checkout ~/src/shop --checkout ~/src/tills
  throughline catalog suggest --write catalog.toml

Nothing is sent and nothing written, unless --write says where; look at it, then check and put it. Teams
come from the CODEOWNERS of the checkouts. Everything that ever arrived is read, into the memory of this
command: about as much as the correlator of the realm takes.")]
    Suggest(CatalogSuggest),
}

#[derive(Debug, Args)]
pub struct CatalogShow {
    /// Realm that it is the catalog of.
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: String,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CatalogUnmapped {
    /// What was spoken of in so many days.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,

    /// Realm.
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: String,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CatalogSuggest {
    /// What arrived in so many days.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,

    /// Clone of a repository whose CODEOWNERS names its teams; several times for several.
    #[arg(long, value_name = "PATH")]
    pub checkout: Vec<PathBuf>,

    /// File to write the suggestion to.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Replace that file, where it exists.
    #[arg(long, requires = "write")]
    pub force: bool,

    /// Realm.
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub realm: String,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
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

/// A span of time: a whole number and its unit.
pub fn span(text: &str) -> Result<Millis, String> {
    const UNITS: [(&str, i64); 4] = [("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let found = UNITS.iter().find_map(|(unit, size)| {
        let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Millis(i64::from(number) * size))
    });
    found.ok_or_else(|| format!("`{text}` is no span of time: write 90s, 10m, 2h or 7d"))
}

pub fn day_or_time(text: &str) -> Result<Timestamp, String> {
    let day = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    let time = Timestamp::parse_rfc3339(text).or_else(|_| day());
    time.map_err(|_| "neither a day like 2026-01-01 nor a time like 2026-01-01T09:30:00Z".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no value: write NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A name of an organisation at GitHub.
fn account(text: &str) -> Result<String, String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if !text.is_empty() && text.bytes().all(legal) {
        return Ok(text.to_owned());
    }
    Err("an organisation's name has letters, digits and '-', as in its address".to_owned())
}

fn app_name(text: &str) -> Result<String, String> {
    if (1..=34).contains(&text.trim().chars().count()) {
        return Ok(text.trim().to_owned());
    }
    Err("GitHub takes names of 1 to 34 characters".to_owned())
}

fn part<P: Part>(text: &str) -> Result<P, String> {
    let known = || P::all().iter().map(|part| part.key()).collect::<Vec<_>>().join(", ");
    P::named(text).ok_or_else(|| format!("there are {}", known()))
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
    fn spans_have_a_number_and_a_unit() {
        assert_eq!(span("90s"), Ok(Millis(90_000)));
        assert_eq!(span("7d"), Ok(Millis(604_800_000)));
        for text in ["", "7", "d", "-1h", "1.5h", "2 w", "99999999999s"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_a_day_or_a_time() {
        assert_eq!(day_or_time("1970-01-02"), Ok(Timestamp(86_400_000)));
        assert_eq!(day_or_time("1970-01-02T01:00:00+01:00"), Ok(Timestamp(86_400_000)));
        assert!(day_or_time("yesterday").is_err());
    }

    #[test]
    fn parts_are_known_by_name() {
        assert_eq!(part("pulls"), Ok(github::Part::Pulls));
        assert_eq!(part("merge-requests"), Ok(gitlab::Part::MergeRequests));
        assert!(part::<github::Part>("issues").unwrap_err().contains("deployments"));
    }

    #[test]
    fn a_source_has_a_name_that_can_stand_in_a_key() {
        assert!(source_name("git-backfill.2").is_ok());
        for name in ["", "a/b", "A", &"a".repeat(65)] {
            assert!(source_name(name).is_err(), "{name}");
        }
    }
}
