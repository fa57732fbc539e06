//! What was emitted of commits, in few bytes: there are several rows for each of a million commits.

use indexmap::IndexSet;
use model::Timestamp;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;

use crate::chunked::Chunked;
use crate::graph::Place;
use crate::track::TrackId;

/// What was emitted of a commit for one track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitRow {
    /// Component and environment.
    pub track: TrackId,
    /// When the commit came there.
    pub at: Timestamp,
    /// Digest of the row.
    pub digest: u64,
}

/// A row in twelve bytes.
#[derive(Clone, Copy, Debug)]
struct Packed {
    /// Number of its track and time, which commits that came together share.
    arrival: u32,
    digest: [u32; 2],
}

/// A list of rows: the next one of each, in a place of its own.
#[derive(Clone, Copy, Debug)]
struct Link {
    row: Packed,
    next: u32,
}

/// Ends a list.
const END: u32 = u32::MAX;

/// Rows of all commits.
#[derive(Debug)]
pub struct CommitRows {
    arrivals: IndexSet<(TrackId, Timestamp), FxBuildHasher>,
    links: Chunked<Link>,
    /// The first row of each commit.
    first: Chunked<u32>,
    /// The first of the places that nobody uses.
    free: u32,
}

impl Default for CommitRows {
    fn default() -> Self {
        Self { arrivals: IndexSet::default(), links: Chunked::default(), first: Chunked::default(), free: END }
    }
}

impl CommitRows {
    /// Rows of a commit, in the order in which they were set.
    pub fn of(&self, place: Place) -> SmallVec<[CommitRow; 4]> {
        self.places_of(place).filter_map(|at| self.unpack(self.links[at as usize].row)).collect()
    }

    fn places_of(&self, place: Place) -> impl Iterator<Item = u32> + use<'_> {
        let is_place = |at: &u32| *at != END;
        let first = self.first.get(place.index()).copied().filter(is_place);
        std::iter::successors(first, move |at| Some(self.links[*at as usize].next).filter(is_place))
    }

    fn unpack(&self, row: Packed) -> Option<CommitRow> {
        let (track, at) = *self.arrivals.get_index(row.arrival as usize)?;
        let [high, low] = row.digest;
        Some(CommitRow { track, at, digest: u64::from(high) << 32 | u64::from(low) })
    }

    fn pack(&mut self, row: &CommitRow) -> Packed {
        let arrival = self.arrivals.insert_full((row.track, row.at)).0;
        let [a, b, c, d, e, f, g, h] = row.digest.to_be_bytes();
        let digest = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
        Packed { arrival: u32::try_from(arrival).unwrap_or(u32::MAX), digest }
    }

    /// Replaces the rows of a commit.
    pub fn set(&mut self, place: Place, rows: &[CommitRow]) {
        if let Some(last) = self.places_of(place).last() {
            self.links[last as usize].next = self.free;
            self.free = self.first[place.index()];
        }
        let mut first = END;
        for row in rows.iter().rev() {
            let link = Link { row: self.pack(row), next: first };
            first = self.put(link);
        }
        if first != END || place.index() < self.first.len() {
            self.first.grow_to(place.index() + 1, || END);
            self.first[place.index()] = first;
        }
    }

    fn put(&mut self, link: Link) -> u32 {
        let at = self.free;
        if at == END {
            self.links.push(link);
            return u32::try_from(self.links.len() - 1).unwrap_or(END);
        }
        self.free = std::mem::replace(&mut self.links[at as usize], link).next;
        at
    }

    /// How many rows each track has.
    pub fn by_track(&self) -> FxHashMap<TrackId, usize> {
        let mut counts = FxHashMap::default();
        for first in self.first.iter().copied() {
            let rows = std::iter::successors(Some(first), |at| Some(self.links.get(*at as usize)?.next));
            for row in rows.map_while(|at| self.links.get(at as usize)).filter_map(|link| self.unpack(link.row)) {
                *counts.entry(row.track).or_default() += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::state::Scope;
    use crate::track::Tracks;

    #[test]
    fn rows_come_back_as_they_were() {
        let (mut graph, mut tracks, mut rows) = (Graph::default(), Tracks::default(), CommitRows::default());
        let mut track = |name: &str| tracks.id(&"shop".into(), &Scope::Environment(name.into()));
        let (staging, production) = (track("staging"), track("production"));
        let [first, second, third] = [1, 2, 3].map(|n| graph.place(&model::CommitId::new(format!("{n:040x}"))));
        let row = |track, at, digest| CommitRow { track, at: Timestamp(at), digest };
        let of_second = [row(staging, -5, u64::MAX), row(production, 7, 1)];
        rows.set(second, &of_second);
        rows.set(third, &[row(staging, -5, 3 << 32)]);
        assert_eq!(*rows.of(second), of_second);
        assert_eq!(*rows.of(third), [row(staging, -5, 3 << 32)]);
        assert!(rows.of(first).is_empty());
        assert_eq!(rows.by_track(), FxHashMap::from_iter([(staging, 2), (production, 1)]));
        rows.set(second, &[]);
        assert_eq!((rows.of(second).len(), rows.by_track().get(&production)), (0, None));
        rows.set(first, &of_second);
        rows.set(third, &[row(production, 9, 2), row(staging, -5, 3)]);
        assert_eq!(*rows.of(third), [row(production, 9, 2), row(staging, -5, 3)]);
        assert_eq!(
            (&*rows.of(first), rows.links.len(), rows.arrivals.len()),
            (&of_second[..], 4, 3),
            "room is used again"
        );
    }
}
