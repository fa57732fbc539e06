//! What a comparison came to, for people and scripts.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::{Add, ControlFlow};

use serde::Serialize;

use super::delivery::Verdict;

/// Deliveries by what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Deliveries that were read.
    pub deliveries: u64,
    /// Those that are read differently.
    pub different: u64,
    /// Events to be written for them.
    pub events: u64,
    /// Those of them of which something that was read before counts no more.
    pub superseded: u64,
    /// Deliveries that cannot be read, or not all of them, now as before.
    pub dead: u64,
    /// Deliveries that can no longer be read as they were: what was read stays.
    pub kept: u64,
    /// Deliveries read differently by an adapter of the same version: nothing is written.
    pub unraised: u64,
    /// Deliveries that a later version of the adapter has read differently already: nothing is written.
    pub older: u64,
}

/// A delivery that is not read as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Source and id, as in the inbox.
    pub delivery: String,
    /// In which way.
    pub found: &'static str,
    /// Events to be written for it.
    pub events: usize,
    /// Events that count no more.
    pub gone: usize,
}

impl Counts {
    pub(super) fn count(&mut self, verdict: &Verdict) {
        self.deliveries += 1;
        match verdict {
            Verdict::Same => {}
            Verdict::Differs(difference) => {
                self.different += 1;
                self.events += u64::try_from(difference.missing.len()).unwrap_or(u64::MAX);
                self.superseded += u64::from(!difference.superseded_in.is_empty());
            }
            Verdict::Dead => self.dead += 1,
            Verdict::Kept => self.kept += 1,
            Verdict::Unraised => self.unraised += 1,
            Verdict::Older => self.older += 1,
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            deliveries: self.deliveries + other.deliveries,
            different: self.different + other.different,
            events: self.events + other.events,
            superseded: self.superseded + other.superseded,
            dead: self.dead + other.dead,
            kept: self.kept + other.kept,
            unraised: self.unraised + other.unraised,
            older: self.older + other.older,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// Collects examples until there are enough of each.
pub(super) struct Examples {
    most: usize,
    /// Deliveries of which none was seen yet.
    left: usize,
    found: BTreeMap<String, Example>,
    /// How many of each source and way.
    counts: BTreeMap<(String, &'static str), usize>,
}

impl Examples {
    pub(super) const fn new(most: usize, left: usize) -> Self {
        Self { most, left, found: BTreeMap::new(), counts: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, key: &[u8], verdict: &Verdict) -> ControlFlow<()> {
        let delivery = String::from_utf8_lossy(key).into_owned();
        let source = delivery.split_once('/').map_or("", |(source, _)| source).to_owned();
        let (found, events, gone) = match verdict {
            Verdict::Differs(difference) => ("different", difference.missing.len(), difference.gone),
            Verdict::Kept => ("kept", 0, 0),
            Verdict::Unraised => ("unraised", 0, 0),
            Verdict::Older => ("older", 0, 0),
            Verdict::Same | Verdict::Dead => return ControlFlow::Continue(()),
        };
        let count = self.counts.entry((source, found)).or_default();
        if *count < self.most && !self.found.contains_key(&delivery) {
            *count += 1;
            self.found.insert(delivery.clone(), Example { delivery, found, events, gone });
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    pub(super) fn finish(self) -> Vec<Example> {
        self.found.into_values().collect()
    }
}
