//! How often something came, and when last.

use std::collections::BTreeMap;

use model::Timestamp;

/// How often, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// How often.
    pub count: usize,
    /// The last time.
    pub last: Timestamp,
}

impl Tally {
    /// Once more.
    pub fn add(&mut self, at: Timestamp) {
        self.count += 1;
        self.last = self.last.max(at);
    }
}

/// Tallies of several things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tallies<K>(pub BTreeMap<K, Tally>);

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Tallies<K> {
    /// Once more.
    pub fn add(&mut self, key: K, at: Timestamp) {
        self.0.entry(key).or_default().add(at);
    }
}
