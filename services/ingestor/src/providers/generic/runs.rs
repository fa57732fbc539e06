//! Kinds of what runs: `build`, `job`, `test`, `artifact`.

use model::event::{Artifact, ArtifactAction, PipelineRun, TaskKind, TaskRun, TestLevel, TestRun};
use model::{ArtifactId, RunId, TaskId};

use super::Read;
use super::message::{Message, Progress};
use crate::providers::Unreadable;

/// Members that tell how far something that runs has come.
const PROGRESS: &[&str] = &["status", "created_at", "queued_at", "started_at", "finished_at"];

pub(super) const BUILD_MEMBERS: &[&[&str]] = &[
    &["id", "repository", "commit", "branch", "tag", "change", "pipeline", "number", "attempt", "environment"],
    &["trigger", "parent", "by", "automated"],
    PROGRESS,
];

pub(super) fn build(message: &Message<'_>) -> Read {
    let members = &message.members;
    let progress = message.progress()?;
    let pipeline = members.text("pipeline")?.unwrap_or_default();
    let parent = members.text("parent")?;
    let run = RunId::new(message.needed_id("builds")?);
    let told = PipelineRun {
        repository: members.repository("repository")?,
        number: members.count("number")?,
        outcome: progress.outcome,
        reason: progress.reason,
        commit: members.commit("commit")?,
        ref_name: message.ref_name()?,
        trigger: message.trigger()?,
        triggered_by: members.actor("by", message.people)?,
        changes: members.change("change")?.into_iter().collect(),
        parent_run: parent.map(|id| RunId::new(message.qualified("builds", &id))),
        environment: members.environment()?,
        created_at: progress.created_at,
        queued_at: progress.queued_at,
        started_at: progress.started_at,
        finished_at: progress.finished_at,
        url: members.page("url")?,
        ..PipelineRun::new(run, attempt(message)?, pipeline, progress.phase)
    };
    Ok((progress.at, told.into()))
}

/// 1 for the first try.
fn attempt(message: &Message<'_>) -> Result<i32, Unreadable> {
    Ok(message.members.small_count("attempt")?.unwrap_or(1).max(1))
}

pub(super) const JOB_MEMBERS: &[&[&str]] = &[
    &["id", "name", "build", "repository", "commit", "branch", "tag", "environment", "attempt", "manual"],
    &["allowed_to_fail", "runner", "needs", "by", "automated"],
    PROGRESS,
];

pub(super) fn job(message: &Message<'_>) -> Read {
    let members = &message.members;
    let progress = message.progress()?;
    let name = members.needed("name", "unit tests")?;
    let run = message.run()?;
    let task = match (message.id("jobs")?, &run) {
        (Some(id), _) => id,
        // Within a build, jobs are known by their names.
        (None, Some(run)) => format!("{run}/jobs/{name}"),
        (None, None) => message.id_at_end("jobs", progress.phase)?,
    };
    let told = TaskRun {
        run,
        repository: members.repository("repository")?,
        outcome: progress.outcome,
        reason: progress.reason,
        commit: members.commit("commit")?,
        ref_name: message.ref_name()?,
        environment: members.environment()?,
        manual: members.flag("manual")?.unwrap_or_default(),
        started_by: members.actor("by", message.people)?,
        allowed_to_fail: members.flag("allowed_to_fail")?.unwrap_or_default(),
        runner_group: members.text("runner")?,
        needs: members.texts("needs")?,
        created_at: progress.created_at,
        queued_at: progress.queued_at,
        started_at: progress.started_at,
        finished_at: progress.finished_at,
        url: members.page("url")?,
        ..TaskRun::new(TaskId::new(task), attempt(message)?, name, TaskKind::Job, progress.phase)
    };
    Ok((progress.at, told.into()))
}

/// A test has no time of its making.
const TEST_PROGRESS: &[&str] = &["status", "queued_at", "started_at", "finished_at"];

pub(super) const TEST_MEMBERS: &[&[&str]] =
    &[&["id", "name", "build", "job", "commit", "environment", "total", "passed", "failed", "skipped"], TEST_PROGRESS];

pub(super) fn test(message: &Message<'_>) -> Read {
    let members = &message.members;
    let Progress { phase, outcome, at, queued_at, started_at, finished_at, .. } = message.progress()?;
    let told = TestRun {
        name: members.text("name")?,
        run: message.run()?,
        task: message.job()?,
        commit: members.commit("commit")?,
        environment: members.environment()?,
        outcome,
        total: members.small_count("total")?,
        passed: members.small_count("passed")?,
        failed: members.small_count("failed")?,
        skipped: members.small_count("skipped")?,
        queued_at,
        started_at,
        finished_at,
        url: members.page("url")?,
        ..TestRun::new(message.id_at_end("tests", phase)?, TestLevel::Suite, phase)
    };
    Ok((at, told.into()))
}

const ARTIFACT_STATUSES: &[(&str, ArtifactAction)] = &[
    ("packaged", ArtifactAction::Packaged),
    ("signed", ArtifactAction::Signed),
    ("published", ArtifactAction::Published),
    ("deleted", ArtifactAction::Deleted),
];

pub(super) const ARTIFACT_MEMBERS: &[&[&str]] =
    &[&["artifact", "status", "digest", "tags", "repository", "commit", "change", "build", "by", "automated"]];

pub(super) fn artifact(message: &Message<'_>) -> Read {
    let members = &message.members;
    let action = members.word("status", ARTIFACT_STATUSES)?.unwrap_or(ArtifactAction::Published);
    let mut tags = members.texts("tags")?;
    tags.sort_unstable();
    let told = Artifact {
        digest: members.text("digest")?,
        tags,
        repository: members.repository("repository")?,
        commit: members.commit("commit")?,
        change: members.change("change")?,
        run: message.run()?,
        actor: members.actor("by", message.people)?,
        url: members.page("url")?,
        ..Artifact::new(ArtifactId::new(members.needed("artifact", "ghcr.io/acme/shop:1.4.0")?), action)
    };
    Ok((message.at(&[])?, told.into()))
}
