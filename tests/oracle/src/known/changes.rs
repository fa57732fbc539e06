//! Changes: pull requests, merge requests.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{self, Actor, Body, ChangeReview, ChangeState, CiBody, Event, ReviewState};
use model::{CommitId, Timestamp};

use super::{ChangeKey, ci, group, latest, least};

/// A change.
#[derive(Debug)]
pub struct Change {
    pub created_at: Option<Timestamp>,
    /// Branch its commits come from.
    pub source_branch: Option<String>,
    /// Its last commit.
    pub head: Option<CommitId>,
    /// Commits of the target it was compared with.
    pub bases: BTreeSet<CommitId>,
    /// Commits that a provider listed as its own.
    pub listed: BTreeSet<CommitId>,
    /// When it was merged, and the commit that brought it in.
    pub merged: Option<(Timestamp, Option<CommitId>)>,
    pub author: Option<Actor>,
    pub reviews: Vec<Review>,
}

/// What somebody said of a change.
#[derive(Debug)]
pub struct Review {
    pub at: Timestamp,
    pub id: String,
    pub verdict: ReviewState,
    pub by: Actor,
}

/// What one event tells of a change.
enum Told<'a> {
    Change(Timestamp, &'a event::Change),
    Review(Timestamp, &'a ChangeReview),
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<ChangeKey, Change> {
    let tellings = group(events, |event| {
        let at = event.occurred_at;
        match ci(event) {
            Some(CiBody::Change(told)) => {
                vec![((told.repository.clone(), told.change.clone()), Told::Change(at, told))]
            }
            Some(CiBody::ChangeReview(told)) => {
                vec![(
                    (told.repository.clone(), told.change.clone()),
                    Told::Review(told.submitted_at.unwrap_or(at), told),
                )]
            }
            _ => Vec::new(),
        }
    });
    tellings.into_iter().map(|(key, told)| (key, put_together(told))).collect()
}

fn put_together(all: Vec<Told>) -> Change {
    let (mut told, mut reviews) = (Vec::new(), Vec::new());
    for of in all {
        match of {
            Told::Change(at, change) => told.push((at, change)),
            Told::Review(at, review) => reviews.push(Review {
                at,
                id: review.review.clone(),
                verdict: review.state,
                by: review.reviewer.clone(),
            }),
        }
    }
    let merge = |at: Timestamp, change: &event::Change| {
        (change.state == ChangeState::Merged).then(|| (change.merged_at.unwrap_or(at), change.merge_commit.clone()))
    };
    Change {
        created_at: least(told.iter().map(|(_, change)| change.created_at)),
        source_branch: latest(told.iter().map(|(at, change)| (*at, change.source_branch.clone()))),
        head: latest(told.iter().map(|(at, change)| (*at, change.head.clone()))),
        bases: told.iter().filter_map(|(_, change)| change.base.clone()).collect(),
        listed: told.iter().flat_map(|(_, change)| change.commits.iter().flatten().cloned()).collect(),
        merged: latest(told.iter().map(|(at, change)| (*at, merge(*at, change)))),
        author: least(told.iter().map(|(_, change)| Some(change.author.clone()).filter(|by| *by != Actor::default()))),
        reviews,
    }
}
