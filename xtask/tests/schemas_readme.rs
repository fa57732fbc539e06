//! What `schemas/README.md` says is so.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use ingestor::providers::import::check_line;
use model::schema::{self, Subject};
use serde_json::Value;
use stream::topics::{self, Cleanup, Retention};

const README: &str = include_str!("../../schemas/README.md");

#[test]
fn every_topic_stands_in_the_table_with_its_schema_and_how_long_it_is_kept() {
    let (topics_only, _) = README.split_once("\n## On the wire\n").unwrap();
    let rows: Vec<&str> = topics_only.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), topics::all().count(), "{rows:#?}");
    for (topic, row) in topics::all().zip(rows) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let schema = match Subject::of_topic(topic.name) {
            Some(_) => format!("[{0}](avro/{0}.avsc)", topic.name),
            None => "–".to_owned(),
        };
        let days = |millis: i64| format!("{} days", millis / 86_400_000);
        let kept = match (topic.cleanup, topic.retention) {
            (Cleanup::Compact, _) => "the last of each key".to_owned(),
            (Cleanup::CompactAndDelete, Retention::Default(millis)) => {
                format!("{}, the last of each key", days(millis))
            }
            (_, Retention::Forever) => "for good".to_owned(),
            (_, Retention::Default(millis)) => days(millis),
        };
        let name = format!("`{}`", topic.name);
        assert_eq!((cells[0], cells[3], cells[4]), (name.as_str(), schema.as_str(), kept.as_str()), "{row}");
    }
}

#[test]
fn the_lines_to_import_can_be_imported() {
    let lines: Vec<&str> = README.lines().filter(|line| line.starts_with("{\"occurred_at\"")).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert!(check_line(line.as_bytes()).is_ok(), "{line}: {}", check_line(line.as_bytes()).unwrap_err());
    }
}

/// Every key that a record and what it holds may have: `components.markers.kind`.
fn keys(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    match schema {
        Value::Array(union) => union.iter().for_each(|of| keys(of, path, found)),
        Value::Object(of) if of.get("type") == Some(&"record".into()) => {
            for field in of["fields"].as_array().unwrap() {
                let name = field["name"].as_str().unwrap();
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                keys(&field["type"], &path, found);
                found.insert(path);
            }
        }
        Value::Object(of) if of.contains_key("items") => keys(&of["items"], path, found),
        _ => {}
    }
}

#[test]
fn every_key_of_the_catalog_is_explained_and_shown() {
    let schema: Value = serde_json::from_str(schema::latest(Subject::Control).unwrap().text).unwrap();
    let body = schema["fields"].as_array().unwrap().iter().find(|field| field["name"] == "body").unwrap();
    let catalog = body["type"].as_array().unwrap().iter().find(|of| of["name"] == "Catalog").unwrap();
    let mut known = BTreeSet::new();
    keys(catalog, "", &mut known);
    let (_, section) = README.split_once("\n## Catalog\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(key, _)| key.to_owned()).collect::<BTreeSet<_>>(), known);

    let (_, example) = section.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let table: toml::Table = toml::from_str(&format!("revision = 12\n{example}")).unwrap();
    let line = serde_json::json!({"occurred_at": 1_714_521_600_000_i64, "body": {"Catalog": table}}).to_string();
    check_line(line.as_bytes()).unwrap();
    for key in known {
        let name = key.rsplit('.').next().unwrap();
        assert!(
            example.contains(&format!("{name} = ")) || example.contains(&format!("[[{name}]]")),
            "{key} is not shown"
        );
    }
}

#[test]
fn the_names_that_tell_a_tier_are_listed() {
    let text = README.replace('\n', " ");
    for (tier, names) in correlation::TIER_NAMES {
        for name in names {
            assert!(text.contains(&format!("`{name}`")), "{name} of {tier:?}");
        }
    }
}
