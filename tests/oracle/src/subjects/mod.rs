//! The tables, a file each.

mod builds;
mod commits;
mod components;
mod deployments;
mod failures;
mod gates;
mod hollow;
mod incidents;
mod recovery;
mod releases;
mod reviews;
mod rollups;
mod spans;
mod steps;

use model::fact::Fact;

use crate::world::World;

pub use components::rows as components;
pub use deployments::{brought, kind};
pub use rollups::rows as rollups;

/// Every table but the rollups, which sum up others, and `components`, which has a row for whatever the others speak of.
pub const ALL: &[fn(&World) -> Vec<Fact>] =
    &[releases::rows, commits::rows, deployments::rows, gates::rows, builds::rows, incidents::rows, steps::rows];

/// A count as the tables hold it.
fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
