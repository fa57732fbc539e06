//! Two years of releases, made inside of ClickHouse from a seed, and those that follow while it is measured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use warehouse::Table;

use super::server::{Parameters, Server};
use crate::report::Report;

/// How long the history is.
pub const DAYS: u64 = 730;
/// It is made in so many parts, about a month each, as it would have come.
const PARTS: u64 = 24;
/// Days of which the rollups are worked out at a time: the lists of more take too much memory.
const ROLLED_UP: u64 = 10;
/// Rows of a release begin at most so many days before it.
const BEFORE: u64 = 60;
/// For so many releases one that was there before is corrected.
const CORRECTED: u64 = 4;
/// Days back in which most is corrected.
const RECENT: u64 = 30;
/// One correction in so many is of any time.
const LATE: u64 = 10;
const DAY: u64 = 86_400;

/// Generation 1 of the correlator.
const FIRST_REVISION: u64 = 1 << 40;
/// No table has more rows of a release.
const ROWS_EACH: u64 = 200;

const MADE: &str = include_str!("history/made.sql");
const HAPPENED: &str = include_str!("history/happened.sql");
const ATTEMPTS: &str = include_str!("history/attempts.sql");
const COMPONENTS: &str = include_str!("history/components.sql");
const ROLLUPS: &str = include_str!("history/rollups.sql");
const CONCERNED: &str = include_str!("history/concerned.sql");

/// What follows from a release, by table.
const TABLES: [(&str, &str); 9] = [
    ("releases", include_str!("history/releases.sql")),
    ("deployments", include_str!("history/deployments.sql")),
    ("release_commits", include_str!("history/release_commits.sql")),
    ("gate_waits", include_str!("history/gate_waits.sql")),
    ("builds", include_str!("history/builds.sql")),
    ("build_failures", include_str!("history/build_failures.sql")),
    ("manual_steps", include_str!("history/manual_steps.sql")),
    ("incidents", include_str!("history/incidents.sql")),
    ("incident_attributions", include_str!("history/incident_attributions.sql")),
];

/// How much happens.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub releases: u64,
    pub components: u64,
    pub teams: u8,
    pub seed: u64,
}

/// Which rows of a release are written.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// Those that were written before all was known, of the releases that have such.
    Earlier,
    /// Those that hold.
    Now,
}

/// Writes the history, and goes on with it.
#[derive(Clone, Debug)]
pub struct History {
    server: Server,
    size: Size,
    /// Begin of its first day, seconds since 1970.
    begin: u64,
    /// How many releases have happened.
    releases: u64,
    revision: u64,
}

impl History {
    /// One that ends with yesterday, of which nothing is written yet.
    pub fn new(server: &Server, size: Size) -> Result<Self> {
        let today = now()?.as_secs() / DAY;
        let begin = (today - DAYS) * DAY;
        Ok(Self { server: server.clone(), size, begin, releases: 0, revision: FIRST_REVISION })
    }

    /// The one that is in the tables already, if any is.
    pub async fn found(server: &Server, size: Size) -> Result<Option<Self>> {
        if server.number("EXISTS TABLE history_releases").await? == 0 {
            return Ok(None);
        }
        let releases = server.number("SELECT count() FROM history_releases").await?;
        let revision = server.number("SELECT toUInt64(max(revision)) + 1 FROM rollup_hourly_rows").await?;
        ensure!(
            releases >= size.releases && revision > FIRST_REVISION,
            "there are {releases} releases, and not all that follows from {}: take an empty folder",
            size.releases
        );
        let begin = server.number("SELECT toUnixTimestamp(toStartOfDay(min(at))) FROM history_releases").await?;
        Ok(Some(Self { server: server.clone(), size, begin, releases, revision }))
    }

    /// Fills the tables.
    pub async fn fill(&mut self, report: &Report) -> Result<()> {
        for statement in MADE.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            self.server.run(statement, &self.parameters(0, 0)).await?;
        }
        self.write("components", COMPONENTS, with(self.parameters(0, 0), &[("earlier", false.to_string())])).await?;
        let each = self.size.releases.div_ceil(PARTS);
        for part in 1..=PARTS {
            let (from, count) = (self.releases, each.min(self.size.releases - self.releases));
            self.happen(count).await?;
            for known in [Known::Earlier, Known::Now] {
                self.follow(from, count, known).await?;
            }
            report.progress(format!("      part {part} of {PARTS}"));
        }
        report.progress("summing it up by hours and days");
        let first = self.begin - BEFORE * DAY;
        for days in 0..(DAYS + BEFORE).div_ceil(ROLLED_UP) {
            let since = first + days * ROLLED_UP * DAY;
            self.roll_up(0, 0, since, since + ROLLED_UP * DAY).await?;
        }
        Ok(())
    }

    /// What ten minutes of rest do to a month that has ended (`min_age_to_force_merge_seconds` of the tables), at once.
    pub async fn settle(&self) -> Result<()> {
        let ended = "SELECT DISTINCT table, partition_id FROM system.parts \
                     WHERE active AND database = currentDatabase() AND table LIKE '%\\_rows' \
                       AND partition_id != 'all' AND partition_id < toString(toYYYYMM(now('UTC'))) \
                     ORDER BY table, partition_id";
        for row in self.server.texts(ended).await? {
            if let [table, partition] = row.as_slice() {
                let merge = format!("OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL");
                self.server.run(&merge, &Parameters::new()).await?;
            }
        }
        Ok(())
    }

    /// So many more releases today, and corrections: of those of the last month, and now and then of one of any time. How many
    /// rows it took.
    pub async fn go_on(&mut self, releases: u64, rng: &mut fastrand::Rng) -> Result<u64> {
        let from = self.releases;
        self.happen(releases).await?;
        let mut rows = self.follow(from, releases, Known::Now).await?;
        for _ in from / CORRECTED..self.releases / CORRECTED {
            let back = if rng.u64(..LATE) == 0 { from } else { (self.size.releases * RECENT / DAYS).clamp(1, from) };
            rows += self.follow(from - 1 - rng.u64(..back), 1, Known::Now).await?;
        }
        let today = now()?.as_secs() / DAY * DAY;
        Ok(rows + self.roll_up(from, releases, today - DAY, today + DAY).await?)
    }

    /// Lets releases happen.
    async fn happen(&mut self, count: u64) -> Result<()> {
        self.server.run(HAPPENED, &self.parameters(self.releases, count)).await?;
        self.releases += count;
        Ok(())
    }

    /// Writes what follows from releases, all but the rollups; how many rows that are.
    async fn follow(&mut self, from: u64, count: u64, known: Known) -> Result<u64> {
        let mut written = 0;
        for (table, rows) in TABLES {
            let earlier = matches!(known, Known::Earlier).to_string();
            let parameters = with(self.parameters(from, count), &[("earlier", earlier)]);
            written += self.write(table, &rows.replace("{attempts}", ATTEMPTS.trim()), parameters).await?;
        }
        Ok(written)
    }

    /// Writes the sums of the days between two times: of the components of some releases, of all where there are none.
    async fn roll_up(&mut self, from: u64, count: u64, since: u64, until: u64) -> Result<u64> {
        let mut written = 0;
        for (table, hours) in [("rollup_daily", 24), ("rollup_hourly", 1)] {
            let times = [("hours", hours), ("since", since), ("until", until)].map(|(name, n)| (name, n.to_string()));
            let rows = ROLLUPS.replace("{concerned}", CONCERNED.trim());
            written += self.write(table, &rows, with(self.parameters(from, count), &times)).await?;
        }
        Ok(written)
    }

    /// Writes rows under new revisions.
    async fn write(&mut self, table: &str, rows: &str, parameters: Parameters) -> Result<u64> {
        let known = Table::all().iter().find(|known| known.name == table);
        let columns = &known.with_context(|| format!("there is no table `{table}`"))?.columns;
        let names = columns.iter().map(|column| column.name.as_str()).filter(|name| *name != "revision");
        let names = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let insert = format!(
            "INSERT INTO {table}_rows ({names}, revision)\n\
             SELECT {names}, toInt64({{revision:UInt64}} + rowNumberInAllBlocks()) FROM\n(\n{rows})"
        );
        let written = self.server.run(&insert, &with(parameters, &[("revision", self.revision.to_string())])).await?;
        self.revision += written.max(ROWS_EACH);
        Ok(written)
    }

    /// The parameters that all statements share.
    fn parameters(&self, from: u64, count: u64) -> Parameters {
        let Size { releases, components, teams, seed } = self.size;
        let values = [
            ("seed", seed),
            ("days", DAYS),
            ("releases", releases),
            ("components", components),
            ("teams", teams.into()),
            ("from", from),
            ("count", count),
        ];
        let values = values.map(|(name, value)| (name, value.to_string()));
        with(Parameters::new(), &[&values[..], &[("first_day", (self.begin / DAY).to_string())]].concat())
    }
}

fn with(mut parameters: Parameters, values: &[(&str, String)]) -> Parameters {
    parameters.extend(values.iter().map(|(name, value)| (format!("param_{name}"), value.clone())));
    parameters
}

fn now() -> Result<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).context("the clock of this machine is before 1970")
}

#[cfg(test)]
mod tests {
    use end_to_end::database::Database;

    use super::*;

    /// A new column or table must not be forgotten here, and be noticed only when somebody measures.
    #[tokio::test]
    async fn a_small_history_fills_every_table_and_goes_on() {
        let database = Database::migrated("t_bench_panels", |text| eprintln!("{text}")).await.unwrap();
        let server = Server::new(&database.url, &database.name);
        let size = Size { releases: 600, components: 6, teams: 3, seed: 1 };
        let mut history = History::new(&server, size).unwrap();
        history.fill(&Report::new(true)).await.unwrap();
        for table in Table::all() {
            let rows = server.number(&format!("SELECT count() FROM {}", table.name)).await.unwrap();
            assert!(rows > 0, "{} is empty", table.name);
        }
        let count = "SELECT count() FROM releases";
        let before = server.number(count).await.unwrap();
        let written = history.go_on(CORRECTED, &mut fastrand::Rng::with_seed(1)).await.unwrap();
        assert_eq!(server.number(count).await.unwrap(), before + CORRECTED);
        assert!(written > 0);
        database.remove().await.unwrap();
    }
}
