//! Members as providers send them: left out, null, or empty where there is nothing. All three mean "not told" here.

use std::fmt;

use model::Timestamp;
use serde::{Deserialize, Deserializer, de};

/// An instant, where one was told: RFC 3339, or seconds since 1970 (in GitHub's `push`, members of `repository` are integers that
/// are texts elsewhere). Null, an empty text and times of the year 1 mean "not set".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct When(pub(crate) Option<Timestamp>);

/// 0002-01-01T00:00:00Z in milliseconds: what is earlier is the zero time of some language.
pub(crate) const YEAR_2: i64 = -62_104_060_800_000;

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = When;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time (RFC 3339, or seconds since 1970) or null")
            }
            fn visit_unit<E: de::Error>(self) -> Result<When, E> {
                Ok(When(None))
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<When, E> {
                Ok(When(Some(Timestamp::from_seconds(seconds))))
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<When, E> {
                i64::try_from(seconds)
                    .map(|s| When(Some(Timestamp::from_seconds(s))))
                    .map_err(|_| E::custom(format!("{seconds} is too large for a time")))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
                if text.trim().is_empty() {
                    return Ok(When(None));
                }
                let time = Timestamp::parse_rfc3339(text).map_err(E::custom)?;
                Ok(When(Some(time).filter(|t| t.0 >= YEAR_2)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Null is the default, as a missing member is.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// An empty text is no text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|t| !t.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_as_texts_and_as_seconds() {
        let read = |json: &str| serde_json::from_str::<When>(json).unwrap().0;
        assert_eq!(read("1557933565"), Some(Timestamp::from_seconds(1_557_933_565)));
        assert_eq!(read("\"2019-05-15T15:19:25Z\""), Some(Timestamp::from_seconds(1_557_933_565)));
        assert_eq!(read("\"2019-05-15T08:19:25-07:00\""), Some(Timestamp::from_seconds(1_557_933_565)));
        assert_eq!(read("\"0001-01-01T00:00:00Z\""), None);
        assert_eq!(read("\"0002-01-01T00:00:00Z\""), Some(Timestamp(YEAR_2)));
        assert_eq!(read("\"\""), None);
        assert_eq!(read("null"), None);
        assert!(serde_json::from_str::<When>("\"yesterday\"").is_err());
        assert!(serde_json::from_str::<When>("1.5").is_err());
    }
}
