//! How librdkafka speaks to us: its log lines and errors.

use std::sync::Arc;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use tracing::{debug, error, info, warn};

use crate::internal_events;
use crate::metrics::Metrics;
use crate::outage::Outage;

/// Sends librdkafka's log lines to `tracing` and its errors to the metrics, under the name of the client.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) client: String,
    pub(crate) metrics: Metrics,
    outage: Arc<Outage>,
}

impl Observer {
    pub(crate) fn new(client: impl Into<String>, metrics: &Metrics) -> Observer {
        Observer { client: client.into(), metrics: metrics.clone(), outage: Arc::default() }
    }
}

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(&self.client, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        internal_events::client_error(Some(&self.metrics), &self.client, &error, reason, &self.outage);
    }

    /// Nothing else says that a connection works again.
    fn stats(&self, statistics: Statistics) {
        let states = || statistics.brokers.values().map(|broker| broker.state.as_str());
        // Brokers that nothing is asked of stay in the initial state.
        if states().any(|state| state == "UP") && states().all(|state| matches!(state, "UP" | "UPDATE" | "INIT")) {
            internal_events::client_reconnected(&self.client, &self.outage);
        }
    }
}

impl ConsumerContext for Observer {}

/// For clients that ask questions and have no metrics: log lines alone.
#[derive(Clone)]
pub(crate) struct Quiet {
    client: &'static str,
    outage: Arc<Outage>,
}

impl Quiet {
    pub(crate) fn new(client: &'static str) -> Quiet {
        Quiet { client, outage: Arc::default() }
    }

    /// A question was answered.
    pub(crate) fn answered(&self) {
        internal_events::client_reconnected(self.client, &self.outage);
    }
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(self.client, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF)) {
            return; // The end of a scan, not an error.
        }
        internal_events::client_error(None, self.client, &error, reason, &self.outage);
    }
}

impl ConsumerContext for Quiet {}

fn log(client: &str, level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            error!(target: "librdkafka", client, facility, "{message}");
        }
        RDKafkaLogLevel::Warning => warn!(target: "librdkafka", client, facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(target: "librdkafka", client, facility, "{message}"),
        RDKafkaLogLevel::Debug => debug!(target: "librdkafka", client, facility, "{message}"),
    }
}
