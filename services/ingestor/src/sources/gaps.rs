//! When deliveries may be missing: pure functions of what was seen.

use std::collections::{BTreeMap, BTreeSet};

use model::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::{Cause, DAYS, Day, Gap, Seen, State, date};

const DAY_MS: i64 = 86_400_000;
/// With less history than this a source has no habit.
const DAYS_OF_HABIT: i64 = 3;
/// A silence is beyond the habit where it is so many times as long as the longest one.
const BEYOND: i64 = 3;

/// From the first instant on, up to the second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Interval {
    /// How long it is.
    #[must_use]
    pub fn length(self) -> Millis {
        self.to - self.from
    }

    /// Whether some instant belongs to both, or one follows the other at once.
    fn touches(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// The time in which no front door was open: since one was last known to be, where that is longer ago than `least`.
#[must_use]
pub fn away(alive_at: Option<Timestamp>, now: Timestamp, least: Millis) -> Option<Interval> {
    let from = alive_at?;
    (now - from > least).then_some(Interval { from, to: now })
}

/// The longest silence of a source in the last days; none where its habits are not known yet.
///
/// Several front doors each see a part: of a day the true silence is no longer than the shortest of theirs.
#[must_use]
pub fn habit(seen: &[&Seen], now: Timestamp) -> Option<Millis> {
    let mut days: BTreeMap<&str, Millis> = BTreeMap::new();
    for (date, Day { accepted, silence, .. }) in seen.iter().flat_map(|seen| &seen.days) {
        if *accepted > 0 {
            let longest = days.entry(date).or_insert(*silence);
            *longest = (*longest).min(*silence);
        }
    }
    let (oldest, settled) = (date(now + Millis(-DAYS * DAY_MS)), date(now + Millis(-DAYS_OF_HABIT * DAY_MS)));
    days.retain(|date, _| **date >= *oldest);
    let has_habit = days.keys().next().is_some_and(|first| **first <= *settled);
    days.into_values().max().filter(|longest| has_habit && longest.0 > 0)
}

/// The silence of a source up to now, where it is beyond its habit and no shorter than `least`. Time before `awake_since`, when
/// nothing could have arrived, does not count.
#[must_use]
pub fn silence(seen: &[&Seen], awake_since: Option<Timestamp>, now: Timestamp, least: Millis) -> Option<Interval> {
    let accepted_at = seen.iter().filter_map(|seen| seen.accepted_at).max()?;
    let quiet = now - awake_since.map_or(accepted_at, |awake| awake.max(accepted_at));
    let beyond = Millis(habit(seen, now)?.0.saturating_mul(BEYOND)).max(least);
    (quiet > beyond).then_some(Interval { from: accepted_at, to: now })
}

/// What has to be written of the silences of a source: one that begins, one that has doubled, and so is worth another question, and
/// one that has ended, with a last question for its end.
#[must_use]
pub fn follow_silence(gaps: &[Gap], seen: &[&Seen], now: Timestamp, least: Millis) -> Option<Gap> {
    let source = seen.first()?.source.clone();
    let accepted_at = seen.iter().filter_map(|seen| seen.accepted_at).max()?;
    if let Some(gap) = gaps.iter().find(|gap| gap.cause == Cause::Silent) {
        let Interval { from, to } = gap.interval;
        if accepted_at > from {
            let interval = Interval { from, to: to.max(accepted_at) };
            return Some(Gap::new(source, interval, Cause::Silence));
        }
        let doubled = now - to > gap.interval.length();
        return doubled.then(|| Gap::new(source, Interval { from, to: now }, Cause::Silent));
    }
    let awake_since = gaps.iter().filter(|gap| gap.cause == Cause::Away).map(|gap| gap.interval.to).max();
    silence(seen, awake_since, now, least).map(|interval| Gap::new(source, interval, Cause::Silent))
}

/// Open gaps of a source that touch become one. What is to be written, and the gaps that are part of it now.
#[must_use]
pub fn merge(gaps: &[Gap]) -> Vec<(Gap, Vec<Gap>)> {
    let mut open: Vec<&Gap> = gaps.iter().filter(|gap| matches!(gap.state, State::Open { .. })).collect();
    // A silence that goes on changes its end, and stays by itself until it has ended.
    open.retain(|gap| gap.cause != Cause::Silent);
    open.sort_by_key(|gap| gap.interval);
    let mut merged: Vec<(Gap, Vec<Gap>)> = Vec::new();
    for gap in open {
        match merged.last_mut() {
            Some((whole, parts)) if whole.interval.touches(gap.interval) => {
                whole.interval.to = whole.interval.to.max(gap.interval.to);
                whole.state = State::open();
                parts.push(gap.clone());
            }
            _ => merged.push((gap.clone(), Vec::new())),
        }
    }
    merged.retain(|(_, parts)| !parts.is_empty());
    for (whole, parts) in &mut merged {
        // One that began at the same instant has the same key, and is replaced.
        let own = whole.key();
        parts.retain(|part| part.key() != own);
    }
    merged
}

/// The names of all events that a source has sent.
#[must_use]
pub fn names(seen: &[&Seen]) -> BTreeSet<String> {
    seen.iter().flat_map(|seen| seen.events.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: Timestamp = Timestamp(1_714_564_800_000);
    const LEAST: Millis = Millis(HOUR);

    fn before(hours: i64) -> Timestamp {
        Timestamp(NOW.0 - hours * HOUR)
    }

    fn interval(from: i64, to: i64) -> Interval {
        Interval { from: Timestamp(from), to: Timestamp(to) }
    }

    /// Deliveries so many hours ago.
    fn seen(instance: &str, hours_ago: impl IntoIterator<Item = i64>) -> Seen {
        let mut seen = Seen::nothing("shop".into(), instance.to_owned());
        let mut last = None;
        for hours in hours_ago {
            seen.accept(None, last.map(|last| before(hours) - last), before(hours));
            last = Some(before(hours));
        }
        seen
    }

    /// Every second hour for ten days, until so many hours ago.
    fn regular(until: i64) -> Seen {
        seen("0", (0..120).rev().map(|n| until + 2 * n))
    }

    #[test]
    fn a_short_restart_is_no_absence() {
        assert_eq!(away(None, NOW, Millis(30_000)), None);
        assert_eq!(away(Some(Timestamp(NOW.0 - 30_000)), NOW, Millis(30_000)), None);
        let gap = away(Some(before(2)), NOW, Millis(30_000)).unwrap();
        assert_eq!((gap.from, gap.to), (before(2), NOW));
    }

    #[test]
    fn a_silence_counts_when_it_is_three_times_the_longest() {
        let seen = regular(6);
        assert_eq!(habit(&[&seen], NOW), Some(Millis(2 * HOUR)));
        assert_eq!(silence(&[&seen], None, NOW, LEAST), None);
        let seen = regular(7);
        assert_eq!(silence(&[&seen], None, NOW, LEAST).unwrap().length(), Millis(7 * HOUR));
        assert_eq!(silence(&[&seen], None, NOW, Millis(9 * HOUR)), None, "shorter than the least");
        assert_eq!(silence(&[&seen], Some(before(5)), NOW, LEAST), None, "nothing could arrive before");
    }

    #[test]
    fn a_weekend_belongs_to_the_habit() {
        let weekdays = (20..260).rev().filter(|hours| !(60..130).contains(hours));
        let seen = seen("0", weekdays);
        assert_eq!(habit(&[&seen], NOW), Some(Millis(71 * HOUR)));
        assert_eq!(silence(&[&seen], None, NOW, LEAST), None);
    }

    #[test]
    fn without_history_there_is_no_habit_and_no_alarm() {
        let young = seen("0", (30..60).rev());
        assert_eq!(habit(&[&young], NOW), None);
        assert_eq!(silence(&[&young], None, NOW, LEAST), None);
        assert_eq!(silence(&[], None, NOW, LEAST), None);
        let long_gone = seen("0", (500..900).rev());
        assert_eq!(habit(&[&long_gone], NOW), None, "it was given up two weeks ago");
        assert_eq!(habit(&[&seen("0", [200])], NOW), None, "a single delivery tells no habit");
    }

    #[test]
    fn several_front_doors_see_one_habit() {
        let (odd, even) = (seen("0", (1..200).rev().step_by(4)), seen("1", (3..200).rev().step_by(4)));
        assert_eq!(habit(&[&odd, &even], NOW), Some(Millis(4 * HOUR)));
        let retired = seen("2", (100..200).rev().step_by(25));
        assert_eq!(habit(&[&odd, &retired], NOW), Some(Millis(4 * HOUR)), "of a day the shorter counts");
    }

    #[test]
    fn a_silence_is_asked_about_again_when_it_has_doubled_and_when_it_has_ended() {
        let quiet = regular(7);
        let first = follow_silence(&[], &[&quiet], NOW, LEAST).unwrap();
        assert_eq!((first.interval.from, first.interval.to, first.cause), (before(7), NOW, Cause::Silent));
        let later = |hours| Timestamp(NOW.0 + hours * HOUR);
        let known = [first];
        assert_eq!(follow_silence(&known, &[&quiet], later(7), LEAST), None);
        let doubled = follow_silence(&known, &[&quiet], later(8), LEAST).unwrap();
        assert_eq!((doubled.key(), doubled.interval.to, doubled.cause), (known[0].key(), later(8), Cause::Silent));
        let mut again = quiet.clone();
        again.accept(None, None, later(2));
        let ended = follow_silence(&known, &[&again], later(3), LEAST).unwrap();
        assert_eq!((ended.key(), ended.interval.to, ended.cause), (known[0].key(), later(2), Cause::Silence));
        assert_eq!(follow_silence(&[ended], &[&again], later(3), LEAST), None);
    }

    #[test]
    fn a_source_that_was_quiet_because_we_were_away_is_not_silent() {
        let away = Gap::new("shop".into(), Interval { from: before(7), to: before(1) }, Cause::Away);
        assert_eq!(follow_silence(&[away], &[&regular(7)], NOW, LEAST), None);
    }

    #[test]
    fn open_gaps_that_touch_are_one() {
        let gap = |from, to| Gap::new("shop".into(), interval(from, to), Cause::Away);
        let closed = Gap { state: State::Recovered { counts: super::super::Counts::default() }, ..gap(0, 100) };
        let merged = merge(&[gap(40, 50), gap(10, 20), gap(15, 30), gap(30, 35), closed]);
        assert_eq!(merged, [(gap(10, 35), vec![gap(15, 30), gap(30, 35)])]);
        assert!(merge(&[gap(10, 20), gap(21, 30)]).is_empty());
        assert_eq!(merge(&[gap(10, 20), gap(10, 30)]), [(gap(10, 30), vec![])]);
    }
}
