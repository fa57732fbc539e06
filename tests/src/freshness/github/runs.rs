//! Runs of workflows and their jobs.

use model::Timestamp;
use model::event::{Outcome, Phase, PipelineRun, TaskRun};
use serde_json::{Value, json};

use super::parts::{Place, branch, number, time};

/// `workflow_run`; none of a run that is in no repository.
pub fn workflow_run(told: &PipelineRun, at: Timestamp) -> Option<Value> {
    let place = Place::of(told.repository.as_ref()?);
    let (action, status) = match told.phase {
        Phase::Finished => ("completed", "completed"),
        Phase::Running => ("in_progress", "in_progress"),
        _ => ("requested", "queued"),
    };
    let body = json!({
        "action": action,
        "workflow_run": place.run(told, status, told.outcome.map(conclusion), at),
        "workflow": place.workflow(told),
    });
    Some(place.wrap(body, &told.triggered_by, at))
}

/// `workflow_job`; none of a job that is in no repository.
pub fn workflow_job(told: &TaskRun, run: &PipelineRun, at: Timestamp) -> Option<Value> {
    let place = Place::of(told.repository.as_ref()?);
    let status = match told.phase {
        Phase::Finished => "completed",
        Phase::Running => "in_progress",
        _ => "queued",
    };
    let (id, of_run) = (number(told.task.as_str()), number(run.run.as_str()));
    let on_runner = told.phase >= Phase::Running;
    let body = json!({
        "action": status,
        "workflow_job": {
            "id": id,
            "run_id": of_run,
            "workflow_name": run.pipeline,
            "head_branch": branch(run.ref_name.as_deref()),
            "run_url": place.api(&format!("/actions/runs/{of_run}")),
            "run_attempt": told.attempt,
            "node_id": format!("CR_kwDO{id:x}"),
            "head_sha": told.commit,
            "url": place.api(&format!("/actions/jobs/{id}")),
            "html_url": place.page(&format!("/actions/runs/{of_run}/job/{id}")),
            "status": status,
            "conclusion": told.outcome.map(conclusion),
            "created_at": told.created_at.map(time),
            // Set before anything has started, to the time of creation.
            "started_at": told.started_at.or(told.created_at).map(time),
            "completed_at": told.finished_at.map(time),
            "name": told.name,
            "steps": steps(told),
            "check_run_url": place.api(&format!("/check-runs/{id}")),
            "labels": told.runner_labels,
            "runner_id": on_runner.then_some(11),
            "runner_name": on_runner.then_some("GitHub Actions 11"),
            "runner_group_id": on_runner.then_some(1),
            "runner_group_name": on_runner.then_some("GitHub Actions"),
        },
    });
    Some(place.wrap(body, &run.triggered_by, at))
}

/// The steps of a job; while it runs, the first of them.
fn steps(told: &TaskRun) -> Vec<Value> {
    let step = |step: &model::event::Step| {
        json!({
            "name": step.name,
            "status": "completed",
            "conclusion": step.outcome.map(conclusion),
            "number": step.number,
            "started_at": step.started_at.map(time),
            "completed_at": step.finished_at.map(time),
        })
    };
    if told.phase == Phase::Running {
        let started_at = told.started_at.map(time);
        let first = json!({ "name": "set up", "status": "in_progress", "conclusion": null, "number": 1,
                            "started_at": started_at, "completed_at": null });
        return vec![first];
    }
    told.steps.iter().map(step).collect()
}

/// GitHub's word for how something ended.
pub const fn conclusion(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        _ => "failure",
    }
}
