//! How an import is getting on.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Time between two looks at the progress.
const INTERVAL: Duration = Duration::from_millis(200);

/// Counts, and a line on the terminal that shows them.
pub struct Progress {
    counts: Summary,
    started: Instant,
    shown: Instant,
    visible: bool,
    /// Whether a line stands on the terminal now.
    standing: bool,
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
        let now = Instant::now();
        let visible = wanted && io::stderr().is_terminal();
        Self { counts: Summary::default(), started: now, shown: now, visible, standing: false }
    }

    /// Lines were read.
    pub fn read(&mut self, good: usize, bad: usize, blank: u64) {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.counts.lines += count(good) + count(bad) + blank;
        self.counts.bad += count(bad);
        self.counts.blank += blank;
    }

    /// Kafka has so many more.
    pub fn sent(&mut self, records: u64) {
        self.counts.imported += records;
        if self.visible && self.shown.elapsed() >= INTERVAL {
            self.show();
        }
    }

    /// Shows the counts.
    pub fn show(&mut self) {
        if self.visible {
            self.shown = Instant::now();
            self.standing = true;
            let Summary { imported, lines, bad, .. } = self.counts;
            let rate = self.elapsed().rate();
            // Progress that cannot be shown is not worth failing for.
            let _ = write!(io::stderr(), "\r\x1b[K{imported} of {lines} lines read, {rate}/s, {bad} bad");
        }
    }

    /// Takes the line away, for another text to be written.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.standing) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
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
