use std::time::Duration;

use serde::Deserialize;

/// How often the figures of the components are worked out, and over how long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewConfig {
    /// How long after one look at the tables the next one comes; milliseconds. A look that takes long puts off the next one.
    pub refresh_ms: u64,
    /// The medians and shares at `/metrics` are those of the releases, gates and builds of so many days.
    pub days: u32,
    /// A sustained shift of less than so many percent is not told of.
    pub least_percent: u32,
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// All the time.
    #[error("review.refresh_ms is 0, and the tables cannot be asked all the time: give it at least a second (1000)")]
    Refresh,
    /// No time at all, or longer than anything.
    #[error("review.days = {0}: give it 1 to 366 days")]
    Days(u32),
    /// Everything is a shift, or nothing.
    #[error("review.least_percent = {0}: give it 5 to 1000; below, chance alone would be told of")]
    LeastPercent(u32),
}

impl Default for ReviewConfig {
    fn default() -> Self {
        Self { refresh_ms: 60_000, days: 30, least_percent: 20 }
    }
}

impl ReviewConfig {
    /// Checks what can be checked without a server.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.refresh_ms == 0 {
            return Err(ConfigError::Refresh);
        }
        if !(1..=366).contains(&self.days) {
            return Err(ConfigError::Days(self.days));
        }
        if !(5..=1000).contains(&self.least_percent) {
            return Err(ConfigError::LeastPercent(self.least_percent));
        }
        Ok(())
    }

    pub(crate) fn refresh(&self) -> Duration {
        Duration::from_millis(self.refresh_ms)
    }

    /// The least shift that is told of, as a ratio in thousandths.
    pub(crate) fn least(&self) -> i64 {
        1000 + i64::from(self.least_percent) * 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_with_its_name() {
        ReviewConfig::default().validate().unwrap();
        let with = |change: fn(&mut ReviewConfig)| {
            let mut config = ReviewConfig::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(with(|config| config.refresh_ms = 0).starts_with("review.refresh_ms is 0"));
        assert!(with(|config| config.days = 0).starts_with("review.days = 0"));
        assert!(with(|config| config.least_percent = 2).starts_with("review.least_percent = 2"));
    }

    #[test]
    fn percents_are_thousandths_above_one() {
        assert_eq!(ReviewConfig::default().least(), 1200);
    }
}
