//! How an import is getting on.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use crate::commands::progress::{Line, Visible};

/// Counts, and a line on the terminal that shows them.
pub struct Progress {
    counts: Summary,
    started: Instant,
    line: Line,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub files: usize,
    /// Lines that were read, blank ones included.
    pub lines: u64,
    /// Lines that Kafka has.
    pub imported: u64,
    /// Lines that cannot be read as an event.
    pub bad: u64,
    pub blank: u64,
    pub milliseconds: u64,
}

impl Progress {
    /// Starts the clock. Shown only where `wanted` and on a terminal.
    pub fn new(wanted: bool) -> Self {
        let visible = if wanted { Visible::OnTerminal } else { Visible::Never };
        Self { counts: Summary::default(), started: Instant::now(), line: Line::new(visible) }
    }

    /// Lines were read.
    pub fn read(&mut self, good: usize, bad: usize, blank: u64) {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.counts.lines += count(good) + count(bad) + blank;
        self.counts.bad += count(bad);
        self.counts.blank += blank;
    }

    /// Kafka has so many more.
    pub fn sent(&mut self, more: u64) {
        self.counts.imported += more;
        self.show();
    }

    /// Shows the counts.
    pub fn show(&mut self) {
        if self.line.is_due() {
            let summary = self.elapsed();
            let Summary { imported, lines, bad, .. } = summary;
            self.line.show(&format!("{imported} of {lines} lines read, {}/s, {bad} bad", summary.rate()));
        }
    }

    /// Takes the line away, for another text to be written.
    pub fn clear(&mut self) {
        self.line.clear();
    }

    /// Stops the clock.
    pub fn finish(mut self, files: usize) -> Summary {
        self.clear();
        Summary { files, ..self.elapsed() }
    }

    fn elapsed(&self) -> Summary {
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Summary { milliseconds, ..self.counts.clone() }
    }
}

impl Summary {
    /// Lines imported in a second.
    fn rate(&self) -> u64 {
        self.imported.saturating_mul(1000) / self.milliseconds.max(1)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, lines, imported, bad, blank, milliseconds } = self;
        let (rate, files) = (self.rate(), if *files == 1 { "1 file".to_owned() } else { format!("{files} files") });
        write!(
            f,
            "{imported} of {lines} lines of {files} imported in {milliseconds} ms ({rate}/s); {bad} bad, {blank} blank"
        )
    }
}
