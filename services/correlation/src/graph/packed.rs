//! What many commits say alike, and what is read seldom.

use std::hash::Hash;
use std::num::NonZeroU32;

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
/// They are read only where a catalog asks for them. A list that is told anew, since the first was cut short or since everything is
/// learnt again, leaves the first one behind.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    names: IndexSet<Box<str>, FxBuildHasher>,
    /// Lists one after the other, in pieces that are never moved.
    pieces: Vec<Vec<u8>>,
}

/// About how long a piece is.
const PIECE: usize = 64 * 1024;

/// Where the paths of a commit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathList {
    /// Number of the piece, from one.
    piece: NonZeroU32,
    begin: u32,
}

impl Paths {
    /// Keeps a list, and whether it is whole.
    pub fn keep(&mut self, whole: bool, paths: Vec<String>) -> Option<PathList> {
        let numbers: Vec<usize> = paths.into_iter().map(|path| self.number(path)).collect();
        let list = postcard::to_stdvec(&(whole, numbers)).ok()?;
        let fits = self.pieces.last().is_some_and(|last| last.len() + list.len() <= PIECE);
        if !fits {
            // The first piece grows as it is needed: most realms are small.
            let room = if self.pieces.is_empty() { 0 } else { PIECE.max(list.len()) };
            self.pieces.push(Vec::with_capacity(room));
        }
        let piece = NonZeroU32::new(u32::try_from(self.pieces.len()).ok()?)?;
        let last = self.pieces.last_mut()?;
        let begin = u32::try_from(last.len()).ok()?;
        last.extend(list);
        Some(PathList { piece, begin })
    }

    fn number(&mut self, path: String) -> usize {
        self.names.get_index_of(path.as_str()).unwrap_or_else(|| self.names.insert_full(path.into()).0)
    }

    /// Reads a list back.
    pub fn get(&self, list: PathList) -> Option<(bool, Vec<String>)> {
        let piece = self.pieces.get(list.piece.get() as usize - 1)?;
        let bytes = piece.get(list.begin as usize..)?;
        let ((whole, numbers), _) = postcard::take_from_bytes::<(bool, Vec<usize>)>(bytes).ok()?;
        Some((
            whole,
            numbers.iter().filter_map(|number| self.names.get_index(*number)).map(|path| (**path).to_owned()).collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_over_the_ends_of_pieces() {
        let mut paths = Paths::default();
        let told =
            |n: usize| (n.is_multiple_of(3), (0..n % 7).map(|k| format!("src/{}/{k}.rs", n % 90)).collect::<Vec<_>>());
        let long = (true, (0..2 * PIECE).map(|n| n.to_string()).collect::<Vec<_>>());
        let mut kept = Vec::new();
        for n in 0..30_000 {
            let (whole, list) = if n == 20_000 { long.clone() } else { told(n) };
            kept.push(paths.keep(whole, list).unwrap());
        }
        assert!(paths.pieces.len() > 2);
        for (n, list) in kept.into_iter().enumerate() {
            assert_eq!(paths.get(list).unwrap(), if n == 20_000 { long.clone() } else { told(n) });
        }
    }
}
