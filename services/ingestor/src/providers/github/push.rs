//! `push`, `create` and `delete`: branches and tags.

use model::event::{Actor, CommitInfo, Push, Tag, TagAction};
use model::git::origins;
use serde::Deserialize;

use super::payload::{Account, GitUser, Repo, When, commit, nullable, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

/// GitHub lists no more commits of a push.
const MAX_COMMITS: usize = 2048;
/// GitHub lists no more files of a commit.
const MAX_PATHS: usize = 3000;

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    ref_name: String,
    before: Option<String>,
    after: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    created: bool,
    #[serde(default, deserialize_with = "nullable")]
    deleted: bool,
    #[serde(default, deserialize_with = "nullable")]
    forced: bool,
    #[serde(default, deserialize_with = "text")]
    base_ref: Option<String>,
    #[serde(default, deserialize_with = "text")]
    compare: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    commits: Vec<Commit>,
    head_commit: Option<Commit>,
    /// How many commits were pushed; sent by some versions of GitHub Enterprise Server.
    size: Option<usize>,
    distinct_size: Option<usize>,
    pusher: Option<GitUser>,
    sender: Option<Account>,
    repository: Repo,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
    #[serde(default)]
    timestamp: When,
    author: Option<GitUser>,
    committer: Option<GitUser>,
    added: Option<Vec<String>>,
    removed: Option<Vec<String>>,
    modified: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RefPayload {
    #[serde(rename = "ref")]
    name: String,
    ref_type: String,
    sender: Option<Account>,
    repository: Repo,
}

/// `push`: a branch or a tag moved.
pub(super) fn push(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: PushPayload = delivery.payload()?;
    let place = Place::new(delivery.people, &payload.repository);
    let at = payload.repository.pushed_at.0.unwrap_or(delivery.received_at);
    let link = payload.compare.clone();
    if let Some(tag) = payload.ref_name.strip_prefix("refs/tags/") {
        return Ok(one(at, link, pushed_tag(&payload, &place, tag)));
    }
    if !payload.ref_name.starts_with("refs/heads/") {
        return Ok(delivery.ignored("", "neither a branch nor a tag"));
    }
    let push = Push {
        before: commit(payload.before.as_deref()),
        after: commit(payload.after.as_deref()).filter(|_| !payload.deleted),
        commits_cut: commits_cut(&payload),
        commits: payload.commits.iter().filter_map(|c| commit_info(&place, c)).collect(),
        forced: payload.forced,
        default_branch: payload.repository.default_branch.clone(),
        pushed_by: pushed_by(&payload, &place),
        ..Push::new(place.repository.clone(), payload.ref_name)
    };
    Ok(one(at, link, push))
}

/// `create`: of branches the push tells more.
pub(super) fn create(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    named_ref(delivery, TagAction::Tagged)
}

/// `delete`: of branches the push tells the same.
pub(super) fn delete(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    named_ref(delivery, TagAction::Deleted)
}

fn named_ref(delivery: &Delivery<'_>, action: TagAction) -> Result<Reading, Unreadable> {
    let payload: RefPayload = delivery.payload()?;
    if payload.ref_type != "tag" {
        return Ok(delivery.ignored(&payload.ref_type, "the push tells it"));
    }
    let place = Place::new(delivery.people, &payload.repository);
    let at = payload.repository.pushed_at.0.unwrap_or(delivery.received_at);
    let actor = place.account(payload.sender.as_ref());
    Ok(one(at, None, Tag { actor, ..Tag::new(place.repository.clone(), payload.name, action) }))
}

/// `after` of an annotated tag is the tag itself: the commit is `head_commit`.
fn pushed_tag(payload: &PushPayload, place: &Place<'_>, tag: &str) -> Tag {
    let action = if payload.deleted { TagAction::Deleted } else { TagAction::Tagged };
    let base = payload.base_ref.as_deref();
    Tag {
        commit: payload.head_commit.as_ref().and_then(|head| commit(Some(&head.id))),
        target_branch: base.and_then(|base| base.strip_prefix("refs/heads/")).map(str::to_owned),
        actor: pushed_by(payload, place),
        ..Tag::new(place.repository.clone(), tag.to_owned(), action)
    }
}

/// The sender; without one the pusher, whose name is a login.
fn pushed_by(payload: &PushPayload, place: &Place<'_>) -> Actor {
    let pusher = payload.pusher.as_ref().map(|pusher| Account { login: pusher.name.clone(), kind: None });
    place.account(payload.sender.as_ref().or(pusher.as_ref()))
}

/// Whether commits are missing from the list: by the numbers, by the limit, or because the last one is not in it. Only a forced
/// push and a new branch can bring no commit.
fn commits_cut(payload: &PushPayload) -> bool {
    let listed = payload.commits.len();
    let told = payload.size.max(payload.distinct_size).unwrap_or_default();
    if told > listed || listed >= MAX_COMMITS {
        return true;
    }
    let (before, after) = (commit(payload.before.as_deref()), commit(payload.after.as_deref()));
    let Some(after) = after.filter(|_| !payload.deleted) else { return false };
    if listed > 0 {
        return !payload.commits.iter().any(|c| c.id.eq_ignore_ascii_case(after.as_str()));
    }
    !payload.forced && !payload.created && before.is_some_and(|before| before != after)
}

/// GitHub tells no parents, and of the two times only the committer's: all commits of one rebase merge bear the time of the merge.
/// The author's is there where GitHub adds a `date` to author and committer.
fn commit_info(place: &Place<'_>, told: &Commit) -> Option<CommitInfo> {
    let origins = origins(&told.message);
    let date = |user: &Option<GitUser>| user.as_ref().and_then(|user| user.date.0);
    let lists = [&told.added, &told.removed, &told.modified];
    let mut paths: Vec<String> = lists.iter().copied().flatten().flatten().cloned().collect();
    let paths_cut = paths.len() >= MAX_PATHS;
    paths.sort_unstable();
    paths.dedup();
    Some(CommitInfo {
        authored_at: date(&told.author),
        committed_at: date(&told.committer).or(told.timestamp.0),
        author: place.git_user(told.author.as_ref()),
        committer: place.git_user(told.committer.as_ref()),
        paths: lists.iter().any(|list| list.is_some()).then_some(paths),
        paths_cut,
        cherry_picked_from: origins.cherry_picked_from,
        reverts: origins.reverts,
        changes: origins.changes,
        ..CommitInfo::new(commit(Some(&told.id))?)
    })
}
