//! Catalogs: their text, the one in force, and a file that is followed while the process runs.

mod follow;
mod metrics;
mod newest;
mod text;

pub use follow::follow;
pub use newest::{Known, newest};
pub use text::CatalogText;
