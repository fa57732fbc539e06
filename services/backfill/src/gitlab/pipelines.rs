//! Pipelines and their jobs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bodies::{account, build, job, merge_request, number, only, ref_name, text, time, when};
use super::reader::Reader;
use crate::BackfillError;

impl Reader<'_> {
    /// A pipeline with its jobs. As in webhooks, those that were tried again come by themselves: of one name, all but the last.
    pub(super) async fn pipeline(&mut self, listed: &Value) -> Result<(), BackfillError> {
        let id = number(listed, "id", "a pipeline")?;
        let path = format!("{}/pipelines/{id}", self.path);
        let Some(pipeline) = self.find(&path).await? else { return Ok(()) };
        let mut jobs = self.all(format!("{path}/jobs?include_retried=true&per_page=100")).await?;
        jobs.sort_by_key(|job| job["id"].as_u64());
        let mut latest = BTreeMap::new();
        for job in jobs {
            let name = text(&job, "name", "a job")?.to_owned();
            if let Some(earlier) = latest.insert(name, job) {
                self.job(&earlier).await?;
            }
        }
        let status = text(&pipeline, "status", "a pipeline")?.to_owned();
        let updated_at = time(&pipeline, "updated_at").unwrap_or_default();
        let body = body(&pipeline, latest.values());
        self.deliver("Pipeline Hook", &[&"pipeline", &id, &status, &updated_at.0], self.with_change(&pipeline, body))
            .await
    }

    /// A job by itself.
    async fn job(&mut self, told: &Value) -> Result<(), BackfillError> {
        let id = number(told, "id", "a job")?;
        let status = text(told, "status", "a job")?;
        self.deliver("Job Hook", &[&"job", &id, &status], build(told)).await
    }

    /// A pipeline of a merge request from a fork into this project runs here only if somebody of this project started it, so the
    /// number is one of this project.
    fn with_change(&self, pipeline: &Value, mut body: Value) -> Value {
        if let Some(iid) = merge_request(pipeline) {
            body["merge_request"] = json!({ "iid": iid, "target_project_id": self.project_id });
        }
        body
    }
}

/// The body of the webhook of a pipeline, without the project.
fn body<'v>(pipeline: &Value, jobs: impl Iterator<Item = &'v Value>) -> Value {
    let mut told = only(pipeline, &["id", "iid", "sha", "tag", "source", "status", "queued_duration"]);
    told["ref"] = ref_name(pipeline);
    told["url"] = pipeline["web_url"].clone();
    for time in ["created_at", "finished_at"] {
        told[time] = when(pipeline, time);
    }
    json!({
        "object_kind": "pipeline",
        "object_attributes": told,
        "user": account(&pipeline["user"]),
        "builds": jobs.map(job).collect::<Vec<_>>(),
    })
}
