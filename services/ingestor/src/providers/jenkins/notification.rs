//! The [Notification plugin](https://plugins.jenkins.io/notification/): one body at each phase of a run.

use std::collections::BTreeMap;

use model::event::{Artifact, ArtifactAction, Outcome, Phase, PipelineRun, TestLevel, TestRun};
use model::inbox::InboxRecord;
use model::{ArtifactId, Millis, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::run::{RunPath, Scm, outcome};
use crate::providers::lenient::{nullable, text};
use crate::providers::{Observed, Reading, Unreadable};

/// The shape of `JobState` and what hangs on it:
/// <https://github.com/jenkinsci/notification-plugin/tree/master/src/main/java/com/tikal/hudson/plugins/notification/model>
#[derive(Deserialize)]
struct Notification {
    build: Build,
}

#[derive(Deserialize)]
struct Build {
    #[serde(default, deserialize_with = "text")]
    full_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    phase: Option<String>,
    #[serde(default, deserialize_with = "text")]
    status: Option<String>,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    /// In milliseconds; 0 until the run has ended.
    duration: Option<i64>,
    #[serde(default, deserialize_with = "nullable")]
    scm: Scm,
    /// Files by their names, each with addresses by the place that has it: `archive`, `s3`.
    #[serde(default, deserialize_with = "nullable")]
    artifacts: BTreeMap<String, BTreeMap<String, String>>,
    test_summary: Option<Tests>,
}

#[derive(Deserialize)]
struct Tests {
    total: Option<i32>,
    passed: Option<i32>,
    failed: Option<i32>,
    skipped: Option<i32>,
}

/// What a notification tells.
///
/// # Errors
/// Where its shape is another, or it names no run.
pub(super) fn read(delivery: &InboxRecord, body: Value) -> Result<Reading, Unreadable> {
    let Notification { build } = serde_path_to_error::deserialize(body).map_err(|error| {
        let what = format!("a notification of Jenkins, at {}", error.path());
        Unreadable::Shape { what, source: error.into_inner() }
    })?;
    // Where the executor is gone already, the plugin gives 1970 as the time.
    let at = build.timestamp.filter(|at| at.0 > 0);
    let phase = match build.phase.as_deref() {
        Some("QUEUED") if at.is_none() => return Ok(ignored("QUEUED: without its time")),
        Some("QUEUED") => Phase::Queued,
        Some("STARTED") => Phase::Running,
        // The second comes when all is cleaned up; an endpoint may be set to get only one of them.
        Some("COMPLETED" | "FINALIZED") => Phase::Finished,
        Some("NONE") | None => return Ok(ignored("of no phase")),
        Some(other) => {
            let known = "none of QUEUED, STARTED, COMPLETED, FINALIZED";
            return Err(Unreadable::Value(format!("`build.phase` is `{other}`, which is {known}")));
        }
    };
    let path = build.full_url.as_deref().or(build.url.as_deref()).and_then(RunPath::of).ok_or_else(|| {
        let given = build.full_url.as_deref().or(build.url.as_deref()).unwrap_or_default();
        Unreadable::Value(format!("`build.url` is `{given}`, which is no run of a job such as job/shop/142/"))
    })?;
    let at = at.unwrap_or(delivery.received_at);
    let run = told_run(&build, &path, phase, at, delivery);
    let mut bodies = vec![run.clone().into()];
    if phase == Phase::Finished {
        bodies.extend(build.test_summary.as_ref().map(|tests| told_tests(tests, &run).into()));
        bodies.extend(artifacts(&build, &run).map(Into::into));
    }
    let observed = |body| Observed { occurred_at: at, link: run.url.clone(), body };
    Ok(Reading::Events(bodies.into_iter().map(observed).collect()))
}

fn ignored(why: &str) -> Reading {
    Reading::Ignored(format!("notification: {why}"))
}

fn told_run(build: &Build, path: &RunPath, phase: Phase, at: Timestamp, delivery: &InboxRecord) -> PipelineRun {
    let mut run = PipelineRun::new(path.id(&delivery.source), 1, path.job.clone(), phase);
    build.scm.tell(&mut run);
    run.number = Some(path.number);
    run.url = build.full_url.clone().filter(|url| url.starts_with("http"));
    run.reason = build.status.clone();
    match phase {
        Phase::Queued => run.queued_at = Some(at),
        Phase::Running => run.started_at = Some(at),
        _ => {
            run.outcome = Some(build.status.as_deref().map_or(Outcome::Unknown, outcome));
            run.finished_at = Some(at);
            // The plugin counts the end of a completed run from its start; that of a finalized one is by the clock.
            let duration = build.duration.filter(|ms| *ms > 0 && build.phase.as_deref() == Some("COMPLETED"));
            run.started_at = duration.map(|ms| at + Millis(-ms));
        }
    }
    run
}

/// Which tests failed is not told: it is the names of people's code that they are named after.
fn told_tests(tests: &Tests, run: &PipelineRun) -> TestRun {
    let failed = tests.failed.is_some_and(|failed| failed > 0);
    TestRun {
        name: Some("tests".to_owned()),
        run: Some(run.run.clone()),
        commit: run.commit.clone(),
        outcome: Some(if failed { Outcome::Failure } else { Outcome::Success }),
        total: tests.total,
        passed: tests.passed,
        failed: tests.failed,
        skipped: tests.skipped,
        finished_at: run.finished_at,
        url: run.url.clone(),
        ..TestRun::new(format!("{}/tests", run.run), TestLevel::Suite, Phase::Finished)
    }
}

/// Archived files, each by the first of its addresses.
fn artifacts<'a>(build: &'a Build, run: &'a PipelineRun) -> impl Iterator<Item = Artifact> + 'a {
    let addresses = build.artifacts.values().filter_map(|places| places.values().next());
    addresses.map(|address| Artifact {
        repository: run.repository.clone(),
        commit: run.commit.clone(),
        run: Some(run.run.clone()),
        ..Artifact::new(ArtifactId::new(address), ArtifactAction::Packaged)
    })
}
