//! Shifts planted at random releases, and when a rule finds them.

use std::collections::BTreeMap;

use fastrand::Rng;
use model::Millis;
use reviewer::shift::Release;

use super::orders;
use super::{Alarm, Rule, Track};

/// How many releases before a shift are looked at, if there are so many.
const BEFORE: usize = 220;

/// For how many releases a shift is waited for.
pub const AFTER: usize = 40;

/// How often another release is tried where an alert stands already.
const TRIES: usize = 200;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Every segment, and so the whole.
    Everything,
    /// One segment, by as much as makes the whole so many times as long.
    Segment(usize),
}

/// In which order the releases come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they came.
    Real,
    /// Shuffled over the same times.
    Shuffled,
}

/// How much history there is before a shift.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// At least so many releases.
    pub least: usize,
    /// At most so many.
    pub most: usize,
}

/// A release at which shifts are planted, with those around it.
#[derive(Clone, Debug)]
pub struct Spot<'a> {
    /// Of which track.
    pub track: &'a Track,
    releases: Vec<Release>,
    /// Place of the first release that is shifted.
    from: usize,
}

/// What became of a planted shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// After how many releases it was found, the first one shifted included.
    pub found: Option<usize>,
    /// By how many releases the beginning was missed.
    pub off: Option<usize>,
    /// Which segment was named.
    pub cause: Option<&'static str>,
}

impl History {
    /// Enough for a reference that is worth the name.
    pub const FULL: Self = Self { least: 100, most: BEFORE };

    /// So many releases.
    #[must_use]
    pub const fn of(releases: usize) -> Self {
        Self { least: releases, most: releases }
    }
}

/// What became of shifts planted at the same releases.
#[derive(Clone, Debug, Default)]
pub struct Planted {
    /// At how many releases.
    pub spots: usize,
    /// How many were drawn until there were so many: at the others an alert stood, or one came by itself.
    pub drawn: usize,
    /// By place and size in thousandths.
    pub outcomes: BTreeMap<(Place, u64), Vec<Outcome>>,
}

impl Planted {
    /// Plants shifts of these sizes, in thousandths, at each of these places.
    pub fn at(found: (Vec<Spot<'_>>, usize), rule: &Rule, places: &[Place], sizes: &[u64]) -> Self {
        let (spots, drawn) = found;
        let mut planted = Self { spots: spots.len(), drawn, outcomes: BTreeMap::new() };
        for (place, size) in places.iter().flat_map(|place| sizes.iter().map(move |size| (*place, *size))) {
            let outcomes = spots.iter().map(|spot| spot.plant(rule, place, size as f64 / 1000.0)).collect();
            planted.outcomes.insert((place, size), outcomes);
        }
        planted
    }
}

/// Draws releases at random, each track as often as any other, where no alert stands and none comes by itself. Says, too, how many
/// were drawn until there were so many.
pub fn spots<'a>(
    tracks: &[&'a Track],
    rule: &Rule,
    order: Order,
    history: History,
    count: usize,
    rng: &mut Rng,
) -> (Vec<Spot<'a>>, usize) {
    let long = |track: &&&Track| track.releases.len() >= history.least + AFTER;
    let tracks: Vec<&Track> = tracks.iter().filter(long).copied().collect();
    let (mut spots, mut drawn) = (Vec::new(), 0);
    for track in tracks.iter().cycle().take(count) {
        for _ in 0..TRIES {
            drawn += 1;
            let spot = Spot::draw(track, order, history, rng);
            if spot.is_quiet(rule) {
                spots.push(spot);
                break;
            }
        }
    }
    (spots, drawn)
}

impl<'a> Spot<'a> {
    fn draw(track: &'a Track, order: Order, history: History, rng: &mut Rng) -> Self {
        let from = rng.usize(history.least..=track.releases.len() - AFTER);
        let first = from.saturating_sub(history.most);
        let releases = match order {
            Order::Real => track.releases[first..from + AFTER].to_vec(),
            Order::Shuffled => orders::shuffled(track, 1, rng).drain(first..from + AFTER).collect(),
        };
        Self { track, releases, from: from - first }
    }

    /// Nobody is told of anything that was not planted.
    fn is_quiet(&self, rule: &Rule) -> bool {
        !rule.stands(&self.releases[..self.from]) && self.told(rule, &self.releases).is_none()
    }

    fn told(&self, rule: &Rule, releases: &[Release]) -> Option<Alarm> {
        rule.alarms(releases).into_iter().find(|alarm| alarm.at >= self.from)
    }

    /// Plants a shift of this size, as a ratio, and looks when it is found.
    #[must_use]
    pub fn plant(&self, rule: &Rule, place: Place, size: f64) -> Outcome {
        let mut releases = self.releases.clone();
        let usual = self.usual();
        for release in releases.iter_mut().skip(self.from) {
            grow(release, place, size, usual);
        }
        let told = self.told(rule, &releases);
        let shift = told.as_ref().and_then(|alarm| alarm.shift.as_ref());
        Outcome {
            found: told.as_ref().map(|alarm| alarm.at + 1 - self.from),
            off: shift.map(|shift| shift.since.abs_diff(self.from)),
            cause: shift.and_then(|shift| shift.cause()).map(|cause| cause.segment),
        }
    }

    /// Median before the shift.
    fn usual(&self) -> Millis {
        let before = &self.releases[self.from.saturating_sub(100)..self.from];
        let mut times: Vec<Millis> = before.iter().filter_map(|release| release.merge_to_production).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

fn grow(release: &mut Release, place: Place, size: f64, usual: Millis) {
    let times = |time: Millis, size: f64| Millis((time.0 as f64 * size) as i64);
    match place {
        Place::Everything => {
            for segment in &mut release.segments {
                *segment = segment.map(|time| times(time, size));
            }
            release.merge_to_production = release.merge_to_production.map(|time| times(time, size));
        }
        Place::Segment(place) => {
            let more = times(usual, size - 1.0).0;
            if let Some(Some(segment)) = release.segments.get_mut(place) {
                segment.0 += more;
            }
            release.merge_to_production = release.merge_to_production.map(|time| Millis(time.0 + more));
        }
    }
}
