//! Plays histories to a whole installation and holds its tables against the truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use local_stack::Addresses;
use serde::Serialize;
use stream::topics;

use crate::govuk::{App, ENVIRONMENTS};
use crate::installation::{Installation, Role};
use crate::lag;

/// How long a history may take from the first line to the last row.
const WITHIN: Duration = Duration::from_secs(300);

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
}

/// How well the tables agree with the truth about one application.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Agreement {
    /// Application.
    pub app: String,
    /// Commits whose truth is known.
    pub commits: usize,
    /// Those whose production time in ClickHouse is the true one, to the millisecond; never there counts as a time of its own.
    pub agree: usize,
    /// Releases that reached production.
    pub releases: u64,
    /// Commits whose time agrees, by environment.
    pub environments: BTreeMap<&'static str, usize>,
}

/// What a disturbed history did.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Disturbed {
    /// Lines sent.
    pub lines: usize,
    /// Events that still waited at each kill.
    pub waiting_at_kill: Vec<u64>,
    /// Rows that differ from those of the undisturbed history, by table.
    pub differences: BTreeMap<&'static str, u64>,
}

/// Plays histories to an installation: import, Kafka, correlator, ClickHouse. The tables are complete afterwards.
///
/// The correlator starts last, so that its input is waiting when it is killed.
///
/// # Errors
/// Where a role fails or the history does not drain in time.
pub async fn play(
    installation: &mut Installation,
    addresses: &Addresses,
    apps: &[App],
    how: Disturbance,
    progress: &dyn Fn(&str),
) -> Result<(usize, Vec<u64>)> {
    let mut lines: Vec<&str> = apps.iter().flat_map(|app| &app.lines).map(String::as_str).collect();
    if how.double {
        lines.extend(lines.clone());
    }
    if how.shuffle {
        fastrand::Rng::with_seed(how.seed).shuffle(&mut lines);
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("history.jsonl");
    fs::write(&file, lines.join("\n"))?;
    if how.kills > 0 {
        // Small transactions, so that there are many moments to be killed at.
        installation.set("THROUGHLINE_CORRELATE__MAX_BATCH_RECORDS", "100");
    }
    installation.run(&["migrate"])?;
    installation.start(Role::Ingest).await?;
    progress(&format!("importing {} lines", lines.len()));
    installation.run(&["import", "--source", "govuk", &file.display().to_string()])?;
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
    Ok((lines.len(), waiting_at_kill))
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

/// Holds the tables against the truth about an application.
///
/// # Errors
/// Where ClickHouse cannot be asked.
pub async fn agreement(installation: &Installation, app: &App) -> Result<Agreement> {
    let component = format!("alphagov/{}", app.name);
    let mut environments = BTreeMap::new();
    for environment in ENVIRONMENTS {
        let sql = format!(
            "SELECT commit, toUnixTimestamp64Milli(at) FROM release_commits \
             WHERE component = '{component}' AND environment = '{environment}' AND NOT baseline"
        );
        let found = installation.query(&sql).await?;
        let mut reached: BTreeMap<&str, i64> = BTreeMap::new();
        for line in found.lines() {
            let (commit, at) = line.split_once('\t').with_context(|| format!("{line:?} has no tab"))?;
            let at = at.parse().with_context(|| format!("{at:?} is no time"))?;
            ensure!(reached.insert(commit, at).is_none(), "commit {commit} is twice in {environment}");
        }
        let agrees = |(commit, truth): &(&String, &BTreeMap<&'static str, model::Timestamp>)| {
            truth.get(environment).map(|at| at.0) == reached.get(commit.as_str()).copied()
        };
        environments.insert(environment, app.truth.iter().filter(agrees).count());
    }
    let releases =
        format!("SELECT count() FROM releases WHERE component = '{component}' AND production_at IS NOT NULL");
    Ok(Agreement {
        app: app.name.clone(),
        commits: app.truth.len(),
        agree: environments.get("production").copied().unwrap_or_default(),
        releases: installation.number(&releases).await?,
        environments,
    })
}

/// Plays the histories once as they were and, where `how` says so, once disturbed, each to an installation of its own.
///
/// # Errors
/// Where something fails; what does not agree is in the result.
pub async fn govuk(
    binary: &Path,
    addresses: &Addresses,
    apps: &[App],
    how: Disturbance,
    progress: &dyn Fn(&str),
) -> Result<(Vec<Agreement>, Option<Disturbed>)> {
    let name = format!("t_govuk_{:08x}", fastrand::u32(..));
    let sources = [("govuk", "import")];
    let mut plain = Installation::new(binary, addresses, &name, &sources)?;
    play(&mut plain, addresses, apps, Disturbance::default(), progress).await?;
    plain.stop_all().await?;
    let mut agreements = Vec::new();
    for app in apps {
        agreements.push(agreement(&plain, app).await?);
    }
    if !how.is_any() {
        plain.remove().await?;
        return Ok((agreements, None));
    }
    let mut disturbed = Installation::new(binary, addresses, &format!("{name}_disturbed"), &sources)?;
    let (lines, waiting_at_kill) = play(&mut disturbed, addresses, apps, how, progress).await?;
    disturbed.stop_all().await?;
    let differences = plain.differences(&disturbed).await?;
    plain.remove().await?;
    disturbed.remove().await?;
    Ok((agreements, Some(Disturbed { lines, waiting_at_kill, differences })))
}
