//! How a backfill is getting on.

use std::time::{Duration, Instant};

use backfill::Progress as Step;
use backfill::http::Usage;

use crate::commands::progress::{Line, Visible};

/// Shows what is read, how much of it, and how long it may take.
pub struct Progress {
    line: Line,
    /// What was shown last, and since when that part is read.
    part: String,
    since: Instant,
    /// What had been done of it by then: not in this time, if it was begun by an earlier start.
    from: u64,
    stage: String,
}

impl Progress {
    pub fn new() -> Self {
        let line = Line::new(Visible::InLogToo);
        Self { line, part: String::new(), since: Instant::now(), from: 0, stage: String::new() }
    }

    /// Shows a step. A new stage, such as a wait, is shown at once.
    pub fn show(&mut self, step: &Step, usage: Option<Usage>) {
        let part = step.stage.split(',').next().unwrap_or_default();
        if self.part != part {
            part.clone_into(&mut self.part);
            (self.since, self.from) = (Instant::now(), step.done);
        }
        if self.stage != step.stage || self.line.is_due() {
            self.stage.clone_from(&step.stage);
            self.line.show(&described(step, usage, self.left(step)));
        }
    }

    /// How long the rest of the part may take at the pace so far.
    fn left(&self, step: &Step) -> Option<Duration> {
        let rest = step.total?.checked_sub(step.done).filter(|rest| *rest > 0)?;
        let done = step.done.checked_sub(self.from).filter(|done| *done > 0)?;
        Some(Duration::from_secs(self.since.elapsed().as_secs().saturating_mul(rest) / done))
    }

    /// Takes the line away.
    pub fn finish(&mut self) {
        self.line.clear();
    }
}

/// `pull requests: 120 of 400, about 3 min left, 4312 requests left`.
fn described(step: &Step, usage: Option<Usage>, left: Option<Duration>) -> String {
    let count = match step.total {
        Some(total) => format!("{}: {} of {total}", step.stage, step.done),
        None => format!("{}: {}", step.stage, step.done),
    };
    let time = left.map(|left| format!("about {} left", duration(left)));
    let requests = usage.and_then(|usage| usage.left).map(|left| format!("{left} requests left"));
    [Some(count), time, requests].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `40 s`, `3 min`, `1 h 5 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_what_is_left() {
        let step = |total| Step { stage: "tags".to_owned(), done: 3, total };
        let usage = Some(Usage { left: Some(40), ..Usage::default() });
        let left = Some(Duration::from_secs(3_900));
        assert_eq!(described(&step(Some(9)), usage, left), "tags: 3 of 9, about 1 h 5 min left, 40 requests left");
        assert_eq!(described(&step(None), None, None), "tags: 3");
    }
}
