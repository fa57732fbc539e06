//! GitHub, of github.com and of GitHub Enterprise Server.
//!
//! [`KINDS`] is the table of what is read: one line for each name that the header `X-GitHub-Event` may have. Every other kind, and
//! every action that tells nothing of delivery, is ignored by its name.

mod approvals;
mod changes;
mod checks;
mod deployments;
mod message;
mod payload;
mod place;
mod progress;
mod push;
mod releases;
mod runs;

use std::borrow::Cow;

use model::Timestamp;
use model::event::Body;
use model::inbox::InboxRecord;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::people::People;
use crate::providers::{Observed, Provider, Reading, Unreadable};

/// The adapter for GitHub.
#[derive(Clone, Copy, Debug, Default)]
pub struct GitHub;

/// A kind of delivery that is read.
#[derive(Debug)]
pub struct Kind {
    /// Its name in the header `X-GitHub-Event`, which is also its name among the webhook's events.
    pub name: &'static str,
    /// What is learnt from it.
    pub tells: &'static str,
    read: fn(&Delivery<'_>) -> Result<Reading, Unreadable>,
}

/// All kinds that are read: those to choose when a webhook is set up.
pub const KINDS: &[Kind] = &[
    Kind { name: "push", tells: "commits, branches and tags", read: push::push },
    Kind { name: "create", tells: "tags that were made", read: push::create },
    Kind { name: "delete", tells: "tags that were removed", read: push::delete },
    Kind { name: "pull_request", tells: "changes", read: changes::pull_request },
    Kind { name: "pull_request_review", tells: "reviews of changes", read: changes::pull_request_review },
    Kind { name: "merge_group", tells: "waits in the merge queue", read: approvals::merge_group },
    Kind { name: "workflow_run", tells: "runs of GitHub Actions", read: runs::workflow_run },
    Kind { name: "workflow_job", tells: "jobs, their steps and their wait for a runner", read: runs::workflow_job },
    Kind { name: "check_run", tells: "checks of other apps", read: checks::check_run },
    Kind { name: "check_suite", tells: "runs of other apps", read: checks::check_suite },
    Kind { name: "status", tells: "commit statuses", read: checks::status },
    Kind { name: "deployment", tells: "deployments", read: deployments::deployment },
    Kind { name: "deployment_status", tells: "progress of deployments", read: deployments::deployment_status },
    Kind { name: "deployment_review", tells: "approvals by people", read: approvals::deployment_review },
    Kind {
        name: "deployment_protection_rule",
        tells: "approvals asked of an app",
        read: approvals::deployment_protection_rule,
    },
    Kind { name: "release", tells: "published releases", read: releases::release },
];

impl Provider for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let event = delivery.event.as_deref().or_else(|| delivery.headers.get("x-github-event").map(String::as_str));
        let Some(event) = event else {
            return Err(Unreadable::Value(
                "the delivery has no header `X-GitHub-Event`, which names its kind".to_owned(),
            ));
        };
        let delivery = Delivery { event, json: json(delivery)?, received_at: delivery.received_at, people };
        match KINDS.iter().find(|kind| kind.name == event) {
            Some(kind) => (kind.read)(&delivery),
            None => Ok(delivery.ignored(&delivery.action(), "bears on no delivery")),
        }
    }
}

/// A delivery with its body taken out of the envelope.
struct Delivery<'a> {
    /// Name of its kind.
    event: &'a str,
    json: Cow<'a, [u8]>,
    received_at: Timestamp,
    people: &'a People,
}

impl Delivery<'_> {
    fn payload<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        serde_json::from_slice(&self.json)
            .map_err(|source| Unreadable::Shape { what: format!("GitHub {}", self.event), source })
    }

    /// The action, of a kind whose shape is not known.
    fn action(&self) -> String {
        #[derive(Deserialize)]
        struct Action {
            action: String,
        }
        serde_json::from_slice(&self.json).map(|Action { action }| action).unwrap_or_default()
    }

    /// `kind.action: why`.
    fn ignored(&self, action: &str, why: &str) -> Reading {
        let event = label(self.event);
        Reading::Ignored(match label(action) {
            "" => format!("{event}: {why}"),
            action => format!("{event}.{action}: {why}"),
        })
    }
}

/// GitHub sends the JSON as it is, or as the member `payload` of a form.
fn json(delivery: &InboxRecord) -> Result<Cow<'_, [u8]>, Unreadable> {
    let body = delivery.body.as_ref();
    let content_type = delivery.content_type.as_deref().unwrap_or_default().trim_start();
    if !content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Ok(Cow::Borrowed(body));
    }
    match form_urlencoded::parse(body).find(|(key, _)| key == "payload") {
        Some((_, payload)) => Ok(Cow::Owned(payload.into_owned().into_bytes())),
        None => Err(Unreadable::Value("the body is a form without the member `payload`".to_owned())),
    }
}

/// A word of GitHub's that may stand in a label of a metric: lower-case letters, digits and underscores, as all of theirs are. Any
/// other text is not GitHub's.
fn label(word: &str) -> &str {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    if word.len() <= 40 && word.bytes().all(plain) { word } else { "other" }
}

fn one(occurred_at: Timestamp, link: Option<String>, body: impl Into<Body>) -> Reading {
    Reading::Events(vec![Observed { occurred_at, link, body: body.into() }])
}
