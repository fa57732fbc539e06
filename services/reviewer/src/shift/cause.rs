//! Which segment made the difference.
//!
//! Segments add up to the whole, and so do their means, but not their medians: a gate that half of the releases do not meet has a
//! median of nothing. Odd releases would rule the means, so that of each side the middle half by the whole is taken, release by
//! release (the interquartile mean, Tukey 1977, of the whole): what is left adds up, and zeros are as good as any number.

use model::Millis;
use model::fact::SEGMENTS;

use super::{Change, Release};

/// The first segment behind the merge in the order of the way.
const MERGED: usize = 2;

/// What became of each segment between merge and production, the one that grew most first.
pub fn changes(before: &[&Release], after: &[&Release]) -> Vec<Change> {
    let (before, after) = (middle_half(before), middle_half(after));
    if before.is_empty() || after.is_empty() {
        return Vec::new();
    }
    let change = |(place, segment)| Change { segment, before: mean(&before, place), after: mean(&after, place) };
    let mut changes: Vec<Change> = SEGMENTS.into_iter().enumerate().skip(MERGED).map(change).collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.growth()));
    changes
}

/// The middle half, by the time from merge to production, of those that tell any segment.
fn middle_half<'a>(releases: &[&'a Release]) -> Vec<&'a Release> {
    let told = |release: &&Release| release.segments.iter().skip(MERGED).any(Option::is_some);
    let mut releases: Vec<&Release> = releases.iter().copied().filter(told).collect();
    releases.sort_by_key(|release| release.merge_to_production);
    let quarter = releases.len() / 4;
    releases.drain(..quarter);
    releases.truncate(releases.len() - quarter);
    releases
}

/// Mean of a segment; a release that has none of it spent no time there.
fn mean(releases: &[&Release], place: usize) -> Millis {
    let times = releases.iter().map(|release| release.segments.get(place).copied().flatten().unwrap_or_default());
    let sum: i128 = times.map(|time| i128::from(time.0)).sum();
    Millis(i64::try_from(sum / (releases.len() as i128).max(1)).unwrap_or_default())
}
