//! Trying again until it works, or the loader is to stop.

use std::error::Error;
use std::mem::Discriminant;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::internal_events::{self, Metrics};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Repeats until it works, and gives what came of it; none where the loader is to stop before.
///
/// Failures in a row are one line in the log for each kind of error, and one more when it works again.
pub(crate) async fn until_done<T, E: Error, F: Future<Output = Result<T, E>>>(
    metrics: &Metrics,
    at: &'static str,
    shutdown: &CancellationToken,
    on_failure: impl Fn(),
    attempt: impl Fn() -> F,
) -> Option<T> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut attempts = 0;
    let mut last: Option<Discriminant<E>> = None;
    loop {
        let error = match attempt().await {
            Ok(done) => {
                if attempts > 0 {
                    internal_events::recovered(at, attempts, started.elapsed());
                }
                return Some(done);
            }
            Err(error) => error,
        };
        attempts += 1;
        let kind = std::mem::discriminant(&error);
        internal_events::failed(metrics, at, last.replace(kind) != Some(kind), &error);
        on_failure();
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = shutdown.cancelled() => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn repeats_until_it_works_or_is_to_stop() {
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        let shutdown = CancellationToken::new();
        let (tries, failures) = (Cell::new(0), Cell::new(0));
        let fails_twice = || async {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(std::fmt::Error) } else { Ok("done") }
        };
        let note = || failures.set(failures.get() + 1);
        assert_eq!(until_done(&metrics, "test", &shutdown, note, fails_twice).await, Some("done"));
        assert_eq!((tries.get(), failures.get()), (3, 2));

        let stop = shutdown.clone();
        let stops = || async {
            stop.cancel();
            Err::<(), _>(std::fmt::Error)
        };
        assert_eq!(until_done(&metrics, "test", &shutdown, || (), stops).await, None);
    }
}
