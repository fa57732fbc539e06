//! The loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use prometheus::Registry;
use stream::KafkaConfig;
use stream::reader::{Batch, Reader, ReaderConfig, ReaderError};
use tokio_util::sync::CancellationToken;
use warehouse::Warehouse;

use crate::config::{ConfigError, LoaderConfig};
use crate::internal_events::{self, Metrics};
use crate::load::{DecodeError, Load, Part};
use crate::retry::until_done;

/// How long batches of other partitions, which became ready at about the same time, are waited for.
const GATHER: Duration = Duration::from_millis(10);

/// What one partition may hold of a load. Each partition has up to two such batches in memory: with a whole load in each, the
/// six topics of an installation would take gigabytes after an outage.
const PARTITION_SHARE: usize = 8;

/// Why the loader stopped. What was not stored is read again by the next one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`ConfigError`].
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// See [`ReaderError`].
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// See [`DecodeError`].
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The registry has these metrics already.
    #[error("the metrics of the loader cannot be registered: start one loader for each registry")]
    Metrics(#[from] prometheus::Error),
}

/// One loader. Several of one installation share the partitions.
pub struct Loader {
    config: LoaderConfig,
    reader: Reader,
    warehouse: Warehouse,
    metrics: Metrics,
    shutdown: CancellationToken,
    /// ClickHouse took what it was last given.
    is_available: Arc<AtomicBool>,
}

impl Loader {
    /// Joins the group, and reads nothing out of it until [`Loader::run`]. The tables must have been made
    /// ([`Warehouse::migrate`]); topics too ([`stream::admin::ensure_topics`]).
    ///
    /// # Errors
    /// On a configuration that cannot work, or a second loader in one registry.
    pub fn start(
        config: LoaderConfig,
        kafka: &KafkaConfig,
        warehouse: Warehouse,
        stream: &stream::Metrics,
        registry: &Registry,
        shutdown: CancellationToken,
    ) -> Result<Loader, Error> {
        config.validate()?;
        let metrics = Metrics::register(registry)?;
        let reading = ReaderConfig {
            max_batch_records: config.max_batch_records.div_ceil(PARTITION_SHARE),
            max_batch_bytes: config.max_batch_bytes.div_ceil(PARTITION_SHARE),
            max_wait: config.max_wait(),
            ..ReaderConfig::new(kafka.group_name(&config.group), &stream::topics::FACTS)
        };
        let reader = Reader::spawn(kafka, reading, stream, shutdown.clone())?;
        let is_available = Arc::new(AtomicBool::new(false));
        Ok(Loader { config, reader, warehouse, metrics, shutdown, is_available })
    }

    /// Whether it is a member of its group and ClickHouse takes what it loads: a check that outlives the loader.
    pub fn readiness(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        let (is_reading, is_available) = (self.reader.readiness(), Arc::clone(&self.is_available));
        move || is_reading() && is_available.load(Ordering::Relaxed)
    }

    /// Loads until the shutdown. Batches at hand are stored and committed first, unless ClickHouse is away.
    ///
    /// # Errors
    /// On a record that is no fact, and where Kafka fails for good.
    pub async fn run(mut self) -> Result<(), Error> {
        if !self.store(|| self.warehouse.ping()).await {
            return Ok(());
        }
        self.available(true);
        while let Some(batches) = self.gather().await? {
            let load = Load::decode(&batches)?;
            if !(self.insert(&load).await && self.commit(&batches).await?) {
                internal_events::given_up(batches.len());
                return Ok(());
            }
            internal_events::loaded(&self.metrics, batches.len(), age(&load));
        }
        Ok(())
    }

    /// The next batch, and those of other partitions that are ready too: fewer and larger inserts, fewer parts to merge.
    async fn gather(&mut self) -> Result<Option<Vec<Batch>>, ReaderError> {
        let Some(first) = self.reader.next().await? else { return Ok(None) };
        let (mut records, mut bytes) = size(&first);
        let mut batches = vec![first];
        while records < self.config.max_batch_records && bytes < self.config.max_batch_bytes {
            let Ok(next) = tokio::time::timeout(GATHER, self.reader.next()).await else { break };
            let Some(batch) = next? else { break };
            let (more_records, more_bytes) = size(&batch);
            records += more_records;
            bytes += more_bytes;
            batches.push(batch);
        }
        Ok(Some(batches))
    }

    /// Stores a load; `false` where the loader is to stop before that worked.
    async fn insert(&self, load: &Load) -> bool {
        for (kind, parts) in [("kept", &load.kept), ("deleted", &load.deleted)] {
            // One for each table, all at the same time: an insert waits for the network and the disk longer than it works.
            let inserts = parts.iter().map(|part| self.insert_part(kind, part));
            if join_all(inserts).await.contains(&false) {
                return false;
            }
        }
        let published = self.store(|| self.warehouse.publish(&load.watermarks)).await;
        if published {
            self.available(true);
        }
        published
    }

    /// Stores the rows of one table; `false` where the loader is to stop before that worked.
    async fn insert_part(&self, kind: &str, Part { rows, origin }: &Part) -> bool {
        let insert = || async {
            let started = Instant::now();
            self.warehouse.insert(rows, origin).await?;
            internal_events::inserted(&self.metrics, rows.table().name, kind, rows.len(), started.elapsed());
            Ok(())
        };
        self.store(insert).await
    }

    /// Asks ClickHouse until it has done it; `false` where the loader is to stop before.
    ///
    /// A failure says at once that ClickHouse is away. That it is back is said once it took a whole load: of inserts at the same
    /// time some may work while others do not.
    async fn store<F: Future<Output = Result<(), warehouse::Error>>>(&self, attempt: impl Fn() -> F) -> bool {
        let on_failure = || self.available(false);
        until_done(&self.metrics, "ClickHouse", &self.shutdown, on_failure, attempt).await.is_some()
    }

    fn available(&self, is_available: bool) {
        self.is_available.store(is_available, Ordering::Relaxed);
        internal_events::availability(&self.metrics, is_available);
    }

    /// Commits the offsets; `false` where the loader is to stop before that worked.
    async fn commit(&self, batches: &[Batch]) -> Result<bool, ReaderError> {
        // Only a commit that Kafka refused may be repeated; any other error is the end of the reader.
        let commit = || async {
            match self.reader.commit(batches).await {
                Err(error @ ReaderError::Commit { .. }) => Err(error),
                done => Ok(done),
            }
        };
        match until_done(&self.metrics, "Kafka", &self.shutdown, || (), commit).await {
            Some(Ok(())) => Ok(true),
            None => Ok(false),
            Some(Err(ReaderError::Ended { .. })) if self.shutdown.is_cancelled() => Ok(false),
            Some(Err(error)) => Err(error),
        }
    }
}

/// Records and bytes.
fn size(batch: &Batch) -> (usize, usize) {
    (batch.records.len(), batch.records.iter().map(stream::Record::bytes).sum())
}

/// How long ago the oldest record was written to Kafka, by the clocks of this machine and of its writer.
fn age(load: &Load) -> Duration {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let oldest = load.oldest.and_then(|ms| u64::try_from(ms).ok()).map_or(now, Duration::from_millis);
    now.saturating_sub(oldest)
}
