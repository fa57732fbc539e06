//! `throughline catalog unmapped`: what has arrived and maps to nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use correlation::{Gap, Unmapped};
use serde_json::json;

use super::table::table;
use super::{last, say, survey};
use crate::cli::CatalogUnmapped;

pub fn run(file: Option<&Path>, arguments: &CatalogUnmapped) -> anyhow::Result<ExitCode> {
    let CatalogUnmapped { days, realm, json } = arguments;
    let (since, _) = last(*days);
    let unmapped = survey(file, realm)?.unmapped(since);
    say(&if *json {
        json!({"realm": realm, "days": days, "unmapped": unmapped}).to_string()
    } else {
        shown(&unmapped, *days)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A table for each gap, and below it the lines that would close it.
fn shown(unmapped: &[Unmapped], days: u32) -> String {
    if unmapped.is_empty() {
        return format!("Everything that came in {days} days maps to something.");
    }
    let mut text =
        format!("What came in {days} days and maps to nothing; below each table the lines that would map it.\n");
    let mut gaps: Vec<Gap> = unmapped.iter().map(|line| line.gap).collect();
    gaps.dedup();
    for gap in gaps {
        let of_gap: Vec<&Unmapped> = unmapped.iter().filter(|line| line.gap == gap).collect();
        let row = |line: &&Unmapped| vec![line.name.clone(), line.seen.count.to_string(), line.seen.last.to_string()];
        let rows: Vec<Vec<String>> = of_gap.iter().map(row).collect();
        // Nothing fails when it is written to a text.
        let _ = write!(text, "\n{gap}\n{}", table(&["NAME", "COUNT", "LAST"], &rows));
        let mut lines: Vec<&str> = Vec::new();
        for line in of_gap {
            // What no line of a catalog mends is said once.
            if !lines.contains(&line.toml.as_str()) {
                lines.push(&line.toml);
            }
        }
        for line in lines {
            let _ = write!(text, "\n    {}", line.replace('\n', "\n    "));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn each_gap_has_its_table_and_its_lines() {
        let line = |gap, name: &str, toml: &str| Unmapped {
            gap,
            name: name.to_owned(),
            seen: correlation::Tally { count: 3, last: Timestamp(1_714_521_600_000) },
            toml: toml.to_owned(),
        };
        let unmapped = [
            line(Gap::Environment, "blue", "[[environments]]\nenvironment = \"blue\""),
            line(Gap::Run, "ci", "# no line does"),
            line(Gap::Run, "cd", "# no line does"),
        ];
        let text = shown(&unmapped, 30);
        assert!(text.contains("  NAME  COUNT  LAST\n  blue  3      2024-05-01T00:00:00.000Z\n"), "{text}");
        assert!(text.contains("\n    [[environments]]\n    environment = \"blue\"\n"), "{text}");
        assert_eq!(text.matches("# no line does").count(), 1, "{text}");
        assert!(shown(&[], 7).contains("7 days"));
    }
}
