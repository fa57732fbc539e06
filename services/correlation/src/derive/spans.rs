//! Where the time of a release went.
//!
//! The span of a commit runs from its author time to the finish of the deployment that brought it to production. It is cut at every
//! instant where something began or ended, and each piece goes to exactly one segment, so the segments add up by construction
//! (invariant 4).
//!
//! Where things overlap, a piece belongs to what the release could not do without at that moment, its critical path in the sense
//! of Kelley and Walker (1959): work under way before waiting, since waiting costs nothing while work goes on. In order: a
//! deployment under way, a build or a test running, a task waiting for a runner, a closed gate, a deployment made but not begun.
//! A gate thus counts only while it is the only obstacle. What is left has the name of the phase it falls in.

use model::event::Phase;
use model::{DeploymentId, Millis, RunId, Timestamp};

use super::comes_before_production;
use crate::entity::Attempt;
use crate::graph::Place;
use crate::state::{Placed, State};

/// Length of each segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub coding: Millis,
    pub review: Millis,
    pub merge_to_build: Millis,
    pub queue: Millis,
    pub build_and_test: Millis,
    pub gate_wait: Millis,
    pub batch_wait: Millis,
    pub hand_off: Millis,
    pub deploy: Millis,
    pub unaccounted: Millis,
}

impl Split {
    /// All segments together.
    pub fn total(&self) -> Millis {
        let Self {
            coding,
            review,
            merge_to_build,
            queue,
            build_and_test,
            gate_wait,
            batch_wait,
            hand_off,
            deploy,
            unaccounted,
        } = *self;
        [coding, review, merge_to_build, queue, build_and_test, gate_wait, batch_wait, hand_off, deploy, unaccounted]
            .into_iter()
            .sum()
    }
}

/// What kept a release busy or waiting, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    Deploying,
    Running,
    Queued,
    GateClosed,
    DeploymentMade,
}

/// From, to, what.
type Interval = (Timestamp, Timestamp, Activity);

/// Marks along the way of the commit; each at or after the one before, and none after the end.
struct Phases {
    start: Timestamp,
    opened: Option<Timestamp>,
    merged: Option<Timestamp>,
    /// The released commit was merged.
    cut: Option<Timestamp>,
    first_activity: Option<Timestamp>,
    built: bool,
    /// First sign of a deployment of the release.
    released: Option<Timestamp>,
    /// Deployments to earlier environments had ended.
    handed_over: Vec<Timestamp>,
}

impl State {
    /// Splits the span of `commit`, which was brought to production by a deployment of `head` that ended at `end`.
    pub(super) fn split(
        &self,
        commit: Place,
        head: Place,
        end: Timestamp,
        deployments: &[(&DeploymentId, &Placed)],
    ) -> Split {
        let way = self.way(commit);
        let Some(start) = way.authored_at else { return Split::default() };
        let merged = way.merged_at.or(way.committed_at);
        let cut = if commit == head { merged } else { self.way(head).merged_at.or(merged) };
        let after_merge = merged.unwrap_or(start);
        let mut intervals = self.activities(head, deployments);
        intervals.retain_mut(|(from, to, _)| {
            *from = (*from).max(after_merge).max(start);
            *to = (*to).min(end);
            from < to
        });
        let built = intervals.iter().any(|(_, _, what)| matches!(what, Activity::Running | Activity::Queued));
        let handed_over = deployments
            .iter()
            .filter(|(_, placed)| comes_before_production(placed.tier))
            .filter_map(|(_, placed)| placed.succeeded_at)
            .filter(|at| *at < end)
            .collect();
        let phases = Phases {
            start,
            opened: way.opened_at,
            merged,
            cut,
            first_activity: intervals.iter().map(|(from, _, _)| *from).min(),
            built,
            released: deployments.iter().filter_map(|(id, _)| self.first_sign(id)).min(),
            handed_over,
        };
        phases.sweep(end, &intervals)
    }

    /// Everything that was done for the released commit and its deployments, and every gate in their way.
    fn activities(&self, head: Place, deployments: &[(&DeploymentId, &Placed)]) -> Vec<Interval> {
        let mut intervals = Vec::new();
        let mut gates = std::collections::BTreeSet::new();
        let mut runs: std::collections::BTreeSet<&RunId> = self.runs_on(head).collect();
        for (id, placed) in deployments {
            let Some(deployment) = self.deployment(id) else { continue };
            runs.extend(deployment.run.get());
            gates.extend(self.gates_about(id));
            if let Some(finish) = placed.succeeded_at {
                intervals.extend(deployment.created_at.0.map(|made| (made, finish, Activity::DeploymentMade)));
                intervals.extend(deployment.started_at.0.map(|begun| (begun, finish, Activity::Deploying)));
            }
        }
        gates.extend(self.gates_on(head));
        for run in &runs {
            gates.extend(self.gates_of(run));
        }
        let mut closed = Vec::new();
        for gate in gates.into_iter().filter_map(|id| self.records.gates.get(id)) {
            let meeting = gate.meeting();
            if let Some((from, to)) = meeting.requested_at.or(meeting.seen_at).zip(meeting.decided_at) {
                intervals.push((from, to, Activity::GateClosed));
                closed.extend(gate.run.get().map(|run| (run, from, to)));
            }
        }
        for run in runs {
            let held: Vec<(Timestamp, Timestamp)> =
                closed.iter().filter(|(r, _, _)| *r == run).map(|(_, from, to)| (*from, *to)).collect();
            self.run_activities(run, &held, &mut intervals);
        }
        for task in self.loose_tasks_on(head) {
            task.attempts.values().for_each(|attempt| attempt_activities(attempt, None, &[], &mut intervals));
        }
        intervals
    }

    fn run_activities(&self, id: &RunId, held: &[(Timestamp, Timestamp)], intervals: &mut Vec<Interval>) {
        let mut any = false;
        for task in self.tasks_of(id) {
            for attempt in task.attempts.values() {
                any = true;
                attempt_activities(attempt, task.created_at.0, held, intervals);
            }
        }
        let Some(run) = self.records.runs.get(id).filter(|_| !any) else { return };
        for (number, attempt) in &run.attempts {
            attempt_activities(attempt, run.created_at.0.filter(|_| *number == 1), held, intervals);
        }
    }
}

/// Queue and run of one attempt. A task that a gate of its run held back waits for a runner only from the decision on, whatever
/// the provider calls the time before.
fn attempt_activities(
    attempt: &Attempt,
    created_at: Option<Timestamp>,
    held: &[(Timestamp, Timestamp)],
    intervals: &mut Vec<Interval>,
) {
    let Some(started) = attempt.started_at.0 else { return };
    if let Some(mut queued) = attempt.queued_at.0.or(created_at) {
        for (from, to) in held {
            if started >= *to && queued < *to && started > *from {
                queued = queued.max(*to);
            }
        }
        intervals.push((queued, started, Activity::Queued));
    }
    if let Some(finished) = attempt.finished_at().filter(|_| attempt.phase() == Phase::Finished) {
        intervals.push((started, finished, Activity::Running));
    }
}

impl Phases {
    fn sweep(&self, end: Timestamp, intervals: &[Interval]) -> Split {
        let mut cuts: Vec<Timestamp> = intervals.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        cuts.extend(
            [Some(self.start), self.opened, self.merged, self.cut, self.released, Some(end)].into_iter().flatten(),
        );
        cuts.extend(&self.handed_over);
        cuts.retain(|at| (self.start..=end).contains(at));
        cuts.sort_unstable();
        cuts.dedup();
        let mut split = Split::default();
        for piece in cuts.windows(2) {
            let (from, to) = (piece[0], piece[1]);
            let activity = intervals.iter().filter(|(a, b, _)| *a <= from && to <= *b).map(|(_, _, what)| *what).min();
            let segment = match activity {
                Some(Activity::Deploying | Activity::DeploymentMade) => &mut split.deploy,
                Some(Activity::Running) => &mut split.build_and_test,
                Some(Activity::Queued) => &mut split.queue,
                Some(Activity::GateClosed) => &mut split.gate_wait,
                None => self.phase(from, &mut split),
            };
            *segment = *segment + (to - from);
        }
        split
    }

    /// The phase that an instant falls in while nothing is known to go on.
    fn phase<'a>(&self, at: Timestamp, split: &'a mut Split) -> &'a mut Millis {
        if self.opened.or(self.merged).is_some_and(|mark| at < mark) {
            return &mut split.coding;
        }
        let Some(merged) = self.merged else { return &mut split.unaccounted };
        if at < merged {
            return &mut split.review;
        }
        if self.cut.is_some_and(|cut| at < cut) {
            return &mut split.batch_wait;
        }
        if self.built && self.first_activity.is_some_and(|first| at < first) {
            return &mut split.merge_to_build;
        }
        if self.built && self.released.is_some_and(|released| at < released) {
            return &mut split.batch_wait;
        }
        if self.handed_over.iter().any(|over| *over <= at) {
            return &mut split.hand_off;
        }
        &mut split.unaccounted
    }
}
