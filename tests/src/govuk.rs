//! Real deployments of real applications, with the truth about every commit.
//!
//! The reader takes a folder with one folder for each application and in it `env-events.csv` and `commit-lead-times.csv`, plain or
//! gzipped: each deployment to integration, staging and production, and each commit with the time at which it came there, as
//! `git merge-base` found it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use model::event::{Actor, ActorKind, Body, CommitInfo, Commits, Deployment, DeploymentAction, Outcome, Phase};
use model::{CommitId, DeploymentId, Environment, Repository, Timestamp};
use serde::Deserialize;

/// Environments of the history, in the order of the way to production.
pub const ENVIRONMENTS: [&str; 3] = ["integration", "staging", "production"];

/// The history of one application.
#[derive(Clone, Debug)]
pub struct App {
    /// Name.
    pub name: String,
    /// Events in the order of time, as lines of the import format.
    pub lines: Vec<String>,
    /// Deployments by environment.
    pub deployments: BTreeMap<String, u64>,
    /// Commits, with the time at which each came to an environment.
    pub truth: BTreeMap<String, BTreeMap<&'static str, Timestamp>>,
}

#[derive(Debug, Deserialize)]
struct EventRow {
    seq: u64,
    env: String,
    effective_unix: i64,
    requested_unix: i64,
    image_tag: String,
    commit: String,
    kind: String,
    actor: String,
}

#[derive(Debug, Deserialize)]
struct CommitRow {
    commit_sha: String,
    parents: String,
    author_unix: i64,
    commit_unix: i64,
    author_hash: String,
    integration_unix: Option<i64>,
    staging_unix: Option<i64>,
    production_unix: Option<i64>,
}

/// How many commits an event holds.
const CHUNK: usize = 50;

impl App {
    /// Reads the history of an application.
    ///
    /// # Errors
    /// Where a file is missing or a row cannot be read, with its name.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let events: Vec<EventRow> = rows(&folder.join(name).join("env-events.csv"))?;
        let commits: Vec<CommitRow> = rows(&folder.join(name).join("commit-lead-times.csv"))?;
        let repository = Repository::new(format!("github.com/alphagov/{name}"));
        let mut timed = Vec::new();
        for chunk in commits.chunks(CHUNK) {
            let at = chunk.iter().map(|row| row.commit_unix).max().unwrap_or_default();
            let body = Commits { repository: repository.clone(), commits: chunk.iter().map(commit).collect() };
            timed.push((Timestamp::from_seconds(at), Body::from(body)));
        }
        let mut deployments = BTreeMap::new();
        // A changed switch is no deployment: the image stays.
        for row in events.iter().filter(|row| row.kind != "flag-change-only") {
            *deployments.entry(row.env.clone()).or_default() += 1;
            timed.push((Timestamp::from_seconds(row.effective_unix), deployment(name, &repository, row).into()));
        }
        timed.sort_by_key(|(at, _)| *at);
        let lines = timed.iter().map(|(at, body)| line(*at, body)).collect::<Result<_>>()?;
        let truth = commits.iter().map(truth).collect();
        Ok(Self { name: name.to_owned(), lines, deployments, truth })
    }

    /// Names of the applications in a folder.
    ///
    /// # Errors
    /// Where the folder cannot be read or holds none.
    pub fn names(folder: &Path) -> Result<Vec<String>> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        if names.is_empty() {
            bail!(
                "{} holds no applications: a folder for each, with env-events.csv and commit-lead-times.csv",
                folder.display()
            );
        }
        Ok(names)
    }
}

/// One line of the import format.
fn line(at: Timestamp, body: &Body) -> Result<String> {
    Ok(serde_json::to_string(&serde_json::json!({ "occurred_at": at, "body": body }))?)
}

fn commit(row: &CommitRow) -> CommitInfo {
    CommitInfo {
        parents: Some(row.parents.split_whitespace().map(CommitId::new).collect()),
        authored_at: Some(Timestamp::from_seconds(row.author_unix)),
        committed_at: Some(Timestamp::from_seconds(row.commit_unix)),
        author: Actor { key: Some(row.author_hash.clone()), kind: ActorKind::Unknown },
        ..CommitInfo::new(CommitId::new(&*row.commit_sha))
    }
}

fn deployment(name: &str, repository: &Repository, row: &EventRow) -> Deployment {
    let kind = if row.actor == "ci" { ActorKind::Machine } else { ActorKind::Human };
    let id = DeploymentId::new(format!("govuk/{name}/{}", row.seq));
    Deployment {
        repository: Some(repository.clone()),
        outcome: Some(Outcome::Success),
        commit: CommitId::given(&row.commit),
        // Where the image could not be traced to a commit, its tag is all there is.
        ref_name: row.commit.is_empty().then(|| format!("refs/tags/{}", row.image_tag)),
        triggered_by: Actor { key: None, kind },
        created_at: Some(Timestamp::from_seconds(row.requested_unix)),
        finished_at: Some(Timestamp::from_seconds(row.effective_unix)),
        ..Deployment::new(id, Environment::new(&*row.env), DeploymentAction::Deploy, Phase::Finished)
    }
}

fn truth(row: &CommitRow) -> (String, BTreeMap<&'static str, Timestamp>) {
    let times = [row.integration_unix, row.staging_unix, row.production_unix];
    let reached = ENVIRONMENTS
        .into_iter()
        .zip(times)
        .filter_map(|(environment, at)| Some((environment, Timestamp::from_seconds(at?))));
    (row.commit_sha.clone(), reached.collect())
}

/// Rows of a CSV file, plain or with `.gz` behind its name.
fn rows<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let zipped = PathBuf::from(format!("{}.gz", path.display()));
    let (path, reader): (&Path, Box<dyn Read>) = if path.is_file() {
        (path, Box::new(open(path)?))
    } else {
        (&zipped, Box::new(GzDecoder::new(open(&zipped)?)))
    };
    csv::Reader::from_reader(reader)
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} cannot be read", path.display()))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("{} cannot be opened", path.display()))
}
