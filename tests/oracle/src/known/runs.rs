//! Runs and tasks, attempt by attempt.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{
    ActorKind, Body, Build, CiBody, Event, Outcome, Phase, PipelineRun, TaskKind, TaskRun, TestRun, Trigger,
};
use model::{CommitId, Environment, Repository, RunId, TaskId, Timestamp};

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
    /// Pool of the runner.
    pub runner_group: Option<String>,
}

impl Attempt {
    /// How and when it ended; none while it is under way, or where nobody told how.
    pub fn end(&self) -> Option<(Outcome, Timestamp)> {
        self.outcome.zip(self.finished_at).filter(|_| self.phase == Phase::Finished)
    }

    /// When it ended, however.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.finished_at.filter(|_| self.phase == Phase::Finished)
    }

    /// When it passed.
    pub fn passed_at(&self) -> Option<Timestamp> {
        self.end().filter(|(outcome, _)| *outcome == Outcome::Success).map(|(_, at)| at)
    }

    /// When what passed began; where nobody told, its end has to do.
    pub fn pass_began(&self) -> Option<Timestamp> {
        let passed_at = self.passed_at()?;
        Some(self.started_at.unwrap_or(passed_at).min(passed_at))
    }
}

/// A pipeline run.
#[derive(Debug)]
pub struct Run {
    pub repository: Option<Repository>,
    pub pipeline: String,
    /// Its definition at the provider.
    pub definition: Option<String>,
    pub commit: Option<CommitId>,
    pub ref_name: Option<String>,
    pub trigger: Trigger,
    /// An event that told that a person started it with a button.
    pub dispatched: Option<String>,
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
    pub repository: Option<Repository>,
    pub name: String,
    pub commit: Option<CommitId>,
    pub ref_name: Option<String>,
    pub environment: Option<Environment>,
    /// An event that told that it has to be started by hand.
    pub manual: Option<String>,
    /// Its failure does not fail the run.
    pub allowed_to_fail: bool,
    /// Names of the tasks it waits for.
    pub needs: BTreeSet<String>,
    pub created_at: Option<Timestamp>,
    pub attempts: BTreeMap<i32, Attempt>,
    pub url: Option<String>,
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
    runner_group: Option<String>,
}

/// What one event tells of a task.
struct TaskTold {
    event: String,
    task: TaskRun,
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
            runner_group: latest(of(number).map(|t| (t.at, t.runner_group.clone()))),
        }
    };
    numbers.into_iter().map(|number| (number, put_together(number))).collect()
}

pub fn runs(events: &[&Event<Body>]) -> BTreeMap<RunId, Run> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::PipelineRun(run)) => vec![(run.run.clone(), (event, run))],
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(id, told)| (id, run(&told))).collect()
}

fn run(told: &[(&Event<Body>, &PipelineRun)]) -> Run {
    let of_attempts = told.iter().map(|(event, run)| Told {
        at: event.occurred_at,
        attempt: run.attempt,
        phase: run.phase,
        outcome: run.outcome,
        times: [run.queued_at, run.started_at, run.finished_at],
        by: run.triggered_by.kind,
        failed_step: None,
        runner_group: None,
    });
    let of_attempts: Vec<Told> = of_attempts.collect();
    let name = |run: &PipelineRun| (!run.pipeline.is_empty()).then(|| run.pipeline.clone());
    let all = || told.iter().map(|(event, run)| (event.occurred_at, *run));
    let by_hand = |(event, run): &(&Event<Body>, &PipelineRun)| (run.trigger == Trigger::Manual).then(|| event.id());
    Run {
        repository: latest(all().map(|(at, run)| (at, run.repository.clone()))),
        pipeline: latest(all().map(|(at, run)| (at, name(run)))).unwrap_or_default(),
        definition: latest(all().map(|(at, run)| (at, run.definition.clone()))),
        commit: latest(all().map(|(at, run)| (at, run.commit.clone()))),
        ref_name: latest(all().map(|(at, run)| (at, run.ref_name.clone()))),
        trigger: latest(all().map(|(at, run)| (at, Some(run.trigger)))).unwrap_or_default(),
        dispatched: least(told.iter().map(by_hand)),
        created_at: least(all().map(|(_, run)| run.created_at)),
        seen_at: all().map(|(at, _)| at).min().unwrap_or_default(),
        attempts: attempts(&of_attempts.iter().collect::<Vec<_>>()),
        url: latest(all().map(|(at, run)| (at, run.url.clone()))),
    }
}

pub fn tasks(events: &[&Event<Body>]) -> BTreeMap<TaskId, Task> {
    let tellings = group(events, |event| {
        let task = match ci(event) {
            Some(CiBody::TaskRun(task)) => task.clone(),
            Some(CiBody::Build(build)) => of_build(build),
            Some(CiBody::TestRun(test)) => of_test(test),
            _ => return Vec::new(),
        };
        vec![(task.task.clone(), (event.occurred_at, TaskTold { event: event.id(), task }))]
    });
    tellings.into_iter().map(|(id, told)| (id, task(&told))).collect()
}

fn task(told: &[(Timestamp, TaskTold)]) -> Task {
    let all = || told.iter().map(|(at, told)| (*at, &told.task));
    let of_attempts: Vec<Told> = all().map(|(at, task)| of_task(at, task)).collect();
    let needs = |task: &TaskRun| (!task.needs.is_empty()).then(|| task.needs.iter().cloned().collect());
    Task {
        run: latest(all().map(|(at, t)| (at, t.run.clone()))),
        repository: latest(all().map(|(at, t)| (at, t.repository.clone()))),
        name: latest(all().map(|(at, t)| (at, Some(t.name.clone())))).unwrap_or_default(),
        commit: latest(all().map(|(at, t)| (at, t.commit.clone()))),
        ref_name: latest(all().map(|(at, t)| (at, t.ref_name.clone()))),
        environment: latest(all().map(|(at, t)| (at, t.environment.clone()))),
        manual: least(told.iter().map(|(_, t)| t.task.manual.then(|| t.event.clone()))),
        allowed_to_fail: all().any(|(_, t)| t.allowed_to_fail),
        needs: latest(all().map(|(at, t)| (at, needs(t)))).unwrap_or_default(),
        created_at: least(all().map(|(_, t)| t.created_at)),
        attempts: attempts(&of_attempts.iter().collect::<Vec<_>>()),
        url: latest(all().map(|(at, t)| (at, t.url.clone()))),
    }
}

fn of_task(at: Timestamp, task: &TaskRun) -> Told {
    let failed = task.steps.iter().filter(|step| step.outcome.is_some_and(is_failure));
    Told {
        at,
        attempt: task.attempt,
        phase: task.phase,
        outcome: task.outcome,
        times: [task.queued_at, task.started_at, task.finished_at],
        by: task.started_by.kind,
        failed_step: failed.map(|step| (step.number, step.name.clone())).min(),
        runner_group: task.runner_group.clone(),
    }
}

/// A build is a task that is tried once.
fn of_build(build: &Build) -> TaskRun {
    TaskRun {
        run: build.run.clone(),
        commit: build.commit.clone(),
        outcome: build.outcome,
        queued_at: build.queued_at,
        started_at: build.started_at,
        finished_at: build.finished_at,
        url: build.url.clone(),
        ..TaskRun::new(TaskId::new(&*build.build), 1, "build".to_owned(), TaskKind::Job, build.phase)
    }
}

/// So is a test.
fn of_test(test: &TestRun) -> TaskRun {
    let name = test.name.clone().unwrap_or_else(|| "test".to_owned());
    TaskRun {
        run: test.run.clone(),
        commit: test.commit.clone(),
        outcome: test.outcome,
        queued_at: test.queued_at,
        started_at: test.started_at,
        finished_at: test.finished_at,
        url: test.url.clone(),
        ..TaskRun::new(TaskId::new(&*test.test), 1, name, TaskKind::Job, test.phase)
    }
}
