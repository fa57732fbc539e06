//! `bench panels`: how long the queries of the dashboards take on a large history, while rows come in.

mod cold;
mod coming;
mod history;
mod opened;
mod server;
mod timing;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use end_to_end::dashboards;
use end_to_end::database::Database;
use load::amount;
use local_stack::{MIGRATE, Stack};
use serde::Serialize;

use coming::Coming;
use history::{History, Size};
use opened::Release;
use server::Server;
use timing::{Asking, Runs, Timed};

use crate::report::{Report, columns};

/// Name of the database.
const DATABASE: &str = "throughline_panels";

#[derive(Debug, Args)]
pub struct Panels {
    /// Releases in the tables, over two years; `k` and `M` are thousand and million.
    #[arg(long, default_value = "10M", value_parser = amount)]
    releases: u64,
    /// Components that they are of.
    #[arg(long, default_value_t = 1_000)]
    components: u64,
    /// Teams that own them.
    #[arg(long, default_value_t = 60)]
    teams: u8,
    /// Releases that come in each second while queries are measured. Ten million in two years are one in six seconds: the
    /// default is six times that, as in a busy hour.
    #[arg(long, default_value_t = 1)]
    rate: u64,
    /// The same seed gives the same history.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often each query is put, after it was put once.
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// How often each query is put when nothing of the tables is in memory.
    #[arg(long, default_value_t = 3)]
    cold: usize,
    /// Only queries of panels whose title holds this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Keep the servers' data here, and take the history that is there already.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Verdict {
    releases: u64,
    components: u64,
    /// Queries that were put, each at the range with which its dashboard opens and at two years.
    queries: usize,
    /// Those that are as fast as they should be.
    fast: usize,
    /// Of the slowest query.
    p95_warm_ms: u64,
    /// Of the slowest query.
    p95_cold_ms: u64,
    /// Of the slowest query at the range with which its dashboard opens.
    opened_p95_warm_ms: u64,
    opened_p95_cold_ms: u64,
    /// All tables on disk.
    bytes_per_release: u64,
    /// Rows that came in while it was measured.
    rows_per_s: u64,
}

impl Panels {
    pub fn run(&self) -> Result<ExitCode> {
        ensure!(self.releases > self.components, "each component has its first release: take more releases");
        let report = Report::new(self.json);
        let mut stack = match &self.keep {
            Some(folder) => Stack::start_in(folder, &|text| report.progress(text))?,
            None => Stack::start(&|text| report.progress(text))?,
        };
        stack.stop_kafka();
        let runtime = tokio::runtime::Runtime::new()?;
        let url = stack.addresses().clickhouse.clone();
        let verdict = runtime.block_on(self.measure(&url, &stack.data_dir().join("clickhouse/data"), &report))?;
        report.finish(&verdict)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn measure(&self, url: &str, data: &Path, report: &Report) -> Result<Verdict> {
        let server = Server::new(url, DATABASE);
        let history = self.history(&server, report).await?;
        let bytes_per_release = self.show_tables(&server, report).await?;
        let dashboards = dashboards::all()?;
        let release = Release::busiest(&server).await?;
        let mut queries = timing::queries(&dashboards, &self.only)?;
        ensure!(!queries.is_empty(), "no title holds `{}`", self.only);
        let coming = Coming::start(history, self.rate, self.seed);
        report.progress(format!("putting {} queries, while {} releases come in each second", queries.len(), self.rate));
        let runs = Runs { cold: self.cold, warm: self.runs };
        let asking = Asking { server: &server, data, dashboards: &dashboards, release: &release, runs };
        let asked = asking.measure(&mut queries, &|text| report.progress(text)).await;
        let rows_per_s = coming.stop().await?;
        asked?;
        report.show(timing::table(&queries));
        Ok(self.verdict(&queries, bytes_per_release, rows_per_s))
    }

    /// The tables with the history in them, made or found.
    async fn history(&self, server: &Server, report: &Report) -> Result<History> {
        let database = Database { url: server.url.clone(), name: server.database.clone() };
        database.warehouse(MIGRATE)?.migrate().await?;
        let Panels { releases, components, teams, seed, .. } = *self;
        let size = Size { releases, components, teams, seed };
        if let Some(history) = History::found(server, size).await? {
            return Ok(history);
        }
        report.progress(format!("making {releases} releases of {components} components and {teams} teams"));
        let mut history = History::new(server, size)?;
        history.fill(report).await?;
        report.progress("merging the months that have ended");
        history.settle().await?;
        Ok(history)
    }

    /// What is in the tables; how many bytes of disk each release takes.
    async fn show_tables(&self, server: &Server, report: &Report) -> Result<u64> {
        let parts = "FROM system.parts WHERE active AND database = currentDatabase() AND table LIKE '%\\_rows'";
        let tables = server
            .texts(&format!(
                "SELECT substring(table, 1, length(table) - 5), sum(rows), count(), sum(bytes_on_disk) {parts} \
                 GROUP BY table ORDER BY table"
            ))
            .await?;
        let head = ["table", "rows", "parts", "bytes"].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(head).chain(tables).collect();
        report.show(format!("{}\n", columns(&rows, |column| column > 0)));
        Ok(server.number(&format!("SELECT sum(bytes_on_disk) {parts}")).await? / self.releases)
    }

    fn verdict(&self, queries: &[Timed], bytes_per_release: u64, rows_per_s: u64) -> Verdict {
        let worst = |time: fn(&Timed) -> Duration, opened: bool| {
            let of = queries.iter().filter(|query| !opened || query.is_as_opened());
            of.map(time).max().unwrap_or_default().as_millis().try_into().unwrap_or(u64::MAX)
        };
        Verdict {
            releases: self.releases,
            components: self.components,
            queries: queries.len(),
            fast: queries.iter().filter(|query| query.is_fast()).count(),
            p95_warm_ms: worst(Timed::warm, false),
            p95_cold_ms: worst(Timed::cold, false),
            opened_p95_warm_ms: worst(Timed::warm, true),
            opened_p95_cold_ms: worst(Timed::cold, true),
            bytes_per_release,
            rows_per_s,
        }
    }
}
