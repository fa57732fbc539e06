//! What Throughline speaks of: events, facts, identities, times, and their Avro form.
//!
//! Three families of records travel through Kafka. A delivery is kept byte for byte as an [`inbox::InboxRecord`]; what it tells
//! becomes [`event::Event`]s, with references *as the provider gave them*; what follows from all events of a realm becomes
//! [`fact::Fact`]s, the rows of the tables. The contract for every other reader is `schemas/avro`: the types here mirror it, and
//! tests hold the two together.
//!
//! The crate does no I/O and reads no clock.

pub mod bytes;
pub mod codec;
pub mod event;
pub mod fact;
pub mod git;
pub mod ids;
pub mod inbox;
pub mod schema;
pub mod time;

pub use bytes::Bytes;
pub use ids::*;
pub use time::{Millis, Timestamp};
