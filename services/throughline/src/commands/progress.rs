//! How a command is getting on: a line on standard error that is written over.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two looks at the progress, on a terminal and in a log.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(10);

/// A line that tells how far it is: written over on a terminal, added now and then to a log.
pub struct Line {
    is_terminal: bool,
    wanted: bool,
    state: Mutex<State>,
}

struct State {
    shown: Instant,
    /// Whether a line stands on the terminal now.
    standing: bool,
}

impl Line {
    /// Shows nothing unless it is `wanted`.
    pub fn new(wanted: bool) -> Self {
        let state = Mutex::new(State { shown: Instant::now(), standing: false });
        Self { is_terminal: io::stderr().is_terminal(), wanted, state }
    }

    /// Shows how far it is, unless that was done a moment ago.
    pub fn show(&self, text: impl FnOnce() -> String) {
        let interval = if self.is_terminal { ON_TERMINAL } else { IN_LOG };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.wanted || state.shown.elapsed() < interval {
            return;
        }
        state.shown = Instant::now();
        // Progress that cannot be shown is not worth failing for.
        let _ = if self.is_terminal {
            state.standing = true;
            write!(io::stderr(), "\r\x1b[K{}", text())
        } else {
            writeln!(io::stderr(), "{}", text())
        };
    }

    /// Takes the line away, for another text to be written.
    pub fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.standing) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
