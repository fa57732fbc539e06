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
    #[error("ClickHouse at {url} cannot be reached ({doing})")]
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
}
