//! How a backfill is getting on: a line on the terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use backfill::Progress;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(200);
/// Before that an estimate is none.
const ESTIMATED_AFTER: Duration = Duration::from_secs(2);

/// The line. Threads may show at once.
pub struct Line {
    visible: bool,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    name: String,
    started: Instant,
    shown: Instant,
}

impl Line {
    /// Shown only where `wanted` and on a terminal.
    pub fn new(wanted: bool) -> Self {
        Self { visible: wanted && io::stderr().is_terminal(), stage: Mutex::new(None) }
    }

    /// Shows how far it is, unless it has just been shown.
    pub fn show(&self, at: &Progress) {
        if !self.visible {
            return;
        }
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let elapsed = match &mut *stage {
            Some(stage) if stage.name == at.stage => {
                if now - stage.shown < INTERVAL && at.total != Some(at.done) {
                    return;
                }
                stage.shown = now;
                now - stage.started
            }
            _ => {
                *stage = Some(Stage { name: at.stage.clone(), started: now, shown: now });
                Duration::ZERO
            }
        };
        // Progress that cannot be shown is not worth failing for.
        let _ = write!(io::stderr(), "\r\x1b[K{}", text(at, elapsed));
    }

    /// Takes the line away, for another text to be written.
    pub fn clear(&self) {
        if self.stage.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn text(at: &Progress, elapsed: Duration) -> String {
    let Progress { stage, done, total } = at;
    let Some(total) = total else { return format!("{stage}: {done}") };
    let mut text = format!("{stage}: {done} of {total}");
    if elapsed >= ESTIMATED_AFTER && (1..*total).contains(done) {
        let left = elapsed.as_millis() * u128::from(total - done) / u128::from(*done);
        text.push_str(&match left.div_ceil(1000) {
            seconds @ 0..120 => format!(", about {seconds} s left"),
            seconds => format!(", about {} min left", seconds.div_ceil(60)),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_estimated_from_what_was_done() {
        let at = |done, total| Progress { stage: "commits".to_owned(), done, total };
        let seconds = Duration::from_secs;
        assert_eq!(text(&at(25, Some(100)), seconds(5)), "commits: 25 of 100, about 15 s left");
        assert_eq!(text(&at(1, Some(100)), seconds(5)), "commits: 1 of 100, about 9 min left");
        assert_eq!(text(&at(25, Some(100)), seconds(1)), "commits: 25 of 100");
        assert_eq!(text(&at(100, Some(100)), seconds(5)), "commits: 100 of 100");
        assert_eq!(text(&at(0, Some(100)), seconds(5)), "commits: 0 of 100");
        assert_eq!(text(&at(7, None), seconds(5)), "commits: 7");
    }
}
