//! From the topics of facts to the tables in ClickHouse.
//!
//! ```text
//! facts.* ──► gather ──► decode ──► insert, then delete ──► publish the watermark ──► commit the offsets
//! ```
//!
//! Nothing is lost: offsets are committed once the rows are in the tables. Nothing counts twice: what is loaded again has the
//! same identity and revision. While ClickHouse is away the rows at hand are tried again for ever, reading pauses, and
//! the loader is not ready.
//!
//! There are no dead letters here. Facts come from our own correlator: one that cannot be read was written by a newer version,
//! or is a bug; the loader stops and says which.

mod config;
mod internal_events;
mod load;
mod retry;
mod run;

pub use config::{ConfigError, LoaderConfig};
pub use load::DecodeError;
pub use run::{Error, Loader};
