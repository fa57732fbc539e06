//! What is left to chance.

use std::ops::RangeInclusive;

use fastrand::Rng;
use model::event::{Actor, ActorKind};
use model::{CommitId, Millis};

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

/// Chance, with the shapes that delivery needs.
#[derive(Debug)]
pub struct Draw(Rng);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// Chance of its own, for a part that lives by itself.
    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    /// True so many times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.0.u32(..1_000) < per_mille
    }

    pub fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.0.i64(range)
    }

    pub fn count(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.usize(range)
    }

    /// A duration around `mean`, most of them shorter: a quarter to nearly twice of it, and one in ten up to five times.
    pub fn around(&mut self, mean: i64) -> Millis {
        let long = self.chance(100);
        let most = if long { mean * 5 } else { mean * 7 / 4 };
        Millis(self.0.i64(mean / 4..=most))
    }

    pub fn commit(&mut self) -> CommitId {
        CommitId::new(format!("{:032x}{:08x}", self.0.u128(..), self.0.u32(..)))
    }

    /// A delivery id as GitHub gives them: a UUID of version 4.
    pub fn uuid(&mut self) -> String {
        let bits = self.0.u128(..) & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.0.usize(..list.len())]
    }

    /// A keyed hash, as accounts are told.
    pub fn actor(&mut self, kind: ActorKind) -> Actor {
        Actor { key: Some(format!("{:032x}{:032x}", self.0.u128(..), self.0.u128(..))), kind }
    }

    /// How long an event takes until it arrives: most come within two seconds, some overtake one another, few are an hour late.
    pub fn delay(&mut self) -> Millis {
        let most = match self.0.u32(..1_000) {
            0 => HOUR,
            1..=9 => 10 * MINUTE,
            10..=99 => 30 * SECOND,
            _ => 2 * SECOND,
        };
        Millis(self.0.i64(0..=most))
    }
}
