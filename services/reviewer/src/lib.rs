//! What releases show about the way they went: computed from the tables, for reviews and alerts.
//!
//! | module | for |
//! |---|---|
//! | [`shift`] | whether something takes longer than it used to, for good, and which segment caused it; pure |
//! | [`failures`] | whether more releases fail than used to; pure |
//! | [`layer`] | whose a cause is to change; pure |
//! | [`gauges`] | both, and medians, of every component at `/metrics` |
//!
//! What is pure does no I/O and reads no clock: it is the same for everybody who has the same rows.

mod config;
pub mod failures;
pub mod gauges;
mod internal_events;
pub mod layer;
pub mod shift;

pub use config::{ConfigError, ReviewConfig};
