//! The one binary: command line, configuration, lifecycle, every role.

mod admin;
mod catalog;
mod cli;
mod commands;
mod config;
mod internal_events;
mod lifecycle;
mod memory;
mod nearest;
mod prepare;
mod readiness;
mod roles;
mod telemetry;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// The state of the correlator is many small things that live long: this allocator takes less time and memory for them than the one
/// of the C library.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to say it to where standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
