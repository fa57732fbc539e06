//! Everything that Throughline does with Kafka, and the only crate that names `rdkafka`.
//!
//! It moves bytes: it knows topics, keys, partitions, consumer groups, transactions and the restore of state, and nothing
//! of what the bytes mean.
//!
//! | module | for |
//! |---|---|
//! | [`topics`] | the one table of all topics |
//! | [`admin`] | making the topics, and refusing to start on topics that are not as the table says |
//! | [`config`] | how to reach Kafka |
//! | [`producer`] | what the front door needs: an answer once Kafka has the record, in bounded time and memory |
//! | [`worker`] | read, process, write exactly once, with or without state |
//! | [`reader`] | at-least-once batches for a sink that is idempotent |
//! | [`scan`] | a topic from its start to its end, once |
//! | [`tail`] | topics from some time on, as they grow |
//! | [`append`] | records written from outside of any worker |
//! | [`rewind`] | a consumer group sent back to its beginning, with its state |
//! | [`metrics`] | what an operator sees of all this |
//!
//! Each thing that happens has its log line and its metric in one place, the private module `internal_events`.

pub mod admin;
pub mod append;
mod client;
pub mod config;
mod group;
mod internal_events;
pub mod metrics;
mod outage;
pub mod producer;
pub mod reader;
pub mod record;
pub mod rewind;
pub mod scan;
pub mod tail;
pub mod topics;
mod transaction;
pub mod worker;

pub use config::KafkaConfig;
pub use metrics::Metrics;
pub use record::{Header, Output, Record};
pub use topics::Topic;
