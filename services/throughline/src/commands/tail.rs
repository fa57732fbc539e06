//! `throughline tail`: events as they are read, one line each.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use model::codec;
use model::event::{Body, Event};
use model::schema::Subject;
use serde_json::Value;
use stream::{Record, scan, tail, topics};

use super::{now, without_nulls};
use crate::cli::Tail;
use crate::config::{Config, sections};

/// What is worth a word in a line, in this order. Everything else is in the JSON.
const TOLD: [&str; 20] = [
    "name",
    "title",
    "change",
    "run",
    "task",
    "deployment",
    "incident",
    "service",
    "environment",
    "version",
    "action",
    "phase",
    "outcome",
    "decision",
    "state",
    "severity",
    "ref_name",
    "commit",
    "after",
    "repository",
];
/// A commit in a line.
const ABBREVIATION: usize = 10;

pub fn run(file: Option<&Path>, arguments: &Tail) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let kind = arguments.kind.as_deref().map(kind).transpose()?;
    let since = now().0.saturating_sub(arguments.since.0);
    let mut out = io::stdout().lock();
    let mut failed = None;
    let mut show = |record: Record| match line(&record, arguments, kind) {
        Ok(None) => ControlFlow::Continue(()),
        // That nobody reads it any more ends it.
        Ok(Some(line)) => match writeln!(out, "{line}") {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        },
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    };
    if arguments.no_follow {
        for topic in topics::EVENTS {
            scan::read_since(&config.kafka, topic, since, &mut show)?;
        }
    } else {
        let follow = |record: Option<Record>| record.map_or(ControlFlow::Continue(()), &mut show);
        tail::follow(&config.kafka, &topics::EVENTS, since, follow)?;
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// The name of a kind of event, in any letter case and with or without hyphens.
fn kind(name: &str) -> anyhow::Result<&'static str> {
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    match Body::KINDS.iter().find(|kind| plain(kind) == plain(name)) {
        Some(kind) => Ok(kind),
        None => bail!("`{name}` is no kind of event; there are {}", Body::KINDS.join(", ")),
    }
}

/// The line of a record; none where it is not asked for.
fn line(record: &Record, arguments: &Tail, kind: Option<&str>) -> anyhow::Result<Option<String>> {
    let place = || format!("{} partition {}, offset {}", record.topic, record.partition, record.offset);
    let Some(payload) = &record.payload else { return Ok(None) };
    let Some(subject) = Subject::of_topic(record.topic.name) else { return Ok(None) };
    let event = codec::decode_event(subject, payload).with_context(|| format!("{} cannot be read", place()))?;
    let asked = arguments.source.as_deref().is_none_or(|source| source == event.source.as_str())
        && kind.is_none_or(|kind| kind == event.body.kind());
    if !asked {
        return Ok(None);
    }
    let mut json = serde_json::to_value(&event)?;
    without_nulls(&mut json);
    Ok(Some(if arguments.json { json.to_string() } else { words(&event, &json) }))
}

/// `2026-05-20T12:00:00Z github Deployment environment=production phase=finished …`, and the page at the provider.
fn words(event: &Event<Body>, json: &Value) -> String {
    let kind = event.body.kind();
    let body = &json["body"][kind];
    let told = TOLD.iter().filter_map(|name| Some(format!("{name}={}", word(body.get(name)?)?)));
    let at = event.occurred_at.to_string();
    let seconds = at.split('.').next().unwrap_or(&at);
    let mut line = format!("{seconds}Z {:<12} {kind:<14} {}", event.source, told.collect::<Vec<_>>().join(" "));
    if let Some(link) = &event.link {
        line.push(' ');
        line.push_str(link);
    }
    line
}

/// A value in a line: commits abbreviated, texts of several words quoted; none for lists and records.
fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    let is_commit = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    Some(if is_commit {
        text[..ABBREVIATION].to_owned()
    } else if text.contains(char::is_whitespace) {
        Value::String(text).to_string()
    } else {
        text
    })
}

#[cfg(test)]
mod tests {
    use model::event::{Deployment, DeploymentAction, Phase};
    use model::{CommitId, DeploymentId, Environment, Timestamp};

    use super::*;

    #[test]
    fn a_line_says_what_happened_to_what() {
        let deployment = Deployment {
            commit: CommitId::given(&"ab".repeat(20)),
            service: Some("the shop".to_owned()),
            ..Deployment::new(
                DeploymentId::new("h/1"),
                Environment::new("production"),
                DeploymentAction::Deploy,
                Phase::Running,
            )
        };
        let event = Event {
            realm: "default".into(),
            source: "github".into(),
            provider: "github".to_owned(),
            delivery: "1".to_owned(),
            index: 0,
            adapter: 1,
            occurred_at: Timestamp(1_700_000_000_123),
            received_at: Timestamp(0),
            link: Some("https://example.org/1".to_owned()),
            body: deployment.into(),
        };
        let mut json = serde_json::to_value(&event).unwrap();
        without_nulls(&mut json);
        assert_eq!(
            words(&event, &json),
            "2023-11-14T22:13:20Z github       Deployment     deployment=h/1 service=\"the shop\" environment=production \
             action=deploy phase=running commit=ababababab https://example.org/1"
        );
    }

    #[test]
    fn a_kind_is_known_however_it_is_written() {
        for name in ["PipelineRun", "pipeline-run", "pipeline_run", "pipelinerun"] {
            assert_eq!(kind(name).unwrap(), "PipelineRun");
        }
        assert!(kind("run").unwrap_err().to_string().contains("PipelineRun"));
    }
}
