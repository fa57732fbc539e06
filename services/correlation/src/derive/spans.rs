//! Where the time of a release and of its commits went.
//!
//! The span of a commit runs from its author time to the finish of the deployment that brought it to production. It is cut at every
//! instant where something began or ended, and each piece goes to exactly one segment, so the segments add up by construction
//! (invariant 4): in wall time, and by the same cuts in working time. Where clocks disagree and the span ends before it begins,
//! every segment is nothing and the correction of the clock holds the difference.
//!
//! Up to the merge a commit is on its own: written until its change is opened, then under review. From the merge on it shares the
//! way of its release, its critical path ([`path`](super::path)), which is worked out once for all of them. Only commits that the
//! release was the first to bring to production have a split, in the row of the environment where that happened: in another
//! environment of that tier a commit arrives later, and on a way that is not this one.
//!
//! The review of a release is that of its median commit: until the first review by somebody else, from there to the last approval,
//! from there to the merge ([`reviews`](super::reviews)).

use std::collections::{BTreeMap, BTreeSet};

use model::event::Phase;
use model::fact::{ReleaseCommitFact, ReleaseFact};
use model::{Component, DeploymentId, GateId, Millis, RunId, TaskId, Timestamp, Version};

use super::comes_before_production;
use super::path::{Activity, Interval, Marks, Path, Split};
use crate::entity::Attempt;
use crate::graph::Place;
use crate::state::{Placed, Scope, State};
use crate::track::Order;

/// A row with a column for each segment.
pub trait Spans {
    /// Fills them in. What they do not add up to is the correction of the clock.
    fn tell(&mut self, split: &Split);
}

macro_rules! spans {
    ($($row:ident),*) => {
        $(spans! { $row: coding coding_working, review review_working, merge_to_build merge_to_build_working, queue queue_working,
            build_and_test build_and_test_working, gate_wait gate_wait_working, batch_wait batch_wait_working,
            hand_off hand_off_working, deploy deploy_working, unaccounted unaccounted_working })*
    };
    ($row:ident: $($segment:ident $working:ident),*) => {
        impl Spans for $row {
            fn tell(&mut self, split: &Split) {
                let mut total = Millis(0);
                $(
                    total = total + split.$segment.wall;
                    self.$segment = Some(split.$segment.wall);
                    self.$working = split.working.map(|_| split.$segment.working);
                )*
                self.clock_correction = self.lead_time.map(|lead| lead - total);
                self.lead_time_working = split.working;
            }
        }
    };
}
spans!(ReleaseFact, ReleaseCommitFact);

/// What was at work, or in the way, for an interval of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doer<'a> {
    Deployment(&'a DeploymentId),
    Gate(&'a GateId),
    Run(&'a RunId),
    Task(&'a TaskId),
}

/// The release that a path leads to, and what was deployed of it.
pub struct Reaching<'a> {
    /// Its deployments.
    deployments: Vec<(&'a DeploymentId, &'a Placed)>,
    /// The one by which it came to production first.
    pub order: Order,
    /// The commit that was deployed.
    pub head: Place,
}

/// Paths of the releases that were asked for, while the state stays as it is.
#[derive(Debug, Default)]
pub struct Paths(BTreeMap<(Component, Version), Option<Path>>);

/// So many paths are kept; there are more than that only where everything is derived anew.
const KEPT: usize = 10_000;

impl Paths {
    /// The path of a release to production; none where it has not come there, or is a baseline.
    pub(super) fn of(&mut self, state: &State, component: &Component, version: &Version) -> Option<&Path> {
        let release = (component.clone(), version.clone());
        if self.0.len() >= KEPT && !self.0.contains_key(&release) {
            self.0.clear();
        }
        self.0.entry(release).or_insert_with(|| state.path(component, version)).as_ref()
    }
}

impl State {
    fn path(&self, component: &Component, version: &Version) -> Option<Path> {
        let reaching = self.reaching(component, version)?;
        let mut intervals = Vec::new();
        self.activities(&reaching, &mut |interval, _| intervals.push(interval));
        Some(self.path_of(component, &reaching, intervals))
    }

    /// How a release came to production; none where it has not, or is a baseline.
    pub fn reaching(&self, component: &Component, version: &Version) -> Option<Reaching<'_>> {
        let (order, head) = self.production_deployments(component, version).min()?;
        let track = self.track(component, &Scope::Production)?;
        if track.baseline() == Some(&order) && self.has_baseline(component) {
            return None;
        }
        let of_release = self.by_release.of(&(component.clone(), version.clone()));
        let deployments = of_release.filter_map(|id| self.placed.get_key_value(id)).collect();
        Some(Reaching { deployments, order, head })
    }

    /// The path of a release, laid out over what went on.
    pub fn path_of(&self, component: &Component, reaching: &Reaching<'_>, intervals: Vec<Interval>) -> Path {
        let Reaching { deployments, order: Order { finished_at: end, deployment, .. }, head } = reaching;
        let earlier = deployments.iter().filter(|(_, placed)| comes_before_production(placed.tier));
        let marks = Marks {
            cut: self.way(*head).merged_at,
            released: deployments.iter().filter_map(|(id, _)| self.first_sign(id)).min(),
            handed_over: earlier.filter_map(|(_, placed)| placed.succeeded_at).min(),
        };
        let calendar = self.rules.calendar(component).cloned();
        Path::new(deployment.clone(), *end, calendar, marks, intervals)
    }

    /// Whether a deployment brought a commit to production, and not only to another environment of that tier.
    pub(super) fn brought_to_production(&self, component: &Component, place: Place, order: &Order) -> bool {
        let track = self.track(component, &Scope::Production);
        track.is_some_and(|track| track.first(place) == Some(order))
    }

    /// Tells of everything that was done for the released commit and its deployments, and of every gate in their way.
    pub fn activities<'a>(&'a self, reaching: &Reaching<'a>, tell: &mut impl FnMut(Interval, Doer<'a>)) {
        let mut gates = BTreeSet::new();
        let mut runs: BTreeSet<&RunId> = self.runs_on(reaching.head).collect();
        for (id, placed) in &reaching.deployments {
            let Some(deployment) = self.deployment(id) else { continue };
            runs.extend(deployment.run.get());
            gates.extend(self.gates_about(id));
            if let Some(finish) = placed.succeeded_at {
                let begun = [
                    (deployment.created_at.0, Activity::DeploymentMade),
                    (deployment.started_at.0, Activity::Deploying),
                ];
                for (from, what) in begun {
                    from.into_iter().for_each(|from| tell((from, finish, what), Doer::Deployment(id)));
                }
            }
        }
        gates.extend(self.gates_on(reaching.head));
        for run in &runs {
            gates.extend(self.gates_of(run));
        }
        let mut closed = Vec::new();
        for (id, gate) in gates.into_iter().filter_map(|id| self.records.gates.get_key_value(id)) {
            let meeting = gate.meeting();
            if let Some((from, to)) = meeting.at().zip(meeting.decided_at()) {
                tell((from, to, Activity::GateClosed), Doer::Gate(id));
                closed.extend(gate.run.get().map(|run| (run, from, to)));
            }
        }
        for run in runs {
            let held: Vec<(Timestamp, Timestamp)> =
                closed.iter().filter(|(r, _, _)| *r == run).map(|(_, from, to)| (*from, *to)).collect();
            self.run_activities(run, &held, tell);
        }
        for (id, task) in self.loose_tasks_on(reaching.head) {
            let tell = &mut |interval| tell(interval, Doer::Task(id));
            task.attempts.values().for_each(|attempt| attempt_activities(attempt, None, &[], tell));
        }
    }

    fn run_activities<'a>(
        &'a self,
        id: &'a RunId,
        held: &[(Timestamp, Timestamp)],
        tell: &mut impl FnMut(Interval, Doer<'a>),
    ) {
        let mut any = false;
        for (task_id, task) in self.tasks_by_id(id) {
            let tell = &mut |interval| tell(interval, Doer::Task(task_id));
            for attempt in task.attempts.values() {
                any = true;
                attempt_activities(attempt, task.created_at.0, held, tell);
            }
        }
        let Some(run) = self.records.runs.get(id).filter(|_| !any) else { return };
        for (number, attempt) in &run.attempts {
            let tell = &mut |interval| tell(interval, Doer::Run(id));
            attempt_activities(attempt, run.created_at.0.filter(|_| *number == 1), held, tell);
        }
    }
}

/// From when a task waited for a runner. One that a gate of its run held back does so only from the decision on, whatever the
/// provider calls the time before. `held`: when gates of its run were closed.
pub(super) fn ready_at(mut queued: Timestamp, started: Timestamp, held: &[(Timestamp, Timestamp)]) -> Timestamp {
    for (from, to) in held {
        if started >= *to && queued < *to && started > *from {
            queued = queued.max(*to);
        }
    }
    queued
}

/// Queue and run of one attempt.
fn attempt_activities(
    attempt: &Attempt,
    created_at: Option<Timestamp>,
    held: &[(Timestamp, Timestamp)],
    tell: &mut impl FnMut(Interval),
) {
    let Some(started) = attempt.started_at.0 else { return };
    if let Some(queued) = attempt.queued_at.0.or(created_at) {
        tell((ready_at(queued, started, held), started, Activity::Queued));
    }
    if let Some(finished) = attempt.finished_at().filter(|_| attempt.phase() == Phase::Finished) {
        tell((started, finished, Activity::Running));
    }
}
