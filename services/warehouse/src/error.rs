use crate::config::ConfigError;
use crate::migration::MigrationError;
use crate::row_binary::RowError;

/// Why ClickHouse did not do what was asked. No variant holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`ConfigError`].
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// See [`RowError`].
    #[error(transparent)]
    Row(#[from] RowError),
    /// See [`MigrationError`].
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// No answer in time; whether it was done is unknown.
    #[error("ClickHouse at {url} did not answer within {ms} ms ({doing})")]
    Timeout {
        /// Address.
        url: String,
        /// What was asked for.
        doing: String,
        /// How long was waited, milliseconds.
        ms: u128,
    },
    /// No connection, or it broke; whether it was done is unknown.
    #[error(
        "ClickHouse at {url}, the address in clickhouse.url or THROUGHLINE_CLICKHOUSE__URL, cannot be reached ({doing})"
    )]
    Unreachable {
        /// Address.
        url: String,
        /// What was asked for.
        doing: String,
        /// What the network said.
        #[source]
        source: clickhouse::error::Error,
    },
    /// ClickHouse answered with an error.
    #[error("ClickHouse at {url} refused ({doing})")]
    Refused {
        /// Address.
        url: String,
        /// What was asked for.
        doing: String,
        /// What ClickHouse said.
        #[source]
        source: clickhouse::error::Error,
    },
    /// A row of an answer is not what the caller reads.
    #[error("a row of the answer does not fit ({doing})")]
    Answer {
        /// What was asked for.
        doing: String,
        /// What does not fit, and where.
        #[source]
        source: serde_json::Error,
    },
    /// An answer is not of the form that was asked for.
    #[error("the answer is not in the form that was asked for ({doing})")]
    Form {
        /// What was asked for.
        doing: String,
    },
    /// An answer could not be written where it should go.
    #[error("the answer cannot be written ({doing})")]
    Written {
        /// What was asked for.
        doing: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// What ClickHouse says when it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Number of the error.
    pub code: u32,
    /// Name of the error: `UNKNOWN_TABLE`; empty where it has none.
    pub name: String,
    /// What is wrong, in one sentence or several.
    pub message: String,
}

impl Error {
    /// What ClickHouse said, where it refused and said it in its usual form.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { source: clickhouse::error::Error::BadResponse(text), .. } => refusal(text),
            _ => None,
        }
    }
}

/// `Code: 60. DB::Exception: Unknown table … . (UNKNOWN_TABLE) (version …)`
fn refusal(text: &str) -> Option<Refusal> {
    let (_, rest) = text.split_once("Code: ")?;
    let digits = rest.find(|char: char| !char.is_ascii_digit())?;
    let code = rest[..digits].parse().ok()?;
    let message = rest[digits..].trim_start_matches(['.', ',', ' ']);
    let message = message.strip_prefix("DB::Exception:").unwrap_or(message).trim();
    let message = message.rsplit_once(" (version ").map_or(message, |(message, _)| message);
    let is_name = |name: &&str| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let named = message.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).filter(|(_, name)| is_name(name));
    let (message, name) = named.unwrap_or((message, ""));
    let message = message.trim_end_matches(['.', ' ']).split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Refusal { code, name: name.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clickhouse_says_is_taken_apart() {
        let said = "Code: 60. DB::Exception: Unknown table expression identifier 'releses' in scope SELECT *\nFROM releses. \
                    Maybe you meant releases?. (UNKNOWN_TABLE) (version 26.7.2.1 (official build))";
        let message =
            "Unknown table expression identifier 'releses' in scope SELECT * FROM releses. Maybe you meant releases?";
        assert_eq!(
            refusal(said),
            Some(Refusal { code: 60, name: "UNKNOWN_TABLE".to_owned(), message: message.to_owned() })
        );
        let bare = Refusal { code: 1000, name: String::new(), message: "Connection refused (here)".to_owned() };
        assert_eq!(refusal("Poco::Exception. Code: 1000, Connection refused (here)"), Some(bare));
        assert_eq!(refusal("502 Bad Gateway"), None);
    }
}
