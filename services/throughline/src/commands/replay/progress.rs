//! How a replay of the inbox is getting on.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use ingestor::replay::Progress as Step;

/// Time between two looks at the progress, on a terminal and in a log.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(10);

/// A line on standard error that tells how far it is: written over on a terminal, added now and then to a log.
pub struct Progress {
    is_terminal: bool,
    shown: Instant,
    /// Whether a line stands on the terminal now.
    standing: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown: Instant::now(), standing: false }
    }

    pub fn show(&mut self, step: Step) {
        let interval = if self.is_terminal { ON_TERMINAL } else { IN_LOG };
        if self.shown.elapsed() < interval {
            return;
        }
        self.shown = Instant::now();
        let line = match step {
            Step::Reading(bodies) => format!("reading the inbox: {bodies} deliveries"),
            Step::Comparing(events) => format!("comparing: {events} events"),
            Step::Writing(events) => format!("writing: {events} events"),
        };
        // Progress that cannot be shown is not worth failing for.
        let _ = if self.is_terminal {
            self.standing = true;
            write!(io::stderr(), "\r\x1b[K{line}")
        } else {
            writeln!(io::stderr(), "{line}")
        };
    }

    /// Takes the line away.
    pub fn finish(&mut self) {
        if std::mem::take(&mut self.standing) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
