//! Reads the history that a provider still has and gives it as deliveries, for the same adapters that read its webhooks.
//!
//! A history and the webhooks of the same things observe the same entities under the same ids, so that either may come first, and
//! both may come: the rows are the same. Nothing here knows Kafka; whoever asks for a history takes the deliveries from a channel.

pub mod git;
pub mod github;
pub mod gitlab;
pub mod http;
pub mod pagerduty;
mod reading;

use std::sync::Arc;

use tokio::sync::mpsc;

pub use reading::{BackfillError, Checkpoint, Cursor, Part};

/// A piece of history in the form of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Provider whose adapter reads it: `github`.
    pub provider: &'static str,
    /// Name of the event, as the provider's header gives it.
    pub event: Option<String>,
    /// Its own name: the same for the same piece of history in the same state, whenever it is asked for.
    pub id: String,
    /// JSON.
    pub body: Vec<u8>,
}

/// How far a history has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read: `pull requests`.
    pub stage: String,
    /// How many of them were read.
    pub done: u64,
    /// How many there are, where the provider tells.
    pub total: Option<u64>,
}

/// Where a history goes. A full channel holds the reader back; one that is closed ends it.
#[derive(Clone)]
pub struct Sink {
    /// Takes the deliveries.
    pub deliveries: mpsc::Sender<Delivery>,
    /// Is told how far it is, at least at the begin and the end of every stage.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}
