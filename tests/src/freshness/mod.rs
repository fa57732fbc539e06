//! How long a signed webhook takes until its row is in ClickHouse, with a whole installation under load.
//!
//! | module | for |
//! |---|---|
//! | `github` | webhooks as large as GitHub's, of a made-up history |
//! | `prepared` | webhooks that were made and signed ahead |
//! | `send` | sending each when it is due |
//! | `stations`, `loads` | where each was when, from what Kafka and ClickHouse have written down |
//! | `figures` | what comes of it |
//!
//! Time counts from when a webhook was due, not from when the sender came to it: a stall counts for everything that had to wait.
//! While something is sent nobody asks for anything; the ways are followed afterwards.

pub mod figures;
mod github;
mod loads;
pub mod prepared;
mod send;
mod stations;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tokio::task::block_in_place;

use crate::installation::{Installation, Role};
use figures::{Hops, OfTable, Spread};
use loads::Loads;
use prepared::Prepared;
use send::Sent;
use stations::{Row, Stations};

/// The source that is sent to.
pub const SOURCE: (&str, &str) = ("github", "github");

/// How long the last webhook may take.
const DRAINED_WITHIN: Duration = Duration::from_secs(300);

/// The tables that are looked at, and what tells their rows apart.
const KEYS: [(&str, &str); 4] = [
    ("builds", "run, attempt"),
    ("deployments", "deployment"),
    ("gate_waits", "gate"),
    ("releases", "component, version"),
];

/// How much is sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Webhooks a second.
    pub rate: u32,
    /// How many seconds they are sent before something counts: until then programs warm up and the history gets going.
    pub warm_up: u32,
    /// How many seconds count.
    pub measured: u32,
    /// Repositories that they are of.
    pub repositories: usize,
    /// The same seed gives the same webhooks.
    pub seed: u64,
}

/// What was measured. Lost and doubled are of everything, the rest of what was due after the warm-up.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub rate: u32,
    pub seconds: u32,
    pub webhooks: usize,
    /// Mean length of a body.
    pub bytes: u64,
    /// From when a webhook was due until its row was there.
    #[serde(flatten)]
    pub spread: Spread,
    /// Webhooks that were accepted and whose row never came.
    pub lost: usize,
    /// Rows that stand there twice.
    pub double: u64,
    /// Webhooks that were not accepted.
    pub refused: usize,
    /// Rows whose way was followed.
    pub followed: usize,
    /// From when a webhook was due until it was answered.
    pub answer: Spread,
    pub hops: Hops,
    pub tables: BTreeMap<&'static str, OfTable>,
    /// Mean time of a commit by who makes it, with what is worked out for it. Milliseconds.
    pub commit_ms: BTreeMap<String, f64>,
    /// Share of the processors that was busy, with everything.
    pub busy: f64,
}

impl Plan {
    /// All webhooks that are sent.
    pub const fn webhooks(&self) -> usize {
        self.rate as usize * (self.warm_up + self.measured) as usize
    }
}

/// Sends what was prepared to an installation of which every role is ready, and follows it.
///
/// # Errors
/// Where something fails that may not, or waits for too long at the end.
pub async fn run(
    installation: &Installation,
    plan: Plan,
    prepared: &Prepared,
    progress: &dyn Fn(&str),
) -> Result<Outcome> {
    let (started, before) = (send::now(), Processors::read()?);
    let sent = send::send(&installation.hook(SOURCE.0), prepared.read()?, plan.rate).await?;
    let busy = Processors::read()?.busy_since(before);
    let commit_ms = commits(installation).await?;
    progress("waiting for the last rows");
    installation.wait_drained(DRAINED_WITHIN).await?;
    progress("following every webhook");
    let stations = block_in_place(|| Stations::read(&installation.kafka()))?;
    let loads = Loads::read(installation).await?;
    let lost = lost(installation, &stations, &sent).await?;
    for which in lost.iter().take(5) {
        progress(&format!("lost: {which}"));
    }
    let counts_from = started + i64::from(plan.warm_up) * 1_000_000;
    let measured: Vec<Sent> = sent.into_iter().filter(|sent| sent.due >= counts_from).collect();
    let ways = stations.ways(&measured, &loads);
    ensure!(!ways.is_empty(), "no webhook led to a row: send for longer");
    Ok(Outcome {
        rate: plan.rate,
        seconds: plan.measured,
        webhooks: measured.len(),
        bytes: prepared.bytes / plan.webhooks().max(1) as u64,
        spread: Spread::ways(&ways),
        lost: lost.len(),
        double: double(installation).await?,
        refused: measured.iter().filter(|sent| !sent.accepted).count(),
        followed: ways.len(),
        answer: Spread::answers(&measured),
        hops: Hops::of(&ways),
        tables: Spread::tables(&ways),
        commit_ms,
        busy,
    })
}

/// Webhooks that were accepted and led to nothing, and rows that are not there: neither may be.
async fn lost(installation: &Installation, stations: &Stations, sent: &[Sent]) -> Result<Vec<String>> {
    let mut lost: Vec<String> = stations.silent(sent).into_iter().map(|id| format!("the delivery {id}")).collect();
    let there = [
        "SELECT 'builds', run, attempt FROM builds WHERE finished_at IS NOT NULL",
        "SELECT 'deployments', deployment, 0 FROM deployments WHERE finished_at IS NOT NULL",
        "SELECT 'gate_waits', gate, 0 FROM gate_waits WHERE decided_at IS NOT NULL",
    ];
    let answer = installation.query(&there.join(" UNION ALL ")).await?;
    let there: HashSet<Row> = answer.lines().map(row).collect::<Result<_>>()?;
    lost.extend(stations.wanted().filter(|row| !there.contains(row)).map(|row| format!("{row:?}")));
    Ok(lost)
}

fn row(line: &str) -> Result<Row> {
    let mut columns = line.split('\t');
    let mut next = || columns.next().with_context(|| format!("`{line}` is no row"));
    let (table, id, attempt) = (next()?, next()?, next()?);
    Ok(match table {
        "builds" => Row::Build(id.into(), attempt.parse()?),
        "deployments" => Row::Deployment(id.into()),
        "gate_waits" => Row::Gate(id.into()),
        other => bail!("nobody asked for rows of {other}"),
    })
}

/// How many rows there are beyond one of each.
async fn double(installation: &Installation) -> Result<u64> {
    let mut double = 0;
    for (table, key) in KEYS {
        double += installation.number(&format!("SELECT count() - uniqExact({key}) FROM {table}")).await?;
    }
    Ok(double)
}

/// Mean time of a commit by consumer group, from the metrics.
async fn commits(installation: &Installation) -> Result<BTreeMap<String, f64>> {
    let admin = installation.admin(Role::All).context("the installation does not run")?;
    let text = reqwest::get(format!("{admin}/metrics")).await?.text().await?;
    let of = |what: &str| {
        let prefix = format!("throughline_kafka_commit_seconds_{what}{{group=\"{}.", installation.name());
        let value = |line: &str| {
            let (group, value) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
            Some((group.to_owned(), value.parse::<f64>().ok()?))
        };
        text.lines().filter_map(value).collect::<BTreeMap<String, f64>>()
    };
    let counts = of("count");
    let mean = |(group, seconds): (String, f64)| {
        let count = counts.get(&group).copied().filter(|count| *count > 0.0)?;
        Some((group, (seconds / count * 10_000.0).round() / 10.0))
    };
    Ok(of("sum").into_iter().filter_map(mean).collect())
}

/// What the processors of this machine have done so far, in the system's own unit.
#[derive(Clone, Copy, Debug)]
struct Processors {
    busy: u64,
    all: u64,
}

impl Processors {
    fn read() -> Result<Self> {
        let text = std::fs::read_to_string("/proc/stat").context("the system does not tell what its processors do")?;
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of the first two.
        let line = text.lines().next().unwrap_or_default();
        let times: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|time| time.parse().ok()).collect();
        let [.., idle, waiting, _, _, _] = times[..] else { bail!("/proc/stat begins with `{line}`") };
        let all = times.iter().sum();
        Ok(Self { busy: all - idle - waiting, all })
    }

    fn busy_since(self, before: Self) -> f64 {
        let share = (self.busy - before.busy) as f64 / (self.all - before.all).max(1) as f64;
        (share * 100.0).round() / 100.0
    }
}
