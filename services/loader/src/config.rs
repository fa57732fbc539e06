use std::time::Duration;

use serde::Deserialize;

/// How much the loader puts into one insert, and how long it waits for more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoaderConfig {
    /// Consumer group, without the prefix of the installation.
    pub group: String,
    /// Above this many records a load is not added to. One partition has an eighth of it at a time.
    pub max_batch_records: usize,
    /// Above this many bytes of records a load is not added to. One partition has an eighth of it at a time, and as much read
    /// ahead: memory is at most a quarter of this for each partition of the topics of facts.
    pub max_batch_bytes: usize,
    /// How long the first record of a partition waits for more; milliseconds. A longer wait makes fewer and larger inserts.
    pub max_wait_ms: u64,
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No group.
    #[error("load.group is empty: give it a name")]
    Group,
    /// No room for a record.
    #[error("load.{0} is 0: at least 1 is needed")]
    Batch(&'static str),
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self {
            group: "loader".to_owned(),
            max_batch_records: 50_000,
            max_batch_bytes: 32 * 1024 * 1024,
            max_wait_ms: 200,
        }
    }
}

impl LoaderConfig {
    /// Checks what can be checked without a server.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.group.trim().is_empty() {
            return Err(ConfigError::Group);
        }
        for (name, found) in [("max_batch_records", self.max_batch_records), ("max_batch_bytes", self.max_batch_bytes)]
        {
            if found == 0 {
                return Err(ConfigError::Batch(name));
            }
        }
        Ok(())
    }

    pub(crate) fn max_wait(&self) -> Duration {
        Duration::from_millis(self.max_wait_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_enough() {
        toml::from_str::<LoaderConfig>("").unwrap().validate().unwrap();
        assert!(toml::from_str::<LoaderConfig>("batch = 1").is_err(), "unknown fields are refused");
        let error = toml::from_str::<LoaderConfig>("max_batch_bytes = 0").unwrap().validate().unwrap_err();
        assert!(error.to_string().contains("load.max_batch_bytes"));
    }
}
