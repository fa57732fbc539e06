//! Runs of a repository's pipelines, with their tasks.

use model::event::{Actor, Outcome, Phase, PipelineRun, Step, TaskKind, TaskRun, Trigger};
use model::{CommitId, Millis, Repository, RunId, TaskId, Timestamp};

use crate::component::Next;
use crate::draw::{Draw, MINUTE, SECOND};

/// Where runs and tasks get their numbers.
#[derive(Debug)]
pub struct Pipeline {
    repository: Repository,
    /// Whether anything is told.
    tells: bool,
    runs: u64,
    tasks: u64,
}

/// A run under way.
#[derive(Debug)]
pub struct Run(PipelineRun);

impl Run {
    pub fn id(&self) -> &RunId {
        &self.0.run
    }
}

/// What every pipeline does on a commit, the first of it before the others.
const TASKS: [&str; 4] = ["build", "unit tests", "integration tests", "lint"];

impl Pipeline {
    pub fn new(repository: Repository, tells: bool) -> Self {
        Self { repository, tells, runs: 0, tasks: 0 }
    }

    /// A run over all tasks, run again where it failed; when it had ended, and whether it passed.
    #[expect(clippy::too_many_arguments, reason = "each is a column of the run")]
    pub fn run(
        &mut self,
        draw: &mut Draw,
        at: Timestamp,
        name: &str,
        commit: &CommitId,
        ref_name: &str,
        trigger: Trigger,
        by: &Actor,
        next: &mut Next,
    ) -> (Timestamp, bool) {
        let mut run = self.begin(at, name, commit, ref_name, trigger, by, next);
        let mut at = at;
        loop {
            let failing = draw.chance(90).then(|| draw.count(0..=TASKS.len() - 1));
            let (end, passed) = self.attempt(draw, at, &run, failing, next);
            self.end(&run, end, if passed { Outcome::Success } else { Outcome::Failure }, next);
            if passed || run.0.attempt == 3 || draw.chance(300) {
                return (end, passed);
            }
            at = end + draw.around(15 * MINUTE);
            run.0.attempt += 1;
            self.queue(&mut run, at, next);
        }
    }

    fn attempt(
        &mut self,
        draw: &mut Draw,
        at: Timestamp,
        run: &Run,
        failing: Option<usize>,
        next: &mut Next,
    ) -> (Timestamp, bool) {
        let outcome = |task| if failing == Some(task) { Outcome::Failure } else { Outcome::Success };
        let mut end = self.task(draw, at, run, TASKS[0], outcome(0), next);
        if failing == Some(0) {
            return (end, false);
        }
        let built_at = end;
        for (number, name) in TASKS.iter().enumerate().skip(1) {
            end = end.max(self.task(draw, built_at, run, name, outcome(number), next));
        }
        (end, failing.is_none())
    }

    /// A run is made and asks for a runner.
    #[expect(clippy::too_many_arguments, reason = "each is a column of the run")]
    pub fn begin(
        &mut self,
        at: Timestamp,
        name: &str,
        commit: &CommitId,
        ref_name: &str,
        trigger: Trigger,
        by: &Actor,
        next: &mut Next,
    ) -> Run {
        self.runs += 1;
        let id = format!("{}/actions/runs/{}", self.repository, self.runs);
        let mut run = PipelineRun::new(RunId::new(id.as_str()), 1, name.to_owned(), Phase::Queued);
        run.repository = Some(self.repository.clone());
        run.number = i64::try_from(self.runs).ok();
        run.commit = Some(commit.clone());
        run.ref_name = Some(ref_name.to_owned());
        run.trigger = trigger;
        run.triggered_by = by.clone();
        run.created_at = Some(at);
        run.url = Some(format!("https://{id}"));
        let mut run = Run(run);
        self.queue(&mut run, at, next);
        run
    }

    /// An attempt asks for a runner, and gets one.
    fn queue(&self, run: &mut Run, at: Timestamp, next: &mut Next) {
        let started_at = at + Millis(5 * SECOND);
        (run.0.phase, run.0.queued_at, run.0.started_at) = (Phase::Queued, Some(at), None);
        self.tell(at, &run.0, next);
        (run.0.phase, run.0.started_at) = (Phase::Running, Some(started_at));
        self.tell(started_at, &run.0, next);
    }

    /// An attempt has ended.
    pub fn end(&self, run: &Run, at: Timestamp, outcome: Outcome, next: &mut Next) {
        let ended =
            PipelineRun { phase: Phase::Finished, outcome: Some(outcome), finished_at: Some(at), ..run.0.clone() };
        self.tell(at, &ended, next);
    }

    fn tell(&self, at: Timestamp, run: &PipelineRun, next: &mut Next) {
        if self.tells {
            next.tell(at, run.clone());
        }
    }

    /// A task that waits for a runner, runs and ends; when it ended.
    pub fn task(
        &mut self,
        draw: &mut Draw,
        at: Timestamp,
        run: &Run,
        name: &str,
        outcome: Outcome,
        next: &mut Next,
    ) -> Timestamp {
        let started_at = at + draw.around(30 * SECOND);
        let finished_at = started_at + draw.around(4 * MINUTE);
        if !self.tells {
            return finished_at;
        }
        self.tasks += 1;
        let id = TaskId::new(format!("{}/actions/jobs/{}", self.repository, self.tasks));
        let mut task = TaskRun::new(id, run.0.attempt, name.to_owned(), TaskKind::Job, Phase::Queued);
        task.run = Some(run.0.run.clone());
        task.repository = Some(self.repository.clone());
        task.commit = run.0.commit.clone();
        task.runner_labels = vec!["linux".to_owned(), "x64".to_owned()];
        (task.created_at, task.queued_at) = (Some(at), Some(at));
        task.url = run.0.url.clone();
        next.tell(at, task.clone());
        (task.phase, task.started_at) = (Phase::Running, Some(started_at));
        next.tell(started_at, task.clone());
        let step = |(number, name): (i32, &str)| {
            let mut step = Step::new(number, name.to_owned());
            step.outcome = Some(if number == 3 { outcome } else { Outcome::Success });
            (step.started_at, step.finished_at) = (Some(started_at), Some(finished_at));
            step
        };
        task.steps = (1..).zip(["set up", "check out", name]).map(step).collect();
        (task.phase, task.outcome, task.finished_at) = (Phase::Finished, Some(outcome), Some(finished_at));
        next.tell(finished_at, task);
        finished_at
    }
}
