//! Whether the releases of a component take longer than they used to, for good and not for once: the statistic behind the alert
//! *lead time regressed*.
//!
//! [`examine`] goes through a component's releases in the order of time and holds, after each, the newest against those before:
//!
//! 1. The times from merge to production are ranked, and the newest [`Rules::fewest`] to [`Rules::longest`] of them are compared with
//!    up to [`Rules::reference`] before, **at every cut** (`scan`; Mann and Whitney 1947, Pettitt 1979, as a chart Hawkins and Deng
//!    2010). Ranks need no distribution, and an odd release counts for no more than its place.
//! 2. Where they stand out by more than [`Rules::threshold`], the **shift began** at the cut where they do most. It has lasted for
//!    [`Rules::lasting`], and goes on.
//! 3. Its **size** is the median of all ratios of one since to one before (Hodges and Lehmann 1963, `size`). One of less than
//!    [`Rules::least`] is let go.
//! 4. Its **cause** is the segment that grew most among the middle half of the releases (`cause`).
//!
//! The same is done downwards: once a component has become faster, what counts is the faster time.
//!
//! A shift then stands until [`Rules::back`] more releases lie nearer to the time before than to the new one, until somebody
//! acknowledges it, or until [`Rules::settled`] releases have made it the usual, and it has stood for [`Rules::settled_for`].
//!
//! Durations come and go as integers of milliseconds, ratios as thousandths. Floats are logarithms and ranks inside of the statistic;
//! none is kept. Figures behind the rules: decision 0021, `cargo xtask bench alerts`.

mod cause;
mod scan;
mod size;
#[cfg(test)]
mod tests;
mod watch;

use model::fact::{ReleaseKind, SEGMENTS};
use model::{Millis, Timestamp};

/// A release, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// When it came to production.
    pub at: Timestamp,
    /// Kind: like is compared with like.
    pub kind: ReleaseKind,
    /// Median over its commits from merge to production. One without is left out, and so is one of less than nothing: where clocks
    /// disagree, nobody knows how long it took.
    pub merge_to_production: Option<Millis>,
    /// The segments in the order of [`SEGMENTS`].
    pub segments: [Option<Millis>; SEGMENTS.len()],
}

/// When a shift is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// With how many releases before them the newest are compared at most.
    pub reference: usize,
    /// With how many at least; before, nothing is said.
    pub enough: usize,
    /// How many of the newest are compared at least.
    pub fewest: usize,
    /// How many of the newest are compared at most.
    pub longest: usize,
    /// By how many standard deviations their ranks must stand out.
    pub threshold: f64,
    /// The least shift that is told of, as a ratio in thousandths.
    pub least: i64,
    /// Times below it are all the same; at least a millisecond.
    pub floor: Millis,
    /// How long it has lasted at least, from its first release to the newest ones: what is over by the next morning is an incident.
    pub lasting: Millis,
    /// How many more releases lie nearer to the time before than to the new one once it is over.
    pub back: u32,
    /// After how many releases nobody waits for it to be over any more.
    pub settled: usize,
    /// And after how long.
    pub settled_for: Millis,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            reference: 150,
            enough: 20,
            fewest: 4,
            longest: 40,
            threshold: 3.6,
            least: 1200,
            // Most systems tell whole seconds.
            floor: Millis(1000),
            lasting: Millis(12 * 3_600_000),
            back: 5,
            settled: 100,
            settled_for: Millis(30 * 24 * 3_600_000),
        }
    }
}

/// What became of the releases of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// How it is after the newest release and the last acknowledgement.
    pub now: Verdict,
    /// Every shift that was found, in the order in which they were noticed. Where one stands, it is the last one.
    pub shifts: Vec<Noticed>,
}

/// How it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too few releases of this kind since history began to count.
    NotEnough {
        /// How many there are.
        have: usize,
        /// How many there must be.
        need: usize,
    },
    /// As it used to be.
    Steady,
    /// Slower than it used to be.
    Slower(Shift),
}

/// A shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Place of its first release among those that were given.
    pub since: usize,
    /// How many releases it has lasted, with the first one.
    pub releases: usize,
    /// Median before; the lower one of an even number, as in the tables.
    pub before: Millis,
    /// Median since.
    pub after: Millis,
    /// Size.
    pub ratio: Ratio,
    /// Segments between merge and production, by how much they grew, the most first; none where no release tells of its segments.
    pub segments: Vec<Change>,
}

/// A ratio in thousandths, with bounds that hold the truth in 95 of 100 cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Estimate.
    pub estimate: i64,
    /// Lower bound.
    pub low: i64,
    /// Upper bound.
    pub high: i64,
}

/// What became of a segment: its mean over the releases of the middle half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Name.
    pub segment: &'static str,
    /// Mean before.
    pub before: Millis,
    /// Mean since.
    pub after: Millis,
}

/// A shift at the time at which it was noticed, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// Which way.
    pub direction: Direction,
    /// Place of the release at which it was noticed, among those that were given.
    pub at: usize,
    /// As it was seen then.
    pub shift: Shift,
    /// How it ended; none while it stands. One to faster ends at once: it is the usual from then on.
    pub ended: Option<Ended>,
}

/// Which way a component shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It takes longer.
    Slower,
    /// It takes less.
    Faster,
}

/// How a shift ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Durations came back; at the release of this place.
    Back(usize),
    /// It became the usual, at the release of this place, without anybody saying so.
    Settled(usize),
    /// Somebody said then that it is the usual.
    Acknowledged(Timestamp),
    /// It was for the better.
    Welcome,
}

/// What became of the releases of this kind, of one component and in the order of time.
///
/// `acknowledged` are the times at which somebody acknowledged an alert, in any order: from there on the releases since the shift are
/// the usual, and where none stood then, history begins to count at that time. What is said of a release depends on those up to it
/// alone; a correction of an old one may change what is said of those that came later.
#[must_use]
pub fn examine(releases: &[Release], kind: ReleaseKind, acknowledged: &[Timestamp], rules: &Rules) -> Examined {
    watch::Watch::new(releases, rules).examine(kind, acknowledged)
}

impl Shift {
    /// The segment that explains more than half of what grew, if one does.
    #[must_use]
    pub fn cause(&self) -> Option<Change> {
        let grown: i64 = self.segments.iter().map(Change::growth).sum();
        self.segments.first().copied().filter(|most| most.growth() > 0 && most.growth().saturating_mul(2) > grown)
    }
}

impl Change {
    /// By how many milliseconds it grew.
    #[must_use]
    pub const fn growth(&self) -> i64 {
        self.after.0.saturating_sub(self.before.0)
    }
}
