//! One reading of a repository: pages, items, deliveries.

use std::collections::{BTreeMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use serde_json::Value;

use super::bodies::{body, name, number, repository, text};
use super::{BackfillError, Checkpoint, Cursor, Part, Query};
use crate::http::{Answer, Client, HttpError, Wait};
use crate::{Delivery, Progress, Sink};

/// Whether the rest of a part is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    /// All that follow are older.
    Enough,
}

/// A reading under way.
pub(super) struct Reader<'a> {
    client: &'a Client,
    pub query: &'a Query,
    pub cursor: Cursor,
    checkpoint: &'a (dyn Fn(Checkpoint) + Send + Sync),
    sink: &'a Sink,
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
    progress: Progress,
    delivered: u64,
}

impl<'a> Reader<'a> {
    /// Looks the repository up.
    pub async fn start(
        client: &'a Client,
        query: &'a Query,
        mut cursor: Cursor,
        checkpoint: &'a (dyn Fn(Checkpoint) + Send + Sync),
        sink: &'a Sink,
    ) -> Result<Self, BackfillError> {
        cursor.until.get_or_insert_with(now);
        let path = format!("/repos/{}/{}", query.owner, query.name);
        let progress = Progress { stage: "repository".to_owned(), done: 0, total: None };
        let mut reader = Self {
            client,
            query,
            cursor,
            checkpoint,
            sink,
            path,
            repository: Value::Null,
            repository_id: 0,
            default_branch: String::new(),
            workflows: BTreeMap::new(),
            told: HashSet::new(),
            progress,
            delivered: 0,
        };
        reader.show();
        let found: Value = reader.get(&reader.path).await?.json()?;
        reader.repository_id = number(&found, "id", "the repository")?;
        reader.default_branch = text(&found, "default_branch", "the repository")?.to_owned();
        reader.repository = repository(&found);
        Ok(reader)
    }

    /// Reads one part.
    pub async fn part(&mut self, part: Part) -> Result<(), BackfillError> {
        self.progress = Progress { stage: part.name().to_owned(), done: self.cursor.count(), total: None };
        self.show();
        let path = self.path.clone();
        match part {
            Part::Commits => {
                let branch: String = encoded(&self.default_branch);
                let since = self.query.since;
                self.pages(part, format!("{path}/commits?sha={branch}&since={}&per_page=100", seconds(since.0 / 1000)))
                    .await?;
            }
            Part::Tags => self.pages(part, format!("{path}/git/matching-refs/tags/?per_page=100")).await?,
            Part::Pulls => {
                self.pages(part, format!("{path}/pulls?state=all&sort=updated&direction=desc&per_page=100")).await?;
            }
            Part::Runs => self.runs().await?,
            Part::Deployments => self.pages(part, format!("{path}/deployments?per_page=100")).await?,
            Part::Releases => self.pages(part, format!("{path}/releases?per_page=100")).await?,
        }
        self.cursor.finish();
        self.mark();
        self.progress.total = Some(self.progress.done);
        self.show();
        Ok(())
    }

    /// Reads pages from the first, or from where the cursor is.
    pub async fn pages(&mut self, part: Part, first: String) -> Result<(), BackfillError> {
        let mut address = match self.cursor.page() {
            Some(page) => page.to_owned(),
            None => {
                self.cursor.turn(Some(first.clone()));
                first
            }
        };
        loop {
            let answer = self.get(&address).await?;
            self.expect(part, &answer);
            for item in items(&answer)? {
                let key = key(&item, part)?;
                if self.cursor.has(&key) {
                    continue;
                }
                if self.take(part, item).await? == Flow::Enough {
                    return Ok(());
                }
                self.cursor.take(key);
                self.mark();
                self.progress.done += 1;
                self.show();
            }
            let Some(next) = answer.next else { return Ok(()) };
            self.cursor.turn(Some(next.clone()));
            self.mark();
            address = next;
        }
    }

    async fn take(&mut self, part: Part, item: Value) -> Result<Flow, BackfillError> {
        match part {
            Part::Commits => self.commit(item).await,
            Part::Tags => self.tag(&item).await,
            Part::Pulls => self.pull(item).await,
            Part::Runs => self.run(item).await,
            Part::Deployments => self.deployment(item).await,
            Part::Releases => self.release(item).await,
        }
    }

    /// How many there will be, where the number of pages tells: where none is left out for its age.
    fn expect(&mut self, part: Part, answer: &Answer) {
        if let (Part::Commits | Part::Tags, Some(pages)) = (part, answer.last_page) {
            self.progress.total = Some((pages * 100).max(self.progress.done));
        }
    }

    /// So many more are known to come.
    pub fn expect_more(&mut self, count: u64) {
        self.progress.total = Some(self.progress.done + count);
    }

    pub async fn get(&self, address: &str) -> Result<Answer, HttpError> {
        let waiting = |wait: &Wait| {
            (self.sink.progress)(Progress {
                stage: format!("{}, {wait}", self.progress.stage),
                ..self.progress.clone()
            });
        };
        self.client.get(address, &waiting).await
    }

    /// One object; none where it has been removed, as old runs are.
    pub async fn find(&self, address: &str) -> Result<Option<Value>, BackfillError> {
        match self.get(address).await {
            Ok(answer) => Ok(Some(answer.json()?)),
            Err(error) if matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::GONE)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All items of a list that is short; none where what it belongs to has been removed.
    pub async fn all(&self, address: String) -> Result<Vec<Value>, BackfillError> {
        let mut all = Vec::new();
        let mut next = Some(address);
        while let Some(address) = next {
            let answer = match self.get(&address).await {
                Err(error) if matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::GONE)) => break,
                answer => answer?,
            };
            all.extend(items(&answer)?);
            next = answer.next;
        }
        Ok(all)
    }

    /// Gives a delivery. `members` is its body without the repository.
    pub async fn deliver(
        &mut self,
        event: &str,
        id: &[&(dyn std::fmt::Display + Sync)],
        members: Value,
    ) -> Result<(), BackfillError> {
        let delivery = Delivery {
            provider: "github",
            event: Some(event.to_owned()),
            id: name(id),
            body: body(members, &self.repository),
        };
        self.sink.deliveries.send(delivery).await.map_err(|_| BackfillError::Closed)?;
        self.delivered += 1;
        Ok(())
    }

    fn show(&self) {
        (self.sink.progress)(self.progress.clone());
    }

    fn mark(&self) {
        (self.checkpoint)(Checkpoint { cursor: self.cursor.clone(), delivered: self.delivered });
    }
}

/// The items of a page: a list, or an object with `total_count` and one list.
pub(super) fn items(answer: &Answer) -> Result<Vec<Value>, HttpError> {
    Ok(match answer.json()? {
        Value::Array(items) => items,
        Value::Object(members) => {
            members.into_iter().find_map(|(_, value)| if let Value::Array(items) = value { Some(items) } else { None })
        }
        .unwrap_or_default(),
        _ => Vec::new(),
    })
}

/// What an item of a page is known by: commits by their hash, refs by their name, all else by a number.
fn key(item: &Value, part: Part) -> Result<String, BackfillError> {
    let what = part.name();
    match part {
        Part::Commits => text(item, "sha", what).map(str::to_owned),
        Part::Tags => text(item, "ref", what).map(str::to_owned),
        _ => number(item, "id", what).map(|id| id.to_string()),
    }
}

/// A time as GitHub writes it, from seconds since 1970.
pub(super) fn seconds(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// A text in a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
