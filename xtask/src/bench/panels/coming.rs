//! Rows that come in while queries are measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::history::History;

/// Time from one batch to the next, as the loader has it under a steady load.
const BATCH: Duration = Duration::from_secs(1);

/// A history that goes on until it is stopped.
pub struct Coming {
    stopped: Arc<AtomicBool>,
    /// Gives the rows a second.
    task: JoinHandle<Result<u64>>,
}

impl Coming {
    /// Lets so many releases happen in each second.
    pub fn start(history: History, rate: u64, seed: u64) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(go_on(history, rate, fastrand::Rng::with_seed(seed), Arc::clone(&stopped)));
        Self { stopped, task }
    }

    /// Stops; how many rows came in each second.
    pub async fn stop(self) -> Result<u64> {
        self.stopped.store(true, Ordering::Relaxed);
        self.task.await.context("what lets rows come in has ended")?
    }
}

async fn go_on(mut history: History, rate: u64, mut rng: fastrand::Rng, stopped: Arc<AtomicBool>) -> Result<u64> {
    let (started, mut rows) = (Instant::now(), 0);
    let mut ticks = tokio::time::interval(BATCH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stopped.load(Ordering::Relaxed) {
        ticks.tick().await;
        rows += history.go_on(rate, &mut rng).await?;
    }
    Ok(rows / started.elapsed().as_secs().max(1))
}
