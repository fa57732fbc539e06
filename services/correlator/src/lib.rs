//! The correlator: runs the pure core of [`correlation`] on Kafka.
//!
//! It consumes the event topics, keeps the state of the realms of its partitions, and writes what follows: facts, and the changelog
//! from which the state is restored. Input offsets, changelog and facts commit in one Kafka transaction ([`stream::worker`]), so each
//! event counts exactly once, whatever crashes in between.

mod config;
mod internal_events;
mod learn;
mod processor;
mod restoring;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use correlation::changelog::{self, Anew};
use model::codec::DecodeError;
use prometheus::Registry;
use stream::append::Positions;
use stream::rewind::{Along, Change, Group, Read, RewindError, prepare, rewind};
use stream::scan::{ScanError, read_all};
use stream::worker::{Worker, WorkerConfig, WorkerError};
use stream::{KafkaConfig, Output, topics};
use tokio_util::sync::CancellationToken;

pub use config::{ConfigError, CorrelatorConfig};
use internal_events::Metrics;
pub use learn::learn;
use processor::Processor;

/// Why the correlator stopped. A restart goes on from what was committed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`ConfigError`].
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// See [`WorkerError`].
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// See [`RewindError`].
    #[error(transparent)]
    Rewind(#[from] RewindError),
    /// The changelog cannot be read to its end.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A record of the changelog that cannot be read or written.
    #[error(transparent)]
    Changelog(#[from] changelog::Error),
    /// A state that cannot be restored.
    #[error("the state cannot be restored from the changelog")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// See [`correlation::Error`].
    #[error(transparent)]
    Realm(#[from] correlation::Error),
    /// A newer version writes already.
    #[error("{topic} at offset {offset} was written by a newer version of Throughline: use that one")]
    Newer {
        topic: &'static str,
        offset: i64,
        #[source]
        source: DecodeError,
    },
    /// The registry has these metrics already.
    #[error("the metrics of the correlator cannot be registered: start one correlator for each registry")]
    Metrics(#[from] prometheus::Error),
}

/// What has become of the rows, for [`replay`].
pub use correlation::changelog::OldRows;
/// What [`replay`] has begun.
pub use stream::rewind::Rewound;

/// A delivery that a later adapter reads differently, and the partition of its realm.
pub type Superseded = (i32, correlation::Superseded);

/// What has changed in the event topics since the correlators read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Deliveries of which earlier events count no more.
    pub superseded: BTreeSet<Superseded>,
    /// How far the topics are to be read until the new generation may speak, beside what the old one had read.
    pub written: Positions,
}

/// Has everything worked out anew from the event topics, as a new generation, by the correlators that are started next. The rows of
/// the old generation stay until the new one has read as much, and what was mended; then what is different is corrected. Where its
/// rows are lost, that is everything.
///
/// # Errors
/// Where a correlator is running, its state cannot be read, or Kafka fails; nothing has changed then.
pub fn replay(
    config: &CorrelatorConfig,
    kafka: &KafkaConfig,
    metrics: &stream::Metrics,
    mended: Mended,
    old: OldRows,
) -> Result<Rewound, Error> {
    config.validate()?;
    let name = kafka.group_name(&config.group);
    let mut realms = BTreeSet::new();
    let anew = |key: &[u8], value: &[u8], read: &Read| {
        Ok::<_, changelog::Error>(match changelog::begin_anew(key, value, read, old)? {
            Anew::Kept => Change::Keep,
            Anew::Forgotten => Change::Delete,
            Anew::Replaced(value) => {
                realms.insert(key.to_vec());
                Change::Replace(value)
            }
            Anew::Lost(value) => Change::Replace(value),
        })
    };
    let mut along = Along { records: Vec::with_capacity(mended.superseded.len()), beyond: mended.written };
    for (partition, superseded) in &mended.superseded {
        let changelog::Record { key, value } = superseded.record()?;
        along
            .records
            .push(Output { payload: value, ..Output::tombstone(&topics::CHANGELOG, key) }.to_partition(*partition));
    }
    let rewound = rewind(kafka, group(&name), &along, metrics, anew)?;
    // For whoever asks, what was emitted is neither kept nor replaced.
    Ok(Rewound { replaced: realms.len(), ..rewound })
}

/// Looks whether a [`replay`] is possible, before anything is done for it.
///
/// # Errors
/// Where a correlator is running, or Kafka does not tell.
pub fn prepare_replay(config: &CorrelatorConfig, kafka: &KafkaConfig, metrics: &stream::Metrics) -> Result<(), Error> {
    config.validate()?;
    Ok(prepare(kafka, group(&kafka.group_name(&config.group)), metrics)?)
}

fn group(name: &str) -> Group<'_> {
    Group { name, inputs: &topics::EVENTS, changelog: &topics::CHANGELOG }
}

/// Deliveries that were superseded by an earlier [`replay`].
///
/// # Errors
/// Where the changelog cannot be read.
pub fn superseded(kafka: &KafkaConfig) -> Result<BTreeSet<Superseded>, Error> {
    let mut last = BTreeMap::new();
    let mut wrong = None;
    read_all(kafka, &topics::CHANGELOG, |record| {
        let (Some(key), Some(value)) = (&record.key, &record.payload) else { return ControlFlow::Continue(()) };
        match correlation::Superseded::read(key, value) {
            // The last record of a key counts.
            Ok(Some(superseded)) => {
                last.insert((record.partition, key.clone()), superseded);
            }
            Ok(None) => {}
            Err(error) => {
                wrong = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    match wrong {
        Some(error) => Err(error.into()),
        None => Ok(last.into_iter().map(|((partition, _), superseded)| (partition, superseded)).collect()),
    }
}

/// The state of every realm as the changelog has it now.
///
/// # Errors
/// Where the changelog cannot be read.
pub fn state(kafka: &KafkaConfig) -> Result<BTreeMap<model::Realm, correlation::Realm>, Error> {
    let mut restoring = restoring::Restoring::new();
    // The last record of a key counts; the records of a partition come in their order.
    read_all(kafka, &topics::CHANGELOG, |record| {
        if let Some(key) = &record.key {
            restoring.record(record.partition, key, record.payload.as_deref());
        }
        ControlFlow::Continue(())
    })?;
    let mut realms = BTreeMap::new();
    for partition in restoring.finish().into_values() {
        realms.extend(partition.map_err(|error| Error::State(Box::new(error)))?.realms);
    }
    Ok(realms)
}

/// A running correlator. Several of one installation share the realms.
pub struct Correlator {
    worker: Worker,
}

impl Correlator {
    /// Joins the group on a thread of its own. The topics must have been made ([`stream::admin::ensure_topics`]).
    ///
    /// # Errors
    /// On a configuration that cannot work, or a second correlator in one registry.
    pub fn start(
        config: &CorrelatorConfig,
        kafka: &KafkaConfig,
        stream: &stream::Metrics,
        registry: &Registry,
        shutdown: CancellationToken,
    ) -> Result<Self, Error> {
        config.validate()?;
        let metrics = Metrics::register(registry)?;
        let group = kafka.group_name(&config.group);
        let transactional_id = format!("{group}-{}", config.instance);
        let worker = WorkerConfig {
            commit_interval: config.commit_interval(),
            max_batch_records: config.max_batch_records,
            max_batch_bytes: config.max_batch_bytes,
            ..WorkerConfig::stateful(group, transactional_id, &topics::EVENTS, &topics::CHANGELOG)
        };
        let worker =
            Worker::spawn(kafka, worker, Processor::new(metrics, config.max_output_records), stream, shutdown)?;
        Ok(Self { worker })
    }

    /// Whether it is a member of its group and its state is restored: a check that outlives the correlator.
    pub fn readiness(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        self.worker.readiness()
    }

    /// Runs until the shutdown; the transaction at hand is committed first.
    ///
    /// # Errors
    /// Where Kafka fails for good or a state cannot be restored.
    pub async fn run(self) -> Result<(), Error> {
        Ok(self.worker.join().await?)
    }
}
