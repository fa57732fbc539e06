//! A rule on every track: what it finds of what was planted, and what it finds where nothing is.

use std::collections::BTreeSet;

use fastrand::Rng;
use model::fact::SEGMENTS;

use super::curve::{self, Line, Panel};
use super::orders::{Falsely, falsely};
use super::trials::{AFTER, History, Order, Outcome, Place, Planted, spots};
use super::{Half, Measure, Rule, Track};

/// Sizes planted, in thousandths.
pub const SIZES: [u64; 4] = [1250, 1500, 2000, 3000];

/// How many releases stay together where blocks are shuffled.
const BLOCK: usize = 20;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// At how many releases shifts are planted, for each measure and half.
    pub runs: usize,
    /// Into how many orders each track is shuffled.
    pub orders: usize,
    /// The same seed gives the same figures.
    pub seed: u64,
}

/// What was measured of the tracks of one measure and half.
#[derive(Clone, Debug)]
pub struct Group {
    /// Measure.
    pub measure: Measure,
    /// Half.
    pub half: Half,
    /// Shifts planted into the order as it was.
    pub real: Planted,
    /// Shifts planted into orders in which nothing else is.
    pub shuffled: Planted,
    /// What was found in shuffled orders.
    pub falsely: Falsely,
    /// The same of the component for which it was most.
    pub most: f64,
    /// What was found in orders of shuffled blocks.
    pub blocks: Falsely,
}

/// Measures a rule on all tracks.
pub fn measure(tracks: &[Track], rule: &Rule, plan: Plan, say: &dyn Fn(&str)) -> Vec<Group> {
    let mut groups = Vec::new();
    for measure in Measure::ALL {
        for half in [Half::Chosen, Half::HeldOut] {
            let tracks: Vec<&Track> =
                tracks.iter().filter(|track| track.measure == measure && track.half == half).collect();
            say(&format!("{}, {half:?}: {} components", measure.name(), tracks.len()));
            groups.push(Group::of(measure, half, &tracks, rule, plan));
        }
    }
    groups
}

impl Group {
    fn of(measure: Measure, half: Half, tracks: &[&Track], rule: &Rule, plan: Plan) -> Self {
        let mut rng = Rng::with_seed(plan.seed);
        let everything = [Place::Everything];
        let parts = measure.parts().iter().map(|part| Place::Segment(part.segment));
        let places: Vec<Place> = everything.into_iter().chain(parts).collect();
        let mut planted = |order, places: &[Place]| {
            let spots = spots(tracks, rule, order, History::FULL, plan.runs, &mut rng);
            Planted::at(spots, rule, places, &SIZES)
        };
        let (real, shuffled) = (planted(Order::Real, &places), planted(Order::Shuffled, &everything));
        let (mut wrong, mut blocks, mut most) = (Falsely::default(), Falsely::default(), 0.0_f64);
        for track in tracks {
            let of_one = falsely(rule, track, 1, plan.orders, &mut rng);
            most = most.max(of_one.per_year());
            wrong.add(of_one);
            blocks.add(falsely(rule, track, BLOCK, plan.orders, &mut rng));
        }
        Self { measure, half, real, shuffled, falsely: wrong, most, blocks }
    }

    /// Whether the bars are held against it. A tag that a person makes now and then is no way to production: there the longest tenth of
    /// the times is a thousand times the shortest.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.measure != Measure::CommitToTag
    }

    fn planted(&self, order: Order) -> &Planted {
        match order {
            Order::Real => &self.real,
            Order::Shuffled => &self.shuffled,
        }
    }
}

/// What became of the shifts of one size that were planted at such places.
pub fn outcomes(groups: &[&Group], order: Order, size: u64, at: impl Fn(Place) -> bool) -> Vec<Outcome> {
    let planted = groups.iter().flat_map(|group| &group.planted(order).outcomes);
    planted.filter(|((place, of), _)| at(*place) && *of == size).flat_map(|(_, outcomes)| outcomes).copied().collect()
}

/// Share of the shifts of everything that were found within so many releases.
#[must_use]
pub fn found(groups: &[&Group], order: Order, size: u64, within: usize) -> f64 {
    curve::share(&outcomes(groups, order, size, |place| place == Place::Everything), within)
}

/// Of the shifts of one segment of such sizes that were found, the share with the right one named; of one segment or of any.
#[must_use]
pub fn segment_right(groups: &[&Group], sizes: &[u64], segment: Option<usize>) -> f64 {
    let (mut right, mut all) = (0, 0);
    for ((place, size), outcomes) in groups.iter().flat_map(|group| &group.real.outcomes) {
        let Place::Segment(planted) = *place else { continue };
        if sizes.contains(size) && segment.is_none_or(|segment| segment == planted) {
            all += outcomes.iter().filter(|outcome| outcome.found.is_some()).count();
            right += outcomes.iter().filter(|outcome| outcome.cause == SEGMENTS.get(planted).copied()).count();
        }
    }
    right as f64 / all.max(1) as f64
}

/// What was found where nothing is.
#[must_use]
pub fn wrong(groups: &[&Group], of: impl Fn(&Group) -> Falsely) -> Falsely {
    let mut sum = Falsely::default();
    groups.iter().for_each(|group| sum.add(of(group)));
    sum
}

/// The picture: everything, beside what another rule finds of it, and each segment.
#[must_use]
pub fn panels(groups: &[&Group], other: &[(String, Vec<Outcome>)]) -> Vec<Panel> {
    let line = |(colour, size): (usize, u64), at: &dyn Fn(Place) -> bool| Line {
        label: label(size),
        colour,
        dashed: false,
        found: curve::shares(&outcomes(groups, Order::Real, size, at)),
    };
    let lines =
        |at: &dyn Fn(Place) -> bool| SIZES.into_iter().enumerate().map(|size| line(size, at)).collect::<Vec<_>>();
    let mut everything = lines(&|place| place == Place::Everything);
    for (label, outcomes) in other {
        let found = curve::shares(outcomes);
        everything.push(Line { label: label.clone(), colour: 1, dashed: true, found });
    }
    let note = format!("{} shifts of each size; dashed: 1.5 × by means, as seldom wrong", runs(groups));
    let mut panels =
        vec![Panel { title: "Everything takes so many times as long".to_owned(), note, lines: everything }];
    let parts = groups.iter().flat_map(|group| group.measure.parts());
    let segments: BTreeSet<usize> = parts.clone().map(|part| part.segment).collect();
    for segment in segments {
        let names: BTreeSet<&str> =
            parts.clone().filter(|part| part.segment == segment).map(|part| part.name).collect();
        let right = |size| 100.0 * segment_right(groups, &[size], Some(segment));
        panels.push(Panel {
            title: format!("Longer: {}", Vec::from_iter(names).join(", or ")),
            note: format!(
                "the segment is named rightly for 1.5 × in {:.0} %, for 2 × in {:.0} %",
                right(1500),
                right(2000)
            ),
            lines: lines(&|place| place == Place::Segment(segment)),
        });
    }
    panels
}

/// At how many releases shifts were planted in the real order.
#[must_use]
pub fn runs(groups: &[&Group]) -> usize {
    groups.iter().map(|group| group.real.spots).sum()
}

/// A size for people.
#[must_use]
pub fn label(size: u64) -> String {
    format!("{} ×", size as f64 / 1000.0)
}

/// The release after which half of the shifts were found, and the one after which 95 % were; none within the wait.
#[must_use]
pub fn delays(outcomes: &[Outcome]) -> (Option<usize>, Option<usize>) {
    let after = |part: f64| (1..=AFTER).find(|releases| curve::share(outcomes, *releases) >= part);
    (after(0.5), after(0.95))
}
