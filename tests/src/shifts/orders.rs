//! Orders in which there is no shift by construction, and what a rule finds there.

use fastrand::Rng;
use reviewer::shift::Release;

use super::rules::ratios_of_means;
use super::{Rule, Track};

/// How often somebody was told of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Falsely {
    /// So often.
    pub alarms: usize,
    /// In so many years of components.
    pub years: f64,
    /// In so many releases.
    pub releases: usize,
}

impl Falsely {
    /// Alarms a year of a component.
    #[must_use]
    pub fn per_year(&self) -> f64 {
        if self.years > 0.0 { self.alarms as f64 / self.years } else { 0.0 }
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.alarms += other.alarms;
        self.years += other.years;
        self.releases += other.releases;
    }
}

/// The same releases at the same times in another order: blocks of so many stay together.
#[must_use]
pub fn shuffled(track: &Track, block: usize, rng: &mut Rng) -> Vec<Release> {
    let mut blocks: Vec<&[Release]> = track.releases.chunks(block).collect();
    rng.shuffle(&mut blocks);
    let releases = blocks.into_iter().flatten().cloned();
    releases.zip(&track.releases).map(|(release, place)| Release { at: place.at, ..release }).collect()
}

/// What a rule finds in so many orders of a track.
pub fn falsely(rule: &Rule, track: &Track, block: usize, orders: usize, rng: &mut Rng) -> Falsely {
    let alarms = (0..orders).map(|_| rule.alarms(&shuffled(track, block, rng)).len()).sum();
    Falsely { alarms, years: track.years() * orders as f64, releases: track.releases.len() * orders }
}

/// The smallest factor with which the rule of means is wrong no more often than so many times a year, to a twentieth.
pub fn factor_of_means(tracks: &[&Track], per_year: f64, orders: usize, rng: &mut Rng) -> f64 {
    let mut ratios: Vec<Vec<f64>> = Vec::new();
    for track in tracks {
        ratios.extend((0..orders).map(|_| ratios_of_means(&shuffled(track, 1, rng))));
    }
    let years: f64 = tracks.iter().map(|track| track.years() * orders as f64).sum();
    let crossings =
        |ratios: &Vec<f64>, factor: f64| ratios.windows(2).filter(|pair| pair[0] <= factor && pair[1] > factor).count();
    let mut factor = 1.5;
    while ratios.iter().map(|of_one| crossings(of_one, factor)).sum::<usize>() as f64 > per_year * years {
        factor *= 1.05;
    }
    factor
}
