//! Instants and durations: whole milliseconds, UTC, no floats.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Deserializer, Serialize, de};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
///
/// In JSON it is written as an integer and read from an integer or from an RFC 3339 text with an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A duration in milliseconds; negative where clocks disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

/// A text that is no instant.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{text}` is not a time like 2024-05-01T09:30:00Z (RFC 3339, with an offset)")]
pub struct TimeError {
    text: String,
    #[source]
    source: jiff::Error,
}

impl Timestamp {
    /// Instant from whole seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Reads RFC 3339: a date, a time and an offset. Digits below the millisecond are cut off.
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        text.trim()
            .parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_millisecond()))
            .map_err(|source| TimeError { text: text.to_owned(), source })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// Saturates at the ends of the range: times come from outside, and a nonsensical one must not stop the rest.
impl Sub for Timestamp {
    type Output = Millis;
    fn sub(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Millis> for Timestamp {
    type Output = Self;
    fn add(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add for Millis {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Millis {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Millis {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0), Add::add)
    }
}

/// The two largest units: `3 d 4 h`, `2 h 13 min`, `45 s`, `320 ms`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")];
        let all = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let Some(first) = UNITS.iter().position(|(size, _)| all >= *size) else { return f.write_str("0 s") };
        let (size, unit) = UNITS[first];
        let whole = format!("{sign}{} {unit}", all / size);
        // Milliseconds beside seconds help nobody.
        let text = match UNITS.get(first + 1).filter(|(_, next)| *next != "ms") {
            Some((next, name)) if all % size >= *next => format!("{whole} {} {name}", all % size / next),
            _ => whole,
        };
        f.pad(&text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds since 1970 or an RFC 3339 time")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(v))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Timestamp, E> {
                i64::try_from(v).map(Timestamp).map_err(|_| E::custom(format!("{v} is too large for a time")))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Timestamp, E> {
                Timestamp::parse_rfc3339(v).map_err(E::custom)
            }
        }
        // A format without types of its own, such as the correlator's changelog, must be told what to expect.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Visitor)
        } else {
            deserializer.deserialize_i64(Visitor)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integers_and_texts() {
        let read = |json: &str| serde_json::from_str::<Timestamp>(json).unwrap();
        assert_eq!(read("1700000000123"), Timestamp(1_700_000_000_123));
        assert_eq!(read("\"2023-11-14T22:13:20.123456Z\""), Timestamp(1_700_000_000_123));
        assert_eq!(read("\"2023-11-14T23:13:20+01:00\""), Timestamp::from_seconds(1_700_000_000));
        let error = serde_json::from_str::<Timestamp>("\"yesterday\"").unwrap_err().to_string();
        assert!(error.contains("`yesterday` is not a time like"), "{error}");
    }

    #[test]
    fn shows_the_two_largest_units() {
        for (ms, text) in [
            (0, "0 s"),
            (320, "320 ms"),
            (45_999, "45 s"),
            (7_980_000, "2 h 13 min"),
            (-90_000, "-1 min 30 s"),
            (172_800_000, "2 d"),
        ] {
            assert_eq!(Millis(ms).to_string(), text);
        }
    }

    #[test]
    fn saturates() {
        assert_eq!(Timestamp(i64::MAX) - Timestamp(-1), Millis(i64::MAX));
        assert_eq!(Timestamp(i64::MIN) + Millis(-1), Timestamp(i64::MIN));
    }
}
