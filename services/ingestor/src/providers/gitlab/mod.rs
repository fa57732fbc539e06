//! GitLab, of gitlab.com and of GitLab Self-Managed; webhooks of projects and of groups, and system hooks of an instance.
//!
//! A body names its kind itself, by `object_kind` or `event_name`; the header `X-Gitlab-Event` names it only where the webhook is
//! none of a whole instance. [`EVENTS`] lists what is read. Every other kind, and every action that tells nothing of delivery, is
//! ignored by its name. What only the API tells comes from a backfill, under names that begin with `backfill.`.

mod backfilled;
mod changes;
mod deployments;
mod jobs;
mod message;
mod payload;
mod pipelines;
mod place;
mod progress;
mod push;
mod releases;

use model::Timestamp;
use model::event::Body;
use model::inbox::InboxRecord;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::people::People;
use crate::providers::{Door, Expected, Observed, Page, Provider, Reading, Unreadable};
use crate::signature::Scheme;

/// The adapter for GitLab.
#[derive(Clone, Copy, Debug, Default)]
pub struct GitLab;

const DOOR: Door = Door {
    provider: "gitlab",
    schemes: &[Scheme::StandardWebhooks, Scheme::GitLabToken],
    // https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers: since 17.4, and the same when a delivery is sent
    // again. `X-Gitlab-Event-UUID` is shared by deliveries that cause each other.
    delivery: &["idempotency-key"],
    event: Some("x-gitlab-event"),
    kept: &["x-gitlab-event-uuid", "x-gitlab-instance", "x-gitlab-webhook-uuid"],
};

const PAGE: Page = Page {
    title: "GitLab",
    tells: "commits, merge requests, approvals, pipelines, jobs, deployments and releases; also GitLab Self-Managed and Dedicated",
    steps: &[
        "Open the group (with Premium or Ultimate) or the project, then Settings, then Webhooks, then Add new webhook.",
        "URL: {url}",
        "Secret token: {secret}",
        "Better, where the page offers a signing token: leave the secret token empty, let GitLab make a signing token, and give that to the source as its secret. It signs each delivery.",
        "Trigger: tick the events below; push events for all branches.",
        "Leave SSL verification enabled, and select Add webhook.",
        "In the list of webhooks, select Test and then Push events: the answer must be a 2xx.",
    ],
    permissions: &[
        "An Owner of the group, or a Maintainer of the project, adds the webhook once; nothing else is given away.",
        "For a system hook of a whole instance, an administrator (Admin, System hooks); it tells of pushes, tags and merge requests only.",
    ],
    events: EVENTS,
    notes: &[
        "Deployment events are not ticked by default, and without them nothing is known to be deployed.",
        "Manual jobs and who started them are told by pipeline events, approvals of merge requests by merge request events. Approvals of deployments are told by deployment events, by recent versions with Premium or Ultimate only.",
        "GitLab switches a webhook off that fails four times in a row: for a while, or for good after answers of the 4xx range. A test whose answer is a 2xx switches it on again.",
        "GitLab does not send a failed delivery again by itself: Resend request under Recent events of the webhook, which keep two days, does.",
        "A push that moves more than three branches or tags sends no delivery at all (`push_event_hooks_limit`); of more than 20 commits only the newest 20 are told.",
        "GitLab does not say whether a push was forced: of branches that are not protected, what they held before a push is taken to be unknown.",
        "A webhook of a group and one of its project tell everything twice, which does no harm; one is enough.",
        "Do not set a custom webhook template: it changes the body.",
    ],
    documentation: "https://docs.gitlab.com/user/project/integrations/webhooks/",
};

const fn event(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

/// All kinds that are read, by their name in the header `X-Gitlab-Event`: those to tick when a webhook is set up.
pub const EVENTS: &[Expected] = &[
    event("Push Hook", "Push events", "commits and branches", true),
    event("Tag Push Hook", "Tag push events", "tags", true),
    event("Merge Request Hook", "Merge request events", "changes and their approvals", true),
    event("Pipeline Hook", "Pipeline events", "pipelines, their jobs, and jobs that are started by hand", true),
    event("Job Hook", "Job events", "jobs as soon as they begin and end, and those that were tried again", false),
    event("Deployment Hook", "Deployment events", "deployments, and approvals of them", true),
    event("Release Hook", "Releases events", "published releases", false),
];

/// Reads deliveries of one kind.
type Read = fn(&Delivery<'_>) -> Result<Reading, Unreadable>;

/// The kinds that are read, as bodies name them: their name in the header, and the reader.
fn known(kind: &str) -> Option<(&'static str, Read)> {
    Some(match kind {
        "push" => ("Push Hook", push::push),
        "tag_push" => ("Tag Push Hook", push::tag_push),
        "merge_request" => ("Merge Request Hook", changes::merge_request),
        "pipeline" => ("Pipeline Hook", pipelines::pipeline),
        "build" => ("Job Hook", jobs::build),
        "deployment" => ("Deployment Hook", deployments::deployment),
        "release" => ("Release Hook", releases::release),
        "backfill.commit" => ("backfill.commit", backfilled::told_commit),
        "backfill.tag" => ("backfill.tag", backfilled::told_tag),
        "backfill.merge_request" => ("backfill.merge_request", backfilled::told_merge_request),
        "backfill.approval" => ("backfill.approval", backfilled::told_approval),
        _ => return None,
    })
}

/// What a system hook calls its deliveries, of whatever kind.
const SYSTEM_HOOK: &str = "System Hook";

impl Provider for GitLab {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        let header = delivery.event.clone().filter(|event| event != SYSTEM_HOOK);
        header.or_else(|| {
            let body: Value = serde_json::from_slice(delivery.body.as_ref()).ok()?;
            let kind = kind_of(&body)?;
            Some(known(kind).map_or_else(|| label(kind), |(name, _)| name).to_owned())
        })
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        // As a value first: some bodies have a member twice, of which the last counts.
        let body: Value = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: "GitLab (JSON)".to_owned(), source })?;
        let by_header = delivery.event.as_deref().and_then(kind_of_header);
        let Some(kind) = kind_of(&body).map(str::to_owned).or(by_header) else {
            return Err(Unreadable::Value(
                "neither `object_kind` nor `event_name` nor the header `X-Gitlab-Event` names the kind of the delivery: \
                 does the webhook have a custom template?"
                    .to_owned(),
            ));
        };
        let delivery = Delivery { kind: &kind, body: &body, received_at: delivery.received_at, people };
        match known(&kind) {
            Some((_, read)) => read(&delivery),
            None => Ok(delivery.ignored(delivery.action(), "bears on no delivery")),
        }
    }
}

/// The kind that a body names. Members of groups and the like are told by `event_name` alone, as everything is by system hooks.
fn kind_of(body: &Value) -> Option<&str> {
    let named = |name| body.get(name).and_then(Value::as_str).filter(|kind| !kind.is_empty());
    named("object_kind").or_else(|| named("event_name"))
}

/// The kind by the header: `Tag Push Hook` is `tag_push`; jobs are called builds in bodies.
fn kind_of_header(header: &str) -> Option<String> {
    let name = header.strip_suffix(" Hook").filter(|_| header != SYSTEM_HOOK)?;
    let kind = name.to_ascii_lowercase().replace(' ', "_");
    Some(if kind == "job" { "build".to_owned() } else { kind })
}

/// A delivery with its body read as JSON.
struct Delivery<'a> {
    /// Name of its kind.
    kind: &'a str,
    body: &'a Value,
    received_at: Timestamp,
    people: &'a People,
}

impl Delivery<'_> {
    fn payload<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        shape(self.kind, self.body)
    }

    /// The action, of a kind whose shape is not known.
    fn action(&self) -> &str {
        let told = self.body.get("object_attributes").unwrap_or(self.body);
        told.get("action").and_then(Value::as_str).unwrap_or_default()
    }

    /// `kind.action: why`.
    fn ignored(&self, action: &str, why: &str) -> Reading {
        let kind = label(self.kind);
        Reading::Ignored(match label(action) {
            "" => format!("{kind}: {why}"),
            action => format!("{kind}.{action}: {why}"),
        })
    }
}

/// Reads a body of this kind, or says which member has another shape.
fn shape<T: DeserializeOwned>(kind: &str, body: &Value) -> Result<T, Unreadable> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let kind = if known(kind).is_some() { kind } else { label(kind) };
        let what = format!("GitLab {kind}, member {}", error.path());
        Unreadable::Shape { what, source: error.into_inner() }
    })
}

/// A word of GitLab's that may stand in a label of a metric: lower-case letters, digits and underscores, as all of theirs are. Any
/// other text is not GitLab's.
fn label(word: &str) -> &str {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    if word.len() <= 40 && word.bytes().all(plain) { word } else { "other" }
}

fn one(occurred_at: Timestamp, link: Option<String>, body: impl Into<Body>) -> Reading {
    Reading::Events(vec![Observed { occurred_at, link, body: body.into() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_to_choose_is_read() {
        for expected in EVENTS {
            let kind = kind_of_header(expected.event).unwrap();
            assert_eq!(known(&kind).map(|(name, _)| name), Some(expected.event));
        }
        assert!(known("issue").is_none());
    }
}
