//! `oracle --cases N --seed S`: made-up histories, played to the correlation and held against the oracle.
//!
//! Progress goes to stderr, a difference as its moves, its events and its rows to stdout, and the last line of stdout is JSON.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde::Serialize;

#[derive(Debug, Parser)]
#[command(about = "Holds the streaming correlation against tables worked out the slow way, over made-up histories")]
struct Arguments {
    /// How many histories.
    #[arg(long, default_value_t = 10_000)]
    cases: u64,
    /// Which ones: the same seed gives the same histories.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The last line.
#[derive(Serialize)]
struct Report {
    cases: u64,
    events: u64,
    differences: usize,
    seconds: f64,
    seed: u64,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { cases, seed } = Arguments::parse();
    let started = Instant::now();
    let tally = oracle::play::run(cases, seed, &|done| {
        if done % 1000 < 100 {
            let per_second = done * 1000 / u64::try_from(started.elapsed().as_millis()).unwrap_or(1).max(1);
            // Nobody to tell is no reason to stop.
            let _ = writeln!(stderr(), "{done} of {cases} cases, {per_second} a second");
        }
    });
    let mut out = stdout().lock();
    for found in &tally.found {
        writeln!(out, "{found}\n")?;
    }
    let report = Report {
        cases: tally.cases,
        events: tally.events,
        differences: tally.found.len(),
        seconds: (started.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        seed,
    };
    writeln!(out, "{}", serde_json::to_string(&report)?)?;
    Ok(if tally.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
