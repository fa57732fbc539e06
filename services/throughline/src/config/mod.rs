//! The configuration: one TOML file, each key of it overridable by an environment variable.
//!
//! [`layers`] makes one [`tree::Tree`] of the defaults, the file and the environment; [`secrets`] puts secrets in their places;
//! [`read`] makes the typed [`Config`] of it, refusing what it does not know.

mod error;
mod layers;
mod read;
mod secrets;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Realm;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use error::ConfigError;
pub use table::{Setting, quoted};
pub use tree::Tree;

use crate::telemetry::LogConfig;

/// Sections whose secrets each command reads.
pub mod sections {
    pub const ALL: &[&str] = &["kafka", "clickhouse", "people", "sources", "receive", "correlate", "load", "review"];
    pub const PEOPLE: &[&str] = &["people"];
    pub const KAFKA: &[&str] = &["kafka"];
    pub const CLICKHOUSE: &[&str] = &["clickhouse"];
    pub const KAFKA_AND_PEOPLE: &[&str] = &["kafka", "people"];
    pub const KAFKA_AND_CLICKHOUSE: &[&str] = &["kafka", "clickhouse"];
}

/// The shortest key of the hash that is taken, in bytes: 128 bits.
const SHORTEST_KEY: usize = 16;

/// Everything that can be configured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub kafka: stream::KafkaConfig,
    pub receive: ingestor::receive::ReceiveConfig,
    #[serde(default)]
    sources: BTreeMap<String, ingestor::receive::SourceConfig>,
    #[serde(default)]
    pub people: PeopleConfig,
    pub normalise: ingestor::normalise::NormaliseConfig,
    pub reconcile: ingestor::reconcile::ReconcileConfig,
    pub correlate: correlator::CorrelatorConfig,
    pub load: loader::LoaderConfig,
    pub review: reviewer::ReviewConfig,
    pub clickhouse: warehouse::WarehouseConfig,
    /// Key `clickhouse.migrate_on_start`: `load` and `all` make the tables before they begin.
    #[serde(skip)]
    pub migrate_on_start: bool,
    pub catalog: CatalogConfig,
    pub admin: AdminConfig,
    pub log: LogConfig,
    pub shutdown: ShutdownConfig,
}

/// Section `[people]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleConfig {
    /// Key of the hash that stands for an account or an address behind normalise. Wanted by `ingest`; it must never change.
    #[serde(default)]
    pub key: Option<SecretString>,
}

/// Section `[catalog]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogConfig {
    /// File with the catalog of the realm `default`, followed by `ingest` and `all`.
    #[serde(default)]
    file: Option<PathBuf>,
    /// Files with the catalogs of other realms, by their names.
    #[serde(default)]
    realms: BTreeMap<String, PathBuf>,
    /// How often the files are looked at, in milliseconds.
    poll_ms: u64,
}

impl CatalogConfig {
    /// The files that are followed, with the realm of each.
    pub fn files(&self) -> Vec<(Realm, PathBuf)> {
        let others = self.realms.iter().map(|(realm, file)| (Realm::new(realm), file.clone()));
        self.file.iter().map(|file| (Realm::new("default"), file.clone())).chain(others).collect()
    }

    /// How often the files are looked at.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.poll_ms == 0 {
            return Err(ConfigError::Unusable(
                "catalog.poll_ms is 0, and a file cannot be looked at all the time".to_owned(),
            ));
        }
        if self.file.is_some() && self.realms.contains_key("default") {
            return Err(ConfigError::Unusable(
                "catalog.file and catalog.realms.default both name the catalog of the realm `default`: keep one"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// Section `[admin]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// Where health, metrics and schemas are served.
    pub listen: SocketAddr,
}

/// Section `[shutdown]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShutdownConfig {
    /// How long the roles may take to end after a signal, in milliseconds.
    pub drain_ms: u64,
}

impl ShutdownConfig {
    /// How long the roles may take to end after a signal.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}

impl PeopleConfig {
    /// The key of the hash, for the commands that cannot do without.
    pub fn required_key(&self) -> Result<&[u8], ConfigError> {
        let key = self.key.as_ref().map(|key| key.expose_secret().as_bytes());
        key.ok_or_else(|| ConfigError::MissingKey {
            key: "people.key".to_owned(),
            variable: "THROUGHLINE_PEOPLE__KEY".to_owned(),
        })
    }
}

/// The configuration as values with their origins, not yet typed.
pub fn load(file: Option<&Path>) -> Result<Tree, ConfigError> {
    layers::load(file, std::env::vars_os())
}

impl Config {
    /// Reads and checks the configuration; secrets are read of the given [`sections`] only.
    pub fn load(file: Option<&Path>, sections: &[&str]) -> Result<Self, ConfigError> {
        Self::from_tree(load(file)?, sections)
    }

    /// Makes the typed configuration and checks it.
    pub fn from_tree(mut tree: Tree, sections: &[&str]) -> Result<Self, ConfigError> {
        secrets::resolve(&mut tree, sections)?;
        // Ours, in a section that is otherwise another crate's.
        let migrate_on_start = match tree.take("clickhouse", "migrate_on_start") {
            Some(switch) => read::read(&switch, &["clickhouse", "migrate_on_start"])
                .map_err(|misfit| ConfigError::from_misfit(misfit, &switch))?,
            None => true,
        };
        let mut config: Self = read::read(&tree, &[]).map_err(|misfit| ConfigError::from_misfit(misfit, &tree))?;
        config.migrate_on_start = migrate_on_start;
        if !config.receive.sources.is_empty() {
            return Err(ConfigError::Unusable(
                "`receive.sources` is not where sources stand: write [sources.NAME]".to_owned(),
            ));
        }
        config.receive.sources = std::mem::take(&mut config.sources);
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.kafka.validate()?;
        self.receive.validate()?;
        self.reconcile.validate()?;
        self.clickhouse.validate()?;
        self.correlate.validate()?;
        self.load.validate()?;
        self.review.validate()?;
        self.catalog.validate()?;
        self.log.validate().map_err(|error| ConfigError::Unusable(format!("log.level: {error}")))?;
        match &self.people.key {
            Some(key) if key.expose_secret().len() < SHORTEST_KEY => Err(ConfigError::Unusable(format!(
                "people.key has {} bytes, and fewer than {SHORTEST_KEY} can be guessed: make one with `openssl rand -hex 32`",
                key.expose_secret().len()
            ))),
            _ => Ok(()),
        }
    }
}
