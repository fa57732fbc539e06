//! How well a sustained shift is found: real histories of durations, shifts planted into them, and orders in which there is none.
//!
//! [`Track::read_all`] reads the histories; [`trials`] plants shifts at random releases and looks when a [`Rule`] finds them;
//! [`orders`] counts what a rule finds where nothing is; [`measured`] does both for all of them, and [`curve`] draws the picture.

pub mod curve;
mod histories;
pub mod measured;
pub mod orders;
mod rules;
pub mod trials;

pub use histories::{Measure, Part, Track};
pub use rules::{Alarm, Rule};

/// Halves of the tracks: rules are chosen on one and reported on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Rules were chosen on it.
    Chosen,
    /// Nothing was chosen on it.
    HeldOut,
}
