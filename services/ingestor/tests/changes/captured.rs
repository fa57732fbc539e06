//! Every body under `$THROUGHLINE_TEST_DATA/incident/{jira,servicenow}`, read in place: real ones, which are not part of the project.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ingestor::providers::Reading;
use serde_json::Value;

use crate::read;

/// What lies there and is no body of a webhook: objects of the API other than issues and records, and one made up by its testers.
/// What ends in an asterisk stands for all that begin so.
const NO_WEBHOOKS: &[&str] = &[
    "jira/ocean/project-*",
    "jira/ocean/sprint-*",
    "jira/ocean/test_*",
    "jira/ocean/user-*",
    "jira/zulip/example_anomalous_payload.json",
];

/// Why the others are ignored.
const ACCEPTED: &[&str] = &[
    "issue data: an issue that is neither an incident nor a change request",
    "jira:issue_created: an issue that is neither an incident nor a change request",
    "jira:issue_updated: an issue that is neither an incident nor a change request",
    "jira:issue_deleted: an issue that is neither an incident nor a change request",
    "jira:issue_unknown: bears on no delivery",
    "comment_created: bears on no delivery",
    "comment_updated: bears on no delivery",
    "comment_deleted: bears on no delivery",
    "another table: neither a change request, nor an approval, nor an incident",
];

/// Every body with its name; `None`, said loudly, where there are none to be had.
fn bodies() -> Option<Vec<(String, Value)>> {
    let Some(root) = std::env::var_os("THROUGHLINE_TEST_DATA").filter(|root| !root.is_empty()) else {
        // Past the capture of the test harness, which would hide it.
        let skipped = "SKIPPED: set THROUGHLINE_TEST_DATA to read the captured bodies of Jira and ServiceNow";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{skipped}\n")).unwrap();
        return None;
    };
    let root = PathBuf::from(root).join("incident");
    let mut bodies = Vec::new();
    for folder in ["jira", "servicenow"] {
        collect(&root, &root.join(folder), &mut bodies);
    }
    assert!(bodies.len() >= 90, "only {} bodies found under {}", bodies.len(), root.display());
    Some(bodies)
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, Value)>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            collect(root, &path, found);
        } else if name.ends_with(".json") {
            found.push((name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        } else if name.contains("_issues") {
            found.extend(table(&path).into_iter().enumerate().map(|(row, body)| (format!("{name}:{row}"), body)));
        }
    }
}

/// The column `data` of a table of answers of the API.
fn table(path: &Path) -> Vec<Value> {
    let file = std::fs::File::open(path).unwrap();
    let packed = path.extension().is_some_and(|end| end == "gz");
    let text: Box<dyn std::io::Read> =
        if packed { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
    let mut rows = csv::Reader::from_reader(text.take(1 << 30));
    let rows = rows.deserialize::<BTreeMap<String, String>>();
    rows.map(|row| serde_json::from_str(&row.unwrap()["data"]).unwrap()).collect()
}

fn is_no_webhook(name: &str) -> bool {
    NO_WEBHOOKS.iter().any(|listed| match listed.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *listed,
    })
}

#[test]
fn every_captured_body_is_read_or_ignored_and_what_is_none_is_a_dead_letter() {
    let Some(bodies) = bodies() else { return };
    let (mut read_of, mut ignored, mut dead, mut wrong) = (0, BTreeMap::<String, u32>::new(), 0, Vec::new());
    for (name, body) in bodies {
        let provider = name.split('/').next().unwrap();
        match read(provider, &body) {
            Ok(Reading::Events(events)) if !events.is_empty() => read_of += 1,
            Ok(Reading::Ignored(reason)) if ACCEPTED.contains(&reason.as_str()) => {
                *ignored.entry(reason).or_default() += 1;
            }
            Err(_) if is_no_webhook(&name) => dead += 1,
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    println!("{read_of} bodies read, {dead} are no webhooks; ignored: {ignored:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The captured issues are no incidents; as incidents, the times of theirs that ended must be those of the API.
#[test]
fn every_captured_issue_has_its_times() {
    let Some(bodies) = bodies() else { return };
    let mut ended = 0;
    for (name, mut body) in bodies.into_iter().filter(|(name, _)| name.contains("_raw_jira_api_issues")) {
        body["fields"]["issuetype"]["name"] = "Incident".into();
        let time = |field: &str| {
            let text = body["fields"][field].as_str()?;
            Some(model::Timestamp::parse_rfc3339(text).unwrap_or_else(|error| panic!("{name}: {error}")))
        };
        let told = crate::events("jira", &body);
        let detected = told.iter().find_map(|event| match &event.body {
            model::event::Body::Incident(model::event::IncidentBody::IncidentDetected(b)) => b.detected_at,
            _ => None,
        });
        assert_eq!(detected, time("created"), "{name}");
        let resolved = told.iter().find_map(|event| match &event.body {
            model::event::Body::Incident(model::event::IncidentBody::IncidentResolved(b)) => b.resolved_at,
            _ => None,
        });
        let done = body["fields"]["status"]["statusCategory"]["key"] == "done";
        assert_eq!(resolved, time("resolutiondate").filter(|_| done), "{name}");
        ended += u32::from(resolved.is_some());
    }
    assert!(ended >= 20, "only {ended} of the issues ended");
}
