//! `bench …`: figures that decisions rest on, from a run that anyone can repeat.

mod alerts;
mod avro;
mod backfill;
mod corpus;
mod correlate;
mod freshness;
mod panels;
mod parts;
mod restore;

use std::process::ExitCode;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How soon a sustained shift of lead time is found in real histories, and how often one is found that is none.
    #[command(after_help = "\
Shifts are planted at random releases, into everything and into one segment; orders in which nothing is are made by shuffling. Rules
were chosen on every other component; both halves are shown. Figures of services/decisions/0021-sustained-shift.md.")]
    Alerts(alerts::Alerts),
    /// Avro encoders and decoders on the records that flow: the figures of services/decisions/0002-avro-codec.md.
    Avro(avro::Avro),
    /// How fast a git repository is read into Kafka, and how much memory that takes.
    Backfill(backfill::Backfill),
    /// The correlator beside the same on Kafka Streams, and beside a loop that moves the bytes and does not think.
    #[command(after_help = "\
Measured are CPU seconds, user and system, of all threads of each process, between the first and the last commit of the input.
The facts of both must be the same; else the command fails.

Examples:
  cargo xtask bench correlate
  cargo xtask bench correlate --events 10M
  cargo xtask bench correlate --flat --ours")]
    Correlate(correlate::Correlate),
    /// How long a signed webhook takes until its row is in ClickHouse, and what of that each hop costs.
    #[command(after_help = "\
Kafka, ClickHouse, every role of Throughline and the sender share this machine. Webhooks are sent by a schedule, and time counts from
when each was due. Times of a webhook are those of the broker's inbox, of its event and its fact in Kafka, and of the insert in
ClickHouse's log: each is at most a millisecond or two off. Fails where one was lost, stands there twice or was not accepted.

Examples:
  cargo xtask bench freshness --quick
  cargo xtask bench freshness --rate 1000 --minutes 5
  cargo xtask bench freshness --rate 50 --repositories 50")]
    Freshness(freshness::Freshness),
    /// How long the queries of the dashboards take on two years of releases, while rows come in.
    #[command(after_help = "\
The tables are filled in ClickHouse itself, which takes a while and, for ten million releases, some 25 GB of disk; nothing of it stays,
but with --keep. Measured are all queries, of panels, variables and annotations, as their dashboards open and over two years. Aimed
at are 200 ms, and 1 s where nothing of the tables is in memory: neither in ClickHouse's caches nor in the system's.
Why the tables are as they are: services/decisions/0025-fast-panels.md.

Examples:
  cargo xtask bench panels
  cargo xtask bench panels --releases 1M --components 100
  cargo xtask bench panels --keep /var/tmp/panels --only 'Slowest releases'")]
    Panels(panels::Panels),
    /// How long a correlator takes to take up its state, and how much memory a commit takes.
    Restore(restore::Restore),
}

impl Bench {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.what {
            What::Alerts(alerts) => alerts.run(),
            What::Avro(avro) => avro.run(),
            What::Backfill(backfill) => backfill.run(),
            What::Correlate(correlate) => correlate.run(),
            What::Freshness(freshness) => freshness.run(),
            What::Panels(panels) => panels.run(),
            What::Restore(restore) => restore.run(),
        }
    }
}
