//! Runs many cases, on every core, and shrinks what is found.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::{Play, check, played};
use crate::history::{self, History};

/// Cases that are drawn from one seed, so that what is run does not depend on the number of cores.
const BLOCK: u64 = 100;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Cases that were run.
    pub cases: u64,
    /// Events that were played in them.
    pub events: u64,
    /// What was found; the run ends with the first, on each core.
    pub found: Vec<Found>,
}

/// A case that shows a difference, as small as it could be made.
#[derive(Debug)]
pub struct Found {
    pub history: History,
    pub play: Play,
    /// What differs.
    pub difference: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.history.telling)?;
        for step in &self.history.steps {
            writeln!(f, "{step:?}")?;
        }
        writeln!(f, "{:?}\n", self.play)?;
        for event in history::events(&self.history) {
            writeln!(f, "{} at {}: {:?}", event.delivery, event.occurred_at, event.body)?;
        }
        write!(f, "\n{}", self.difference)
    }
}

/// Runs cases drawn from a seed. `progress` hears how many are done.
pub fn run(cases: u64, seed: u64, progress: &(impl Fn(u64) + Sync)) -> Tally {
    let (next, done, events) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let found = Mutex::new(Vec::new());
    let is_over = || found.lock().map_or(true, |found| !found.is_empty());
    let work = || {
        while !is_over() {
            let block = next.fetch_add(1, Ordering::Relaxed);
            let left = cases.saturating_sub(block.saturating_mul(BLOCK)).min(BLOCK);
            if left == 0 {
                return;
            }
            let differs = run_block(seed, block, left, &|played| {
                events.fetch_add(played, Ordering::Relaxed);
                done.fetch_add(1, Ordering::Relaxed);
            });
            if let (Some(differs), Ok(mut found)) = (differs, found.lock()) {
                found.push(differs);
            }
            progress(done.load(Ordering::Relaxed));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    Tally { cases: done.into_inner(), events: events.into_inner(), found: found.into_inner().unwrap_or_default() }
}

fn run_block(seed: u64, block: u64, cases: u64, passed: &impl Fn(u64)) -> Option<Found> {
    let config = Config {
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&block.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&played(), |(history, play)| {
        let events = check(&history, play).map_err(TestCaseError::fail)?;
        passed(u64::try_from(events).unwrap_or_default());
        Ok(())
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(reason, (history, play))) => {
            Some(Found { difference: reason.message().to_owned(), history, play })
        }
        // Nothing is rejected, so there is nothing to give up for.
        Err(TestError::Abort(_)) => None,
    }
}
