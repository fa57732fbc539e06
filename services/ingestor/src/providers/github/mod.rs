//! GitHub, of github.com and of GitHub Enterprise Server.
//!
//! [`EVENTS`] is the table of what is read: one line for each name that the header `X-GitHub-Event` may have. Every other kind, and
//! every action that tells nothing of delivery, is ignored by its name. Beside them stands what a backfill tells that no webhook does.

pub mod app;
mod approvals;
mod backfilled;
mod changes;
mod checks;
mod deployments;
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
use crate::providers::{Door, Expected, Observed, Page, Provider, Reading, Unreadable};
use crate::signature::Scheme;

/// The adapter for GitHub.
#[derive(Clone, Copy, Debug, Default)]
pub struct GitHub;

const DOOR: Door = Door {
    provider: "github",
    schemes: &[Scheme::HubSignature256],
    // https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
    delivery: &["x-github-delivery"],
    event: Some("x-github-event"),
    kept: &[
        "x-github-enterprise-host",
        "x-github-enterprise-version",
        "x-github-hook-id",
        "x-github-hook-installation-target-id",
        "x-github-hook-installation-target-type",
    ],
};

const PAGE: Page = Page {
    title: "GitHub",
    tells: "commits, pull requests, reviews, GitHub Actions, deployments, approvals and releases; also GitHub Enterprise Server",
    steps: &[
        "As a GitHub App, by one command: `throughline connect github --org ORG --url https://<host>`. It opens a page with one \
         button, keeps the key and the secret that GitHub gives, and prints what to put into the configuration. Install the \
         App on the repositories, and you are done. The further steps are the other way: a webhook set up by hand.",
        "Open the settings of the organisation (or of one repository), then Webhooks, then Add webhook.",
        "Payload URL: {url}",
        "Content type: application/json. Secret: {secret}",
        "Which events: \u{201c}Let me select individual events\u{201d}, and tick those below that the page offers.",
        "Save. GitHub sends a `ping`, which is ignored by name; the next push is the first delivery that counts.",
    ],
    permissions: &[
        "As an App: read access to Metadata, Contents, Pull requests, Merge queues, Actions, Checks, Commit statuses and \
         Deployments. It can change nothing.",
        "As a webhook: an owner of the organisation, or an administrator of the repository, adds it once; nothing else is given \
         away. To read what was missed or came before, it takes a token beside it, with read access to Contents, Pull \
         requests, Actions and Deployments.",
    ],
    events: EVENTS,
    notes: &[
        "GitHub does not send a failed delivery again by itself, and keeps deliveries for three days. With `api` in the configuration of the source they are fetched: its token needs read access to Webhooks, and to Contents, Pull requests, Actions and Deployments for what is older.",
        "`deployment_protection_rule` comes to the App whose rule it is, and to nobody else. The App that the command makes has \
         no rule: it would be a gate that nobody opens.",
    ],
    documentation: "https://docs.github.com/en/webhooks/using-webhooks/creating-webhooks",
};

const fn event(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

/// All kinds that are read, by their name in the header `X-GitHub-Event`: those to choose when a webhook is set up.
pub const EVENTS: &[Expected] = &[
    event("push", "Pushes", "commits, branches and tags", true),
    event("create", "Branch or tag creation", "tags that were made", false),
    event("delete", "Branch or tag deletion", "tags that were removed", false),
    event("pull_request", "Pull requests", "changes", true),
    event("pull_request_review", "Pull request reviews", "reviews of changes", true),
    event("merge_group", "Merge groups", "waits in the merge queue", false),
    event("workflow_run", "Workflow runs", "runs of GitHub Actions", true),
    event("workflow_job", "Workflow jobs", "jobs, their steps and their wait for a runner", true),
    event("check_run", "Check runs", "checks of other apps", false),
    event("check_suite", "Check suites", "runs of other apps", false),
    event("status", "Statuses", "commit statuses", false),
    event("deployment", "Deployments", "deployments", true),
    event("deployment_status", "Deployment statuses", "progress of deployments", true),
    event("deployment_review", "Deployment reviews", "approvals by people", false),
    event("deployment_protection_rule", "Deployment protection rules", "approvals asked of an app", false),
    event("release", "Releases", "published releases", false),
];

/// Reads deliveries of one kind.
type Read = fn(&Delivery<'_>) -> Result<Reading, Unreadable>;

/// The reader of a kind; none for what bears on no delivery.
fn reader(event: &str) -> Option<Read> {
    Some(match event {
        "push" => push::push,
        "create" => push::create,
        "delete" => push::delete,
        "pull_request" => changes::pull_request,
        "pull_request_review" => changes::pull_request_review,
        "merge_group" => approvals::merge_group,
        "workflow_run" => runs::workflow_run,
        "workflow_job" => runs::workflow_job,
        "check_run" => checks::check_run,
        "check_suite" => checks::check_suite,
        "status" => checks::status,
        "deployment" => deployments::deployment,
        "deployment_status" => deployments::deployment_status,
        "deployment_review" => approvals::deployment_review,
        "deployment_protection_rule" => approvals::deployment_protection_rule,
        "release" => releases::release,
        "backfill.commit" => backfilled::told_commit,
        "backfill.tag" => backfilled::told_tag,
        "backfill.pull_request" => backfilled::told_pull,
        "backfill.approvals" => backfilled::approvals,
        _ => return None,
    })
}

impl Provider for GitHub {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn version(&self) -> i32 {
        2
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let event = delivery.event.as_deref().or_else(|| delivery.headers.get("x-github-event").map(String::as_str));
        let Some(event) = event else {
            return Err(Unreadable::Value(
                "the delivery has no header `X-GitHub-Event`, which names its kind".to_owned(),
            ));
        };
        let delivery = Delivery { event, json: json(delivery)?, received_at: delivery.received_at, people };
        match reader(event) {
            Some(read) => read(&delivery),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_to_choose_is_read() {
        assert!(EVENTS.iter().all(|expected| reader(expected.event).is_some()));
        assert!(reader("issues").is_none());
    }
}
