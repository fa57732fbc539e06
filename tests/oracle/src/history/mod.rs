//! Made-up histories that could be real: a few moves of a team, each of which is told by several events.
//!
//! A move is small and its numbers are taken modulo what there is, so a history stays believable when moves are taken out of it.
//! That is what shrinking does, and why a counter-example can be read: it is a list of moves.

mod catalogs;
mod deliveries;
mod gates;
mod incidents;
mod moves;
mod runs;
mod sources;
mod story;

use model::event::{Body, Event};

pub use moves::{History, Move, Step, Telling, history};

/// The events of a history, by the time at which they happened to be told.
#[must_use]
pub fn events(history: &History) -> Vec<Event<Body>> {
    let mut story = story::Story::new(history.telling);
    for step in &history.steps {
        story.take(step);
    }
    story.finish()
}
