//! Projects by their tags: the first release of every commit, and its lead time.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, ensure};
use local_stack::Addresses;
use model::{Millis, Timestamp};
use serde::Serialize;

use super::{Pipeline, SOURCES, Segments, fields, play, segments};
use crate::git::{FirstRelease, Project};
use crate::history::Told;
use crate::installation::Installation;

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
}

impl GitVerified {
    /// Whether every commit agrees, and times close.
    #[must_use]
    pub fn holds(&self) -> bool {
        let agrees = |project: &ProjectAgreement| {
            project.commits > 0 && project.agree == project.commits && project.beyond_truth == 0
        };
        self.projects.iter().all(agrees) && self.segments.holds()
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
    installation.stop_all().await?;
    progress("comparing");
    let mut verified = GitVerified { projects: Vec::new(), segments: segments(&installation).await?, pipeline };
    for project in projects {
        verified.projects.push(agreement(&installation, project).await?);
    }
    installation.remove().await?;
    Ok(verified)
}

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
