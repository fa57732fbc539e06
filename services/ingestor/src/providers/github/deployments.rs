//! `deployment` and `deployment_status`.

use model::Environment;
use model::event::{Deployment, DeploymentAction, Outcome, Phase};
use serde::Deserialize;
use serde_json::Value;

use super::payload::{Account, Repo, When, branch_or_tag, commit, nullable, text};
use super::place::Place;
use super::runs::WorkflowRun;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

#[derive(Deserialize)]
struct DeploymentPayload {
    deployment: DeploymentShape,
    workflow_run: Option<WorkflowRun>,
    repository: Repo,
}

#[derive(Deserialize)]
struct StatusPayload {
    deployment_status: DeploymentStatus,
    deployment: DeploymentShape,
    workflow_run: Option<WorkflowRun>,
    check_run: Option<CheckRunId>,
    repository: Repo,
}

/// A deployment as it is carried by several kinds of deliveries.
#[derive(Deserialize)]
pub(super) struct DeploymentShape {
    pub(super) id: u64,
    pub(super) sha: Option<String>,
    #[serde(rename = "ref", default, deserialize_with = "text")]
    pub(super) ref_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    task: Option<String>,
    #[serde(default, deserialize_with = "text")]
    environment: Option<String>,
    production_environment: Option<bool>,
    #[serde(default, deserialize_with = "nullable")]
    transient_environment: bool,
    /// Whatever the caller of the API put there: an object, a text, a text that holds an object.
    #[serde(default)]
    payload: Value,
    creator: Option<Account>,
    #[serde(default)]
    pub(super) created_at: When,
    #[serde(default)]
    pub(super) updated_at: When,
}

#[derive(Deserialize)]
struct DeploymentStatus {
    state: String,
    #[serde(default, deserialize_with = "text")]
    environment: Option<String>,
    #[serde(default, deserialize_with = "text")]
    log_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    target_url: Option<String>,
    #[serde(default)]
    created_at: When,
}

#[derive(Deserialize)]
struct CheckRunId {
    id: u64,
}

impl DeploymentShape {
    pub(super) fn environment(&self) -> Option<Environment> {
        self.environment.as_deref().map(Environment::new)
    }

    /// Branch or tag; a deployment may also be of a bare commit.
    pub(super) fn branch_or_tag(&self) -> Option<String> {
        let name = self.ref_name.as_deref()?;
        let is_commit = name.len() >= 7 && self.sha.as_deref().is_some_and(|sha| sha.starts_with(name));
        (!is_commit).then(|| branch_or_tag(name).to_owned())
    }

    /// The tag if the ref is one beyond doubt, else what the payload says by the key `version`.
    fn version(&self) -> Option<String> {
        let tag = self.ref_name.as_deref().and_then(|name| name.strip_prefix("refs/tags/"));
        tag.map(str::to_owned).or_else(|| self.said(&["version"]))
    }

    /// First of these keys that the payload has with a text.
    fn said(&self, keys: &[&str]) -> Option<String> {
        let inner: Option<Value> = self.payload.as_str().and_then(|text| serde_json::from_str(text).ok());
        let payload = inner.as_ref().unwrap_or(&self.payload);
        keys.iter().filter_map(|key| payload.get(key)?.as_str()).find(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// What a delivery tells of a deployment that it carries; nothing if it names no environment.
pub(super) fn observed_deployment(place: &Place<'_>, shape: &DeploymentShape, phase: Phase) -> Option<Deployment> {
    Some(Deployment {
        repository: Some(place.repository.clone()),
        service: shape.said(&["service", "component", "app"]),
        // GitHub says false wherever the caller did not say true, even of an environment named `prod`.
        production: shape.production_environment.filter(|production| *production),
        commit: commit(shape.sha.as_deref()),
        ref_name: shape.branch_or_tag(),
        version: shape.version(),
        task: shape.task.clone(),
        transient: shape.transient_environment,
        triggered_by: place.account(shape.creator.as_ref()),
        created_at: shape.created_at.0,
        ..Deployment::new(place.deployment(shape.id), shape.environment()?, DeploymentAction::Deploy, phase)
    })
}

fn no_environment(what: &str) -> Unreadable {
    Unreadable::Value(format!("the {what} names no `environment`"))
}

/// `deployment`: one was made; its statuses tell the rest.
pub(super) fn deployment(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let DeploymentPayload { deployment: shape, workflow_run, repository } = delivery.payload()?;
    let place = Place::new(delivery.people, &repository);
    let mut told = observed_deployment(&place, &shape, Phase::Created).ok_or_else(|| no_environment("deployment"))?;
    told.run = workflow_run.as_ref().map(|run| place.run(run.id));
    told.url = workflow_run.and_then(|run| run.html_url);
    let at = shape.created_at.0.unwrap_or(delivery.received_at);
    Ok(one(at, told.url.clone(), told))
}

/// `deployment_status`: how far a deployment has come.
pub(super) fn deployment_status(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let StatusPayload { deployment_status: status, deployment: mut shape, workflow_run, check_run, repository } =
        delivery.payload()?;
    let Some((phase, outcome)) = progress(&status.state) else {
        return Ok(delivery.ignored("", &format!("a deployment that is {}", super::label(&status.state))));
    };
    // A status may move its deployment to another environment.
    shape.environment = status.environment.or(shape.environment);
    let place = Place::new(delivery.people, &repository);
    let told = observed_deployment(&place, &shape, phase).ok_or_else(|| no_environment("deployment status"))?;
    let run_url = workflow_run.as_ref().and_then(|run| run.html_url.clone());
    // Where the body names no run, as in the API, the page of its log does.
    let pages = [&status.log_url, &status.target_url].into_iter().flatten();
    let (run_of_page, job_of_page) = pages.filter_map(|url| run_and_job(url, &repository)).next().unzip();
    let told = Deployment {
        outcome,
        reason: Some(status.state),
        run: workflow_run.map(|run| run.id).or(run_of_page).map(|run| place.run(run)),
        job: check_run.map(|check| check.id).or(job_of_page.flatten()).map(|job| place.check(job)),
        started_at: status.created_at.0.filter(|_| phase == Phase::Running),
        finished_at: status.created_at.0.filter(|_| phase == Phase::Finished),
        url: status.log_url.or(status.target_url).or(run_url),
        ..told
    };
    Ok(one(status.created_at.0.unwrap_or(delivery.received_at), told.url.clone(), told))
}

/// Run and job that a page of this repository shows: `…/actions/runs/<run>/job/<job>`.
fn run_and_job(url: &str, repository: &Repo) -> Option<(u64, Option<u64>)> {
    let rest = url.strip_prefix(repository.html_url.as_str())?.strip_prefix("/actions/runs/")?;
    let mut parts = rest.split(['/', '?', '#']);
    let run = parts.next()?.parse().ok()?;
    let job = parts.next().filter(|part| *part == "job").and(parts.next()).and_then(|job| job.parse().ok());
    Some((run, job))
}

fn progress(state: &str) -> Option<(Phase, Option<Outcome>)> {
    Some(match state.to_ascii_lowercase().as_str() {
        "pending" => (Phase::Created, None),
        "waiting" => (Phase::Waiting, None),
        "queued" => (Phase::Queued, None),
        "in_progress" => (Phase::Running, None),
        "success" => (Phase::Finished, Some(Outcome::Success)),
        "failure" => (Phase::Finished, Some(Outcome::Failure)),
        "error" => (Phase::Finished, Some(Outcome::Error)),
        // A later deployment took its place, or somebody took it down.
        "inactive" => (Phase::Superseded, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_log_names_its_run_and_job() {
        let repository: Repo = serde_json::from_str(r#"{"html_url":"https://github.com/octo-org/shop"}"#).unwrap();
        let of = |url: &str| run_and_job(url, &repository);
        assert_eq!(of("https://github.com/octo-org/shop/actions/runs/12/job/34#step:2:1"), Some((12, Some(34))));
        assert_eq!(of("https://github.com/octo-org/shop/actions/runs/12"), Some((12, None)));
        assert_eq!(of("https://github.com/octo-org/shop/actions/runs/12/attempts/2"), Some((12, None)));
        assert_eq!(of("https://github.com/octo-org/shop2/actions/runs/12/job/34"), None);
        assert_eq!(of("https://ci.example.org/actions/runs/12/job/34"), None);
    }
}
