//! What many commits say alike, and what is read seldom.

use std::hash::Hash;

use indexmap::IndexSet;
use model::Timestamp;
use rustc_hash::FxBuildHasher;

/// Values by number. Nothing is ever taken out: what commits say does not go away.
#[derive(Clone, Debug)]
pub struct Numbered<T>(IndexSet<T, FxBuildHasher>);

impl<T: Hash + Eq + Default> Default for Numbered<T> {
    /// The value that says nothing has a number from the start.
    fn default() -> Self {
        Self(IndexSet::from_iter([T::default()]))
    }
}

impl<T: Hash + Eq> Numbered<T> {
    /// Number of a value.
    pub fn number(&mut self, value: T) -> u32 {
        u32::try_from(self.0.insert_full(value).0).unwrap_or(u32::MAX)
    }

    /// The value of a number.
    pub fn get(&self, number: u32) -> &T {
        &self.0[number as usize]
    }
}

/// Author time, commit time and when it landed, each where it was told: half as long as three options.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    at: [Timestamp; 3],
    told: [bool; 3],
}

impl Times {
    pub fn of(times: [Option<Timestamp>; 3]) -> Self {
        Self { at: times.map(Option::unwrap_or_default), told: times.map(|at| at.is_some()) }
    }

    fn get(self, which: usize) -> Option<Timestamp> {
        self.told[which].then_some(self.at[which])
    }

    pub fn authored(self) -> Option<Timestamp> {
        self.get(0)
    }

    pub fn committed(self) -> Option<Timestamp> {
        self.get(1)
    }

    pub fn landed(self) -> Option<Timestamp> {
        self.get(2)
    }
}

/// Paths of a commit: whether they are all, and which; written to bytes, since they are read only where a catalog asks for them.
#[derive(Clone, Debug, Default)]
pub struct Paths(Option<Box<[u8]>>);

impl Paths {
    pub fn of(paths: Option<&(bool, Vec<String>)>) -> Self {
        Self(paths.and_then(|paths| postcard::to_stdvec(paths).ok()).map(Vec::into_boxed_slice))
    }

    pub fn get(&self) -> Option<(bool, Vec<String>)> {
        postcard::from_bytes(self.0.as_deref()?).ok()
    }
}
