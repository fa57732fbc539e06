//! Queries of the dashboards, with the times that they took.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use end_to_end::dashboards::{self, CLICKHOUSE, Dashboard, Filling, Place, Query};
use model::{Millis, Timestamp};

use super::cold;
use super::history::DAYS;
use super::opened::{self, Release};
use super::server::{Parameters, Server};
use crate::report::columns;

/// What is aimed at: no query takes longer, 95 times of 100.
pub const WARM: Duration = Duration::from_millis(200);
/// The same of what has not been read before.
pub const COLD: Duration = Duration::from_millis(1000);
const DAY: i64 = 86_400;

/// A query under one range.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Name of the dashboard's file, without its ending.
    dashboard: String,
    /// Where in the dashboard.
    place: String,
    /// How far it looks back, seconds.
    range: i64,
    /// That is the range with which the dashboard opens.
    opened: bool,
    text: String,
    interval: i64,
    rows_read: u64,
    cpu: Duration,
    cold: Vec<Duration>,
    warm: Vec<Duration>,
}

/// How often each query is put.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    pub cold: usize,
    pub warm: usize,
}

/// Every query of ClickHouse in the dashboards, at the range with which its dashboard opens and at the whole history; of those
/// whose name holds `only`.
pub fn queries(dashboards: &[Dashboard], only: &str) -> Result<Vec<Timed>> {
    let mut timed = Vec::new();
    for dashboard in dashboards {
        for (range, opened) in [(opened::looks_back(dashboard)?, true), (i64::try_from(DAYS)? * DAY, false)] {
            for query in dashboard.queries().iter().filter(|query| query.source == CLICKHOUSE) {
                timed.push(Timed { opened, ..Timed::new(dashboard, query, range)? });
            }
        }
    }
    timed.retain(|timed| timed.place.contains(only));
    Ok(timed)
}

/// What is asked, and how.
#[derive(Debug)]
pub struct Asking<'a> {
    pub server: &'a Server,
    /// Where its tables are.
    pub data: &'a Path,
    pub dashboards: &'a [Dashboard],
    pub release: &'a Release,
    pub runs: Runs,
}

impl Asking<'_> {
    /// Puts each query as often as wanted.
    pub async fn measure(&self, queries: &mut [Timed], progress: &dyn Fn(String)) -> Result<()> {
        let mut fillings: BTreeMap<(String, i64), Filling> = BTreeMap::new();
        // Kept data have the log of earlier runs, too.
        let run = format!("bench panels {} ", ending_now(0)?.1);
        let all = queries.len();
        for (i, query) in queries.iter_mut().enumerate() {
            let key = (query.dashboard.clone(), query.range);
            if !fillings.contains_key(&key) {
                let dashboard = self.dashboards.iter().find(|dashboard| name_of(dashboard) == query.dashboard);
                let dashboard = dashboard.context("a query without a dashboard")?;
                let filling = opened::filling(self.server, dashboard, self.release, ending_now(query.range)?).await?;
                fillings.insert(key.clone(), filling);
            }
            self.time(query, &fillings[&key], &format!("{run}{i}")).await?;
            progress(format!("      {} of {all}: {}, {} days", i + 1, query.place, query.range / DAY));
        }
        self.take_cpu(&run, queries).await
    }

    async fn time(&self, query: &mut Timed, filling: &Filling, comment: &str) -> Result<()> {
        for _ in 0..self.runs.cold {
            cold::forget(self.server, self.data).await?;
            let answer = self.server.ask(&query.sql(filling)?, "").await?;
            query.cold.push(answer.took);
        }
        if self.runs.cold == 0 {
            self.server.ask(&query.sql(filling)?, "").await?;
        }
        for _ in 0..self.runs.warm {
            let answer = self.server.ask(&query.sql(filling)?, comment).await?;
            query.warm.push(answer.took);
            query.rows_read = answer.rows_read;
        }
        Ok(())
    }

    /// What the warm runs took of the processors, from the log of queries, by the comment on them.
    async fn take_cpu(&self, run: &str, queries: &mut [Timed]) -> Result<()> {
        self.server.run("SYSTEM FLUSH LOGS query_log", &Parameters::new()).await?;
        let sql = format!(
            "SELECT substring(log_comment, {}), \
                    toUInt64(quantileExactLow(0.5)(ProfileEvents['OSCPUVirtualTimeMicroseconds'])) \
             FROM system.query_log WHERE type = 'QueryFinish' AND startsWith(log_comment, '{run}') \
             GROUP BY log_comment",
            run.len() + 1
        );
        for row in self.server.texts(&sql).await? {
            if let [query, micros] = row.as_slice()
                && let Some(query) = queries.get_mut(query.parse::<usize>()?)
            {
                query.cpu = Duration::from_micros(micros.parse()?);
            }
        }
        Ok(())
    }
}

impl Timed {
    fn new(dashboard: &Dashboard, query: &Query<'_>, range: i64) -> Result<Self> {
        let place = match &query.place {
            Place::Variable(name) => format!("variable {name}"),
            Place::Annotation(name) => format!("annotation {name}"),
            Place::Panel(title) => title.clone(),
        };
        Ok(Self {
            dashboard: name_of(dashboard).to_owned(),
            place,
            range,
            opened: false,
            text: query.text.to_owned(),
            interval: dashboards::interval(range, query.interval)?,
            rows_read: 0,
            cpu: Duration::ZERO,
            cold: Vec::new(),
            warm: Vec::new(),
        })
    }

    /// The query at this moment.
    fn sql(&self, filling: &Filling) -> Result<String> {
        let (from, to) = ending_now(self.range)?;
        dashboards::fill(&self.text, &Filling { from, to, interval: self.interval, ..filling.clone() })
    }

    /// The 95th percentile of its warm runs.
    pub fn warm(&self) -> Duration {
        percentile(&self.warm, 95)
    }

    /// The same of those that had to read everything.
    pub fn cold(&self) -> Duration {
        percentile(&self.cold, 95)
    }

    pub const fn is_as_opened(&self) -> bool {
        self.opened
    }

    /// Whether it is as fast as aimed at.
    pub fn is_fast(&self) -> bool {
        self.warm() <= WARM && self.cold() <= COLD
    }
}

fn name_of(dashboard: &Dashboard) -> &str {
    dashboard.file.trim_end_matches(".json")
}

fn ending_now(range: i64) -> Result<(Timestamp, Timestamp)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock of this machine is before 1970")?;
    let to = Timestamp(i64::try_from(now.as_millis())?);
    Ok((to + Millis(-range * 1000), to))
}

/// The value below or at which so many of a hundred are; nothing for none.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

/// A line for each query; what is slower than aimed at is marked.
pub fn table(queries: &[Timed]) -> String {
    let head = ["dashboard", "query", "days", "warm p50", "p95", "CPU", "cold", "rows read", "ms"];
    let ms = |time: Duration| time.as_millis().to_string();
    let row = |query: &Timed| {
        vec![
            query.dashboard.clone(),
            query.place.clone(),
            (query.range / DAY).to_string(),
            ms(percentile(&query.warm, 50)),
            ms(query.warm()),
            ms(query.cpu),
            ms(query.cold()),
            query.rows_read.to_string(),
            if query.is_fast() { String::new() } else { "slow".to_owned() },
        ]
    };
    let head = head.map(str::to_owned).to_vec();
    columns(&std::iter::once(head).chain(queries.iter().map(row)).collect::<Vec<_>>(), |column| {
        (2..8).contains(&column)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let times: Vec<Duration> = (1..=20).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 95), Duration::from_millis(19));
        assert_eq!(percentile(&times, 50), Duration::from_millis(10));
        assert_eq!(percentile(&times[..3], 95), Duration::from_millis(20));
        assert_eq!(percentile(&[], 95), Duration::ZERO);
    }
}
