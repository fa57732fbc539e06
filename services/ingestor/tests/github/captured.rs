//! Every body under `$THROUGHLINE_TEST_DATA/github`, read in place: real deliveries, which are not part of the project.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ingestor::providers::Reading;
use ingestor::providers::github::KINDS;
use serde_json::Value;

use crate::read;

/// Kinds of the files in folders that are not named after one: file name up to the first dot, kind.
const FLAT: &[(&str, &str)] = &[
    ("branch_create", "create"),
    ("branch_delete", "delete"),
    ("check_run", "check_run"),
    ("comment", "issue_comment"),
    ("deployment", "deployment"),
    ("deployment_commit", "deployment"),
    ("merge_group_checks_requested", "merge_group"),
    ("merge_group_destroyed", "merge_group"),
    ("pipeline_hook", "workflow_run"),
    ("pr_closed", "pull_request"),
    ("pr_edited", "pull_request"),
    ("pr_labeled", "pull_request"),
    ("pr_opened", "pull_request"),
    ("pr_ready_for_review", "pull_request"),
    ("pr_reopened", "pull_request"),
    ("pr_review_edited", "pull_request_review"),
    ("pr_review_submitted", "pull_request_review"),
    ("pr_sync", "pull_request"),
    ("pr_unlabeled", "pull_request"),
    ("push", "push"),
    ("push_branch_create", "push"),
    ("push_branch_delete", "push"),
    ("push_tag", "push"),
    ("push_tag_delete", "push"),
    ("release_created", "release"),
    ("release_deleted", "release"),
    ("release_edited", "release"),
    ("release_prereleased", "release"),
    ("release_published", "release"),
    ("release_released", "release"),
    ("release_unpublished", "release"),
    ("status", "status"),
    ("tag_create", "create"),
    ("tag_delete", "delete"),
];

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
    let Some(root) = std::env::var_os("THROUGHLINE_TEST_DATA").filter(|root| !root.is_empty()) else {
        // Past the capture of the test harness, which would hide it.
        let skipped = "SKIPPED: set THROUGHLINE_TEST_DATA to read the captured deliveries of GitHub";
        writeln!(std::io::stderr(), "{skipped}").unwrap();
        return;
    };
    let root = PathBuf::from(root).join("github");
    let (mut read_count, mut ignored, mut wrong) = (0, BTreeMap::<String, u32>::new(), Vec::new());
    for path in bodies(&root) {
        let body: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let kind = kind(&path, &body);
        let reading = read(&kind, &body);
        let handled = KINDS.iter().any(|known| known.name == kind);
        match reading {
            Ok(Reading::Events(events)) if !events.is_empty() => read_count += 1,
            Ok(Reading::Ignored(reason)) if !handled || ACCEPTED.contains(&reason.as_str()) => {
                *ignored.entry(reason).or_default() += 1;
            }
            other => wrong.push(format!("{} as {kind}: {other:?}", path.display())),
        }
    }
    println!("{read_count} bodies read; ignored: {ignored:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read_count >= 100, "only {read_count} bodies found under {}", root.display());
}

/// Every JSON file but the headers that lie beside some bodies.
fn bodies(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            found.extend(bodies(&path));
        } else if name.ends_with(".json") && !name.ends_with(".headers.json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The folder is named after the kind, but for those of [`FLAT`] and two of other names.
fn kind(path: &Path, body: &Value) -> String {
    let folder = path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
    let file = path.file_name().unwrap().to_string_lossy();
    let file = file.split('.').next().unwrap();
    match folder.as_str() {
        "go-scm" => {
            let known = FLAT.iter().find(|(name, _)| *name == file);
            known.unwrap_or_else(|| panic!("{}: which kind is it?", path.display())).1.to_owned()
        }
        "issue" => "issues".to_owned(),
        // All that happened to a branch, told apart by shape.
        "branch" if body.get("commits").is_some() => "push".to_owned(),
        "branch" if body.get("master_branch").is_some() => "create".to_owned(),
        "branch" => "delete".to_owned(),
        _ => folder,
    }
}
