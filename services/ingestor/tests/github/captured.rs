//! Every body under `$THROUGHLINE_TEST_DATA/github`, read in place: real deliveries, which are not part of the project.

use std::collections::BTreeMap;

use ingestor::providers::Reading;
use ingestor::providers::github::EVENTS;
use serde_json::Value;

use crate::bodies::{Body, captured_bodies};
use crate::read;

/// Why bodies of kinds that are read may be ignored. Anything else is a mistake of the adapter.
const ACCEPTED: &[&str] = &[
    "create.branch: the push tells it",
    "delete.branch: the push tells it",
    "check_run.completed: the workflow job tells it",
    "check_run.requested_action: tells of no check",
    "check_run.rerequested: the next try will tell",
    "check_suite.completed: the workflow run tells it",
    "check_suite.rerequested: the next try will tell",
    "pull_request.assigned: moves no change",
    "pull_request.unassigned: moves no change",
    "pull_request.locked: moves no change",
    "pull_request.unlocked: moves no change",
    "release.created: a draft",
    "release.created: its publication tells it",
    "release.edited: changes its text",
];

#[test]
fn every_captured_body_is_read_or_ignored_by_name() {
    let Some(bodies) = captured_bodies() else { return };
    let (mut read_count, mut ignored, mut wrong) = (0, BTreeMap::<String, u32>::new(), Vec::new());
    for Body { path, name, event } in bodies {
        let body: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let handled = EVENTS.iter().any(|known| known.event == event);
        match read(&event, &body) {
            Ok(Reading::Events(events)) if !events.is_empty() => read_count += 1,
            Ok(Reading::Ignored(reason)) if !handled || ACCEPTED.contains(&reason.as_str()) => {
                *ignored.entry(reason).or_default() += 1;
            }
            other => wrong.push(format!("{name} as {event}: {other:?}")),
        }
    }
    println!("{read_count} bodies read; ignored: {ignored:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
