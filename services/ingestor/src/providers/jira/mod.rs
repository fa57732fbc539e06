//! Jira and Jira Service Management, Cloud and Data Center: incidents, and change requests as gates.
//!
//! **Bodies.** System webhooks `jira:issue_created`, `jira:issue_updated` and `jira:issue_deleted`
//! (<https://developer.atlassian.com/cloud/jira/platform/webhooks/>), the webhook of a transition of Data Center, and what an
//! automation rule sends: "Issue data" in both formats, or a body of one's own in the shape of a webhook, which may have
//! references (`references.rs`).
//!
//! **What is assumed**, since nearly every word of Jira can be renamed:
//! - Kinds of issues go by the English names of their types, `[System] ` before them or not: `shape::Kind`. All others are ignored.
//! - A status is finished where its category is `done`; categories cannot be renamed. Bodies of old versions have none: there, an issue
//!   with a `resolutiondate` is finished.
//! - Approvals of Jira Service Management are known by the shape of their field, whatever its number. Without them a status asks for
//!   an approval where its name has the word "approval": `Awaiting CAB approval`. Whoever leaves such a status approves, unless the
//!   next one is declined or cancelled by its name, or lies before the work (category `new`), which withdraws the request.
//! - A step of approval is met once for each issue and name, so that its status and its approval are one gate.
//! - The priority is the severity where no severity is told: Jira has no field of its own for it.
//!
//! **Times** are RFC 3339 with an offset without a colon, or milliseconds since 1970.

mod changes;
mod incidents;
mod shape;

use model::inbox::InboxRecord;
use serde_json::Value;

use self::shape::{Action, Issue, Kind};
use super::{Door, Expected, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

/// Reads what Jira sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jira;

const DOOR: Door = Door {
    provider: "jira",
    schemes: &[Scheme::HubSignature, Scheme::Token],
    // Unchanged when a delivery is tried again: https://developer.atlassian.com/cloud/jira/platform/webhooks/
    delivery: &["x-atlassian-webhook-identifier"],
    event: None,
    kept: &["x-atlassian-webhook-flow", "x-atlassian-webhook-retry"],
};

const PAGE: Page = Page {
    title: "Jira",
    tells: "incidents, and change requests with their approvals; Cloud and Data Center, with or without Service Management",
    steps: &[
        "Open Settings (the cog), System, then WebHooks under Advanced, then \u{201c}Create a WebHook\u{201d}.",
        "URL: {url}",
        "Secret: {secret}",
        "Under \u{201c}Issue related events\u{201d} enter the JQL `issuetype in (\"Incident\", \"[System] Incident\", \"Change\", \
         \"[System] Change\")`, leaving out types that your Jira does not have, and tick created, updated and deleted under Issue.",
        "Leave \u{201c}Exclude body\u{201d} off. Save. The next incident or change request is the first delivery that counts.",
        "Or, without an administrator: Project settings, Automation, Create rule. Trigger: \u{201c}Work item transitioned\u{201d} (before, \
         \u{201c}Issue transitioned\u{201d}). Action: \u{201c}Send web request\u{201d} to {url}, POST, with the hidden header \
         `Authorization: Bearer {secret}` and as custom data: \
         {\"webhookEvent\": \"jira:issue_updated\", \"timestamp\": \"{{now.toMillis}}\", \"issue\": {\"id\": \"{{issue.id}}\", \
         \"self\": \"{{issue.url}}\", \"key\": \"{{issue.key}}\", \"fields\": {\
         \"issuetype\": {\"name\": \"{{issue.issueType.name.jsonEncode}}\"}, \
         \"status\": {\"name\": \"{{issue.status.name.jsonEncode}}\", \"statusCategory\": {\"key\": \"{{issue.status.statusCategory.key}}\"}}, \
         \"priority\": {\"name\": \"{{issue.priority.name.jsonEncode}}\"}, \
         \"created\": \"{{issue.created.jiraDateTime}}\", \"resolutiondate\": \"{{issue.resolutiondate.jiraDateTime}}\"}}, \
         \"changelog\": {\"items\": [{\"field\": \"status\", \"fromString\": \"{{changelog.status.fromString.jsonEncode}}\", \
         \"toString\": \"{{changelog.status.toString.jsonEncode}}\"}]}, \
         \"references\": {\"service\": \"{{issue.components.first.name.jsonEncode}}\", \
         \"version\": \"{{issue.fixVersions.first.name.jsonEncode}}\", \"repository\": \"\", \"commit\": \"\", \"run\": \"\", \
         \"deployment\": \"\", \"environment\": \"\", \"severity\": \"\"}}",
        "Fill those `references` that you have fields for with their smart values, and leave the others empty.",
    ],
    permissions: &[
        "A Jira administrator adds the webhook once; for a rule, an administrator of the project. Nothing else is given away: \
         Throughline never calls Jira.",
    ],
    events: EVENTS,
    notes: &[
        "Types, statuses and fields can be renamed. Types are known by their English names, statuses by their category; a status asks \
         for an approval where its name has the word \u{201c}approval\u{201d}.",
        "A change request becomes a wait of a release where it names what is released: one component, or `references` with a service, \
         repository, commit, run or deployment. Commits and deployments of the panel Development are not in the bodies that Jira sends.",
        "Of several components of a change request none is taken for the one: a rule with `references` says which.",
        "Jira Cloud tries a failed delivery again, up to five times.",
    ],
    documentation: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
};

const fn event(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

const EVENTS: &[Expected] = &[
    event("jira:issue_created", "Issue: created", "incidents and change requests that were opened", true),
    event("jira:issue_updated", "Issue: updated", "their progress, approvals and end", true),
    event("jira:issue_deleted", "Issue: deleted", "incidents and change requests that were none", false),
];

impl Provider for Jira {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn version(&self) -> i32 {
        1
    }

    /// `webhookEvent` of the body; what an automation rule sends may have none.
    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        let body: Value = serde_json::from_slice(delivery.body.as_ref()).ok()?;
        shape::event(&body).map(str::to_owned)
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let body: Value = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: "a webhook of Jira in JSON".to_owned(), source })?;
        let action = Action::of(&body);
        if action == Action::Other {
            return Ok(ignored(&body, "bears on no delivery"));
        }
        let issue = Issue::new(&body, action, delivery.received_at, people)?;
        let events = match issue.kind() {
            Kind::Incident => incidents::read(&issue)?,
            Kind::Change => changes::read(&issue)?,
            Kind::Other if incidents::was_one(&issue) => incidents::read_retracted(&issue),
            Kind::Other => return Ok(ignored(&body, "an issue that is neither an incident nor a change request")),
        };
        Ok(match (events.is_empty(), issue.kind()) {
            (false, _) => Reading::Events(events),
            (true, Kind::Change) => ignored(&body, "a change request that asks and decides nothing"),
            (true, _) => ignored(&body, "changes nothing of an incident"),
        })
    }
}

/// `event: why`, the event a label of a metric: of plain characters, as all of Jira's are.
fn ignored(body: &Value, why: &str) -> Reading {
    let event = shape::event(body).unwrap_or("issue data");
    let plain = |c: u8| c.is_ascii_lowercase() || matches!(c, b'_' | b':' | b'-' | b' ');
    let label = if event.len() <= 50 && event.bytes().all(plain) { event } else { "other" };
    Reading::Ignored(format!("{label}: {why}"))
}
