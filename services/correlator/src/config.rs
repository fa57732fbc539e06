//! How to run the correlator.

use std::time::Duration;

use serde::Deserialize;

/// How to run the correlator. The defaults fit one instance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorrelatorConfig {
    /// Consumer group, below the installation's prefix.
    pub group: String,
    /// Name of this instance: stable over its restarts, different from that of every other one. On Kubernetes the name of the pod of
    /// a stateful set.
    pub instance: String,
    /// Time between two commits while there is input, in milliseconds: 50 to 200 is reasonable, since each costs a round trip, and
    /// what is committed is what a panel can show.
    pub commit_interval_ms: u64,
    /// The most events in one transaction.
    pub max_batch_records: usize,
    /// The most bytes of events in one transaction.
    pub max_batch_bytes: usize,
    /// About the most facts and records of state in one transaction: where more follows from its events, as from the first deployment
    /// of a long history or from a new catalog, the rest comes with the next ones.
    pub max_output_records: usize,
}

impl Default for CorrelatorConfig {
    fn default() -> Self {
        Self {
            group: "correlator".to_owned(),
            instance: "0".to_owned(),
            commit_interval_ms: 100,
            max_batch_records: 10_000,
            max_batch_bytes: 32 * 1024 * 1024,
            max_output_records: 50_000,
        }
    }
}

/// A configuration that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A name is missing.
    #[error("`correlate.{0}` is empty: give it a name")]
    Empty(&'static str),
    /// A number must be greater than zero.
    #[error("`correlate.{0}` is 0: it must be at least 1")]
    Zero(&'static str),
}

impl CorrelatorConfig {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// Names the key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (key, value) in [("group", &self.group), ("instance", &self.instance)] {
            if value.is_empty() {
                return Err(ConfigError::Empty(key));
            }
        }
        let positive = [
            ("commit_interval_ms", self.commit_interval_ms == 0),
            ("max_batch_records", self.max_batch_records == 0),
            ("max_batch_bytes", self.max_batch_bytes == 0),
            ("max_output_records", self.max_output_records == 0),
        ];
        match positive.into_iter().find(|(_, zero)| *zero) {
            Some((key, _)) => Err(ConfigError::Zero(key)),
            None => Ok(()),
        }
    }

    pub(crate) fn commit_interval(&self) -> Duration {
        Duration::from_millis(self.commit_interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_cannot_work() {
        assert_eq!(CorrelatorConfig::default().validate(), Ok(()));
        let config = CorrelatorConfig { instance: String::new(), ..CorrelatorConfig::default() };
        assert_eq!(config.validate(), Err(ConfigError::Empty("instance")));
        let config = CorrelatorConfig { max_batch_records: 0, ..CorrelatorConfig::default() };
        assert_eq!(config.validate(), Err(ConfigError::Zero("max_batch_records")));
    }
}
