//! Pull requests, their reviews and their own commits.

use serde_json::{Value, json};

use super::BackfillError;
use super::bodies::{number, pull_of_review, text, time};
use super::reader::Reader;
use crate::reading::Flow;

impl Reader<'_> {
    /// A pull request as it stands. One that is open is told as edited: when it came to stand so, only `updated_at` says.
    pub(super) async fn pull(&mut self, pull: Value) -> Result<Flow, BackfillError> {
        let Some(updated_at) = time(&pull, "updated_at") else {
            return Err(BackfillError::Member { what: "a pull request".to_owned(), member: "updated_at" });
        };
        if updated_at < self.query.since {
            return Ok(Flow::Enough);
        }
        let (id, number) = (number(&pull, "id", "a pull request")?, number(&pull, "number", "a pull request")?);
        let is_wanted = pull["state"] == "open" || time(&pull, "merged_at").is_some();
        let commits = if is_wanted { self.commits_of_pull(&pull, number).await? } else { None };
        self.reviews(&pull, number).await?;
        let action = if pull["state"] == "closed" { "closed" } else { "edited" };
        let mut body = json!({ "action": action, "number": number, "pull_request": pull });
        // No push is told that would say what came to its branch.
        let event = if commits.is_some() { "backfill.pull_request" } else { "pull_request" };
        if let Some(commits) = commits {
            body["commits"] = commits.into();
        }
        self.deliver(event, &[&"pull_request", &id, &updated_at.0], body).await?;
        Ok(Flow::Next)
    }

    /// What was squashed or rebased stands on no branch that is read, and work began with its first commit. GitHub lists 250 at most.
    /// None where the branches that are read tell them.
    async fn commits_of_pull(&mut self, pull: &Value, number: u64) -> Result<Option<Vec<String>>, BackfillError> {
        if pull["head"]["sha"].as_str().is_some_and(|head| self.told.contains(head)) {
            return Ok(None);
        }
        let mut all = Vec::new();
        for commit in self.all(format!("{}/pulls/{number}/commits?per_page=100", self.path)).await? {
            let sha = text(&commit, "sha", "a commit")?.to_owned();
            all.push(sha.clone());
            if !self.told.contains(&sha) {
                self.told_commit(sha, commit).await?;
            }
        }
        Ok(Some(all))
    }

    /// Reviews as they stand. One that was not submitted yet is its author's own.
    async fn reviews(&mut self, pull: &Value, number_of_pull: u64) -> Result<(), BackfillError> {
        let pull = pull_of_review(pull);
        for review in self.all(format!("{}/pulls/{number_of_pull}/reviews?per_page=100", self.path)).await? {
            if time(&review, "submitted_at").is_none() {
                continue;
            }
            let id = number(&review, "id", "a review")?;
            let state = text(&review, "state", "a review")?.to_ascii_lowercase();
            let body = json!({ "action": "submitted", "review": review, "pull_request": pull });
            self.deliver("pull_request_review", &[&"pull_request_review", &id, &state], body).await?;
        }
        Ok(())
    }
}
