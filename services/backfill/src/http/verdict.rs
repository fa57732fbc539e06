//! What an answer means for the request: good, refused, or to be sent again, and when.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::Patience;
use super::wait::{Wait, Why};

/// Clocks differ: a limit is taken as reset a little later than the API says.
const MARGIN: Duration = Duration::from_secs(1);
/// No API asks for a longer wait; a reset further off is a clock that is wrong.
pub(super) const LONGEST: Duration = Duration::from_secs(2 * 3600);
/// Names of the headers in which APIs tell how many requests are left: GitHub's, and those of GitLab and PagerDuty.
const LEFT: [&str; 2] = ["x-ratelimit-remaining", "ratelimit-remaining"];
/// Names of the headers in which they tell when there will be more: in seconds since 1970, PagerDuty in seconds from now.
const RESET: [&str; 2] = ["x-ratelimit-reset", "ratelimit-reset"];
/// 2001: a time is later, and a wait is shorter.
const EARLIEST_RESET: u64 = 1_000_000_000;

/// What to do after an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Later(Wait),
    Refused,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub requests: u64,
    /// When there will be more.
    pub reset: Option<SystemTime>,
}

/// Judges the answer to a request that was sent `tries` times before.
pub(super) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    patience: Patience,
    tries: u32,
) -> (Verdict, Option<Left>) {
    let left = left(headers);
    let doubled = |first: Duration| first.saturating_mul(1 << tries.min(16)).min(LONGEST);
    let verdict = if status.is_success() {
        Verdict::Good
    } else if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        let pause = number(headers, &[RETRY_AFTER.as_str()]).map(Duration::from_secs);
        Verdict::Later(Wait::new(pause.unwrap_or_else(|| doubled(patience.outage)).min(LONGEST), Why::Outage))
    } else if let Some(pause) = limited(status, headers, message, left) {
        Verdict::Later(Wait::new(pause.unwrap_or_else(|| doubled(patience.limit)).min(LONGEST), Why::Limit))
    } else {
        Verdict::Refused
    };
    (verdict, left)
}

/// Whether a refusal is for a limit, and how long the API says to wait: GitHub answers 403 both to what is forbidden and to what is
/// too much.
fn limited(status: StatusCode, headers: &HeaderMap, message: &str, left: Option<Left>) -> Option<Option<Duration>> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    if let Some(seconds) = number(headers, &[RETRY_AFTER.as_str()]) {
        return Some(Some(Duration::from_secs(seconds)));
    }
    if let Some(Left { requests: 0, reset: Some(reset) }) = left {
        return Some(Some(reset.duration_since(SystemTime::now()).unwrap_or_default()));
    }
    let too_much = status == StatusCode::TOO_MANY_REQUESTS || message.to_ascii_lowercase().contains("rate limit");
    too_much.then_some(None)
}

fn left(headers: &HeaderMap) -> Option<Left> {
    let requests = number(headers, &LEFT)?;
    let from = |seconds| if seconds < EARLIEST_RESET { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
    let reset = number(headers, &RESET).map(|seconds| from(seconds) + Duration::from_secs(seconds) + MARGIN);
    Some(Left { requests, reset })
}

/// The first of these headers that is there, as a number small enough to be a time.
fn number(headers: &HeaderMap, names: &[&str]) -> Option<u64> {
    let value = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok()?.trim().parse::<u32>().ok().map(u64::from)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const PATIENCE: Patience = Patience { tries: 5, outage: Duration::from_secs(2), limit: Duration::from_secs(60) };

    fn judged(status: u16, headers: &[(&str, String)], message: &str, tries: u32) -> Verdict {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        judge(StatusCode::from_u16(status).unwrap(), &headers, message, PATIENCE, tries).0
    }

    fn pause(verdict: &Verdict) -> Option<(u64, Why)> {
        match verdict {
            Verdict::Later(wait) => Some((wait.pause.as_secs(), wait.why)),
            Verdict::Good | Verdict::Refused => None,
        }
    }

    #[test]
    fn an_outage_is_waited_for_longer_each_time() {
        assert_eq!(pause(&judged(502, &[], "", 0)), Some((2, Why::Outage)));
        assert_eq!(pause(&judged(503, &[], "", 3)), Some((16, Why::Outage)));
        assert_eq!(pause(&judged(503, &[("retry-after", "7".into())], "", 3)), Some((7, Why::Outage)));
    }

    #[test]
    fn a_limit_is_obeyed() {
        assert_eq!(pause(&judged(429, &[("retry-after", "30".into())], "", 0)), Some((30, Why::Limit)));
        let reset = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 600;
        let used_up = [("x-ratelimit-remaining", "0".into()), ("x-ratelimit-reset", reset.to_string())];
        let (seconds, why) = pause(&judged(403, &used_up, "API rate limit exceeded for user", 0)).unwrap();
        assert!((599..=601).contains(&seconds), "{seconds}");
        assert_eq!(why, Why::Limit);
        for (reset, wait) in [(reset.to_string(), 600), ("20".to_owned(), 20)] {
            let used_up = [("ratelimit-remaining", "0".into()), ("ratelimit-reset", reset)];
            let (seconds, _) = pause(&judged(429, &used_up, "Retry later", 0)).unwrap();
            assert!((wait - 1..=wait + 1).contains(&seconds), "{seconds}");
        }
        let message = "You have exceeded a secondary rate limit";
        assert_eq!(pause(&judged(403, &[], message, 0)), Some((60, Why::Limit)));
        assert_eq!(pause(&judged(403, &[], message, 2)), Some((240, Why::Limit)));
    }

    #[test]
    fn what_is_forbidden_is_no_limit() {
        assert_eq!(judged(403, &[], "Resource not accessible by personal access token", 0), Verdict::Refused);
        let plenty = [("x-ratelimit-remaining", "4000".into()), ("x-ratelimit-reset", "1".into())];
        assert_eq!(judged(403, &plenty, "Must have admin rights", 0), Verdict::Refused);
        assert_eq!(judged(404, &[], "Not Found", 0), Verdict::Refused);
        assert_eq!(judged(301, &[], "Moved Permanently", 0), Verdict::Refused);
        assert_eq!(judged(200, &[], "", 0), Verdict::Good);
    }
}
