//! `check_run`, `check_suite` and `status`: what other tools report on a commit.
//!
//! GitHub Actions reports each job as a check run and each run as a check suite too. Those are left to `workflow_job` and
//! `workflow_run`: a check tells neither the attempt nor when it was queued, and would pass every attempt for the first.

use model::event::{Outcome, Phase, PipelineRun, TaskKind, TaskRun};
use serde::Deserialize;

use super::deployments::DeploymentShape;
use super::payload::{PullRef, Repo, When, changes, commit, nullable, text};
use super::place::Place;
use super::progress::{Progress, progress};
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

const ACTIONS: &str = "github-actions";

#[derive(Deserialize)]
struct CheckRunPayload {
    action: String,
    check_run: CheckRun,
    repository: Repo,
}

#[derive(Deserialize)]
struct CheckSuitePayload {
    action: String,
    check_suite: CheckSuite,
    repository: Repo,
}

#[derive(Deserialize)]
struct CheckRun {
    id: u64,
    name: String,
    head_sha: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(default)]
    started_at: When,
    #[serde(default)]
    completed_at: When,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
    check_suite: Option<CheckSuite>,
    app: Option<App>,
    deployment: Option<DeploymentShape>,
}

#[derive(Deserialize)]
struct CheckSuite {
    id: u64,
    #[serde(default, deserialize_with = "text")]
    head_branch: Option<String>,
    head_sha: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pull_requests: Vec<PullRef>,
    app: Option<App>,
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    updated_at: When,
}

#[derive(Deserialize)]
struct App {
    #[serde(default, deserialize_with = "text")]
    slug: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
}

#[derive(Deserialize)]
struct StatusPayload {
    sha: String,
    state: String,
    context: String,
    #[serde(default, deserialize_with = "text")]
    target_url: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    branches: Vec<Branch>,
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    updated_at: When,
    commit: Option<StatusCommit>,
    repository: Repo,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
    commit: Option<BranchHead>,
}

#[derive(Deserialize)]
struct BranchHead {
    sha: Option<String>,
}

#[derive(Deserialize)]
struct StatusCommit {
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
}

fn by_actions(app: Option<&App>) -> bool {
    app.is_some_and(|app| app.slug.as_deref() == Some(ACTIONS))
}

/// `check_run`: a check of another app than GitHub Actions.
pub(super) fn check_run(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let CheckRunPayload { action, check_run: check, repository } = delivery.payload()?;
    match action.as_str() {
        "created" | "completed" if by_actions(check.app.as_ref()) => {
            return Ok(delivery.ignored(&action, "the workflow job tells it"));
        }
        "created" | "completed" => {}
        "rerequested" => return Ok(delivery.ignored(&action, "the next try will tell")),
        other => return Ok(delivery.ignored(other, "tells of no check")),
    }
    let place = Place::new(delivery.people, &repository);
    let Progress { phase, outcome, reason } = progress(&action, check.status.as_deref(), check.conclusion.as_deref());
    let suite = check.check_suite.as_ref();
    let told = TaskRun {
        run: suite.map(|suite| place.check_suite(suite.id)),
        repository: Some(place.repository.clone()),
        outcome,
        reason,
        commit: commit(check.head_sha.as_deref()),
        ref_name: suite.and_then(|suite| suite.head_branch.clone()),
        environment: check.deployment.as_ref().and_then(DeploymentShape::environment),
        // Set on a queued check too.
        started_at: check.started_at.0.filter(|_| phase >= Phase::Running),
        finished_at: check.completed_at.0.filter(|_| phase == Phase::Finished),
        url: check.html_url.clone(),
        ..TaskRun::new(place.check(check.id), 1, check.name, TaskKind::Check, phase)
    };
    let at = told.finished_at.or(check.started_at.0).unwrap_or(delivery.received_at);
    Ok(one(at, check.html_url, told))
}

/// `check_suite`: all checks of another app than GitHub Actions on one commit.
pub(super) fn check_suite(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let CheckSuitePayload { action, check_suite: suite, repository } = delivery.payload()?;
    match action.as_str() {
        "requested" | "completed" if by_actions(suite.app.as_ref()) => {
            return Ok(delivery.ignored(&action, "the workflow run tells it"));
        }
        "requested" | "completed" => {}
        "rerequested" => return Ok(delivery.ignored(&action, "the next try will tell")),
        other => return Ok(delivery.ignored(other, "tells of no check suite")),
    }
    let place = Place::new(delivery.people, &repository);
    let Progress { phase, outcome, reason } = progress(&action, suite.status.as_deref(), suite.conclusion.as_deref());
    let (name, slug) = suite.app.map(|app| (app.name, app.slug)).unwrap_or_default();
    let told = PipelineRun {
        repository: Some(place.repository.clone()),
        definition: slug.clone(),
        outcome,
        reason,
        commit: commit(suite.head_sha.as_deref()),
        changes: changes(&suite.pull_requests, &repository),
        ref_name: suite.head_branch,
        created_at: suite.created_at.0,
        finished_at: suite.updated_at.0.filter(|_| phase == Phase::Finished),
        ..PipelineRun::new(place.check_suite(suite.id), 1, name.or(slug).unwrap_or_default(), phase)
    };
    let at = suite.updated_at.0.or(suite.created_at.0).unwrap_or(delivery.received_at);
    Ok(one(at, None, told))
}

/// `status`: a name and a state on a commit. Each state is a record of its own: the pending one tells when the context began, a
/// later one when it ended.
pub(super) fn status(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let status: StatusPayload = delivery.payload()?;
    let (phase, outcome) = match status.state.to_ascii_lowercase().as_str() {
        "pending" => (Phase::Running, None),
        "success" => (Phase::Finished, Some(Outcome::Success)),
        "failure" => (Phase::Finished, Some(Outcome::Failure)),
        "error" => (Phase::Finished, Some(Outcome::Error)),
        other => return Ok(delivery.ignored("", &format!("a status that is {}", super::label(other)))),
    };
    let Some(sha) = commit(Some(&status.sha)) else {
        return Err(Unreadable::Value(format!("`sha` of the status is `{}`, which is no commit", status.sha)));
    };
    let place = Place::new(delivery.people, &status.repository);
    let task = place.status(&sha, &status.context);
    let told_at = status.updated_at.0.or(status.created_at.0);
    let told = TaskRun {
        repository: Some(place.repository.clone()),
        outcome,
        reason: Some(status.state),
        ref_name: headed_branch(status.branches, sha.as_str()),
        commit: Some(sha),
        created_at: told_at.filter(|_| phase == Phase::Running),
        finished_at: told_at.filter(|_| phase == Phase::Finished),
        url: status.target_url.clone(),
        ..TaskRun::new(task, 1, status.context, TaskKind::Status, phase)
    };
    let link = status.target_url.or_else(|| status.commit.and_then(|commit| commit.html_url));
    Ok(one(told_at.unwrap_or(delivery.received_at), link, told))
}

/// `branches` are all that contain the commit: the one it ran for is known only if a single one ends with it.
fn headed_branch(branches: Vec<Branch>, sha: &str) -> Option<String> {
    let is_head = |branch: &Branch| {
        let head = branch.commit.as_ref().and_then(|commit| commit.sha.as_deref());
        head.is_some_and(|head| head.eq_ignore_ascii_case(sha))
    };
    let mut heads = branches.into_iter().filter(is_head).map(|branch| branch.name);
    let first = heads.next()?;
    heads.next().is_none().then_some(first)
}
