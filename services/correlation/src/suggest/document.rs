//! A suggestion as the text of a catalog: what tells so stands behind every line.

use std::fmt;

use super::{Entry, Kind, Line, Preview, Suggestion, day};

/// As a file `catalog.toml`, whose every line that says something ends with what tells so.
impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Suggested from what arrived in {} days. Behind each line stands what it follows from; above an",
            self.days
        )?;
        writeln!(f, "# entry, which releases it makes. Working hours and holidays are not guessed: see `calendars`.")?;
        for kind in [Kind::Team, Kind::Component, Kind::Environment, Kind::Gate] {
            for entry in self.entries.iter().filter(|entry| entry.kind == kind) {
                write!(f, "\n{entry}")?;
            }
        }
        if !self.left.is_empty() {
            writeln!(f, "\n# What came and has no place here:")?;
            for left in &self.left {
                writeln!(f, "# - {}", one_line(left))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(preview) = &self.preview {
            writeln!(f, "# {preview}")?;
        }
        let by_line = |line: &Line| line.preview.clone().filter(|preview| Some(preview) != self.preview.as_ref());
        for (line, preview) in self.lines.iter().filter_map(|line| Some((line, by_line(line)?))) {
            writeln!(f, "# By `{}` alone: {preview}", line.key)?;
        }
        for note in &self.notes {
            writeln!(f, "# {}", one_line(note))?;
        }
        writeln!(f, "[[{}]]", self.kind.key())?;
        for line in &self.lines {
            write!(f, "{} = {}", line.key, line.value)?;
            match line.evidence.is_empty() {
                true => writeln!(f)?,
                false => writeln!(f, "  # {}", one_line(&line.evidence))?,
            }
        }
        Ok(())
    }
}

/// In one line.
impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { releases, by_it, .. } = self;
        match (releases, by_it) {
            (0, _) => write!(f, "No release is there that would not be without it")?,
            (_, 0) => write!(f, "{releases} releases, the same without it")?,
            (_, by_it) if by_it == releases => write!(f, "{releases} releases by it")?,
            _ => write!(f, "{releases} releases, {by_it} of them by it")?,
        }
        for (component, count) in &self.instead_of {
            write!(f, ", instead of {count} of {}", one_line(component.as_str()))?;
        }
        for (at, release) in self.newest.iter().enumerate() {
            let lead = if at == 0 { "; the newest: " } else { ", " };
            let version: String = one_line(release.version.as_str()).chars().take(12).collect();
            write!(f, "{lead}{version} on {} ({} commits)", day(release.at), release.commits)?;
        }
        Ok(())
    }
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
