//! Commits and tags.

use serde_json::{Value, json};

use super::BackfillError;
use super::bodies::{text, time};
use super::reader::Reader;
use crate::reading::Flow;

/// A tag may point to a tag; one that goes on for longer points to itself.
const TAGS_OF_TAGS: usize = 5;

impl Reader<'_> {
    /// A commit of the default branch; with its paths where they are asked for.
    pub(super) async fn commit(&mut self, commit: Value) -> Result<Flow, BackfillError> {
        let sha = text(&commit, "sha", "a commit")?.to_owned();
        let commit = if self.query.paths {
            self.find(&format!("{}/commits/{sha}", self.path)).await?.unwrap_or(commit)
        } else {
            commit
        };
        self.told_commit(sha, commit).await?;
        Ok(Flow::Next)
    }

    pub(super) async fn told_commit(&mut self, sha: String, commit: Value) -> Result<(), BackfillError> {
        let how = if commit.get("files").is_some() { "paths" } else { "parents" };
        let repository = self.repository_id;
        self.deliver("backfill.commit", &[&"commit", &repository, &sha, &how], json!({ "commit": commit })).await?;
        self.told.insert(sha);
        Ok(())
    }

    /// A tag. Its ref names the commit, or an annotated tag that names it and says when it was made; a bare ref has no time, and
    /// takes that of its commit, as git does (`creatordate`).
    pub(super) async fn tag(&mut self, found: &Value) -> Result<Flow, BackfillError> {
        let name = text(found, "ref", "a tag")?;
        let name = name.strip_prefix("refs/tags/").unwrap_or(name).to_owned();
        let mut object = found["object"].clone();
        let mut made_at = None;
        for _ in 0..TAGS_OF_TAGS {
            if object["type"] != "tag" {
                break;
            }
            let sha = text(&object, "sha", "a tag")?;
            let Some(tag) = self.find(&format!("{}/git/tags/{sha}", self.path)).await? else { return Ok(Flow::Next) };
            made_at = made_at.or_else(|| time(&tag["tagger"], "date"));
            object = tag["object"].clone();
        }
        // A tag may be of a file or a tree, too.
        if object["type"] != "commit" {
            return Ok(Flow::Next);
        }
        let sha = text(&object, "sha", "a tag")?.to_owned();
        if made_at.is_none() {
            let commit = self.find(&format!("{}/git/commits/{sha}", self.path)).await?;
            made_at = commit.and_then(|commit| time(&commit["committer"], "date"));
        }
        if made_at.is_some_and(|at| at >= self.query.since) {
            let repository = self.repository_id;
            let tag = json!({ "tag": { "name": name, "commit": sha, "created_at": made_at.map(|at| at.to_string()) } });
            self.deliver("backfill.tag", &[&"tag", &repository, &name, &sha], tag).await?;
        }
        Ok(Flow::Next)
    }
}
