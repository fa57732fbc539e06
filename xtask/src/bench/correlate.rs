//! `bench correlate`: the correlator beside the same on Kafka Streams, and beside what moving the bytes alone would take.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use end_to_end::installation::{Installation, Role};
use load::amount;
use local_stack::{Addresses, Stack};
use serde::{Deserialize, Serialize};

use super::parts::{Fed, Killed, PARTITIONS, Peer, Place, Programs, Taken};
use crate::report::{Report, columns};

/// How many times more events the second run has that tells whether the pace stays the same.
const LONGER: u64 = 10;

#[derive(Debug, Args)]
pub struct Correlate {
    /// How many events; `k` and `M` are thousand and million.
    #[arg(long, default_value = "1M", value_parser = amount)]
    events: u64,
    /// Components that they are about.
    #[arg(long, default_value_t = 200)]
    components: usize,
    /// The same seed gives the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also run ours on ten times as many events, to see whether its pace stays the same.
    #[arg(long)]
    flat: bool,
    /// State stores of the peer: `memory` or `rocksdb`.
    #[arg(long, default_value = "memory", value_parser = ["memory", "rocksdb"])]
    store: String,
    /// Run ours alone.
    #[arg(long)]
    ours: bool,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

/// What `bench-correlate compare` found.
#[derive(Debug, Deserialize)]
struct Compared {
    equal: bool,
    tables: Vec<Table>,
}

#[derive(Debug, Deserialize)]
struct Table {
    table: String,
    rows: u64,
    differ: u64,
}

/// Events for each CPU second, and what follows; what was not run is null.
#[derive(Debug, Default, Serialize)]
struct Verdict {
    events: u64,
    components: usize,
    ours_per_cpu_s: f64,
    peer_per_cpu_s: Option<f64>,
    floor_per_cpu_s: Option<f64>,
    /// Ours to the peer's.
    ratio: Option<f64>,
    /// Ours to the floor's.
    of_floor: Option<f64>,
    /// The facts that both can express are the same.
    equal: Option<bool>,
    /// Pace at ten times as many events to pace.
    flatness: Option<f64>,
    ours_wall_s: f64,
    peer_wall_s: Option<f64>,
    floor_wall_s: Option<f64>,
    ours_peak_bytes: u64,
    peer_peak_bytes: Option<u64>,
    floor_peak_bytes: Option<u64>,
}

impl Correlate {
    pub fn run(&self) -> Result<ExitCode> {
        let report = Report::new(self.json);
        report.progress("building in release; the first time takes minutes");
        let programs = Programs::build()?;
        let peer = if self.ours { None } else { Some(Peer::build()?) };
        let stack = Stack::start(&|text| report.progress(text))?;
        let bench = Bench { options: self, report: &report, programs: &programs, addresses: stack.addresses() };
        let runtime = tokio::runtime::Runtime::new()?;
        let (mut verdict, mut runs) = runtime.block_on(bench.compare(peer.as_ref()))?;
        if self.flat {
            let longer = runtime.block_on(bench.longer())?;
            verdict.flatness = Some(longer.per_cpu_s / verdict.ours_per_cpu_s);
            runs.push(("ours, ten times the events", longer));
        }
        report.show(table(&runs));
        report.finish(&verdict)?;
        Ok(if verdict.equal == Some(false) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

type Runs = Vec<(&'static str, Taken)>;

struct Bench<'a> {
    options: &'a Correlate,
    report: &'a Report,
    programs: &'a Programs,
    addresses: &'a Addresses,
}

impl Bench<'_> {
    async fn compare(&self, peer: Option<&Peer>) -> Result<(Verdict, Runs)> {
        let place = Place { addresses: self.addresses, name: "bench".to_owned() };
        let (peers, floors) = (format!("{}peer.", place.prefix()), format!("{}floor.", place.prefix()));
        let fed = self.feed(&place, self.options.events, &["--also", &peers, "--also", &floors])?;
        let ours = self.ours(&place, &fed).await?;
        let mut verdict = Verdict {
            events: fed.events,
            components: fed.components,
            ours_per_cpu_s: ours.per_cpu_s,
            ours_wall_s: ours.wall_s,
            ours_peak_bytes: ours.peak_bytes,
            ..Verdict::default()
        };
        let mut runs = vec![("ours", ours)];
        let Some(peer) = peer else { return Ok((verdict, runs)) };
        let of_peer = self.peer(peer, &place, &peers, &fed)?;
        let compared: Compared = self.programs.bench(&place, "compare", &["--with", &peers])?;
        for Table { table, rows, differ } in &compared.tables {
            self.report.show(format!("{table}: {rows} rows, {differ} differ"));
        }
        let floor = self.floor(&place, &floors, &fed)?;
        verdict.equal = Some(compared.equal);
        verdict.peer_per_cpu_s = Some(of_peer.per_cpu_s);
        verdict.peer_wall_s = Some(of_peer.wall_s);
        verdict.peer_peak_bytes = Some(of_peer.peak_bytes);
        verdict.floor_per_cpu_s = Some(floor.per_cpu_s);
        verdict.floor_wall_s = Some(floor.wall_s);
        verdict.floor_peak_bytes = Some(floor.peak_bytes);
        verdict.ratio = Some(ours.per_cpu_s / of_peer.per_cpu_s);
        verdict.of_floor = Some(ours.per_cpu_s / floor.per_cpu_s);
        runs.extend([("Kafka Streams", of_peer), ("floor", floor)]);
        Ok((verdict, runs))
    }

    async fn longer(&self) -> Result<Taken> {
        let place = Place { addresses: self.addresses, name: "bench_longer".to_owned() };
        let fed = self.feed(&place, self.options.events.saturating_mul(LONGER), &[])?;
        self.ours(&place, &fed).await
    }

    fn feed(&self, place: &Place<'_>, events: u64, more: &[&str]) -> Result<Fed> {
        let Correlate { components, seed, .. } = self.options;
        let (events, components, seed) = (events.to_string(), components.to_string(), seed.to_string());
        let arguments = [&["--events", &events, "--components", &components, "--seed", &seed], more].concat();
        self.report.progress(format!("making {events} events"));
        let fed: Fed = self.programs.bench(place, "feed", &arguments)?;
        let (commits, mean) = (fed.commits, fed.bytes / fed.events.max(1));
        self.report.progress(format!("      of {} components, {commits} commits, {mean} bytes each", fed.components));
        Ok(fed)
    }

    async fn ours(&self, place: &Place<'_>, fed: &Fed) -> Result<Taken> {
        self.report.progress("ours");
        let mut installation = Installation::new(&self.programs.throughline, self.addresses, &place.name, &[])?;
        installation.set("THROUGHLINE_KAFKA__PARTITIONS__EVENTS", PARTITIONS);
        installation.spawn(Role::Correlate)?;
        let pid = installation.pid(Role::Correlate).context("it does not run")?;
        let taken = self.watch(place, &format!("{}correlator", place.prefix()), pid, fed);
        if taken.is_err() {
            self.report.progress(format!("      its log is in {}", installation.keep_logs().display()));
        }
        let taken = taken?;
        installation.stop_all().await?;
        Ok(taken)
    }

    fn peer(&self, peer: &Peer, place: &Place<'_>, output: &str, fed: &Fed) -> Result<Taken> {
        self.report.progress(format!("Kafka Streams, stores: {}", self.options.store));
        let state = tempfile::tempdir().context("no temporary folder")?;
        let mut command = peer.command(place, output, state.path(), fed.commit_interval_ms, &self.options.store);
        let process = Killed::start(&mut command)?;
        self.watch(place, &format!("{output}correlator"), process.id(), fed)
    }

    fn floor(&self, place: &Place<'_>, output: &str, fed: &Fed) -> Result<Taken> {
        self.report.progress("floor");
        let group = format!("{output}correlator");
        let arguments = ["--output", output, "--group", &group, "--events", &fed.events.to_string()];
        let process = Killed::start(&mut self.programs.bench_command(place, "floor", &arguments))?;
        self.watch(place, &group, process.id(), fed)
    }

    fn watch(&self, place: &Place<'_>, group: &str, pid: u32, fed: &Fed) -> Result<Taken> {
        let (pid, events) = (pid.to_string(), fed.events.to_string());
        let taken: Taken =
            self.programs.bench(place, "watch", &["--group", group, "--pid", &pid, "--events", &events])?;
        self.report.progress(format!("      {:.0} events for each CPU second", taken.per_cpu_s));
        Ok(taken)
    }
}

fn table(runs: &Runs) -> String {
    let head = ["", "events/CPU s", "CPU s", "wall s", "peak MB"].map(str::to_owned).to_vec();
    let row = |(name, taken): &(&str, Taken)| {
        vec![
            (*name).to_owned(),
            format!("{:.0}", taken.per_cpu_s),
            format!("{:.1}", taken.cpu_s),
            format!("{:.1}", taken.wall_s),
            format!("{:.0}", taken.peak_bytes as f64 / 1e6),
        ]
    };
    columns(&std::iter::once(head).chain(runs.iter().map(row)).collect::<Vec<_>>(), |column| column > 0)
}
