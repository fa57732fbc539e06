//! The documented body that a step of a pipeline posts: the run, its stages, and the deployment that it made.

use model::event::{Deployment, DeploymentAction, Outcome, Phase, PipelineRun, TaskKind, TaskRun};
use model::inbox::InboxRecord;
use model::{ArtifactId, DeploymentId, Millis, TaskId, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::run::{RunPath, Scm, outcome};
use crate::people::People;
use crate::providers::generic::members::{Members, missing, wrong};
use crate::providers::{Observed, Reading, Unreadable};

const MEMBERS: &[&str] = &[
    "job",
    "number",
    "url",
    "status",
    "repository",
    "commit",
    "branch",
    "queued_at",
    "started_at",
    "duration",
    "stages",
    "by",
    "automated",
    "environment",
    "version",
    "service",
    "artifact",
];

/// Words of a run that has not ended.
const UNDER_WAY: &[&str] = &["STARTED", "RUNNING", "IN_PROGRESS"];

/// A stage as Jenkins describes it at `<run>/wfapi/describe`:
/// <https://github.com/jenkinsci/pipeline-stage-view-plugin/tree/master/rest-api>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stage {
    id: String,
    name: String,
    status: String,
    start_time_millis: Option<i64>,
    duration_millis: Option<i64>,
}

/// What a step of a pipeline tells.
///
/// # Errors
/// Where a member is not known, has another form, or has to be there and is not.
pub(super) fn read(delivery: &InboxRecord, body: Value, people: &People) -> Result<Reading, Unreadable> {
    let Value::Object(members) = body else { return Err(wrong("body", &body, "an object")) };
    let members = Members::new(members, &[MEMBERS])?;
    let run = told_run(&members, delivery, people)?;
    let at = run.finished_at.or(run.started_at).unwrap_or(delivery.received_at);
    let stages = members.list("stages", "a list of stages as wfapi/describe shows them")?.unwrap_or_default();
    let mut bodies = vec![run.clone().into()];
    for stage in stages {
        bodies.extend(told_stage(stage, &run)?.map(Into::into));
    }
    bodies.extend(deployment(&members, &run)?.map(Into::into));
    let observed = |body| Observed { occurred_at: at, link: run.url.clone(), body };
    Ok(Reading::Events(bodies.into_iter().map(observed).collect()))
}

fn told_run(members: &Members, delivery: &InboxRecord, people: &People) -> Result<PipelineRun, Unreadable> {
    const EXAMPLE: &str = "https://ci.example.org/job/shop/142/";
    let url = members.page("url")?.ok_or_else(|| missing("url", EXAMPLE))?;
    let path = RunPath::of(&url)
        .ok_or_else(|| wrong("url", &Value::from(&*url), &format!("the address of a run, such as {EXAMPLE}")))?;
    let status = members.needed("status", "SUCCESS")?;
    let has_ended = !UNDER_WAY.contains(&status.to_ascii_uppercase().as_str());
    let phase = if has_ended { Phase::Finished } else { Phase::Running };
    // They are told by the address as well, which has the folders, too.
    members.text("job")?;
    let number = members.count("number")?.unwrap_or(path.number);
    let mut run = PipelineRun::new(path.id(&delivery.source), 1, path.job, phase);
    let scm = Scm { url: None, branch: members.text("branch")?, commit: None };
    scm.tell(&mut run);
    run.repository = members.repository("repository")?;
    run.commit = members.commit("commit")?;
    run.number = Some(number);
    run.outcome = has_ended.then(|| outcome(&status));
    run.reason = Some(status);
    run.triggered_by = members.actor("by", people)?;
    run.queued_at = members.time("queued_at")?;
    run.started_at = members.time("started_at")?;
    let end = run.started_at.zip(members.count("duration")?).map(|(start, ms)| start + Millis(ms));
    run.finished_at = has_ended.then(|| end.unwrap_or(delivery.received_at));
    run.url = Some(url);
    Ok(run)
}

/// A stage that has ended; the one that tells of it is under way itself.
fn told_stage(stage: &Value, run: &PipelineRun) -> Result<Option<TaskRun>, Unreadable> {
    let wanted = "stages such as {\"id\": \"6\", \"name\": \"Build\", \"status\": \"SUCCESS\", \"startTimeMillis\": …, \"durationMillis\": …}";
    let stage = Stage::deserialize(stage).map_err(|_| wrong("stages", stage, wanted))?;
    let outcome = outcome(&stage.status);
    if outcome == Outcome::Unknown {
        return Ok(None);
    }
    let started_at = stage.start_time_millis.filter(|ms| *ms > 0).map(Timestamp);
    let id = TaskId::new(format!("{}/stages/{}", run.run, stage.id));
    Ok(Some(TaskRun {
        run: Some(run.run.clone()),
        repository: run.repository.clone(),
        outcome: Some(outcome),
        reason: Some(stage.status),
        commit: run.commit.clone(),
        ref_name: run.ref_name.clone(),
        started_at: started_at.filter(|_| outcome != Outcome::Skipped),
        finished_at: started_at.zip(stage.duration_millis).map(|(start, ms)| start + Millis(ms)),
        ..TaskRun::new(id, 1, stage.name, TaskKind::Stage, Phase::Finished)
    }))
}

/// The deployment that the run made, where it names an environment.
fn deployment(members: &Members, run: &PipelineRun) -> Result<Option<Deployment>, Unreadable> {
    let (version, service) = (members.text("version")?, members.text("service")?);
    let artifacts = members.texts("artifact")?.into_iter().map(ArtifactId::new).collect();
    let Some(environment) = members.environment()? else { return Ok(None) };
    let id = DeploymentId::new(format!("{}/deployments/{environment}", run.run));
    Ok(Some(Deployment {
        repository: run.repository.clone(),
        service,
        outcome: run.outcome,
        reason: run.reason.clone(),
        commit: run.commit.clone(),
        ref_name: run.ref_name.clone(),
        version,
        artifacts,
        run: Some(run.run.clone()),
        triggered_by: run.triggered_by.clone(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        url: run.url.clone(),
        ..Deployment::new(id, environment, DeploymentAction::Deploy, run.phase)
    }))
}
