//! Projects by their tags: the first release of every commit, and its lead time.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use local_stack::Addresses;
use model::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Pipeline, SOURCES, Segments, WITHIN, fields, play, segments, timed};
use crate::git::{FirstRelease, Project};
use crate::history::Told;
use crate::installation::{Installation, TABLES};

/// How well the tables agree with the truth about one project.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ProjectAgreement {
    /// Project.
    pub project: String,
    /// Tags, each of them a deployment to production.
    pub tags: usize,
    /// Commits whose truth is known.
    pub commits: usize,
    /// Those of which first release and lead time are the true ones.
    pub agree: usize,
    /// Those whose first release is the true one, by its tag and its time.
    pub first_release: usize,
    /// Those whose lead time is the true one, to the millisecond, from author and from commit time.
    pub lead_time: usize,
    /// True lead times below zero: tags older than what they release, by the clocks of authors.
    pub negative: usize,
    /// Commits in the tables that the truth does not know.
    pub beyond_truth: usize,
}

/// What came out of the histories of projects.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct GitVerified {
    /// Project by project.
    pub projects: Vec<ProjectAgreement>,
    /// Whether times close.
    pub segments: Segments,
    /// How long it took.
    #[serde(flatten)]
    pub pipeline: Pipeline,
    /// What a second backfill changed: rows that were written anew. Zero where there was no backfill.
    pub changed_again: u64,
}

impl GitVerified {
    /// Whether every commit agrees, and times close.
    #[must_use]
    pub fn holds(&self) -> bool {
        let agrees = |project: &ProjectAgreement| {
            project.commits > 0 && project.agree == project.commits && project.beyond_truth == 0
        };
        self.projects.iter().all(agrees) && self.segments.holds() && self.changed_again == 0
    }
}

/// Plays the histories to one installation and compares.
///
/// # Errors
/// Where something fails; what does not agree is in the result.
pub async fn git(
    binary: &Path,
    addresses: &Addresses,
    projects: &[Project],
    progress: &dyn Fn(&str),
) -> Result<GitVerified> {
    let mut history: Vec<Told> = projects.iter().flat_map(|project| &project.history).cloned().collect();
    history.sort_by_key(|told| told.at);
    let name = format!("t_git_{:08x}", fastrand::u32(..));
    let mut installation = Installation::new(binary, addresses, &name, &SOURCES)?;
    let pipeline = play(&mut installation, &history, progress).await?;
    compared(installation, projects, pipeline, 0, progress).await
}

/// Has the repositories of the projects backfilled from their bundles into one installation, twice, and compares.
///
/// # Errors
/// Where something fails; what does not agree is in the result.
pub async fn git_backfilled(
    binary: &Path,
    addresses: &Addresses,
    projects: &[Project],
    bundles: &Path,
    progress: &dyn Fn(&str),
) -> Result<GitVerified> {
    let name = format!("t_backfill_{:08x}", fastrand::u32(..));
    let mut installation = Installation::new(binary, addresses, &name, &[])?;
    let clones = tempfile::tempdir()?;
    for project in projects {
        progress(&format!("cloning {}", project.name));
        clone(&bundles.join(format!("{}.bundle", project.name)), &clones.path().join(&project.name))?;
    }
    let pipeline = timed(&mut installation, async |installation| {
        progress("backfilling");
        let (deliveries, catalog) = backfill(installation, projects, clones.path())?;
        let file = clones.path().join("catalog.toml");
        fs::write(&file, catalog)?;
        installation.run(&["catalog", "put", &file.display().to_string()])?;
        Ok((deliveries, projects.iter().map(|project| project.tags).sum()))
    })
    .await?;
    let before = written(&installation).await?;
    progress("backfilling again");
    backfill(&installation, projects, clones.path())?;
    installation.wait_drained(WITHIN).await?;
    let changed = written(&installation).await? - before;
    compared(installation, projects, pipeline, changed, progress).await
}

/// A clone as anybody makes one, with git.
fn clone(bundle: &Path, into: &Path) -> Result<()> {
    let mut git = Command::new("git");
    let status = git.args(["clone", "--quiet"]).arg(bundle).arg(into).status().context("git cannot be run")?;
    ensure!(status.success(), "{} cannot be cloned", bundle.display());
    Ok(())
}

/// Backfills every project; how many deliveries there were, and the catalog that the command proposes.
fn backfill(installation: &Installation, projects: &[Project], clones: &Path) -> Result<(usize, String)> {
    let (mut deliveries, mut catalog) = (0, String::new());
    for project in projects {
        let folder = clones.join(&project.name).display().to_string();
        let mut arguments = vec!["backfill", "git", &folder, "--json"];
        arguments.extend(project.pattern.iter().flat_map(|pattern| ["--tags", pattern]));
        let said: Backfilled = serde_json::from_str(&installation.run(&arguments)?)?;
        deliveries += said.deliveries;
        catalog.push_str(&said.catalog);
    }
    Ok((deliveries, catalog))
}

/// What the command says.
#[derive(Deserialize)]
struct Backfilled {
    deliveries: usize,
    catalog: String,
}

/// How many facts were ever written for the tables.
async fn written(installation: &Installation) -> Result<u64> {
    let mut rows = 0;
    for table in TABLES {
        // A row that is written anew has a revision of its own.
        rows += installation.number(&format!("SELECT sum(revision) FROM {table}_rows FINAL")).await?;
    }
    Ok(rows)
}

async fn compared(
    mut installation: Installation,
    projects: &[Project],
    pipeline: Pipeline,
    changed_again: u64,
    progress: &dyn Fn(&str),
) -> Result<GitVerified> {
    installation.stop_all().await?;
    progress("comparing");
    let segments = segments(&installation).await?;
    let mut verified = GitVerified { projects: Vec::new(), segments, pipeline, changed_again };
    for project in projects {
        verified.projects.push(agreement(&installation, project).await?);
    }
    installation.remove().await?;
    Ok(verified)
}

/// Holds the rows of a project against its truth.
async fn agreement(installation: &Installation, project: &Project) -> Result<ProjectAgreement> {
    let mut found = releases(installation, &project.name).await?;
    let (mut agree, mut first_release, mut lead_time) = (0, 0, 0);
    for (commit, truth) in &project.truth {
        let Some(found) = found.remove(commit) else { continue };
        let same_release = (&found.tag, found.at) == (&truth.tag, truth.at);
        let same_time = (found.lead_time, found.since_commit) == (truth.lead_time, truth.since_commit);
        first_release += usize::from(same_release);
        lead_time += usize::from(same_time);
        agree += usize::from(same_release && same_time);
    }
    Ok(ProjectAgreement {
        project: project.name.clone(),
        tags: project.tags,
        commits: project.truth.len(),
        agree,
        first_release,
        lead_time,
        negative: project.truth.values().filter(|release| release.lead_time < Millis(0)).count(),
        beyond_truth: found.len(),
    })
}

/// How each commit of a component was released first.
async fn releases(installation: &Installation, component: &str) -> Result<HashMap<String, FirstRelease>> {
    let sql = format!(
        "SELECT commit, version, toUnixTimestamp64Milli(at), lead_time, \
         dateDiff('ms', committed_at, at) FROM release_commits \
         WHERE component = '{component}' AND environment = 'production' AND NOT baseline \
         AND lead_time IS NOT NULL AND committed_at IS NOT NULL"
    );
    let mut releases = HashMap::new();
    for line in fields(&installation.query(&sql).await?) {
        let [commit, tag, at, lead_time, since_commit] = line?;
        let release = FirstRelease {
            tag: tag.to_owned(),
            at: Timestamp(at.parse()?),
            lead_time: Millis(lead_time.parse()?),
            since_commit: Millis(since_commit.parse()?),
        };
        ensure!(releases.insert(commit.to_owned(), release).is_none(), "commit {commit} is released first twice");
    }
    Ok(releases)
}
