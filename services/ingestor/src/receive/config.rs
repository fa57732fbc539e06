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
use crate::providers::generic::{GENERIC, Generic, RuleConfig, RuleError, Rules};
use crate::providers::{self, Door, Provider};
use crate::reconcile::{self, ApiError};
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
    /// Rules that bring bodies of any form to that of the provider `generic`; the first that is for a body counts.
    #[serde(default)]
    pub map: Vec<RuleConfig>,
    /// How its provider is asked for what could not be taken.
    #[serde(default)]
    pub api: Option<ApiConfig>,
    /// Version of the rules. Raise it whenever they are changed: a replay of the inbox then supersedes what the old ones had read.
    #[serde(default)]
    pub version: Option<i32>,
}

/// How the provider of a source is asked: section `sources.NAME.api`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiConfig {
    /// Root of the API, where it is not where the provider has it: `https://github.example.com/api/v3`.
    #[serde(default)]
    pub root: Option<String>,
    /// Proves who asks.
    #[serde(default)]
    pub token: Option<Secret>,
    /// Number of the GitHub App that asks, in place of a token.
    #[serde(default)]
    pub app: Option<u64>,
    /// The App's private key, as GitHub gave it.
    #[serde(default)]
    pub private_key: Option<Secret>,
    /// The webhook that sends the deliveries: `OWNER/REPOSITORY/ID`, or `ORGANISATION/ID`. An App's own needs no name.
    #[serde(default)]
    pub hook: Option<String>,
    /// Repositories whose history is read where the webhook's deliveries are kept no more: `OWNER/NAME`.
    #[serde(default)]
    pub repositories: Vec<String>,
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
    /// Rules of a source whose provider has none.
    #[error(
        "sources.{source_name}: `map` and `version` are of the provider `generic`, and this one is `{provider}`: take them out"
    )]
    NoRules {
        /// Name of the source.
        source_name: String,
        /// Its provider.
        provider: String,
    },
    /// Rules that cannot work.
    #[error("sources.{source_name}: the rules cannot work")]
    Rules {
        /// Name of the source.
        source_name: String,
        /// Why.
        #[source]
        source: Box<RuleError>,
    },
    /// An API that cannot be asked.
    #[error("sources.{source_name}.api cannot work")]
    Api {
        /// Name of the source.
        source_name: String,
        /// Why.
        #[source]
        source: Box<ApiError>,
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

    /// The adapter for generic JSON, with the rules of the sources.
    ///
    /// # Errors
    /// Where a rule cannot work; names the source, the rule and the reason.
    pub fn generic(&self) -> Result<Generic, ConfigError> {
        let rules =
            self.sources.iter().map(|(name, source)| Ok(source.rules(name)?.map(|rules| (Source::new(name), rules))));
        let rules: Vec<Option<(Source, Rules)>> = rules.collect::<Result<_, ConfigError>>()?;
        Ok(Generic::with_rules(rules.into_iter().flatten()))
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
        self.rules(name)?;
        if let Some(api) = &self.api {
            let refused = |source| ConfigError::Api { source_name: name.to_owned(), source: Box::new(source) };
            reconcile::check(&self.provider, api).map_err(refused)?;
        }
        if self.realm.trim().is_empty() {
            return Err(ConfigError::Realm(name.to_owned()));
        }
        match (self.secrets.is_empty(), self.insecure_no_secret) {
            (true, false) => Err(ConfigError::NoSecret(name.to_owned())),
            (false, true) => Err(ConfigError::Contradiction(name.to_owned())),
            _ => self.secrets_by(name, Secret::validate).map(|_| door),
        }
    }

    fn rules(&self, name: &str) -> Result<Option<Rules>, ConfigError> {
        if self.provider != GENERIC.name() && (!self.map.is_empty() || self.version.is_some()) {
            return Err(ConfigError::NoRules { source_name: name.to_owned(), provider: self.provider.clone() });
        }
        let refused = |source| ConfigError::Rules { source_name: name.to_owned(), source: Box::new(source) };
        Rules::compile(&self.map, self.version).map_err(refused)
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
                "provider `gitbuh` is unknown; known are ",
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
    fn rules_belong_to_generic_json_and_are_read_at_the_start() {
        let source = |provider: &str, when: &str| {
            let text = format!(
                "[sources.tool]\nprovider = '{provider}'\nsecrets = ['a']\nversion = 2\n\
                 [[sources.tool.map]]\nwhen = '{when}'\nkind = 'build'\nid = 'body.id'"
            );
            let config: ReceiveConfig = toml::from_str(&text).unwrap();
            config.validate().map_err(|error| crate::chain(&error)).map(|()| config.generic().unwrap())
        };
        let generic = source("generic", "has(body.id)").unwrap();
        assert_eq!((generic.version_for(&"tool".into()), generic.version_for(&"other".into())), (3, 1));
        let error = source("github", "true").unwrap_err();
        assert!(error.starts_with("sources.tool: `map` and `version` are of the provider `generic`"), "{error}");
        let error = source("generic", "has(bdy.id)").unwrap_err();
        assert!(
            error.starts_with("sources.tool: the rules cannot work: rule 1: `when`: `bdy` is not known"),
            "{error}"
        );
    }

    #[test]
    fn an_api_is_checked_without_its_token() {
        let source = |provider: &str, api: &str| {
            let text = format!(
                "[sources.shop]\nprovider = '{provider}'\nsecrets = ['a']\n[sources.shop.api]\n\
                 token = {{ env = 'NO_SUCH_VARIABLE' }}\n{api}"
            );
            let config: ReceiveConfig = toml::from_str(&text).unwrap();
            config.validate().map_err(|error| crate::chain(&error))
        };
        assert_eq!(source("github", "hook = 'acme/7'\nrepositories = ['acme/shop']"), Ok(()));
        assert_eq!(source("gitlab", "repositories = ['acme/backend/shop']"), Ok(()));
        assert_eq!(source("pagerduty", ""), Ok(()));
        for (provider, api, said) in [
            ("github", "", "neither `hook` nor `repositories`"),
            ("github", "hook = '7'", "`7` is no webhook"),
            ("github", "repositories = ['shop']", "`shop` names no repository"),
            ("github", "hook = 'acme/7'\nroot = 'api.github.com'", "`api.github.com` is not the address of an API"),
            ("github", "hook = 'acme/7'\napp = 7\nprivate_key = 'k'", "either `token`, or `app`"),
            ("gitlab", "", "no `repositories`"),
            ("gitlab", "repositories = ['shop']", "`shop` names no project"),
            ("gitlab", "hook = 'acme/7'\nrepositories = ['acme/shop']", "are for GitHub"),
            ("pagerduty", "root = 'api.pagerduty.com'", "is not the address of an API"),
            ("jenkins", "hook = 'acme/7'", "the provider `jenkins`"),
        ] {
            let error = source(provider, api).unwrap_err();
            assert!(error.starts_with("sources.shop.api cannot work: ") && error.contains(said), "{api}: {error}");
        }
    }

    #[test]
    fn a_github_app_asks_by_its_key_and_for_its_own_webhook() {
        let source = |api: &str| {
            let text = format!("[sources.shop]\nprovider = 'github'\nsecrets = ['a']\n[sources.shop.api]\n{api}");
            let config: ReceiveConfig = toml::from_str(&text).unwrap();
            config.validate().map_err(|error| crate::chain(&error))
        };
        assert_eq!(source("app = 7\nprivate_key = { env = 'NO_SUCH_VARIABLE' }"), Ok(()));
        for half in ["app = 7", "private_key = 'k'\nhook = 'acme/7'", "app = 7\nprivate_key = 'k'\nhook = 'acme/7'"] {
            let error = source(half).unwrap_err();
            assert!(error.contains("either `token`, or `app` with `private_key`"), "{half}: {error}");
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
