//! The parts of `cargo xtask bench correlate` and `cargo xtask bench restore` that want an optimised build: one command each. The last
//! line on standard output is one JSON object.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command line")]

mod compare;
mod core;
mod feed;
mod floor;
mod kafka;
mod state;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use load::{Shape, World, amount};
use mimalloc::MiMalloc;
use serde::Serialize;

/// As in the binary that is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Debug, Parser)]
#[command(about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply and derive in memory, without Kafka.
    Core(core::Core),
    /// Restore a state in memory, without Kafka.
    State(state::State),
    /// Write events to the event topics.
    Feed(feed::Feed),
    /// Read the same input and write as much as the correlator did, without thinking; until it is killed.
    Floor(floor::Floor),
    /// Measure a process while its consumer group reads the event topics to their end.
    Watch(watch::Watch),
    /// Hold the facts of two correlators against each other.
    Compare(compare::Compare),
}

/// Which events.
#[derive(Clone, Debug, Args)]
struct Load {
    /// How many; `k` and `M` are thousand and million.
    #[arg(long, default_value = "1M", value_parser = amount)]
    events: u64,
    /// Components that they are about.
    #[arg(long, default_value_t = 200)]
    components: usize,
    /// Mostly commits, as an import gives them, instead of mostly pipelines.
    #[arg(long)]
    history: bool,
    /// The same seed gives the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Load {
    fn world(&self) -> World {
        let shape = if self.history { Shape::history() } else { Shape::delivery() };
        World::new(&Shape { components: self.components, ..shape }, self.seed)
    }
}

/// The result, for programs.
fn finish(result: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(result)?);
    Ok(())
}

/// Memory of this process that is resident, in bytes.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Core(core) => core.run(),
        Command::State(state) => state.run(),
        Command::Feed(feed) => feed.run(),
        Command::Floor(floor) => floor.run(),
        Command::Watch(watch) => watch.run(),
        Command::Compare(compare) => compare.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
