//! Commits and tags.

use serde_json::{Value, json};

use super::bodies::{only, text, time};
use super::reader::Reader;
use crate::BackfillError;

/// What is read of a commit.
const READ: &[&str] =
    &["id", "parent_ids", "authored_date", "committed_date", "author_email", "committer_email", "message", "web_url"];

impl Reader<'_> {
    /// A commit of the default branch; with its paths where they are asked for.
    pub(super) async fn commit(&mut self, commit: Value) -> Result<(), BackfillError> {
        let sha = text(&commit, "id", "a commit")?.to_owned();
        let paths = match self.query.paths {
            true => Some(self.all(format!("{}/repository/commits/{sha}/diff?per_page=100", self.path)).await?),
            false => None,
        };
        self.told_commit(sha, &commit, paths).await
    }

    pub(super) async fn told_commit(
        &mut self,
        sha: String,
        commit: &Value,
        diff: Option<Vec<Value>>,
    ) -> Result<(), BackfillError> {
        let how = if diff.is_some() { "paths" } else { "parents" };
        let mut told = only(commit, READ);
        if let Some(diff) = diff {
            told["diff"] = diff.iter().map(|file| only(file, &["old_path", "new_path", "renamed_file"])).collect();
        }
        let project = self.project_id;
        let body = json!({ "object_kind": "backfill.commit", "commit": told });
        self.deliver("backfill.commit", &[&"commit", &project, &sha, &how], body).await?;
        self.told.insert(sha);
        Ok(())
    }

    /// A tag. An annotated one says when it was made; any other takes the time of its commit, as git does (`creatordate`).
    pub(super) async fn tag(&mut self, tag: &Value) -> Result<(), BackfillError> {
        let made_at = time(tag, "created_at").or_else(|| time(&tag["commit"], "committed_date"));
        // A tag may be of a file or a tree, too.
        let Some(sha) = tag["commit"]["id"].as_str().map(str::to_owned) else { return Ok(()) };
        if made_at.is_none_or(|at| at < self.query.since) {
            return Ok(());
        }
        let (project, name) = (self.project_id, text(tag, "name", "a tag")?.to_owned());
        let told = json!({ "name": name, "commit": sha, "created_at": made_at.map(|at| at.to_string()) });
        let body = json!({ "object_kind": "backfill.tag", "tag": told });
        self.deliver("backfill.tag", &[&"tag", &project, &name, &sha], body).await
    }
}
