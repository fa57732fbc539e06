//! `pipeline`: a pipeline and all of its jobs.

use model::event::{Actor, ActorKind, Phase, PipelineRun, Trigger};
use model::{ChangeId, Timestamp};
use serde::Deserialize;

use super::Delivery;
use super::jobs::{Job, JobRun};
use super::payload::{Account, Project, SourcePipeline, Span, When, commit, nullable, text};
use super::place::Place;
use super::progress::{Progress, progress};
use crate::providers::{Observed, Reading, Unreadable};

/// The file that defines the pipelines of a project that does not say otherwise.
const DEFINITION: &str = ".gitlab-ci.yml";

#[derive(Deserialize)]
struct PipelinePayload {
    object_attributes: Pipeline,
    merge_request: Option<MergeRequestRef>,
    user: Option<Account>,
    project: Project,
    source_pipeline: Option<SourcePipeline>,
    #[serde(default, deserialize_with = "nullable")]
    builds: Vec<Job>,
}

/// Its name is made for each pipeline, from whatever the project likes, and is not read.
#[derive(Deserialize)]
struct Pipeline {
    id: u64,
    iid: Option<i64>,
    #[serde(rename = "ref", default, deserialize_with = "text")]
    ref_name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    tag: bool,
    sha: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    source: String,
    #[serde(default, deserialize_with = "nullable")]
    status: String,
    #[serde(default)]
    created_at: When,
    /// Stays when the pipeline goes on because a job of it was tried again.
    #[serde(default)]
    finished_at: When,
    /// From its creation to the start of its first job; null also where that is less than a second.
    #[serde(default)]
    queued_duration: Span,
    #[serde(default, deserialize_with = "text")]
    url: Option<String>,
}

#[derive(Deserialize)]
struct MergeRequestRef {
    iid: u64,
    target_project_id: Option<u64>,
}

/// `pipeline`: it came to another status. Its jobs come along, those of them that were not tried again.
pub(super) fn pipeline(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: PipelinePayload = delivery.payload()?;
    let pipeline = &payload.object_attributes;
    let place = Place::new(delivery.people, &payload.project.web_url);
    let at = payload.told_last().unwrap_or(delivery.received_at);
    let link = pipeline.url.clone().unwrap_or_else(|| place.page(&format!("pipelines/{}", pipeline.id)));
    let run = Observed { occurred_at: at, link: Some(link.clone()), body: run(&place, &payload, link).into() };
    let change = payload.change();
    let mut events = vec![run];
    for job in &payload.builds {
        let of = JobRun {
            place: &place,
            pipeline: pipeline.id,
            commit: commit(pipeline.sha.as_deref()),
            ref_name: pipeline.ref_name.clone(),
            tag: pipeline.tag,
            change: change.clone(),
            received_at: delivery.received_at,
        };
        events.extend(of.observed(job));
    }
    Ok(Reading::Events(events))
}

impl PipelinePayload {
    /// The body does not tell when the pipeline came to its status. It was not before anything else that the body tells of: so what
    /// is told later is known to be later, however the deliveries overtake each other.
    fn told_last(&self) -> Option<Timestamp> {
        let pipeline = [self.object_attributes.created_at, self.object_attributes.finished_at];
        let jobs = self.builds.iter().flat_map(Job::times);
        pipeline.into_iter().chain(jobs).filter_map(|when| when.0).max()
    }

    /// The pipeline of a change into another project, from a fork, runs in the fork: the number means something else here.
    fn change(&self) -> Option<ChangeId> {
        let told = self.merge_request.as_ref()?;
        let is_here = told.target_project_id.zip(self.project.id).is_none_or(|(target, here)| target == here);
        is_here.then(|| ChangeId::new(told.iid.to_string()))
    }

    /// With the first of its jobs.
    fn started_at(&self) -> Option<Timestamp> {
        let pipeline = &self.object_attributes;
        let told = pipeline.created_at.0.zip(pipeline.queued_duration.0).map(|(created, queued)| created + queued);
        told.or_else(|| self.builds.iter().filter_map(|job| job.started_at.0).min())
    }
}

fn run(place: &Place<'_>, payload: &PipelinePayload, link: String) -> PipelineRun {
    let pipeline = &payload.object_attributes;
    let Progress { phase, outcome, reason } = progress(&pipeline.status, None);
    let trigger = trigger(&pipeline.source, pipeline.tag);
    // A child is defined by another file, or by a job, and does not say which.
    let definition = (pipeline.source != "parent_pipeline")
        .then(|| payload.project.ci_config_path.clone().unwrap_or_else(|| DEFINITION.to_owned()));
    let parent_run = payload.source_pipeline.as_ref().and_then(|source| {
        let of = source.project.as_ref().map(|project| Place::new(place.people, &project.web_url));
        Some(of.as_ref().unwrap_or(place).run(source.pipeline_id?))
    });
    PipelineRun {
        repository: Some(place.repository.clone()),
        number: pipeline.iid,
        outcome,
        reason,
        commit: commit(pipeline.sha.as_deref()),
        ref_name: pipeline.ref_name.clone(),
        trigger,
        // The account of a schedule is that of its owner, who did nothing.
        triggered_by: match trigger {
            Trigger::Schedule => Actor { key: None, kind: ActorKind::Machine },
            _ => place.account(payload.user.as_ref()),
        },
        changes: payload.change().into_iter().collect(),
        parent_run,
        created_at: pipeline.created_at.0,
        started_at: payload.started_at(),
        finished_at: pipeline.finished_at.0.filter(|_| phase == Phase::Finished),
        url: Some(link),
        definition: definition.clone(),
        // All pipelines of a project have one definition, and no name but that.
        ..PipelineRun::new(place.run(pipeline.id), 1, definition.unwrap_or_else(|| "child pipeline".to_owned()), phase)
    }
}

/// What started a pipeline. The words are those of
/// [`Enums::Ci::Pipeline`](https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/concerns/enums/ci/pipeline.rb).
fn trigger(source: &str, tag: bool) -> Trigger {
    match source {
        "" | "unknown" => Trigger::Unknown,
        "push" if tag => Trigger::Tag,
        "push" => Trigger::Push,
        "merge_request_event" | "external_pull_request_event" => Trigger::Change,
        "schedule" => Trigger::Schedule,
        "web" | "chat" => Trigger::Manual,
        "api" | "trigger" => Trigger::Api,
        "pipeline" | "parent_pipeline" => Trigger::Upstream,
        _ => Trigger::Other,
    }
}
