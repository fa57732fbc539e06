//! Rules that say at which releases of a history somebody is told.

use std::collections::VecDeque;

use model::fact::ReleaseKind;
use reviewer::shift::{Direction, Release, Rules, Shift, Verdict, examine};

/// A rule.
#[derive(Clone, Debug)]
pub enum Rule {
    /// The one that is shipped.
    Shift(Rules),
    /// The one that people write: the mean of seven days above so many times the mean of thirty.
    Means {
        /// How many times.
        factor: f64,
    },
}

/// Somebody is told.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// At this release.
    pub at: usize,
    /// What the shift is like, where the rule says so.
    pub shift: Option<Shift>,
}

impl Rule {
    /// Whether somebody has been told and it is not over, after the newest release.
    #[must_use]
    pub fn stands(&self, releases: &[Release]) -> bool {
        match self {
            Self::Shift(rules) => {
                matches!(examine(releases, ReleaseKind::Regular, &[], rules).now, Verdict::Slower(_))
            }
            Self::Means { factor } => ratios_of_means(releases).last().is_some_and(|ratio| ratio > factor),
        }
    }

    /// Where somebody is told, in the order of time.
    #[must_use]
    pub fn alarms(&self, releases: &[Release]) -> Vec<Alarm> {
        match self {
            Self::Shift(rules) => {
                let found = examine(releases, ReleaseKind::Regular, &[], rules).shifts.into_iter();
                let slower = found.filter(|noticed| noticed.direction == Direction::Slower);
                slower.map(|noticed| Alarm { at: noticed.at, shift: Some(noticed.shift) }).collect()
            }
            Self::Means { factor } => {
                let ratios = ratios_of_means(releases);
                let above: Vec<bool> = ratios.into_iter().map(|ratio| ratio > *factor).collect();
                let begins = |at: &usize| above[*at] && (*at == 0 || !above[*at - 1]);
                (0..above.len()).filter(begins).map(|at| Alarm { at, shift: None }).collect()
            }
        }
    }
}

/// At each release the mean of seven days over the mean of thirty; 1 within the first thirty days.
#[must_use]
pub fn ratios_of_means(releases: &[Release]) -> Vec<f64> {
    const DAY: i64 = 86_400_000;
    let (mut week, mut month) = (Mean::default(), Mean::default());
    let first = releases.first().map(|release| release.at).unwrap_or_default();
    let ratio = |release: &Release| {
        let at = release.at.0;
        let time = release.merge_to_production.unwrap_or_default().0;
        let (week, month) = (week.take(at, time, 7 * DAY), month.take(at, time, 30 * DAY));
        if (release.at - first).0 < 30 * DAY { 1.0 } else { week / month.max(1.0) }
    };
    releases.iter().map(ratio).collect()
}

/// Mean over a window of time.
#[derive(Default)]
struct Mean {
    times: VecDeque<(i64, i64)>,
    sum: i64,
}

impl Mean {
    fn take(&mut self, at: i64, time: i64, window: i64) -> f64 {
        self.times.push_back((at, time));
        self.sum += time;
        while let Some((then, old)) = self.times.front().copied()
            && then <= at - window
        {
            self.times.pop_front();
            self.sum -= old;
        }
        self.sum as f64 / self.times.len() as f64
    }
}
