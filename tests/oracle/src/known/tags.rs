//! Tags of repositories, and the releases published on them.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{self, Body, CiBody, Event, TagAction};
use model::{CommitId, Repository, Timestamp};

use super::{ci, group, latest};

/// Something that happened. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Tagged(Timestamp, Option<CommitId>),
    Published(Timestamp),
    /// Its release was taken back, or is none for production.
    Unpublished,
    Deleted,
}

/// A tag.
#[derive(Debug)]
pub struct Tag {
    /// Where it points to; nowhere after it was deleted, or while nobody said.
    pub commit: Option<CommitId>,
    /// What happened to it, in order, each with an event that told it.
    acts: Vec<((Timestamp, Act), String)>,
    pub url: Option<String>,
}

impl Tag {
    /// When it was made or came to point where it does, with an event that told so; none after it was deleted.
    pub fn made(&self) -> Option<(Timestamp, Option<String>)> {
        let from = self.acts.iter().rposition(|((_, act), _)| *act == Act::Deleted).map_or(0, |last| last + 1);
        let mut made = None;
        let mut points_to: Option<&CommitId> = None;
        for ((_, act), _) in &self.acts[from..] {
            match act {
                Act::Tagged(at, commit) => {
                    let moved = points_to.zip(commit.as_ref()).is_some_and(|(before, now)| before != now);
                    if made.is_none() || moved {
                        made = Some(*at);
                    }
                    points_to = if moved { commit.as_ref() } else { points_to.or(commit.as_ref()) };
                }
                Act::Published(at) => made = made.or(Some(*at)),
                Act::Unpublished | Act::Deleted => {}
            }
        }
        made.map(|at| (at, self.told(at)))
    }

    /// When the release on it was published, with an event that told so; none where none is.
    pub fn published(&self) -> Option<(Timestamp, Option<String>)> {
        let ended = |((_, act), _): &((Timestamp, Act), String)| matches!(act, Act::Unpublished | Act::Deleted);
        let from = self.acts.iter().rposition(ended).map_or(0, |last| last + 1);
        let first = self.acts[from..].iter().find_map(|((_, act), _)| match act {
            Act::Published(at) => Some(*at),
            _ => None,
        });
        first.map(|at| (at, self.told(at)))
    }

    /// The first event that told of something that happened at an instant.
    fn told(&self, at: Timestamp) -> Option<String> {
        let is_then = |act: &Act| matches!(act, Act::Tagged(then, _) | Act::Published(then) if *then == at);
        self.acts.iter().find(|((_, act), _)| is_then(act)).map(|(_, event)| event.clone())
    }
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<(Repository, String), Tag> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::Tag(tag)) => vec![((tag.repository.clone(), tag.tag.clone()), (event, tag))],
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(key, told)| (key, put_together(&told))).collect()
}

fn put_together(told: &[(&Event<Body>, &event::Tag)]) -> Tag {
    let points_to = |tag: &event::Tag| {
        if tag.action == TagAction::Deleted { Some(None) } else { tag.commit.clone().map(Some) }
    };
    let mut acts: BTreeMap<(Timestamp, Act), BTreeSet<String>> = BTreeMap::new();
    for (event, tag) in told {
        let at = event.occurred_at;
        let act = match tag.action {
            TagAction::Tagged => Act::Tagged(tag.created_at.unwrap_or(at), tag.commit.clone()),
            TagAction::Published if tag.prerelease != Some(true) => Act::Published(tag.published_at.unwrap_or(at)),
            TagAction::Published | TagAction::Unpublished => Act::Unpublished,
            TagAction::Deleted => Act::Deleted,
        };
        acts.entry((at, act)).or_default().insert(event.id());
    }
    Tag {
        commit: latest(told.iter().map(|(event, tag)| (event.occurred_at, points_to(tag)))).flatten(),
        acts: acts.into_iter().filter_map(|(act, ids)| Some((act, ids.into_iter().next()?))).collect(),
        url: latest(
            told.iter().map(|(event, tag)| (event.occurred_at, tag.url.clone().or_else(|| event.link.clone()))),
        ),
    }
}
