//! Generic JSON: a flat body for each kind of thing that a script would tell with one line of curl.
//!
//! The form is documented in `schemas/README.md`, kind by kind. It is forgiving where nothing can be mistaken (a number for a
//! text, `passed` for `success`, seconds for a time) and strict where something would be missed in silence: a member that the kind
//! does not have is refused, and so is a word that means nothing here.
//!
//! **Ids.** What is told of by an `id` is `<source>/<kind>s/<id>`, so that the numbers of two senders do not meet; an id with a slash
//! is unique already. What is told once, at its end, needs none: its delivery names it.
//!
//! A source may have [rules](Rules) that bring bodies of any other form to this one.

mod delivery;
pub(in crate::providers) mod members;
mod message;
mod page;
mod rules;
mod runs;
mod source;

use std::collections::BTreeMap;

use model::event::Body;
use model::inbox::InboxRecord;
use model::{Source, Timestamp};
use serde_json::{Map, Value};

use self::members::{Members, alike, missing, wrong};
use self::message::Message;
pub use self::page::EVENTS;
pub use self::rules::{RuleConfig, RuleError, Rules};
use super::{Door, Observed, Page, Provider, Reading, Unreadable, batch};
use crate::people::People;
use crate::signature::Scheme;

const DOOR: Door = Door {
    provider: "generic",
    schemes: &[Scheme::HubSignature256, Scheme::Token],
    // https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    delivery: &["idempotency-key"],
    event: None,
    kept: &["x-event", "x-event-key", "x-event-name", "x-event-type", "x-request-id"],
};

/// Reads bodies of the documented form, and others by the rules of their source.
#[derive(Debug, Default)]
pub struct Generic {
    rules: BTreeMap<Source, Rules>,
}

/// It has no rules.
pub static GENERIC: Generic = Generic { rules: BTreeMap::new() };

impl Generic {
    /// Reads the bodies of these sources by their rules.
    pub fn with_rules(rules: impl IntoIterator<Item = (Source, Rules)>) -> Self {
        Self { rules: rules.into_iter().collect() }
    }
}

/// When it happened, and what.
type Read = Result<(Timestamp, Body), Unreadable>;

/// A kind of body.
struct Kind {
    name: &'static str,
    /// Its members, beside those that every kind has.
    members: &'static [&'static [&'static str]],
    read: fn(&Message<'_>) -> Read,
}

/// Members that every kind has.
const COMMON: &[&str] = &["kind", "at", "url"];

const KINDS: &[Kind] = &[
    Kind { name: "commit", members: source::COMMIT_MEMBERS, read: source::commit },
    Kind { name: "push", members: source::PUSH_MEMBERS, read: source::push },
    Kind { name: "change", members: source::CHANGE_MEMBERS, read: source::change },
    Kind { name: "review", members: source::REVIEW_MEMBERS, read: source::review },
    Kind { name: "build", members: runs::BUILD_MEMBERS, read: runs::build },
    Kind { name: "job", members: runs::JOB_MEMBERS, read: runs::job },
    Kind { name: "test", members: runs::TEST_MEMBERS, read: runs::test },
    Kind { name: "artifact", members: runs::ARTIFACT_MEMBERS, read: runs::artifact },
    Kind { name: "approval", members: delivery::APPROVAL_MEMBERS, read: delivery::approval },
    Kind { name: "deployment", members: delivery::DEPLOYMENT_MEMBERS, read: delivery::deployment },
    Kind { name: "release", members: source::RELEASE_MEMBERS, read: source::release },
    Kind { name: "incident", members: delivery::INCIDENT_MEMBERS, read: delivery::incident },
];

impl Provider for Generic {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &page::PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        let body: Value = serde_json::from_slice(delivery.body.as_ref()).ok()?;
        let first = body.get(0).unwrap_or(&body);
        kind_of(first).ok().map(|kind| kind.name.to_owned())
    }

    fn version(&self) -> i32 {
        1
    }

    /// Both only grow, and so does their sum.
    fn version_for(&self, source: &Source) -> i32 {
        self.version() + self.rules.get(source).map_or(0, Rules::version)
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let what = || "one object in JSON, or a list of them".to_owned();
        let body: Value = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: what(), source })?;
        if let Some(rules) = self.rules.get(&delivery.source) {
            return rules.read(&body, delivery, people);
        }
        match body {
            Value::Array(elements) => batch::read(
                elements
                    .into_iter()
                    .enumerate()
                    .map(|(index, element)| Ok(Reading::Events(vec![read_one(element, index, delivery, people)?]))),
            ),
            one => Ok(Reading::Events(vec![read_one(one, 0, delivery, people)?])),
        }
    }
}

/// Reads one body; `index` is its place in the delivery.
fn read_one(body: Value, index: usize, delivery: &InboxRecord, people: &People) -> Result<Observed, Unreadable> {
    let kind = kind_of(&body)?;
    let Value::Object(members) = body else { return Err(no_object(&body)) };
    read_members(kind, members, index, delivery, people)
}

/// Reads the members of one body of this kind.
fn read_members(
    kind: &Kind,
    members: Map<String, Value>,
    index: usize,
    delivery: &InboxRecord,
    people: &People,
) -> Result<Observed, Unreadable> {
    let known: Vec<&str> = known_members(kind).collect();
    let members =
        Members::new(members, &[&known]).map_err(|error| Unreadable::Value(format!("{}: {error}", kind.name)))?;
    let link = members.page("url")?;
    let (occurred_at, body) = (kind.read)(&Message { members, people, delivery, index })?;
    Ok(Observed { occurred_at, link, body })
}

/// All members of a kind.
fn known_members(kind: &Kind) -> impl Iterator<Item = &'static str> {
    COMMON.iter().chain(kind.members.iter().copied().flatten()).copied()
}

fn kind_of(body: &Value) -> Result<&'static Kind, Unreadable> {
    let Value::Object(members) = body else { return Err(no_object(body)) };
    let names = || KINDS.iter().map(|kind| kind.name);
    let all = || names().collect::<Vec<_>>().join(", ");
    match members.get("kind") {
        None => Err(missing("kind", &all())),
        Some(Value::String(name)) => KINDS.iter().find(|kind| kind.name == name.trim()).ok_or_else(|| {
            wrong("kind", &Value::from(name.as_str()), &format!("one of {}{}", all(), alike(name, names())))
        }),
        Some(other) => Err(wrong("kind", other, &format!("one of {}", all()))),
    }
}

fn no_object(body: &Value) -> Unreadable {
    wrong("body", body, "an object such as {\"kind\": \"deployment\", \"environment\": \"production\", …}")
}

#[cfg(test)]
mod tests {
    use model::Bytes;
    use serde_json::json;

    use super::*;

    /// A value that no member takes shows that each is looked at.
    #[test]
    fn every_member_that_is_known_is_read() {
        let delivery = InboxRecord {
            source: "scripts".into(),
            realm: "default".into(),
            provider: "generic".to_owned(),
            delivery: "1".to_owned(),
            event: None,
            content_type: None,
            headers: [].into(),
            received_at: Timestamp(0),
            body: Bytes(Vec::new()),
        };
        for kind in KINDS {
            let example = EVENTS.iter().find(|expected| expected.event == kind.name).unwrap().setting;
            let (start, end) = (example.find("-d '").unwrap() + 4, example.len() - 1);
            let body: Value = serde_json::from_str(&example[start..end]).unwrap();
            for name in known_members(kind) {
                let mut body = body.clone();
                body[name] = json!({"no": "value"});
                let error = read_one(body, 0, &delivery, &People::new(b"k")).unwrap_err().to_string();
                assert!(error.starts_with(&format!("`{name}` is `{{")), "{}.{name}: {error}", kind.name);
            }
        }
    }
}
