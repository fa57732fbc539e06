//! What can be wrong with a configuration. No text holds a secret.

use std::path::PathBuf;

use ingestor::secret::SecretError;

use super::read::{Misfit, MisfitKind};
use super::secrets;
use super::tree::{Origin, Tree};
use crate::nearest::nearest;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration file {} cannot be read", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// What the parser says, never the line that it says it of: a secret may stand there.
    #[error("{place}: not TOML: {message}")]
    Syntax { place: String, message: String },
    #[error("{origin}: unknown key `{key}`{advice}")]
    UnknownKey { origin: Origin, key: String, advice: String },
    #[error("the key `{key}` is missing: give it in the file or as {variable} in the environment")]
    MissingKey { key: String, variable: String },
    #[error("{origin}: `{key}` is {found}, but {wanted} is wanted")]
    WrongType { origin: Origin, key: String, found: String, wanted: String },
    #[error("{origin}: `{key}`: {message}")]
    Refused { origin: Origin, key: String, message: String },
    #[error("the secret `{key}` is out of reach")]
    Secret {
        key: String,
        #[source]
        source: SecretError,
    },
    #[error("{0}")]
    Unusable(String),
    // Its own text names the key, which stands in one of two sections.
    #[error(transparent)]
    Receive(#[from] ingestor::receive::ConfigError),
    // The same.
    #[error(transparent)]
    Reconcile(#[from] ingestor::reconcile::ReconcileError),
    #[error("the section [kafka] cannot work")]
    Kafka(#[from] stream::config::ConfigError),
    #[error("the section [clickhouse] cannot work")]
    ClickHouse(#[from] warehouse::ConfigError),
    #[error("the section [correlate] cannot work")]
    Correlate(#[from] correlator::ConfigError),
    #[error("the section [load] cannot work")]
    Load(#[from] loader::ConfigError),
    #[error("the section [review] cannot work")]
    Review(#[from] reviewer::ConfigError),
}

impl ConfigError {
    /// Says in the user's words what serde found.
    pub(super) fn from_misfit(misfit: Misfit, tree: &Tree) -> Self {
        let path = misfit.path.unwrap_or_default();
        let dotted = |key: &str| path.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".");
        let origin = origin(tree, &path);
        match misfit.kind {
            MisfitKind::Unknown { key, known } => {
                let at: Vec<String> = path.iter().cloned().chain([key.clone()]).collect();
                let advice = match nearest(&key, known.iter().copied()) {
                    Some(right) => format!("; did you mean `{}`?", dotted(right)),
                    None if known.is_empty() => String::new(),
                    None => format!("; known here: {}", known.join(", ")),
                };
                Self::UnknownKey { origin: self::origin(tree, &at), key: dotted(&key), advice }
            }
            MisfitKind::Missing { key } => {
                let key = dotted(key);
                let variable = format!("THROUGHLINE_{}", key.replace('.', "__").to_uppercase());
                Self::MissingKey { key, variable }
            }
            MisfitKind::WrongType { kind, shown, wanted } => {
                let found = if secrets::is_secret(&path) { kind.to_owned() } else { secrets::redact(shown, tree) };
                Self::WrongType { origin, key: path.join("."), found, wanted }
            }
            MisfitKind::Refused(message) => {
                Self::Refused { origin, key: path.join("."), message: secrets::redact(message, tree) }
            }
        }
    }
}

/// Where the value at this path came from, or the innermost one around it.
fn origin(tree: &Tree, path: &[String]) -> Origin {
    let mut at = tree;
    for key in path {
        match at.get(key) {
            Some(inner) => at = inner,
            None => break,
        }
    }
    (*at.origin).clone()
}
