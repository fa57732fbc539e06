//! What GitLab's API tells and no webhook does: `backfill.commit`, `backfill.tag`, `backfill.merge_request` and `backfill.approval`. A
//! backfill wraps the objects of the API into bodies like those of webhooks. See <https://docs.gitlab.com/api/rest/>.

use model::event::{Body, CiBody, CommitInfo, Commits, Tag, TagAction};
use model::{CommitId, Timestamp};
use serde::Deserialize;

use super::changes::merge_request;
use super::jobs::approval_asked;
use super::message::origins;
use super::payload::{GitUser, Project, When, commit, nullable, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Observed, Reading, Unreadable};

/// GitLab lists no more files of a commit, whatever bound an installation has set.
const MAX_FILES: usize = 1000;

#[derive(Deserialize)]
struct CommitPayload {
    commit: ApiCommit,
    project: Project,
}

#[derive(Deserialize)]
struct ApiCommit {
    id: String,
    parent_ids: Option<Vec<String>>,
    #[serde(default)]
    authored_date: When,
    #[serde(default)]
    committed_date: When,
    #[serde(default, deserialize_with = "text")]
    author_email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    committer_email: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
    #[serde(default, deserialize_with = "text")]
    web_url: Option<String>,
    diff: Option<Vec<File>>,
}

#[derive(Deserialize)]
struct File {
    old_path: String,
    new_path: String,
    #[serde(default, deserialize_with = "nullable")]
    renamed_file: bool,
}

#[derive(Deserialize)]
struct TagPayload {
    tag: ApiTag,
    project: Project,
}

#[derive(Deserialize)]
struct ApiTag {
    name: String,
    commit: String,
    #[serde(default)]
    created_at: When,
}

/// `backfill.commit`: a commit with its parents, and with its paths where they were asked for.
pub(super) fn told_commit(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let CommitPayload { commit: told, project } = delivery.payload()?;
    let place = Place::new(delivery.people, &project.web_url);
    let id = full(&told.id)?;
    let origins = origins(&told.message, &place.repository);
    let by = |email: Option<String>| place.git_user(Some(&GitUser { email }));
    let info = CommitInfo {
        parents: told.parent_ids.and_then(|ids| ids.iter().map(|id| commit(Some(id))).collect()),
        authored_at: told.authored_date.0,
        committed_at: told.committed_date.0,
        author: by(told.author_email),
        committer: by(told.committer_email),
        paths: told.diff.as_deref().map(paths),
        paths_cut: told.diff.as_ref().is_some_and(|files| files.len() >= MAX_FILES),
        cherry_picked_from: origins.cherry_picked_from,
        reverts: origins.reverts,
        changes: origins.changes,
        ..CommitInfo::new(id)
    };
    let at = info.committed_at.or(info.authored_at).unwrap_or(delivery.received_at);
    Ok(one(at, told.web_url, Commits { repository: place.repository, commits: vec![info] }))
}

fn full(id: &str) -> Result<CommitId, Unreadable> {
    commit(Some(id))
        .filter(CommitId::is_full)
        .ok_or_else(|| Unreadable::Value(format!("`id` of the commit is `{id}`, which is no commit")))
}

fn paths(files: &[File]) -> Vec<String> {
    let before = files.iter().filter(|file| file.renamed_file).map(|file| file.old_path.clone());
    let mut paths: Vec<String> = files.iter().map(|file| file.new_path.clone()).chain(before).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// `backfill.tag`: a tag as it stands when it is read. When it was made, only its tagger knows, or its commit for want of one; a push
/// that told it knows better and happened before it was read here.
pub(super) fn told_tag(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let TagPayload { tag, project } = delivery.payload()?;
    let place = Place::new(delivery.people, &project.web_url);
    let page = place.page(&format!("tags/{}", tag.name));
    let told = Tag {
        commit: Some(full(&tag.commit)?),
        created_at: tag.created_at.0,
        url: Some(page.clone()),
        ..Tag::new(place.repository, tag.name, TagAction::Tagged)
    };
    Ok(one(delivery.received_at, Some(page), told))
}

#[derive(Deserialize)]
struct Listed {
    /// Null where nobody asked for them.
    commits: Option<Vec<String>>,
}

/// `backfill.merge_request`: that one was opened, as its webhook tells it, and the commits that it came to have.
pub(super) fn told_merge_request(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let Listed { commits } = delivery.payload()?;
    let commits: Option<Vec<CommitId>> = commits.map(|ids| ids.iter().filter_map(|id| commit(Some(id))).collect());
    let mut reading = merge_request(delivery)?;
    if let Reading::Events(events) = &mut reading {
        for observed in events {
            if let Body::Ci(CiBody::Change(change)) = &mut observed.body {
                change.commits.clone_from(&commits);
            }
        }
    }
    Ok(reading)
}

/// `backfill.approval`: a deployment had to be approved, told with the job that makes it. Since when it waited, is not told.
pub(super) fn told_approval(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let (at, link, body) = approval_asked(delivery)?;
    let occurred_at: Timestamp = at.unwrap_or(delivery.received_at);
    Ok(Reading::Events(vec![Observed { occurred_at, link: Some(link), body }]))
}
