//! The report of a trial, for people.

use std::fmt::Write;

use model::fact::{ReleaseKind, SEGMENTS};
use model::{Millis, Timestamp};

use super::report::{Release, Report, Year};
use crate::commands::table::columns;

/// Width of a bar.
const WIDTH: i64 = 32;
/// The letter of each segment in a bar.
const LETTERS: [char; 10] = ['c', 'r', 'w', 'm', 'q', 'b', 'G', 'h', 'd', '.'];
const NONE: &str = "–";

/// The report as text; `shown` releases of it.
pub fn text(report: &Report, shown: usize) -> String {
    let mut text = String::new();
    if report.releases.is_empty() {
        return text;
    }
    let releases = &report.releases[..shown.min(report.releases.len())];
    // Writing to a text cannot fail.
    let _ = write!(text, "The last {} of {} releases\n\n", releases.len(), report.releases.len());
    text.push_str(&indented(&columns(&rows(releases), |column| matches!(column, 3..=5))));
    let legend: Vec<String> =
        SEGMENTS.iter().zip(LETTERS).map(|(name, letter)| format!("{letter} {}", words(name))).collect();
    let _ = write!(text, "\n\n  {}\n  {}\n", legend[..5].join(", "), legend[5..].join(", "));
    text.push_str(&year(&report.year));
    if !report.unseen.is_empty() {
        text.push_str("\nNot seen yet\n\n");
        let rows: Vec<Vec<String>> = report
            .unseen
            .iter()
            .flat_map(|unseen| [[unseen.what, unseen.adds], ["", unseen.source]])
            .map(|row| row.map(str::to_owned).to_vec())
            .collect();
        text.push_str(&indented(&columns(&rows, |_| false)));
        text.push('\n');
    }
    text
}

fn rows(releases: &[Release]) -> Vec<Vec<String>> {
    let head =
        ["version", "released", "kind", "commits", "lead time", "longest", "where the time of the median commit went"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(releases.iter().map(|release| {
        let complete = if release.commits_complete { "" } else { "+" };
        vec![
            release.version.to_string(),
            minutes(release.at),
            kind(release.kind).to_owned(),
            format!("{}{complete}", release.commits),
            span(release.lead_time),
            span(release.lead_time_longest),
            bar(&release.segments),
        ]
    }));
    rows
}

fn year(year: &Year) -> String {
    let Some((from, until)) = year.from.zip(year.until) else { return String::new() };
    let mut text = format!(
        "\n{} to {}: {} releases, {} commits; lead time {} of the median release, {} of the median commit\n\n",
        day(from),
        day(until),
        year.releases,
        year.commits,
        span(year.lead_time),
        span(year.lead_time_of_commits),
    );
    let total: i64 = year.segments.values().map(|span| span.0).sum();
    let mut rows = Vec::new();
    for name in SEGMENTS {
        let Some(Millis(all)) = year.segments.get(name).copied().filter(|span| span.0 > 0) else { continue };
        let mean = Millis(all / i64::try_from(year.releases).unwrap_or(1).max(1));
        let share = (all * 100 + total / 2) / total.max(1);
        let length = usize::try_from((all * WIDTH + total / 2) / total.max(1)).unwrap_or(0);
        rows.push(vec![words(name), format!("{share} %"), mean.to_string(), "█".repeat(length)]);
    }
    if !rows.is_empty() {
        rows.insert(0, ["segment", "share", "a release", ""].map(str::to_owned).to_vec());
        text.push_str(&indented(&columns(&rows, |column| matches!(column, 1 | 2))));
        text.push('\n');
    }
    text
}

/// A bar of letters, each segment as wide as its share; a segment that took any time at all gets a letter.
fn bar(segments: &[Option<Millis>; 10]) -> String {
    let total: i64 = segments.iter().flatten().map(|span| span.0.max(0)).sum();
    let shares = segments.iter().zip(LETTERS).filter_map(|(span, letter)| {
        let Millis(span) = (*span).filter(|span| span.0 > 0)?;
        let width = (span * WIDTH + total / 2) / total.max(1);
        Some(letter.to_string().repeat(usize::try_from(width.max(1)).unwrap_or(1)))
    });
    shares.collect()
}

fn kind(kind: ReleaseKind) -> &'static str {
    match kind {
        ReleaseKind::Baseline => "baseline",
        ReleaseKind::Regular => "regular",
        ReleaseKind::Hotfix => "hotfix",
        ReleaseKind::Configuration => "configuration",
        ReleaseKind::Dependencies => "dependencies",
        ReleaseKind::Rollback => "rollback",
        ReleaseKind::Redeploy => "redeploy",
        ReleaseKind::Unfinished => "unfinished",
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn span(span: Option<Millis>) -> String {
    span.map_or_else(|| NONE.to_owned(), |span| span.to_string())
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn minutes(at: Timestamp) -> String {
    at.to_string().chars().take(16).collect::<String>().replace('T', " ")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_every_segment_that_took_time() {
        let mut segments = [None; 10];
        segments[0] = Some(Millis(1));
        segments[1] = Some(Millis(1_000_000));
        segments[9] = Some(Millis(0));
        assert_eq!(bar(&segments), format!("c{}", "r".repeat(32)));
        assert_eq!(bar(&[None; 10]), "");
    }
}
