//! The [CDEvents plugin](https://plugins.jenkins.io/cdevents/): CloudEvents with what the plugin knows of the run beside the CDEvent.
//!
//! Its own ids are not to be used: all steps of a run have that of the run, and what is queued that of its place in the queue. So
//! runs are read from the data of the plugin. Whatever else a pipeline sends as a CDEvent is read as one.

use model::Timestamp;
use model::event::{Outcome, Phase, PipelineRun};
use model::inbox::InboxRecord;
use serde::Deserialize;
use serde_json::Value;

use super::run::{RunPath, Scm, outcome};
use crate::people::People;
use crate::providers::cdevents::CdEvents;
use crate::providers::lenient::{nullable, text};
use crate::providers::{Observed, Provider, Reading, Unreadable};

/// `JobModel` and what hangs on it:
/// <https://github.com/jenkinsci/cdevents-plugin/tree/main/src/main/java/io/jenkins/plugins/cdevents/models>
#[derive(Deserialize)]
struct Job {
    build: Build,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    #[serde(default, deserialize_with = "text")]
    full_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    scm_state: Scm,
}

/// What a CloudEvent of Jenkins tells.
///
/// # Errors
/// Where its shape is that of none.
pub(super) fn read(delivery: &InboxRecord, body: &Value, people: &People) -> Result<Reading, Unreadable> {
    let event = Event::of(delivery, body);
    match (event.kind(), event.job()) {
        (Some(("pipelinerun", "started" | "finished")), Some(job)) => event.run(&job, delivery),
        // A run has no number before it starts.
        (Some(("pipelinerun", "queued")), None) if event.data().is_some_and(|data| data.get("causes").is_some()) => {
            Ok(Reading::Ignored("cdevents.pipelinerun.queued: names no run".to_owned()))
        }
        (Some(("taskrun", _)), None) if event.data().is_some_and(|data| data.get("stageName").is_some()) => {
            Ok(Reading::Ignored("cdevents.taskrun: a step without the name of its stage".to_owned()))
        }
        _ => CdEvents.read(delivery, people),
    }
}

/// A CDEvent, or one of the form before it, in which the attributes of the CDEvent are extensions of the CloudEvent.
struct Event<'a> {
    delivery: &'a InboxRecord,
    body: &'a Value,
}

impl<'a> Event<'a> {
    const fn of(delivery: &'a InboxRecord, body: &'a Value) -> Self {
        Self { delivery, body }
    }

    /// The CDEvent, which is in an envelope or by itself.
    fn cdevent(&self) -> Option<&'a Value> {
        [self.body.get("data"), Some(self.body)].into_iter().flatten().find(|value| value.get("context").is_some())
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        let context = self.cdevent().and_then(|event| event["context"].get(name));
        context.or(self.body.get(name)).and_then(Value::as_str)
    }

    /// Subject and predicate.
    fn kind(&self) -> Option<(&'a str, &'a str)> {
        let header = self.delivery.headers.get("ce-type").map(String::as_str);
        let kind = self.attribute("type").or(header)?.strip_prefix("dev.cdevents.")?;
        let (subject, rest) = kind.split_once('.')?;
        Some((subject, rest.split('.').next()?))
    }

    /// What the plugin adds.
    fn data(&self) -> Option<&'a Value> {
        match self.cdevent() {
            Some(event) => event.get("customData"),
            // In binary mode the headers are the envelope, and the body is the data.
            None if self.delivery.headers.contains_key("ce-type") => Some(self.body),
            None => self.body.get("data"),
        }
    }

    fn job(&self) -> Option<Job> {
        Job::deserialize(self.data()?).ok()
    }

    fn outcome(&self, build: &Build) -> Option<Outcome> {
        let told =
            self.cdevent().map_or_else(|| &self.body["outcome"], |event| &event["subject"]["content"]["outcome"]);
        build.status.as_deref().or(told.as_str()).map(outcome)
    }

    fn run(&self, Job { build }: &Job, delivery: &InboxRecord) -> Result<Reading, Unreadable> {
        let address = build.full_url.as_deref().or(build.url.as_deref()).unwrap_or_default();
        let path = RunPath::of(address).ok_or_else(|| {
            Unreadable::Value(format!("`build.url` is `{address}`, which is no run of a job such as job/shop/142/"))
        })?;
        let time = self.attribute("timestamp").or(self.attribute("time"));
        let time = time.or(self.delivery.headers.get("ce-time").map(String::as_str)).unwrap_or_default();
        let at = Timestamp::parse_rfc3339(time)
            .map_err(|error| Unreadable::Value(format!("`time` of the event: {error}")))?;
        let has_ended = matches!(self.kind(), Some((_, "finished")));
        let phase = if has_ended { Phase::Finished } else { Phase::Running };
        let mut run = PipelineRun::new(path.id(&delivery.source), 1, path.job.clone(), phase);
        build.scm_state.tell(&mut run);
        run.number = Some(path.number);
        run.url = build.full_url.clone().filter(|url| url.starts_with("http"));
        if has_ended {
            run.outcome = Some(self.outcome(build).unwrap_or(Outcome::Unknown));
            run.reason = build.status.clone();
            run.finished_at = Some(at);
        } else {
            run.started_at = Some(at);
        }
        Ok(Reading::Events(vec![Observed { occurred_at: at, link: run.url.clone(), body: run.into() }]))
    }
}
