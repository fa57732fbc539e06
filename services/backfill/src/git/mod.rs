//! Reads a git repository: its commits, their parents, times and paths, and its tags, as lines of the import format.
//!
//! **What is told.** Every commit that the default branch or a tag reaches, some at once as `Commits`; then every tag as a `Tag`, made
//! when the tagger says, else when its commit was made. A commit says of itself what [`model::event::CommitInfo`] has: parents, both
//! times, accounts, the paths that it changed, and the commits and changes that its message names. The paths are those that differ
//! from every parent, as `git log -c` shows them: a merge that only brings two lines together touched nothing itself.
//!
//! **What is not told: deployments.** A tag is a tag; whether it is a release to production only the team knows, and it may connect
//! what really deploys tomorrow. Events are kept for good, so a deployment made up here would stand beside the real ones for ever. The
//! catalog says what counts, and can be changed: the marker `tag` makes deployments of tags, and `baseline_none` says that nothing was
//! released before the first. Where neither is said, a backfill changes no row but that known commits have times and parents.
//!
//! **What is missing is said.** A shallow clone ends at a boundary. The commits on it tell their parents, which nobody tells of: a
//! hole, and what is released across it has `commits_complete` false. Their paths are not known. `info/grafts` and `refs/replace` are
//! not followed: a commit says here what it says everywhere.
//!
//! **Again.** The same repository gives the same deliveries. One that has grown gives those of before and some more: commits are cut
//! into events where their ids say so, not by their number.

mod commits;
mod error;
mod lines;
mod paths;
mod refs;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

use globset::GlobMatcher;
use model::{Repository, Timestamp};
use secrecy::SecretString;
use serde::Serialize;

use crate::Sink;

pub use error::Error;

/// Environment variable with the token for private repositories: `token`, or `user:token` where the host asks for a certain user.
pub const TOKEN: &str = "THROUGHLINE_GIT_TOKEN";

/// What to read, and of which repository.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folder with a repository, bundle, or address.
    pub from: String,
    /// Name of the repository; else that of its remote `origin`, else `localhost/` and the name of the folder.
    pub repository: Option<Repository>,
    /// Branch to read instead of the default one.
    pub branch: Option<String>,
    /// Tags to read; else all.
    pub tags: Option<GlobMatcher>,
    /// Leave out what is older.
    pub since: Option<Timestamp>,
    /// Token for an address.
    pub token: Option<SecretString>,
}

/// What was read of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Name of the repository.
    pub repository: Repository,
    /// Branch that was read; none where the head of the repository is on none.
    pub branch: Option<String>,
    /// Commits told of.
    pub commits: u64,
    /// Commits whose paths are not known: their parents are not there.
    pub without_paths: u64,
    /// Tags told of.
    pub tags: u64,
    /// Tags that point to no commit that is there.
    pub tags_of_no_commit: u64,
    /// Commits at the boundary of a shallow clone: what came before them is not known.
    pub boundary: u64,
    /// Older commits that were left out on request.
    pub left_out: u64,
    /// Grafts and replacements that were not followed.
    pub grafts: u64,
    /// Nothing came before what was told.
    pub whole: bool,
}

/// Reads a repository into the sink. It blocks: call it on a thread of its own.
///
/// # Errors
/// Where the repository cannot be read, or the sink is closed. What was delivered till then is right, but not all.
pub fn read(options: &Options, sink: &Sink) -> Result<Summary, Error> {
    let source = source::obtain(options, sink)?;
    let repository = commits::cached(&source.repository);
    let branch = refs::branch(&repository, options.branch.as_deref())?;
    let tags = refs::tags(&repository, options)?;
    let tips = branch.tip.into_iter().chain(tags.found.iter().map(|tag| tag.commit));
    let history = commits::walk(&repository, tips, options.since)?;
    let mut summary = Summary {
        branch: branch.name,
        commits: lines::count(history.commits.len()),
        tags: lines::count(tags.found.len()),
        tags_of_no_commit: tags.of_no_commit,
        boundary: lines::count(history.boundary.len()),
        left_out: history.left_out,
        grafts: refs::grafts(&repository)?,
        whole: history.boundary.is_empty() && history.left_out == 0,
        repository: source.name.clone(),
        ..Summary::default()
    };
    drop(repository);
    summary.without_paths = commits::tell(&source, &history, sink)?;
    refs::tell(&source.name, &tags.found, sink)?;
    Ok(summary)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { repository, branch, commits, tags, .. } = self;
        let branch = branch.as_deref().unwrap_or("no branch");
        write!(f, "{repository}: {commits} commits of {branch} and {tags} tags read")?;
        let mut also = |count: u64, what: &str| if count == 0 { Ok(()) } else { write!(f, "\n{count} {what}") };
        also(
            self.boundary,
            "commits are where a shallow clone ends: what came before them is not known, and releases that hold them are incomplete",
        )?;
        also(self.left_out, "older commits were left out: releases that hold them are incomplete")?;
        also(self.without_paths, "commits have unknown paths, as their parents are not there")?;
        also(self.tags_of_no_commit, "tags point to no commit that is there, and were left out")?;
        also(self.grafts, "grafts or replacements were not followed")
    }
}
