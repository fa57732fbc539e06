//! The read side of the Schema Registry API, from the schemas that are built in.
//!
//! Shapes, paths and error codes are Confluent's (`docs.confluent.io/platform/current/schema-registry/develop/api.html`), so that its
//! clients, ClickHouse's `AvroConfluent` and Kafka consoles work with nothing more to run. A subject is named after its topic:
//! `<prefix><topic>-value`. Nothing can be registered: a schema comes with the version of Throughline that writes it.

use std::sync::Arc;

use apache_avro::Schema as Avro;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use model::schema::{self, Schema, Subject};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the API's answers are said to be.
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// A later version can read what any earlier one wrote: a test of the schemas holds that.
const COMPATIBILITY: &str = "BACKWARD_TRANSITIVE";
const MODE: &str = "READONLY";

/// The prefix of topic names, shared by the handlers.
type Prefix = Arc<str>;

/// All paths of the API.
pub fn router(topic_prefix: String) -> Router {
    Router::new()
        .route("/", get(async || Answer(json!({}))))
        .route("/schemas/types", get(async || Answer(json!(["AVRO"]))))
        .route("/schemas/ids/{id}", get(by_id))
        .route("/schemas/ids/{id}/schema", get(text_by_id))
        .route("/schemas/ids/{id}/versions", get(versions_by_id))
        .route("/schemas/ids/{id}/subjects", get(subjects_by_id))
        .route("/subjects", get(subjects))
        .route("/subjects/{subject}", post(look_up))
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(by_version))
        .route("/subjects/{subject}/versions/{version}/schema", get(text_by_version))
        .route("/config", get(async || Answer(json!({"compatibilityLevel": COMPATIBILITY}))))
        .route("/config/{subject}", get(config_of))
        .route("/mode", get(async || Answer(json!({"mode": MODE}))))
        .route("/mode/{subject}", get(mode_of))
        .method_not_allowed_fallback(async || Refusal::ReadOnly)
        .fallback(async || Refusal::NoSuchPath)
        .with_state(Prefix::from(topic_prefix))
}

/// A JSON answer of the API.
struct Answer(Value);

/// The text of a schema by itself.
struct Text(&'static str);

/// An error of the API.
#[derive(Clone, Debug, thiserror::Error)]
enum Refusal {
    #[error("HTTP 404 Not Found")]
    NoSuchPath,
    #[error("Subject '{0}' not found.")]
    NoSubject(String),
    #[error("Version {0} not found.")]
    NoVersion(u32),
    #[error("Schema {0} not found")]
    NoId(u32),
    #[error("Schema not found")]
    NoSchema,
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoSubjectConfig(String),
    #[error("Subject '{0}' does not have subject-level mode configured")]
    NoSubjectMode(String),
    #[error("Input schema is an invalid schema: {0}")]
    InvalidSchema(String),
    #[error(
        "The specified version '{0}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \
         \"latest\""
    )]
    InvalidVersion(String),
    #[error("This registry is read-only: a schema is registered by shipping the version of Throughline that writes it")]
    ReadOnly,
}

impl Refusal {
    /// Code of the API; its first three digits are the status.
    const fn code(&self) -> u16 {
        match self {
            Self::NoSuchPath => 404,
            Self::NoSubject(_) => 40401,
            Self::NoVersion(_) => 40402,
            Self::NoId(_) | Self::NoSchema => 40403,
            Self::NoSubjectConfig(_) => 40408,
            Self::NoSubjectMode(_) => 40409,
            Self::InvalidSchema(_) => 42201,
            Self::InvalidVersion(_) => 42202,
            Self::ReadOnly => 42205,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], self.0.to_string()).into_response()
    }
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], self.0).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = if self.code() == 404 { 404 } else { self.code() / 100 };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Answer(json!({"error_code": self.code(), "message": self.to_string()}))).into_response()
    }
}

#[derive(Deserialize)]
struct IdQuery {
    subject: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubjectsQuery {
    subject_prefix: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DefaultQuery {
    default_to_global: bool,
}

/// What a client asks for: the schema as text, and what it is written in (Avro where unsaid).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    schema: String,
    schema_type: Option<String>,
}

async fn by_id(
    State(prefix): State<Prefix>,
    Path(id): Path<String>,
    Query(query): Query<IdQuery>,
) -> Result<Answer, Refusal> {
    let schema = with_id(&id)?;
    match query.subject {
        // Clients name the subject where an id is unique within one only; an empty one is the default context.
        Some(subject) if !subject.is_empty() && subject != subject_name(&prefix, schema.line.subject) => {
            Err(Refusal::NoId(schema.line.id))
        }
        _ => Ok(Answer(json!({"schema": schema.text}))),
    }
}

async fn text_by_id(Path(id): Path<String>) -> Result<Text, Refusal> {
    with_id(&id).map(|schema| Text(schema.text))
}

async fn versions_by_id(State(prefix): State<Prefix>, Path(id): Path<String>) -> Result<Answer, Refusal> {
    let line = &with_id(&id)?.line;
    Ok(Answer(json!([{"subject": subject_name(&prefix, line.subject), "version": line.version}])))
}

async fn subjects_by_id(State(prefix): State<Prefix>, Path(id): Path<String>) -> Result<Answer, Refusal> {
    Ok(Answer(json!([subject_name(&prefix, with_id(&id)?.line.subject)])))
}

async fn subjects(State(prefix): State<Prefix>, Query(query): Query<SubjectsQuery>) -> Answer {
    let wanted = query.subject_prefix.unwrap_or_default();
    let mut names: Vec<String> = Subject::ALL
        .into_iter()
        .filter(|subject| schema::latest(*subject).is_some())
        .map(|subject| subject_name(&prefix, subject))
        .filter(|name| name.starts_with(&wanted))
        .collect();
    names.sort();
    Answer(json!(names))
}

async fn versions(State(prefix): State<Prefix>, Path(subject): Path<String>) -> Result<Answer, Refusal> {
    let versions: Vec<u32> = schema::versions(named(&prefix, &subject)?).map(|schema| schema.line.version).collect();
    Ok(Answer(json!(versions)))
}

async fn by_version(
    State(prefix): State<Prefix>,
    Path((subject, version)): Path<(String, String)>,
) -> Result<Answer, Refusal> {
    with_version(&prefix, &subject, &version).map(|schema| described(&prefix, schema))
}

async fn text_by_version(
    State(prefix): State<Prefix>,
    Path((subject, version)): Path<(String, String)>,
) -> Result<Text, Refusal> {
    with_version(&prefix, &subject, &version).map(|schema| Text(schema.text))
}

async fn look_up(State(prefix): State<Prefix>, Path(subject): Path<String>, body: Bytes) -> Result<Answer, Refusal> {
    equal(named(&prefix, &subject)?, &body)?.map(|schema| described(&prefix, schema)).ok_or(Refusal::NoSchema)
}

/// A client that would register what is there already gets its id, as from any registry; anything new is refused.
async fn register(State(prefix): State<Prefix>, Path(subject): Path<String>, body: Bytes) -> Result<Answer, Refusal> {
    let subject = named(&prefix, &subject).map_err(|_| Refusal::ReadOnly)?;
    equal(subject, &body)?.map(|schema| Answer(json!({"id": schema.line.id}))).ok_or(Refusal::ReadOnly)
}

async fn config_of(
    State(prefix): State<Prefix>,
    Path(subject): Path<String>,
    Query(query): Query<DefaultQuery>,
) -> Result<Answer, Refusal> {
    match named(&prefix, &subject) {
        Ok(_) if query.default_to_global => Ok(Answer(json!({"compatibilityLevel": COMPATIBILITY}))),
        _ => Err(Refusal::NoSubjectConfig(subject)),
    }
}

async fn mode_of(
    State(prefix): State<Prefix>,
    Path(subject): Path<String>,
    Query(query): Query<DefaultQuery>,
) -> Result<Answer, Refusal> {
    match named(&prefix, &subject) {
        Ok(_) if query.default_to_global => Ok(Answer(json!({"mode": MODE}))),
        _ => Err(Refusal::NoSubjectMode(subject)),
    }
}

fn subject_name(prefix: &str, subject: Subject) -> String {
    format!("{prefix}{}-value", subject.topic())
}

fn named(prefix: &str, name: &str) -> Result<Subject, Refusal> {
    let topic = name.strip_prefix(prefix).and_then(|name| name.strip_suffix("-value"));
    topic.and_then(Subject::of_topic).ok_or_else(|| Refusal::NoSubject(name.to_owned()))
}

fn with_id(id: &str) -> Result<&'static Schema, Refusal> {
    let id: u32 = id.parse().map_err(|_| Refusal::NoSuchPath)?;
    schema::by_id(id).ok_or(Refusal::NoId(id))
}

fn with_version(prefix: &str, subject: &str, version: &str) -> Result<&'static Schema, Refusal> {
    let name = subject;
    let subject = named(prefix, name)?;
    // Confluent's clients also write the latest as -1.
    if version == "latest" || version == "-1" {
        return schema::latest(subject).ok_or_else(|| Refusal::NoSubject(name.to_owned()));
    }
    let number = version.parse().ok().filter(|number| (1..=i32::MAX as u32).contains(number));
    let number = number.ok_or_else(|| Refusal::InvalidVersion(version.to_owned()))?;
    schema::versions(subject).find(|schema| schema.line.version == number).ok_or(Refusal::NoVersion(number))
}

fn described(prefix: &str, schema: &Schema) -> Answer {
    let line = &schema.line;
    Answer(json!({
        "subject": subject_name(prefix, line.subject),
        "id": line.id,
        "version": line.version,
        "schema": schema.text,
    }))
}

/// The latest version of the subject that says the same as the wanted schema, by Avro's Parsing Canonical Form.
fn equal(subject: Subject, body: &[u8]) -> Result<Option<&'static Schema>, Refusal> {
    let invalid = |error: &dyn std::fmt::Display| Refusal::InvalidSchema(error.to_string());
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    if wanted.schema_type.is_some_and(|kind| kind != "AVRO") {
        return Ok(None);
    }
    let form = Avro::parse_str(&wanted.schema).map_err(|error| invalid(&error))?.canonical_form();
    let same = |schema: &&Schema| Avro::parse_str(schema.text).is_ok_and(|avro| avro.canonical_form() == form);
    let versions: Vec<_> = schema::versions(subject).collect();
    Ok(versions.into_iter().rev().find(same))
}
