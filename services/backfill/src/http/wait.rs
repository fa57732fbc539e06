//! Waits, as people are told of them.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A wait that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long.
    pub pause: Duration,
    /// When it ends.
    pub until: SystemTime,
    /// Why.
    pub why: Why,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The API takes no more requests for now.
    Limit,
    /// The API does not answer, or with an error of its own.
    Outage,
}

impl Wait {
    pub(super) fn new(pause: Duration, why: Why) -> Self {
        Self { pause, until: SystemTime::now() + pause, why }
    }
}

/// `waiting for the rate limit until 14:03 UTC`.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.why {
            Why::Limit => "waiting for the rate limit",
            Why::Outage => "no good answer, waiting",
        };
        match jiff::Timestamp::try_from(self.until) {
            // To the second where the minute would say nothing.
            Ok(until) if self.pause < Duration::from_secs(120) => {
                write!(f, "{what} until {}", until.strftime("%H:%M:%S UTC"))
            }
            Ok(until) => write!(f, "{what} until {}", until.strftime("%H:%M UTC")),
            Err(_) => write!(f, "{what} in {} s", self.pause.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_until_when() {
        let until = SystemTime::UNIX_EPOCH + Duration::from_secs(14 * 3600 + 3 * 60);
        let wait = |seconds, why| Wait { pause: Duration::from_secs(seconds), until, why }.to_string();
        assert_eq!(wait(1800, Why::Limit), "waiting for the rate limit until 14:03 UTC");
        assert_eq!(wait(4, Why::Outage), "no good answer, waiting until 14:03:00 UTC");
    }
}
