//! Lines: what passed and what failed of one thing that is tried again and again, in order of time.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use model::{Millis, Timestamp};

/// An attempt on a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stop<Id> {
    /// When.
    pub at: Timestamp,
    /// Whose attempt.
    pub id: Id,
    /// Which one.
    pub attempt: i32,
}

/// Attempts in order of time; of one instant, failures come before passes.
#[derive(Clone, Debug)]
pub struct Line<Id> {
    passed: BTreeSet<Stop<Id>>,
    failed: BTreeSet<Stop<Id>>,
}

impl<Id> Default for Line<Id> {
    fn default() -> Self {
        Self { passed: BTreeSet::new(), failed: BTreeSet::new() }
    }
}

impl<Id: Clone + Default + Ord> Line<Id> {
    /// An attempt passed or failed.
    pub fn put(&mut self, stop: Stop<Id>, passed: bool) {
        if passed {
            self.passed.insert(stop)
        } else {
            self.failed.insert(stop)
        };
    }

    /// An attempt did not pass or fail after all.
    pub fn lift(&mut self, stop: &Stop<Id>, passed: bool) {
        if passed {
            self.passed.remove(stop)
        } else {
            self.failed.remove(stop)
        };
    }

    /// Nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.passed.is_empty() && self.failed.is_empty()
    }

    /// The first pass at an instant or later.
    pub fn passed_from(&self, at: Timestamp) -> Option<&Stop<Id>> {
        self.passed.range(earliest(at)..).next()
    }

    /// Failures up to an instant, since the last pass before it: those for which a pass at that instant is the next one.
    pub fn streak(&self, until: Timestamp) -> impl Iterator<Item = &Stop<Id>> {
        let last = self.passed.range(..earliest(until)).next_back();
        let from = last.map_or(Timestamp(i64::MIN), |pass| after(pass.at));
        self.failed.range(earliest(from)..).take_while(move |stop| stop.at <= until)
    }

    /// Failures that this attempt, if it is a pass, is the next one after.
    pub fn answered_by(&self, stop: &Stop<Id>, passed: bool) -> impl Iterator<Item = &Stop<Id>> {
        let until = stop.at;
        passed.then(|| self.streak(until)).into_iter().flatten()
    }

    /// It is the first failure since the last pass.
    pub fn is_first_failure(&self, stop: &Stop<Id>) -> bool {
        self.streak(stop.at).next() == Some(stop)
    }

    /// Whose place in a streak depends on this attempt, or whose next pass it is: the first of the failures before a pass, and the
    /// first failure that follows.
    pub fn neighbours(&self, stop: &Stop<Id>, passed: bool) -> impl Iterator<Item = &Stop<Id>> {
        let head = if passed { self.streak(stop.at).next() } else { None };
        let next = if passed {
            self.failed.range(earliest(after(stop.at))..).next()
        } else {
            self.failed.range((Excluded(stop), Unbounded)).next()
        };
        head.into_iter().chain(next)
    }
}

/// Comes before everything of an instant.
fn earliest<Id: Default>(at: Timestamp) -> Stop<Id> {
    Stop { at, id: Id::default(), attempt: i32::MIN }
}

fn after(at: Timestamp) -> Timestamp {
    at + Millis(1)
}
