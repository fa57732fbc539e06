//! What happens to deliveries: each thing that happens has its log line and its numbers in one method here, and nothing else
//! logs or counts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Source, Timestamp};
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};
use tracing::{debug, error, warn};

/// Reasons for ignoring that get a label of their own. Adapters draw them from small sets; a mistake there must not fill the
/// memory of whoever keeps the metrics.
const MAX_REASONS: usize = 200;

/// The label of reasons beyond that.
const OTHER: &str = "other";

/// The metrics of normalise. A clone counts into the same numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    records: IntCounterVec,
    events: IntCounterVec,
    ignored: IntCounterVec,
    dead_letters: IntCounterVec,
    freshness_seconds: HistogramVec,
    unsettled: IntCounter,
    reasons: Arc<Mutex<BTreeSet<String>>>,
}

/// One record's outcome, to be counted once it is committed.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) source: Source,
    pub(crate) received_at: Timestamp,
    /// The kinds of its events.
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) end: End,
}

/// How a record ended.
#[derive(Debug)]
pub(crate) enum End {
    Events,
    Ignored(String),
    Dead { delivery: String },
}

impl Metrics {
    /// Registers all metrics.
    ///
    /// # Errors
    /// Where the registry has them already: register once and clone.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let freshness_seconds = HistogramVec::new(
            HistogramOpts::new(
                "throughline_normalise_freshness_seconds",
                "Time from the receipt of a delivery until its events were committed.",
            )
            .buckets(vec![0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0]),
            &["source"],
        )?;
        let unsettled = IntCounter::new(
            "throughline_normalise_unsettled_records_total",
            "Records that were let go without an outcome: a defect, to be reported. They are read again.",
        )?;
        registry.register(Box::new(freshness_seconds.clone()))?;
        registry.register(Box::new(unsettled.clone()))?;
        Ok(Self {
            records: counters(
                "throughline_normalise_records_total",
                "Deliveries read, by outcome: events, ignored, dead_letter.",
                &["source", "outcome"],
            )?,
            events: counters("throughline_normalise_events_total", "Events written, by kind.", &["kind"])?,
            ignored: counters(
                "throughline_normalise_ignored_total",
                "Deliveries that bear on nothing, by reason.",
                &["source", "reason"],
            )?,
            dead_letters: counters(
                "throughline_normalise_dead_letters_total",
                "Deliveries that could not be read.",
                &["source"],
            )?,
            freshness_seconds,
            unsettled,
            reasons: Arc::default(),
        })
    }

    /// These records were committed at `now`: they count from here on, and once.
    pub(super) fn committed(&self, settled: Vec<Settled>, now: Timestamp) {
        for Settled { source, received_at, kinds, end } in settled {
            let source = source.as_str();
            for kind in &kinds {
                self.events.with_label_values(&[kind]).inc();
            }
            if !kinds.is_empty() {
                // Whole milliseconds; only the histogram wants seconds with a fraction.
                let fresh = Duration::from_millis((now - received_at).0.max(0).unsigned_abs());
                self.freshness_seconds.with_label_values(&[source]).observe(fresh.as_secs_f64());
            }
            let outcome = match end {
                End::Events => "events",
                End::Ignored(reason) => {
                    debug!(source, reason, "delivery ignored");
                    self.ignored.with_label_values(&[source, self.label(reason).as_str()]).inc();
                    "ignored"
                }
                End::Dead { delivery } => {
                    // The reason may quote the body, which names people: it stands in the dead letter.
                    warn!(source, delivery, "delivery could not be read: see the dead letters");
                    self.dead_letters.with_label_values(&[source]).inc();
                    "dead_letter"
                }
            };
            self.records.with_label_values(&[source, outcome]).inc();
        }
    }

    /// A record was let go without an outcome.
    pub(super) fn unsettled(&self, partition: i32, offset: i64) {
        error!(
            partition,
            offset, "a record of the inbox was let go without an outcome: a defect; it will be read again"
        );
        self.unsettled.inc();
    }

    #[cfg(test)]
    pub(super) fn unsettled_records(&self) -> u64 {
        self.unsettled.get()
    }

    fn label(&self, reason: String) -> String {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.contains(&reason) || (reasons.len() < MAX_REASONS && reasons.insert(reason.clone())) {
            reason
        } else {
            OTHER.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_do_not_grow_without_bound() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let ignored = |reason: String| Settled {
            source: "s".into(),
            received_at: Timestamp(0),
            kinds: Vec::new(),
            end: End::Ignored(reason),
        };
        metrics.committed((0..1000).map(|n| ignored(n.to_string())).collect(), Timestamp(0));
        let families = registry.gather();
        let family = families.iter().find(|f| f.name() == "throughline_normalise_ignored_total").unwrap();
        assert_eq!(family.get_metric().len(), MAX_REASONS + 1);
        assert_eq!(metrics.ignored.with_label_values(&["s", OTHER]).get(), 800);
        assert_eq!(metrics.ignored.with_label_values(&["s", "7"]).get(), 1);
    }
}
