//! The way of a release to production, and how long a commit spent on each part of it.
//!
//! Where things overlap, a piece of time belongs to what the release could not do without at that moment, its critical path in the
//! sense of Kelley and Walker (1959): work under way before waiting, since waiting costs nothing while work goes on. In order: a
//! deployment under way, a build or a test running, a task waiting for a runner, a closed gate, a deployment made but not begun. A
//! gate thus counts only while it is the only obstacle. What is left has the name of the phase it falls in.
//!
//! All commits of a release end at the same instant and differ only in where they join. So the path is cut once, and each commit is
//! a few searches in it.

use std::collections::BTreeMap;
use std::ops::{Add, Sub};
use std::sync::Arc;

use model::{DeploymentId, Millis, Timestamp};

use super::commits::Way;
use super::spans::Doer;
use crate::calendar::Calendar;

/// A length of time, and how much of it is working time; none of it without a calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    pub wall: Millis,
    pub working: Millis,
}

impl Add for Length {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, working: self.working + other.working }
    }
}

impl Sub for Length {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { wall: self.wall - other.wall, working: self.working - other.working }
    }
}

/// Length of each segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub coding: Length,
    pub review: Length,
    pub merge_to_build: Length,
    pub queue: Length,
    pub build_and_test: Length,
    pub gate_wait: Length,
    pub batch_wait: Length,
    pub hand_off: Length,
    pub deploy: Length,
    pub unaccounted: Length,
    /// Working time of the whole span; none without a calendar.
    pub working: Option<Millis>,
}

/// What kept a release busy or waiting, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    Deploying,
    Running,
    Queued,
    GateClosed,
    DeploymentMade,
}

impl Activity {
    const fn segment(self) -> &'static str {
        match self {
            Self::Deploying | Self::DeploymentMade => "deploy",
            Self::Running => "build_and_test",
            Self::Queued => "queue",
            Self::GateClosed => "gate_wait",
        }
    }
}

/// From, to, what.
pub type Interval = (Timestamp, Timestamp, Activity);

/// Measures time by the wall clock and by a calendar.
#[derive(Clone, Debug, Default)]
struct Clock(Option<Arc<Calendar>>);

impl Clock {
    /// Nothing where `to` comes before `from`.
    fn between(&self, from: Timestamp, to: Timestamp) -> Length {
        let working = self.0.as_ref().map_or(Millis(0), |calendar| calendar.working(from, to));
        Length { wall: (to - from).max(Millis(0)), working }
    }
}

/// Stretches of time in order, none touching another, each with the length of those before it.
#[derive(Clone, Debug, Default)]
struct Lane {
    stretches: Vec<(Timestamp, Timestamp, Length)>,
    total: Length,
}

impl Lane {
    /// Adds what comes after everything that was added before.
    fn push(&mut self, from: Timestamp, to: Timestamp, clock: &Clock) {
        match self.stretches.last_mut() {
            Some((_, end, _)) if *end == from => *end = to,
            _ => self.stretches.push((from, to, self.total)),
        }
        self.total = self.total + clock.between(from, to);
    }

    /// How much of it lies before an instant.
    fn until(&self, at: Timestamp, clock: &Clock) -> Length {
        let next = self.stretches.partition_point(|(from, _, _)| *from < at);
        match next.checked_sub(1).and_then(|last| self.stretches.get(last)) {
            None => Length::default(),
            Some((from, to, before)) if at < *to => *before + clock.between(*from, at),
            Some(_) => self.stretches.get(next).map_or(self.total, |(_, _, before)| *before),
        }
    }

    fn since(&self, at: Timestamp, clock: &Clock) -> Length {
        self.total - self.until(at, clock)
    }

    /// The first instant of it that is not before the given one.
    fn first_from(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.stretches.partition_point(|(_, to, _)| *to <= at);
        self.stretches.get(next).map(|(from, _, _)| at.max(*from))
    }
}

/// The way of a release to production, as its commits share it.
#[derive(Clone, Debug)]
pub struct Path {
    /// The deployment by which it got there.
    pub deployment: DeploymentId,
    /// When that had ended.
    end: Timestamp,
    clock: Clock,
    deploy: Lane,
    build_and_test: Lane,
    queue: Lane,
    gate_wait: Lane,
    /// All of them together.
    busy: Lane,
    /// When the last build, test or wait for a runner had ended, whatever else went on.
    built_until: Option<Timestamp>,
    marks: Marks,
}

/// What tells the phases apart while nothing goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// The released commit was merged.
    pub cut: Option<Timestamp>,
    /// First sign of a deployment of the release.
    pub released: Option<Timestamp>,
    /// A deployment to an earlier environment had succeeded.
    pub handed_over: Option<Timestamp>,
}

/// What the time is called in which nothing goes on.
#[derive(Clone, Copy, Debug)]
enum Phase {
    BatchWait,
    MergeToBuild,
    Unaccounted,
    HandOff,
}

impl Phase {
    const fn segment(self) -> &'static str {
        match self {
            Self::BatchWait => "batch_wait",
            Self::MergeToBuild => "merge_to_build",
            Self::Unaccounted => "unaccounted",
            Self::HandOff => "hand_off",
        }
    }
}

/// A stretch of the way of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Name of the segment that it belongs to.
    pub segment: &'static str,
    /// What was at work or in the way; none where nothing went on.
    pub by: Option<Doer<'a>>,
}

/// Way of a commit up to the merge, or to where it joined the way of its release: each at or after the one before, none after the
/// end.
#[derive(Clone, Copy, Debug)]
pub struct Joining {
    pub start: Timestamp,
    pub opened: Timestamp,
    pub merged: Timestamp,
}

impl Path {
    /// Lays out what went on until `end`. The order of `intervals` does not matter.
    pub fn new(
        deployment: DeploymentId,
        end: Timestamp,
        calendar: Option<Arc<Calendar>>,
        marks: Marks,
        intervals: Vec<Interval>,
    ) -> Self {
        let mut path = Self {
            deployment,
            end,
            clock: Clock(calendar),
            deploy: Lane::default(),
            build_and_test: Lane::default(),
            queue: Lane::default(),
            gate_wait: Lane::default(),
            busy: Lane::default(),
            built_until: None,
            marks,
        };
        let mut changes: Vec<(Timestamp, Activity, bool)> = Vec::with_capacity(intervals.len() * 2);
        for (from, to, what) in intervals {
            let to = to.min(end);
            if from < to {
                if matches!(what, Activity::Running | Activity::Queued) {
                    path.built_until = path.built_until.max(Some(to));
                }
                changes.extend([(from, what, true), (to, what, false)]);
            }
        }
        changes.sort_unstable();
        path.sweep(&changes);
        path
    }

    fn sweep(&mut self, changes: &[(Timestamp, Activity, bool)]) {
        let mut under_way = BTreeMap::<Activity, usize>::new();
        let mut since = Timestamp::default();
        for (at, what, begins) in changes {
            if let Some((most_pressing, _)) = under_way.first_key_value().filter(|_| since < *at) {
                let lane = match most_pressing {
                    Activity::Deploying | Activity::DeploymentMade => &mut self.deploy,
                    Activity::Running => &mut self.build_and_test,
                    Activity::Queued => &mut self.queue,
                    Activity::GateClosed => &mut self.gate_wait,
                };
                lane.push(since, *at, &self.clock);
                self.busy.push(since, *at, &self.clock);
            }
            since = *at;
            let count = under_way.entry(*what).or_default();
            if *begins {
                *count += 1;
            } else if *count > 1 {
                *count -= 1;
            } else {
                under_way.remove(what);
            }
        }
    }

    /// Where a commit joins the path; nowhere without an author time, or where that comes after the end.
    pub fn joining(&self, way: &Way) -> Option<Joining> {
        let start = way.authored_at.filter(|start| *start < self.end)?;
        let merged = way.merged_at.or(way.committed_at).unwrap_or(start).clamp(start, self.end);
        let opened = way.opened_at.unwrap_or(merged).clamp(start, merged);
        Some(Joining { start, opened, merged })
    }

    /// Splits the span of a commit.
    pub fn split(&self, way: &Way) -> Split {
        let clock = &self.clock;
        let working = clock.0.as_ref().map(|_| Millis(0));
        let Some(Joining { start, opened, merged }) = self.joining(way) else {
            return Split { working, ..Split::default() };
        };
        let split = Split {
            coding: clock.between(start, opened),
            review: clock.between(opened, merged),
            queue: self.queue.since(merged, clock),
            build_and_test: self.build_and_test.since(merged, clock),
            gate_wait: self.gate_wait.since(merged, clock),
            deploy: self.deploy.since(merged, clock),
            working: working.map(|_| clock.between(start, self.end).working),
            ..Split::default()
        };
        // Where nobody told when it was merged, there is no phase to name.
        match way.merged_at.or(way.committed_at) {
            Some(_) => self.name_idle(merged, split),
            None => Split { unaccounted: self.idle(merged, self.end), ..split },
        }
    }

    fn name_idle(&self, merged: Timestamp, mut split: Split) -> Split {
        let mut from = merged;
        for (phase, until) in self.phases(merged) {
            let idle = self.idle(from, until);
            let segment = match phase {
                Phase::BatchWait => &mut split.batch_wait,
                Phase::MergeToBuild => &mut split.merge_to_build,
                Phase::Unaccounted => &mut split.unaccounted,
                Phase::HandOff => &mut split.hand_off,
            };
            *segment = *segment + idle;
            from = until;
        }
        split
    }

    /// The phases since the merge, each with its end, which name the time in which nothing goes on: until the released commit was
    /// merged, until the first activity if it was built after the merge, until its release if so, until it was handed over, and
    /// after that.
    fn phases(&self, merged: Timestamp) -> [(Phase, Timestamp); 5] {
        let mut at = merged;
        let mut until = |mark: Option<Timestamp>| {
            at = mark.map_or(at, |mark| mark.clamp(at, self.end));
            at
        };
        let Marks { cut, released, handed_over } = self.marks;
        let built = self.built_until.is_some_and(|until| merged < until);
        [
            (Phase::BatchWait, until(cut)),
            (Phase::MergeToBuild, until(self.busy.first_from(merged).filter(|_| built))),
            (Phase::BatchWait, until(released.filter(|_| built))),
            (Phase::Unaccounted, until(Some(handed_over.unwrap_or(self.end)))),
            (Phase::HandOff, until(Some(self.end))),
        ]
    }

    /// The way of a commit from its author time to production, step by step: each stretch of time with its segment, and with what
    /// was the most pressing of `done` in it. The steps follow each other without a hole, and by segment they add up to
    /// [`Self::split`].
    pub fn steps<'a>(&self, way: &Way, done: &[(Interval, Doer<'a>)]) -> Vec<Step<'a>> {
        let Some(Joining { start, opened, merged }) = self.joining(way) else { return Vec::new() };
        let mut steps = Vec::new();
        let mut step = |from: Timestamp, to: Timestamp, segment, by| match steps.last_mut() {
            Some(Step { to: end, segment: of, by: doer, .. }) if (*of, *doer) == (segment, by) && from < to => {
                *end = to;
            }
            _ if from < to => steps.push(Step { from, to, segment, by }),
            _ => {}
        };
        step(start, opened, "coding", None);
        step(opened, merged, "review", None);
        let told = way.merged_at.or(way.committed_at).is_some();
        let phases = self.phases(merged);
        let ends = done.iter().flat_map(|((from, to, _), _)| [*from, *to]);
        let mut cuts: Vec<Timestamp> = ends.chain(phases.map(|(_, until)| until)).chain([self.end]).collect();
        cuts.retain(|at| merged < *at && *at <= self.end);
        cuts.sort_unstable();
        cuts.dedup();
        let mut from = merged;
        for to in cuts {
            let under_way = done.iter().filter(|((begin, end, _), _)| *begin <= from && to <= *end);
            match under_way.min_by_key(|((begin, _, what), by)| (*what, *begin, *by)) {
                Some(((_, _, what), by)) => step(from, to, what.segment(), Some(*by)),
                None if told => {
                    let phase = phases.iter().find(|(_, until)| from < *until);
                    step(from, to, phase.map_or("unaccounted", |(phase, _)| phase.segment()), None);
                }
                None => step(from, to, "unaccounted", None),
            }
            from = to;
        }
        steps
    }

    /// Time between two instants in which nothing went on.
    fn idle(&self, from: Timestamp, to: Timestamp) -> Length {
        let busy = self.busy.until(to, &self.clock) - self.busy.until(from, &self.clock);
        self.clock.between(from, to) - busy
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const END: Timestamp = Timestamp(40);

    fn time() -> impl Strategy<Value = Timestamp> {
        (-5i64..45).prop_map(Timestamp)
    }

    fn maybe_time() -> impl Strategy<Value = Option<Timestamp>> {
        proptest::option::of(time())
    }

    fn interval() -> impl Strategy<Value = Interval> {
        use Activity::{Deploying, DeploymentMade, GateClosed, Queued, Running};
        let what = proptest::sample::select(vec![Deploying, Running, Queued, GateClosed, DeploymentMade]);
        (time(), time(), what)
    }

    /// Names every millisecond by itself.
    fn counted(way: &Way, marks: Marks, intervals: &[Interval]) -> Split {
        let mut split = Split::default();
        let Some(start) = way.authored_at else { return split };
        let told = way.merged_at.or(way.committed_at);
        let merged = told.unwrap_or(start).max(start);
        let opened = way.opened_at.map_or(merged, |opened| opened.min(merged));
        let intervals: Vec<(i64, i64, Activity)> = intervals
            .iter()
            .map(|(from, to, what)| (from.0.max(merged.0), to.0.min(END.0), *what))
            .filter(|(from, to, _)| from < to)
            .collect();
        let built = intervals.iter().any(|(_, _, what)| matches!(what, Activity::Running | Activity::Queued));
        let first = intervals.iter().map(|(from, _, _)| *from).min();
        for at in start.0..END.0 {
            let before = |mark: Option<Timestamp>| mark.is_some_and(|mark| at < mark.0);
            let most_pressing =
                intervals.iter().filter(|(from, to, _)| *from <= at && at < *to).map(|(_, _, what)| *what).min();
            let segment = match most_pressing {
                _ if at < opened.0 => &mut split.coding,
                _ if at < merged.0 => &mut split.review,
                Some(Activity::Deploying | Activity::DeploymentMade) => &mut split.deploy,
                Some(Activity::Running) => &mut split.build_and_test,
                Some(Activity::Queued) => &mut split.queue,
                Some(Activity::GateClosed) => &mut split.gate_wait,
                None if told.is_none() => &mut split.unaccounted,
                None if before(marks.cut) => &mut split.batch_wait,
                None if built && first.is_some_and(|first| at < first) => &mut split.merge_to_build,
                None if built && before(marks.released) => &mut split.batch_wait,
                None if marks.handed_over.is_some_and(|over| over.0 <= at) => &mut split.hand_off,
                None => &mut split.unaccounted,
            };
            segment.wall = segment.wall + Millis(1);
        }
        split
    }

    /// The steps follow each other from the author time to the end, and add up to the split.
    fn assert_steps(path: &Path, way: &Way, intervals: &[Interval], split: &Split) {
        let run = model::RunId::new("r");
        let done: Vec<(Interval, Doer<'_>)> = intervals.iter().map(|interval| (*interval, Doer::Run(&run))).collect();
        let steps = path.steps(way, &done);
        let mut sums = BTreeMap::<&str, Millis>::new();
        let mut at = path.joining(way).map_or(END, |joining| joining.start);
        for step in &steps {
            assert_eq!(at, step.from, "{steps:?}");
            let sum = sums.entry(step.segment).or_default();
            *sum = *sum + (step.to - step.from);
            at = step.to;
        }
        assert_eq!(at, END, "{steps:?}");
        for (segment, length) in [
            ("coding", split.coding),
            ("review", split.review),
            ("merge_to_build", split.merge_to_build),
            ("queue", split.queue),
            ("build_and_test", split.build_and_test),
            ("gate_wait", split.gate_wait),
            ("batch_wait", split.batch_wait),
            ("hand_off", split.hand_off),
            ("deploy", split.deploy),
            ("unaccounted", split.unaccounted),
        ] {
            assert_eq!(sums.get(segment).copied().unwrap_or_default(), length.wall, "{segment} of {steps:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_is_what_naming_each_instant_gives(
            authored_at in maybe_time(), opened_at in maybe_time(), merged_at in maybe_time(), committed_at in maybe_time(),
            cut in maybe_time(), released in maybe_time(), handed_over in maybe_time(),
            intervals in proptest::collection::vec(interval(), 0..8),
        ) {
            let way = Way { authored_at, opened_at, merged_at, committed_at, ..Way::default() };
            let marks = Marks { cut, released, handed_over };
            let path = Path::new(DeploymentId::new("d"), END, None, marks, intervals.clone());
            let split = path.split(&way);
            prop_assert_eq!(split, counted(&way, marks, &intervals));
            assert_steps(&path, &way, &intervals, &split);
        }
    }
}
