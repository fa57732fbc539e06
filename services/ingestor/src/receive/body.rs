//! Bodies in memory: each within its limit, all of them within one budget.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;

/// What a request costs beside its body, roughly: a flood of empty bodies is not free.
pub(super) const REQUEST_OVERHEAD: usize = 16 * 1024;

/// How long a refused sender may go on sending.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes that all requests in flight share.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    used: IntGauge,
}

/// What one request holds of the budget; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    permit: OwnedSemaphorePermit,
}

impl Budget {
    /// `used` shows how much of it is held.
    pub(super) fn new(bytes: usize, used: IntGauge) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))), used }
    }

    /// The share of a request whose body is said to be of that length. Nothing is set aside for a body before it comes: a sender
    /// that promises much and sends little holds little. But one that cannot fit now is refused before it is read.
    pub(super) fn share(&self, declared: usize) -> Result<Share, Refusal> {
        if self.free.available_permits() < REQUEST_OVERHEAD.saturating_add(declared) {
            return Err(Refusal::Overloaded);
        }
        Ok(Share { permit: self.take(REQUEST_OVERHEAD)?, budget: self.clone() })
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let permits = u32::try_from(bytes).map_err(|_| Refusal::Overloaded)?;
        let permit = Arc::clone(&self.free).try_acquire_many_owned(permits).map_err(|_| Refusal::Overloaded)?;
        self.used.add(i64::from(permits));
        Ok(permit)
    }
}

impl Share {
    fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.permit.merge(self.budget.take(bytes)?);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.sub(i64::try_from(self.permit.num_permits()).unwrap_or(i64::MAX));
    }
}

/// The length that a body says it has; none for a chunked one. An empty body has the length 0.
pub(super) fn declared_length(body: &Body) -> Option<u64> {
    body.size_hint().exact()
}

/// Reads a body to its end. Holds no more than `limit` bytes, and no more than the budget gives.
pub(super) async fn read(body: &mut Body, limit: usize, share: &mut Share) -> Result<Vec<u8>, Refusal> {
    let declared = declared_length(body).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    // Reserved, not touched: pages that no byte is written to take no memory.
    let mut bytes = Vec::with_capacity(declared.min(limit));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::BrokenOff)?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - bytes.len() {
            return Err(Refusal::TooLarge { limit });
        }
        share.grow(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Reads what a refused sender still sends, and forgets it: a connection closed on unread bytes is reset, and the sender might
/// never see why it was refused. Bounded in time and bytes.
pub(super) fn drain(mut body: Body, limit: usize) {
    if body.is_end_stream() {
        return;
    }
    let drained = async move {
        let mut left = limit;
        while let Some(Ok(frame)) = body.frame().await {
            left = match left.checked_sub(frame.data_ref().map_or(0, |data| data.len())) {
                Some(left) => left,
                None => return,
            };
        }
    };
    tokio::spawn(tokio::time::timeout(DRAIN_TIMEOUT, drained));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: usize) -> (Budget, IntGauge) {
        let used = IntGauge::new("used", "used").unwrap();
        (Budget::new(bytes, used.clone()), used)
    }

    #[tokio::test]
    async fn a_body_holds_its_bytes_while_it_is_held() {
        let (budget, used) = budget(REQUEST_OVERHEAD + 100);
        let mut share = budget.share(100).unwrap();
        assert_eq!(read(&mut Body::from(vec![7; 100]), 100, &mut share).await.unwrap(), [7; 100]);
        assert_eq!(used.get(), i64::try_from(REQUEST_OVERHEAD + 100).unwrap());
        assert!(matches!(budget.share(0), Err(Refusal::Overloaded)));
        drop(share);
        assert_eq!(used.get(), 0);
        budget.share(100).unwrap();
    }

    #[tokio::test]
    async fn a_body_is_cut_off_at_the_limit_and_at_the_budget() {
        let (budget, used) = budget(REQUEST_OVERHEAD + 100);
        let mut share = budget.share(0).unwrap();
        let refusal = read(&mut Body::from(vec![7; 51]), 50, &mut share).await.unwrap_err();
        assert!(matches!(refusal, Refusal::TooLarge { limit: 50 }));
        let refusal = read(&mut Body::from(vec![7; 101]), 200, &mut share).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Overloaded));
        assert!(matches!(budget.share(101), Err(Refusal::Overloaded)), "refused before it is read");
        drop(share);
        assert_eq!(used.get(), 0);
    }
}
