//! `bench freshness`: how long a signed webhook takes until its row is in ClickHouse, with everything on this machine.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use end_to_end::freshness::figures::Spread;
use end_to_end::freshness::prepared::Prepared;
use end_to_end::freshness::{self, Outcome, Plan, SOURCE};
use end_to_end::installation::{Installation, Profile, Role, build_as};
use local_stack::Stack;

use crate::report::{Report, columns};

/// What is aimed at for the 99th percentile, in milliseconds.
const AIM_MS: f64 = 1000.0;
/// How long a quick run sends, in seconds: before something counts, and then.
const QUICK: (u32, u32) = (10, 20);

#[derive(Debug, Args)]
pub struct Freshness {
    /// Webhooks a second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// How long they are sent and count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    minutes: u32,
    /// How many seconds they are sent before: programs warm up, and the history gets going.
    #[arg(long, default_value_t = 30)]
    warm_up: u32,
    /// Half a minute in all, to see whether it works.
    #[arg(long, conflicts_with_all = ["minutes", "warm_up"])]
    quick: bool,
    /// Repositories that they are of.
    #[arg(long, default_value_t = 300)]
    repositories: usize,
    /// The same seed gives the same webhooks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

impl Freshness {
    pub fn run(&self) -> Result<ExitCode> {
        let report = Report::new(self.json);
        report.progress("building in release; the first time takes minutes");
        let binary = build_as(Profile::Release)?;
        let plan = self.plan();
        report.progress(format!("making and signing {} webhooks", plan.webhooks()));
        let prepared = Prepared::make(plan.webhooks(), plan.repositories, plan.seed)?;
        report.show(kinds(&prepared));
        let stack = Stack::start(&|text| report.progress(text))?;
        let runtime = tokio::runtime::Runtime::new()?;
        let outcome = runtime.block_on(async {
            let mut installation = Installation::new(&binary, stack.addresses(), "bench_freshness", &[SOURCE])?;
            installation.start(Role::All).await?;
            report.progress(format!("sending {} a second for {} s", plan.rate, plan.warm_up + plan.measured));
            let outcome = freshness::run(&installation, plan, &prepared, &|text| report.progress(text)).await;
            if outcome.is_err() {
                report.progress(format!("      its log is in {}", installation.keep_logs().display()));
            }
            let outcome = outcome?;
            installation.stop_all().await?;
            anyhow::Ok(outcome)
        })?;
        report.show(table(&outcome));
        report.finish(&outcome)?;
        let right = outcome.lost == 0 && outcome.double == 0 && outcome.refused == 0;
        Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    const fn plan(&self) -> Plan {
        let (warm_up, measured) = if self.quick { QUICK } else { (self.warm_up, self.minutes * 60) };
        Plan { rate: self.rate, warm_up, measured, repositories: self.repositories, seed: self.seed }
    }
}

fn kinds(prepared: &Prepared) -> String {
    let all: usize = prepared.kinds.values().sum();
    let percent = |count: usize| format!("{:.1} %", count as f64 * 100.0 / all.max(1) as f64);
    let rows = prepared.kinds.iter().map(|(kind, count)| vec![(*kind).to_owned(), count.to_string(), percent(*count)]);
    let bytes = format!("mean body {:.1} kB", prepared.bytes as f64 / all.max(1) as f64 / 1000.0);
    format!("{}\n{bytes}\n", columns(&rows.collect::<Vec<_>>(), |column| column > 0))
}

fn table(outcome: &Outcome) -> String {
    let head = ["ms", "p50", "p95", "p99", "max"].map(str::to_owned).to_vec();
    let row = |name: &str, spread: &Spread| {
        let Spread { p50_ms, p95_ms, p99_ms, max_ms } = spread;
        let figures = [p50_ms, p95_ms, p99_ms, max_ms].map(|ms| format!("{ms:.1}"));
        std::iter::once(name.to_owned()).chain(figures).collect::<Vec<_>>()
    };
    let hops = &outcome.hops;
    let mut rows = vec![
        head,
        row("due to row visible", &outcome.spread),
        row("  due to inbox", &hops.inbox),
        row("  inbox to event", &hops.event),
        row("  event to fact", &hops.fact),
        row("  fact to row visible", &hops.row),
        row("due to answer", &outcome.answer),
    ];
    rows.extend(outcome.tables.iter().map(|(table, of)| row(&format!("{table} ({})", of.rows), &of.spread)));
    let commits = outcome.commit_ms.iter().map(|(group, ms)| format!("{group} {ms:.1} ms"));
    let Outcome { rate, seconds, webhooks, followed, lost, double, refused, busy, .. } = outcome;
    let share = *followed as f64 * 100.0 / (*webhooks).max(1) as f64;
    format!(
        "{webhooks} webhooks, {rate} a second for {seconds} s; {followed} rows followed, for {share:.1} % of the webhooks; aim: p99 {AIM_MS:.0} ms\n\
         lost {lost}, double {double}, refused {refused}; processors {:.0} % busy\n\n{}\n\nmean commit: {}\n",
        busy * 100.0,
        columns(&rows, |column| column > 0),
        commits.collect::<Vec<_>>().join(", "),
    )
}
