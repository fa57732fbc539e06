//! Kafka being away, as one client sees it: told once, then rarely, and once more when it is over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// librdkafka tries to connect several times a second, and reports each failure.
const REMINDER: Duration = Duration::from_secs(30);

/// The outage at hand, if there is one.
#[derive(Default)]
pub(crate) struct Outage(Mutex<Option<Ongoing>>);

struct Ongoing {
    since: Instant,
    last: Instant,
    told: Instant,
    untold: u64,
}

impl Outage {
    /// A connection failed: `None` where that was told a moment ago, else how many failures were not told since the last one.
    pub(crate) fn failed(&self, now: Instant) -> Option<u64> {
        let mut ongoing = self.lock();
        let Some(outage) = ongoing.as_mut() else {
            *ongoing = Some(Ongoing { since: now, last: now, told: now, untold: 0 });
            return Some(0);
        };
        outage.last = now;
        if now.saturating_duration_since(outage.told) < REMINDER {
            outage.untold += 1;
            return None;
        }
        outage.told = now;
        Some(std::mem::take(&mut outage.untold))
    }

    /// The connections work: how long they did not, where that is news and nothing has failed for `quiet`.
    pub(crate) fn over(&self, now: Instant, quiet: Duration) -> Option<Duration> {
        let mut ongoing = self.lock();
        let outage = ongoing.take_if(|outage| now.saturating_duration_since(outage.last) >= quiet)?;
        Some(now.saturating_duration_since(outage.since))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ongoing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the error says that a connection failed, which is tried again until it does not.
pub(crate) fn is_connection_failure(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::AllBrokersDown
                | Code::Authentication
                | Code::BrokerTransportFailure
                | Code::OperationTimedOut
                | Code::Resolve
                | Code::SSL
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_at_its_start_every_half_minute_and_at_its_end() {
        let (outage, start) = (Outage::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let over = |ms| outage.over(at(ms), Duration::from_secs(1));
        assert_eq!(over(0), None, "nothing has failed");
        let told: Vec<_> = (0..600).filter_map(|n| outage.failed(at(n * 125)).map(|untold| (n, untold))).collect();
        assert_eq!(told, [(0, 0), (240, 239), (480, 239)], "eight failures a second for 75 s");
        assert_eq!(over(75_000), None, "a connection failed a moment ago");
        assert_eq!(over(76_000), Some(Duration::from_secs(76)));
        assert_eq!(over(76_000), None, "it is told once");
        assert_eq!(outage.failed(at(77_000)), Some(0), "the next outage is told at once");
    }

    #[test]
    fn only_failed_connections_are_an_outage() {
        let error = KafkaError::Global;
        assert!(is_connection_failure(&error(RDKafkaErrorCode::AllBrokersDown)));
        assert!(!is_connection_failure(&error(RDKafkaErrorCode::TopicAuthorizationFailed)));
    }
}
