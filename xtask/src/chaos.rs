//! `chaos`: a whole installation with servers and roles that die, hang, come and go.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use end_to_end::chaos::{self, Chaos};
use end_to_end::installation;
use local_stack::Stack;

use crate::report::Report;

/// Differences shown where the result is wrong.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask chaos --minutes 5
  cargo xtask chaos --minutes 60 --seed 7 --rate 300

Exit code 0 only if every row of every table is as if nothing had happened.")]
pub struct ChaosCommand {
    /// How long to disturb; what is left to do afterwards comes on top.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Decides on what is told and what is done; drawn and shown where it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Events a second.
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

impl ChaosCommand {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        report.progress("building throughline");
        let binary = installation::build()?;
        let mut stack = Stack::start(&|text| report.progress(text))?;
        let seed = self.seed.unwrap_or_else(chaos::seed);
        report.progress(format!("disturbing for {} minutes, seed {seed}", self.minutes));
        let how = Chaos { minutes: self.minutes, seed, rate: self.rate };
        let runtime = tokio::runtime::Runtime::new()?;
        let outcome = runtime.block_on(chaos::run(&binary, &mut stack, how, &|text| report.progress(text)))?;
        if outcome.differences > 0 {
            let shown = outcome.shown.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
            report.loud(format!("{} differences:\n{shown}", outcome.differences));
        }
        report.finish(&outcome)?;
        Ok(if outcome.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
