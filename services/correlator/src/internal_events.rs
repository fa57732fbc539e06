//! One item for each thing that happens: its log line and its metric, together. Nothing else in this crate logs or counts.

use std::time::{Duration, SystemTime};

use correlation::Sizes;
use model::{Source, Timestamp};
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};
use tracing::{debug, info, warn};

/// The metrics of this crate.
#[derive(Clone, Debug)]
pub struct Metrics {
    events: IntCounterVec,
    ignored: IntCounterVec,
    facts: IntCounterVec,
    corrections: IntCounter,
    deletions: IntCounter,
    state: IntGaugeVec,
    step_seconds: HistogramVec,
    freshness: Histogram,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let metrics = Self {
            events: counters(
                "throughline_correlator_events_total",
                "Events consumed, each counted once at the commit: applied, no_news, waiting, ignored, dead.",
                &["source", "outcome"],
            )?,
            ignored: counters(
                "throughline_correlator_ignored_total",
                "Events left out, by reason.",
                &["source", "reason"],
            )?,
            facts: counters(
                "throughline_correlator_facts_total",
                "Facts written by table, deletions included.",
                &["table"],
            )?,
            corrections: IntCounter::new(
                "throughline_correlator_corrections_total",
                "Facts that replaced an earlier one.",
            )?,
            deletions: IntCounter::new("throughline_correlator_deletions_total", "Facts that were taken back.")?,
            state: IntGaugeVec::new(
                Opts::new(
                    "throughline_correlator_state",
                    "Things known, by realm; waiting: deployments whose commit is not known.",
                ),
                &["realm", "kind"],
            )?,
            step_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "throughline_correlator_step_seconds",
                    "Time to apply a batch of events and to derive facts from it.",
                )
                .buckets(vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0]),
                &["step"],
            )?,
            freshness: Histogram::with_opts(
                HistogramOpts::new(
                    "throughline_correlator_freshness_seconds",
                    "From the arrival of the oldest delivery of a batch until its facts are committed.",
                )
                .buckets(vec![0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 7200.0]),
            )?,
        };
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.ignored.clone()))?;
        registry.register(Box::new(metrics.facts.clone()))?;
        registry.register(Box::new(metrics.corrections.clone()))?;
        registry.register(Box::new(metrics.deletions.clone()))?;
        registry.register(Box::new(metrics.state.clone()))?;
        registry.register(Box::new(metrics.step_seconds.clone()))?;
        registry.register(Box::new(metrics.freshness.clone()))?;
        Ok(metrics)
    }
}

/// What a transaction did; told when it is committed, and not before.
#[derive(Debug, Default)]
pub struct Batch {
    /// Source, outcome, how many.
    pub events: std::collections::BTreeMap<(Source, &'static str), u64>,
    /// Source, reason, how many were left out.
    pub ignored: std::collections::BTreeMap<(Source, &'static str), u64>,
    /// Table, how many facts.
    pub facts: std::collections::BTreeMap<&'static str, u64>,
    /// Facts that replaced an earlier one.
    pub corrections: u64,
    /// Facts taken back.
    pub deletions: u64,
    /// Arrival of its oldest delivery.
    pub oldest: Option<Timestamp>,
    /// Time taken to apply its events.
    pub applying: Duration,
    /// Time taken to derive and to encode.
    pub deriving: Duration,
}

pub fn committed(metrics: &Metrics, batch: &Batch) {
    for ((source, outcome), count) in &batch.events {
        metrics.events.with_label_values(&[source.as_str(), outcome]).inc_by(*count);
    }
    for ((source, reason), count) in &batch.ignored {
        metrics.ignored.with_label_values(&[source.as_str(), reason]).inc_by(*count);
    }
    for (table, count) in &batch.facts {
        metrics.facts.with_label_values(&[table]).inc_by(*count);
    }
    metrics.corrections.inc_by(batch.corrections);
    metrics.deletions.inc_by(batch.deletions);
    metrics.step_seconds.with_label_values(&["apply"]).observe(batch.applying.as_secs_f64());
    metrics.step_seconds.with_label_values(&["derive"]).observe(batch.deriving.as_secs_f64());
    if let Some(oldest) = batch.oldest {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let then = Duration::from_millis(u64::try_from(oldest.0).unwrap_or_default());
        metrics.freshness.observe(now.saturating_sub(then).as_secs_f64());
    }
    debug!(
        facts = batch.facts.values().sum::<u64>(),
        corrections = batch.corrections,
        deletions = batch.deletions,
        "batch committed"
    );
}

pub fn sizes(metrics: &Metrics, realm: &str, sizes: Sizes) {
    let Sizes { commits, deployments, waiting, runs, tasks, gates } = sizes;
    for (kind, count) in [
        ("commits", commits),
        ("deployments", deployments),
        ("waiting", waiting),
        ("runs", runs),
        ("tasks", tasks),
        ("gates", gates),
    ] {
        metrics.state.with_label_values(&[realm, kind]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

pub fn died(topic: &str, partition: i32, offset: i64, reason: &str) {
    warn!(topic, partition, offset, reason, "event went to the dead letters");
}

pub fn restored(partition: i32, realms: usize, records: u64) {
    info!(partition, realms, records, "state restored");
}

pub fn behind(realm: &str, generation: u32) {
    info!(realm, generation, "everything is worked out anew: until the old generation is reached, its rows are served");
}

pub fn caught_up(realm: &str, generation: u32) {
    info!(realm, generation, "the old generation is reached: what is different now is written");
}

pub fn given_back(metrics: &Metrics, realm: &str) {
    for kind in ["commits", "deployments", "waiting", "runs", "tasks", "gates"] {
        // Nothing to remove where the realm had not been reported yet.
        let _ = metrics.state.remove_label_values(&[realm, kind]);
    }
}
