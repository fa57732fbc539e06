//! Records on their way to the inbox, thousands at once.

use std::sync::Arc;

use anyhow::Context;
use ingestor::receive::Inbox;
use model::inbox::InboxRecord;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::inbox;

/// Records on their way at once.
const IN_FLIGHT: usize = 8192;
/// Bytes on their way at once: half of what the producer holds, so that it never refuses one.
const BYTES_IN_FLIGHT: usize = 64 * 1024 * 1024;

/// Records on their way.
pub struct Sending {
    inbox: Inbox,
    slots: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Sending {
    pub fn new(inbox: Inbox) -> Self {
        let (slots, bytes) = (Semaphore::new(IN_FLIGHT), Semaphore::new(BYTES_IN_FLIGHT));
        Self { inbox, slots: Arc::new(slots), bytes: Arc::new(bytes), tasks: JoinSet::new() }
    }

    /// Sends a record as soon as there is room; how many of those before Kafka has by now that were not told of yet.
    ///
    /// # Errors
    /// Where one of those before did not come through.
    pub async fn send(&mut self, record: InboxRecord) -> anyhow::Result<u64> {
        let size = u32::try_from(record.body.0.len().clamp(1, BYTES_IN_FLIGHT)).unwrap_or(u32::MAX);
        let slot = Arc::clone(&self.slots).acquire_owned().await.context("sending was stopped")?;
        let room = Arc::clone(&self.bytes).acquire_many_owned(size).await.context("sending was stopped")?;
        let inbox = self.inbox.clone();
        self.tasks.spawn(async move {
            let sent = inbox::put(&inbox, record).await;
            drop((slot, room));
            sent
        });
        let mut landed = 0;
        while let Some(sent) = self.tasks.try_join_next() {
            sent??;
            landed += 1;
        }
        Ok(landed)
    }

    /// Waits until Kafka has one more; none where nothing is on its way.
    pub async fn landed(&mut self) -> Option<anyhow::Result<()>> {
        let sent = self.tasks.join_next().await?;
        Some(sent.map_err(Into::into).and_then(|sent| sent))
    }
}
