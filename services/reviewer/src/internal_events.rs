//! One item for each thing that happens: its log line and its metric, together. Nothing else in this crate logs or counts.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Registry};
use tracing::{info, warn};

/// The metrics of this crate about itself; those of the components are on the board.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    refreshed: IntGauge,
    seconds: Histogram,
    failures: IntCounter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let metrics = Metrics {
            refreshed: IntGauge::new(
                "throughline_gauges_refreshed_timestamp_seconds",
                "When the figures of the components were last worked out, seconds since 1970.",
            )?,
            seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "throughline_gauges_refresh_seconds",
                    "Time that it took to work out the figures of the components.",
                )
                .buckets(vec![0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]),
            )?,
            failures: IntCounter::new(
                "throughline_gauges_refresh_failures_total",
                "Times that they could not be worked out; those of before are then served on.",
            )?,
        };
        registry.register(Box::new(metrics.refreshed.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        Ok(metrics)
    }
}

/// The figures were worked out.
pub(crate) fn refreshed(metrics: &Metrics, at: i64, took: Duration) {
    metrics.refreshed.set(at.div_euclid(1000));
    metrics.seconds.observe(took.as_secs_f64());
}

/// They could not be. Told once, until it works again or something else is wrong.
pub(crate) fn failed(metrics: &Metrics, is_news: bool, error: &warehouse::Error) {
    metrics.failures.inc();
    if is_news {
        warn!(error = format!("{:#}", Chain(error)), "the figures of the components could not be worked out");
    }
}

/// They can be again.
pub(crate) fn recovered(failures: u32) {
    info!(failures, "the figures of the components are worked out again");
}

/// An error with its causes in one line, outermost first.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
