//! `bench backfill`: how fast a git repository is read and put into Kafka, and how much memory that takes.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use end_to_end::installation::{Installation, Profile, build_as};
use end_to_end::repository;
use local_stack::Stack;
use serde::{Deserialize, Serialize};

use crate::report::Report;

/// Time between two looks at the memory.
const INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug, Args)]
pub struct Backfill {
    /// How many commits the repository has.
    #[arg(long, default_value_t = 100_000)]
    commits: u32,
    /// The same seed gives the same repository.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Verdict {
    commits: u64,
    /// From the start of the process to its end, when Kafka has everything.
    seconds: f64,
    commits_per_s: u64,
    /// The most that was resident, in millions of bytes.
    peak_mb: u64,
}

/// What the command says.
#[derive(Deserialize)]
struct Said {
    commits: u64,
    without_paths: u64,
}

impl Backfill {
    pub fn run(&self) -> Result<ExitCode> {
        let report = Report::new(self.json);
        report.progress("building in release; the first time takes minutes");
        let binary = build_as(Profile::Release)?;
        report.progress(format!("making a repository of {} commits", self.commits));
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("shop.git");
        repository::make(&path, self.commits, self.seed)?;
        let stack = Stack::start(&|text| report.progress(text))?;
        let installation = Installation::new(&binary, stack.addresses(), "bench_backfill", &[])?;
        installation.run(&["migrate"])?;
        report.progress("reading it into the inbox");
        let verdict = measure(&binary, &installation, &path)?;
        report.show(format!(
            "{} commits in {:.1} s: {} a second, with at most {} MB",
            verdict.commits, verdict.seconds, verdict.commits_per_s, verdict.peak_mb
        ));
        report.finish(&verdict)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn measure(binary: &Path, installation: &Installation, repository: &Path) -> Result<Verdict> {
    let started = Instant::now();
    let mut command = Command::new(binary);
    command.arg("--config").arg(installation.config()).args(["backfill", "git", "--json"]).arg(repository);
    let mut process = command.stdout(Stdio::piped()).spawn()?;
    let peak = peak(&mut process)?;
    let seconds = started.elapsed().as_secs_f64();
    let output = process.wait_with_output()?;
    ensure!(output.status.success(), "the backfill failed; what it says is above");
    let said: Said = serde_json::from_slice(&output.stdout)?;
    ensure!(said.without_paths == 0, "{} commits have no paths", said.without_paths);
    let commits_per_s = (said.commits as f64 / seconds) as u64;
    Ok(Verdict { commits: said.commits, seconds, commits_per_s, peak_mb: peak / 1_000_000 })
}

/// Waits until the process has ended; the most memory that was resident, as Linux tells until then.
fn peak(process: &mut Child) -> Result<u64> {
    let status = format!("/proc/{}/status", process.id());
    let mut peak: u64 = 0;
    while process.try_wait()?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = kilobytes.and_then(|number| number.trim().parse().ok()).unwrap_or(peak).max(peak);
        std::thread::sleep(INTERVAL);
    }
    ensure!(peak > 0, "the system does not tell how much memory a process takes");
    Ok(peak * 1024)
}
