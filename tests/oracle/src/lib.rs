//! The oracle: every table of a realm, worked out from the whole set of its events in the slow, obvious way.
//!
//! It is written from the definitions, for reading, and shares nothing with the correlation but the model: no state that is kept up
//! to date, no label. A thing is what all its tellings amount to (`known`); references and lines of deployments are found by search
//! (`world`), what hangs on what is looked up once (`look_ups`); each table is a file of `subjects`. The correlation must come to the same rows from any order of the
//! same events, and [`history`] makes up the events to hold the two against each other with (`play`).
//!
//! A new table is a file in `subjects` and a line in `subjects::ALL`; a new column is filled where its row is made.

mod catalog;
#[cfg(feature = "play")]
pub mod history;
mod incidents;
mod kinds;
mod known;
mod lineage;
mod look_ups;
mod marks;
#[cfg(feature = "play")]
pub mod play;
mod references;
mod subjects;
mod tables;
mod tries;
mod working;
mod world;

use model::Realm;
use model::event::{Body, Event};

pub use tables::Tables;

use known::Known;
use world::World;

/// The tables that follow from these events, whatever their order; those of other realms are left out. Revisions are 0.
#[must_use]
pub fn tables(events: &[Event<Body>], realm: &Realm) -> Tables {
    let events: Vec<&Event<Body>> = events.iter().filter(|event| event.realm == *realm).collect();
    let world = World::of(realm.clone(), Known::of(&events));
    let mut tables = Tables::default();
    tables.extend(subjects::ALL.iter().flat_map(|rows| rows(&world)));
    let rollups = subjects::rollups(&tables);
    tables.extend(rollups);
    let components = subjects::components(&world, &tables);
    tables.extend(components);
    tables
}
