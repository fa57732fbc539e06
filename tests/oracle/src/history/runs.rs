//! Pipelines, their jobs and what they go on to do; checks of commits.

use model::event::{
    Artifact, ArtifactAction, Build, Outcome, Phase, PipelineRun, Step, TaskKind, TaskRun, TestLevel, TestRun, Trigger,
};
use model::{ArtifactId, CommitId, RunId, TaskId, Timestamp};

use super::moves::{About, Check, Meeting, Move, Reference, Stages, Target, Then, Tries};
use super::story::{IMAGE, Packed, Ran, Story, machine, person};

impl Story {
    pub fn ran(&mut self, what: &Move) {
        match what {
            Move::Pipeline { repository, back, tries, jobs, artifact, then } => {
                let project = self.project(*repository);
                let Some(commit) = self.on_main(project, *back) else { return };
                self.pipeline(project, &commit, *tries, *jobs);
                if *artifact {
                    self.pack(&commit);
                }
                self.go_on(*repository, *back, *then);
            }
            Move::Check { repository, back, kind, passes } => {
                if let Some(commit) = self.on_main(self.project(*repository), *back) {
                    self.check(commit, *kind, *passes);
                }
            }
            _ => {}
        }
    }

    fn pipeline(&mut self, project: usize, commit: &CommitId, tries: Tries, jobs: u8) {
        let n = self.number();
        let created_at = Some(Timestamp(self.now));
        let mut run = PipelineRun {
            repository: Some(self.repository(project)),
            commit: Some(commit.clone()),
            ref_name: Some("main".into()),
            trigger: [Trigger::Push, Trigger::Manual, Trigger::Schedule, Trigger::Push, Trigger::Change]
                [n as usize % 5],
            triggered_by: person(n),
            created_at,
            url: Some(format!("https://example.org/runs/{n}")),
            ..PipelineRun::new(RunId::new(format!("run/{n}")), 1, "deliver".into(), Phase::Queued)
        };
        self.tell(run.clone());
        let ends: &[Option<Outcome>] = match tries {
            Tries::Passes | Tries::Retold => &[Some(Outcome::Success)],
            Tries::FailsThenPasses => &[Some(Outcome::Failure), Some(Outcome::Success)],
            Tries::FailsTwice => &[Some(Outcome::Failure), Some(Outcome::Failure)],
            Tries::HasAnError => &[Some(Outcome::Error)],
            Tries::TimesOut => &[Some(Outcome::Timeout)],
            Tries::IsCancelled => &[Some(Outcome::Cancelled)],
            Tries::StillRuns => &[None],
        };
        // Now and then, runners are busy and slow for hours.
        let slow = if n % 4 == 3 { 170 } else { 0 };
        for (attempt, end) in (1..).zip(ends) {
            run.attempt = attempt;
            run.queued_at = Some(self.wait(1));
            run.started_at = Some(self.wait(2 + slow));
            (run.phase, run.outcome, run.finished_at) = (Phase::Running, None, None);
            self.tell(run.clone());
            for job in 0..jobs {
                self.job(&run, u32::from(job), *end, slow);
            }
            if let Some(outcome) = end {
                let finished_at = Some(self.wait(1 + slow));
                (run.phase, run.outcome, run.finished_at) = (Phase::Finished, Some(*outcome), finished_at);
                self.tell(run.clone());
            }
        }
        if tries == Tries::Retold {
            // An import knows less, and gives the commit in short.
            let short = commit.as_str().get(..8).map(CommitId::new);
            self.tell(PipelineRun {
                commit: short,
                triggered_by: machine(),
                queued_at: None,
                url: None,
                ..run.clone()
            });
        }
        self.runs.push(Ran { told: run, project, at: self.now });
    }

    fn job(&mut self, run: &PipelineRun, number: u32, end: Option<Outcome>, slow: i64) {
        // One provider has a job anew for each attempt, another counts the attempts of a job.
        let id = if run.attempt % 2 == 0 && number == 0 {
            format!("{}/{number}/{}", run.run, run.attempt)
        } else {
            format!("{}/{number}", run.run)
        };
        let name = ["build", "test", "lint", "scan"][number as usize % 4].to_owned();
        let queued_at = Some(self.wait(1));
        let started_at = Some(self.wait(1 + slow));
        let mut job = TaskRun {
            run: Some(run.run.clone()),
            repository: run.repository.clone(),
            commit: run.commit.clone(),
            created_at: queued_at,
            queued_at,
            started_at,
            runner_group: Some("large".into()),
            needs: vec!["build".into()],
            allowed_to_fail: number == 2,
            // The last one waits for a click.
            manual: number == 3,
            started_by: if number == 3 { person(1) } else { machine() },
            ..TaskRun::new(TaskId::new(id), run.attempt, name, TaskKind::Job, Phase::Running)
        };
        self.tell(job.clone());
        // What fails is the first job, and the one that is allowed to.
        if let Some(end) = end.map(|end| if number.is_multiple_of(2) { end } else { Outcome::Success }) {
            let finished_at = Some(self.wait(9 + slow));
            let step = |number, name: &str, outcome| Step {
                outcome: Some(outcome),
                started_at,
                finished_at,
                ..Step::new(number, name.to_owned())
            };
            job.steps = vec![step(1, "set up", Outcome::Success), step(2, "work", end), step(3, "tidy up", end)];
            (job.phase, job.outcome, job.finished_at) = (Phase::Finished, Some(end), finished_at);
            self.tell(job);
        }
    }

    /// The last run makes an artifact, known by its name and by its digest.
    pub fn pack(&mut self, commit: &CommitId) -> Packed {
        let n = self.number();
        let digest = format!("sha256:{n:08x}");
        let named =
            if n.is_multiple_of(3) { format!("pkg:oci/shop@{n}") } else { format!("{IMAGE}:{}@{digest}", n % 4) };
        let packed = Packed { artifact: ArtifactId::new(named), digest };
        let told = Artifact {
            digest: Some(packed.digest.clone()),
            // The commit itself, or only the run that knows it.
            commit: (n.is_multiple_of(2) || self.runs.is_empty()).then(|| commit.clone()),
            run: self.last_run(),
            tags: vec!["latest".into()],
            ..Artifact::new(packed.artifact.clone(), ArtifactAction::Published)
        };
        self.tell(told);
        self.artifacts.push(packed.clone());
        packed
    }

    fn go_on(&mut self, repository: u8, back: u8, then: Then) {
        let meeting = match then {
            Then::Ends => return,
            Then::Deploys => None,
            Then::IsGated => Some(Meeting::Approved),
            Then::IsGatedAndRejected => Some(Meeting::Rejected),
            Then::IsGatedAndExpires => Some(Meeting::Expired),
        };
        if let Some(meeting) = meeting {
            self.gate(About::Run, meeting, 0);
        }
        if matches!(then, Then::Deploys | Then::IsGated) {
            if let Some(run) = self.runs.last().map(|ran| ran.told.clone()) {
                self.job(&run, 3, Some(Outcome::Success), 0);
            }
            self.deploy(repository, back, Target::Production, Reference::Run, Stages::Succeeds, 0);
        }
    }

    fn check(&mut self, commit: CommitId, kind: Check, passes: bool) {
        let n = self.number();
        let outcome = Some(if passes { Outcome::Success } else { Outcome::Failure });
        let queued_at = Some(Timestamp(self.now));
        let started_at = Some(self.wait(1));
        let finished_at = Some(self.wait(5));
        let commit = Some(commit);
        match kind {
            Check::Status | Check::Tool => {
                let of = if kind == Check::Status { TaskKind::Status } else { TaskKind::Check };
                let task = TaskRun::new(TaskId::new(format!("check/{n}")), 1, "security".into(), of, Phase::Finished);
                self.tell(TaskRun { commit, outcome, queued_at, started_at, finished_at, ..task });
            }
            Check::Build => {
                let build = Build::new(format!("build/{n}"), Phase::Finished);
                self.tell(Build { commit, outcome, queued_at, started_at, finished_at, ..build });
            }
            Check::Test => {
                let test = TestRun::new(format!("test/{n}"), TestLevel::Suite, Phase::Finished);
                let run = self.last_run();
                // All were skipped, or none.
                let (total, skipped) = (Some(4), Some(if n.is_multiple_of(2) { 4 } else { 0 }));
                let counted = TestRun { total, skipped, passed: Some(0), failed: Some(0), ..test };
                self.tell(TestRun { run, commit, outcome, queued_at, started_at, finished_at, ..counted });
            }
        }
    }
}
