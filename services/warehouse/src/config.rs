//! Where ClickHouse is.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::retention::{self, Retention};

/// Where ClickHouse is, and how long to wait for it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WarehouseConfig {
    /// Address of the HTTP interface: `http://host:8123` or `https://host:8443`, without user and password.
    pub url: String,
    /// Database of the tables. Letters, digits and `_`.
    pub database: String,
    /// User; what it may do decides what works: `migrate` makes tables, the loader inserts, the reviewer reads.
    pub user: String,
    /// Its password; unset for none.
    pub password: Option<SecretString>,
    /// After this long a query, or a statement of a migration, is given up; milliseconds.
    pub query_timeout_ms: u64,
    /// After this long an insert is given up, to be tried again; milliseconds.
    pub insert_timeout_ms: u64,
    /// How many days the rows of a table are kept; for good where it is not named.
    pub retention: Retention,
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not an address. The value is not repeated, since it may hold a password.
    #[error("clickhouse.url is not http://host:port or https://host:port")]
    Url,
    /// The address names a user.
    #[error("clickhouse.url names a user: set clickhouse.user and clickhouse.password instead")]
    UrlWithUser,
    /// Not a name that needs no quotes.
    #[error("clickhouse.database {0:?} is no name: use letters, digits and `_`, not starting with a digit")]
    Database(String),
    /// No time at all.
    #[error("clickhouse.{0} is 0: give it at least a second (1000)")]
    Timeout(&'static str),
    /// No table whose rows can end.
    #[error("clickhouse.retention names `{table}`, which is no table whose rows have a time: {known}")]
    NotRetained {
        /// The name.
        table: String,
        /// The tables there are.
        known: String,
    },
    /// No time at all, or longer than anything.
    #[error(
        "clickhouse.retention.{table} = {days}: give it 1 to 36500 days, or leave it out to keep the rows for good"
    )]
    Days {
        /// Table.
        table: String,
        /// Days given.
        days: u32,
    },
}

impl Default for WarehouseConfig {
    fn default() -> Self {
        Self {
            url: "http://localhost:8123".to_owned(),
            database: "throughline".to_owned(),
            user: "default".to_owned(),
            password: None,
            query_timeout_ms: 30_000,
            insert_timeout_ms: 60_000,
            retention: Retention::new(),
        }
    }
}

impl fmt::Debug for WarehouseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address has been refused if it holds a password, but it may be printed before.
        let url = if self.validate_url().is_ok() { self.url.as_str() } else { "<not valid>" };
        f.debug_struct("WarehouseConfig")
            .field("url", &url)
            .field("database", &self.database)
            .field("user", &self.user)
            .field("password", &self.password)
            .field("query_timeout_ms", &self.query_timeout_ms)
            .field("insert_timeout_ms", &self.insert_timeout_ms)
            .field("retention", &self.retention)
            .finish()
    }
}

impl WarehouseConfig {
    /// Checks what can be checked without a server.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_url()?;
        retention::validate(&self.retention)?;
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let starts = self.database.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if !(starts && self.database.bytes().all(legal)) {
            return Err(ConfigError::Database(self.database.clone()));
        }
        for (name, ms) in [("query_timeout_ms", self.query_timeout_ms), ("insert_timeout_ms", self.insert_timeout_ms)] {
            if ms == 0 {
                return Err(ConfigError::Timeout(name));
            }
        }
        Ok(())
    }

    fn validate_url(&self) -> Result<(), ConfigError> {
        let rest = self.url.strip_prefix("http://").or_else(|| self.url.strip_prefix("https://"));
        let rest = rest.ok_or(ConfigError::Url)?;
        if rest.contains('@') {
            return Err(ConfigError::UrlWithUser);
        }
        // The client puts its own parameters behind the address and drops those that are there.
        if rest.is_empty() || rest.contains(['?', '#', ' ']) {
            return Err(ConfigError::Url);
        }
        Ok(())
    }

    pub(crate) fn query_timeout(&self) -> Duration {
        Duration::from_millis(self.query_timeout_ms)
    }

    pub(crate) fn insert_timeout(&self) -> Duration {
        Duration::from_millis(self.insert_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> WarehouseConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn defaults_are_enough() {
        parse("").validate().unwrap();
        assert!(toml::from_str::<WarehouseConfig>("host = 'x'").is_err(), "unknown fields are refused");
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = parse("user = 'loader'\npassword = 'hunter2'");
        config.validate().unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let config = parse("url = 'http://loader:hunter2@host:8123'");
        let error = config.validate().unwrap_err();
        assert!(!format!("{config:?} {error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_name() {
        for (text, named) in [
            ("url = 'clickhouse:8123'", "clickhouse.url"),
            ("url = 'http://'", "clickhouse.url"),
            ("database = 'a-b'", "a-b"),
            ("database = ''", "clickhouse.database"),
            ("insert_timeout_ms = 0", "clickhouse.insert_timeout_ms"),
        ] {
            let error = parse(text).validate().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
