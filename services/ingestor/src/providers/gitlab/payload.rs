//! The shapes that several kinds of deliveries share: only the members that are read.
//!
//! The source of the shapes is <https://docs.gitlab.com/user/project/integrations/webhook_events/>, what builds them in GitLab
//! (`lib/gitlab/data_builder`, `lib/gitlab/hook_data`), and what was seen in deliveries. What is left out, null or empty means
//! "not told" here.

use std::fmt;
use std::time::Duration;

use model::{CommitId, Millis, Timestamp};
use serde::{Deserialize, Deserializer, de};

pub(super) use crate::providers::lenient::{nullable, text};

/// A project.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Project {
    pub(super) id: Option<u64>,
    /// Its page; the host tells one GitLab from another.
    pub(super) web_url: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) default_branch: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) ci_config_path: Option<String>,
}

/// An account. Nothing tells whether a person or a machine uses it, except its name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Account {
    pub(super) id: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) username: Option<String>,
    /// `[REDACTED]` where the account shows none.
    #[serde(default, deserialize_with = "text")]
    pub(super) email: Option<String>,
}

/// Author of a commit.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GitUser {
    #[serde(default, deserialize_with = "text")]
    pub(super) email: Option<String>,
}

/// Environment of a job.
#[derive(Debug, Deserialize)]
pub(super) struct JobEnvironment {
    #[serde(default, deserialize_with = "text")]
    pub(super) name: Option<String>,
    /// `start` deploys; `stop`, `prepare`, `verify` and `access` do not.
    #[serde(default, deserialize_with = "text")]
    pub(super) action: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) deployment_tier: Option<String>,
}

/// Runner of a job. Its description is free text, and is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Runner {
    #[serde(default, deserialize_with = "text")]
    pub(super) runner_type: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) tags: Vec<String>,
}

/// The pipeline that started this one.
#[derive(Debug, Deserialize)]
pub(super) struct SourcePipeline {
    pub(super) project: Option<Project>,
    pub(super) pipeline_id: Option<u64>,
}

/// A commit, where one is named.
pub(super) fn commit(id: Option<&str>) -> Option<CommitId> {
    id.and_then(CommitId::given)
}

/// Whether two accounts are one; null where one of them is not told.
pub(super) fn same_account(a: Option<&Account>, b: Option<&Account>) -> Option<bool> {
    Some(a?.id? == b?.id?)
}

/// An instant, where one was told: `2017-05-31 03:27:26 UTC`, `2021-04-28 21:50:00 +0200` or RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct When(pub(super) Option<Timestamp>);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(told) = text(deserializer)? else { return Ok(Self(None)) };
        let time = Timestamp::parse_rfc3339(&with_offset(told.trim())).map_err(|_| {
            de::Error::custom(format!(
                "`{told}` is not a time like `2017-05-31 03:27:26 UTC`, `2021-04-28 21:50:00 +0200` or 2017-05-31T03:27:26Z"
            ))
        })?;
        Ok(Self(Some(time)))
    }
}

/// The zone as RFC 3339 writes it.
fn with_offset(time: &str) -> String {
    match time.rsplit_once(' ') {
        Some((local, "UTC")) => format!("{local}Z"),
        Some((local, zone)) if zone.len() == 5 && zone.is_ascii() && zone.starts_with(['+', '-']) => {
            format!("{local}{}:{}", &zone[..3], &zone[3..])
        }
        _ => time.to_owned(),
    }
}

/// A time span, told in seconds with a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Span(pub(super) Option<Millis>);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time span in seconds or null")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Span, E> {
                Ok(Span(None))
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Span, E> {
                Ok(span(Some(Duration::from_secs(seconds))))
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Span, E> {
                Ok(span(u64::try_from(seconds).ok().map(Duration::from_secs)))
            }
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Span, E> {
                Ok(span(Duration::try_from_secs_f64(seconds).ok()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn span(told: Option<Duration>) -> Span {
    Span(told.and_then(|span| i64::try_from(span.as_millis()).ok()).map(Millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_three_forms() {
        let read = |json: &str| serde_json::from_str::<When>(json).unwrap().0;
        let time = Some(Timestamp::parse_rfc3339("2021-04-28T19:50:00Z").unwrap());
        for text in [
            "\"2021-04-28 19:50:00 UTC\"",
            "\"2021-04-28 21:50:00 +0200\"",
            "\"2021-04-28T21:50:00+02:00\"",
            "\"2021-04-28T19:50:00.000Z\"",
            "\"2021-04-28 14:50:00.000 -0500\"",
        ] {
            assert_eq!(read(text), time, "{text}");
        }
        assert_eq!((read("null"), read("\" \"")), (None, None));
        let error = serde_json::from_str::<When>("\"yesterday éé +ü\"").unwrap_err().to_string();
        assert!(error.contains("`yesterday éé +ü` is not a time like"), "{error}");
    }

    #[test]
    fn spans_are_seconds_with_a_fraction() {
        let read = |json: &str| serde_json::from_str::<Span>(json).unwrap().0;
        assert_eq!(read("1095.588715"), Some(Millis(1_095_588)));
        assert_eq!(read("12"), Some(Millis(12_000)));
        assert_eq!((read("null"), read("-1"), read("-0.5"), read("1e300")), (None, None, None, None));
    }
}
