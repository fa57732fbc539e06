//! The line on standard error that tells how far a command is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two looks at the progress, on a terminal and in a log.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(10);

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visible {
    Never,
    /// Where somebody looks on.
    OnTerminal,
    /// Also where standard error goes to a file or a pipe.
    InLogToo,
}

/// A line that is written over on a terminal, and added now and then to a log.
pub struct Line {
    /// Time between two lines; none where there are none.
    interval: Option<Duration>,
    is_terminal: bool,
    shown: Instant,
    /// Whether a line stands on the terminal now.
    standing: bool,
}

impl Line {
    pub fn new(visible: Visible) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let interval = match visible {
            Visible::Never => None,
            Visible::OnTerminal | Visible::InLogToo if is_terminal => Some(ON_TERMINAL),
            Visible::OnTerminal => None,
            Visible::InLogToo => Some(IN_LOG),
        };
        Self { interval, is_terminal, shown: Instant::now(), standing: false }
    }

    /// Whether it is time for another look.
    pub fn is_due(&self) -> bool {
        self.interval.is_some_and(|interval| self.shown.elapsed() >= interval)
    }

    /// Shows the text, whether it is due or not.
    pub fn show(&mut self, text: &str) {
        if self.interval.is_none() {
            return;
        }
        self.shown = Instant::now();
        self.standing = self.is_terminal;
        // Progress that cannot be shown is not worth failing for.
        let _ =
            if self.is_terminal { write!(io::stderr(), "\r\x1b[K{text}") } else { writeln!(io::stderr(), "{text}") };
    }

    /// Takes the line away, for another text to be written.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.standing) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
