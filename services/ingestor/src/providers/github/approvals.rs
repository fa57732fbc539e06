//! `deployment_review`, `deployment_protection_rule` and `merge_group`: gates.

use model::event::{
    Actor, ActorKind, Body, Decision, Gate, GateCancelled, GateDecided, GateKind, GateRequested, References,
};
use model::{ChangeId, Environment, RunId, Timestamp};
use serde::Deserialize;

use super::deployments::DeploymentShape;
use super::payload::{
    Account, PullRef, Repo, When, branch_or_tag, changes, commit, nullable, queued_change, same_account, text,
};
use super::place::Place;
use super::runs::WorkflowRun;
use super::{Delivery, one};
use crate::providers::{Observed, Reading, Unreadable};

/// A request names one job and environment, a decision may name several.
#[derive(Deserialize)]
struct ReviewPayload {
    action: String,
    workflow_run: WorkflowRun,
    #[serde(default, deserialize_with = "text")]
    environment: Option<String>,
    workflow_job_run: Option<JobRun>,
    #[serde(default, deserialize_with = "nullable")]
    workflow_job_runs: Vec<JobRun>,
    reviewers: Option<Vec<serde::de::IgnoredAny>>,
    /// Since when the jobs have waited.
    #[serde(default)]
    since: When,
    /// Sic.
    requestor: Option<Account>,
    approver: Option<Account>,
    repository: Repo,
}

#[derive(Deserialize)]
struct JobRun {
    id: u64,
    #[serde(default, deserialize_with = "text")]
    environment: Option<String>,
    #[serde(default)]
    updated_at: When,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
}

#[derive(Deserialize)]
struct RulePayload {
    action: String,
    #[serde(default, deserialize_with = "text")]
    environment: Option<String>,
    #[serde(default, deserialize_with = "text")]
    deployment_callback_url: Option<String>,
    deployment: DeploymentShape,
    #[serde(default, deserialize_with = "nullable")]
    pull_requests: Vec<PullRef>,
    installation: Option<Installation>,
    sender: Option<Account>,
    repository: Repo,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct GroupPayload {
    action: String,
    #[serde(default, deserialize_with = "text")]
    reason: Option<String>,
    merge_group: MergeGroup,
    sender: Option<Account>,
    repository: Repo,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_sha: String,
    head_ref: String,
    #[serde(default, deserialize_with = "nullable")]
    base_ref: String,
    head_commit: Option<HeadCommit>,
}

#[derive(Deserialize)]
struct HeadCommit {
    #[serde(default)]
    timestamp: When,
}

/// `deployment_review`: people are asked whether jobs may deploy to an environment, and answer.
pub(super) fn deployment_review(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: ReviewPayload = delivery.payload()?;
    let decision = match payload.action.as_str() {
        "requested" => None,
        "approved" => Some(Decision::Approved),
        "rejected" => Some(Decision::Rejected),
        other => return Ok(delivery.ignored(other, "asks and decides nothing")),
    };
    let jobs = jobs_by_environment(&payload);
    if jobs.is_empty() {
        return Err(Unreadable::Value("the deployment review names no environment".to_owned()));
    }
    let at = match decision {
        None => payload.since.0.or(payload.workflow_run.updated_at.0),
        Some(_) => decided_at(&payload),
    };
    let review = Review {
        place: Place::new(delivery.people, &payload.repository),
        payload: &payload,
        decision,
        at: at.unwrap_or(delivery.received_at),
    };
    Ok(Reading::Events(jobs.into_iter().map(|(environment, job)| review.observed(environment, job)).collect()))
}

/// What a review says of each of its environments.
struct Review<'a> {
    place: Place<'a>,
    payload: &'a ReviewPayload,
    /// None where it is only asked for.
    decision: Option<Decision>,
    at: Timestamp,
}

impl Review<'_> {
    fn observed(&self, environment: Environment, job: Option<&JobRun>) -> Observed {
        let run = &self.payload.workflow_run;
        let gate = Gate {
            kind: GateKind::DeploymentProtection,
            environment: Some(environment.clone()),
            attempt: run.attempt(),
            ..Gate::new(self.place.review_gate(run.id, run.attempt(), &environment), environment.to_string())
        };
        let about = self.about(environment, job);
        let url = job.and_then(|job| job.html_url.clone()).or_else(|| run.html_url.clone());
        let body = match self.decision {
            None => Body::from(GateRequested { url: url.clone(), ..self.requested(gate, about) }),
            Some(decision) => Body::from(GateDecided { url: url.clone(), ..self.decided(gate, about, decision) }),
        };
        Observed { occurred_at: self.at, link: url, body }
    }

    fn about(&self, environment: Environment, job: Option<&JobRun>) -> References {
        let run = &self.payload.workflow_run;
        References {
            repository: Some(self.place.repository.clone()),
            commit: commit(run.head_sha.as_deref()),
            ref_name: run.head_branch.clone(),
            change: only(changes(&run.pull_requests, &self.payload.repository)),
            run: Some(self.place.run(run.id)),
            task: job.map(|job| self.place.check(job.id)),
            environment: Some(environment),
            ..References::default()
        }
    }

    fn requested(&self, gate: Gate, about: References) -> GateRequested {
        let reviewers = self.payload.reviewers.as_ref().and_then(|reviewers| i32::try_from(reviewers.len()).ok());
        GateRequested {
            requested_at: Some(self.at),
            requested_by: self.place.account(self.payload.requestor.as_ref()),
            approvers: reviewers,
            ..GateRequested::new(gate, about)
        }
    }

    fn decided(&self, gate: Gate, about: References, decision: Decision) -> GateDecided {
        let approver = self.payload.approver.as_ref();
        GateDecided {
            decided_at: Some(self.at),
            decided_by: self.place.account(approver),
            by_author: same_account(approver, self.payload.workflow_run.started_by()),
            commit: about.commit.clone(),
            // One of the reviewers is enough, for yes and for no.
            final_decision: Some(true),
            ..GateDecided::new(gate, about, decision)
        }
    }
}

/// The environments in question, each with its first job.
fn jobs_by_environment(payload: &ReviewPayload) -> Vec<(Environment, Option<&JobRun>)> {
    let mut found: Vec<(Environment, Option<&JobRun>)> = Vec::new();
    for job in payload.workflow_job_runs.iter().chain(&payload.workflow_job_run) {
        let Some(name) = job.environment.as_deref().or(payload.environment.as_deref()) else { continue };
        if !found.iter().any(|(environment, _)| environment.as_str() == name) {
            found.push((Environment::new(name), Some(job)));
        }
    }
    if found.is_empty() {
        found.extend(payload.environment.as_deref().map(|name| (Environment::new(name), None)));
    }
    found
}

/// The body carries no time of the decision. It moves the jobs that waited for it; where they still stand as they did when the wait
/// began, the body was written before they moved, and the delivery itself is the best clock. The run is none: other jobs of it
/// move at any time.
fn decided_at(payload: &ReviewPayload) -> Option<Timestamp> {
    let jobs = payload.workflow_job_runs.iter().chain(&payload.workflow_job_run);
    let moved = jobs.filter_map(|job| job.updated_at.0).max()?;
    payload.since.0.is_none_or(|since| moved > since).then_some(moved)
}

/// What it is about is one change, or not known by its change.
pub(super) fn only(changes: Vec<ChangeId>) -> Option<ChangeId> {
    <[ChangeId; 1]>::try_from(changes).ok().map(|[change]| change)
}

/// `deployment_protection_rule`: an app is asked whether a job may deploy. GitHub sends it to that app alone, and does not name it:
/// the installation stands for the app. What the app answers is seen by the statuses of the deployment.
pub(super) fn deployment_protection_rule(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: RulePayload = delivery.payload()?;
    if payload.action != "requested" {
        return Ok(delivery.ignored(&payload.action, "asks nothing"));
    }
    let place = Place::new(delivery.people, &payload.repository);
    let shape = &payload.deployment;
    let environment = payload.environment.as_deref().map(Environment::new).or_else(|| shape.environment());
    let rule = payload.installation.map_or_else(|| "app".to_owned(), |installation| installation.id.to_string());
    let gate = Gate {
        kind: GateKind::DeploymentProtection,
        environment: environment.clone(),
        ..Gate::new(place.rule_gate(shape.id, &rule), "custom deployment protection rule".to_owned())
    };
    let about = References {
        repository: Some(place.repository.clone()),
        commit: commit(shape.sha.as_deref()),
        ref_name: shape.branch_or_tag(),
        change: only(changes(&payload.pull_requests, &payload.repository)),
        run: payload.deployment_callback_url.as_deref().and_then(|url| run_of_callback(&place, url)),
        deployment: Some(place.deployment(shape.id)),
        environment,
        ..References::default()
    };
    let at = shape.updated_at.0.or(shape.created_at.0).unwrap_or(delivery.received_at);
    let requested_by = place.account(payload.sender.as_ref());
    let told = GateRequested { requested_at: Some(at), requested_by, ..GateRequested::new(gate, about) };
    Ok(one(at, None, told))
}

/// The run is named only in the address for the answer: `…/actions/runs/<id>/deployment_protection_rule`.
fn run_of_callback(place: &Place<'_>, url: &str) -> Option<RunId> {
    let (_, rest) = url.split_once("/actions/runs/")?;
    rest.split('/').next()?.parse::<u64>().ok().map(|id| place.run(id))
}

/// `merge_group`: the merge queue tries a group of changes. The gate closes when the checks of the group are asked for, and opens
/// when the group is destroyed because it was merged; for any other reason the group was given up.
pub(super) fn merge_group(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let GroupPayload { action, reason, merge_group: group, sender, repository } = delivery.payload()?;
    let place = Place::new(delivery.people, &repository);
    let Some(head) = commit(Some(&group.head_sha)) else {
        return Err(Unreadable::Value(format!(
            "`head_sha` of the merge group is `{}`, which is no commit",
            group.head_sha
        )));
    };
    let branch = branch_or_tag(&group.base_ref);
    let gate =
        Gate { kind: GateKind::MergeQueue, ..Gate::new(place.queue_gate(&head), format!("merge queue of {branch}")) };
    let about = References {
        repository: Some(place.repository.clone()),
        commit: Some(head.clone()),
        ref_name: Some(branch.to_owned()).filter(|name| !name.is_empty()),
        change: queued_change(&group.head_ref),
        ..References::default()
    };
    let sender = place.account(sender.as_ref());
    match (action.as_str(), reason.as_deref()) {
        ("checks_requested", _) => {
            // GitHub made the commit for this try.
            let made_at = group.head_commit.and_then(|commit| commit.timestamp.0);
            let at = made_at.unwrap_or(delivery.received_at);
            let told =
                GateRequested { requested_at: Some(at), requested_by: sender, ..GateRequested::new(gate, about) };
            Ok(one(at, None, told))
        }
        ("destroyed", Some("merged")) => {
            let told = GateDecided {
                decided_by: Actor { key: None, kind: ActorKind::Machine },
                commit: Some(head),
                final_decision: Some(true),
                ..GateDecided::new(gate, about, Decision::Approved)
            };
            Ok(one(delivery.received_at, None, told))
        }
        ("destroyed", _) => {
            let told = GateCancelled { gate, about, cancelled_at: None, cancelled_by: sender };
            Ok(one(delivery.received_at, None, told))
        }
        (other, _) => Ok(delivery.ignored(other, "asks and decides nothing")),
    }
}
