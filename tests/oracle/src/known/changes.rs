//! Changes: pull requests, merge requests.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{self, Body, ChangeState, CiBody, Event};
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
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<ChangeKey, Change> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::Change(change)) => {
            vec![((change.repository.clone(), change.change.clone()), (event.occurred_at, change))]
        }
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(key, told)| (key, put_together(&told))).collect()
}

fn put_together(told: &[(Timestamp, &event::Change)]) -> Change {
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
    }
}
