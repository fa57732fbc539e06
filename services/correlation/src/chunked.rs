//! A list of millions of values that never moves them.
//!
//! A `Vec` doubles: up to half of its room is unused, and each time everything is copied while it is there twice.

use std::ops::{Index, IndexMut};

/// Values in one piece.
const PIECE: usize = 1024;

/// Values by their numbers from zero, in pieces.
#[derive(Clone, Debug)]
pub struct Chunked<T>(Vec<Vec<T>>);

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunked<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    /// A value, where there are so many.
    pub fn get(&self, number: usize) -> Option<&T> {
        self.0.get(number / PIECE)?.get(number % PIECE)
    }

    /// Adds a value at the end.
    pub fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(value),
            // The first piece grows as it is needed: many lists stay short.
            None => self.0.push(vec![value]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(value);
                self.0.push(piece);
            }
        }
    }

    /// Adds values at the end until there are so many.
    pub fn grow_to(&mut self, length: usize, with: impl Fn() -> T) {
        while self.len() < length {
            self.push(with());
        }
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, number: usize) -> &T {
        &self.0[number / PIECE][number % PIECE]
    }
}

impl<T> IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, number: usize) -> &mut T {
        &mut self.0[number / PIECE][number % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_over_the_ends_of_pieces() {
        let mut list = Chunked::default();
        for number in 0..2 * PIECE + 3 {
            assert_eq!((list.len(), list.get(number)), (number, None));
            list.push(number);
        }
        list[PIECE] += 1;
        assert_eq!([list[PIECE - 1], list[PIECE], list[2 * PIECE]], [PIECE - 1, PIECE + 1, 2 * PIECE]);
        list.grow_to(3 * PIECE, || 7);
        assert_eq!((list.len(), list.iter().filter(|n| **n == 7).count()), (3 * PIECE, PIECE - 3 + 1));
    }
}
