//! The inbox, read: each delivery becomes events, is ignored with a reason, or becomes a dead letter with a reason.
//!
//! The role is stateless and exactly once: what a delivery comes to is written in the transaction that consumes it, and counted
//! when that is committed. What a delivery comes to depends on the delivery alone; [`normalise`] is a function.

mod adapters;
mod metrics;
mod outcome;
mod processor;

use serde::Deserialize;
use stream::KafkaConfig;
use stream::topics::INBOX;
use stream::worker::{Worker, WorkerConfig, WorkerError};
use tokio_util::sync::CancellationToken;

pub use adapters::{Adapters, adapters};
pub(crate) use metrics::End;
pub use metrics::Metrics;
pub use outcome::{Outcome, inspect, normalise};
pub(crate) use processor::read;
pub use processor::{NormaliseError, Normaliser};

/// The consumer group, below the installation's prefix.
pub(crate) const GROUP: &str = "normalise";

/// Configuration of normalise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NormaliseConfig {
    /// Name of this instance: the same after a restart, and another than that of every other instance.
    pub instance: String,
}

impl Default for NormaliseConfig {
    fn default() -> Self {
        Self { instance: "0".to_owned() }
    }
}

/// Starts an instance on a thread of its own; it ends at `shutdown`, after the transaction at hand.
///
/// # Errors
/// Where the configuration cannot work.
pub fn start(
    config: &NormaliseConfig,
    kafka: &KafkaConfig,
    normaliser: Normaliser,
    metrics: &stream::Metrics,
    shutdown: CancellationToken,
) -> Result<Worker, WorkerError> {
    let id = kafka.group_name(&format!("normalise-{}", config.instance));
    let worker = WorkerConfig::stateless(kafka.group_name(GROUP), id, &[&INBOX]);
    Worker::spawn(kafka, worker, normaliser, metrics, shutdown)
}

/// Runs an instance until `shutdown`.
///
/// # Errors
/// Where it cannot go on; a restart begins from what is committed.
pub async fn run(
    config: &NormaliseConfig,
    kafka: &KafkaConfig,
    normaliser: Normaliser,
    metrics: &stream::Metrics,
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    start(config, kafka, normaliser, metrics, shutdown)?.join().await
}
