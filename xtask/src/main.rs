//! The one command for everything around the code: `cargo xtask …`.
//!
//! A command is a file: what it takes from the command line, and a function `run`. What it says goes through [`report`].

mod bench;
mod chaos;
mod demo;
mod report;
mod stack;
mod test;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::Report;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Everything around the code", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play half a year of three teams through the real thing, and show what comes out.
    Demo(demo::DemoCommand),
    /// Kill, hang and restart everything while a history plays, and hold every table against the truth.
    Chaos(chaos::ChaosCommand),
    /// Real Kafka and ClickHouse on this machine, shared by tests, benchmarks and trials.
    Stack(stack::Stack),
    /// Run the tests.
    Test(test::Test),
    /// Hold what comes out against known truth.
    Verify(verify::Verify),
    /// Measure.
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Chaos(chaos) => chaos.run(),
        Command::Stack(stack) => stack.run(),
        Command::Test(test) => test.run(),
        Command::Verify(verify) => verify.run(),
        Command::Bench(bench) => bench.run(),
    };
    result.unwrap_or_else(|error| {
        Report::error(&error);
        ExitCode::FAILURE
    })
}
