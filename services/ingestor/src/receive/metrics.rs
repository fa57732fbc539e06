//! What happens at the front door: each thing that happens has its log line and its numbers in one method here, and nothing
//! else logs or counts.

use std::time::Duration;

use axum::http::StatusCode;
use model::Timestamp;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use tracing::{debug, info, warn};

use super::answer::Refusal;
use crate::chain;

/// The label of a source that is not in the configuration: a label takes no text from outside.
const UNKNOWN: &str = "unknown";

/// The metrics of the front door. A clone counts into the same numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: IntCounterVec,
    body_bytes: IntCounterVec,
    rejected: IntCounterVec,
    last_accepted: IntGaugeVec,
    put_seconds: Histogram,
    connections: IntGauge,
    pub(super) budget_used: IntGauge,
    budget: IntGauge,
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
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let last_accepted = IntGaugeVec::new(
            Opts::new(
                "throughline_receive_last_accepted_timestamp_seconds",
                "When a source last had a delivery accepted.",
            ),
            &["source"],
        )?;
        let put_seconds = Histogram::with_opts(
            HistogramOpts::new(
                "throughline_receive_put_seconds",
                "Time until Kafka had a delivery, or had failed to take it.",
            )
            .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]),
        )?;
        registry.register(Box::new(last_accepted.clone()))?;
        registry.register(Box::new(put_seconds.clone()))?;
        Ok(Self {
            requests: counters(
                "throughline_receive_requests_total",
                "Requests by source and status of the answer.",
                &["source", "status"],
            )?,
            body_bytes: counters("throughline_receive_body_bytes_total", "Bytes of the bodies accepted.", &["source"])?,
            rejected: counters(
                "throughline_receive_rejected_signatures_total",
                "Deliveries whose signature or token was missing, malformed, stale or fitted no secret.",
                &["source", "reason"],
            )?,
            connections: gauge("throughline_receive_connections", "Connections that are open.")?,
            budget_used: gauge("throughline_receive_budget_used_bytes", "Bytes held by requests in flight.")?,
            budget: gauge("throughline_receive_budget_limit_bytes", "Above this, requests are refused.")?,
            last_accepted,
            put_seconds,
        })
    }

    /// The front door was set up. A source is visible from now on, also while it is silent.
    pub(super) fn set_up<'a>(&self, budget: usize, sources: impl Iterator<Item = (&'a str, bool)>) {
        self.budget.set(i64::try_from(budget).unwrap_or(i64::MAX));
        for (source, trusted) in sources {
            if trusted {
                warn!(source, "source has no secret: deliveries from anybody are taken for its own");
            }
            self.requests.with_label_values(&[source, StatusCode::ACCEPTED.as_str()]).inc_by(0);
            self.body_bytes.with_label_values(&[source]).inc_by(0);
        }
    }

    /// The front door is open.
    pub(super) fn listening(&self, address: Option<std::net::SocketAddr>) {
        info!(address = address.map(tracing::field::display), "receiving deliveries");
    }

    /// A delivery was accepted: Kafka has it.
    pub(super) fn accepted(&self, source: &str, delivery: &str, bytes: usize, now: Timestamp) {
        debug!(source, delivery, bytes, "delivery accepted");
        self.requests.with_label_values(&[source, StatusCode::ACCEPTED.as_str()]).inc();
        self.body_bytes.with_label_values(&[source]).inc_by(bytes as u64);
        self.last_accepted.with_label_values(&[source]).set(now.0 / 1000);
    }

    /// A source had its last delivery accepted before this start.
    pub(crate) fn accepted_before(&self, source: &str, at: Timestamp) {
        self.last_accepted.with_label_values(&[source]).set(at.0 / 1000);
    }

    /// A delivery was refused.
    pub(super) fn refused(&self, source: Option<&str>, refusal: &Refusal) {
        let status = refusal.status();
        match source {
            Some(source) => warn!(source, status = status.as_u16(), reason = chain(refusal), "delivery refused"),
            // Anybody can cause any number of these.
            None => debug!(status = status.as_u16(), reason = chain(refusal), "request refused"),
        }
        let source = source.unwrap_or(UNKNOWN);
        self.requests.with_label_values(&[source, status.as_str()]).inc();
        if let Refusal::Rejected(rejected) = refusal {
            self.rejected.with_label_values(&[source, rejected.reason()]).inc();
        }
    }

    /// Kafka answered for one delivery, in whatever way.
    pub(super) fn put(&self, took: Duration) {
        self.put_seconds.observe(took.as_secs_f64());
    }

    /// A connection was accepted.
    pub(super) fn connected(&self) {
        self.connections.inc();
    }

    /// A connection was closed.
    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    /// The system gave no connection: mostly for want of file descriptors.
    pub(super) fn not_connected(&self, error: &std::io::Error) {
        warn!(error = chain(error), "no connection accepted; trying again");
    }

    /// The front door is closed. `cut` connections did not finish in time.
    pub(super) fn closed(&self, cut: usize) {
        if cut > 0 {
            warn!(cut, "stopped receiving: connections were cut before they had finished");
        } else {
            info!("stopped receiving: all requests were answered");
        }
    }
}
