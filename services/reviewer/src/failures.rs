//! Whether more of the releases of a component fail than used to: the statistic behind the alert *change failure rate up*.
//!
//! [`examine`] goes through the releases in the order of time and holds, after each, the newest [`Rules::fewest`] to
//! [`Rules::longest`] of them against up to [`Rules::reference`] before, at every cut. The failures since the cut are more than chance
//! would have put there when drawing so many of all these releases is less likely than [`Rules::chance`] (Fisher 1935, one-sided):
//! exact however few there are, and nothing is assumed of how often a component fails.
//!
//! With these rules a component that fails by chance alone is told of 0.2 to 1 times in a thousand releases. One that failed at every
//! tenth release and now fails at three times as many is told of within forty in two of three cases; at every fifth, in nineteen of
//! twenty. A rate is a slow measure: what cannot be told from chance is not told.

use model::Timestamp;

/// How a release turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When it came to production.
    pub at: Timestamp,
    /// It degraded production.
    pub failed: bool,
}

/// When there are more failures.
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
    /// How many of the newest have failed at least.
    pub failures: usize,
    /// The share of failures that is told of at least, over that before, in thousandths.
    pub least: u64,
    /// How unlikely it is at most that chance did it.
    pub chance: f64,
    /// So many of the newest say whether it is over.
    pub recent: usize,
    /// It is over where chance could do with these what was seen as often as that.
    pub over: f64,
    /// After how many releases it is the usual.
    pub settled: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            reference: 150,
            enough: 20,
            fewest: 5,
            longest: 40,
            failures: 3,
            least: 1500,
            chance: 0.001,
            recent: 20,
            over: 0.05,
            settled: 100,
        }
    }
}

/// So many of so many releases failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those that failed.
    pub failed: usize,
    /// All.
    pub of: usize,
}

/// How it is after the newest release and the last acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too few releases.
    NotEnough {
        /// How many there are.
        have: usize,
        /// How many there must be.
        need: usize,
    },
    /// As it used to be.
    Usual,
    /// More fail than used to.
    More {
        /// Before.
        before: Share,
        /// Since.
        after: Share,
    },
}

/// What became of the releases, in the order of time.
///
/// `acknowledged` are the times, in any order, at which somebody said that it is the usual from now on; it matters where there were
/// more failures then.
#[must_use]
pub fn examine(releases: &[Outcome], acknowledged: &[Timestamp], rules: &Rules) -> Verdict {
    let mut acknowledged = acknowledged.to_vec();
    acknowledged.sort_unstable();
    let mut acknowledged = acknowledged.into_iter().peekable();
    let mut releases = releases.to_vec();
    releases.sort_by_key(|release| release.at);
    let mut watch = Watch { rules, usual: Vec::new(), more: None };
    for release in releases {
        while acknowledged.next_if(|when| *when < release.at).is_some() {
            watch.acknowledge();
        }
        watch.take(release.failed);
    }
    acknowledged.for_each(|_| watch.acknowledge());
    watch.verdict()
}

/// What is known after some of the releases.
struct Watch<'a> {
    rules: &'a Rules,
    /// Those that count as history.
    usual: Vec<bool>,
    more: Option<More>,
}

/// More failures, which are not over.
struct More {
    before: Vec<bool>,
    after: Vec<bool>,
}

impl Watch<'_> {
    fn take(&mut self, failed: bool) {
        let rules = self.rules;
        let Some(More { before, after }) = &mut self.more else {
            self.usual.push(failed);
            self.more = self.look();
            return;
        };
        after.push(failed);
        let recent = Share::of(&after[after.len().saturating_sub(rules.recent)..]);
        if recent.chance(Share::of(before)) >= rules.over {
            before.append(after);
            self.usual = std::mem::take(before);
            self.more = None;
        } else if after.len() >= rules.settled {
            self.acknowledge();
        }
    }

    /// The cut at which chance is least likely to have put so many failures behind it, where it is unlikely enough.
    fn look(&self) -> Option<More> {
        let rules = self.rules;
        let longest = self.usual.len().checked_sub(rules.enough)?.min(rules.longest);
        let cuts = (rules.fewest..=longest).map(|count| {
            let (before, after) = self.usual.split_at(self.usual.len() - count);
            (&before[before.len().saturating_sub(rules.reference)..], after)
        });
        let unlikely = cuts.filter_map(|(before, after)| {
            let (old, new) = (Share::of(before), Share::of(after));
            let large = new.failed >= rules.failures && new.is_over(old, rules.least);
            large.then(|| (new.chance(old), before, after))
        });
        let (chance, before, after) = unlikely.min_by(|a, b| a.0.total_cmp(&b.0))?;
        (chance < rules.chance).then(|| More { before: before.to_vec(), after: after.to_vec() })
    }

    fn acknowledge(&mut self) {
        if let Some(More { after, .. }) = self.more.take() {
            self.usual = after;
        }
    }

    fn verdict(&self) -> Verdict {
        match &self.more {
            Some(More { before, after }) => Verdict::More { before: Share::of(before), after: Share::of(after) },
            None if self.usual.len() < self.rules.enough => {
                Verdict::NotEnough { have: self.usual.len(), need: self.rules.enough }
            }
            None => Verdict::Usual,
        }
    }
}

impl Share {
    fn of(releases: &[bool]) -> Self {
        Self { failed: releases.iter().filter(|failed| **failed).count(), of: releases.len() }
    }

    /// Whether it is at least so many thousandths of the other.
    fn is_over(self, other: Self, thousandths: u64) -> bool {
        let (here, there) = ((self.failed * other.of) as u64, (other.failed * self.of) as u64);
        here.saturating_mul(1000) >= there.saturating_mul(thousandths)
    }

    /// How likely it is that of both together, with each order as likely as any other, at least as many failures fall on this part:
    /// the upper tail of the hypergeometric distribution.
    fn chance(self, before: Self) -> f64 {
        let (all, failed) = (self.of + before.of, self.failed + before.failed);
        let every = ln_choose(all, self.of);
        let at_least = self.failed..=self.of.min(failed);
        let ways = at_least.filter(|count| self.of - count <= all - failed);
        ways.map(|count| (ln_choose(failed, count) + ln_choose(all - failed, self.of - count) - every).exp()).sum()
    }
}

/// Logarithm of the number of ways to choose so many of so many.
fn ln_choose(of: usize, count: usize) -> f64 {
    (1..=count).map(|place| ((of - count + place) as f64 / place as f64).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(failed: impl IntoIterator<Item = bool>) -> Vec<Outcome> {
        let at = |place: i64| Timestamp::from_seconds(place * 86_400);
        failed.into_iter().zip(1..).map(|(failed, place)| Outcome { at: at(place), failed }).collect()
    }

    /// Every so many fails.
    fn every(step: usize, count: usize) -> Vec<bool> {
        (0..count).map(|place| place % step == step - 1).collect()
    }

    fn verdict(failed: &[bool]) -> Verdict {
        examine(&outcomes(failed.iter().copied()), &[], &Rules::default())
    }

    /// The lady that tasted tea: all four of eight right by chance once in seventy cases, at least three in seventeen.
    #[test]
    fn chance_is_that_of_fisher() {
        let chance = |here, there| Share { failed: here, of: 4 }.chance(Share { failed: there, of: 4 });
        assert!((chance(4, 0) - 1.0 / 70.0).abs() < 1e-12);
        assert!((chance(3, 1) - 17.0 / 70.0).abs() < 1e-12);
        assert!((chance(0, 4) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_few_releases_say_nothing_and_one_failure_is_no_trend() {
        assert_eq!(verdict(&[true; 7]), Verdict::NotEnough { have: 7, need: 20 });
        let mut once = vec![false; 60];
        once.extend([true, true]);
        assert_eq!(verdict(&once), Verdict::Usual);
        assert_eq!(verdict(&every(5, 200)), Verdict::Usual);
    }

    #[test]
    fn more_failures_are_told_of_and_are_over_again() {
        let mut history = every(20, 100);
        history.extend(every(2, 12));
        // The last of the first hundred failed, too: with it the newest thirteen stand out most.
        let told = Verdict::More { before: Share { failed: 4, of: 99 }, after: Share { failed: 7, of: 13 } };
        assert_eq!(verdict(&history), told);
        history.extend(every(20, 40));
        assert_eq!(verdict(&history), Verdict::Usual);
    }

    #[test]
    fn what_is_acknowledged_or_has_settled_is_the_usual() {
        let mut history = every(20, 100);
        history.extend(every(2, 30));
        let releases = outcomes(history.iter().copied());
        let at = |place: usize| Timestamp(releases[place].at.0 + 1);
        let examined = |acknowledged: &[Timestamp]| examine(&releases, acknowledged, &Rules::default());
        assert!(matches!(examined(&[]), Verdict::More { .. }));
        assert_eq!(examined(&[at(129)]), Verdict::Usual);
        // While nothing stood there was nothing to acknowledge.
        assert!(matches!(examined(&[at(50)]), Verdict::More { .. }));
        history.extend(every(2, 120));
        assert_eq!(verdict(&history), Verdict::Usual);
    }

    /// What the head of this file says of chance, with fewer runs.
    #[test]
    fn chance_alone_is_seldom_told_of_and_a_trebled_rate_often() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut draw = |share: f64, count: usize| (0..count).map(|_| random.f64() < share).collect::<Vec<_>>();
        let told = |history: &[bool], from: usize| {
            let mut watch = Watch { rules: &Rules::default(), usual: Vec::new(), more: None };
            let (mut times, mut stood) = (0, false);
            for (place, failed) in history.iter().enumerate() {
                watch.take(*failed);
                times += u32::from(watch.more.is_some() && !stood && place >= from);
                stood = watch.more.is_some();
            }
            times
        };
        let by_chance: u32 = [0.05, 0.1, 0.2].into_iter().map(|share| told(&draw(share, 4000), 0)).sum();
        assert!(by_chance <= 15, "{by_chance} in 12,000 releases");
        let found = (0..50).filter(|_| {
            let mut history = draw(0.2, 170);
            history.extend(draw(0.6, 40));
            told(&history, 170) > 0
        });
        let found = found.count();
        assert!(found >= 42, "{found} of 50");
    }
}
