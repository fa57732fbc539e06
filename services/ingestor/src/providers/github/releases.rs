//! `release`.

use model::CommitId;
use model::event::{Tag, TagAction};
use serde::Deserialize;

use super::payload::{Account, Repo, When, branch_or_tag, commit, nullable, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

#[derive(Deserialize)]
struct ReleasePayload {
    action: String,
    release: Release,
    sender: Option<Account>,
    repository: Repo,
}

/// `created_at` is not read: it is the date of the commit, whenever the release was made.
#[derive(Deserialize)]
struct Release {
    tag_name: String,
    #[serde(default, deserialize_with = "text")]
    target_commitish: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    draft: bool,
    prerelease: Option<bool>,
    #[serde(default)]
    published_at: When,
    #[serde(default)]
    updated_at: When,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
}

/// `release`: published on a tag, taken back, or removed. One publication comes as `published`, with `released` or `prereleased`
/// beside it; they tell the same.
pub(super) fn release(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let ReleasePayload { action, release, sender, repository } = delivery.payload()?;
    let told = match action.as_str() {
        "published" | "released" | "prereleased" => TagAction::Published,
        "unpublished" => TagAction::Unpublished,
        "deleted" if release.draft => return Ok(delivery.ignored(&action, "a draft")),
        "deleted" => TagAction::Deleted,
        "created" if release.draft => return Ok(delivery.ignored(&action, "a draft")),
        "created" => return Ok(delivery.ignored(&action, "its publication tells it")),
        other => return Ok(delivery.ignored(other, "changes its text")),
    };
    let place = Place::new(delivery.people, &repository);
    let at = match told {
        TagAction::Published => release.published_at.0,
        _ => None,
    };
    let at = at.or(release.updated_at.0).unwrap_or(delivery.received_at);
    // Either a branch or a commit, from which GitHub makes the tag if it is not there.
    let target = release.target_commitish.as_deref();
    let target_commit = commit(target).filter(CommitId::is_full);
    let tag = Tag {
        target_branch: target.filter(|_| target_commit.is_none()).map(|name| branch_or_tag(name).to_owned()),
        commit: target_commit,
        prerelease: release.prerelease,
        published_at: release.published_at.0,
        actor: place.account(sender.as_ref()),
        url: release.html_url.clone(),
        ..Tag::new(place.repository.clone(), release.tag_name, told)
    };
    Ok(one(at, release.html_url, tag))
}
