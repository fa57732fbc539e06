//! Events of a made-up history as the webhooks by which GitHub tells them, each as large as GitHub's are.
//!
//! A webhook says more than its event: a job names its run, a review its pull request. What was told before is kept for that.

mod deliver;
mod parts;
mod pulls;
mod runs;

use std::collections::HashMap;

use model::event::{ApprovalBody, Body, Change, CiBody, Event, PipelineRun, Push};
use model::{ChangeId, Repository, RunId, Timestamp};
use serde_json::{Value, json};

use parts::Place;

/// The id that stands for "no commit".
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A webhook, not yet signed.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Name of its kind, which a header carries.
    pub event: &'static str,
    /// Id of the delivery.
    pub delivery: String,
    /// The body.
    pub body: Vec<u8>,
}

/// GitHub, which tells a history.
#[derive(Debug, Default)]
pub struct GitHub {
    runs: HashMap<RunId, PipelineRun>,
    changes: HashMap<(Repository, ChangeId), Change>,
}

impl GitHub {
    /// The webhook that tells an event; none where GitHub has no webhook for it, as for an approval that nobody gave in time.
    pub fn tell(&mut self, event: Event<Body>) -> Option<Webhook> {
        let Event { delivery, occurred_at: at, body, .. } = event;
        let (event, body) = match body {
            Body::Ci(body) => self.tell_ci(body, at)?,
            Body::Approval(ApprovalBody::GateRequested(asked)) => {
                ("deployment_review", deliver::requested(self.runs.get(asked.about.run.as_ref()?)?, &asked, at)?)
            }
            Body::Approval(ApprovalBody::GateDecided(decided)) => {
                ("deployment_review", deliver::decided(self.runs.get(decided.about.run.as_ref()?)?, &decided, at)?)
            }
            _ => return None,
        };
        Some(Webhook { event, delivery, body: body.to_string().into_bytes() })
    }

    fn tell_ci(&mut self, body: CiBody, at: Timestamp) -> Option<(&'static str, Value)> {
        Some(match body {
            CiBody::Push(told) => ("push", push(&told, at)),
            CiBody::Change(told) => {
                let body = pulls::pull_request(&told, at);
                self.changes.insert((told.repository.clone(), told.change.clone()), told);
                ("pull_request", body)
            }
            CiBody::ChangeReview(told) => {
                let of = self.changes.get(&(told.repository.clone(), told.change.clone()))?;
                ("pull_request_review", pulls::review(&told, of, at))
            }
            CiBody::PipelineRun(told) => {
                let body = runs::workflow_run(&told, at)?;
                self.runs.insert(told.run.clone(), told);
                ("workflow_run", body)
            }
            CiBody::TaskRun(told) => {
                ("workflow_job", runs::workflow_job(&told, self.runs.get(told.run.as_ref()?)?, at)?)
            }
            CiBody::Deployment(told) => {
                deliver::deployment(&told, told.run.as_ref().and_then(|run| self.runs.get(run)), at)?
            }
            _ => return None,
        })
    }
}

fn push(told: &Push, at: Timestamp) -> Value {
    let place = Place::of(&told.repository);
    let commits: Vec<Value> = told.commits.iter().map(|commit| place.pushed_commit(commit)).collect();
    let (before, after) = [&told.before, &told.after].map(|id| id.as_ref().map_or(NOTHING, |id| id.as_str())).into();
    let sender = parts::account(&told.pushed_by);
    let body = json!({
        "ref": told.ref_name,
        "before": before,
        "after": after,
        "pusher": { "name": sender["login"], "email": "" },
        "created": told.before.is_none(),
        "deleted": told.after.is_none(),
        "forced": told.forced,
        "base_ref": null,
        "compare": place.page(&format!("/compare/{}...{}", &before[..12], &after[..12])),
        "head_commit": commits.last(),
        "commits": commits,
    });
    let mut body = place.wrap(body, &told.pushed_by, at);
    // In pushes, and only there, this is a number.
    body["repository"]["pushed_at"] = at.0.div_euclid(1000).into();
    body
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;

    use ingestor::normalise::{Outcome, adapters, normalise};
    use ingestor::people::People;
    use load::{Shape, World};
    use model::event::Phase;
    use model::{Realm, Source};
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    /// A history with its webhooks, and what the adapter reads in each.
    pub fn told(count: usize) -> Vec<(Event<Body>, Webhook, Vec<Event<Body>>)> {
        let (mut github, adapters, people) = (GitHub::default(), adapters(), People::new(b"k"));
        let shape = Shape { realms: 1, components: 20, ..Shape::delivery() };
        let tell = |event: Event<Body>| {
            let webhook = github.tell(event.clone())?;
            let headers = [("x-github-event", webhook.event), ("x-github-delivery", &webhook.delivery)];
            let headers =
                headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
            let (source, realm) = (Source::new("github"), Realm::new("default"));
            let headers = HeaderMap::from_iter(headers);
            let body = webhook.body.clone();
            let record = ingestor::receive::record(source, realm, "github", &headers, body, event.received_at);
            match normalise(&record, &adapters, &people) {
                Outcome::Events(read) => Some((event, webhook, read)),
                other => panic!("{} came to {other:?}", String::from_utf8_lossy(&webhook.body)),
            }
        };
        World::new(&shape, 1).filter_map(tell).take(count).collect()
    }

    #[test]
    fn the_adapter_reads_what_is_told() {
        let progress = |body: &Body| match body {
            Body::Ci(CiBody::PipelineRun(run)) => Some((run.phase, run.outcome, run.commit.clone())),
            Body::Ci(CiBody::TaskRun(task)) => Some((task.phase, task.outcome, task.commit.clone())),
            Body::Ci(CiBody::Deployment(deployment)) => {
                Some((deployment.phase, deployment.outcome, deployment.commit.clone()))
            }
            Body::Ci(CiBody::Push(push)) => Some((Phase::Finished, None, push.after.clone())),
            Body::Ci(CiBody::Change(change)) => Some((Phase::Finished, None, change.head.clone())),
            Body::Ci(CiBody::ChangeReview(review)) => Some((Phase::Finished, None, review.commit.clone())),
            _ => None,
        };
        let mut kinds = BTreeMap::new();
        for (event, webhook, read) in told(20_000) {
            let [read] = &read[..] else { panic!("{read:?}") };
            assert_eq!((read.body.kind(), &read.delivery), (event.body.kind(), &event.delivery));
            assert_eq!(progress(&read.body), progress(&event.body), "{event:?}");
            let (count, bytes) = kinds.entry(webhook.event).or_insert((0, 0));
            (*count, *bytes) = (*count + 1, *bytes + webhook.body.len());
        }
        let lengths: BTreeMap<&str, usize> =
            kinds.into_iter().map(|(kind, (count, bytes))| (kind, bytes / count)).collect();
        assert_eq!(lengths.len(), 8, "{lengths:?}");
        assert!(lengths.values().all(|length| (5_000..=30_000).contains(length)), "{lengths:?}");
    }
}
