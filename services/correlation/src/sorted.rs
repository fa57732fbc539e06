//! Sets and maps of which there are millions and which hold one value or a few: sorted lists without room to grow.
//!
//! A node of a `BTreeSet` has room for eleven values; of an attempt of a task that is two kilobytes. Written out they are the same.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::lattice::Join;

/// A set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SortedSet<T>(Box<[T]>);

/// A map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SortedMap<K, V>(Box<[(K, V)]>);

impl<T> Default for SortedSet<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> SortedSet<T> {
    /// Of a single value.
    pub fn of(value: T) -> Self {
        Self(Box::new([value]))
    }
}

/// In order.
impl<T> Deref for SortedSet<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Ord> FromIterator<T> for SortedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut values: Vec<T> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Self(values.into())
    }
}

impl<T> IntoIterator for SortedSet<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl<'a, T> IntoIterator for &'a SortedSet<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K, V> SortedMap<K, V> {
    /// Of a single entry.
    pub fn of(key: K, value: V) -> Self {
        Self(Box::new([(key, value)]))
    }

    /// Entries in the order of their keys.
    pub fn iter(&self) -> <&Self as IntoIterator>::IntoIter {
        self.into_iter()
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The entry of the smallest key.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.binary_search_by(|(of, _)| of.cmp(key)).ok().map(|at| &self.0[at].1)
    }
}

impl<K: Ord, V: Join> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.join(Self::of(key, value));
        }
        map
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl<T: Ord> Join for SortedSet<T> {
    fn join(&mut self, other: Self) -> bool {
        let unknown = |value: &T| self.0.binary_search(value).is_err();
        if !other.iter().any(unknown) {
            return false;
        }
        *self = std::mem::take(self).into_iter().chain(other).collect();
        true
    }
}

impl<K: Ord, V: Join> Join for SortedMap<K, V> {
    fn join(&mut self, other: Self) -> bool {
        let mut news = false;
        let mut unknown = Vec::new();
        for (key, value) in other.0.into_vec() {
            match self.0.binary_search_by(|(of, _)| of.cmp(&key)) {
                Ok(at) => news |= self.0[at].1.join(value),
                Err(_) => unknown.push((key, value)),
            }
        }
        if unknown.is_empty() {
            return news;
        }
        let mut entries = std::mem::take(&mut self.0).into_vec();
        entries.append(&mut unknown);
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.0 = entries.into();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lattice::Least;

    #[test]
    fn a_set_is_sorted_and_says_what_is_new() {
        let mut set: SortedSet<i32> = [3, 1, 3, 2].into_iter().collect();
        assert_eq!(*set, [1, 2, 3]);
        assert!(!set.join([2, 1].into_iter().collect()));
        assert!(set.join([4, 0, 2].into_iter().collect()));
        assert_eq!(*set, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_map_joins_values_of_one_key() {
        let mut map: SortedMap<i32, Least<i32>> = [(2, Least(Some(5))), (1, Least(Some(1)))].into_iter().collect();
        assert!(!map.join(SortedMap::of(2, Least(Some(7)))));
        assert!(map.join(SortedMap::of(2, Least(Some(3)))));
        assert!(map.join(SortedMap::of(0, Least(None))));
        assert_eq!(map.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((map.get(&2), map.get(&3)), (Some(&Least(Some(3))), None));
    }

    #[test]
    fn they_are_written_as_sets_and_maps_of_the_library_are() {
        use std::collections::{BTreeMap, BTreeSet};
        let set: SortedSet<i32> = [3, 1].into_iter().collect();
        assert_eq!(postcard::to_stdvec(&set), postcard::to_stdvec(&BTreeSet::from([1, 3])));
        let map: SortedMap<i32, Least<i32>> = [(2, Least(Some(5))), (1, Least(None))].into_iter().collect();
        let plain = BTreeMap::from([(2, Some(5)), (1, None)]);
        assert_eq!(postcard::to_stdvec(&map), postcard::to_stdvec(&plain));
    }
}
