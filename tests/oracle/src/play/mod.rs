//! Plays the events of a history to the correlation the way a stream delivers them, and holds what it leaves in the tables against
//! the oracle.

mod runner;
mod stream;

use model::Realm;
use model::event::{Body, Event};
use proptest::prelude::*;
use proptest::sample::select;

pub use runner::{Found, Tally, run};

use crate::history::{self, History, history};
use crate::{Tables, tables};
use stream::Stream;

/// How events are delivered. The first of each is the plainest.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    pub order: Order,
    pub commits: Commits,
    /// Some events are delivered again.
    pub doubled: bool,
    /// The process dies now and then, before or after a commit.
    pub crashes: bool,
    /// What is left to chance.
    pub seed: u64,
}

/// Which event comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    AsTold,
    /// Some come much later.
    Delayed,
    Reversed,
    Shuffled,
}

/// How many events there are between two commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    Once,
    NowAndThen,
    EachTime,
}

/// A history and how to play it.
pub fn played() -> impl Strategy<Value = (History, Play)> {
    let order = select(vec![Order::AsTold, Order::Delayed, Order::Reversed, Order::Shuffled, Order::Shuffled]);
    let commits = select(vec![Commits::Once, Commits::NowAndThen, Commits::NowAndThen, Commits::EachTime]);
    let crashes = proptest::bool::weighted(0.3);
    let play = (order, commits, any::<bool>(), crashes, any::<u64>().no_shrink())
        .prop_map(|(order, commits, doubled, crashes, seed)| Play { order, commits, doubled, crashes, seed });
    (history(), play)
}

/// Plays a history, and gives the number of its events.
///
/// # Errors
/// Where a row is not what the oracle says: in what was streamed, at some commit on the way or at the end; or in what the
/// correlation derives from everything at once.
pub fn check(history: &History, play: Play) -> Result<usize, String> {
    let events = history::events(history);
    let realm = Realm::new("default");
    let mut chance = fastrand::Rng::with_seed(play.seed);
    let order = order(events.len(), play, &mut chance);
    let batches = batches(&order, play, &mut chance);
    // The tables are right after every commit. To look at one of them besides the last finds what is mended again later.
    let looked_at = chance.usize(0..batches.len().max(1));
    let mut stream = Stream::new(realm.clone());
    let mut seen = Vec::new();
    for (n, batch) in batches.iter().enumerate() {
        let of_batch: Vec<&Event<Body>> = batch.iter().filter_map(|at| events.get(*at)).collect();
        if play.crashes && chance.u8(0..4) == 0 {
            stream.fail(&of_batch)?;
        }
        // What follows from a batch may be too much for one transaction.
        let piece = if chance.bool() { usize::MAX } else { chance.usize(0..6) };
        if play.crashes && chance.u8(0..4) == 0 {
            stream.fail_in_between(&of_batch, piece)?;
        } else {
            stream.take(&of_batch, piece)?;
        }
        if play.crashes && chance.u8(0..4) == 0 {
            stream.crash()?;
        }
        seen.extend(of_batch.into_iter().cloned());
        if n == looked_at && n + 1 < batches.len() {
            agree(&format!("after {} of {} events", seen.len(), order.len()), &stream.tables, &tables(&seen, &realm))?;
        }
    }
    let expected = tables(&events, &realm);
    agree("at the end", &stream.tables, &expected)?;
    agree("derived from everything", &stream.everything(), &expected)?;
    Ok(events.len())
}

fn agree(when: &str, streamed: &Tables, expected: &Tables) -> Result<(), String> {
    let difference = expected.difference(streamed, "the oracle", "the correlation");
    if difference.is_empty() { Ok(()) } else { Err(format!("{when}:\n{difference}")) }
}

/// The places of the events in the order of their delivery.
fn order(events: usize, play: Play, chance: &mut fastrand::Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..events).collect();
    match play.order {
        Order::AsTold => {}
        Order::Reversed => order.reverse(),
        Order::Shuffled => chance.shuffle(&mut order),
        Order::Delayed => {
            let (late, in_time) = order.into_iter().partition(|_| chance.u8(0..4) == 0);
            order = in_time;
            order.extend::<Vec<usize>>(late);
        }
    }
    if play.doubled {
        for _ in 0..events / 4 {
            let (again, place) = (chance.usize(0..events), chance.usize(0..order.len()));
            order.insert(place, again);
        }
    }
    order
}

fn batches(order: &[usize], play: Play, chance: &mut fastrand::Rng) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = vec![Vec::new()];
    for at in order {
        if let Some(last) = batches.last_mut() {
            last.push(*at);
        }
        let ends = match play.commits {
            Commits::Once => false,
            Commits::NowAndThen => chance.u8(0..8) == 0,
            Commits::EachTime => true,
        };
        if ends {
            batches.push(Vec::new());
        }
    }
    batches
}
