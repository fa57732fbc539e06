//! Kinds of what happens to sources: `commit`, `push`, `change`, `review`, `release`.

use model::event::{
    Actor, ActorKind, Change, ChangeAction, ChangeReview, ChangeState, CommitInfo, Commits, Push, ReviewState, Tag,
    TagAction,
};
use model::{ChangeId, CommitId};
use serde_json::Value;

use super::Read;
use super::members::{Members, missing, wrong};
use super::message::{Message, short};
use crate::people::People;
use crate::providers::Unreadable;

/// Members of a commit, which may stand by itself or in the list of a push.
const COMMIT: &[&str] = &[
    "commit",
    "parents",
    "authored_at",
    "committed_at",
    "author",
    "automated",
    "paths",
    "change",
    "cherry_picked_from",
    "reverts",
];

const EXAMPLE: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

pub(super) const COMMIT_MEMBERS: &[&[&str]] = &[&["repository"], COMMIT];

pub(super) fn commit(message: &Message<'_>) -> Read {
    let members = &message.members;
    let at = message.at(&["committed_at", "authored_at"])?;
    let commits = vec![commit_info(members, message.people)?];
    Ok((at, Commits { repository: members.needed_repository()?, commits }.into()))
}

fn commit_info(members: &Members, people: &People) -> Result<CommitInfo, Unreadable> {
    let id = members.full_commit("commit")?.ok_or_else(|| missing("commit", EXAMPLE))?;
    let told = |name| Ok::<_, Unreadable>(members.list(name, "a list")?.is_some());
    Ok(CommitInfo {
        // An empty list is a root commit; no list is not told.
        parents: if told("parents")? { Some(members.commits("parents")?) } else { None },
        authored_at: members.time("authored_at")?,
        committed_at: members.time("committed_at")?,
        author: members.actor("author", people)?,
        paths: if told("paths")? { Some(members.texts("paths")?) } else { None },
        cherry_picked_from: members.commits("cherry_picked_from")?,
        reverts: members.commits("reverts")?,
        changes: members.change("change")?.into_iter().collect(),
        ..CommitInfo::new(id)
    })
}

pub(super) const PUSH_MEMBERS: &[&[&str]] =
    &[&["repository", "branch", "default_branch", "before", "commit", "commits", "forced", "by", "automated"]];

pub(super) fn push(message: &Message<'_>) -> Read {
    let members = &message.members;
    let branch = members.needed("branch", "main")?;
    members.needed("commit", EXAMPLE)?;
    let listed = members.list("commits", "a list of commits, each an id or an object")?;
    let commits = listed.unwrap_or_default().iter().map(|item| pushed(item, message.people));
    let pushed = Push {
        before: members.full_commit("before")?,
        after: members.full_commit("commit")?,
        commits: commits.collect::<Result<_, _>>()?,
        // Without the list it is not known what else came.
        commits_cut: listed.is_none(),
        forced: members.flag("forced")?.unwrap_or_default(),
        default_branch: members.text("default_branch")?.map(|name| short(&name).to_owned()),
        pushed_by: members.actor("by", message.people)?,
        ..Push::new(members.needed_repository()?, format!("refs/heads/{}", short(&branch)))
    };
    Ok((message.at(&[])?, pushed.into()))
}

/// A commit in the list of a push: its id, or an object.
fn pushed(item: &Value, people: &People) -> Result<CommitInfo, Unreadable> {
    match item {
        Value::Object(members) => commit_info(&Members::new(members.clone(), &[COMMIT])?, people),
        Value::String(text) => match CommitId::given(text).filter(CommitId::is_full) {
            Some(id) => Ok(CommitInfo::new(id)),
            None => Err(wrong("commits", item, "a list of full ids, 40 or 64 hex digits each, or of objects")),
        },
        other => Err(wrong("commits", other, "a list of full ids or of objects such as {\"commit\": …}")),
    }
}

const CHANGE_STATUSES: &[(&str, (ChangeAction, ChangeState))] = &[
    ("opened", (ChangeAction::Opened, ChangeState::Open)),
    ("reopened", (ChangeAction::Reopened, ChangeState::Open)),
    ("updated", (ChangeAction::Updated, ChangeState::Open)),
    ("draft", (ChangeAction::Drafted, ChangeState::Open)),
    ("ready", (ChangeAction::Ready, ChangeState::Open)),
    ("merged", (ChangeAction::Merged, ChangeState::Merged)),
    ("closed", (ChangeAction::Abandoned, ChangeState::Abandoned)),
    ("abandoned", (ChangeAction::Abandoned, ChangeState::Abandoned)),
];

pub(super) const CHANGE_MEMBERS: &[&[&str]] = &[&[
    "id",
    "repository",
    "status",
    "branch",
    "target_branch",
    "commit",
    "commits",
    "merge_commit",
    "created_at",
    "merged_at",
    "closed_at",
    "author",
    "by",
    "automated",
]];

pub(super) fn change(message: &Message<'_>) -> Read {
    let members = &message.members;
    let (action, state) = members.needed_word("status", CHANGE_STATUSES)?;
    let at = message.at(&["merged_at", "closed_at"])?;
    let is = |of: ChangeAction| (action == of).then_some(at);
    let commits = members.commits("commits")?;
    let merge_commit = members.commit("merge_commit")?;
    let merged_at = members.time("merged_at")?.or(is(ChangeAction::Merged));
    let closed_at = members.time("closed_at")?.or(merged_at).or(is(ChangeAction::Abandoned));
    // Who acts is told by `by`; that it is an automation account says nothing about the author.
    let author = Actor { kind: ActorKind::Unknown, ..members.actor("author", message.people)? };
    let actor = members.actor("by", message.people)?;
    let told = Change {
        source_branch: members.text("branch")?.map(|name| short(&name).to_owned()),
        target_branch: members.text("target_branch")?.map(|name| short(&name).to_owned()),
        head: members.commit("commit")?,
        // Some senders name the commit of a trial merge before it is merged.
        merge_commit: merge_commit.filter(|_| state == ChangeState::Merged),
        commit_count: i32::try_from(commits.len()).ok().filter(|count| *count > 0),
        commits: (!commits.is_empty()).then_some(commits),
        created_at: members.time("created_at")?.or(is(ChangeAction::Opened)),
        merged_at: merged_at.filter(|_| state == ChangeState::Merged),
        closed_at: closed_at.filter(|_| state != ChangeState::Open),
        author,
        merged_by: if state == ChangeState::Merged { actor.clone() } else { Actor::default() },
        actor,
        ..Change::new(members.needed_repository()?, numbered(message, "id")?, action, state)
    };
    Ok((at, told.into()))
}

/// The number of a change.
fn numbered(message: &Message<'_>, name: &str) -> Result<ChangeId, Unreadable> {
    message.members.change(name)?.ok_or_else(|| missing(name, "12"))
}

const REVIEW_STATUSES: &[(&str, ReviewState)] = &[
    ("approved", ReviewState::Approved),
    ("changes_requested", ReviewState::ChangesRequested),
    ("commented", ReviewState::Commented),
    ("dismissed", ReviewState::Dismissed),
];

pub(super) const REVIEW_MEMBERS: &[&[&str]] = &[&["id", "repository", "change", "status", "commit", "by", "automated"]];

pub(super) fn review(message: &Message<'_>) -> Read {
    let members = &message.members;
    let at = message.at(&[])?;
    let review = message.id("reviews")?.unwrap_or_else(|| message.id_of_delivery("reviews"));
    let state = members.needed_word("status", REVIEW_STATUSES)?;
    let told = ChangeReview {
        commit: members.commit("commit")?,
        submitted_at: Some(at),
        reviewer: members.actor("by", message.people)?,
        ..ChangeReview::new(members.needed_repository()?, numbered(message, "change")?, review, state)
    };
    Ok((at, told.into()))
}

const RELEASE_STATUSES: &[(&str, TagAction)] = &[
    ("published", TagAction::Published),
    ("tagged", TagAction::Tagged),
    ("unpublished", TagAction::Unpublished),
    ("deleted", TagAction::Deleted),
];

pub(super) const RELEASE_MEMBERS: &[&[&str]] =
    &[&["repository", "tag", "status", "commit", "branch", "prerelease", "created_at", "by", "automated"]];

pub(super) fn release(message: &Message<'_>) -> Read {
    let members = &message.members;
    let at = message.at(&[])?;
    let action = members.word("status", RELEASE_STATUSES)?.unwrap_or(TagAction::Published);
    let told = Tag {
        commit: members.commit("commit")?,
        target_branch: members.text("branch")?.map(|name| short(&name).to_owned()),
        prerelease: members.flag("prerelease")?,
        created_at: members.time("created_at")?.or((action == TagAction::Tagged).then_some(at)),
        published_at: (action == TagAction::Published).then_some(at),
        actor: members.actor("by", message.people)?,
        url: members.page("url")?,
        ..Tag::new(members.needed_repository()?, short(&members.needed("tag", "v1.4.0")?).to_owned(), action)
    };
    Ok((at, told.into()))
}
