//! How librdkafka speaks to us: its log lines and errors.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use tracing::{debug, error, info, warn};

use crate::internal_events;
use crate::metrics::Metrics;
use crate::outage::Outage;

/// Facility of the log lines that say that a connection failed.
const CONNECTION_FAILED: &str = "FAIL";

/// Statistics may have been made this long ago: before what has failed since.
const AGE_OF_STATISTICS: Duration = Duration::from_secs(1);

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

    /// Kafka has answered.
    pub(crate) fn connected(&self) {
        internal_events::client_connected(&self.client, &self.outage, Duration::ZERO);
    }
}

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(&self.client, &self.outage, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        internal_events::client_error(Some(&self.metrics), &self.client, &error, reason, &self.outage);
    }

    /// Nothing else says that a connection works again.
    fn stats(&self, statistics: Statistics) {
        let states = || statistics.brokers.values().map(|broker| broker.state.as_str());
        // Brokers that nothing is asked of stay in the initial state.
        if states().any(|state| state == "UP") && states().all(|state| matches!(state, "UP" | "UPDATE" | "INIT")) {
            internal_events::client_connected(&self.client, &self.outage, AGE_OF_STATISTICS);
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

    /// Kafka has answered.
    pub(crate) fn connected(&self) {
        internal_events::client_connected(self.client, &self.outage, Duration::ZERO);
    }
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(self.client, &self.outage, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF)) {
            return; // The end of a scan, not an error.
        }
        internal_events::client_error(None, self.client, &error, reason, &self.outage);
    }
}

impl ConsumerContext for Quiet {}

/// Takes what librdkafka has reported to a client that asks and reads nothing: it piles up otherwise, and is told when it is long
/// over.
pub(crate) fn serve<C: ConsumerContext>(client: &BaseConsumer<C>) {
    while client.poll(Duration::ZERO).is_some() {}
}

fn log(client: &str, outage: &Outage, level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        // Also reported as an error, but only to those that poll.
        RDKafkaLogLevel::Error if facility == CONNECTION_FAILED => {
            internal_events::connection_failed(client, message, outage);
        }
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            error!(target: "librdkafka", client, facility, "{message}");
        }
        RDKafkaLogLevel::Warning => warn!(target: "librdkafka", client, facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(target: "librdkafka", client, facility, "{message}"),
        RDKafkaLogLevel::Debug => debug!(target: "librdkafka", client, facility, "{message}"),
    }
}
