//! Holds whole installations, and the front door by itself, against known truth.

mod git;
mod govuk;
mod signatures;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Args, Subcommand};
use end_to_end::installation::{self, Profile};
use end_to_end::verify::{Pipeline, Segments};
use local_stack::Stack;
use serde::Serialize;

use crate::report::Report;

#[derive(Debug, Args)]
pub struct Verify {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Real deployments of real applications: every commit's way to production against `git merge-base`.
    Govuk(govuk::Govuk),
    /// Real projects by their tags: the first release of every commit, and its lead time.
    Git(git::Git),
    /// Published webhook signatures: the verdict on each against what was published with it.
    Signatures(signatures::Signatures),
}

impl Verify {
    pub fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Govuk(govuk) => govuk.run(),
            What::Git(git) => git.run(),
            What::Signatures(signatures) => signatures.run(),
        }
    }
}

/// What every history needs.
#[derive(Debug, Args)]
struct Setting {
    /// Folder with a folder for each history.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Build Throughline as it is shipped, so that the seconds mean something; the first build takes minutes.
    #[arg(long)]
    release: bool,
}

/// What came out, and how long it took from servers that run to the last comparison.
#[derive(Debug, Serialize)]
struct Verdict<T> {
    #[serde(flatten)]
    verified: T,
    release_build: bool,
    seconds: u64,
}

impl Setting {
    /// Builds the binary and starts servers of its own.
    fn prepare(&self, report: &Report) -> Result<(PathBuf, Stack)> {
        let (profile, how) = if self.release { (Profile::Release, "a release") } else { (Profile::Debug, "a debug") };
        report.progress(format!("building throughline, {how} build"));
        let binary = installation::build_as(profile)?;
        let stack = Stack::start(&|text| report.progress(text))?;
        Ok((binary, stack))
    }

    /// Says what came out.
    fn finish<T: Serialize>(&self, report: &Report, verified: &T, holds: bool, started: Instant) -> Result<ExitCode> {
        let seconds = started.elapsed().as_secs();
        report.finish(&Verdict { verified, release_build: self.release, seconds })?;
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Whether times close, and how long it took, in words.
fn closing(segments: &Segments, pipeline: &Pipeline) -> String {
    let cpu = pipeline.cpu_seconds.iter().map(|(role, seconds)| format!("{role} {seconds:.1}"));
    format!(
        "\nReleases whose segments and clock correction do not sum to their lead time: {} of {}\n\
         {} lines took {:.1} s from the first one sent to the last row visible: \
         the last line was in the inbox after {:.1} s, the last fact in Kafka after {:.1} s\n\
         Processor seconds of it by role: {}",
        segments.open,
        segments.releases,
        pipeline.lines,
        pipeline.pipeline_seconds,
        pipeline.import_seconds,
        pipeline.correlated_seconds,
        cpu.collect::<Vec<_>>().join(", "),
    )
}
