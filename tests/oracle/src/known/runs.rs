//! Runs and tasks, attempt by attempt.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{ActorKind, Body, Build, CiBody, Event, Outcome, Phase, PipelineRun, TaskRun, TestRun, Trigger};
use model::{CommitId, Repository, RunId, TaskId, Timestamp};

use super::{ci, group, latest, least};

/// One attempt of a run or a task.
#[derive(Debug)]
pub struct Attempt {
    pub queued_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub phase: Phase,
    pub outcome: Option<Outcome>,
    pub finished_at: Option<Timestamp>,
    pub triggered_by: ActorKind,
    /// The first step that failed.
    pub failed_step: Option<String>,
}

/// A pipeline run.
#[derive(Debug)]
pub struct Run {
    pub repository: Option<Repository>,
    pub pipeline: String,
    pub commit: Option<CommitId>,
    pub ref_name: Option<String>,
    pub trigger: Trigger,
    pub created_at: Option<Timestamp>,
    /// First sign of it.
    pub seen_at: Timestamp,
    pub attempts: BTreeMap<i32, Attempt>,
    pub url: Option<String>,
}

/// A task of a run, a check, a status, a build or a test.
#[derive(Debug)]
pub struct Task {
    pub run: Option<RunId>,
    pub name: String,
    pub commit: Option<CommitId>,
    pub created_at: Option<Timestamp>,
    pub attempts: BTreeMap<i32, Attempt>,
}

/// The change's or the platform's fault, as opposed to a wish or a rule.
pub const fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failure | Outcome::Error | Outcome::Timeout)
}

/// What one event tells of an attempt.
struct Told {
    at: Timestamp,
    attempt: i32,
    phase: Phase,
    outcome: Option<Outcome>,
    /// Queued, started, finished.
    times: [Option<Timestamp>; 3],
    by: ActorKind,
    failed_step: Option<(i32, String)>,
}

/// What one event tells of a task.
struct TaskTold {
    run: Option<RunId>,
    name: String,
    commit: Option<CommitId>,
    created_at: Option<Timestamp>,
    attempt: Told,
}

impl Told {
    /// When it had ended; the event's own time where it tells of the end and not of its time.
    fn finished_at(&self) -> Option<Timestamp> {
        self.times[2].or((self.phase == Phase::Finished).then_some(self.at))
    }
}

fn attempts(told: &[&Told]) -> BTreeMap<i32, Attempt> {
    let numbers: BTreeSet<i32> = told.iter().map(|t| t.attempt).collect();
    let of = |number: i32| told.iter().filter(move |t| t.attempt == number);
    let put_together = |number: i32| {
        // Phase, outcome and end move together: told last, and of one instant the furthest.
        let state = of(number).map(|t| (t.at, Some((t.phase, t.outcome, t.finished_at()))));
        let (phase, outcome, finished_at) = latest(state).unwrap_or_default();
        Attempt {
            queued_at: least(of(number).map(|t| t.times[0])),
            started_at: least(of(number).map(|t| t.times[1])),
            phase,
            outcome,
            finished_at,
            triggered_by: of(number).map(|t| t.by).max().unwrap_or_default(),
            failed_step: least(of(number).map(|t| t.failed_step.clone())).map(|(_, name)| name),
        }
    };
    numbers.into_iter().map(|number| (number, put_together(number))).collect()
}

pub fn runs(events: &[&Event<Body>]) -> BTreeMap<RunId, Run> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::PipelineRun(run)) => vec![(run.run.clone(), (event.occurred_at, run))],
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(id, told)| (id, run(&told))).collect()
}

fn run(told: &[(Timestamp, &PipelineRun)]) -> Run {
    let of_attempts: Vec<Told> = told
        .iter()
        .map(|(at, run)| Told {
            at: *at,
            attempt: run.attempt,
            phase: run.phase,
            outcome: run.outcome,
            times: [run.queued_at, run.started_at, run.finished_at],
            by: run.triggered_by.kind,
            failed_step: None,
        })
        .collect();
    let name = |run: &PipelineRun| (!run.pipeline.is_empty()).then(|| run.pipeline.clone());
    Run {
        repository: latest(told.iter().map(|(at, run)| (*at, run.repository.clone()))),
        pipeline: latest(told.iter().map(|(at, run)| (*at, name(run)))).unwrap_or_default(),
        commit: latest(told.iter().map(|(at, run)| (*at, run.commit.clone()))),
        ref_name: latest(told.iter().map(|(at, run)| (*at, run.ref_name.clone()))),
        trigger: latest(told.iter().map(|(at, run)| (*at, Some(run.trigger)))).unwrap_or_default(),
        created_at: least(told.iter().map(|(_, run)| run.created_at)),
        seen_at: told.iter().map(|(at, _)| *at).min().unwrap_or_default(),
        attempts: attempts(&of_attempts.iter().collect::<Vec<_>>()),
        url: latest(told.iter().map(|(at, run)| (*at, run.url.clone()))),
    }
}

pub fn tasks(events: &[&Event<Body>]) -> BTreeMap<TaskId, Task> {
    let tellings = group(events, |event| {
        let told = match ci(event) {
            Some(CiBody::TaskRun(task)) => (task.task.clone(), of_task(event.occurred_at, task)),
            Some(CiBody::Build(build)) => (TaskId::new(&*build.build), of_build(event.occurred_at, build)),
            Some(CiBody::TestRun(test)) => (TaskId::new(&*test.test), of_test(event.occurred_at, test)),
            _ => return Vec::new(),
        };
        vec![told]
    });
    tellings.into_iter().map(|(id, told)| (id, task(&told))).collect()
}

fn task(told: &[TaskTold]) -> Task {
    let at = |t: &TaskTold| t.attempt.at;
    Task {
        run: latest(told.iter().map(|t| (at(t), t.run.clone()))),
        name: latest(told.iter().map(|t| (at(t), Some(t.name.clone())))).unwrap_or_default(),
        commit: latest(told.iter().map(|t| (at(t), t.commit.clone()))),
        created_at: least(told.iter().map(|t| t.created_at)),
        attempts: attempts(&told.iter().map(|t| &t.attempt).collect::<Vec<_>>()),
    }
}

fn of_task(at: Timestamp, task: &TaskRun) -> TaskTold {
    let failed = task.steps.iter().filter(|step| step.outcome.is_some_and(is_failure));
    TaskTold {
        run: task.run.clone(),
        name: task.name.clone(),
        commit: task.commit.clone(),
        created_at: task.created_at,
        attempt: Told {
            at,
            attempt: task.attempt,
            phase: task.phase,
            outcome: task.outcome,
            times: [task.queued_at, task.started_at, task.finished_at],
            by: task.started_by.kind,
            failed_step: failed.map(|step| (step.number, step.name.clone())).min(),
        },
    }
}

/// A build is a task that is tried once.
fn of_build(at: Timestamp, build: &Build) -> TaskTold {
    TaskTold {
        run: build.run.clone(),
        name: "build".to_owned(),
        commit: build.commit.clone(),
        created_at: None,
        attempt: Told {
            at,
            attempt: 1,
            phase: build.phase,
            outcome: build.outcome,
            times: [build.queued_at, build.started_at, build.finished_at],
            by: ActorKind::Unknown,
            failed_step: None,
        },
    }
}

/// So is a test.
fn of_test(at: Timestamp, test: &TestRun) -> TaskTold {
    TaskTold {
        run: test.run.clone(),
        name: test.name.clone().unwrap_or_else(|| "test".to_owned()),
        commit: test.commit.clone(),
        created_at: None,
        attempt: Told {
            at,
            attempt: 1,
            phase: test.phase,
            outcome: test.outcome,
            times: [test.queued_at, test.started_at, test.finished_at],
            by: ActorKind::Unknown,
            failed_step: None,
        },
    }
}
