//! GOV.UK: when every commit came where, what every deployment was, and how many there are of each application.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use local_stack::Addresses;
use serde::Serialize;

use super::{Disturbance, Pipeline, SOURCES, Segments, fields, play, play_disturbed, segments};
use crate::govuk::{App, Count, ENVIRONMENTS, Kind, Replay, by_definition, component, why_labelled_otherwise};
use crate::history::Told;
use crate::installation::Installation;

/// How many differences are shown.
const SHOWN: usize = 10;

/// How well the tables agree with the truth about one application.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct AppAgreement {
    /// Application.
    pub app: String,
    /// Commits whose truth is known.
    pub commits: usize,
    /// Those whose time in ClickHouse is the true one in every environment, to the millisecond; never there counts as a time of its own.
    pub agree: usize,
    /// Commits whose time agrees, by environment.
    pub environments: BTreeMap<&'static str, usize>,
    /// Times in the tables of commits that the truth does not know.
    pub beyond_truth: usize,
    /// Releases that reached production.
    pub releases: u64,
    /// Deployments in the history.
    pub deployments: usize,
    /// Rows that are not of the kind that the definitions give, or not there, or there without a deployment.
    pub against_definition: usize,
    /// Rows that the data label as another kind than the definitions give, by the reason.
    pub labelled_otherwise: BTreeMap<&'static str, usize>,
}

impl AppAgreement {
    /// Whether nothing differs.
    #[must_use]
    pub fn holds(&self) -> bool {
        let everywhere = self.environments.values().all(|agree| *agree == self.commits);
        self.commits > 0 && self.agree == self.commits && everywhere && self.beyond_truth + self.against_definition == 0
    }
}

/// How well the tables agree with the file of all deployments.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ReplayAgreement {
    /// Rows of the file.
    pub rows: usize,
    /// What the file holds.
    pub file: Count,
    /// What the tables hold.
    pub tables: Count,
    /// Applications in environments, in either.
    pub groups: usize,
    /// Those whose counts are the same in both.
    pub agree: usize,
}

impl ReplayAgreement {
    /// Whether nothing differs.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.groups > 0 && self.agree == self.groups && self.file == self.tables
    }
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

/// What came out of the histories of GOV.UK.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct GovukVerified {
    /// Application by application.
    pub apps: Vec<AppAgreement>,
    /// All of them, where the file of all deployments was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayAgreement>,
    /// Whether times close.
    pub segments: Segments,
    /// How long it took.
    #[serde(flatten)]
    pub pipeline: Pipeline,
    /// What the disturbed history did, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<Disturbed>,
}

impl GovukVerified {
    /// Whether every commit agrees in every environment, every deployment is what it is by the definitions, the counts are those of
    /// the file, times close, and the disturbed history left the same tables.
    #[must_use]
    pub fn holds(&self) -> bool {
        let same = |disturbed: &Disturbed| disturbed.differences.values().all(|rows| *rows == 0);
        self.apps.iter().all(AppAgreement::holds)
            && self.replay.iter().all(ReplayAgreement::holds)
            && self.segments.holds()
            && self.disturbed.iter().all(same)
    }
}

/// Plays the histories once as they were and, where `how` says so, once disturbed, each to an installation of its own.
///
/// # Errors
/// Where something fails; what does not agree is in the result.
pub async fn govuk(
    binary: &Path,
    addresses: &Addresses,
    apps: &[App],
    replay: Option<&Replay>,
    how: Disturbance,
    progress: &dyn Fn(&str),
) -> Result<GovukVerified> {
    let told = apps.iter().map(|app| &app.history).chain(replay.map(|replay| &replay.history));
    let mut history: Vec<Told> = told.flatten().cloned().collect();
    history.sort_by_key(|told| told.at);
    let name = format!("t_govuk_{:08x}", fastrand::u32(..));
    let mut plain = Installation::new(binary, addresses, &name, &SOURCES)?;
    let pipeline = play(&mut plain, &history, progress).await?;
    plain.stop_all().await?;
    progress("comparing");
    let mut verified =
        GovukVerified { apps: Vec::new(), replay: None, segments: segments(&plain).await?, pipeline, disturbed: None };
    for app in apps {
        verified.apps.push(app_agreement(&plain, app, progress).await?);
    }
    if let Some(replay) = replay {
        verified.replay = Some(replay_agreement(&plain, replay, progress).await?);
    }
    if how.is_any() {
        let mut installation = Installation::new(binary, addresses, &format!("{name}_disturbed"), &SOURCES)?;
        let mut disturbed = play_disturbed(&mut installation, addresses, &history, how, progress).await?;
        installation.stop_all().await?;
        disturbed.differences = plain.differences(&installation).await?;
        installation.remove().await?;
        verified.disturbed = Some(disturbed);
    }
    plain.remove().await?;
    Ok(verified)
}

async fn app_agreement(installation: &Installation, app: &App, progress: &dyn Fn(&str)) -> Result<AppAgreement> {
    let component = component(&app.name);
    let mut reached = BTreeMap::new();
    for environment in ENVIRONMENTS {
        reached.insert(environment, times(installation, &component, environment).await?);
    }
    let agrees = |commit: &str, truth: &BTreeMap<&str, model::Timestamp>, environment: &str| {
        truth.get(environment).map(|at| at.0) == reached[environment].get(commit).copied()
    };
    let in_environment = |environment| {
        (environment, app.truth.iter().filter(|(commit, truth)| agrees(commit, truth, environment)).count())
    };
    let everywhere = |(commit, truth): &(&String, &_)| ENVIRONMENTS.iter().all(|place| agrees(commit, truth, place));
    let beyond = reached.values().flat_map(HashMap::keys).filter(|commit| !app.truth.contains_key(*commit)).count();
    let (against, labelled_otherwise) = kinds(installation, app).await?;
    against.iter().take(SHOWN).for_each(|difference| progress(difference));
    let releases =
        format!("SELECT count() FROM releases WHERE component = '{component}' AND production_at IS NOT NULL");
    Ok(AppAgreement {
        app: app.name.clone(),
        commits: app.truth.len(),
        agree: app.truth.iter().filter(everywhere).count(),
        environments: ENVIRONMENTS.into_iter().map(in_environment).collect(),
        beyond_truth: beyond,
        releases: installation.number(&releases).await?,
        deployments: app.rows.iter().filter(|row| row.image_changes).count(),
        against_definition: against.len(),
        labelled_otherwise,
    })
}

/// When each commit came to an environment, in milliseconds since 1970.
async fn times(installation: &Installation, component: &str, environment: &str) -> Result<HashMap<String, i64>> {
    let sql = format!(
        "SELECT commit, toUnixTimestamp64Milli(at) FROM release_commits \
         WHERE component = '{component}' AND environment = '{environment}' AND NOT baseline"
    );
    let mut reached = HashMap::new();
    for line in fields(&installation.query(&sql).await?) {
        let [commit, at] = line?;
        let at = at.parse().with_context(|| format!("{at:?} is no time"))?;
        ensure!(reached.insert(commit.to_owned(), at).is_none(), "commit {commit} is twice in {environment}");
    }
    Ok(reached)
}

/// Rows of the tables that are not as the definitions have them, in words; and how many labels of the data differ, by the reason.
async fn kinds(installation: &Installation, app: &App) -> Result<(Vec<String>, BTreeMap<&'static str, usize>)> {
    let component = component(&app.name);
    let environments = ENVIRONMENTS.join("', '");
    let sql = format!(
        "SELECT deployment, kind FROM deployments \
         WHERE component = '{component}' AND environment IN ('{environments}')"
    );
    let answer = installation.query(&sql).await?;
    let mut found = BTreeMap::new();
    for line in fields(&answer) {
        let [deployment, kind] = line?;
        ensure!(found.insert(deployment, kind).is_none(), "deployment {deployment} is there twice");
    }
    let (mut against, mut otherwise) = (Vec::new(), BTreeMap::new());
    for (row, defined) in app.rows.iter().zip(by_definition(&app.rows, &app.parents)) {
        let kind = found.remove(row.deployment.as_str());
        if kind.map_or(Some(Kind::NoDeployment), Kind::named) != Some(defined.kind) {
            let kind = kind.unwrap_or("not there");
            against.push(format!("{} is {kind}, by the definitions it is {:?}", row.deployment, defined.kind));
        }
        if let Some(reason) = why_labelled_otherwise(row.label, defined) {
            *otherwise.entry(reason).or_default() += 1;
        }
    }
    against.extend(found.keys().map(|deployment| format!("{deployment} is there, and was never told")));
    Ok((against, otherwise))
}

async fn replay_agreement(
    installation: &Installation,
    replay: &Replay,
    progress: &dyn Fn(&str),
) -> Result<ReplayAgreement> {
    // Every deployment of the history succeeded: what is of no kind is a removal.
    let sql = "SELECT component, environment, countIf(kind != 'none'), countIf(kind = 'none') FROM deployments \
               GROUP BY component, environment";
    let mut tables = BTreeMap::new();
    for line in fields(&installation.query(sql).await?) {
        let [component, environment, deployments, removals] = line?;
        let count = Count { deployments: deployments.parse()?, removals: removals.parse()? };
        tables.insert((component.to_owned(), environment.to_owned()), count);
    }
    let file: BTreeMap<(String, String), Count> = replay
        .counts
        .iter()
        .map(|((app, environment), count)| ((component(app), environment.clone()), *count))
        .collect();
    let groups: BTreeSet<_> = file.keys().chain(tables.keys()).collect();
    let different: Vec<_> = groups.iter().filter(|group| file.get(**group) != tables.get(**group)).collect();
    for group in different.iter().take(SHOWN) {
        progress(&format!("{group:?}: {:?} in the file, {:?} in the tables", file.get(**group), tables.get(**group)));
    }
    Ok(ReplayAgreement {
        rows: replay.rows,
        file: file.values().copied().sum(),
        tables: tables.values().copied().sum(),
        groups: groups.len(),
        agree: groups.len() - different.len(),
    })
}
