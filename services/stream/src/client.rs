//! How librdkafka speaks to us: its log lines and errors.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tracing::{debug, error, info, warn};

use crate::internal_events;
use crate::metrics::Metrics;

/// Sends librdkafka's log lines to `tracing` and its errors to the metrics, under the name of the client.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) client: String,
    pub(crate) metrics: Metrics,
}

impl Observer {
    pub(crate) fn new(client: impl Into<String>, metrics: &Metrics) -> Observer {
        Observer { client: client.into(), metrics: metrics.clone() }
    }
}

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(&self.client, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        internal_events::client_error(&self.metrics, &self.client, &error, reason);
    }
}

impl ConsumerContext for Observer {}

/// For clients that live for one question and have no metrics: log lines alone.
#[derive(Clone)]
pub(crate) struct Quiet(pub(crate) &'static str);

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(self.0, level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF)) {
            return; // The end of a scan, not an error.
        }
        warn!(client = self.0, %error, reason, "Kafka client reports an error");
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
