//! The front door's configuration: section `receive`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::{Realm, Source};
use secrecy::SecretString;
use serde::Deserialize;
use stream::producer::IngestConfig;
use stream::topics::INBOX;

use super::body::REQUEST_OVERHEAD;
use crate::providers::{self, Door, Provider};
use crate::secret::{Secret, SecretError};

const MIB: usize = 1024 * 1024;

/// Room in an inbox record for what is kept beside the body.
const RECORD_OVERHEAD: usize = 256 * 1024;

/// An hour.
const LONGEST_TIMEOUT_MS: u64 = 3_600_000;

/// Configuration of the front door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiveConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The largest body, in bytes. GitHub caps its payloads at 25 MB.
    pub max_body_bytes: usize,
    /// Bytes of bodies that may be held at once, over all requests; what waits for Kafka may take as much again.
    pub budget_bytes: usize,
    /// Connections at once; more of them wait to be accepted.
    pub max_connections: usize,
    /// How long a sender may take for the head of a request, or keep a connection without one, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long a sender may take for a body, in milliseconds.
    pub body_timeout_ms: u64,
    /// How long Kafka may take to acknowledge a delivery, in milliseconds. GitHub gives up on a webhook after 10 s.
    pub delivery_timeout_ms: u64,
    /// How long requests in flight may take to finish at a shutdown, in milliseconds.
    pub shutdown_timeout_ms: u64,
    /// Who may send, by the name in the address: `POST /hooks/<name>`.
    pub sources: BTreeMap<String, SourceConfig>,
}

/// One sender.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Who it is: `github`, `gitlab`, …; `throughline sources` lists them.
    pub provider: String,
    /// Realm of what it tells.
    #[serde(default = "default_realm")]
    pub realm: String,
    /// Secrets, any of which proves that a delivery is its own; several while they are rotated.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Takes deliveries from anybody.
    #[serde(default)]
    pub insecure_no_secret: bool,
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A name that does not fit an address and an id.
    #[error("sources: `{0}` is no name for a source: use 1 to 64 of a-z, 0-9, '.', '_' and '-'")]
    Name(String),
    /// A provider without an adapter.
    #[error("sources.{source_name}: provider `{provider}` is unknown; known are {known}")]
    Provider {
        /// Name of the source.
        source_name: String,
        /// What was asked for.
        provider: String,
        /// What there is.
        known: String,
    },
    /// A realm that is no key.
    #[error("sources.{0}: the realm is empty: leave it out for `default`")]
    Realm(String),
    /// No secret.
    #[error(
        "sources.{0} has no secret: anybody could send. Set `secrets`, or `insecure_no_secret = true` where only trusted senders reach it"
    )]
    NoSecret(String),
    /// A secret that would not be looked at.
    #[error("sources.{0} sets both `secrets` and `insecure_no_secret = true`: take one of them out")]
    Contradiction(String),
    /// A secret that cannot be had.
    #[error("sources.{source_name}: no secret")]
    Secret {
        /// Name of the source.
        source_name: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// A number that cannot work.
    #[error("receive.{setting} = {found}: {wanted}")]
    Limit {
        /// Name of the setting.
        setting: &'static str,
        /// What it is.
        found: u64,
        /// What it has to be.
        wanted: String,
    },
}

/// A source that can be checked against.
#[derive(Debug)]
pub(crate) struct KnownSource {
    pub(crate) name: Source,
    pub(crate) realm: Realm,
    pub(crate) door: &'static Door,
    /// None: it is taken on trust.
    pub(crate) secrets: Vec<SecretString>,
}

impl Default for ReceiveConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 8080).into(),
            max_body_bytes: 25 * MIB,
            budget_bytes: 128 * MIB,
            max_connections: 1024,
            header_timeout_ms: 30_000,
            body_timeout_ms: 30_000,
            delivery_timeout_ms: 5_000,
            shutdown_timeout_ms: 10_000,
            sources: BTreeMap::new(),
        }
    }
}

fn default_realm() -> String {
    "default".to_owned()
}

impl ReceiveConfig {
    /// Bounds of the producer that writes the inbox.
    #[must_use]
    pub fn ingest(&self) -> IngestConfig {
        let delivery_timeout = Duration::from_millis(self.delivery_timeout_ms);
        IngestConfig { budget_bytes: self.budget_bytes, delivery_timeout }
    }

    /// Checks what can be checked without getting a secret.
    ///
    /// # Errors
    /// Where a number or a source cannot work; names the key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.check_limits()?;
        self.sources.iter().try_for_each(|(name, source)| source.check(name).map(drop))
    }

    /// Checks everything and gets the secrets.
    pub(crate) fn resolve(&self) -> Result<BTreeMap<String, KnownSource>, ConfigError> {
        self.check_limits()?;
        self.sources.iter().map(|(name, source)| Ok((name.clone(), source.resolve(name)?))).collect()
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        let limit = |setting, found: usize, wanted| {
            Err(ConfigError::Limit { setting, found: u64::try_from(found).unwrap_or(u64::MAX), wanted })
        };
        let largest = (INBOX.max_message_bytes as usize).saturating_sub(RECORD_OVERHEAD);
        if !(1..=largest).contains(&self.max_body_bytes) {
            return limit(
                "max_body_bytes",
                self.max_body_bytes,
                format!("must be from 1 to {largest}, what the inbox takes"),
            );
        }
        // The record must fit too: it shares its number with the producer's budget.
        let least = self.max_body_bytes + REQUEST_OVERHEAD.max(RECORD_OVERHEAD);
        if self.budget_bytes < least {
            return limit(
                "budget_bytes",
                self.budget_bytes,
                format!("must be at least {least}, for one body of max_body_bytes"),
            );
        }
        if self.max_connections == 0 {
            return limit("max_connections", 0, "must be at least 1".to_owned());
        }
        for (setting, found) in [
            ("header_timeout_ms", self.header_timeout_ms),
            ("body_timeout_ms", self.body_timeout_ms),
            ("delivery_timeout_ms", self.delivery_timeout_ms),
        ] {
            if !(1..=LONGEST_TIMEOUT_MS).contains(&found) {
                let wanted = format!("must be from 1 to {LONGEST_TIMEOUT_MS}");
                return Err(ConfigError::Limit { setting, found, wanted });
            }
        }
        Ok(())
    }
}

impl SourceConfig {
    /// Checks what can be checked without getting a secret.
    fn check(&self, name: &str) -> Result<&'static Door, ConfigError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(legal) {
            return Err(ConfigError::Name(name.to_owned()));
        }
        let door = providers::find(&self.provider).map(Provider::door).ok_or_else(|| ConfigError::Provider {
            source_name: name.to_owned(),
            provider: self.provider.clone(),
            known: providers::names().collect::<Vec<_>>().join(", "),
        })?;
        if self.realm.trim().is_empty() {
            return Err(ConfigError::Realm(name.to_owned()));
        }
        match (self.secrets.is_empty(), self.insecure_no_secret) {
            (true, false) => Err(ConfigError::NoSecret(name.to_owned())),
            (false, true) => Err(ConfigError::Contradiction(name.to_owned())),
            _ => self.secrets_by(name, Secret::validate).map(|_| door),
        }
    }

    fn resolve(&self, name: &str) -> Result<KnownSource, ConfigError> {
        let door = self.check(name)?;
        Ok(KnownSource {
            name: Source::new(name),
            realm: Realm::new(self.realm.clone()),
            door,
            secrets: self.secrets_by(name, Secret::resolve)?,
        })
    }

    fn secrets_by<T>(&self, name: &str, each: fn(&Secret) -> Result<T, SecretError>) -> Result<Vec<T>, ConfigError> {
        let refused = |source| ConfigError::Secret { source_name: name.to_owned(), source };
        self.secrets.iter().map(each).collect::<Result<_, _>>().map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<BTreeMap<String, KnownSource>, String> {
        let config: ReceiveConfig = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        config.resolve().map_err(|e| e.to_string())
    }

    #[test]
    fn a_source_is_a_provider_and_a_secret() {
        let sources = resolve(
            "[sources.shop]\nprovider = 'github'\nsecrets = ['new', { env = 'PATH' }]\n\
             [sources.ci]\nprovider = 'cdevents'\nrealm = 'acme'\ninsecure_no_secret = true",
        )
        .unwrap();
        assert_eq!((sources["shop"].realm.as_str(), sources["shop"].secrets.len()), ("default", 2));
        assert_eq!((sources["ci"].realm.as_str(), sources["ci"].secrets.len()), ("acme", 0));
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_name() {
        let with = |rest: &str| format!("[sources.shop]\nprovider = 'github'\n{rest}");
        for (text, named) in [
            (with(""), "insecure_no_secret"),
            (with("secrets = []"), "sources.shop has no secret"),
            (with("secrets = ['']"), "sources.shop: no secret"),
            (with("secrets = ['a']\ninsecure_no_secret = true"), "both"),
            (with("secrets = ['a']\nrealm = ' '"), "realm"),
            (with("secret = 'a'"), "unknown field `secret`"),
            (
                "[sources.shop]\nprovider = 'gitbuh'\nsecrets = ['a']".to_owned(),
                "known are cdevents, github, gitlab, import",
            ),
            ("[sources.'a/b']\nprovider = 'github'\nsecrets = ['a']".to_owned(), "`a/b`"),
            ("max_body_bytes = 33554432".to_owned(), "receive.max_body_bytes"),
            ("max_body_bytes = 0".to_owned(), "receive.max_body_bytes"),
            ("budget_bytes = 26214400".to_owned(), "receive.budget_bytes"),
            ("max_connections = 0".to_owned(), "receive.max_connections"),
            ("body_timeout_ms = 0".to_owned(), "receive.body_timeout_ms = 0: must be from 1 to 3600000"),
        ] {
            let error = resolve(&text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
            // What needs no secret to be seen is seen without one.
            if let Ok(config) = toml::from_str::<ReceiveConfig>(&text) {
                assert_eq!(config.validate().unwrap_err().to_string(), error);
            }
        }
    }

    #[test]
    fn a_secret_out_of_reach_is_no_matter_of_the_check() {
        let text = "[sources.shop]\nprovider = 'github'\nsecrets = [{ env = 'NO_SUCH_VARIABLE' }]";
        toml::from_str::<ReceiveConfig>(text).unwrap().validate().unwrap();
        assert_eq!(resolve(text).unwrap_err(), "sources.shop: no secret");
    }

    #[test]
    fn secrets_are_not_printed() {
        let config: ReceiveConfig =
            toml::from_str("[sources.shop]\nprovider = 'github'\nsecrets = ['hunter2']").unwrap();
        let sources = config.resolve().unwrap();
        assert!(!format!("{config:?} {sources:?}").contains("hunter2"));
    }
}
