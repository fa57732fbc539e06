//! Deployments, and the reviews that hold them back.

use model::event::{Decision, Deployment, GateDecided, GateRequested, Phase, PipelineRun};
use model::{Environment, Timestamp};
use serde_json::{Value, json};

use super::parts::{Place, account, number, time};
use super::runs::conclusion;

/// `deployment` of a new one, `deployment_status` of how far it has come; none of one that is in no repository.
pub fn deployment(told: &Deployment, run: Option<&PipelineRun>, at: Timestamp) -> Option<(&'static str, Value)> {
    let place = Place::of(told.repository.as_ref()?);
    let deployment = carried(&place, told, at);
    let (event, mut body) = match state(told) {
        None => ("deployment", json!({ "action": "created", "deployment": deployment })),
        Some(state) => {
            let status = status(&place, told, run, (state, at));
            ("deployment_status", json!({ "action": "created", "deployment_status": status, "deployment": deployment }))
        }
    };
    if let Some(run) = run {
        body["workflow"] = place.workflow(run);
        body["workflow_run"] = place.run(run, "in_progress", None, at);
    }
    Some((event, place.wrap(body, &told.triggered_by, at)))
}

/// State of a status; none where it was only made.
fn state(told: &Deployment) -> Option<&'static str> {
    match told.phase {
        Phase::Finished => told.outcome.map(conclusion),
        Phase::Running => Some("in_progress"),
        _ => None,
    }
}

fn carried(place: &Place<'_>, told: &Deployment, at: Timestamp) -> Value {
    let id = number(told.deployment.as_str());
    let api = place.api(&format!("/deployments/{id}"));
    json!({
        "url": api,
        "id": id,
        "node_id": format!("DE_kwDO{id:x}"),
        "task": "deploy",
        "original_environment": told.environment,
        "environment": told.environment,
        "description": null,
        "created_at": told.created_at.map(time),
        "updated_at": time(at),
        "statuses_url": format!("{api}/statuses"),
        "repository_url": place.api(""),
        "creator": account(&told.triggered_by),
        "sha": told.commit,
        "ref": told.ref_name,
        "payload": told.version.as_ref().map_or_else(|| json!({}), |version| json!({ "version": version })),
        "transient_environment": false,
        "production_environment": told.production,
        "performed_via_github_app": null,
    })
}

fn status(place: &Place<'_>, told: &Deployment, run: Option<&PipelineRun>, (state, at): (&str, Timestamp)) -> Value {
    let (of, id) =
        (number(told.deployment.as_str()), number(told.deployment.as_str()) * 4 + u64::from(state != "in_progress"));
    let page = run.map(|run| place.page(&format!("/actions/runs/{}", number(run.run.as_str())))).unwrap_or_default();
    let api = place.api(&format!("/deployments/{of}"));
    json!({
        "url": format!("{api}/statuses/{id}"),
        "id": id,
        "node_id": format!("DES_kwDO{id:x}"),
        "state": state,
        "creator": account(&told.triggered_by),
        "description": "",
        "environment": told.environment,
        "target_url": page,
        "created_at": time(at),
        "updated_at": time(at),
        "deployment_url": api,
        "repository_url": place.api(""),
        "environment_url": "",
        "log_url": page,
        "performed_via_github_app": null,
    })
}

/// `deployment_review` requested; none where it guards no environment of a repository.
pub fn requested(run: &PipelineRun, told: &GateRequested, at: Timestamp) -> Option<Value> {
    let (place, environment) = (Place::of(run.repository.as_ref()?), told.gate.environment.as_ref()?);
    let mut body = reviewed(&place, run, environment, (at, at));
    body["action"] = "requested".into();
    body["environment"] = environment.as_str().into();
    body["requestor"] = account(&told.requested_by);
    Some(place.wrap(body, &told.requested_by, at))
}

/// `deployment_review` approved or rejected.
pub fn decided(run: &PipelineRun, told: &GateDecided, at: Timestamp) -> Option<Value> {
    let (place, environment) = (Place::of(run.repository.as_ref()?), told.gate.environment.as_ref()?);
    let mut body = reviewed(&place, run, environment, (run.created_at.unwrap_or(at), at));
    body["action"] = if told.decision == Decision::Approved { "approved" } else { "rejected" }.into();
    body["approver"] = account(&told.decided_by);
    body["comment"] = "".into();
    body["workflow_job_runs"] = json!([body["workflow_job_run"]]);
    Some(place.wrap(body, &told.decided_by, at))
}

fn reviewed(
    place: &Place<'_>,
    run: &PipelineRun,
    environment: &Environment,
    (since, at): (Timestamp, Timestamp),
) -> Value {
    let id = number(run.run.as_str());
    json!({
        "since": time(since),
        "workflow_run": place.run(run, "waiting", None, at),
        "workflow_job_run": {
            "id": id + 5_000_000_000,
            "name": "deploy",
            "status": "waiting",
            "conclusion": null,
            "html_url": place.page(&format!("/actions/runs/{id}")),
            "created_at": time(since),
            "updated_at": time(at),
            "environment": environment,
        },
        "reviewers": [{
            "type": "Team",
            "reviewer": {
                "name": "release-board",
                "id": 7_001,
                "node_id": "T_kwDOAAAbWQ",
                "slug": "release-board",
                "description": "Whoever may let a release go to production",
                "privacy": "closed",
                "notification_setting": "notifications_enabled",
                "url": format!("https://api.github.com/organizations/9000/team/7001"),
                "html_url": format!("https://github.com/orgs/{}/teams/release-board", place.owner()),
                "members_url": "https://api.github.com/organizations/9000/team/7001/members{/member}",
                "repositories_url": "https://api.github.com/organizations/9000/team/7001/repos",
                "permission": "push",
                "parent": null,
            },
        }],
    })
}
