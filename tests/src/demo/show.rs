//! Shows what came out, for people.

use anyhow::{Context, Result};
use model::Millis;
use serde::Deserialize;

use crate::installation::Installation;

/// Width of a bar.
const WIDTH: i64 = 32;

/// Segments in the order of the way, with the letter that stands for each in a bar.
const SEGMENTS: [(&str, char); 10] = [
    ("coding", 'c'),
    ("review", 'r'),
    ("batch_wait", 'w'),
    ("merge_to_build", 'm'),
    ("queue", 'q'),
    ("build_and_test", 'b'),
    ("gate_wait", 'G'),
    ("hand_off", 'h'),
    ("deploy", 'd'),
    ("unaccounted", '.'),
];

/// Questions to go on with.
pub const QUERIES: [(&str, &str); 3] = [
    (
        "Which gate cost each team most in the last 90 days?",
        "SELECT team, name, environment, count() AS met, round(sum(wait) / 3600000) AS hours
FROM gate_waits JOIN components USING (realm, component)
WHERE at > now() - INTERVAL 90 DAY GROUP BY team, name, environment ORDER BY hours DESC",
    ),
    (
        "Where does the time go, by component, in hours of the median release?",
        "SELECT component, count() AS releases, round(median(lead_time) / 3600000, 1) AS lead_time,
       round(median(coding) / 3600000, 1) AS coding, round(median(review) / 3600000, 1) AS review,
       round(median(queue) / 3600000, 1) AS queue, round(median(gate_wait) / 3600000, 1) AS gate_wait
FROM releases WHERE kind = 'regular' GROUP BY component ORDER BY lead_time DESC",
    ),
    (
        "Which builds failed and passed on the same commit when run again?",
        "SELECT component, pipeline, countIf(outcome != 'success') AS failed, uniqExact(commit) AS commits
FROM builds WHERE commit IN (SELECT commit FROM builds WHERE attempt > 1 AND outcome = 'success')
GROUP BY component, pipeline ORDER BY failed DESC",
    ),
];

#[derive(Debug, Deserialize)]
struct Release {
    component: String,
    version: String,
    at: String,
    kind: String,
    commits: i32,
    lead_time: Option<i64>,
    segments: Vec<Option<i64>>,
}

#[derive(Debug, Deserialize)]
struct Gate {
    component: String,
    name: String,
    met: i64,
    open: i64,
    bypassed: i64,
    median: Option<i64>,
    longest: Option<i64>,
}

/// The last releases of each component with where their time went, and the gates.
///
/// # Errors
/// Where ClickHouse cannot be asked.
pub async fn show(installation: &Installation) -> Result<String> {
    let columns: Vec<&str> = SEGMENTS.iter().map(|(name, _)| *name).collect();
    let releases: Vec<Release> = rows(
        installation,
        &format!(
            "SELECT component, substring(version, 1, 7) AS version, formatDateTime(at, '%F %R') AS at, kind, commits, lead_time, \
             [{}] AS segments FROM releases WHERE production_at IS NOT NULL \
             ORDER BY component, releases.at DESC LIMIT 3 BY component",
            columns.join(", ")
        ),
    )
    .await?;
    let gates: Vec<Gate> = rows(
        installation,
        "SELECT component, name, count() AS met, countIf(outcome = 'open') AS open, countIf(outcome = 'bypassed') AS bypassed, \
         toInt64(median(wait)) AS median, max(wait) AS longest FROM gate_waits GROUP BY component, name ORDER BY sum(wait) DESC",
    )
    .await?;
    let mut text = String::from("The last releases, and where their time went:\n\n");
    text.push_str(&format!(
        "  {:<10} {:<7}  {:<16} {:<8} {:>7} {:>12}  {}\n",
        "component", "version", "production", "kind", "commits", "lead time", "of the median commit"
    ));
    for release in &releases {
        text.push_str(&release.line());
    }
    let legend: Vec<String> =
        SEGMENTS.iter().map(|(name, letter)| format!("{letter} {}", name.replace('_', " "))).collect();
    text.push_str(&format!("\n  {}\n  {}\n", legend[..5].join(", "), legend[5..].join(", ")));
    text.push_str("\nGates, by what they cost in all:\n\n");
    text.push_str(&format!(
        "  {:<10} {:<12} {:>4} {:>5} {:>9} {:>14} {:>14}\n",
        "component", "gate", "met", "open", "bypassed", "median wait", "longest wait"
    ));
    for gate in &gates {
        text.push_str(&gate.line());
    }
    Ok(text)
}

impl Release {
    fn line(&self) -> String {
        let lead = self.lead_time.map_or_else(|| "–".to_owned(), |ms| Millis(ms).to_string());
        format!(
            "  {:<10} {:<7}  {:<16} {:<8} {:>7} {:>12}  {}\n",
            self.component,
            self.version,
            self.at,
            self.kind,
            self.commits,
            lead,
            self.bar()
        )
    }

    /// A bar of letters, each segment as wide as its share; a segment that took any time at all gets a letter.
    fn bar(&self) -> String {
        let total: i64 = self.segments.iter().flatten().sum();
        let shares = self.segments.iter().zip(SEGMENTS).filter_map(|(span, (_, letter))| {
            let span = (*span).filter(|span| *span > 0)?;
            let width = (span * WIDTH + total / 2) / total.max(1);
            Some(letter.to_string().repeat(usize::try_from(width.max(1)).unwrap_or(1)))
        });
        shares.collect()
    }
}

impl Gate {
    fn line(&self) -> String {
        let span = |ms: Option<i64>| ms.map_or_else(|| "–".to_owned(), |ms| Millis(ms).to_string());
        format!(
            "  {:<10} {:<12} {:>4} {:>5} {:>9} {:>14} {:>14}\n",
            self.component,
            self.name,
            self.met,
            self.open,
            self.bypassed,
            span(self.median),
            span(self.longest)
        )
    }
}

async fn rows<T: for<'de> Deserialize<'de>>(installation: &Installation, sql: &str) -> Result<Vec<T>> {
    // Integers as JSON numbers: the default quotes those of 64 bits.
    let sql = format!("{sql} SETTINGS output_format_json_quote_64bit_integers = 0 FORMAT JSONEachRow");
    let answer = installation.query(&sql).await?;
    answer
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("an unexpected row: {line}")))
        .collect()
}
