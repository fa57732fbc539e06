//! One item for each thing that happens: its log line and its metric, together. Nothing else in this crate logs or counts.

use std::error::Error;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use tracing::{debug, error, info, warn};

use crate::metrics::Metrics;
use crate::outage::{Outage, is_connection_failure};
use crate::topics::Topic;

/// The causes of an error in one line, outermost first.
pub(crate) fn chain(error: &dyn Error) -> String {
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

/// librdkafka reports something on its own account: a broker away, a failed login.
pub(crate) fn client_error(metrics: Option<&Metrics>, client: &str, error: &KafkaError, reason: &str, outage: &Outage) {
    let code = error.rdkafka_error_code().map_or_else(|| "other".to_owned(), |code| format!("{code:?}"));
    if is_connection_failure(error) {
        connection_failed(client, reason, outage);
    } else {
        warn!(client, code, reason, "Kafka client reports an error");
    }
    if let Some(metrics) = metrics {
        metrics.client_errors.with_label_values(&[client, &code]).inc();
    }
}

/// A client cannot connect: told now and then, since librdkafka tries several times a second.
pub(crate) fn connection_failed(client: &str, reason: &str, outage: &Outage) {
    if let Some(untold) = outage.failed(Instant::now()) {
        warn!(client, reason, untold, "Kafka client cannot connect; it goes on trying");
    }
}

/// The connections of a client work, perhaps again, if none has failed for `quiet`.
pub(crate) fn client_connected(client: &str, outage: &Outage, quiet: Duration) {
    if let Some(away) = outage.over(Instant::now(), quiet) {
        info!(client, away_ms = away.as_millis(), "Kafka client is connected again");
    }
}

/// The front door's producer reaches Kafka, or does so no more.
pub(crate) fn availability(metrics: &Metrics, available: bool, changed: bool) {
    if changed && available {
        info!("Kafka is reachable: records are accepted");
    } else if changed {
        warn!("Kafka is not reachable: records are refused until it is");
    }
    metrics.available.set(if available { 1.0 } else { 0.0 });
}

/// Kafka has a record from the front door.
pub(crate) fn record_sent(metrics: &Metrics, topic: &str) {
    metrics.produced.with_label_values(&[topic]).inc();
}

/// A record from the front door was refused or not acknowledged.
pub(crate) fn send_failed(metrics: &Metrics, topic: &str, reason: &str, error: &dyn Error) {
    warn!(topic, reason, error = chain(error), "record not accepted");
    metrics.send_failures.with_label_values(&[reason]).inc();
}

/// Partitions were assigned to this instance.
pub(crate) fn assigned(metrics: &Metrics, group: &str, partitions: usize) {
    info!(group, partitions, "partitions assigned");
    metrics.rebalances.with_label_values(&[group, "assigned"]).inc();
}

/// Partitions were taken from this instance; `lost`: it was thought dead, and they have a new owner already.
pub(crate) fn revoked(metrics: &Metrics, group: &str, partitions: usize, lost: bool) {
    info!(group, partitions, lost, "partitions revoked");
    metrics.rebalances.with_label_values(&[group, if lost { "lost" } else { "revoked" }]).inc();
}

/// A transaction ended well: its records count as consumed now and only now.
pub(crate) fn transaction_committed(metrics: &Metrics, group: &str, input: &Counts, output: &Counts, took: Duration) {
    debug!(
        group,
        records = input.total(),
        outputs = output.total(),
        took_ms = took.as_millis(),
        "transaction committed"
    );
    metrics.transactions.with_label_values(&[group, "committed"]).inc();
    metrics.commit_seconds.with_label_values(&[group]).observe(took.as_secs_f64());
    for (topic, count) in &input.0 {
        metrics.consumed.with_label_values(&[group, topic]).inc_by(*count);
    }
    for (topic, count) in &output.0 {
        metrics.produced.with_label_values(&[topic]).inc_by(*count);
    }
}

/// A transaction was given up; its input will be read again.
pub(crate) fn transaction_aborted(metrics: &Metrics, group: &str, attempt: u32, cause: &dyn Error) {
    warn!(group, attempt, error = chain(cause), "transaction aborted: state is restored and the input read again");
    metrics.transactions.with_label_values(&[group, "aborted"]).inc();
}

/// Nobody knows whether a transaction ended well.
pub(crate) fn transaction_indeterminate(metrics: &Metrics, group: &str, waited: Duration) {
    error!(group, waited_ms = waited.as_millis(), "the outcome of a commit is unknown: the process must restart");
    metrics.transactions.with_label_values(&[group, "indeterminate"]).inc();
}

/// Kafka did not answer and is asked again.
pub(crate) fn retrying(group: &str, doing: &str, cause: &dyn Error) {
    warn!(group, doing, error = chain(cause), "Kafka does not answer; trying again");
}

/// The state of partitions was restored.
pub(crate) fn restored(metrics: &Metrics, group: &str, cold: usize, warm: usize, records: u64, took: Duration) {
    info!(group, cold, warm, records, took_ms = took.as_millis(), "state restored");
    metrics.restored.with_label_values(&[group]).inc_by(records);
    metrics.restore_seconds.with_label_values(&[group]).inc_by(took.as_secs_f64());
}

/// The offsets of batches were committed, each of so many records of a topic.
pub(crate) fn offsets_committed(
    metrics: &Metrics,
    group: &str,
    batches: impl Iterator<Item = (&'static str, usize)>,
    took: Duration,
) {
    let mut all = 0;
    for (topic, records) in batches {
        metrics.consumed.with_label_values(&[group, topic]).inc_by(records as u64);
        all += records;
    }
    debug!(group, records = all, took_ms = took.as_millis(), "offsets committed");
    metrics.commit_seconds.with_label_values(&[group]).observe(took.as_secs_f64());
}

/// A batch came back for a partition that this instance no longer owns, or that was rewound: its new owner reads it again.
pub(crate) fn stale_batch(group: &str, topic: &str, partition: i32) {
    info!(group, topic, partition, "batch of a former assignment ignored");
}

/// How many records of each topic.
#[derive(Default)]
pub(crate) struct Counts(Vec<(&'static str, u64)>);

impl Counts {
    pub(crate) fn of(topics: impl Iterator<Item = &'static Topic>) -> Counts {
        let mut counts: Vec<(&'static str, u64)> = Vec::new();
        for topic in topics {
            match counts.iter_mut().find(|(name, _)| *name == topic.name) {
                Some((_, count)) => *count += 1,
                None => counts.push((topic.name, 1)),
            }
        }
        Counts(counts)
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}
