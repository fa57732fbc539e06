//! `bench restore`: how long a correlator takes to take up its state, and how much memory a commit takes.

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use end_to_end::installation::{Installation, Role};
use load::amount;
use local_stack::Stack;
use serde::Serialize;

use super::parts::{Fed, Place, Programs, Taken};
use crate::report::{Report, columns};

/// What is aimed at for a million commits.
const SECONDS: f64 = 10.0;
/// What is aimed at.
const BYTES_PER_COMMIT: f64 = 400.0;
/// How long a restore may take.
const WITHIN: Duration = Duration::from_secs(900);
/// After the restore, until what it took for the moment has been given back.
const SETTLED: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub struct Restore {
    /// How many commits the state holds; `k` and `M` are thousand and million.
    #[arg(long, default_value = "1M", value_parser = amount)]
    commits: u64,
    /// Components that they are about.
    #[arg(long, default_value_t = 200)]
    components: usize,
    /// The same seed gives the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Verdict {
    commits: u64,
    /// From the start of the process until it is ready.
    seconds: f64,
    /// Growth of the resident memory over that of the same process with an empty changelog.
    bytes_per_commit: f64,
    resident_bytes: u64,
    empty_bytes: u64,
}

impl Restore {
    pub fn run(&self) -> Result<ExitCode> {
        let report = Report::new(self.json);
        report.progress("building in release; the first time takes minutes");
        let programs = Programs::build()?;
        let stack = Stack::start(&|text| report.progress(text))?;
        let place = |name: &str| Place { addresses: stack.addresses(), name: name.to_owned() };
        let (full, empty) = (place("restore"), place("restore_nothing"));
        let runtime = tokio::runtime::Runtime::new()?;
        let verdict = runtime.block_on(async {
            let commits = self.fill(&programs, &full, &report).await?;
            report.progress("restoring nothing");
            let (_, empty_bytes) = restore(&programs, &empty).await?;
            report.progress(format!("restoring {commits} commits"));
            let (seconds, resident_bytes) = restore(&programs, &full).await?;
            let grown = resident_bytes.saturating_sub(empty_bytes);
            let bytes_per_commit = grown as f64 / commits as f64;
            anyhow::Ok(Verdict { commits, seconds, bytes_per_commit, resident_bytes, empty_bytes })
        })?;
        report.show(verdict.table());
        report.finish(&verdict)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Has the correlator work on a history until its changelog holds so many commits; how many it holds.
    async fn fill(&self, programs: &Programs, place: &Place<'_>, report: &Report) -> Result<u64> {
        report.progress(format!("making a history of {} commits", self.commits));
        let (commits, components) = (self.commits.to_string(), self.components.to_string());
        let seed = self.seed.to_string();
        let arguments = ["--history", "--commits", &commits, "--components", &components, "--seed", &seed];
        let fed: Fed = programs.bench(place, "feed", &arguments)?;
        report.progress(format!("correlating {} events", fed.events));
        let mut installation = Installation::new(&programs.throughline, place.addresses, &place.name, &[])?;
        installation.spawn(Role::Correlate)?;
        let pid = installation.pid(Role::Correlate).context("it does not run")?.to_string();
        let (group, events) = (format!("{}correlator", place.prefix()), fed.events.to_string());
        let taken: Taken = programs.bench(place, "watch", &["--group", &group, "--pid", &pid, "--events", &events])?;
        report.progress(format!("      {:.0} events for each CPU second", taken.per_cpu_s));
        installation.stop_all().await?;
        Ok(fed.commits)
    }
}

/// Starts a correlator on its changelog: seconds until it is ready, and the bytes that are resident then.
async fn restore(programs: &Programs, place: &Place<'_>) -> Result<(f64, u64)> {
    let mut installation = Installation::new(&programs.throughline, place.addresses, &place.name, &[])?;
    let started = Instant::now();
    installation.spawn(Role::Correlate)?;
    // It gives up after a minute, which a large state may take longer than.
    while let Err(error) = installation.wait_ready(Role::Correlate).await {
        let pid = installation.pid(Role::Correlate).context("it does not run")?;
        if started.elapsed() > WITHIN || resident(pid).is_err() {
            bail!("the state was not restored within {} s: {error:#}", WITHIN.as_secs());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLED).await;
    let bytes = resident(installation.pid(Role::Correlate).context("it does not run")?)?;
    installation.stop_all().await?;
    Ok((seconds, bytes))
}

/// Memory of a process that is resident, in bytes; an ended one has none.
fn resident(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let line =
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")).with_context(|| format!("{path} has no VmRSS"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

impl Verdict {
    fn table(&self) -> String {
        let head = ["", "found", "aim"].map(str::to_owned).to_vec();
        let row = |name: &str, found: String, aim: f64| vec![name.to_owned(), found, format!("{aim:.0}")];
        let rows = [
            head,
            row("seconds to ready", format!("{:.1}", self.seconds), SECONDS),
            row("bytes for each commit", format!("{:.0}", self.bytes_per_commit), BYTES_PER_COMMIT),
        ];
        format!("{} commits\n{}", self.commits, columns(&rows, |column| column > 0))
    }
}
