//! `workflow_run` and `workflow_job`: GitHub Actions.

use model::Environment;
use model::event::{Outcome, Phase, PipelineRun, Step, TaskKind, TaskRun, Trigger};
use serde::Deserialize;

use super::deployments::{DeploymentShape, observed_deployment};
use super::payload::{Account, PullRef, Repo, When, changes, commit, nullable, queued_change, text};
use super::place::Place;
use super::progress::{Progress, outcome, progress};
use super::{Delivery, one};
use crate::providers::{Observed, Reading, Unreadable};

#[derive(Deserialize)]
struct RunPayload {
    action: String,
    workflow_run: WorkflowRun,
    workflow: Option<Workflow>,
    repository: Repo,
}

/// A run as runs, deployments and reviews of deployments carry it.
#[derive(Deserialize)]
pub(super) struct WorkflowRun {
    pub(super) id: u64,
    #[serde(default, deserialize_with = "text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    path: Option<String>,
    workflow_id: Option<u64>,
    run_number: Option<i64>,
    run_attempt: Option<i32>,
    #[serde(default, deserialize_with = "nullable")]
    event: String,
    status: Option<String>,
    conclusion: Option<String>,
    pub(super) head_sha: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) head_branch: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) pull_requests: Vec<PullRef>,
    pub(super) actor: Option<Account>,
    pub(super) triggering_actor: Option<Account>,
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    run_started_at: When,
    #[serde(default)]
    pub(super) updated_at: When,
    #[serde(default, deserialize_with = "text")]
    pub(super) html_url: Option<String>,
}

#[derive(Deserialize)]
struct Workflow {
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    path: Option<String>,
}

#[derive(Deserialize)]
struct JobPayload {
    action: String,
    workflow_job: Job,
    deployment: Option<DeploymentShape>,
    repository: Repo,
}

#[derive(Deserialize)]
struct Job {
    id: u64,
    run_id: u64,
    run_attempt: Option<i32>,
    name: String,
    status: Option<String>,
    conclusion: Option<String>,
    head_sha: Option<String>,
    #[serde(default, deserialize_with = "text")]
    head_branch: Option<String>,
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    started_at: When,
    #[serde(default)]
    completed_at: When,
    #[serde(default, deserialize_with = "nullable")]
    steps: Vec<JobStep>,
    #[serde(default, deserialize_with = "nullable")]
    labels: Vec<String>,
    runner_id: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    runner_group_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
}

#[derive(Deserialize)]
struct JobStep {
    number: i32,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    conclusion: Option<String>,
    #[serde(default)]
    started_at: When,
    #[serde(default)]
    completed_at: When,
}

impl WorkflowRun {
    /// From 1; early GitHub Enterprise Servers do not tell.
    pub(super) fn attempt(&self) -> i32 {
        self.run_attempt.unwrap_or(1)
    }

    /// Who started this attempt.
    pub(super) fn started_by(&self) -> Option<&Account> {
        self.triggering_actor.as_ref().or(self.actor.as_ref())
    }
}

/// `workflow_run`: an attempt of a run was asked for, began or ended.
pub(super) fn workflow_run(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let RunPayload { action, workflow_run: run, workflow, repository } = delivery.payload()?;
    if !matches!(action.as_str(), "requested" | "in_progress" | "completed") {
        return Ok(delivery.ignored(&action, "tells of no run"));
    }
    let place = Place::new(delivery.people, &repository);
    let Progress { phase, outcome, reason } = progress(&action, run.status.as_deref(), run.conclusion.as_deref());
    let (name, path) = workflow.map(|workflow| (workflow.name, workflow.path)).unwrap_or_default();
    // The run's own name may be a title made for the run; its path may end in the branch: `build.yml@main`.
    let path = path.or_else(|| run.path.as_deref().map(|path| path.split('@').next().unwrap_or(path).to_owned()));
    let name = name.or_else(|| run.name.clone()).or_else(|| path.clone());
    let mut of_changes = changes(&run.pull_requests, &repository);
    of_changes.extend(run.head_branch.as_deref().and_then(queued_change));
    let told = PipelineRun {
        repository: Some(place.repository.clone()),
        definition: path.or_else(|| run.workflow_id.map(|id| id.to_string())),
        number: run.run_number,
        outcome,
        reason,
        commit: commit(run.head_sha.as_deref()),
        ref_name: run.head_branch.clone(),
        trigger: trigger(&run.event),
        triggered_by: place.account(run.started_by()),
        changes: of_changes,
        created_at: run.created_at.0,
        // When the attempt began: hours or days after `created_at` if the run was tried again. How long its jobs waited for a
        // runner is told by the jobs. A run of a stranger's fork ends at once by asking for approval, without having begun.
        started_at: run
            .run_started_at
            .0
            .filter(|_| phase >= Phase::Running && outcome != Some(Outcome::ActionRequired)),
        finished_at: run.updated_at.0.filter(|_| phase == Phase::Finished),
        url: run.html_url.clone(),
        ..PipelineRun::new(place.run(run.id), run.attempt(), name.unwrap_or_default(), phase)
    };
    let at = run.updated_at.0.or(run.created_at.0).unwrap_or(delivery.received_at);
    Ok(one(at, run.html_url, told))
}

/// What started a run, from the name of the event that did.
fn trigger(event: &str) -> Trigger {
    match event {
        "" => Trigger::Unknown,
        "push" => Trigger::Push,
        "pull_request" | "pull_request_target" => Trigger::Change,
        "merge_group" => Trigger::MergeQueue,
        "schedule" => Trigger::Schedule,
        "workflow_dispatch" => Trigger::Manual,
        "repository_dispatch" => Trigger::Api,
        "workflow_run" | "workflow_call" => Trigger::Upstream,
        "release" | "create" => Trigger::Tag,
        "deployment" | "deployment_status" => Trigger::Deployment,
        _ => Trigger::Other,
    }
}

/// `workflow_job`: a job, and the deployment it makes if its environment has one.
pub(super) fn workflow_job(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let JobPayload { action, workflow_job: job, deployment, repository } = delivery.payload()?;
    if !matches!(action.as_str(), "queued" | "waiting" | "in_progress" | "completed") {
        return Ok(delivery.ignored(&action, "tells of no job"));
    }
    let place = Place::new(delivery.people, &repository);
    let environment = deployment.as_ref().and_then(DeploymentShape::environment);
    let told = task(&place, &action, &job, environment);
    let at = told.finished_at.or(told.started_at).or(told.created_at).unwrap_or(delivery.received_at);
    let deployment = deployment.and_then(|shape| {
        let mut deployment = observed_deployment(&place, &shape, Phase::Created)?;
        deployment.run = told.run.clone();
        deployment.job = Some(told.task.clone());
        let at = shape.created_at.0.unwrap_or(at);
        Some(Observed { occurred_at: at, link: job.html_url.clone(), body: deployment.into() })
    });
    let task = Observed { occurred_at: at, link: job.html_url, body: told.into() };
    Ok(Reading::Events([Some(task), deployment].into_iter().flatten().collect()))
}

fn task(place: &Place<'_>, action: &str, job: &Job, environment: Option<Environment>) -> TaskRun {
    let Progress { phase, outcome, reason } = progress(action, job.status.as_deref(), job.conclusion.as_deref());
    let mut runner_labels = job.labels.clone();
    runner_labels.sort_unstable();
    runner_labels.dedup();
    TaskRun {
        run: Some(place.run(job.run_id)),
        repository: Some(place.repository.clone()),
        outcome,
        reason,
        commit: commit(job.head_sha.as_deref()),
        ref_name: job.head_branch.clone(),
        environment,
        runner_group: job.runner_group_name.clone(),
        runner_labels,
        steps: job.steps.iter().map(step).collect(),
        created_at: job.created_at.0,
        queued_at: job.created_at.0.filter(|_| phase == Phase::Queued),
        // A queued or waiting job has a `started_at` already, which is when it was made.
        started_at: job.started_at.0.filter(|_| phase >= Phase::Running && ran(job, phase)),
        finished_at: job.completed_at.0.filter(|_| phase == Phase::Finished),
        url: job.html_url.clone(),
        ..TaskRun::new(place.check(job.id), job.run_attempt.unwrap_or(1), job.name.clone(), TaskKind::Job, phase)
    }
}

/// Whether the job was on a runner. One that has ended may never have been: it was skipped, cancelled while it waited, or held back
/// by a gate that rejected it, which GitHub calls a `failure`.
fn ran(job: &Job, phase: Phase) -> bool {
    phase < Phase::Finished || job.runner_id.is_some_and(|id| id != 0) || !job.steps.is_empty()
}

fn step(step: &JobStep) -> Step {
    Step {
        outcome: step.conclusion.as_deref().map(outcome),
        started_at: step.started_at.0,
        finished_at: step.completed_at.0,
        ..Step::new(step.number, step.name.clone())
    }
}
