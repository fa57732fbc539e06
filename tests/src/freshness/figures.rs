//! What came out, in milliseconds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::send::Sent;
use super::stations::Way;

/// How durations are spread. Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// Rows of a table that were followed, and how long they took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OfTable {
    pub rows: usize,
    #[serde(flatten)]
    pub spread: Spread,
}

/// What the parts of a way take. Each begins where the one before ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Hops {
    /// From when it was due until the broker has it in the inbox.
    pub inbox: Spread,
    /// Until its event is written.
    pub event: Spread,
    /// Until the event is committed, and the fact written that follows from it.
    pub fact: Spread,
    /// Until the fact is committed, and its row there for everybody.
    pub row: Spread,
}

impl Spread {
    /// Of durations in microseconds; of none it is zero.
    pub fn of(durations: impl IntoIterator<Item = i64>) -> Self {
        let mut durations: Vec<i64> = durations.into_iter().collect();
        durations.sort_unstable();
        let at = |per_mille: usize| {
            // The smallest that so many are not longer than.
            let place = (durations.len() * per_mille).div_ceil(1000).saturating_sub(1);
            durations.get(place).map_or(0.0, |micros| (*micros as f64 / 100.0).round() / 10.0)
        };
        Self { p50_ms: at(500), p95_ms: at(950), p99_ms: at(990), max_ms: at(1000) }
    }

    /// From when a webhook was due until it was answered.
    pub fn answers(sent: &[Sent]) -> Self {
        Self::of(sent.iter().filter(|sent| sent.accepted).map(|sent| sent.answered - sent.due))
    }

    /// From when a webhook was due until its row was there.
    pub fn ways(ways: &[(&'static str, Way)]) -> Self {
        Self::of(ways.iter().map(|(_, way)| way.visible - way.due))
    }

    /// The same by table.
    pub fn tables(ways: &[(&'static str, Way)]) -> BTreeMap<&'static str, OfTable> {
        let mut tables: BTreeMap<&'static str, Vec<(&'static str, Way)>> = BTreeMap::new();
        for way in ways {
            tables.entry(way.0).or_default().push(*way);
        }
        let of = |ways: Vec<_>| OfTable { rows: ways.len(), spread: Self::ways(&ways) };
        tables.into_iter().map(|(table, ways)| (table, of(ways))).collect()
    }
}

impl Hops {
    pub fn of(ways: &[(&'static str, Way)]) -> Self {
        let hop = |part: fn(&Way) -> i64| Spread::of(ways.iter().map(|(_, way)| part(way)));
        Self {
            inbox: hop(|way| way.inbox - way.due),
            event: hop(|way| way.event - way.inbox),
            fact: hop(|way| way.fact - way.event),
            row: hop(|way| way.visible - way.fact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_duration_that_was_measured() {
        let spread = Spread::of((1..=200).rev().map(|ms| ms * 1000));
        assert_eq!(spread, Spread { p50_ms: 100.0, p95_ms: 190.0, p99_ms: 198.0, max_ms: 200.0 });
        assert_eq!(Spread::of([1_449]), Spread { p50_ms: 1.4, p95_ms: 1.4, p99_ms: 1.4, max_ms: 1.4 });
        assert_eq!(Spread::of([]), Spread::default());
    }
}
