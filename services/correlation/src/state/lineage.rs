//! Which commits come from which: picks, by what they say or by the same patch, and reverts.

use std::collections::{BTreeMap, BTreeSet};

use model::{CommitId, Repository, Timestamp};

use super::index::Index;
use super::{State, Unit, stem};
use crate::entity::Patch;
use crate::graph::Place;

/// From a commit to those whose rows depend on it, beyond the graph.
#[derive(Debug, Default)]
pub struct Relatives {
    /// Commits that say they were picked from, or revert, one whose id starts with these seven digits.
    naming: Index<String, Place>,
    /// Commits by what they change; a commit may stand here with a patch that it had before.
    patches: BTreeSet<(Patch, Place)>,
    /// When the first commit was seen to come to the default branch.
    watched_from: BTreeMap<Repository, Timestamp>,
}

impl State {
    /// When the default branch of a repository was first seen to move.
    pub fn watched_from(&self, repository: &Repository) -> Option<Timestamp> {
        self.relatives.watched_from.get(repository).copied()
    }

    /// Puts a commit among its relatives; true when a default branch is watched for longer than was known.
    pub(super) fn relate(&mut self, place: Place) -> bool {
        let graph = &self.records.graph;
        for stem in graph.picked_from(place).chain(graph.reverts(place)).filter_map(stem) {
            self.relatives.naming.add(stem, place);
        }
        if let Some(patch) = graph.patch(place) {
            self.relatives.patches.insert((patch, place));
        }
        let mut longer = false;
        let landed_at = graph.landed_at(place);
        for repository in landed_at.iter().flat_map(|_| graph.repositories(place)) {
            let since = self.relatives.watched_from.get(repository);
            if let Some(at) = landed_at.filter(|at| since.is_none_or(|since| at < since)) {
                self.relatives.watched_from.insert(repository.clone(), at);
                longer = true;
            }
        }
        longer
    }

    /// More is known of a commit, which had this patch before.
    pub(super) fn relatives_moved(&mut self, place: Place, before: Option<Patch>) {
        if self.relate(place) {
            // Whether a release is a hotfix depends on since when the default branch is watched.
            let releases =
                self.placed.values().filter_map(|placed| Some((placed.component.clone(), placed.version.clone()?)));
            self.dirty.extend(releases.map(|(component, version)| Unit::Release(component, version)));
        }
        let mut touched = Vec::new();
        if before != self.records.graph.patch(place) {
            touched.extend(before.into_iter().flat_map(|patch| self.with_patch(patch)));
        }
        // What an abbreviation meant it may mean no longer, now that it could mean two.
        if let Some(stem) =
            stem(&self.records.graph.id(place)).filter(|stem| self.relatives.naming.of(stem).next().is_some())
        {
            touched.extend(self.records.graph.starting_with(&stem));
        }
        touched.into_iter().for_each(|place| self.touch_alone(place));
    }

    /// Commits whose rows depend on what is known of this one.
    pub(super) fn relatives(&self, place: Place) -> Vec<Place> {
        let graph = &self.records.graph;
        let mut found = stem(&graph.id(place)).map(|stem| self.relatives.naming.cloned(&stem)).unwrap_or_default();
        found.extend(graph.reverts(place).filter_map(|given| self.find(Some(given))));
        found.extend(graph.patch(place).into_iter().flat_map(|patch| self.with_patch(patch)));
        found
    }

    /// Commits of this patch, and some that had it.
    fn with_patch(&self, patch: Patch) -> impl Iterator<Item = Place> {
        let from = (patch, Place::FIRST);
        self.relatives.patches.range(from..).take_while(move |(of, _)| *of == patch).map(|(_, place)| *place)
    }

    /// Commits that a commit says it was picked from, each as a place or as given while it means none.
    pub fn picked_by_word(&self, place: Place) -> impl Iterator<Item = Result<Place, &CommitId>> {
        let given = self.records.graph.picked_from(place);
        given.map(|given| self.find(Some(given)).ok_or(given)).filter(move |source| *source != Ok(place))
    }

    /// Commits of the same patch in a repository of this one that were committed before it.
    ///
    /// A revert is no pick: to revert a revert is to make the same patch once more.
    pub fn picked_by_patch(&self, place: Place) -> impl Iterator<Item = Place> {
        let graph = &self.records.graph;
        let patch = graph.patch(place).filter(|_| graph.reverts(place).next().is_none());
        patch.into_iter().flat_map(|patch| self.with_patch(patch)).filter(move |other| {
            let committed_at = graph.committed_at(*other).zip(graph.committed_at(place));
            graph.patch(*other) == graph.patch(place)
                && committed_at.is_some_and(|(source, at)| source < at)
                && graph.repositories(*other).iter().any(|repository| graph.repositories(place).contains(repository))
        })
    }

    /// Commits that revert this one.
    pub fn reverted_by(&self, place: Place) -> impl Iterator<Item = Place> {
        let naming = stem(&self.records.graph.id(place)).into_iter();
        naming.flat_map(|stem| self.relatives.naming.of(&stem).copied()).filter(move |by| {
            *by != place && self.records.graph.reverts(*by).any(|given| self.find(Some(given)) == Some(place))
        })
    }
}
