//! What the statistics find in the history of a component.

use model::fact::ReleaseKind;
use model::{Millis, Timestamp};

use super::history::History;
use crate::failures;
use crate::shift::{self, Release, Rules, Verdict};

/// A wait for a gate below it is none that anybody would change.
const GATE_FLOOR: Millis = Millis(60_000);
/// A wait for a runner below it neither.
const QUEUE_FLOOR: Millis = Millis(30_000);
/// How long builds must have waited longer: runners that are short for a day are an incident.
const QUEUE_LASTING: Millis = Millis(24 * 3_600_000);
/// The least shift of a wait for runners; hours differ by more than releases do.
const QUEUE_LEAST: i64 = 1500;

/// What is found of a component.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Merge to production of regular releases.
    pub lead_time: Verdict,
    /// Their waits for gates.
    pub gate_wait: Verdict,
    /// Waits of builds for a runner.
    pub build_queue: Verdict,
    /// Releases that fail.
    pub failures: failures::Verdict,
    /// When the newest release came to production.
    pub last_release: Option<Timestamp>,
}

impl Found {
    /// Looks for shifts; one of lead time or of gates is told of from `least` thousandths.
    pub fn of(history: &History, acknowledged: &[Timestamp], least: i64) -> Self {
        let rules = Rules { least, ..Rules::default() };
        let now = |releases: &[Release], rules: &Rules| {
            shift::examine(releases, ReleaseKind::Regular, acknowledged, rules).now
        };
        let queue_rules =
            Rules { least: least.max(QUEUE_LEAST), lasting: QUEUE_LASTING, floor: QUEUE_FLOOR, ..Rules::default() };
        Self {
            lead_time: now(&history.releases, &rules),
            gate_wait: now(&gate_waits(&history.releases), &Rules { floor: GATE_FLOOR, ..rules.clone() }),
            build_queue: now(&queues(&history.queue), &queue_rules),
            failures: failures::examine(&history.outcomes, acknowledged, &failures::Rules::default()),
            last_release: history.releases.last().map(|release| release.at),
        }
    }
}

/// Releases whose time is what they waited for gates.
fn gate_waits(releases: &[Release]) -> Vec<Release> {
    let place = model::fact::SEGMENTS.iter().position(|segment| *segment == "gate_wait");
    let wait = |release: &Release| place.and_then(|place| release.segments.get(place).copied().flatten());
    let timed = |release: &Release| timed(release.at, release.kind, wait(release));
    releases.iter().map(timed).collect()
}

/// Hours, as the statistic takes releases.
fn queues(hours: &[(Timestamp, Millis)]) -> Vec<Release> {
    hours.iter().map(|(at, queue)| timed(*at, ReleaseKind::Regular, Some(*queue))).collect()
}

fn timed(at: Timestamp, kind: ReleaseKind, time: Option<Millis>) -> Release {
    Release { at, kind, merge_to_production: time, segments: Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::Outcome;

    const HOUR: i64 = 3_600_000;
    const MINUTE: i64 = 60_000;

    /// A release every eight hours: `gate` minutes at the gate and an hour of builds.
    fn history(gates: impl IntoIterator<Item = i64>) -> History {
        let mut history = History::default();
        for (place, gate) in (0..).zip(gates) {
            let at = Timestamp(place * 8 * HOUR);
            // No two alike, as in life.
            let gate = gate * MINUTE + (place * 7919) % MINUTE;
            let mut segments = [Some(Millis(0)); 10];
            (segments[5], segments[6]) = (Some(Millis(HOUR)), Some(Millis(gate)));
            let merge_to_production = Some(Millis(HOUR + gate));
            history.releases.push(Release { at, kind: ReleaseKind::Regular, merge_to_production, segments });
            history.outcomes.push(Outcome { at, failed: false });
        }
        history
    }

    #[test]
    fn a_gate_that_is_slower_is_found_twice_and_named() {
        let found = Found::of(&history([30; 80].into_iter().chain([150; 20])), &[], 1200);
        let (Verdict::Slower(lead), Verdict::Slower(gate)) = (&found.lead_time, &found.gate_wait) else {
            panic!("{found:?}")
        };
        assert_eq!(lead.cause().map(|change| change.segment), Some("gate_wait"));
        // 60 minutes of builds and 150 at the gate, where there were 60 and 30.
        assert!((2300..2360).contains(&lead.ratio.estimate), "{lead:?}");
        assert!((4700..5200).contains(&gate.ratio.estimate), "{gate:?}");
        assert_eq!(found.failures, failures::Verdict::Usual);
        assert_eq!(found.last_release, Some(Timestamp(99 * 8 * HOUR)));
    }

    #[test]
    fn what_was_acknowledged_is_the_usual() {
        let history = history([30; 80].into_iter().chain([150; 25]));
        let found = Found::of(&history, &[Timestamp(104 * 8 * HOUR + 1)], 1200);
        assert_eq!((found.lead_time, found.gate_wait), (Verdict::Steady, Verdict::Steady));
    }

    /// Seconds at a gate, or for a runner, are nobody's trouble, whatever their ratio.
    #[test]
    fn what_nobody_would_change_is_not_told_of() {
        let mut history = history([0; 100]);
        for (place, release) in history.releases.iter_mut().enumerate() {
            release.segments[6] = Some(Millis(if place < 70 { 2_000 } else { 40_000 }));
        }
        let hour = |place: i64| (Timestamp(place * HOUR), Millis(if place < 200 { 1_000 } else { 20_000 }));
        history.queue = (0..300).map(hour).collect();
        let found = Found::of(&history, &[], 1200);
        assert_eq!((found.gate_wait, found.build_queue), (Verdict::Steady, Verdict::Steady));
    }

    #[test]
    fn runners_that_are_short_for_good_are_found_and_for_an_afternoon_not() {
        // Working hours of 40 days, five minutes and some.
        let hour = |place: i64| Timestamp((place / 10 * 24 + place % 10) * HOUR);
        let wait = |place: i64, minutes: i64| Millis(minutes * MINUTE + (place * 7919) % (4 * MINUTE));
        let queue = |slow: std::ops::Range<i64>| {
            let minutes = move |place| if slow.contains(&place) { 20 } else { 5 };
            History {
                queue: (0..400).map(|place| (hour(place), wait(place, minutes(place)))).collect(),
                ..History::default()
            }
        };
        assert_eq!(Found::of(&queue(395..400), &[], 1200).build_queue, Verdict::Steady);
        assert_eq!(Found::of(&queue(340..345), &[], 1200).build_queue, Verdict::Steady);
        let Verdict::Slower(shift) = Found::of(&queue(375..400), &[], 1200).build_queue else { panic!("not found") };
        assert!((2000..4000).contains(&shift.ratio.estimate), "{shift:?}");
    }
}
