//! What a delivery is read as now, beside what was read of it before.

use smallvec::SmallVec;

/// A delivery of the inbox.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// Number of its source.
    pub(super) source: usize,
    /// Version of the adapter that reads it now.
    pub(super) adapter: i32,
    /// Whether some of it cannot be read.
    pub(super) is_dead: bool,
    /// When the bodies came that the inbox still has.
    pub(super) arrivals: SmallVec<[i64; 1]>,
    /// Digests of what is read now.
    pub(super) now: SmallVec<[u64; 2]>,
    /// What was read before.
    pub(super) before: SmallVec<[Before; 1]>,
    /// Places in which only events by this version, or a later one, count.
    pub(super) marks: Vec<(usize, i32)>,
}

/// An event that is in the event topics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) digest: u64,
    pub(super) adapter: i32,
    /// Number of its partition and realm.
    pub(super) place: usize,
    /// Whether the inbox still has the body that it was read of.
    pub(super) is_kept: bool,
}

/// What the comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is read as before.
    Same,
    /// It is read differently.
    Differs(Difference),
    /// It cannot be read, or not all of it, and no more than before.
    Dead,
    /// It can no longer be read as it was, and what was read stays.
    Kept,
    /// It is read differently by an adapter of the same version.
    Unraised,
    /// A later version of the adapter has read it already.
    Older,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Digests of the events to be written.
    pub(super) missing: Vec<u64>,
    /// Where what was read before counts no more.
    pub(super) superseded_in: Vec<usize>,
    /// Version from which on it counts there.
    pub(super) adapter: i32,
    /// How many events count no more.
    pub(super) gone: usize,
}

impl Delivery {
    /// It came again, or for the first time.
    pub(super) fn arrived(&mut self, at: i64, digests: impl IntoIterator<Item = u64>) {
        self.arrivals.push(at);
        for digest in digests {
            if !self.now.contains(&digest) {
                self.now.push(digest);
            }
        }
    }

    /// What there is to do. What counts of a delivery is a set: it does not matter how often it was told.
    pub(super) fn verdict(&self) -> Verdict {
        let other: Vec<&Before> = self.counting().filter(|event| self.is_other(event)).collect();
        let missing = self.missing(&[]);
        if other.is_empty() && missing.is_empty() {
            return if self.is_dead { Verdict::Dead } else { Verdict::Same };
        }
        if self.is_dead && !other.is_empty() {
            return Verdict::Kept;
        }
        let is_later = |version: i32| version > self.adapter;
        if self.marks.iter().any(|(_, version)| is_later(*version)) || other.iter().any(|event| is_later(event.adapter))
        {
            return Verdict::Older;
        }
        if other.iter().any(|event| event.adapter == self.adapter) {
            return Verdict::Unraised;
        }
        let mut superseded_in: Vec<usize> = other.iter().map(|event| event.place).collect();
        superseded_in.sort_unstable();
        superseded_in.dedup();
        let missing = self.missing(&superseded_in);
        Verdict::Differs(Difference { missing, superseded_in, adapter: self.adapter, gone: other.len() })
    }

    fn counting(&self) -> impl Iterator<Item = &Before> {
        let version = |place| self.marks.iter().filter(move |(of, _)| *of == place).map(|(_, version)| *version).max();
        self.before.iter().filter(move |event| version(event.place).is_none_or(|version| event.adapter >= version))
    }

    /// Whether an event tells what is not read now. What was read by the same version of a body that the inbox has no longer, as of a
    /// delivery that was sent again, cannot be compared.
    fn is_other(&self, event: &Before) -> bool {
        !self.now.contains(&event.digest) && (event.is_kept || event.adapter < self.adapter)
    }

    /// What is read now and does not count yet, or would no longer where earlier events are superseded.
    fn missing(&self, superseded_in: &[usize]) -> Vec<u64> {
        let stays = |event: &&Before| event.adapter >= self.adapter || !superseded_in.contains(&event.place);
        let staying: Vec<u64> = self.counting().filter(stays).map(|event| event.digest).collect();
        self.now.iter().copied().filter(|digest| !staying.contains(digest)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By version 2 of the adapter.
    fn read(now: &[u64], before: &[(u64, i32)]) -> Delivery {
        let mut delivery = Delivery { adapter: 2, ..Delivery::default() };
        delivery.arrived(7, now.iter().copied());
        let event =
            |(digest, adapter): &(u64, i32)| Before { digest: *digest, adapter: *adapter, place: 0, is_kept: true };
        delivery.before.extend(before.iter().map(event));
        delivery
    }

    fn differs(missing: &[u64], superseded_in: &[usize], gone: usize) -> Verdict {
        let (missing, superseded_in) = (missing.to_vec(), superseded_in.to_vec());
        Verdict::Differs(Difference { missing, superseded_in, adapter: 2, gone })
    }

    #[test]
    fn neither_order_nor_repetition_nor_version_is_a_difference() {
        assert_eq!(read(&[1, 2], &[(2, 1), (1, 1), (2, 2)]).verdict(), Verdict::Same);
        assert_eq!(read(&[], &[]).verdict(), Verdict::Same);
    }

    #[test]
    fn what_is_read_differently_replaces_the_whole_of_what_was() {
        assert_eq!(read(&[1, 3], &[(1, 1), (2, 1)]).verdict(), differs(&[1, 3], &[0], 1));
        // As above, killed before it was marked, or sent again in between.
        assert_eq!(read(&[1, 3], &[(1, 1), (2, 1), (1, 2)]).verdict(), differs(&[3], &[0], 1));
        assert_eq!(read(&[1, 3], &[(1, 1), (2, 1), (1, 2), (3, 2)]).verdict(), differs(&[], &[0], 1));
        let done = Delivery { marks: vec![(0, 2)], ..read(&[1, 3], &[(1, 1), (2, 1), (1, 2), (3, 2)]) };
        assert_eq!(done.verdict(), Verdict::Same);
    }

    #[test]
    fn what_is_only_more_takes_nothing_back() {
        assert_eq!(read(&[1, 2], &[(1, 1)]).verdict(), differs(&[2], &[], 0));
        assert_eq!(read(&[1, 2], &[(1, 2)]).verdict(), differs(&[2], &[], 0));
        assert_eq!(read(&[1], &[]).verdict(), differs(&[1], &[], 0), "it was a dead letter, or ignored");
    }

    #[test]
    fn what_is_now_ignored_is_taken_back_and_what_cannot_be_read_is_not() {
        assert_eq!(read(&[], &[(1, 1), (2, 1)]).verdict(), differs(&[], &[0], 2));
        let dead = |delivery| Delivery { is_dead: true, ..delivery }.verdict();
        assert_eq!(dead(read(&[], &[(1, 1)])), Verdict::Kept);
        assert_eq!(dead(read(&[2], &[(1, 1)])), Verdict::Kept, "the rest of it may be what was read before");
        assert_eq!(dead(read(&[], &[])), Verdict::Dead);
        assert_eq!(dead(read(&[1], &[(1, 1)])), Verdict::Dead);
        assert_eq!(dead(read(&[1, 2], &[(1, 1)])), differs(&[2], &[], 0), "more of a batch can be read");
    }

    #[test]
    fn the_version_decides_who_was_right() {
        assert_eq!(read(&[3], &[(1, 2)]).verdict(), Verdict::Unraised);
        assert_eq!(read(&[], &[(1, 2), (1, 1)]).verdict(), Verdict::Unraised);
        assert_eq!(read(&[3], &[(1, 3)]).verdict(), Verdict::Older);
        let marked = Delivery { marks: vec![(0, 3)], ..read(&[3], &[(1, 1)]) };
        assert_eq!(marked.verdict(), Verdict::Older, "what is read now would not count");
    }

    #[test]
    fn a_body_that_is_gone_proves_nothing_against_its_own_version() {
        let mut delivery = read(&[1], &[(1, 2)]);
        delivery.before.push(Before { digest: 9, adapter: 2, place: 0, is_kept: false });
        assert_eq!(delivery.verdict(), Verdict::Same);
        delivery.before.push(Before { digest: 9, adapter: 1, place: 0, is_kept: false });
        assert_eq!(delivery.verdict(), differs(&[], &[0], 1));
    }

    #[test]
    fn only_places_with_something_else_are_superseded() {
        let mut delivery = read(&[1], &[(1, 1)]);
        delivery.before.push(Before { digest: 2, adapter: 1, place: 4, is_kept: true });
        assert_eq!(delivery.verdict(), differs(&[], &[4], 1));
    }
}
