//! Memory that is freed, and still counted as ours.

use std::hint::black_box;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How often, and about as long as the allocator waits before it gives a freed page back.
const EVERY: Duration = Duration::from_secs(1);
/// Large enough to have pages of its own.
const LARGE: usize = 4 << 20;

/// Gives memory back to the system until `shutdown`.
///
/// The allocator keeps freed pages for a moment and gives them back when it next frees a large piece. A process that has just taken
/// its state up, and has nothing else to do, may not free one for hours. So one is taken and freed here; it is never written to.
pub async fn give_back(shutdown: CancellationToken) -> anyhow::Result<()> {
    while shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        drop(black_box(Vec::<u8>::with_capacity(LARGE)));
    }
    Ok(())
}
