//! Goes through the releases of a component in the order of time.

use std::ops::Range;

use model::fact::ReleaseKind;
use model::{Millis, Timestamp};

use super::scan::{self, Cut};
use super::{Direction, Ended, Examined, Noticed, Release, Rules, Shift, Verdict, cause, size};

/// What is known after some of the releases.
pub struct Watch<'a> {
    releases: &'a [Release],
    rules: &'a Rules,
    /// Releases that count as history.
    usual: Line,
    /// How many of the oldest of them are slower ones that only fill up the number, after it became faster.
    slower: usize,
    standing: Option<Standing>,
    shifts: Vec<Noticed>,
}

/// Releases, by their places and with the logarithms of their times.
#[derive(Clone, Default)]
struct Line {
    places: Vec<usize>,
    logs: Vec<f64>,
}

/// A shift that has been noticed and is not over.
struct Standing {
    /// When it was noticed.
    noticed: Timestamp,
    /// The releases that it is held against.
    before: Line,
    /// Those since.
    after: Line,
    /// Logarithm of the time in the middle between before and after.
    middle: f64,
    /// How many more of the newest lie below the middle than above.
    back: u32,
    /// Where in `after` that began.
    back_since: usize,
}

impl Line {
    fn push(&mut self, place: usize, log: f64) {
        self.places.push(place);
        self.logs.push(log);
    }

    fn len(&self) -> usize {
        self.places.len()
    }

    /// Cuts off what lies from here on.
    fn split_off(&mut self, at: usize) -> Self {
        Self { places: self.places.split_off(at), logs: self.logs.split_off(at) }
    }

    fn append(&mut self, mut other: Self) {
        self.places.append(&mut other.places);
        self.logs.append(&mut other.logs);
    }

    /// The newest so many.
    fn newest(&self, count: usize) -> Self {
        let from = self.len().saturating_sub(count);
        Self { places: self.places[from..].to_vec(), logs: self.logs[from..].to_vec() }
    }
}

impl<'a> Watch<'a> {
    pub fn new(releases: &'a [Release], rules: &'a Rules) -> Self {
        Self { releases, rules, usual: Line::default(), slower: 0, standing: None, shifts: Vec::new() }
    }

    pub fn examine(mut self, kind: ReleaseKind, acknowledged: &[Timestamp]) -> Examined {
        let mut acknowledged = acknowledged.to_vec();
        acknowledged.sort_unstable();
        let mut acknowledged = acknowledged.into_iter().peekable();
        for (place, log) in self.of_kind(kind) {
            let at = self.at(place);
            while let Some(when) = acknowledged.next_if(|when| *when < at) {
                self.acknowledge(when);
            }
            if self.standing.is_some() {
                self.follow(place, log);
            } else {
                self.look(place, log);
            }
        }
        acknowledged.for_each(|when| self.acknowledge(when));
        Examined { now: self.verdict(), shifts: self.shifts }
    }

    /// Places and logarithms of the releases of a kind that tell how long they took, in the order of time.
    fn of_kind(&self, kind: ReleaseKind) -> Vec<(usize, f64)> {
        let releases = self.releases.iter().enumerate().filter(|(_, release)| release.kind == kind);
        let mut found: Vec<(usize, f64)> = releases
            .filter_map(|(place, release)| {
                let time = release.merge_to_production.filter(|time| time.0 >= 0)?;
                Some((place, (time.0.max(self.rules.floor.0) as f64).ln()))
            })
            .collect();
        found.sort_by_key(|(place, _)| self.at(*place));
        found
    }

    fn at(&self, place: usize) -> Timestamp {
        self.releases.get(place).map(|release| release.at).unwrap_or_default()
    }

    /// Holds the newest releases against those before: the faster ones alone once there are enough, and with those that fill them up.
    fn look(&mut self, place: usize, log: f64) {
        self.usual.push(place, log);
        if self.slower > 0 && self.usual.len() - self.slower > self.rules.reference {
            self.usual = self.usual.split_off(self.slower);
            self.slower = 0;
        }
        if !self.compare(self.slower) && self.slower > 0 {
            self.compare(0);
        }
    }

    /// Holds the newest releases against those before, from this one on; whether there is a shift.
    fn compare(&mut self, from: usize) -> bool {
        let rules = self.rules;
        let Some(longest) = (self.usual.len() - from).checked_sub(rules.enough) else { return false };
        // Whoever releases every few minutes has more in the time that a shift must last.
        let shortest = self.lasting();
        let longest = longest.min(rules.longest.max(2 * shortest));
        let oldest = self.usual.len().saturating_sub(rules.reference + longest).max(from);
        let Some((slower, faster)) = scan::extremes(&self.usual.logs[oldest..], shortest..=longest) else {
            return false;
        };
        if slower.above > rules.threshold {
            self.consider(Direction::Slower, slower, from)
        } else if -faster.above > rules.threshold && from == self.slower {
            self.consider(Direction::Faster, faster, from)
        } else {
            false
        }
    }

    /// How many of the newest releases there must be for them to have lasted.
    fn lasting(&self) -> usize {
        let newest = self.usual.places.last().map(|place| self.at(*place)).unwrap_or_default();
        let within = |place: &&usize| (newest - self.at(**place)).0 < self.rules.lasting.0;
        (self.usual.places.iter().rev().take_while(within).count() + 1).max(self.rules.fewest)
    }

    /// Notices a shift if it is large enough and still goes on.
    fn consider(&mut self, direction: Direction, cut: Cut, from: usize) -> bool {
        let rules = self.rules;
        let cut = self.usual.len() - cut.since;
        let from = cut.saturating_sub(rules.reference).max(from);
        let (before, after) = (&self.usual.logs[from..cut], &self.usual.logs[cut..]);
        let ratio = size::ratio(before, after).estimate;
        let large = match direction {
            Direction::Slower => ratio >= rules.least,
            Direction::Faster => ratio.saturating_mul(rules.least) <= 1_000_000,
        };
        let middle = size::median(before) + (ratio as f64 / 1000.0).ln() / 2.0;
        // It began with a release that is part of it, which chance may place behind the cut.
        let since = cut + after.iter().take_while(|log| !direction.is_beyond(**log, middle)).count();
        let noticed = large && self.goes_on(direction, since, middle);
        if noticed {
            self.notice(direction, from..since, middle);
        }
        noticed
    }

    /// Whether the releases that came once it had lasted are nearer to the new time than to the one before: two of them, and half.
    fn goes_on(&self, direction: Direction, since: usize, middle: f64) -> bool {
        let Some(first) = self.usual.places.get(since).map(|place| self.at(*place)) else { return false };
        let releases = self.usual.places.iter().zip(&self.usual.logs).skip(since);
        let later = releases.filter(|(place, _)| (self.at(**place) - first).0 >= self.rules.lasting.0);
        let (on, off): (Vec<f64>, Vec<f64>) =
            later.map(|(_, log)| *log).partition(|log| direction.is_beyond(*log, middle));
        on.len() >= 2 && on.len() >= off.len()
    }

    /// Takes note of a shift from the releases of this range to those behind it.
    fn notice(&mut self, direction: Direction, before: Range<usize>, middle: f64) {
        let after = self.usual.split_off(before.end);
        let before = self.usual.newest(before.len());
        let shift = self.describe(&before, &after);
        let at = after.places.last().copied().unwrap_or_default();
        let ended = (direction == Direction::Faster).then_some(Ended::Welcome);
        match direction {
            Direction::Faster => {
                // Until there are enough of the faster ones, some of before stay with them: nobody shall be unwatched for success.
                self.usual = before.newest(self.rules.enough.saturating_sub(after.len()));
                self.slower = self.usual.len();
                self.usual.append(after);
            }
            Direction::Slower => {
                self.standing = Some(Standing { noticed: self.at(at), before, after, middle, back: 0, back_since: 0 })
            }
        }
        self.shifts.push(Noticed { direction, at, shift, ended });
    }

    /// Whether a shift that stands still does after this release.
    fn follow(&mut self, place: usize, log: f64) {
        let at = self.at(place);
        let Some(standing) = &mut self.standing else { return };
        if standing.back == 0 {
            standing.back_since = standing.after.len();
        }
        standing.after.push(place, log);
        let still = Direction::Slower.is_beyond(log, standing.middle);
        standing.back = if still { standing.back.saturating_sub(1) } else { standing.back + 1 };
        if standing.back >= self.rules.back {
            let back = standing.after.split_off(standing.back_since);
            self.usual.append(back);
            self.end(Ended::Back(place));
        } else if standing.after.len() >= self.rules.settled && (at - standing.noticed).0 >= self.rules.settled_for.0 {
            (self.usual, self.slower) = (std::mem::take(&mut standing.after), 0);
            self.end(Ended::Settled(place));
        }
    }

    fn end(&mut self, how: Ended) {
        self.standing = None;
        if let Some(noticed) = self.shifts.last_mut() {
            noticed.ended = Some(how);
        }
    }

    fn acknowledge(&mut self, when: Timestamp) {
        match self.standing.take() {
            Some(standing) => {
                self.usual = standing.after;
                self.end(Ended::Acknowledged(when));
            }
            None => self.usual = Line::default(),
        }
        self.slower = 0;
    }

    fn verdict(&self) -> Verdict {
        match &self.standing {
            Some(Standing { before, after, .. }) => Verdict::Slower(self.describe(before, after)),
            None if self.usual.len() < self.rules.enough => {
                Verdict::NotEnough { have: self.usual.len(), need: self.rules.enough }
            }
            None => Verdict::Steady,
        }
    }

    fn describe(&self, before: &Line, after: &Line) -> Shift {
        let newest = after.newest(self.rules.longest);
        let (old, new) = (self.of(before), self.of(&newest));
        Shift {
            since: after.places.first().copied().unwrap_or_default(),
            releases: after.len(),
            before: median(&old),
            after: median(&new),
            ratio: size::ratio(&before.logs, &newest.logs),
            segments: cause::changes(&old, &new),
        }
    }

    fn of(&self, line: &Line) -> Vec<&'a Release> {
        line.places.iter().filter_map(|place| self.releases.get(*place)).collect()
    }
}

impl Direction {
    /// Whether a logarithm lies on the far side of the middle.
    fn is_beyond(self, log: f64, middle: f64) -> bool {
        match self {
            Self::Slower => log > middle,
            Self::Faster => log < middle,
        }
    }
}

/// Lower median of the time from merge to production.
fn median(releases: &[&Release]) -> Millis {
    let mut times: Vec<Millis> = releases.iter().filter_map(|release| release.merge_to_production).collect();
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
