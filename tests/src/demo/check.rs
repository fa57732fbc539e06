//! Holds the tables in ClickHouse against what must come out.

use std::collections::BTreeSet;
use std::fmt::Display;

use anyhow::Result;
use serde::Serialize;

use super::Expected;
use crate::installation::Installation;

/// What was compared and what differed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Rows that must be there.
    pub rows: usize,
    /// Rows that are not there (`-`), and rows that must not be (`+`).
    pub differences: Vec<String>,
}

/// Compares every release, gate, deployment and build.
///
/// # Errors
/// Where ClickHouse cannot be asked.
pub async fn check(installation: &Installation, expected: &Expected) -> Result<Checked> {
    let tables = [
        (RELEASES, releases(expected)?),
        (GATES, gates(expected)?),
        (DEPLOYMENTS, deployments(expected)),
        (BUILDS, builds(expected)),
    ];
    let mut checked = Checked::default();
    for (sql, wanted) in tables {
        let answer = installation.query(sql).await?;
        let told: BTreeSet<String> = answer.lines().map(str::to_owned).collect();
        checked.rows += wanted.len();
        checked.differences.extend(told.difference(&wanted).map(|line| format!("+ {line}")));
        checked.differences.extend(wanted.difference(&told).map(|line| format!("- {line}")));
    }
    Ok(checked)
}

const RELEASES: &str = "SELECT component, version, kind, toUnixTimestamp64Milli(production_at), commits, lead_time, lead_time_longest \
    FROM releases WHERE production_at IS NOT NULL";
const GATES: &str = "SELECT component, gate, toUnixTimestamp64Milli(requested_at), toUnixTimestamp64Milli(decided_at), outcome, wait \
    FROM gate_waits";
const DEPLOYMENTS: &str = "SELECT component, environment, deployment, commit, toUnixTimestamp64Milli(finished_at), \
    if(finished_at IS NULL, NULL, outcome = 'success') FROM deployments";
const BUILDS: &str = "SELECT run, attempt, pipeline, toUnixTimestamp64Milli(finished_at), \
    if(finished_at IS NULL, NULL, outcome = 'success') FROM builds";

fn releases(expected: &Expected) -> Result<BTreeSet<String>> {
    let line = |r: &super::ExpectedRelease| {
        let kind = word(&r.kind)?;
        Ok(row(&[
            &r.component,
            &r.version,
            &kind,
            &r.production_at.0,
            &r.commits.len(),
            &millis(r.lead_time),
            &millis(r.lead_time_longest),
        ]))
    };
    expected.releases.iter().map(line).collect()
}

fn gates(expected: &Expected) -> Result<BTreeSet<String>> {
    let line = |g: &super::ExpectedGate| {
        let outcome = word(&g.outcome)?;
        Ok(row(&[&g.component, &g.gate, &g.requested_at.0, &time(g.decided_at), &outcome, &millis(g.wait)]))
    };
    expected.gates.iter().map(line).collect()
}

fn deployments(expected: &Expected) -> BTreeSet<String> {
    let line = |d: &super::ExpectedDeployment| {
        row(&[&d.component, &d.environment, &d.deployment, &d.commit, &time(d.finished_at), &flag(d.success)])
    };
    expected.deployments.iter().map(line).collect()
}

fn builds(expected: &Expected) -> BTreeSet<String> {
    let line =
        |b: &super::ExpectedBuild| row(&[&b.run, &b.attempt, &b.pipeline, &time(b.finished_at), &flag(b.success)]);
    expected.builds.iter().map(line).collect()
}

/// A row as ClickHouse writes it in tab-separated form.
fn row(cells: &[&dyn Display]) -> String {
    cells.iter().map(|cell| cell.to_string()).collect::<Vec<_>>().join("\t")
}

fn null_or(cell: Option<impl Display>) -> String {
    cell.map_or_else(|| "\\N".to_owned(), |cell| cell.to_string())
}

fn millis(span: Option<model::Millis>) -> String {
    null_or(span.map(|span| span.0))
}

fn time(at: Option<model::Timestamp>) -> String {
    null_or(at.map(|at| at.0))
}

fn flag(flag: Option<bool>) -> String {
    null_or(flag.map(u8::from))
}

/// The word for a value in events and tables.
fn word(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_value(value)?.as_str().unwrap_or_default().to_owned())
}
