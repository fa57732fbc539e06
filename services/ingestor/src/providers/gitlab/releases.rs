//! `release`.

use model::event::{Tag, TagAction};
use serde::Deserialize;

use super::payload::{Project, When, commit, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

#[derive(Deserialize)]
struct ReleasePayload {
    action: String,
    tag: String,
    #[serde(default)]
    created_at: When,
    /// May lie before or after the creation: whoever made the release may have said so.
    #[serde(default)]
    released_at: When,
    #[serde(default, deserialize_with = "text")]
    url: Option<String>,
    commit: Option<ReleasedCommit>,
    project: Project,
}

#[derive(Deserialize)]
struct ReleasedCommit {
    id: String,
}

/// `release`: published on a tag, changed or removed. It does not tell by whom, and of all but the creation not when. A change is
/// told as a publication: it is one as far as is known, and else the first one counts. The tag of a release that is removed stays.
pub(super) fn release(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: ReleasePayload = delivery.payload()?;
    let action = if payload.action == "delete" { TagAction::Unpublished } else { TagAction::Published };
    let at = payload.created_at.0.filter(|_| payload.action == "create").unwrap_or(delivery.received_at);
    let place = Place::new(delivery.people, &payload.project.web_url);
    let page = match action {
        TagAction::Unpublished => Some(place.page(&format!("tags/{}", payload.tag))),
        _ => payload.url,
    };
    let tag = Tag {
        commit: payload.commit.as_ref().and_then(|told| commit(Some(&told.id))),
        published_at: payload.released_at.0.filter(|_| action == TagAction::Published),
        url: page.clone(),
        ..Tag::new(place.repository, payload.tag, action)
    };
    Ok(one(at, page, tag))
}
