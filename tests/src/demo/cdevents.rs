//! CDEvents 0.5.1 as CloudEvents in structured mode, as a Tekton pipeline sends them.
//! See <https://github.com/cdevents/spec/blob/v0.5.1/cloudevents-binding.md>.

use serde_json::{Value, json};

use super::TEKTON;
use super::clock::{Seconds, rfc3339, timestamp};
use super::delivery::Webhook;
use super::expected::{BuildRecord, DeploymentRecord};
use super::project::{Project, guid};

/// Context source of every event; ids are unique within it.
pub const SOURCE: &str = "https://tekton.acme.example/search";

/// An OCI image by the digest that this commit builds to.
pub fn image(sha: &str) -> String {
    use sha2::{Digest, Sha256};
    format!("pkg:oci/search@sha256%3A{}?repository_url=registry.acme.example/search", hex::encode(Sha256::digest(sha)))
}

impl Project {
    /// Tells of an event; the id of its context. What the vocabulary has no field for stands in the custom data.
    fn tell_cdevent(&mut self, kind: &str, (subject, content): (&str, &Value), custom: &Value, at: Seconds) -> String {
        let id = guid(&mut self.rng);
        let kind = format!("dev.cdevents.{kind}");
        let body = json!({
            "specversion": "1.0",
            "id": id,
            "source": SOURCE,
            "type": kind,
            "time": rfc3339(at),
            "datacontenttype": "application/json",
            "data": {
                "context": {
                    "specversion": "0.5.1",
                    "id": id,
                    "source": SOURCE,
                    "type": kind,
                    "timestamp": rfc3339(at),
                },
                "subject": { "id": subject, "source": SOURCE, "content": content },
                "customData": custom,
                "customDataContentType": "application/json",
            },
        });
        let webhook = Webhook {
            source: TEKTON,
            event: None,
            content_type: "application/cloudevents+json",
            delivery: id.clone(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            occurred_at: timestamp(at),
        };
        self.deliveries.0.push((at, webhook));
        id
    }

    /// What the run works on.
    fn origin(&self, sha: &str) -> Value {
        json!({ "repository": self.repo.html_url(), "commit": sha })
    }

    /// The commit is built to an image.
    pub fn package(&mut self, sha: &str, at: Seconds) {
        let origin = self.origin(sha);
        let content = json!({ "change": { "id": sha, "source": self.repo.html_url() } });
        self.tell_cdevent("artifact.packaged.0.3.0", (&image(sha), &content), &origin, at);
        self.tell_cdevent("artifact.published.0.3.0", (&image(sha), &json!({})), &json!({}), at + 8);
    }

    /// A pipeline run from its queue to its end.
    pub fn pipeline_run(
        &mut self,
        run: &TektonRun<'_>,
        (queued, started, ended): (Seconds, Seconds, Seconds),
        success: bool,
    ) {
        let TektonRun { id, pipeline, sha } = *run;
        let origin = self.origin(sha);
        let mut content = json!({ "pipelineName": pipeline, "uri": format!("{SOURCE}/runs/{id}") });
        self.tell_cdevent("pipelinerun.queued.0.3.0", (id, &content), &origin, queued);
        self.tell_cdevent("pipelinerun.started.0.3.0", (id, &content), &origin, started);
        content["outcome"] = json!(outcome(success));
        if !success {
            content["errors"] = json!("the readiness probe failed");
        }
        self.tell_cdevent("pipelinerun.finished.0.3.0", (id, &content), &origin, ended);
        self.records.builds.push(BuildRecord {
            repository: format!("github.com/{}", self.repo.full_name()),
            run: format!("{SOURCE}/{id}"),
            attempt: 1,
            pipeline: pipeline.to_owned(),
            started_at: queued,
            end: Some((ended, success)),
        });
    }

    /// A task of a pipeline run.
    pub fn task_run(&mut self, run: &TektonRun<'_>, name: &str, (started, ended): (Seconds, Seconds), success: bool) {
        let id = format!("{}-{name}", run.id);
        let origin = self.origin(run.sha);
        let uri = format!("{SOURCE}/tasks/{id}");
        let mut content = json!({ "taskName": name, "uri": uri, "pipelineRun": { "id": run.id } });
        self.tell_cdevent("taskrun.started.0.3.0", (&id, &content), &origin, started);
        content["outcome"] = json!(outcome(success));
        self.tell_cdevent("taskrun.finished.0.3.0", (&id, &content), &origin, ended);
    }

    /// The image of a commit is brought to an environment, by a run if one is named; `kind` is `deployed`, `upgraded` or
    /// `rolledback`. An event of this kind tells of a success: what fails is a failed run.
    pub fn service(
        &mut self,
        kind: &str,
        environment: &'static str,
        (sha, run): (&str, Option<&TektonRun<'_>>),
        at: Seconds,
    ) {
        let content = json!({ "environment": { "id": environment, "source": SOURCE }, "artifactId": image(sha) });
        let custom = run.map_or_else(|| json!({}), |run| json!({ "pipelineRun": { "id": run.id } }));
        let id = self.tell_cdevent(&format!("service.{kind}.0.3.0"), (self.repo.name, &content), &custom, at);
        self.records.deployments.push(DeploymentRecord {
            component: self.repo.name,
            environment,
            deployment: format!("{SOURCE}/{id}"),
            sha: sha.to_owned(),
            created_at: at,
            ends: vec![(at, true)],
        });
    }
}

/// A run of a Tekton pipeline.
#[derive(Clone, Copy, Debug)]
pub struct TektonRun<'a> {
    pub id: &'a str,
    pub pipeline: &'a str,
    /// Commit that it works on.
    pub sha: &'a str,
}

const fn outcome(success: bool) -> &'static str {
    if success { "success" } else { "failure" }
}
