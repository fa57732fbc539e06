//! What an operator sees. The log lines that go with these are in `internal_events`, which alone moves them.

use prometheus::{
    CounterVec, Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// The metrics of this crate. A clone counts into the same numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) lag: IntGaugeVec,
    pub(crate) consumed: IntCounterVec,
    pub(crate) produced: IntCounterVec,
    pub(crate) transactions: IntCounterVec,
    pub(crate) commit_seconds: HistogramVec,
    pub(crate) restored: IntCounterVec,
    pub(crate) restore_seconds: CounterVec,
    pub(crate) rebalances: IntCounterVec,
    pub(crate) queue_bytes: IntGauge,
    pub(crate) queue_limit_bytes: IntGauge,
    pub(crate) available: Gauge,
    pub(crate) send_failures: IntCounterVec,
    pub(crate) client_errors: IntCounterVec,
}

impl Metrics {
    /// Registers all metrics. Errors where a registry has them already: register once and clone.
    pub fn register(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let lag = IntGaugeVec::new(
            Opts::new("throughline_kafka_lag_records", "Records that wait to be consumed, as of the last seconds."),
            &["group", "topic", "partition"],
        )?;
        let commit_seconds = HistogramVec::new(
            HistogramOpts::new(
                "throughline_kafka_commit_seconds",
                "Time to commit a transaction or the offsets of what was stored together.",
            )
            .buckets(vec![0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0]),
            &["group"],
        )?;
        let restore_seconds = CounterVec::new(
            Opts::new("throughline_kafka_restore_seconds_total", "Time spent restoring state from the changelog."),
            &["group"],
        )?;
        let available =
            Gauge::new("throughline_kafka_available", "1 while the front door's producer reaches Kafka, else 0.")?;
        registry.register(Box::new(lag.clone()))?;
        registry.register(Box::new(commit_seconds.clone()))?;
        registry.register(Box::new(restore_seconds.clone()))?;
        registry.register(Box::new(available.clone()))?;
        Ok(Metrics {
            lag,
            commit_seconds,
            restore_seconds,
            available,
            consumed: counters(
                "throughline_kafka_records_consumed_total",
                "Records consumed and committed.",
                &["group", "topic"],
            )?,
            produced: counters(
                "throughline_kafka_records_produced_total",
                "Records written and acknowledged.",
                &["topic"],
            )?,
            transactions: counters(
                "throughline_kafka_transactions_total",
                "Transactions by outcome: committed, aborted, indeterminate.",
                &["group", "outcome"],
            )?,
            restored: counters(
                "throughline_kafka_restore_records_total",
                "Changelog records read to restore state.",
                &["group"],
            )?,
            rebalances: counters(
                "throughline_kafka_rebalances_total",
                "Changes of the partitions an instance owns: assigned, revoked, lost.",
                &["group", "change"],
            )?,
            queue_bytes: gauge(
                "throughline_kafka_producer_queue_bytes",
                "Bytes accepted at the front door and not yet acknowledged.",
            )?,
            queue_limit_bytes: gauge(
                "throughline_kafka_producer_queue_limit_bytes",
                "Above this the front door refuses records.",
            )?,
            send_failures: counters(
                "throughline_kafka_send_failures_total",
                "Records refused or not acknowledged at the front door, by reason.",
                &["reason"],
            )?,
            client_errors: counters(
                "throughline_kafka_client_errors_total",
                "Errors librdkafka reports, by client and code.",
                &["client", "code"],
            )?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_once() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        metrics.transactions.with_label_values(&["g", "committed"]).inc();
        assert!(registry.gather().iter().any(|family| family.name() == "throughline_kafka_transactions_total"));
        assert!(Metrics::register(&registry).is_err());
    }
}
