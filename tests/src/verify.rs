//! Plays histories to a whole installation and holds its tables against the truth.

mod git;
mod govuk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use local_stack::Addresses;
use model::event::{Body, CiBody};
use serde::Serialize;
use stream::topics;

pub use self::git::{GitVerified, ProjectAgreement, git, git_backfilled};
pub use self::govuk::{AppAgreement, Disturbed, GovukVerified, ReplayAgreement, govuk};
use crate::history::Told;
use crate::installation::{Installation, Role};
use crate::lag;

/// How long a history may take from the first line to the last row.
const WITHIN: Duration = Duration::from_secs(900);
/// The source of every history.
const SOURCE: &str = "history";
/// Sources of an installation that histories are played to.
const SOURCES: [(&str, &str); 1] = [(SOURCE, "import")];

/// How to disturb a history on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disturbance {
    /// Lines in random order.
    pub shuffle: bool,
    /// Every line twice.
    pub double: bool,
    /// How many times the correlator is killed while input waits.
    pub kills: usize,
    /// Seed of the random order.
    pub seed: u64,
}

impl Disturbance {
    /// Whether it disturbs anything.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.shuffle || self.double || self.kills > 0
    }

    fn lines(self, history: &[Told]) -> Result<Vec<String>> {
        let mut lines = history.iter().map(Told::line).collect::<Result<Vec<_>>>()?;
        if self.double {
            lines.extend(lines.clone());
        }
        if self.shuffle {
            fastrand::Rng::with_seed(self.seed).shuffle(&mut lines);
        }
        Ok(lines)
    }
}

/// How long a history took that nothing disturbed, every role being ready before.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct Pipeline {
    /// Lines sent.
    pub lines: usize,
    /// From the start of the import to the last row visible, as ClickHouse saw it.
    pub pipeline_seconds: f64,
    /// From there to the last line in the inbox.
    pub import_seconds: f64,
    /// From there to the last fact in Kafka.
    pub correlated_seconds: f64,
    /// Processor time that each role took of it, where the system tells.
    pub cpu_seconds: BTreeMap<&'static str, f64>,
}

/// Whether the segments of releases add up.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Segments {
    /// Releases with a lead time.
    pub releases: u64,
    /// Those whose segments and clock correction do not sum to it.
    pub open: u64,
}

impl Segments {
    /// Whether all of them add up; where there are none, nothing is shown.
    #[must_use]
    pub const fn holds(self) -> bool {
        self.releases > 0 && self.open == 0
    }
}

/// The sum of what a lead time is split into.
const SEGMENTS: &str = "coding + review + merge_to_build + queue + build_and_test + gate_wait + batch_wait + hand_off \
    + deploy + unaccounted + clock_correction";

/// Asks ClickHouse for the releases whose segments do not add up; a missing segment does not add up either.
///
/// # Errors
/// Where ClickHouse cannot be asked.
pub async fn segments(installation: &Installation) -> Result<Segments> {
    let open = format!("lead_time IS NOT NULL AND ifNull(lead_time != {SEGMENTS}, true)");
    Ok(Segments {
        releases: installation.number("SELECT count() FROM releases WHERE lead_time IS NOT NULL").await?,
        open: installation.number(&format!("SELECT count() FROM releases WHERE {open}")).await?,
    })
}

/// Plays a history to an installation: import, Kafka, correlator, ClickHouse. The tables are complete afterwards.
///
/// # Errors
/// Where a role fails or the history does not drain in time.
async fn play(installation: &mut Installation, history: &[Told], progress: &dyn Fn(&str)) -> Result<Pipeline> {
    let lines = Disturbance::default().lines(history)?;
    let file = write(&lines)?;
    timed(installation, async |installation| {
        progress(&format!("importing {} lines", lines.len()));
        import(installation, &file)?;
        Ok((lines.len(), deployments(history)))
    })
    .await
}

/// Starts the roles, has the inbox filled, and waits until the tables are complete. `fill` says how many lines it put in, and how many
/// deployments must come out.
async fn timed(
    installation: &mut Installation,
    fill: impl AsyncFnOnce(&Installation) -> Result<(usize, usize)>,
) -> Result<Pipeline> {
    installation.run(&["migrate"])?;
    let roles = [("ingest", Role::Ingest), ("correlate", Role::Correlate), ("load", Role::Load)];
    for (_, role) in roles {
        installation.start(role).await?;
    }
    let before = roles.map(|(_, role)| cpu(installation, role));
    let started = jiff::Timestamp::now().as_millisecond();
    let (lines, deployments) = fill(installation).await?;
    let imported = jiff::Timestamp::now().as_millisecond();
    wait_for_deployments(installation, deployments).await?;
    installation.wait_drained(WITHIN).await?;
    // How the waiting itself comes in between does not count: the loader notes when it had loaded what was written when.
    let last =
        "SELECT toUnixTimestamp64Milli(max(written_at)), toUnixTimestamp64Milli(max(loaded_at)) FROM load_watermarks";
    let answer = installation.query(last).await?;
    let [written, loaded] = fields(&answer).next().context("ClickHouse does not say what was loaded")??;
    let seconds = |at: i64| (at - started) as f64 / 1000.0;
    let spent = roles
        .iter()
        .zip(before)
        .filter_map(|((name, role), before)| Some((*name, (cpu(installation, *role)? - before?).as_secs_f64())));
    Ok(Pipeline {
        lines,
        pipeline_seconds: seconds(loaded.parse()?),
        import_seconds: seconds(imported),
        correlated_seconds: seconds(written.parse()?),
        cpu_seconds: spent.collect(),
    })
}

/// As [`play`], disturbed; the events that still waited at each kill. The correlator starts last, so that its input is waiting when it
/// is killed.
async fn play_disturbed(
    installation: &mut Installation,
    addresses: &Addresses,
    history: &[Told],
    how: Disturbance,
    progress: &dyn Fn(&str),
) -> Result<Disturbed> {
    let lines = how.lines(history)?;
    if how.kills > 0 {
        // Small transactions, so that there are many moments to be killed at, also where the history is short.
        let records = (lines.len() / 400).clamp(10, 100).to_string();
        installation.set("THROUGHLINE_CORRELATE__MAX_BATCH_RECORDS", &records);
    }
    installation.run(&["migrate"])?;
    installation.start(Role::Ingest).await?;
    progress(&format!("importing {} lines, disturbed", lines.len()));
    import(installation, &write(&lines)?)?;
    wait_for_events(installation, addresses).await?;
    installation.start(Role::Load).await?;
    let mut waiting_at_kill = Vec::new();
    let total = events_left(installation, addresses)?;
    for kill in 1..=how.kills {
        installation.start(Role::Correlate).await?;
        let target = total - total * kill as u64 / (how.kills as u64 + 1);
        waiting_at_kill.push(kill_at(installation, addresses, target).await?);
        progress(&format!("correlator killed with {} of {total} events waiting", waiting_at_kill[kill - 1]));
    }
    installation.start(Role::Correlate).await?;
    installation.wait_drained(WITHIN).await?;
    Ok(Disturbed { lines: lines.len(), waiting_at_kill, differences: BTreeMap::new() })
}

fn write(lines: &[String]) -> Result<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), lines.join("\n"))?;
    Ok(file)
}

fn import(installation: &Installation, file: &tempfile::NamedTempFile) -> Result<()> {
    installation.run(&["import", "--source", SOURCE, &file.path().display().to_string()])?;
    Ok(())
}

/// How many deployments a history tells of.
fn deployments(history: &[Told]) -> usize {
    let deployment = |told: &Told| match &told.body {
        Body::Ci(CiBody::Deployment(deployment)) => Some(deployment.deployment.clone()),
        _ => None,
    };
    history.iter().filter_map(deployment).collect::<BTreeSet<_>>().len()
}

/// Waits until each deployment has a row. To ask ClickHouse costs next to nothing, while to ask Kafka for what is left reads all of it;
/// what is missing for good is found afterwards.
async fn wait_for_deployments(installation: &Installation, wanted: usize) -> Result<()> {
    let started = Instant::now();
    while installation.number("SELECT uniqExact(deployment) FROM deployments_rows").await? < wanted as u64
        && started.elapsed() < WITHIN
    {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

/// Processor time that a role has taken, where the system tells it.
fn cpu(installation: &Installation, role: Role) -> Option<Duration> {
    /// Of the clock that Linux shows to programs, whatever its own is.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{}/stat", installation.pid(role)?)).ok()?;
    // The name of the program may hold anything; user and system time are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u32 = fields.split_whitespace().skip(11).take(2).map_while(|field| field.parse::<u32>().ok()).sum();
    Some(TICK * ticks)
}

fn events_left(installation: &Installation, addresses: &Addresses) -> Result<u64> {
    lag::of_group(&addresses.kafka, installation.name(), "correlator", &topics::EVENTS)
}

/// Waits until all of the inbox is normalised.
async fn wait_for_events(installation: &Installation, addresses: &Addresses) -> Result<()> {
    let started = Instant::now();
    while lag::of_group(&addresses.kafka, installation.name(), "normalise", &[&topics::INBOX])? > 0 {
        ensure!(started.elapsed() < WITHIN, "the inbox is not normalised after {WITHIN:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Kills the correlator once at most `target` events wait, and at least one.
async fn kill_at(installation: &mut Installation, addresses: &Addresses, target: u64) -> Result<u64> {
    loop {
        let left = events_left(installation, addresses)?;
        ensure!(left > 0, "the correlator was done before it could be killed: give it a longer history");
        if left <= target {
            installation.kill(Role::Correlate)?;
            let left = events_left(installation, addresses)?;
            ensure!(left > 0, "the correlator was done when it was killed: give it a longer history");
            return Ok(left);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The fields of each line of an answer; a line has exactly so many.
fn fields<const N: usize>(answer: &str) -> impl Iterator<Item = Result<[&str; N]>> {
    answer.lines().map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields.try_into().ok().with_context(|| format!("ClickHouse answered {line:?}, not {N} fields"))
    })
}
