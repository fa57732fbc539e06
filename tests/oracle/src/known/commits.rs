//! Commits, and how they hang together.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{Actor, ActorKind, Body, CiBody, CommitInfo, Event, Push};
use model::{CommitId, Repository, Timestamp};

use super::{ci, least};

/// Paths that a commit touched.
#[derive(Debug)]
pub struct Paths {
    pub list: Vec<String>,
    /// The provider left none out.
    pub whole: bool,
}

/// A commit that somebody told of; one that was merely named by another is none.
#[derive(Debug)]
pub struct Commit {
    pub repositories: BTreeSet<Repository>,
    /// Full names of the branches it was pushed to.
    pub branches: BTreeSet<String>,
    /// Parents; of two tellings the fuller one, since a shallow clone tells too few.
    pub parents: Option<Vec<CommitId>>,
    /// Author time and author.
    pub authored: Option<(Timestamp, Actor)>,
    /// Whether a person or a machine wrote it, as far as anybody told.
    pub author: ActorKind,
    pub committed_at: Option<Timestamp>,
    pub paths: Option<Paths>,
    /// What a push that ended here went over: where the branch stood, and what came with the push.
    pub pushed_over: BTreeSet<CommitId>,
    /// Where the pushes ended that listed it, itself among all that was new: whoever holds such an end holds all below.
    pub listed_under: BTreeSet<CommitId>,
    /// When it first came to the default branch.
    pub landed_at: Option<Timestamp>,
    /// Commits that it says it was picked from, as given.
    pub picked_from: BTreeSet<CommitId>,
    /// Commits that it says it reverts, as given.
    pub reverts: BTreeSet<CommitId>,
    /// What it changes, wherever it stands.
    pub patch: Option<String>,
}

impl Commit {
    /// Something is known of it beyond its name.
    pub fn is_known(&self) -> bool {
        self.authored.is_some() || self.committed_at.is_some() || self.parents.is_some()
    }

    pub fn authored_at(&self) -> Option<Timestamp> {
        self.authored.as_ref().map(|(at, _)| *at)
    }

    /// Author time; the commit time where no other is told, as in GitHub's pushes.
    pub fn written_at(&self) -> Option<Timestamp> {
        self.authored_at().or(self.committed_at)
    }

    /// Commit time, else author time.
    pub fn made_at(&self) -> Option<Timestamp> {
        self.committed_at.or(self.authored_at())
    }

    pub fn is_merge(&self) -> bool {
        self.parents.as_ref().is_some_and(|parents| parents.len() > 1)
    }

    /// Commits directly below: parents, and what a push to here went over.
    pub fn older(&self) -> BTreeSet<&CommitId> {
        self.parents.iter().flatten().chain(&self.pushed_over).collect()
    }
}

/// A push that ended at a commit.
struct Pushed<'a> {
    at: Timestamp,
    push: &'a Push,
    tip: &'a CommitId,
}

impl Pushed<'_> {
    /// Its list holds everything between where the branch stood and where it stands.
    fn is_whole(&self) -> bool {
        !self.push.commits_cut && !self.push.forced && self.push.before.is_some()
    }

    fn to_default_branch(&self) -> bool {
        let default = self.push.default_branch.as_ref();
        default.is_some_and(|name| self.push.ref_name == format!("refs/heads/{name}"))
    }
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<CommitId, Commit> {
    let mut infos: BTreeMap<&CommitId, Vec<(&Repository, &CommitInfo)>> = BTreeMap::new();
    let mut pushes: BTreeMap<&CommitId, Vec<Pushed<'_>>> = BTreeMap::new();
    for event in events {
        let (repository, list) = match ci(event) {
            Some(CiBody::Push(push)) => {
                let Some(tip) = &push.after else { continue };
                let brought: BTreeSet<_> = push.commits.iter().map(|info| &info.id).chain([tip]).collect();
                for id in brought {
                    pushes.entry(id).or_default().push(Pushed { at: event.occurred_at, push, tip });
                }
                infos.entry(tip).or_default();
                (&push.repository, &push.commits)
            }
            Some(CiBody::Commits(told)) => (&told.repository, &told.commits),
            _ => continue,
        };
        for info in list {
            infos.entry(&info.id).or_default().push((repository, info));
        }
    }
    let brought_by = |id| pushes.get(id).map(Vec::as_slice).unwrap_or_default();
    infos.into_iter().map(|(id, told)| (id.clone(), put_together(id, &told, brought_by(id)))).collect()
}

/// `brought_by`: the pushes that brought it.
fn put_together(id: &CommitId, told: &[(&Repository, &CommitInfo)], brought_by: &[Pushed<'_>]) -> Commit {
    let mut pushed_over = BTreeSet::new();
    for pushed in brought_by.iter().filter(|pushed| pushed.tip == id) {
        pushed_over.extend(pushed.push.commits.iter().map(|info| info.id.clone()));
        // A forced push leaves behind what was there.
        pushed_over.extend(pushed.push.before.clone().filter(|_| !pushed.push.forced));
    }
    pushed_over.remove(id);
    let fullest = |parents: &&Vec<CommitId>| (parents.len(), (*parents).clone());
    let paths = told.iter().filter_map(|(_, info)| Some((!info.paths_cut, info.paths.as_ref()?)));
    Commit {
        repositories: told
            .iter()
            .map(|(repository, _)| (*repository).clone())
            .chain(brought_by.iter().map(|pushed| pushed.push.repository.clone()))
            .collect(),
        branches: brought_by.iter().map(|pushed| pushed.push.ref_name.clone()).collect(),
        parents: told.iter().filter_map(|(_, info)| info.parents.as_ref()).max_by_key(fullest).cloned(),
        authored: least(told.iter().map(|(_, info)| Some((info.authored_at?, info.author.clone())))),
        author: told.iter().map(|(_, info)| info.author.kind).max().unwrap_or_default(),
        committed_at: least(told.iter().map(|(_, info)| info.committed_at)),
        paths: paths.max().map(|(whole, list)| Paths { list: list.clone(), whole }),
        pushed_over,
        listed_under: brought_by.iter().filter(|pushed| pushed.is_whole()).map(|pushed| pushed.tip.clone()).collect(),
        landed_at: brought_by.iter().filter(|pushed| pushed.to_default_branch()).map(|pushed| pushed.at).min(),
        picked_from: told
            .iter()
            .flat_map(|(_, info)| &info.cherry_picked_from)
            .filter(|of| *of != id)
            .cloned()
            .collect(),
        reverts: told.iter().flat_map(|(_, info)| &info.reverts).filter(|of| *of != id).cloned().collect(),
        patch: least(told.iter().map(|(_, info)| info.patch_id.clone().filter(|patch| !patch.is_empty()))),
    }
}

/// When a default branch was first seen to move, by repository.
pub fn watched_from(events: &[&Event<Body>]) -> BTreeMap<Repository, Timestamp> {
    let pushes = super::group(events, |event| match ci(event) {
        Some(CiBody::Push(push)) => {
            let pushed = push.after.as_ref().map(|tip| Pushed { at: event.occurred_at, push, tip });
            pushed
                .filter(Pushed::to_default_branch)
                .map(|_| (push.repository.clone(), event.occurred_at))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    });
    pushes.into_iter().filter_map(|(repository, times)| Some((repository, times.into_iter().min()?))).collect()
}
