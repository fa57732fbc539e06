//! Where the time of a commit went: its span is cut wherever anything begins or ends, and of each piece it is asked what went on.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{Phase, Tier};
use model::fact::{ReleaseCommitFact, ReleaseFact};
use model::{CommitId, Component, GateId, Millis, RunId, Timestamp};

use crate::known::{Attempt, Gate, Task};
use crate::look_ups::things;
use crate::world::{Placed, World, ready_at};

/// What a piece of time is put down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Coding,
    Review,
    MergeToBuild,
    Queue,
    BuildAndTest,
    GateWait,
    BatchWait,
    HandOff,
    Deploy,
    Unaccounted,
}

/// How long each took; what is not named took no time.
pub struct Segments {
    wall: BTreeMap<Segment, Millis>,
    /// The part of each in working time; none without a calendar.
    working: Option<BTreeMap<Segment, Millis>>,
    /// Working time of the whole.
    whole_working: Option<Millis>,
}

/// Writes the columns of a row. What they do not add up to is the correction of the clock.
macro_rules! write_to {
    ($name:ident, $row:ty: $($segment:ident $wall:ident $working:ident),*) => {
        pub fn $name(&self, row: &mut $row) {
            let took = |all: &BTreeMap<Segment, Millis>, of: Segment| all.get(&of).copied().unwrap_or_default();
            $(
                row.$wall = Some(took(&self.wall, Segment::$segment));
                row.$working = self.working.as_ref().map(|all| took(all, Segment::$segment));
            )*
            row.clock_correction = row.lead_time.map(|lead_time| lead_time - self.wall.values().copied().sum());
            row.lead_time_working = self.whole_working;
        }
    };
    ($($name:ident $row:ty),*) => {
        $(write_to! { $name, $row: Coding coding coding_working, Review review review_working,
            MergeToBuild merge_to_build merge_to_build_working, Queue queue queue_working,
            BuildAndTest build_and_test build_and_test_working, GateWait gate_wait gate_wait_working,
            BatchWait batch_wait batch_wait_working, HandOff hand_off hand_off_working, Deploy deploy deploy_working,
            Unaccounted unaccounted unaccounted_working })*
    };
}

impl Segments {
    write_to!(write ReleaseFact, write_commit ReleaseCommitFact);

    fn add(&mut self, segment: Segment, wall: Millis, working: Option<Millis>) {
        let add = |all: &mut BTreeMap<Segment, Millis>, more: Millis| {
            let took = all.entry(segment).or_default();
            *took = *took + more;
        };
        add(&mut self.wall, wall);
        self.working.as_mut().zip(working).into_iter().for_each(|(all, more)| add(all, more));
    }
}

/// Something that kept the release busy or waiting: from, until, and the segment it makes. The most pressing has the lowest rank.
struct Activity {
    rank: u8,
    from: Timestamp,
    until: Timestamp,
    segment: Segment,
}

/// Work before waiting, since waiting costs nothing while work goes on.
fn activity(rank: u8, from: Timestamp, until: Timestamp) -> Activity {
    let segment = match rank {
        0 | 4 => Segment::Deploy,
        1 => Segment::BuildAndTest,
        2 => Segment::Queue,
        _ => Segment::GateWait,
    };
    Activity { rank, from, until, segment }
}

const DEPLOYING: u8 = 0;
const RUNNING: u8 = 1;
const QUEUED: u8 = 2;
const GATE_CLOSED: u8 = 3;
const DEPLOYMENT_MADE: u8 = 4;

/// What is asked of a piece of time in which nothing is known to go on.
struct Milestones {
    opened: Option<Timestamp>,
    merged: Option<Timestamp>,
    /// The released commit was merged.
    cut: Option<Timestamp>,
    /// Something was built or tested, and this is when the first activity began.
    first_activity: Option<Timestamp>,
    /// First sign of a deployment, where something was built.
    released: Option<Timestamp>,
    /// First success in an earlier environment.
    handed_over: Option<Timestamp>,
}

/// The segments of `commit`, which a deployment of `head` brought to production at `end`. `deployments`: those of the release.
pub fn segments(
    world: &World,
    component: &Component,
    commit: &CommitId,
    head: &CommitId,
    end: Timestamp,
    deployments: &[&Placed],
) -> Segments {
    let way = world.way(commit);
    let start = way.authored_at.unwrap_or(end);
    let merged = way.merged_at.or(way.committed_at);
    // What was done for the released commit before this one was merged was not done for this one.
    let from_when = merged.unwrap_or(start).max(start);
    let mut activities = activities(world, head, deployments);
    for activity in &mut activities {
        activity.from = activity.from.max(from_when);
        activity.until = activity.until.min(end);
    }
    activities.retain(|activity| activity.from < activity.until);
    let built = activities.iter().any(|activity| [RUNNING, QUEUED].contains(&activity.rank));
    let signs = deployments.iter().filter_map(|placed| world.known.deployments[&placed.id].first_sign());
    let earlier = deployments.iter().filter(|placed| matches!(placed.tier, Tier::Staging | Tier::Integration));
    let milestones = Milestones {
        opened: merged.map(|merged| way.opened_at.unwrap_or(merged).min(merged)),
        merged,
        cut: world.way(head).merged_at,
        first_activity: activities.iter().map(|activity| activity.from).min().filter(|_| built),
        released: signs.min().filter(|_| built),
        handed_over: earlier.filter_map(|placed| placed.succeeded_at).filter(|at| *at < end).min(),
    };
    let working = |from, until| world.working(component, from, until);
    let whole_working = working(start, end);
    let mut segments =
        Segments { wall: BTreeMap::new(), working: whole_working.map(|_| BTreeMap::new()), whole_working };
    for (from, until) in pieces(start, end, &activities, &milestones) {
        let under_way = activities.iter().filter(|activity| activity.from <= from && from < activity.until);
        let most_pressing = under_way.min_by_key(|activity| activity.rank).map(|activity| activity.segment);
        let segment = most_pressing.unwrap_or_else(|| milestones.phase(from));
        segments.add(segment, until - from, working(from, until));
    }
    segments
}

/// The span, cut at every instant where something begins, ends or happens; none where it ends before it begins.
fn pieces(
    start: Timestamp,
    end: Timestamp,
    activities: &[Activity],
    milestones: &Milestones,
) -> Vec<(Timestamp, Timestamp)> {
    let Milestones { opened, merged, cut, first_activity, released, handed_over } = milestones;
    let marks = [opened, merged, cut, first_activity, released, handed_over].into_iter().flatten().copied();
    let edges = activities.iter().flat_map(|activity| [activity.from, activity.until]);
    let inside = marks.chain(edges).filter(|at| start < *at && *at < end);
    let instants: BTreeSet<Timestamp> = inside.chain([start, end]).collect();
    let instants: Vec<Timestamp> = instants.into_iter().collect();
    if start < end { instants.windows(2).map(|pair| (pair[0], pair[1])).collect() } else { Vec::new() }
}

impl Milestones {
    fn phase(&self, at: Timestamp) -> Segment {
        let before = |mark: Option<Timestamp>| mark.is_some_and(|mark| at < mark);
        if before(self.opened) {
            Segment::Coding
        } else if self.merged.is_none() {
            Segment::Unaccounted
        } else if before(self.merged) {
            Segment::Review
        } else if before(self.cut) {
            Segment::BatchWait
        } else if before(self.first_activity) {
            Segment::MergeToBuild
        } else if before(self.released) {
            Segment::BatchWait
        } else if self.handed_over.is_some_and(|over| over <= at) {
            Segment::HandOff
        } else {
            Segment::Unaccounted
        }
    }
}

/// Everything that was done for the released commit and its deployments, and every gate in their way.
fn activities(world: &World, head: &CommitId, deployments: &[&Placed]) -> Vec<Activity> {
    let World { known, look_ups, .. } = world;
    // A run that deployed the release may be known by nothing but its tasks.
    let deploying = deployments.iter().filter_map(|placed| known.deployments[&placed.id].run.as_ref());
    let runs: BTreeSet<&RunId> = things(&look_ups.runs, head, &known.runs).map(|(id, _)| id).chain(deploying).collect();
    let on_head = things(&look_ups.gates_on, head, &known.gates);
    let of_runs = runs.iter().flat_map(|run| world.gates_of(run));
    let about = deployments.iter().flat_map(|placed| things(&look_ups.gates_about, &placed.id, &known.gates));
    let gates: BTreeMap<&GateId, &Gate> = on_head.chain(of_runs).chain(about).collect();
    let closed: Vec<(&Gate, Timestamp, Timestamp)> = gates.into_values().filter_map(closed).collect();
    let mut all: Vec<Activity> = closed.iter().map(|(_, from, until)| activity(GATE_CLOSED, *from, *until)).collect();
    for placed in deployments {
        let deployment = &known.deployments[&placed.id];
        for (rank, from) in [(DEPLOYMENT_MADE, deployment.created_at), (DEPLOYING, deployment.started_at)] {
            all.extend(from.zip(placed.succeeded_at).map(|(from, until)| activity(rank, from, until)));
        }
    }
    for id in runs {
        let held: Vec<_> =
            closed.iter().filter(|(gate, ..)| gate.run.as_ref() == Some(id)).map(|(_, a, b)| (*a, *b)).collect();
        of_run(world, id, &held, &mut all);
    }
    let loose = things(&look_ups.loose_tasks, head, &known.tasks);
    loose.flat_map(|(_, task)| task.attempts.values()).for_each(|attempt| of_attempt(attempt, None, &[], &mut all));
    all
}

/// When a gate was closed, once it has been settled.
fn closed(gate: &Gate) -> Option<(&Gate, Timestamp, Timestamp)> {
    let meeting = gate.meeting()?;
    Some((gate, meeting.requested_at.unwrap_or(meeting.seen_at), meeting.decided_at?))
}

/// A run is as busy as its tasks; where none is known, as itself.
fn of_run(world: &World, id: &RunId, held: &[(Timestamp, Timestamp)], all: &mut Vec<Activity>) {
    let tasks: Vec<&Task> = world.tasks_of(id).collect();
    for task in &tasks {
        task.attempts.values().for_each(|attempt| of_attempt(attempt, task.created_at, held, all));
    }
    if let Some(run) = world.known.runs.get(id).filter(|_| tasks.is_empty()) {
        for (number, attempt) in &run.attempts {
            of_attempt(attempt, run.created_at.filter(|_| *number == 1), held, all);
        }
    }
}

/// What was held back by a gate waits for a runner only from the decision on, whatever the provider calls the time before.
fn of_attempt(
    attempt: &Attempt,
    created_at: Option<Timestamp>,
    held: &[(Timestamp, Timestamp)],
    all: &mut Vec<Activity>,
) {
    let Some(started) = attempt.started_at else { return };
    let queued = attempt.queued_at.or(created_at).map(|queued| ready_at(queued, started, held));
    all.extend(queued.map(|queued| activity(QUEUED, queued, started)));
    let finished = attempt.finished_at.filter(|_| attempt.phase == Phase::Finished);
    all.extend(finished.map(|finished| activity(RUNNING, started, finished)));
}
