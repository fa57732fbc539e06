//! Import: one line of JSON is one delivery and holds one event of the model, `{"occurred_at": …, "link": …, "body": {"Deployment": {…}}}`.
//!
//! The format and an example of each kind are in `schemas/README.md`. A key that the model does not know is refused and not
//! overlooked: it is a misspelt one, and its value would be missed in silence. Texts that other systems write in several ways are
//! brought to one form: repositories may be addresses, commits may be upper-case.
//!
//! **People.** Every `key` of an actor is an account in plain text and leaves as a keyed hash, even where it looks like one.
//! `github.com/octocat` is the account of that host, an address is an address, as when their webhooks name them; anything else is an
//! account of the import alone.

use model::event::{ActorKind, Body};
use model::inbox::InboxRecord;
use model::{CommitId, Repository, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{Door, Observed, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

const DOOR: Door = Door { provider: "import", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &[] };

const PAGE: Page = Page {
    title: "Import",
    tells: "events of Throughline's own format, one in JSON for each delivery",
    steps: &[
        "Write one event in JSON on each line of a file, and run `throughline import FILE`.",
        "Or POST one event at a time to {url}, with the header `Authorization: Bearer {secret}`.",
    ],
    permissions: &["None: it is your own file."],
    events: &[],
    notes: &["`schemas/README.md` shows an example of every kind of event."],
    documentation: "schemas/README.md#import",
};

/// Reads imported events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Import;

impl Provider for Import {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let Line { occurred_at, link, body } = parse(delivery.body.as_ref())?;
        let body = settle(&body, Some(people))?;
        Ok(Reading::Events(vec![Observed { occurred_at, link, body }]))
    }
}

/// Tells whether a line can be imported, without importing it.
///
/// # Errors
/// What is wrong, and where in the line.
pub fn check_line(line: &[u8]) -> Result<(), Unreadable> {
    settle(&parse(line)?.body, None).map(drop)
}

/// An event to be imported.
#[derive(Deserialize)]
struct Line {
    occurred_at: Timestamp,
    #[serde(default)]
    link: Option<String>,
    body: Body,
}

/// Reads a line as it stands; unknown keys are refused.
fn parse(line: &[u8]) -> Result<Line, Unreadable> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = Vec::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string().replace(".?", "")));
    let line: Line = match read.and_then(|line| json.end().map(|()| line)) {
        Ok(line) => line,
        Err(source) if source.is_data() => {
            let path = track.path().to_string().replace('[', ".").replace(']', "");
            return Err(Unreadable::Value(if path == "." {
                source.to_string()
            } else {
                format!("`{path}`: {source}")
            }));
        }
        Err(source) => return Err(Unreadable::Shape { what: "one event in JSON on one line".to_owned(), source }),
    };
    if !unknown.is_empty() {
        let keys = unknown.join("`, `");
        return Err(Unreadable::Value(format!("unknown: `{keys}`; check the spelling, or leave it out")));
    }
    check_time(line.occurred_at)?;
    match &line.link {
        Some(link) if !link.starts_with("https://") && !link.starts_with("http://") => {
            Err(Unreadable::Value(format!("`link`: `{link}` is no address of a page (https://…)")))
        }
        _ => Ok(line),
    }
}

/// Seconds taken for milliseconds are the likeliest slip, and would put everything into January 1970.
fn check_time(at: Timestamp) -> Result<(), Unreadable> {
    const EARLIEST: Timestamp = Timestamp::from_seconds(100_000_000);
    if at >= EARLIEST {
        return Ok(());
    }
    Err(Unreadable::Value(format!(
        "`occurred_at`: {} means {at}; a time is a text like 2024-05-01T09:30:00Z or an integer of milliseconds",
        at.0
    )))
}

/// The event with every account hashed and every text in its one form. Without `people` it is only checked.
///
/// It works on the JSON form, where each field is met under its name wherever it stands: a kind of event that is added later cannot be
/// forgotten, and no account can slip through.
fn settle(body: &Body, people: Option<&People>) -> Result<Body, Unreadable> {
    let shape = |source| Unreadable::Shape { what: "an event of the model".to_owned(), source };
    let mut json = serde_json::to_value(body).map_err(shape)?;
    settle_value(&mut json, "", people).map_err(|wrong| {
        let path: Vec<&str> = wrong.path.iter().rev().map(String::as_str).collect();
        Unreadable::Value(format!("`body.{}`: {}", path.join("."), wrong.why))
    })?;
    Body::deserialize(json).map_err(shape)
}

/// What is wrong, and where; the path is innermost first.
struct Wrong {
    path: Vec<String>,
    why: String,
}

/// Settles a value that stands under `name`; the items of a list stand under the name of the list.
fn settle_value(value: &mut Value, name: &str, people: Option<&People>) -> Result<(), Wrong> {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                settle_value(field, name, people).map_err(|wrong| wrong.within(name.clone()))?;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                settle_value(item, name, people).map_err(|wrong| wrong.within(index.to_string()))?;
                if item.is_null() {
                    return Err(Wrong::new("names no commit".to_owned()).within(index.to_string()));
                }
            }
        }
        Value::String(text) => {
            if let Some(settled) = settle_text(text, name, people)? {
                *value = settled;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The one form of a text that stands under `name`; none where any form will do.
fn settle_text(text: &str, name: &str, people: Option<&People>) -> Result<Option<Value>, Wrong> {
    match name {
        "key" => Ok(people
            .map(|people| people.account("import", text, ActorKind::Unknown).key.map_or(Value::Null, Value::String))),
        "repository" | "source_repository" => {
            let repository = Repository::from_url(text);
            if repository.as_str().is_empty() {
                return Err(Wrong::new("is empty; a repository is like github.com/acme/shop".to_owned()));
            }
            Ok(Some(Value::String(repository.to_string())))
        }
        "id" | "commit" | "before" | "after" | "head" | "base" | "merge_commit" | "commits" | "parents"
        | "cherry_picked_from" | "reverts" => match CommitId::given(text) {
            None if name == "id" => Err(Wrong::new(format!("`{text}` names no commit"))),
            None => Ok(Some(Value::Null)),
            Some(id) if id.is_full() || id.is_abbreviation() => Ok(Some(Value::String(id.to_string()))),
            Some(id) => {
                Err(Wrong::new(format!("`{id}` is no commit id: 40 or 64 hex digits, or an abbreviation of 7 or more")))
            }
        },
        _ => Ok(None),
    }
}

impl Wrong {
    fn new(why: String) -> Self {
        Self { path: Vec::new(), why }
    }

    fn within(mut self, name: String) -> Self {
        self.path.push(name);
        self
    }
}
