//! Adapters: one file or folder for each provider, each turning the bytes of a delivery into events of the model.
//!
//! An adapter is a pure function of the delivery. It keeps references as the provider gave them, guesses nothing, and names what
//! the provider left out. When an adapter is mended its version grows, and a replay of the inbox replaces what the old one said.

pub mod cdevents;
pub mod github;
pub mod import;

use model::Timestamp;
use model::event::Body;
use model::inbox::InboxRecord;

use crate::people::People;

/// Reads the deliveries of one provider.
pub trait Provider: Send + Sync {
    /// Name in the configuration and in the events: `github`.
    fn name(&self) -> &'static str;

    /// Version of the adapter, from 1; grows whenever it would read an old delivery differently.
    fn version(&self) -> i32;

    /// What the delivery tells.
    ///
    /// # Errors
    /// Where it cannot be read; it goes to the dead letters with that reason.
    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable>;
}

/// What a delivery tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// These observations, in the order in which the delivery gives them.
    Events(Vec<Observed>),
    /// Nothing that bears on delivery, and why: `issues.opened: bears on no delivery`. One of a small set for each provider, since it
    /// is a label of a metric.
    Ignored(String),
    /// A batch of which some elements can be read and some cannot: the events count, and the whole delivery goes to the dead
    /// letters as well, so that nothing is lost. When it is read again, the events are the same observations.
    Mixed {
        /// What the good elements tell, in their order.
        events: Vec<Observed>,
        /// Why the others cannot be read, each by its place in the batch.
        unreadable: String,
    },
}

/// One observation before it gets its envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// When it happened, by the provider's clock.
    pub occurred_at: Timestamp,
    /// Page at the provider that shows it.
    pub link: Option<String>,
    /// What it tells.
    pub body: Body,
}

/// Why a delivery cannot be read: what was wrong, with which value.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or JSON of another shape.
    #[error("the body does not have the shape of `{what}`")]
    Shape {
        /// What it should have been.
        what: String,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
    /// A value that has no meaning.
    #[error("{0}")]
    Value(String),
}
