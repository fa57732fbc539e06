//! The shape of a CDEvent, of every kind and version at once: what a kind does not have is absent, unknown keys do not matter.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::providers::Unreadable;

/// A text that may be absent, null or empty, which all mean that it was not told.
#[derive(Default)]
pub struct Text(Option<String>);

impl Text {
    /// The text, unless it is empty.
    pub fn new(text: Option<&str>) -> Self {
        Self(text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// The text, where told.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, else the other.
    pub fn or<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        self.get().or(other.get())
    }

    /// A copy, where told.
    pub fn owned(&self) -> Option<String> {
        self.0.clone()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(Option::<String>::deserialize(deserializer)?.as_deref()))
    }
}

/// A CDEvent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CdEvent {
    pub context: Context,
    pub subject: Subject,
    #[serde(default)]
    pub custom_data: Value,
}

/// What all events have in common.
#[derive(Deserialize)]
pub struct Context {
    pub id: String,
    pub source: String,
    #[serde(default, rename = "type")]
    pub kind: Text,
    #[serde(default)]
    pub timestamp: Text,
    #[serde(default)]
    links: Value,
}

/// What the event is about.
#[derive(Deserialize)]
pub struct Subject {
    pub id: String,
    #[serde(default)]
    pub source: Text,
    #[serde(default)]
    pub content: Content,
}

/// Content of a subject of any kind. `uri` was `url` before 0.5.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Content {
    pub uri: Text,
    pub url: Text,
    pub outcome: Text,
    pub reason: Text,
    pub severity: Text,
    pub environment: Option<Reference>,
    pub artifact_id: Text,
    // change, artifact
    pub repository: Option<Reference>,
    pub change: Option<Reference>,
    pub user: Text,
    // pipelinerun, taskrun
    pub pipeline_name: Text,
    pub task_name: Text,
    pub pipeline_run: Option<Reference>,
    // testcaserun, testsuiterun
    pub test_case: Option<Reference>,
    pub test_suite: Option<Reference>,
    pub test_suite_run: Option<Reference>,
    pub trigger: Option<Trigger>,
    // incident
    pub service: Option<Reference>,
    #[serde(rename = "ticketURI")]
    pub ticket_uri: Text,
    // approval
    pub approval_details_url: Text,
    pub resource_target_url: Text,
    pub requestor: Text,
    pub responder: Text,
    pub decision: Text,
    pub status: Text,
}

/// What started a test.
#[derive(Deserialize)]
pub struct Trigger {
    #[serde(default, rename = "type")]
    pub kind: Text,
}

/// Something that the event refers to: an object, or its bare id.
#[derive(Deserialize)]
#[serde(from = "Given")]
pub struct Reference {
    pub id: String,
    pub source: Text,
    pub name: Text,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an object with an `id`, or an id")]
enum Given {
    Id(String),
    Object {
        id: String,
        #[serde(default)]
        source: Text,
        #[serde(default)]
        name: Text,
    },
}

impl From<Given> for Reference {
    fn from(given: Given) -> Self {
        match given {
            Given::Id(id) => Self { id, source: Text::default(), name: Text::default() },
            Given::Object { id, source, name } => Self { id, source, name },
        }
    }
}

impl Reference {
    /// Its id, unique over all providers; `source` is that of the event.
    pub fn qualified(&self, source: &str) -> String {
        qualified(self.source.get().unwrap_or(source), &self.id)
    }
}

impl CdEvent {
    /// Reads the shape, and checks the ids that everything else rests on.
    ///
    /// # Errors
    /// Where a key is missing or of another type, or an id is empty.
    pub fn read(value: Value) -> Result<Self, Unreadable> {
        let event: Self = read_shape(value, "a CDEvent")?;
        let ids = [
            ("context.id", &event.context.id),
            ("context.source", &event.context.source),
            ("subject.id", &event.subject.id),
        ];
        if let Some((path, _)) = ids.iter().find(|(_, id)| id.trim().is_empty()) {
            return Err(Unreadable::Value(format!("`{path}` is empty: an event must have one")));
        }
        Ok(event)
    }

    /// Domain ids that its links point to.
    pub fn domain_ids(&self) -> impl Iterator<Item = &str> {
        self.context
            .links
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|link| [&link["target"], &link["from"]].into_iter().filter_map(|end| end["domainId"].as_str()))
    }
}

/// `<source>/<id>`.
pub fn qualified(source: &str, id: &str) -> String {
    format!("{}/{id}", source.trim_end_matches('/'))
}

/// Reads a value, and names the place where it differs.
///
/// # Errors
/// Where it has another shape.
pub fn read_shape<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, Unreadable> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let what = if path == "." { what.to_owned() } else { format!("{what}, at {path}") };
        Unreadable::Shape { what, source: error.into_inner() }
    })
}
