//! GitLab's history, of gitlab.com and of GitLab Self-Managed, by its REST API.
//! See <https://docs.gitlab.com/api/rest/>.
//!
//! Each object of the API is put into the body of the webhook that would have told it, in that webhook's words and with times in whole
//! seconds as webhooks have them, and read by the same adapter. What no webhook tells comes under a name of its own:
//! `backfill.commit` (a commit with its parents), `backfill.tag`, `backfill.merge_request` (that one was opened, with its commits), and
//! `backfill.approval` (that a deployment had to be approved).
//!
//! | part | asked for | requests |
//! |---|---|---|
//! | commits | those of the default branch since the date | 1 for 100; with paths 1 more for each |
//! | tags | all, each with the time of its tagger or its commit | 1 for 100 |
//! | merge requests | those touched since the date, their commits and approvals, and the parents of commits that the branch does not hold | 2 or 3 for each |
//! | pipelines, child pipelines | those touched since the date, their jobs with those that were tried again | 2 for each |
//! | deployments | those touched since the date, and their approvals where the edition has any | 1 for each, 1 for 100 without approvals |
//! | releases | those made or released since the date | 1 for 100 |
//!
//! Lists of what was touched since the date are read from the newest to the oldest, each page by the time at which the one before
//! ended: what is touched meanwhile moves to the front and displaces nothing, and the offset that GitLab bounds stays small.

mod address;
mod bodies;
mod changes;
mod commits;
mod deployments;
mod pipelines;
mod reader;
mod releases;

use std::collections::BTreeSet;

use model::Timestamp;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use address::{Address, AddressError};

use crate::http::{Api, Client, Patience};
use crate::{BackfillError, Sink};
use reader::Reader;

/// How far a reading of GitLab is.
pub type Cursor = crate::Cursor<Part>;
/// A point from which a reading of GitLab could go on.
pub type Checkpoint = crate::Checkpoint<Part>;

/// What is read of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Commits of the default branch.
    Commits,
    /// Tags.
    Tags,
    /// Merge requests with their approvals.
    MergeRequests,
    /// Pipelines with their jobs.
    Pipelines,
    /// Pipelines that a job of another one started in the same project, which the list of pipelines leaves out.
    ChildPipelines,
    /// Deployments with their approvals.
    Deployments,
    /// Releases.
    Releases,
}

impl Part {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 7] = [
        Self::Commits,
        Self::Tags,
        Self::MergeRequests,
        Self::Pipelines,
        Self::ChildPipelines,
        Self::Deployments,
        Self::Releases,
    ];
}

impl crate::Part for Part {
    fn all() -> &'static [Self] {
        &Self::ALL
    }

    fn key(self) -> &'static str {
        match self {
            Self::Commits => "commits",
            Self::Tags => "tags",
            Self::MergeRequests => "merge-requests",
            Self::Pipelines => "pipelines",
            Self::ChildPipelines => "child-pipelines",
            Self::Deployments => "deployments",
            Self::Releases => "releases",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::MergeRequests => "merge requests",
            Self::ChildPipelines => "child pipelines",
            Self::Commits | Self::Tags | Self::Pipelines | Self::Deployments | Self::Releases => self.key(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Path of the project, with its groups: `acme/backend/shop`.
    pub project: String,
    /// From when on.
    pub since: Timestamp,
    /// What is read.
    pub parts: BTreeSet<Part>,
    /// Whether the paths of each commit are read: one request for each commit.
    pub paths: bool,
}

/// GitLab's API at that address. A token of a person, a group or a project is taken like one of OAuth.
/// See <https://docs.gitlab.com/api/rest/authentication/>.
#[must_use]
pub fn api(root: &str, token: Option<SecretString>) -> Api {
    Api {
        root: root.trim_end_matches('/').to_owned(),
        scheme: "Bearer",
        token,
        accept: "application/json",
        headers: &[],
        advice,
        patience: Patience::default(),
    }
}

/// What to do about a refusal.
fn advice(status: StatusCode, message: &str) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "the token is wrong or has run out: make a new one with the scope `read_api`",
        StatusCode::FORBIDDEN if message.contains("insufficient_scope") => {
            "the token lacks the scope `read_api`: make a new one with it"
        }
        StatusCode::FORBIDDEN => {
            "the token may not read that, or the project does not use it: give the token the scope `read_api` and the role \
             Reporter (for environments and deployments, too), or leave that part out with --only"
        }
        StatusCode::NOT_FOUND => {
            "it is not there, or not visible for this token: check the path with all its groups, and give the token the role \
             Reporter and the scope `read_api`"
        }
        _ => "see https://docs.gitlab.com/api/rest/troubleshooting/",
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
