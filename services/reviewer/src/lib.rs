//! What a release shows about the way it went: computed from rows, for reviews and alerts.
//!
//! The crate does no I/O and reads no clock.

pub mod shift;
