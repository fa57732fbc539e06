//! `push` and `tag_push`: branches and tags.
//!
//! Neither tells when it happened, so the delivery is the clock.

use model::event::{CommitInfo, Push, Tag, TagAction};
use serde::Deserialize;

use super::message::origins;
use super::payload::{Account, GitUser, Project, When, commit, nullable, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    ref_name: String,
    before: Option<String>,
    after: Option<String>,
    /// The commit; `after` of an annotated tag is the tag itself.
    checkout_sha: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    ref_protected: bool,
    #[serde(default, deserialize_with = "text")]
    user_username: Option<String>,
    #[serde(default, deserialize_with = "text")]
    user_email: Option<String>,
    project: Project,
    /// The newest 20 of those pushed, oldest first.
    #[serde(default, deserialize_with = "nullable")]
    commits: Vec<Commit>,
    total_commits_count: Option<usize>,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
    /// The committer's.
    #[serde(default)]
    timestamp: When,
    author: Option<GitUser>,
    added: Option<Vec<String>>,
    modified: Option<Vec<String>>,
    removed: Option<Vec<String>>,
}

impl PushPayload {
    fn pusher(&self) -> Account {
        Account { username: self.user_username.clone(), email: self.user_email.clone(), id: None }
    }
}

/// `push`: a branch was made, moved or removed.
pub(super) fn push(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: PushPayload = delivery.payload()?;
    let Some(branch) = payload.ref_name.strip_prefix("refs/heads/") else {
        return Ok(delivery.ignored("", "neither a branch nor a tag"));
    };
    let place = Place::new(delivery.people, &payload.project.web_url);
    let (before, after) = (commit(payload.before.as_deref()), commit(payload.after.as_deref()));
    let link = match (&before, &after) {
        (Some(before), Some(after)) => Some(place.page(&format!("compare/{before}...{after}"))),
        (None, Some(after)) => Some(place.page(&format!("commit/{after}"))),
        (_, None) => None,
    };
    let told = Push {
        commits_cut: commits_cut(&payload),
        commits: payload.commits.iter().filter_map(|told| commit_info(&place, told)).collect(),
        forced: before.is_some() && after.is_some() && may_be_forced(&payload, branch),
        default_branch: payload.project.default_branch.clone(),
        pushed_by: place.account(Some(&payload.pusher())),
        before,
        after,
        ..Push::new(place.repository.clone(), payload.ref_name.clone())
    };
    Ok(one(delivery.received_at, link, told))
}

/// GitLab does not say whether a push was forced. One that brings no commit has moved the branch back. Else only branches that are
/// protected, as the default branch is from the start, are taken to move forward: of any other, what it held before may be gone.
fn may_be_forced(payload: &PushPayload, branch: &str) -> bool {
    let is_default = payload.project.default_branch.as_deref() == Some(branch);
    payload.commits.is_empty() || !(payload.ref_protected || is_default)
}

/// Whether commits are missing from the list: by the number, or because the last one is not in it.
fn commits_cut(payload: &PushPayload) -> bool {
    let listed = payload.commits.len();
    if payload.total_commits_count.is_some_and(|total| total > listed) {
        return true;
    }
    let after = commit(payload.after.as_deref());
    after.is_some_and(|after| listed > 0 && !payload.commits.iter().any(|c| c.id.eq_ignore_ascii_case(after.as_str())))
}

/// GitLab tells no parents and no committer.
fn commit_info(place: &Place<'_>, told: &Commit) -> Option<CommitInfo> {
    let origins = origins(&told.message, &place.repository);
    let lists = [&told.added, &told.modified, &told.removed];
    let mut paths: Vec<String> = lists.iter().copied().flatten().flatten().cloned().collect();
    paths.sort_unstable();
    paths.dedup();
    Some(CommitInfo {
        committed_at: told.timestamp.0,
        author: place.git_user(told.author.as_ref()),
        paths: lists.iter().any(|list| list.is_some()).then_some(paths),
        cherry_picked_from: origins.cherry_picked_from,
        reverts: origins.reverts,
        changes: origins.changes,
        ..CommitInfo::new(commit(Some(&told.id))?)
    })
}

/// `tag_push`: a tag was made, moved or removed.
pub(super) fn tag_push(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: PushPayload = delivery.payload()?;
    let Some(name) = payload.ref_name.strip_prefix("refs/tags/") else {
        return Ok(delivery.ignored("", "neither a branch nor a tag"));
    };
    let place = Place::new(delivery.people, &payload.project.web_url);
    let after = commit(payload.after.as_deref());
    let action = if after.is_some() { TagAction::Tagged } else { TagAction::Deleted };
    let page = after.is_some().then(|| place.page(&format!("tags/{name}")));
    let tag = Tag {
        commit: commit(payload.checkout_sha.as_deref()).filter(|_| after.is_some()),
        actor: place.account(Some(&payload.pusher())),
        url: page.clone(),
        ..Tag::new(place.repository.clone(), name.to_owned(), action)
    };
    Ok(one(delivery.received_at, page, tag))
}
