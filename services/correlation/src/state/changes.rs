//! Changes: which commits each brought in.

use std::collections::BTreeSet;

use model::Timestamp;

use super::{ChangeKey, ChangeNumber, Records, State};
use crate::entity::Change;
use crate::graph::{Id, Place};

impl State {
    pub(super) fn change_changed(&mut self, key: &ChangeKey) {
        let Records { changes, graph, .. } = &mut self.records;
        let Some((index, _, change)) = changes.get_full(key) else { return };
        let number = number(index);
        let merge = change.merged.get().and_then(|(_, commit)| commit.as_ref());
        for commit in change.heads.iter().chain(merge).map(Id::of).chain(change.commits.iter().cloned()) {
            self.changes_naming.add(graph.place_of(commit).index(), number);
        }
        if let Some(branch) = change.source_branch.get() {
            self.changes_from.add((key.0.clone(), format!("refs/heads/{branch}")), number);
        }
        self.stirred.changes.insert(number);
    }

    /// A commit changed: the changes that name it, or whose branch it was pushed to, may hold others now.
    pub(super) fn members_moved(&mut self, place: Place) {
        self.stirred.changes.extend(self.changes_naming.of(place.index()));
        self.stirred.changes.extend(self.changes_with.of(place.index()));
        let graph = &self.records.graph;
        for repository in graph.repositories(place) {
            for branch in graph.branches(place) {
                self.stirred.changes.extend(self.changes_from.of(&(repository.clone(), branch.clone())));
            }
        }
    }

    /// Finds the commits of a merged change anew: those that a provider listed, what was pushed to its branch below its last
    /// commit, and the commit that merged it.
    pub(super) fn find_members(&mut self, number: ChangeNumber) {
        let Records { changes, graph, .. } = &mut self.records;
        let Some((key, change)) = changes.get_index(number as usize) else { return };
        let mut members = BTreeSet::new();
        if let Some((_, merge)) = change.merged.get() {
            members.extend(change.commits.iter().map(|id| graph.place_of(id.clone())));
            members.extend(merge.iter().map(|id| graph.place(id)));
            let merge = merge.as_ref().map(|id| graph.place(id));
            let branch = change.source_branch.get().map(|branch| format!("refs/heads/{branch}"));
            let bases: BTreeSet<Place> = change.bases.iter().map(|id| graph.place(id)).collect();
            let mut open: Vec<Place> = change.head.get().map(|id| graph.place(id)).into_iter().collect();
            while let Some(place) = open.pop() {
                if !members.insert(place) && Some(place) != merge {
                    continue;
                }
                let on_branch = |p: &Place| {
                    !bases.contains(p)
                        && !members.contains(p)
                        && graph.repositories(*p).contains(&key.0)
                        && branch.as_ref().is_some_and(|b| graph.branches(*p).contains(b))
                };
                open.extend(graph.older(place).iter().copied().filter(on_branch));
            }
        }
        let before = self.members.insert(number, members.iter().copied().collect()).unwrap_or_default();
        let before: BTreeSet<Place> = before.into_iter().collect();
        self.incidents.change_moved(key);
        for place in before.difference(&members) {
            self.changes_with.remove(place.index(), number);
        }
        for place in members.difference(&before) {
            self.changes_with.add(place.index(), number);
        }
        if self.rebuilding {
            return;
        }
        // What a member tells reaches the commit that merged it: of a squash, the earliest author time.
        let mut touched: BTreeSet<Place> = before.union(&members).copied().collect();
        // Whether this change or another one brought a commit first decides what a squash of that other one counts from.
        for place in before.union(&members) {
            let merges = self
                .changes_with
                .of(place.index())
                .iter()
                .filter_map(|number| self.change(*number)?.1.merged.get()?.1.as_ref());
            touched.extend(merges.filter_map(|id| self.records.graph.find(id)));
        }
        for place in touched {
            self.touch_commit(place);
        }
    }

    fn change(&self, number: ChangeNumber) -> Option<(&ChangeKey, &Change)> {
        self.records.changes.get_index(number as usize)
    }

    /// Commits of a merged change, the one that merged it included.
    pub fn members(&self, key: &ChangeKey) -> impl Iterator<Item = Place> + '_ {
        let number = self.records.changes.get_index_of(key).map(number);
        number.and_then(|number| self.members.get(&number)).into_iter().flatten().copied()
    }

    /// The change that brought a commit in: of those that hold it, the one merged first.
    pub fn brought_by(&self, place: Place) -> Option<(&ChangeKey, &Change, Timestamp)> {
        let changes = self.changes_with.of(place.index()).iter().filter_map(|number| self.change(*number));
        let merged = changes.filter_map(|(key, change)| Some((key, change, change.merged.get()?.0)));
        merged.min_by(|(a, _, at), (b, _, other)| (at, *a).cmp(&(other, *b)))
    }
}

fn number(index: usize) -> ChangeNumber {
    // A realm of two thousand million changes has other troubles.
    ChangeNumber::try_from(index).unwrap_or(ChangeNumber::MAX)
}
