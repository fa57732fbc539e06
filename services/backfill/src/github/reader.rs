//! One reading of a repository.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::bodies::{name, number, repository, text};
use super::{BackfillError, Checkpoint, Cursor, Part, Query};
use crate::Sink;
use crate::http::Client;
use crate::reading::members::{encoded, seconds};
use crate::reading::{Page, Reading, Source, Taking, pages};

/// A reading under way.
pub(super) struct Reader<'a> {
    reading: Reading<'a, Part>,
    pub query: &'a Query,
    /// `/repos/<owner>/<name>`.
    pub path: String,
    /// The repository as webhooks show it.
    pub repository: Value,
    pub repository_id: u64,
    pub default_branch: String,
    /// Names and files of workflows by their id.
    pub workflows: BTreeMap<u64, Value>,
    /// Commits that this reading has told.
    pub told: HashSet<String>,
}

impl<'a> Reader<'a> {
    /// Looks the repository up.
    pub async fn start(
        client: &'a Client,
        query: &'a Query,
        cursor: Cursor,
        checkpoint: &'a (dyn Fn(Checkpoint) + Send + Sync),
        sink: &'a Sink,
    ) -> Result<Self, BackfillError> {
        let path = format!("/repos/{}/{}", query.owner, query.name);
        let reading = Reading::new("github", "repository", client, cursor, checkpoint, sink);
        let found: Value = reading.get(&path).await?.json()?;
        Ok(Self {
            reading,
            query,
            path,
            repository: repository(&found),
            repository_id: number(&found, "id", "the repository")?,
            default_branch: text(&found, "default_branch", "the repository")?.to_owned(),
            workflows: BTreeMap::new(),
            told: HashSet::new(),
        })
    }

    /// Reads one part, unless it was read before.
    pub async fn part(&mut self, part: Part) -> Result<(), BackfillError> {
        if !self.reading.begin(part) {
            return Ok(());
        }
        let path = &self.path;
        let first = match part {
            Part::Commits => {
                let (branch, since) = (encoded(&self.default_branch), seconds(self.query.since.0 / 1000));
                format!("{path}/commits?sha={branch}&since={since}&per_page=100")
            }
            Part::Tags => format!("{path}/git/matching-refs/tags/?per_page=100"),
            Part::Pulls => format!("{path}/pulls?state=all&sort=updated&direction=desc&per_page=100"),
            Part::Runs => {
                self.runs().await?;
                self.reading.end();
                return Ok(());
            }
            Part::Deployments => format!("{path}/deployments?per_page=100"),
            Part::Releases => format!("{path}/releases?per_page=100"),
        };
        pages(self, part, first).await?;
        self.reading.end();
        Ok(())
    }

    /// One object; none where it has been removed, as old runs are.
    pub async fn find(&self, address: &str) -> Result<Option<Value>, BackfillError> {
        self.reading.find(address).await
    }

    /// All items of a list that is short; none where what it belongs to has been removed.
    pub async fn all(&self, address: String) -> Result<Vec<Value>, BackfillError> {
        self.reading.all(address).await
    }

    /// Gives a delivery. `members` is its body without the repository.
    pub async fn deliver(
        &mut self,
        event: &str,
        id: &[&(dyn std::fmt::Display + Sync)],
        mut members: Value,
    ) -> Result<(), BackfillError> {
        members["repository"] = self.repository.clone();
        self.reading.deliver(event, name(id), &members).await
    }
}

impl<'a> Source<'a, Part> for Reader<'a> {
    fn reading(&mut self) -> &mut Reading<'a, Part> {
        &mut self.reading
    }

    /// Commits are known by their hash, refs by their name, all else by a number.
    fn key(part: Part, item: &Value) -> Result<String, BackfillError> {
        let what = crate::Part::name(part);
        match part {
            Part::Commits => text(item, "sha", what).map(str::to_owned),
            Part::Tags => text(item, "ref", what).map(str::to_owned),
            _ => number(item, "id", what).map(|id| id.to_string()),
        }
    }

    fn take(&mut self, part: Part, item: Value) -> Taking<'_> {
        Box::pin(async move {
            match part {
                Part::Commits => self.commit(item).await,
                Part::Tags => self.tag(&item).await,
                Part::Pulls => self.pull(item).await,
                Part::Runs => self.run(item).await,
                Part::Deployments => self.deployment(item).await,
                Part::Releases => self.release(item).await,
            }
        })
    }

    /// The number of pages tells, where none is left out for its age.
    fn total(part: Part, page: &Page<'_>, _done: u64) -> Option<u64> {
        matches!(part, Part::Commits | Part::Tags).then_some(page.answer.last_page? * 100)
    }
}
