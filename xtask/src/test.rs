//! `test [--quick]`: every test there is, or those that need no server.
//!
//! A test that needs a server lives in a test program (a file or folder under a package's `tests/`) that names the crate
//! `local_stack` in one of its files; it asks `SharedStack::ensure` for the servers, so that plain `cargo test` works as well. All
//! other test programs, and all unit tests, need nothing but the machine. That is the whole convention: there is no list to keep.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use local_stack::{SharedStack, Status};
use serde::Deserialize;
use serde_json::json;

use crate::report::Report;

#[derive(Debug, Args)]
pub struct Test {
    /// Only what needs no server.
    #[arg(long)]
    quick: bool,
}

/// What `cargo metadata` says, as far as it is needed.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

/// The names of all test programs.
#[derive(Debug, Default)]
struct Programs {
    with_servers: BTreeSet<String>,
    without: BTreeSet<String>,
}

impl Test {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let report = Report::new(false);
        if std::env::var_os("THROUGHLINE_TEST_DATA").is_none_or(|value| value.is_empty()) {
            report.loud("THROUGHLINE_TEST_DATA is not set: the tests on captured payloads are SKIPPED");
        }
        let started = Instant::now();
        let failed = if self.quick { quick(&report)? } else { full(&report)? };
        let verdict = match failed {
            None => "all tests passed".to_owned(),
            Some(step) => format!("FAILED: {step}"),
        };
        report.show(format!("\n{verdict} ({} s)", started.elapsed().as_secs()));
        report.finish(&json!({
            "test": if self.quick { "quick" } else { "full" },
            "ok": failed.is_none(),
            "failed": failed,
            "seconds": started.elapsed().as_secs(),
        }))?;
        Ok(if failed.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Returns the step that failed.
fn quick(report: &Report) -> anyhow::Result<Option<&'static str>> {
    let programs = programs()?;
    if let Some(name) = programs.with_servers.intersection(&programs.without).next() {
        bail!("two test programs are called `{name}`, and only one needs a server: rename one of them");
    }
    let (left_out, chosen) = (programs.with_servers.len(), programs.without.len());
    report.progress(format!("[1/1] unit tests and {chosen} test programs; {left_out} that need a server are left out"));
    let chosen = programs.without.iter().flat_map(|name| ["--test", name]);
    let arguments = ["--lib", "--bins"].into_iter().chain(chosen);
    Ok(if cargo_test(arguments)? { None } else { Some("tests without servers") })
}

/// Returns the step that failed. Servers that were not up before are down afterwards.
fn full(report: &Report) -> anyhow::Result<Option<&'static str>> {
    report.progress("[1/2] Kafka and ClickHouse");
    let were_up = matches!(SharedStack::status()?, Status::Up(_));
    let stack = SharedStack::ensure(&|line| report.progress(format!("      {line}")))?;
    let at = stack.addresses();
    report.progress(format!("      {} and {}", at.kafka, at.clickhouse));
    report.progress("[2/2] all tests");
    let passed = cargo_test([]);
    if !were_up {
        report.progress("stopping the servers: to keep them up between runs, cargo xtask stack up");
        SharedStack::reset()?;
    }
    Ok(if passed? { None } else { Some("tests") })
}

/// Runs `cargo test` over the workspace to its end, and says whether all passed.
fn cargo_test<'a>(arguments: impl IntoIterator<Item = &'a str>) -> anyhow::Result<bool> {
    let mut command = Command::new(cargo());
    command.args(["test", "--workspace", "--no-fail-fast"]).args(arguments).current_dir(root());
    Ok(command.status().context("cannot run cargo")?.success())
}

fn programs() -> anyhow::Result<Programs> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root());
    let output = command.output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata says something unknown")?;
    let mut programs = Programs::default();
    for target in metadata.packages.into_iter().flat_map(|package| package.targets) {
        if target.kind.iter().any(|kind| kind == "test") {
            let needs_servers = names_servers(&target.src_path)?;
            let names = if needs_servers { &mut programs.with_servers } else { &mut programs.without };
            names.insert(target.name);
        }
    }
    Ok(programs)
}

/// Whether the file or a module that it declares names `local_stack`.
fn names_servers(file: &Path) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if text.contains("local_stack") {
        return Ok(true);
    }
    let folder = file.parent().unwrap_or(file);
    let own = file.file_stem().map(|stem| folder.join(stem));
    for name in text.lines().filter_map(declared_module) {
        let places = [Some(folder), own.as_deref()].into_iter().flatten();
        let files = places.flat_map(|place| [place.join(format!("{name}.rs")), place.join(name).join("mod.rs")]);
        if let Some(module) = files.into_iter().find(|file| file.exists())
            && names_servers(&module)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `name` of the line `mod name;`.
fn declared_module(line: &str) -> Option<&str> {
    let line = line.trim();
    line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
}

/// The cargo that runs this program.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_need_servers_are_told_from_the_others() {
        let programs = programs().unwrap();
        let (with, without) = (&programs.with_servers, &programs.without);
        // By a module of theirs.
        assert!(with.contains("stack") && with.contains("kafka"), "{with:?}");
        assert!(without.contains("schemas"), "{without:?}");
        assert!(with.is_disjoint(without), "{programs:?}");
    }

    #[test]
    fn modules_are_found_in_their_declarations() {
        assert_eq!(declared_module("mod common;"), Some("common"));
        assert_eq!(declared_module("    pub mod common;"), Some("common"));
        assert_eq!(declared_module("mod tests {"), None);
        assert_eq!(declared_module("// mod common;"), None);
    }
}
