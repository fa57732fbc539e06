//! What `schemas/README.md` says is so.
#![allow(clippy::unwrap_used, reason = "tests")]

use ingestor::providers::import::check_line;
use model::schema::Subject;
use stream::topics::{self, Cleanup, Retention};

const README: &str = include_str!("../../schemas/README.md");

#[test]
fn every_topic_stands_in_the_table_with_its_schema_and_how_long_it_is_kept() {
    let rows: Vec<&str> = README.lines().filter(|line| line.starts_with("| `")).collect();
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
