//! Puts a history into the inbox while it is read.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use backfill::{Checkpoint, Cursor, Delivery, Progress, Sink};
use ingestor::receive::Inbox;
use model::{Realm, Source};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::state::State;
use crate::commands::inbox::{self, Sending};

/// Deliveries read ahead of the inbox.
const READ_AHEAD: usize = 256;
/// Time between two looks at how far it is.
const KEEP_EVERY: Duration = Duration::from_secs(2);

/// How a history ended.
#[derive(Debug)]
pub struct Taken {
    /// Deliveries that Kafka has, by the name of their event.
    pub deliveries: BTreeMap<String, u64>,
    /// Ended by Ctrl-C.
    pub interrupted: bool,
    /// Why it was read no further.
    pub failed: Option<anyhow::Error>,
}

/// Points from which the next start could go on, the latest last, each until Kafka has what came before it.
pub struct Checkpoints<P>(Mutex<VecDeque<Checkpoint<P>>>);

impl<P> Default for Checkpoints<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P> Checkpoints<P> {
    pub fn push(&self, checkpoint: Checkpoint<P>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(checkpoint);
    }

    /// The latest of those that need no more than so many deliveries.
    fn reached(&self, delivered: u64) -> Option<Cursor<P>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.iter().take_while(|checkpoint| checkpoint.delivered <= delivered).count();
        all.drain(..count).next_back().map(|checkpoint| checkpoint.cursor)
    }
}

/// Reads a history and puts it into the inbox, until it ends, fails, or somebody presses Ctrl-C; what is in the inbox by then is kept
/// in the state.
pub async fn take<P, F>(
    inbox: Inbox,
    place: &(Source, Realm),
    state: &State,
    checkpoints: &Checkpoints<P>,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
    read: impl FnOnce(Sink) -> F,
) -> anyhow::Result<Taken>
where
    P: Serialize,
    F: Future<Output = anyhow::Result<()>>,
{
    let (sender, mut deliveries) = mpsc::channel(READ_AHEAD);
    let mut taking = Taking { sending: Sending::new(inbox), place, taken: 0, by_event: BTreeMap::new() };
    let mut reading = pin!(read(Sink { deliveries: sender, progress }));
    let mut stop = pin!(tokio::signal::ctrl_c());
    let mut keep = interval(KEEP_EVERY);
    keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        tokio::select! {
            biased;
            stopped = &mut stop => {
                stopped.context("Ctrl-C cannot be waited for")?;
                break None;
            }
            Some(delivery) = deliveries.recv() => taking.send(delivery).await?,
            _ = keep.tick() => taking.keep(state, checkpoints).await?,
            read = &mut reading => break Some(read),
        }
    };
    if ended.is_some() {
        while let Ok(delivery) = deliveries.try_recv() {
            taking.send(delivery).await?;
        }
    }
    taking.keep(state, checkpoints).await?;
    let interrupted = ended.is_none();
    Ok(Taken { deliveries: taking.by_event, interrupted, failed: ended.and_then(Result::err) })
}

struct Taking<'a> {
    sending: Sending,
    place: &'a (Source, Realm),
    taken: u64,
    by_event: BTreeMap<String, u64>,
}

impl Taking<'_> {
    async fn send(&mut self, delivery: Delivery) -> anyhow::Result<()> {
        self.taken += 1;
        *self.by_event.entry(delivery.event.clone().unwrap_or_default()).or_default() += 1;
        self.sending.send(inbox::delivery(&self.place.0, &self.place.1, delivery)).await.map(drop)
    }

    /// Nothing is kept as read before Kafka has it.
    async fn keep<P: Serialize>(&mut self, state: &State, checkpoints: &Checkpoints<P>) -> anyhow::Result<()> {
        self.sending.settle().await?;
        checkpoints.reached(self.taken).map_or(Ok(()), |cursor| state.save(&cursor))
    }
}

#[cfg(test)]
mod tests {
    use backfill::github::Part;

    use super::*;

    #[test]
    fn nothing_is_reached_before_what_came_before_it_is_there() {
        let checkpoints = Checkpoints::<Part>::default();
        for delivered in [1, 3, 3, 7] {
            checkpoints.push(Checkpoint { cursor: Cursor::default(), delivered });
        }
        assert_eq!(checkpoints.reached(0), None);
        assert_eq!(checkpoints.reached(5), Some(Cursor::default()));
        assert_eq!(checkpoints.reached(6), None);
        assert_eq!(checkpoints.reached(7), Some(Cursor::default()));
    }
}
