//! What a command says: how it goes on standard error, what came out on standard output, and there as the last line one JSON
//! object for programs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

use std::fmt::Display;
use std::time::Instant;

use serde::Serialize;

/// The voice of one command.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    started: Instant,
    json_only: bool,
}

impl Report {
    /// `json_only` leaves out of standard output what is meant for people.
    pub fn new(json_only: bool) -> Self {
        Self { started: Instant::now(), json_only }
    }

    /// What is being done now, with the seconds since the start.
    pub fn progress(&self, text: impl Display) {
        eprintln!("[{:>4} s] {text}", self.started.elapsed().as_secs());
    }

    /// What must not be overlooked, since it changes what the result means.
    pub fn loud(&self, text: impl Display) {
        eprintln!("\n!!! {text}\n");
    }

    /// A part of the result.
    pub fn show(&self, text: impl Display) {
        if !self.json_only {
            println!("{text}");
        }
    }

    /// The whole result, for programs: one line.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn finish(&self, result: &impl Serialize) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string(result)?);
        Ok(())
    }

    /// Why the command failed, with its causes.
    pub fn error(error: &anyhow::Error) {
        eprintln!("error: {error:#}");
    }
}

/// Lays rows out in columns; columns of numbers are told by `right` and stand at the right.
pub fn columns(rows: &[Vec<String>], right: impl Fn(usize) -> bool) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column).unwrap_or(0);
            if right(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn numbers_stand_at_the_right() {
        let rows = [["Größe", "9"], ["x", "10"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, |column| column == 1), "Größe   9\nx      10");
        assert_eq!(columns(&rows, |_| false), "Größe  9\nx      10");
    }
}
