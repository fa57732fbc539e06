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
        let known = &self.records.graph.node(place).known;
        for stem in known.picked_from().chain(known.reverts()).filter_map(stem) {
            self.relatives.naming.add(stem, place);
        }
        if let Some(patch) = known.patch() {
            self.relatives.patches.insert((patch, place));
        }
        let mut longer = false;
        for repository in known.landed_at.0.iter().flat_map(|_| &known.repositories) {
            let since = self.relatives.watched_from.get(repository);
            if let Some(at) = known.landed_at.0.filter(|at| since.is_none_or(|since| at < since)) {
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
        let node = self.records.graph.node(place);
        let mut touched = Vec::new();
        if before != node.known.patch() {
            touched.extend(before.into_iter().flat_map(|patch| self.with_patch(patch)));
        }
        // What an abbreviation meant it may mean no longer, now that it could mean two.
        if let Some(stem) = stem(&node.id).filter(|stem| self.relatives.naming.of(stem).next().is_some()) {
            touched.extend(self.records.graph.starting_with(&stem));
        }
        touched.into_iter().for_each(|place| self.touch_alone(place));
    }

    /// Commits whose rows depend on what is known of this one.
    pub(super) fn relatives(&self, place: Place) -> Vec<Place> {
        let node = self.records.graph.node(place);
        let mut found = stem(&node.id).map(|stem| self.relatives.naming.cloned(&stem)).unwrap_or_default();
        found.extend(node.known.reverts().filter_map(|given| self.find(Some(given))));
        found.extend(node.known.patch().into_iter().flat_map(|patch| self.with_patch(patch)));
        found
    }

    /// Commits of this patch, and some that had it.
    fn with_patch(&self, patch: Patch) -> impl Iterator<Item = Place> {
        let from = (patch, Place::FIRST);
        self.relatives.patches.range(from..).take_while(move |(of, _)| *of == patch).map(|(_, place)| *place)
    }

    /// Commits that a commit says it was picked from, each as a place or as given while it means none.
    pub fn picked_by_word(&self, place: Place) -> impl Iterator<Item = Result<Place, &CommitId>> {
        let given = self.records.graph.node(place).known.picked_from();
        given.map(|given| self.find(Some(given)).ok_or(given)).filter(move |source| *source != Ok(place))
    }

    /// Commits of the same patch in a repository of this one that were committed before it.
    ///
    /// A revert is no pick: to revert a revert is to make the same patch once more.
    pub fn picked_by_patch(&self, place: Place) -> impl Iterator<Item = Place> {
        let known = &self.records.graph.node(place).known;
        let patch = known.patch().filter(|_| known.reverts().next().is_none());
        patch.into_iter().flat_map(|patch| self.with_patch(patch)).filter(move |other| {
            let source = &self.records.graph.node(*other).known;
            source.patch() == known.patch()
                && source.committed_at.0.zip(known.committed_at.0).is_some_and(|(source, at)| source < at)
                && !source.repositories.is_disjoint(&known.repositories)
        })
    }

    /// Commits that revert this one.
    pub fn reverted_by(&self, place: Place) -> impl Iterator<Item = Place> {
        let naming = stem(&self.records.graph.node(place).id).into_iter();
        naming.flat_map(|stem| self.relatives.naming.of(&stem).copied()).filter(move |by| {
            *by != place
                && self.records.graph.node(*by).known.reverts().any(|given| self.find(Some(given)) == Some(place))
        })
    }
}
