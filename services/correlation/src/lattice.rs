//! The values that knowledge is made of: each grows by a `join` that is commutative, associative and idempotent.
//!
//! So what is known after a set of observations depends on the set alone, not on order, repetition or delay (invariant 1). Values
//! that belong together stand in one register and move as a whole.

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// A join-semilattice.
pub trait Join {
    /// Takes in what `other` knows; true when that was news.
    fn join(&mut self, other: Self) -> bool;
}

/// The smallest value told: what is written once, such as the time of creation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Least<T>(pub Option<T>);

/// The greatest value told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Greatest<T>(pub Option<T>);

/// The value told last by the source's clock; of two told at one instant the greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Latest<T>(pub Option<(Timestamp, T)>);

/// A flag that once raised stays raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Raised(pub bool);

impl<T> Default for Least<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Greatest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Latest<T> {
    /// Told at `at`, where it was told at all.
    pub fn told(at: Timestamp, value: Option<T>) -> Self {
        Self(value.map(|value| (at, value)))
    }

    /// The value, where one was told.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}

impl<T: Ord> Join for Least<T> {
    fn join(&mut self, other: Self) -> bool {
        let news = other.0.is_some() && (self.0.is_none() || other.0 < self.0);
        if news {
            *self = other;
        }
        news
    }
}

impl<T: Ord> Join for Greatest<T> {
    fn join(&mut self, other: Self) -> bool {
        let news = other.0 > self.0;
        if news {
            *self = other;
        }
        news
    }
}

impl<T: Ord> Join for Latest<T> {
    fn join(&mut self, other: Self) -> bool {
        let news = other.0 > self.0;
        if news {
            *self = other;
        }
        news
    }
}

impl Join for Raised {
    fn join(&mut self, other: Self) -> bool {
        let news = other.0 && !self.0;
        self.0 |= other.0;
        news
    }
}

/// What is rare stands apart; nothing known of it is less than anything.
impl<T: Join> Join for Option<Box<T>> {
    fn join(&mut self, other: Self) -> bool {
        match (self.as_mut(), other) {
            (_, None) => false,
            (Some(known), Some(other)) => known.join(*other),
            (None, other) => {
                *self = other;
                true
            }
        }
    }
}

/// Joins a record field by field.
macro_rules! join_fields {
    ($($record:ty { $($field:ident),* $(,)? })*) => {$(
        impl $crate::lattice::Join for $record {
            fn join(&mut self, other: Self) -> bool {
                let mut news = false;
                $(news |= $crate::lattice::Join::join(&mut self.$field, other.$field);)*
                news
            }
        }
    )*};
}
pub(crate) use join_fields;
