//! Workflow runs, their jobs, deployments and gates.

use model::fact::GateOutcome;
use serde_json::Value;

use super::board;
use super::clock::{MINUTE, Seconds};
use super::expected::{BuildRecord, DeploymentRecord, GateRecord, Peculiarity};
use super::git::Account;
use super::github::{Deployment, Job, JobState, Pull, Run, Runner, Verdict, Workflow};
use super::project::Project;

/// GitHub's own runners: there is always one.
pub const HOSTED: Runner = Runner { labels: &["ubuntu-latest"], group: "GitHub Actions" };

/// A job to be run.
#[derive(Clone, Copy, Debug)]
pub struct JobPlan {
    pub name: &'static str,
    pub steps: &'static [&'static str],
    /// Time that it waits for a runner.
    pub queue: Seconds,
    pub duration: Seconds,
    /// Index of the step that fails.
    pub failing_step: Option<usize>,
    pub runner: Runner,
}

/// What starts a run.
#[derive(Clone, Debug)]
pub struct Start {
    pub workflow: Workflow,
    pub event: &'static str,
    pub branch: String,
    pub sha: String,
    pub title: String,
    pub actor: Account,
    pub at: Seconds,
    pub pull: Option<Pull>,
}

/// How a deployment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    /// Told as failed, and so much later as succeeded.
    Corrected(Seconds),
    /// It succeeds, and GitHub tells it so much later.
    ToldLate(Seconds),
}

/// How a gate goes.
#[derive(Clone, Copy, Debug)]
pub struct GatePlan {
    pub outcome: GateOutcome,
    pub decided_at: Seconds,
    pub approver: Account,
    /// When the last other job of the run ends.
    pub others_end: Seconds,
}

/// A deployment to be made.
#[derive(Clone, Debug)]
pub struct DeployPlan {
    pub component: &'static str,
    pub environment: &'static str,
    pub sha: String,
    pub ref_name: String,
    pub payload: Value,
    pub creator: Account,
    pub description: Option<&'static str>,
    pub job: JobPlan,
    pub gate: Option<GatePlan>,
    pub outcome: Outcome,
}

/// A deployment that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Deployed {
    pub at: Seconds,
    pub success: bool,
}

impl Project {
    pub fn start_run(&mut self, start: Start) -> Run {
        let Start { workflow, event, branch, sha, title, actor, at, pull } = start;
        let number = self.next_run;
        self.next_run += 1;
        let id = self.id();
        let run = Run {
            id,
            number,
            attempt: 1,
            workflow,
            event,
            branch,
            sha,
            title,
            actor,
            triggering_actor: actor,
            created_at: at,
            attempt_at: at,
            started_at: None,
            pull,
        };
        self.request_run(&run);
        run
    }

    /// Somebody runs it again.
    pub fn run_again(&mut self, run: &mut Run, by: Account, at: Seconds) {
        run.attempt += 1;
        run.triggering_actor = by;
        run.attempt_at = at;
        run.started_at = None;
        self.request_run(run);
    }

    fn request_run(&mut self, run: &Run) {
        let body = self.repo.workflow_run("requested", run, None, run.attempt_at);
        self.tell("workflow_run", run.attempt_at, &body);
        let record = BuildRecord {
            repository: format!("github.com/{}", self.repo.full_name()),
            run: self.run_id(run),
            attempt: run.attempt,
            pipeline: run.workflow.name.to_owned(),
            started_at: run.attempt_at,
            end: None,
        };
        self.records.builds.push(record);
    }

    fn run_id(&self, run: &Run) -> String {
        format!("github.com/{}/actions/runs/{}", self.repo.full_name(), run.id)
    }

    pub fn finish_run(&mut self, run: &Run, conclusion: &str, at: Seconds) {
        let body = self.repo.workflow_run("completed", run, Some(conclusion), at);
        self.tell("workflow_run", at, &body);
        let id = self.run_id(run);
        let of_run = |record: &&mut BuildRecord| record.run == id && record.attempt == run.attempt;
        if let Some(record) = self.records.builds.iter_mut().rev().find(of_run) {
            record.end = Some((at, conclusion == "success"));
        }
    }

    fn make_job(&mut self, plan: &JobPlan, created_at: Seconds, ready_at: Seconds) -> Job {
        let started_at = ready_at + plan.queue;
        if plan.queue >= 10 * MINUTE {
            self.records.note(Peculiarity::StarvedRunner, started_at);
        }
        Job {
            id: self.id(),
            name: plan.name,
            steps: plan.steps,
            failing_step: plan.failing_step,
            runner: plan.runner,
            created_at,
            started_at,
            ended_at: started_at + plan.duration,
        }
    }

    fn tell_job(&mut self, run: &Run, job: &Job, state: JobState, deployment: Option<&Deployment>, at: Seconds) {
        let body = self.repo.workflow_job(run, job, state, deployment, at);
        self.tell("workflow_job", at, &body);
    }

    fn tell_job_running(&mut self, run: &mut Run, job: &Job, deployment: Option<&Deployment>) {
        if run.started_at.is_none() {
            run.started_at = Some(job.started_at);
            let body = self.repo.workflow_run("in_progress", run, None, job.started_at);
            self.tell("workflow_run", job.started_at, &body);
        }
        self.tell_job(run, job, JobState::Running, deployment, job.started_at);
    }

    /// Runs a job that is ready at that time; its end.
    pub fn job(&mut self, run: &mut Run, plan: &JobPlan, ready_at: Seconds) -> Seconds {
        let job = self.make_job(plan, ready_at, ready_at);
        self.tell_job(run, &job, JobState::Queued, None, ready_at);
        self.tell_job_running(run, &job, None);
        let conclusion = if plan.failing_step.is_some() { "failure" } else { "success" };
        self.tell_job(run, &job, JobState::Ended(conclusion), None, job.ended_at);
        job.ended_at
    }

    /// Runs a job that deploys, through its gate if it has one.
    pub fn deploy(&mut self, run: &mut Run, plan: &DeployPlan, ready_at: Seconds) -> Deployed {
        let deployment = Deployment {
            id: self.id(),
            sha: plan.sha.clone(),
            ref_name: plan.ref_name.clone(),
            environment: plan.environment,
            payload: plan.payload.clone(),
            description: plan.description,
            creator: plan.creator,
            created_at: ready_at,
        };
        let go_on_at = plan.gate.map_or(ready_at, |gate| gate.decided_at + 4);
        let job = self.make_job(&plan.job, ready_at, go_on_at);
        let record = DeploymentRecord {
            component: plan.component,
            environment: plan.environment,
            deployment: format!("github.com/{}/deployments/{}", self.repo.full_name(), deployment.id),
            sha: plan.sha.clone(),
            created_at: ready_at,
            ends: Vec::new(),
        };
        self.records.deployments.push(record);
        let body = self.repo.deployment(run, &deployment);
        self.tell("deployment", ready_at, &body);
        if let Some(gate) = plan.gate
            && !self.pass_gate(run, plan, &gate, (&deployment, &job))
        {
            return self.held_back(run, &gate, (&deployment, &job));
        }
        self.tell_job(run, &job, JobState::Queued, Some(&deployment), go_on_at);
        self.tell_job_running(run, &job, Some(&deployment));
        self.status(Some((run, &job)), &deployment, "in_progress", (job.started_at, 0));
        self.end_deployment(run, plan.outcome, (&deployment, &job))
    }

    fn status(&mut self, by: Option<(&Run, &Job)>, of: &Deployment, state: &str, (at, delay): (Seconds, Seconds)) {
        let id = self.id();
        let body = self.repo.deployment_status(by, of, id, state, at);
        self.tell_late("deployment_status", at, delay, &body);
        if matches!(state, "success" | "failure" | "error") {
            let name = format!("github.com/{}/deployments/{}", self.repo.full_name(), of.id);
            if let Some(record) = self.records.deployments.iter_mut().rev().find(|record| record.deployment == name) {
                record.ends.push((at, state == "success"));
            }
        }
    }

    fn end_deployment(&mut self, run: &Run, outcome: Outcome, (deployment, job): (&Deployment, &Job)) -> Deployed {
        let by = Some((run, job));
        let end = job.ended_at;
        let (at, success, delay) = match outcome {
            Outcome::Success => (end, true, 0),
            Outcome::Failure => (end, false, 0),
            Outcome::Corrected(after) => (end + after, true, 0),
            Outcome::ToldLate(delay) => (end, true, delay),
        };
        if at > end {
            self.status(by, deployment, "failure", (end, 0));
            self.records.note(Peculiarity::CorrectedDeployment, at);
        }
        if delay > 0 {
            self.records.note(Peculiarity::LateStatus, at);
        }
        let conclusion = if success { "success" } else { "failure" };
        self.tell_job(run, job, JobState::Ended(conclusion), Some(deployment), end);
        self.status(by, deployment, conclusion, (at, delay));
        if !success {
            self.records.note(Peculiarity::FailedDeployment, at);
        } else if deployment.environment == "production"
            && let Some(previous) = self.active.replace(deployment.clone())
        {
            self.status(None, &previous, "inactive", (at + 2, 0));
        }
        Deployed { at: at.max(end), success }
    }

    /// The job waits for the decision; whether it may go on.
    fn pass_gate(
        &mut self,
        run: &Run,
        plan: &DeployPlan,
        gate: &GatePlan,
        (deployment, job): (&Deployment, &Job),
    ) -> bool {
        let requested_at = job.created_at;
        self.tell_job(run, job, JobState::Waiting, Some(deployment), requested_at);
        self.status(Some((run, job)), deployment, "waiting", (requested_at, 0));
        let body = self.repo.review_requested(run, job, plan.environment, requested_at + 1);
        self.tell("deployment_review", requested_at + 1, &body);
        let id = format!("{}/attempts/{}/environments/{}", self.run_id(run), run.attempt, plan.environment);
        let record = GateRecord {
            component: plan.component,
            gate: id.clone(),
            environment: plan.environment,
            sha: run.sha.clone(),
            requested_at: requested_at + 1,
            blocking_from: gate.others_end.max(requested_at + 1),
            decided_at: gate.decided_at,
            outcome: gate.outcome,
        };
        if gate.others_end > requested_at + 1 {
            self.records.note(Peculiarity::GateBesideJob, gate.decided_at);
        }
        self.records.gates.push(record);
        self.decide(run, plan.environment, gate, (&id, job))
    }

    fn decide(&mut self, run: &Run, environment: &str, gate: &GatePlan, (id, job): (&str, &Job)) -> bool {
        let at = gate.decided_at;
        let comment = match gate.outcome {
            GateOutcome::Approved => "Approved by the change board",
            GateOutcome::Rejected => "Not with the open finding in the reconciliation",
            // GitHub sends no review where an administrator passes the rule or nobody decides: the board's own tool tells it.
            outcome => {
                self.records.note(
                    if outcome == GateOutcome::Bypassed { Peculiarity::GateBypassed } else { Peculiarity::GateExpired },
                    at,
                );
                let webhook = board::told(outcome, id, run, environment, at, &mut self.rng);
                self.deliveries.0.push((at, webhook));
                return outcome == GateOutcome::Bypassed;
            }
        };
        let approved = gate.outcome == GateOutcome::Approved;
        self.records.note(if approved { Peculiarity::GateApproved } else { Peculiarity::GateRejected }, at);
        if approved && at - job.created_at < MINUTE {
            self.records.note(Peculiarity::GateWavedThrough, at);
        }
        let verdict = Verdict { approved, approver: gate.approver, comment, at };
        let body = self.repo.review_decided(run, job, environment, job.created_at + 1, &verdict);
        self.tell("deployment_review", at, &body);
        approved
    }

    /// Rejected or expired: the job ends without having run.
    fn held_back(&mut self, run: &Run, gate: &GatePlan, (deployment, job): (&Deployment, &Job)) -> Deployed {
        let at = gate.decided_at + 3;
        let (conclusion, state) = match gate.outcome {
            GateOutcome::Rejected => ("failure", "failure"),
            _ => ("cancelled", "error"),
        };
        self.tell_job(run, job, JobState::Ended(conclusion), Some(deployment), at);
        self.status(Some((run, job)), deployment, state, (at, 0));
        Deployed { at, success: false }
    }
}
