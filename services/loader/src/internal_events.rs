//! One item for each thing that happens: its log line and its metric, together. Nothing else in this crate logs or counts.

use std::error::Error;
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use tracing::{debug, info, warn};

/// The metrics of this crate.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    rows: IntCounterVec,
    loads: IntCounter,
    insert_seconds: HistogramVec,
    retries: IntCounterVec,
    available: IntGauge,
    freshness: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let metrics = Metrics {
            rows: IntCounterVec::new(
                Opts::new(
                    "throughline_loader_rows_total",
                    "Rows loaded by table: kept, or deleting what was loaded before.",
                ),
                &["table", "kind"],
            )?,
            loads: IntCounter::new(
                "throughline_loader_loads_total",
                "Loads: batches taken together, stored and committed.",
            )?,
            insert_seconds: HistogramVec::new(
                HistogramOpts::new("throughline_loader_insert_seconds", "Time that ClickHouse took for an insert.")
                    .buckets(vec![0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0]),
                &["table"],
            )?,
            retries: IntCounterVec::new(
                Opts::new(
                    "throughline_loader_retries_total",
                    "Attempts that failed and were repeated: at ClickHouse, at Kafka.",
                ),
                &["at"],
            )?,
            available: IntGauge::new(
                "throughline_loader_clickhouse_available",
                "1 while ClickHouse takes what is loaded, else 0.",
            )?,
            freshness: Histogram::with_opts(
                HistogramOpts::new(
                    "throughline_loader_freshness_seconds",
                    "From the writing of the oldest fact of a load to Kafka until it stands in its table.",
                )
                .buckets(vec![0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0]),
            )?,
        };
        registry.register(Box::new(metrics.rows.clone()))?;
        registry.register(Box::new(metrics.loads.clone()))?;
        registry.register(Box::new(metrics.insert_seconds.clone()))?;
        registry.register(Box::new(metrics.retries.clone()))?;
        registry.register(Box::new(metrics.available.clone()))?;
        registry.register(Box::new(metrics.freshness.clone()))?;
        Ok(metrics)
    }
}

/// The causes of an error in one line, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their source in their own words.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Rows of a table are in ClickHouse.
pub(crate) fn inserted(metrics: &Metrics, table: &str, kind: &str, rows: usize, took: Duration) {
    debug!(table, kind, rows, took_ms = took.as_millis(), "rows inserted");
    metrics.rows.with_label_values(&[table, kind]).inc_by(rows as u64);
    metrics.insert_seconds.with_label_values(&[table]).observe(took.as_secs_f64());
}

/// A load is stored and its offsets are committed; `age` is that of its oldest fact.
pub(crate) fn loaded(metrics: &Metrics, batches: usize, age: Duration) {
    debug!(batches, age_ms = age.as_millis(), "load committed");
    metrics.loads.inc();
    metrics.freshness.observe(age.as_secs_f64());
}

/// Something failed and will be repeated; `is_news`: the first time, or for another reason than the last.
pub(crate) fn failed(metrics: &Metrics, at: &str, is_news: bool, error: &dyn Error) {
    if is_news {
        warn!(at, error = chain(error), "loading pauses; trying again until it works");
    } else {
        debug!(at, error = chain(error), "still not");
    }
    metrics.retries.with_label_values(&[at]).inc();
}

/// What had failed works again.
pub(crate) fn recovered(at: &str, attempts: u32, away: Duration) {
    info!(at, attempts, away_ms = away.as_millis(), "loading goes on");
}

/// ClickHouse takes what is loaded, or does so no more.
pub(crate) fn availability(metrics: &Metrics, is_available: bool) {
    metrics.available.set(i64::from(is_available));
}

/// The loader was asked to stop while something could not be stored; it will be read again.
pub(crate) fn given_up(batches: usize) {
    info!(batches, "stopping with batches that are not stored: they will be read again");
}
