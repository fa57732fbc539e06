//! Which deployment brought a commit first, for each track.
//!
//! Commits that shipped together have the same labels. So each set of labels is kept once, with how many commits carry it.

use std::hash::Hasher as _;

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::{Slot, TrackId};
use crate::chunked::Chunked;
use crate::graph::Place;

type Label = (TrackId, Slot);

#[derive(Clone, Debug)]
struct Set {
    labels: Box<[Label]>,
    carriers: u32,
}

/// Labels of all commits.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Set of each commit, plus one; 0 for none.
    of: Chunked<u32>,
    sets: Vec<Set>,
    free: Vec<u32>,
    numbers: HashTable<u32>,
}

impl Labels {
    /// Labels of a commit, at most one for each track.
    pub fn of(&self, commit: Place) -> &[Label] {
        match self.of.get(commit.index()).and_then(|number| number.checked_sub(1)) {
            Some(number) => &self.sets[number as usize].labels,
            None => &[],
        }
    }

    /// Label of a commit on a track.
    pub fn get(&self, commit: Place, track: TrackId) -> Option<Slot> {
        self.of(commit).iter().find(|(of, _)| *of == track).map(|(_, slot)| *slot)
    }

    /// Sets the label of a commit on a track, or takes it away.
    pub fn set(&mut self, commit: Place, track: TrackId, slot: Option<Slot>) {
        let others = self.of(commit).iter().copied().filter(|(of, _)| *of != track);
        let mut labels: SmallVec<[Label; 8]> = others.chain(slot.map(|slot| (track, slot))).collect();
        labels.sort_unstable();
        let number = if labels.is_empty() { 0 } else { self.carry(&labels) + 1 };
        self.of.grow_to(commit.index() + 1, || 0);
        let before = std::mem::replace(&mut self.of[commit.index()], number);
        if let Some(before) = before.checked_sub(1) {
            self.drop_one(before);
        }
    }

    /// Number of a set that one commit more carries.
    fn carry(&mut self, labels: &[Label]) -> u32 {
        let hash = hash(labels);
        if let Some(number) = self.numbers.find(hash, |number| &*self.sets[*number as usize].labels == labels).copied()
        {
            self.sets[number as usize].carriers += 1;
            return number;
        }
        let set = Set { labels: labels.into(), carriers: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                self.sets[number as usize] = set;
                number
            }
            None => {
                self.sets.push(set);
                u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.numbers.insert_unique(hash, number, |number| self::hash(&self.sets[*number as usize].labels));
        number
    }

    fn drop_one(&mut self, number: u32) {
        let set = &mut self.sets[number as usize];
        set.carriers -= 1;
        if set.carriers == 0 {
            let labels = std::mem::take(&mut set.labels);
            if let Ok(entry) = self.numbers.find_entry(hash(&labels), |other| *other == number) {
                entry.remove();
            }
            self.free.push(number);
        }
    }
}

fn hash(labels: &[Label]) -> u64 {
    let mut hasher = FxHasher::default();
    for (track, slot) in labels {
        hasher.write_u32(track.0);
        hasher.write_u32(*slot);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use model::CommitId;

    #[test]
    fn a_set_that_nobody_carries_is_used_again() {
        let mut graph = Graph::default();
        let commits: Vec<Place> = (0..3).map(|n| graph.place(&CommitId::new(format!("{n:040x}")))).collect();
        let mut labels = Labels::default();
        for commit in &commits {
            labels.set(*commit, TrackId(2), Some(7));
            labels.set(*commit, TrackId(1), Some(5));
        }
        assert_eq!(labels.of(commits[2]), [(TrackId(1), 5), (TrackId(2), 7)]);
        assert_eq!((labels.sets.len(), labels.numbers.len()), (2, 1), "one set for all, one free");
        labels.set(commits[0], TrackId(1), None);
        assert_eq!((labels.get(commits[0], TrackId(1)), labels.get(commits[0], TrackId(2))), (None, Some(7)));
        assert_eq!((labels.sets.len(), labels.numbers.len()), (2, 2));
        commits.iter().for_each(|commit| labels.set(*commit, TrackId(1), None));
        commits.iter().for_each(|commit| labels.set(*commit, TrackId(2), None));
        assert_eq!((labels.of(commits[1]), labels.numbers.len(), labels.free.len()), (&[][..], 0, 2));
    }
}
