//! A short list for each of very many things that are numbered from zero.
//!
//! Most commits have one parent and one commit that follows. A list as long as `N` stands in place; the few longer ones stand
//! apart and are written anew whenever they change.

use smallvec::SmallVec;

use crate::chunked::Chunked;

/// A value that is a number below 2³¹.
pub trait Number: Copy + Ord {
    fn of(number: u32) -> Self;
    fn number(self) -> u32;
}

impl Number for u32 {
    fn of(number: u32) -> Self {
        number
    }

    fn number(self) -> u32 {
        self
    }
}

/// Lists of values, by the number of what they belong to.
#[derive(Clone, Debug)]
pub struct Lists<T, const N: usize> {
    short: Chunked<[T; N]>,
    long: Chunked<Box<[T]>>,
    /// Places in `long` that nobody uses.
    free: Vec<u32>,
}

/// Stands where a short list is over.
const NOTHING: u32 = u32::MAX;
/// Marks the place of a long list.
const LONG: u32 = 1 << 31;

impl<T, const N: usize> Default for Lists<T, N> {
    fn default() -> Self {
        Self { short: Chunked::default(), long: Chunked::default(), free: Vec::new() }
    }
}

impl<T: Number, const N: usize> Lists<T, N> {
    /// A list.
    pub fn of(&self, owner: usize) -> &[T] {
        let Some(short) = self.short.get(owner) else { return &[] };
        match long(short) {
            Some(at) => &self.long[at as usize],
            None => &short[..short.iter().position(|value| value.number() == NOTHING).unwrap_or(N)],
        }
    }

    /// Replaces a list.
    pub fn set(&mut self, owner: usize, values: &[T]) {
        if owner >= self.short.len() {
            if values.is_empty() {
                return;
            }
            self.short.grow_to(owner + 1, || [T::of(NOTHING); N]);
        }
        let before = long(&self.short[owner]);
        let mut short = [T::of(NOTHING); N];
        if values.len() <= N {
            short[..values.len()].copy_from_slice(values);
            if let Some(at) = before {
                self.long[at as usize] = Box::default();
                self.free.push(at);
            }
        } else {
            let at = before.or_else(|| self.free.pop()).unwrap_or_else(|| {
                self.long.push(Box::default());
                u32::try_from(self.long.len() - 1).unwrap_or(LONG - 1)
            });
            self.long[at as usize] = values.into();
            short[0] = T::of(LONG | at);
        }
        self.short[owner] = short;
    }

    /// Adds a value at the end of a list.
    pub fn push(&mut self, owner: usize, value: T) {
        let mut values: SmallVec<[T; 8]> = self.of(owner).into();
        values.push(value);
        self.set(owner, &values);
    }

    /// Adds a value to a list in order, unless it is in there.
    pub fn add(&mut self, owner: usize, value: T) {
        if let Err(at) = self.of(owner).binary_search(&value) {
            let mut values: SmallVec<[T; 8]> = self.of(owner).into();
            values.insert(at, value);
            self.set(owner, &values);
        }
    }

    /// Takes a value out of a list.
    pub fn remove(&mut self, owner: usize, value: T) {
        let kept: SmallVec<[T; 8]> = self.of(owner).iter().copied().filter(|other| *other != value).collect();
        self.set(owner, &kept);
    }
}

/// Place of a long list.
fn long<T: Number, const N: usize>(short: &[T; N]) -> Option<u32> {
    let first = short[0].number();
    (first != NOTHING && first & LONG != 0).then_some(first & !LONG)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_the_lists_that_were_set(
            steps in prop::collection::vec((0..6usize, 0..3u8, prop::collection::vec(0..9u32, 0..5)), 0..60),
        ) {
            let mut lists: Lists<u32, 2> = Lists::default();
            let mut plain = vec![Vec::<u32>::new(); 6];
            for (owner, what, values) in steps {
                let expected = &mut plain[owner];
                match (what, values.first()) {
                    (0, Some(value)) => {
                        lists.push(owner, *value);
                        expected.push(*value);
                    }
                    (1, Some(value)) => {
                        lists.remove(owner, *value);
                        expected.retain(|other| other != value);
                    }
                    _ => {
                        lists.set(owner, &values);
                        *expected = values;
                    }
                }
                for (owner, expected) in plain.iter().enumerate() {
                    prop_assert_eq!(lists.of(owner), expected.as_slice());
                }
                let long = plain.iter().filter(|values| values.len() > 2).count();
                prop_assert_eq!(lists.long.len() - lists.free.len(), long, "none is lost, none is left");
            }
        }
    }

    #[test]
    fn what_is_added_is_in_order_and_once() {
        let mut lists: Lists<u32, 1> = Lists::default();
        [5, 3, 5, 4].into_iter().for_each(|value| lists.add(7, value));
        assert_eq!((lists.of(7), lists.of(8)), (&[3, 4, 5][..], &[][..]));
    }
}
