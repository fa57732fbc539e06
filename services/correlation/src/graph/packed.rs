//! What many commits say alike, and what is read seldom.

use std::hash::Hash;
use std::num::NonZeroU64;

use indexmap::IndexSet;
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

/// Paths of all commits: each path once, and for each commit the numbers of its paths in a few bytes.
///
/// They are read only where a catalog asks for them. A list that is told anew, since the first was cut short, leaves the first one
/// behind.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    names: IndexSet<Box<str>, FxBuildHasher>,
    lists: Vec<u8>,
}

/// Where the paths of a commit are, plus one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathList(NonZeroU64);

impl Paths {
    /// Keeps a list, and whether it is whole.
    pub fn keep(&mut self, whole: bool, paths: Vec<String>) -> Option<PathList> {
        let numbers: Vec<usize> = paths.into_iter().map(|path| self.number(path)).collect();
        let list = postcard::to_stdvec(&(whole, numbers)).ok()?;
        let at = PathList(NonZeroU64::MIN.saturating_add(self.lists.len() as u64));
        // Not doubled: there may be many megabytes of it.
        let more = list.len().max(self.lists.len() / 8);
        if self.lists.capacity() - self.lists.len() < list.len() {
            self.lists.reserve_exact(more);
        }
        self.lists.extend(list);
        Some(at)
    }

    fn number(&mut self, path: String) -> usize {
        self.names.get_index_of(path.as_str()).unwrap_or_else(|| self.names.insert_full(path.into()).0)
    }

    /// Reads a list back.
    pub fn get(&self, list: PathList) -> Option<(bool, Vec<String>)> {
        let at = usize::try_from(list.0.get() - 1).ok()?;
        let ((whole, numbers), _) = postcard::take_from_bytes::<(bool, Vec<usize>)>(self.lists.get(at..)?).ok()?;
        Some((
            whole,
            numbers.iter().filter_map(|number| self.names.get_index(*number)).map(|path| (**path).to_owned()).collect(),
        ))
    }
}
