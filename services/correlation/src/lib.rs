//! Correlation: what follows from the events of a realm.
//!
//! The state of a realm is a lattice of entity records (`entity`); an event is joined into it, and what depends on what changed
//! is derived anew (`derive`). What is emitted is the difference to what was emitted before, so that a late event corrects the
//! rows it touches and takes back those that no longer hold.
//!
//! The crate has no clock, no I/O and no concurrency: what it emits is a function of the set of events.

mod calendar;
mod catalog;
pub mod changelog;
mod chunked;
mod derive;
mod emitted;
mod entity;
mod graph;
mod image;
mod lattice;
mod lists;
mod observe;
mod realm;
mod sorted;
mod state;
mod suggest;
mod superseded;
mod survey;
#[cfg(test)]
mod tests;
mod track;
mod units;
mod why;

pub use calendar::{Calendar, CalendarError};
pub use catalog::{ATTRIBUTION_WINDOW, TIER_NAMES, default_component, outranks};
pub use derive::DERIVATION;
pub use realm::{Applied, Delta, Emission, Error, Realm, Sizes};
pub use state::Key;
pub use suggest::{Entry, Kind, Line, Owners, Preview, Suggestion};
pub use superseded::{SUPERSEDED, Superseded};
pub use survey::{Gap, Release, Survey, Tally, Unmapped};
pub use why::{Entity, Stretch, WhyGate, WhyIncident, WhyRelease, told_of};
