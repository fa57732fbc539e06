//! The shapes that clients of a registry rely on, over HTTP.

use model::schema::{self, Subject};
use schema_registry_converter::async_impl::schema_registry::{SrSettings, get_schema_by_id, get_schema_by_subject};
use schema_registry_converter::schema_registry_common::SubjectNameStrategy;
use serde_json::{Value, json};

use super::*;

const PREFIX: &str = "acme.";

/// Starts a server and returns its address and its readiness.
async fn server() -> (String, Readiness, CancellationToken) {
    let (readiness, draining) = (Readiness::default(), CancellationToken::new());
    let admin = Admin {
        readiness: readiness.clone(),
        metrics: Registry::new(),
        topic_prefix: PREFIX.to_owned(),
        draining: draining.clone(),
    };
    let counter = prometheus::IntCounter::new("throughline_test_total", "A test.").unwrap();
    admin.metrics.register(Box::new(counter)).unwrap();
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, admin));
    (address, readiness, draining)
}

async fn get(url: &str) -> (u16, String, String) {
    let response = reqwest::get(url).await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, response.text().await.unwrap())
}

async fn get_json(url: &str) -> (u16, Value) {
    let (status, kind, text) = get(url).await;
    assert_eq!(kind, "application/vnd.schemaregistry.v1+json", "{url}");
    (status, serde_json::from_str(&text).unwrap())
}

async fn post(url: &str, body: &Value) -> (u16, Value) {
    let response = reqwest::Client::new().post(url).json(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn schemas_have_the_shapes_of_the_registry() {
    let (at, ..) = server().await;
    let inbox = schema::latest(Subject::Inbox).unwrap();
    let (id, version, text) = (inbox.line.id, inbox.line.version, inbox.text);
    let described = json!({"subject": "acme.inbox-value", "version": version, "id": id, "schema": text});
    for (path, expected) in [
        (format!("/schemas/ids/{id}"), json!({"schema": text})),
        (format!("/schemas/ids/{id}?subject=acme.inbox-value"), json!({"schema": text})),
        (format!("/schemas/ids/{id}/schema"), serde_json::from_str(text).unwrap()),
        (format!("/schemas/ids/{id}/versions"), json!([{"subject": "acme.inbox-value", "version": version}])),
        (format!("/schemas/ids/{id}/subjects"), json!(["acme.inbox-value"])),
        ("/schemas/types".into(), json!(["AVRO"])),
        ("/subjects?subjectPrefix=acme.inbox".into(), json!(["acme.inbox-value"])),
        ("/subjects/acme.inbox-value/versions/latest".into(), described.clone()),
        (format!("/subjects/acme.inbox-value/versions/{version}"), described),
        ("/subjects/acme.inbox-value/versions/latest/schema".into(), serde_json::from_str(text).unwrap()),
        ("/config".into(), json!({"compatibilityLevel": "BACKWARD_TRANSITIVE"})),
        ("/config/acme.inbox-value?defaultToGlobal=true".into(), json!({"compatibilityLevel": "BACKWARD_TRANSITIVE"})),
        ("/mode".into(), json!({"mode": "READONLY"})),
    ] {
        assert_eq!(get_json(&format!("{at}{path}")).await, (200, expected), "{path}");
    }
    let (_, all) = get_json(&format!("{at}/subjects")).await;
    assert_eq!(all.as_array().unwrap().len(), Subject::ALL.len());
    let (_, versions) = get_json(&format!("{at}/subjects/acme.inbox-value/versions")).await;
    assert_eq!(versions[0], 1);
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_the_codes_of_the_registry() {
    let (at, ..) = server().await;
    for (path, status, code, message) in [
        ("/schemas/ids/9999", 404, 40403, "Schema 9999 not found"),
        ("/schemas/ids/1?subject=acme.control-value", 404, 40403, "Schema 1 not found"),
        ("/schemas/ids/abc", 404, 404, "HTTP 404 Not Found"),
        ("/subjects/inbox-value/versions", 404, 40401, "Subject 'inbox-value' not found."),
        ("/subjects/acme.inbox/versions/latest", 404, 40401, "Subject 'acme.inbox' not found."),
        ("/subjects/acme.inbox-value/versions/99", 404, 40402, "Version 99 not found."),
        ("/config/acme.inbox-value", 404, 40408, "Subject 'acme.inbox-value' does not have subject-level"),
        ("/no/such/path", 404, 404, "HTTP 404 Not Found"),
        ("/subjects/acme.inbox-value/versions/0", 422, 42202, "The specified version '0' is not a valid version id."),
        ("/subjects/acme.inbox-value/versions/new", 422, 42202, "The specified version 'new'"),
    ] {
        let (found, body) = get_json(&format!("{at}{path}")).await;
        assert_eq!((found, &body["error_code"]), (status, &json!(code)), "{path}");
        assert!(body["message"].as_str().unwrap().starts_with(message), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_schema_is_found_by_what_it_says_and_none_is_registered() {
    let (at, ..) = server().await;
    let control = schema::latest(Subject::Control).unwrap();
    let mut respelled: Value = serde_json::from_str(control.text).unwrap();
    respelled["doc"] = json!("Other words.");
    let known = json!({"schema": respelled.to_string()});
    let unknown = json!({"schema": "{\"type\": \"record\", \"name\": \"Other\", \"fields\": []}"});
    let subject = format!("{at}/subjects/acme.control-value");

    let (status, found) = post(&subject, &known).await;
    assert_eq!((status, &found["id"], &found["version"]), (200, &json!(control.line.id), &json!(control.line.version)));
    assert_eq!(found["schema"], control.text);
    let (status, refused) = post(&subject, &unknown).await;
    assert_eq!((status, &refused["error_code"]), (404, &json!(40403)));
    let (status, refused) = post(&subject, &json!({"schema": "{\"type\": \"nonsense\"}"})).await;
    assert_eq!((status, &refused["error_code"]), (422, &json!(42201)));
    let (status, refused) = post(&format!("{at}/subjects/other-value"), &known).await;
    assert_eq!((status, &refused["error_code"]), (404, &json!(40401)));

    let versions = format!("{subject}/versions");
    assert_eq!(post(&versions, &known).await, (200, json!({"id": control.line.id})));
    let (status, refused) = post(&versions, &unknown).await;
    assert_eq!((status, &refused["error_code"]), (422, &json!(42205)));
    assert!(refused["message"].as_str().unwrap().contains("read-only"), "{refused}");
    let response = reqwest::Client::new().delete(&subject).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["error_code"], 42205);
}

#[tokio::test]
async fn a_confluent_client_reads_it() {
    let (at, ..) = server().await;
    let settings = SrSettings::new(at);
    for schema in schema::all() {
        let fetched = get_schema_by_id(schema.line.id, &settings).await.unwrap();
        assert_eq!(fetched.schema, schema.text);
        let topic = format!("{PREFIX}{}", schema.line.subject.topic());
        let strategy = SubjectNameStrategy::TopicNameStrategy(topic, false);
        let latest = get_schema_by_subject(&settings, &strategy).await.unwrap();
        assert_eq!(latest.id, schema::latest(schema.line.subject).unwrap().line.id);
    }
}

#[tokio::test]
async fn health_and_metrics_are_told() {
    let (at, readiness, draining) = server().await;
    let part = readiness.part("load");
    part.waiting("ClickHouse does not answer");
    assert_eq!(get(&format!("{at}/livez")).await.0, 200);
    let (status, kind, body) = get(&format!("{at}/readyz")).await;
    assert_eq!((status, kind.as_str()), (503, "application/json"));
    assert!(body.contains("ClickHouse does not answer"), "{body}");
    part.ready();
    assert_eq!(get(&format!("{at}/readyz")).await.0, 200);
    draining.cancel();
    assert_eq!(get(&format!("{at}/readyz")).await.0, 503);
    let (status, kind, body) = get(&format!("{at}/metrics")).await;
    assert!(
        status == 200 && kind.starts_with("text/plain") && body.contains("throughline_test_total 0"),
        "{kind} {body}"
    );
}

/// The address of each alert's runbook, as the rules have it, is a page with its section.
#[tokio::test]
async fn every_alert_has_its_runbook() {
    let (at, ..) = server().await;
    let rules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus/rules");
    let texts = std::fs::read_dir(rules).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        let links = text.split("/runbooks/").skip(1);
        names.extend(links.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()));
    }
    assert!(names.len() > 10, "{names:?}");
    let (_, _, contents) = get(&format!("{at}/runbooks")).await;
    for name in names {
        let (status, kind, page) = get(&format!("{at}/runbooks/{name}")).await;
        assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"), "{name}");
        assert!(page.contains("<strong>It means</strong>"), "{name}: {page}");
        assert!(contents.contains(&format!("href=\"/runbooks/{name}\"")), "{name} is not in the contents");
    }
    let (status, _, said) = get(&format!("{at}/runbooks/lead-time")).await;
    assert_eq!(status, 404);
    assert!(said.contains("lead-time-regressed"), "{said}");
}
