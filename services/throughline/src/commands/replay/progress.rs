//! How a replay of the inbox is getting on.

use ingestor::replay::Progress as Step;

use crate::commands::progress::{Line, Visible};

/// Shows how far a replay is.
pub struct Progress {
    line: Line,
}

impl Progress {
    pub fn new() -> Self {
        Self { line: Line::new(Visible::InLogToo) }
    }

    pub fn show(&mut self, step: Step) {
        if self.line.is_due() {
            self.line.show(&match step {
                Step::Reading(bodies) => format!("reading the inbox: {bodies} deliveries"),
                Step::Comparing(events) => format!("comparing: {events} events"),
                Step::Writing(events) => format!("writing: {events} events"),
            });
        }
    }

    /// Takes the line away.
    pub fn finish(&mut self) {
        self.line.clear();
    }
}
