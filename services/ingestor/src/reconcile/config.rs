//! The reconciler's configuration: section `reconcile`.

use std::time::Duration;

use model::Millis;
use serde::Deserialize;

/// Configuration of the reconciler.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileConfig {
    /// Time between two looks for gaps, in milliseconds.
    pub interval_ms: u64,
    /// Time until a gap is tried again that the provider gave no answer for, in milliseconds.
    pub retry_ms: u64,
    /// The shortest time without an open front door that is a gap, in milliseconds.
    pub away_ms: u64,
    /// The shortest silence that may be beyond a source's habit, in milliseconds.
    pub silence_ms: u64,
}

/// A number that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reconcile.{setting} = {found}: must be from {least} to {most}")]
pub struct ReconcileError {
    setting: &'static str,
    found: u64,
    least: u64,
    most: u64,
}

/// A front door says three times as often that it is open.
const LEAST_AWAY_MS: u64 = 1_000;
/// A week.
const MOST_MS: u64 = 7 * 86_400_000;

impl Default for ReconcileConfig {
    fn default() -> Self {
        Self { interval_ms: 60_000, retry_ms: 600_000, away_ms: 30_000, silence_ms: 3_600_000 }
    }
}

impl ReconcileConfig {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Where one cannot work; names the key.
    pub fn validate(&self) -> Result<(), ReconcileError> {
        for (setting, found, least) in [
            ("interval_ms", self.interval_ms, 100),
            ("retry_ms", self.retry_ms, 100),
            ("away_ms", self.away_ms, LEAST_AWAY_MS),
            ("silence_ms", self.silence_ms, 60_000),
        ] {
            if !(least..=MOST_MS).contains(&found) {
                return Err(ReconcileError { setting, found, least, most: MOST_MS });
            }
        }
        Ok(())
    }

    /// The shortest absence that is a gap.
    #[must_use]
    pub fn away(&self) -> Millis {
        millis(self.away_ms)
    }

    pub(super) fn silence(&self) -> Millis {
        millis(self.silence_ms)
    }

    pub(super) fn retry(&self) -> Millis {
        millis(self.retry_ms)
    }

    pub(super) fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}

fn millis(value: u64) -> Millis {
    Millis(i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_named() {
        ReconcileConfig::default().validate().unwrap();
        let error = ReconcileConfig { away_ms: 1, ..ReconcileConfig::default() }.validate().unwrap_err();
        assert_eq!(error.to_string(), "reconcile.away_ms = 1: must be from 1000 to 604800000");
    }
}
