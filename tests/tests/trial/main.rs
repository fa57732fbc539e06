//! `throughline try`: a repository by itself, without any server.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod gitlab;
#[path = "../../../services/backfill/tests/gitlab/history.rs"]
mod gitlab_api;
#[path = "../../../services/backfill/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::git::Project;
use end_to_end::installation;
use serde_json::Value;

/// What it says of a repository.
fn tried(from: &Path, arguments: &[&str]) -> String {
    let binary = installation::build().unwrap();
    let output = Command::new(binary).arg("try").arg(from).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ("GIT_AUTHOR_DATE", "2024-05-01T09:00:00Z"),
        ("GIT_COMMITTER_DATE", "2024-05-01T10:00:00Z"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ] {
        command.env(name, value);
    }
    let output = command.output().expect("git is wanted");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository of two releases, the second of two commits.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"]);
    for (commit, tag) in [("one", Some("v1")), ("two", None), ("three", Some("v2")), ("four", None)] {
        std::fs::write(folder.path().join("file"), commit).unwrap();
        git(folder.path(), &["add", "file"]);
        git(folder.path(), &["commit", "-q", "-m", commit]);
        if let Some(tag) = tag {
            git(folder.path(), &["tag", "-a", "-m", tag, tag]);
        }
    }
    folder
}

fn releases(said: &str) -> BTreeMap<String, Value> {
    let json: Value = serde_json::from_str(said).unwrap();
    let releases = json["report"]["releases"].as_array().unwrap();
    releases.iter().map(|release| (release["version"].as_str().unwrap().to_owned(), release.clone())).collect()
}

#[test]
fn a_repository_shows_its_releases_and_what_is_not_seen_yet() {
    let folder = repository();
    let said = tried(folder.path(), &[]);
    for part in ["The last 2 of 2 releases", "v2", "1 h", "Not seen yet", "PagerDuty", "throughline sources"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let releases = releases(&tried(folder.path(), &["--json"]));
    let figures = |tag: &str| (releases[tag]["commits"].as_i64(), releases[tag]["lead_time"].as_i64());
    assert_eq!((figures("v1"), figures("v2")), ((Some(1), Some(3_600_000)), (Some(2), Some(3_600_000))));

    let none = tried(folder.path(), &["--tags", "release-*"]);
    assert!(none.contains("None of the tags is like `release-*`"), "{none}");
}

#[test]
fn a_shallow_clone_is_called_one() {
    let (folder, clones) = (repository(), tempfile::tempdir().unwrap());
    let from = format!("file://{}", folder.path().display());
    git(clones.path(), &["clone", "-q", "--depth", "2", "--branch", "main", &from, "clone"]);
    let said = tried(&clones.path().join("clone"), &[]);
    assert!(said.contains("where a shallow clone ends"), "{said}");
}

#[test]
fn what_is_no_repository_is_refused_with_a_reason() {
    let (binary, folder) = (installation::build().unwrap(), tempfile::tempdir().unwrap());
    let output = Command::new(binary).arg("try").arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&*folder.path().to_string_lossy()), "{said}");
}

/// Commits of each release, their lower median lead time and the longest one.
fn truth(project: &Project) -> BTreeMap<String, (i64, i64, i64)> {
    let mut leads = BTreeMap::<String, Vec<i64>>::new();
    for release in project.truth.values() {
        leads.entry(release.tag.clone()).or_default().push(release.lead_time.0);
    }
    let figures = |mut leads: Vec<i64>| {
        leads.sort_unstable();
        (i64::try_from(leads.len()).unwrap(), leads[(leads.len() - 1) / 2], leads[leads.len() - 1])
    };
    leads.into_iter().map(|(tag, leads)| (tag, figures(leads))).collect()
}

#[test]
fn real_projects_have_the_figures_that_git_gives() {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA").filter(|data| !data.is_empty()) else {
        let skipped = "SKIPPED: set THROUGHLINE_TEST_DATA to try the repositories of real projects";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{skipped}\n")).unwrap();
        return;
    };
    let histories = PathBuf::from(data).join("histories");
    for (name, tags) in [("ripgrep", "*"), ("tokio", "tokio-[0-9]*")] {
        let clone = tempfile::tempdir().unwrap();
        let bundle = histories.join("git-repos").join(format!("{name}.bundle"));
        git(clone.path(), &["clone", "-q", &bundle.to_string_lossy(), name]);
        let releases = releases(&tried(&clone.path().join(name), &["--tags", tags, "--json"]));
        let truth = truth(&Project::read(&histories.join("git"), name).unwrap());
        assert!(truth.len() > 100, "{name}: only {} releases", truth.len());
        for (tag, figures) in truth {
            let found = &releases[&tag];
            let number = |column: &str| found[column].as_i64().unwrap();
            assert_eq!((number("commits"), number("lead_time"), number("lead_time_longest")), figures, "{name} {tag}");
            assert_eq!(found["commits_complete"], true, "{name} {tag}");
        }
    }
}
