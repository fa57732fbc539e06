//! Every example that GitHub's client library publishes (npm package `@octokit/webhooks-examples`).
//!
//! The package is fetched once, as `tests/fixtures/octokit/package-lock.json` pins it, into the cache outside of the project.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use ingestor::providers::Reading;
use ingestor::providers::github::EVENTS;
use serde::Deserialize;
use serde_json::Value;

use crate::{read, shown::shown};

const PACKAGE: &str = include_str!("../../../../tests/fixtures/octokit/package.json");
const PACKAGE_LOCK: &str = include_str!("../../../../tests/fixtures/octokit/package-lock.json");

/// One kind in the package's `index.json`.
#[derive(Deserialize)]
struct Examples {
    name: String,
    examples: Vec<Value>,
}

/// The folder of the package, installed if it is not there.
fn package() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("THROUGHLINE_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("throughline")))
        .or_else(|| Some(variable("HOME")?.join(".cache/throughline")))
        .expect("one of THROUGHLINE_CACHE, XDG_CACHE_HOME and HOME must be set");
    let lock: Value = serde_json::from_str(PACKAGE_LOCK).unwrap();
    let version = lock["packages"]["node_modules/@octokit/webhooks-examples"]["version"].as_str().unwrap();
    let home = cache.join(format!("octokit-examples-{version}"));
    std::fs::create_dir_all(&cache).unwrap();
    let guard = File::create(cache.join("octokit-examples.lock")).unwrap();
    guard.lock().unwrap();
    if !home.is_dir() {
        install(&cache, &home);
    }
    home.join("node_modules/@octokit/webhooks-examples")
}

/// Installs beside `home` and renames, so that a folder of that name is whole.
fn install(cache: &Path, home: &Path) {
    let partial = tempfile::Builder::new().prefix("octokit-examples.partial-").tempdir_in(cache).unwrap();
    std::fs::write(partial.path().join("package.json"), PACKAGE).unwrap();
    std::fs::write(partial.path().join("package-lock.json"), PACKAGE_LOCK).unwrap();
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(partial.path())
        .output()
        .expect("npm fetches GitHub's examples: install it (Debian and Ubuntu `apt-get install npm`)");
    assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(partial.path(), home).unwrap();
}

fn examples(version: &str) -> Vec<Examples> {
    let path = package().join(version).join("index.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn each_kind_that_is_read_is_read_right() {
    let mut seen = BTreeSet::new();
    for Examples { name, examples } in examples("api.github.com") {
        if !EVENTS.iter().any(|kind| kind.event == name) {
            continue;
        }
        let mut text = String::new();
        for (i, body) in examples.iter().enumerate() {
            let action = body["action"].as_str().unwrap_or("-");
            write!(text, "{i} {action}\n{}", shown(&read(&name, body), body)).unwrap();
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, description => format!("Examples of {name}") }, {
            insta::assert_snapshot!(name.as_str(), text);
        });
        seen.insert(name);
    }
    let missing: Vec<_> = EVENTS.iter().map(|kind| kind.event).filter(|kind| !seen.contains(*kind)).collect();
    assert_eq!(missing, ["deployment_protection_rule"], "kinds of which the package has no example");
}

#[test]
fn every_other_kind_is_ignored_by_name() {
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for Examples { name, examples } in examples("api.github.com") {
        if EVENTS.iter().any(|kind| kind.event == name) {
            continue;
        }
        for body in &examples {
            match read(&name, body) {
                Ok(Reading::Ignored(reason)) => *reasons.entry(reason).or_default() += 1,
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    let text: String = reasons.iter().map(|(reason, times)| format!("{times:>3} {reason}\n")).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!("ignored", text) });
}

#[test]
fn enterprise_server_is_read_too() {
    for version in ["ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"] {
        for Examples { name, examples } in examples(version) {
            for body in &examples {
                read(&name, body).unwrap_or_else(|error| panic!("{version} {name}: {error:?}"));
            }
        }
    }
}
