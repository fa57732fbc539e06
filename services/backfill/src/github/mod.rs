//! GitHub's history, of github.com and of GitHub Enterprise Server, by its REST API.
//! See <https://docs.github.com/en/rest>.
//!
//! The objects of the API are those of the webhooks, so each is put into the body of the webhook that would have told it, and read
//! by the same adapter: it is the same thing under the same id, whichever way it came. What no webhook tells comes under a name
//! of its own: `backfill.commit` (a commit with its parents), `backfill.tag`, and `backfill.approvals` (who let a deployment
//! pass).
//!
//! | part | asked for | requests |
//! |---|---|---|
//! | commits | those of the default branch since the date | 1 for 100; with paths 1 for each |
//! | tags | all, each with its tagger or its commit for its time | 1 for each |
//! | pulls | those touched since the date, their reviews, and their own commits where the branch does not hold them | 1 or 2 for each |
//! | runs | those made since the date, their earlier attempts, the jobs of all attempts | 1 for each, 1 for each further attempt |
//! | deployments | those made since the date, their statuses, and the approvals of those that waited | 1 for each, 3 more where it waited |
//! | releases | those published since the date | 1 for 100 |
//!
//! Some members are in webhooks alone, and are not asked for one by one since no table needs them: of a pull request `merged` (its
//! `merged_at` tells), `merged_by` and the counts of commits and lines; of a job its environment.

mod address;
mod app;
mod bodies;
mod commits;
mod credential;
mod deployments;
pub mod hook;
mod pulls;
mod reader;
mod releases;
mod runs;

use std::collections::BTreeSet;

use model::Timestamp;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use address::{Address, AddressError, api_root};
pub use app::{ConversionError, Converted, convert};
pub use credential::{App, Credential, KeyError};

pub use crate::BackfillError;
use crate::Sink;
use crate::http::{Api, Client, Patience};
use reader::Reader;

/// How far a reading of GitHub is.
pub type Cursor = crate::Cursor<Part>;
/// A point from which a reading of GitHub could go on.
pub type Checkpoint = crate::Checkpoint<Part>;

/// What is read of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Commits of the default branch.
    Commits,
    /// Tags.
    Tags,
    /// Pull requests with their reviews.
    Pulls,
    /// Workflow runs with their jobs.
    Runs,
    /// Deployments with their statuses and approvals.
    Deployments,
    /// Releases.
    Releases,
}

impl Part {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 6] = [Self::Commits, Self::Tags, Self::Pulls, Self::Runs, Self::Deployments, Self::Releases];
}

impl crate::Part for Part {
    fn all() -> &'static [Self] {
        &Self::ALL
    }

    fn key(self) -> &'static str {
        match self {
            Self::Commits => "commits",
            Self::Tags => "tags",
            Self::Pulls => "pulls",
            Self::Runs => "runs",
            Self::Deployments => "deployments",
            Self::Releases => "releases",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pulls => "pull requests",
            Self::Runs => "workflow runs",
            Self::Commits | Self::Tags | Self::Deployments | Self::Releases => self.key(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Owner of the repository.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// From when on.
    pub since: Timestamp,
    /// What is read.
    pub parts: BTreeSet<Part>,
    /// Whether the paths of each commit are read: one request for each commit.
    pub paths: bool,
}

/// Where GitHub has its API.
pub const ROOT: &str = "https://api.github.com";

/// Events of webhooks that a history tells the same of.
pub const TOLD: [&str; 10] = [
    "push",
    "create",
    "pull_request",
    "pull_request_review",
    "workflow_run",
    "workflow_job",
    "deployment",
    "deployment_status",
    "deployment_review",
    "release",
];

/// GitHub's API at that address.
#[must_use]
pub fn api(root: &str, token: Option<SecretString>) -> Api {
    Api {
        root: root.trim_end_matches('/').to_owned(),
        scheme: "Bearer",
        token,
        accept: "application/vnd.github+json",
        headers: &[("x-github-api-version", "2022-11-28")],
        advice,
        patience: Patience::default(),
    }
}

/// What to do about a refusal.
fn advice(status: StatusCode, message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    match status {
        StatusCode::UNAUTHORIZED => "the token is wrong or has run out: make a new one",
        StatusCode::FORBIDDEN if message.contains("saml") => {
            "authorise the token for the organisation's single sign-on, where GitHub lists your tokens"
        }
        StatusCode::FORBIDDEN => {
            "the token may not read that: give it read access to Contents, Pull requests, Actions and Deployments \
             (a classic token: `repo`), or leave that part out with --only"
        }
        StatusCode::NOT_FOUND => {
            "it is not there, or not visible for this token: check the name, and give the token read access to the \
             repository (a classic token: `repo`)"
        }
        _ => "see https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api",
    }
}

/// Reads the history from its beginning.
///
/// # Errors
/// Where the API refuses or fails for good, or the sink is closed.
pub async fn read(client: &Client, query: &Query, sink: &Sink) -> Result<(), BackfillError> {
    resume(client, query, Cursor::default(), &|_| (), sink).await
}

/// Reads the history from where a reading of the same query was. `checkpoint` is told after every step how far it is: whoever
/// keeps the cursor should do so once it has the deliveries up to there.
///
/// # Errors
/// Where the API refuses or fails for good, or the sink is closed.
pub async fn resume(
    client: &Client,
    query: &Query,
    from: Cursor,
    checkpoint: &(dyn Fn(Checkpoint) + Send + Sync),
    sink: &Sink,
) -> Result<(), BackfillError> {
    let mut reader = Reader::start(client, query, from, checkpoint, sink).await?;
    for part in &query.parts {
        reader.part(*part).await?;
    }
    Ok(())
}
