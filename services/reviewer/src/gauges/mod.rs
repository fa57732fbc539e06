//! Figures of every component, worked out from the tables again and again, at `/metrics`.
//!
//! A look asks first what has changed (`history::marks`) and reads the histories of those components alone: the statistic looks at
//! hundreds of releases, and most components have none that is new.

mod board;
mod found;
mod history;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Component, Realm, Timestamp};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;
use warehouse::Warehouse;

use crate::config::{ConfigError, ReviewConfig};
use crate::internal_events::{self, Metrics};
use board::Board;
use found::Found;
use history::{Key, Mark, Owned};

/// Components whose histories are read at a time.
const AT_A_TIME: usize = 50;
/// A pause is at least so many times as long as the look before it: ClickHouse is there for those who ask.
const REST: u32 = 10;
/// How soon a look is tried again that failed.
const AGAIN: Duration = Duration::from_secs(5);

/// Why the gauges cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`ConfigError`].
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The registry has these metrics already.
    #[error("the gauges of the components cannot be registered: start one reviewer for each registry")]
    Metrics(#[from] prometheus::Error),
}

/// What works out the figures.
pub struct Gauges {
    config: ReviewConfig,
    warehouse: Warehouse,
    board: Board,
    metrics: Metrics,
    known: BTreeMap<Key, Known>,
    is_current: Arc<AtomicBool>,
}

/// What was found of a component, and in what.
struct Known {
    mark: Mark,
    acknowledged: Vec<Timestamp>,
    found: Found,
}

impl Gauges {
    /// Registers the gauges; they have no series until [`Gauges::run`] has looked at the tables once.
    ///
    /// # Errors
    /// On a configuration that cannot work, or where the registry has them already.
    pub fn new(config: ReviewConfig, warehouse: Warehouse, registry: &Registry) -> Result<Self, Error> {
        config.validate()?;
        let board = Board::register(registry)?;
        let metrics = Metrics::register(registry)?;
        let is_current = Arc::new(AtomicBool::new(false));
        Ok(Self { config, warehouse, board, metrics, known: BTreeMap::new(), is_current })
    }

    /// Whether the last look at the tables gave figures: a check that outlives the gauges.
    pub fn readiness(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        let is_current = Arc::clone(&self.is_current);
        move || is_current.load(Ordering::Relaxed)
    }

    /// Looks at the tables until the shutdown. While ClickHouse is away, the figures of before are served.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut failures = 0;
        let mut last = None;
        loop {
            let started = Instant::now();
            let Some(looked) = shutdown.run_until_cancelled(self.refresh()).await else { return };
            let took = started.elapsed();
            self.is_current.store(looked.is_ok(), Ordering::Relaxed);
            let pause = match looked {
                Ok(()) => {
                    internal_events::refreshed(&self.metrics, now(), took);
                    if failures > 0 {
                        internal_events::recovered(failures);
                    }
                    (failures, last) = (0, None);
                    self.config.refresh().max(took.saturating_mul(REST))
                }
                Err(error) => {
                    failures += 1;
                    let kind = std::mem::discriminant(&error);
                    internal_events::failed(&self.metrics, last.replace(kind) != Some(kind), &error);
                    self.config.refresh().min(AGAIN)
                }
            };
            if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// One look.
    async fn refresh(&mut self) -> Result<(), warehouse::Error> {
        let components = history::components(&self.warehouse).await?;
        let marks = history::marks(&self.warehouse).await?;
        let recent = history::recent(&self.warehouse, self.config.days).await?;
        let open = history::open(&self.warehouse, self.config.days).await?;
        self.known.retain(|key, _| components.contains_key(key));
        self.examine(&components, &marks).await?;
        let known = &self.known;
        self.board.show(|figures| {
            for (key, owned) in &components {
                if let Some(known) = known.get(key) {
                    figures.add(key, owned, &known.found, recent.get(key), open.get(key));
                }
            }
        });
        Ok(())
    }

    /// Examines the components whose rows have changed.
    async fn examine(
        &mut self,
        components: &BTreeMap<Key, Owned>,
        marks: &BTreeMap<Key, Mark>,
    ) -> Result<(), warehouse::Error> {
        let mark = |key: &Key| marks.get(key).copied().unwrap_or_default();
        let mut changed: BTreeMap<&Realm, Vec<&Component>> = BTreeMap::new();
        for (key, owned) in components {
            let is_same = |known: &Known| known.mark == mark(key) && known.acknowledged == owned.acknowledged;
            if !self.known.get(key).is_some_and(is_same) {
                changed.entry(&key.0).or_default().push(&key.1);
            }
        }
        for (realm, names) in changed {
            for names in names.chunks(AT_A_TIME) {
                let mut histories = history::histories(&self.warehouse, realm, names).await?;
                for name in names {
                    let key = (realm.clone(), (*name).clone());
                    let history = histories.remove(*name).unwrap_or_default();
                    let acknowledged = components.get(&key).map(|owned| owned.acknowledged.clone()).unwrap_or_default();
                    let found = Found::of(&history, &acknowledged, self.config.least());
                    self.known.insert(key.clone(), Known { mark: mark(&key), acknowledged, found });
                    // Milliseconds for each: the others of this process get their turn.
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
