//! The way into the inbox.

use model::codec::{EncodeError, encode};
use model::inbox::InboxRecord;
use stream::producer::{IngestProducer, SendError};
use stream::topics::{DEAD_LETTERS, INBOX};

/// Puts deliveries into the inbox. Clones share one producer.
#[derive(Clone)]
pub struct Inbox {
    producer: IngestProducer,
}

/// Why a delivery is not in the inbox.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// A defect of ours.
    #[error("the delivery cannot be written as a record")]
    Encode(#[from] EncodeError),
    /// Kafka does not have it, or did not say so in time.
    #[error("the delivery is not in Kafka")]
    Send(#[from] SendError),
}

impl PutError {
    /// Whether another attempt may fare better.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Send(SendError::Overloaded { .. } | SendError::Unavailable { .. } | SendError::Refused { .. })
        )
    }

    pub(super) const fn is_too_large(&self) -> bool {
        matches!(self, Self::Send(SendError::TooLarge { .. }))
    }
}

impl Inbox {
    /// Writes by this producer.
    #[must_use]
    pub const fn new(producer: IngestProducer) -> Self {
        Self { producer }
    }

    /// Puts one delivery in, under the key `source/delivery`. Once this returns `Ok`, all replicas in sync have it.
    ///
    /// # Errors
    /// Where that cannot be said. The delivery may be in the inbox nevertheless; putting it in again does no harm.
    pub async fn put(&self, record: InboxRecord) -> Result<(), PutError> {
        let key = format!("{}/{}", record.source, record.delivery);
        let payload = encode(&record)?;
        // The body is held once while Kafka takes its time, not twice.
        drop(record);
        self.producer.send(&INBOX, key.as_bytes(), &payload, &[]).await?;
        Ok(())
    }

    /// Says that nothing is left to do about the dead letter of a delivery (`source/delivery`): it was put in again.
    ///
    /// # Errors
    /// Where Kafka does not have it.
    pub async fn done(&self, delivery: &str) -> Result<(), PutError> {
        self.producer.forget(&DEAD_LETTERS, delivery.as_bytes()).await?;
        Ok(())
    }

    /// Whether Kafka was reached a moment ago.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.producer.is_available()
    }
}
