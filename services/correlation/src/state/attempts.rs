//! What was tried again and again: attempts of one pipeline on one branch, and attempts of a run or a task with nothing changed.
//!
//! Each kind is a [`Line`]. The lines follow the records; where one changes, the runs whose rows depend on that place are marked.

use std::collections::BTreeMap;

use model::event::{Outcome, Trigger};
use model::{Repository, RunId, TaskId, Timestamp};
use rustc_hash::FxHashMap;

use super::lines::{Line, Stop};
use super::{State, Unit};
use crate::entity::{Attempt, Run};
use crate::graph::Place;
use crate::observe::is_failure;

/// A pipeline of a repository: its definition at the provider, else its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pipeline {
    repository: Repository,
    name: String,
}

/// Where a pipeline is green or red. Runs for changes stand apart: their branch may be one of the same name in a fork.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Branch {
    pipeline: Pipeline,
    ref_name: String,
    of_change: bool,
}

/// What stays the same from one attempt to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Ground {
    /// A pipeline and a commit: another run of it there tries the same thing again.
    Commit(Pipeline, Place),
    /// The run itself. A run for a change may try its commit merged into the target, which moves on; and of a run without a commit or
    /// a pipeline it is not known what else is the same.
    Run(RunId),
}

/// An attempt, and whether it passed.
type Verdict<Id> = (Stop<Id>, bool);

/// Where a run stands on its lines.
#[derive(Clone, Debug, PartialEq)]
struct Standing {
    ground: Ground,
    on_ground: Vec<Verdict<RunId>>,
    branch: Option<Branch>,
    on_branch: Vec<Verdict<RunId>>,
}

/// Attempts on one ground.
#[derive(Debug, Default)]
struct OnGround {
    runs: Line<RunId>,
    /// By the name of the task.
    tasks: BTreeMap<String, Line<TaskId>>,
}

/// Where the attempts of a task stand: ground, name, verdicts.
#[derive(Debug, PartialEq)]
pub struct TaskTries {
    ground: Ground,
    name: String,
    verdicts: Vec<Verdict<TaskId>>,
}

/// All lines.
#[derive(Debug, Default)]
pub struct Tries {
    grounds: FxHashMap<Ground, OnGround>,
    branches: FxHashMap<Branch, Line<RunId>>,
    standings: FxHashMap<RunId, Standing>,
}

/// When a pass began. Only what began after a failure had ended tried again; where nobody told when it began, its end has to do.
fn pass_began(attempt: &Attempt) -> Option<Timestamp> {
    let passed_at = attempt.passed_at()?;
    Some(attempt.started_at.0.unwrap_or(passed_at).min(passed_at))
}

impl State {
    /// A run may stand elsewhere now.
    pub(super) fn run_tried(&mut self, id: &RunId) {
        let Some(standing) = self.standing(id) else { return };
        if self.tries.standings.get(id) == Some(&standing) {
            return;
        }
        let same_ground = self.tries.standings.get(id).is_some_and(|before| before.ground == standing.ground);
        let tasks: Vec<(TaskId, Option<TaskTries>)> = if same_ground {
            Vec::new()
        } else {
            self.tasks_by_id(id).map(|(task, _)| (task.clone(), self.tries_of_task(task))).collect()
        };
        if let Some(before) = self.tries.standings.insert(id.clone(), standing.clone()) {
            self.stand(before, false);
        }
        self.stand(standing, true);
        for (task, tried) in tasks {
            self.task_tried(&task, tried);
            // Once the run is known, its tasks speak for the gates that hold them back.
            self.dirty.extend(self.gates_naming.cloned(&task).into_iter().map(Unit::Gate));
        }
    }

    /// The attempts of a task may stand elsewhere now; `before` is where they stood.
    pub(super) fn task_tried(&mut self, id: &TaskId, before: Option<TaskTries>) {
        let now = self.tries_of_task(id);
        if before == now {
            return;
        }
        for (tries, put) in before.into_iter().map(|tries| (tries, false)).chain(now.map(|tries| (tries, true))) {
            self.stand_task(tries, put);
        }
    }

    /// Where the attempts of a task stand.
    pub(super) fn tries_of_task(&self, id: &TaskId) -> Option<TaskTries> {
        let task = self.records.tasks.get(id)?;
        let verdict = |(number, attempt): (&i32, &Attempt)| {
            let failed_at = || attempt.end().filter(|(outcome, _)| *outcome == Outcome::Failure).map(|(_, at)| at);
            let (at, passed) = pass_began(attempt).map(|at| (at, true)).or_else(|| Some((failed_at()?, false)))?;
            Some((Stop { at, id: id.clone(), attempt: *number }, passed))
        };
        Some(TaskTries {
            ground: self.ground_of(task.run.get()?),
            name: task.name.get()?.clone(),
            verdicts: task.attempts.iter().filter_map(verdict).collect(),
        })
    }

    fn ground_of(&self, run: &RunId) -> Ground {
        self.tries.standings.get(run).map_or_else(|| Ground::Run(run.clone()), |standing| standing.ground.clone())
    }

    fn standing(&self, id: &RunId) -> Option<Standing> {
        let run = self.records.runs.get(id)?;
        let pipeline = pipeline(run);
        let of_change = run.trigger.get() == Some(&Trigger::Change);
        let commit = self.find(run.commit.get()).filter(|_| !of_change);
        let ground = match (pipeline.clone(), commit) {
            (Some(pipeline), Some(place)) => Ground::Commit(pipeline, place),
            _ => Ground::Run(id.clone()),
        };
        let branch = pipeline.zip(run.ref_name.get().cloned()).map(|(pipeline, ref_name)| Branch {
            pipeline,
            ref_name,
            of_change,
        });
        let stop = |number: &i32, at| Stop { at, id: id.clone(), attempt: *number };
        let again = |(number, attempt): (&i32, &Attempt)| match pass_began(attempt) {
            Some(began) => Some((stop(number, began), true)),
            None => did_not_pass(attempt).map(|at| (stop(number, at), false)),
        };
        let verdict = |(number, attempt): (&i32, &Attempt)| {
            let (outcome, at) = attempt.end()?;
            let passed = outcome == Outcome::Success;
            (passed || is_failure(outcome)).then(|| (stop(number, at), passed))
        };
        Some(Standing {
            ground,
            on_ground: run.attempts.iter().filter_map(again).collect(),
            branch,
            on_branch: run.attempts.iter().filter_map(verdict).collect(),
        })
    }

    /// Puts a run on its lines, or takes it off them, and marks the rows that depend on it.
    fn stand(&mut self, standing: Standing, put: bool) {
        let Standing { ground, on_ground, branch, on_branch } = standing;
        let tries = self.tries.grounds.entry(ground.clone()).or_default();
        for (stop, passed) in on_ground {
            self.dirty.extend(tries.runs.answered_by(&stop, passed).map(|of| Unit::Run(of.id.clone())));
            change(&mut tries.runs, stop, passed, put);
        }
        if tries.runs.is_empty() && tries.tasks.is_empty() {
            self.tries.grounds.remove(&ground);
        }
        let Some(branch) = branch else { return };
        let line = self.tries.branches.entry(branch.clone()).or_default();
        for (stop, passed) in on_branch {
            change(line, stop.clone(), passed, put);
            self.dirty.extend(line.neighbours(&stop, passed).map(|of| Unit::Run(of.id.clone())));
        }
        if line.is_empty() {
            self.tries.branches.remove(&branch);
        }
    }

    fn stand_task(&mut self, TaskTries { ground, name, verdicts }: TaskTries, put: bool) {
        if verdicts.is_empty() {
            return;
        }
        let tries = self.tries.grounds.entry(ground.clone()).or_default();
        let line = tries.tasks.entry(name.clone()).or_default();
        for (stop, passed) in verdicts {
            let failed = line.answered_by(&stop, passed).filter_map(|of| self.records.tasks.get(&of.id)?.run.get());
            self.dirty.extend(failed.cloned().map(Unit::Run));
            change(line, stop, passed, put);
        }
        if line.is_empty() {
            tries.tasks.remove(&name);
        }
        if tries.runs.is_empty() && tries.tasks.is_empty() {
            self.tries.grounds.remove(&ground);
        }
    }

    /// The attempt that passed with nothing changed after an attempt of the run had ended.
    pub fn run_passed_again(&self, run: &RunId, ended_at: Timestamp) -> Option<&Stop<RunId>> {
        self.tries.grounds.get(&self.ground_of(run))?.runs.passed_from(ended_at)
    }

    /// The attempt of a task of that name that passed with nothing changed after one in the run had ended.
    pub fn task_passed_again(&self, run: &RunId, name: &str, ended_at: Timestamp) -> Option<&Stop<TaskId>> {
        self.tries.grounds.get(&self.ground_of(run))?.tasks.get(name)?.passed_from(ended_at)
    }

    /// Where the attempt is the first failure of its pipeline on its branch since the last success: when that pipeline passed there
    /// again.
    pub fn green_at(&self, run: &RunId, attempt: i32) -> Option<Timestamp> {
        let standing = self.tries.standings.get(run)?;
        let line = self.tries.branches.get(standing.branch.as_ref()?)?;
        let (stop, _) = standing.on_branch.iter().find(|(stop, passed)| stop.attempt == attempt && !passed)?;
        if line.is_first_failure(stop) { line.passed_from(stop.at).map(|pass| pass.at) } else { None }
    }
}

fn pipeline(run: &Run) -> Option<Pipeline> {
    let name = run.definition.get().or(run.pipeline.get())?.clone();
    Some(Pipeline { repository: run.repository.get()?.clone(), name })
}

/// When an attempt ended without having passed.
fn did_not_pass(attempt: &Attempt) -> Option<Timestamp> {
    attempt.end().filter(|(outcome, _)| is_failure(*outcome) || *outcome == Outcome::Cancelled).map(|(_, at)| at)
}

fn change<Id: Clone + Default + Ord>(line: &mut Line<Id>, stop: Stop<Id>, passed: bool, put: bool) {
    if put {
        line.put(stop, passed);
    } else {
        line.lift(&stop, passed);
    }
}
