//! What a webhook has sent, or tried to send, in the last days: its deliveries, with what was sent.
//! See <https://docs.github.com/en/rest/repos/webhooks#list-deliveries-for-a-repository-webhook>.

use std::collections::BTreeMap;
use std::fmt;

use model::{Millis, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::address::legal_part;
use crate::http::{Client, HttpError};

/// So long GitHub keeps deliveries.
pub const KEPT: Millis = Millis(3 * 86_400_000);

/// A webhook, of a repository, of an organisation, or of a GitHub App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    path: String,
}

/// A text that names no webhook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no webhook: write OWNER/REPOSITORY/ID or ORGANISATION/ID; the id stands at the end of the address of its settings"
)]
pub struct HookError(String);

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// Its own number.
    pub id: u64,
    /// Name of the delivery, which all attempts at it share: `X-GitHub-Delivery`.
    pub guid: String,
    /// When.
    pub delivered_at: Timestamp,
    /// Whether somebody asked for it.
    #[serde(default)]
    pub redelivery: bool,
    /// Status of the answer; 0 where there was none.
    #[serde(default)]
    pub status_code: u16,
    /// `X-GitHub-Event`.
    pub event: String,
}

/// The attempts that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// The latest first.
    pub all: Vec<Attempt>,
    /// Nothing that was attempted since then is missing.
    pub complete_since: Timestamp,
}

/// A delivery that never arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The first attempt at it.
    pub first: Attempt,
    /// How often it was tried again.
    pub redeliveries: usize,
}

/// What was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// Names and values.
    pub headers: BTreeMap<String, String>,
    /// JSON, whatever it was sent as.
    pub body: Vec<u8>,
}

/// Says how much it is, not what: it may name people.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} headers and {} bytes", self.headers.len(), self.body.len())
    }
}

impl Hook {
    /// Reads `OWNER/REPOSITORY/ID` or `ORGANISATION/ID`.
    ///
    /// # Errors
    /// Where the text is neither.
    pub fn parse(text: &str) -> Result<Self, HookError> {
        let parts: Vec<&str> = text.split('/').collect();
        let number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let path = match parts[..] {
            [owner, name, id] if legal_part(owner) && legal_part(name) && number(id) => {
                format!("/repos/{owner}/{name}/hooks/{id}/deliveries")
            }
            [organisation, id] if legal_part(organisation) && number(id) => {
                format!("/orgs/{organisation}/hooks/{id}/deliveries")
            }
            _ => return Err(HookError(text.to_owned())),
        };
        Ok(Self { path })
    }

    /// The webhook of the GitHub App that asks.
    #[must_use]
    pub fn of_app() -> Self {
        Self { path: "/app/hook/deliveries".to_owned() }
    }

    /// Everything that was attempted since then, as far as GitHub keeps it.
    ///
    /// # Errors
    /// Where the API refuses or fails for good.
    pub async fn attempts(&self, client: &Client, since: Timestamp, now: Timestamp) -> Result<Attempts, HttpError> {
        let mut all: Vec<Attempt> = Vec::new();
        let mut next = Some(format!("{}?per_page=100", self.path));
        while let Some(address) = next {
            let answer = client.get(&address, &|_| ()).await?;
            all.extend(answer.json::<Vec<Attempt>>()?);
            if all.last().is_some_and(|oldest| oldest.delivered_at < since) {
                return Ok(Attempts { all, complete_since: since });
            }
            next = answer.next;
        }
        // What is kept was listed to its end: it begins where GitHub deletes, however seldom the webhook sends.
        let kept = now + Millis(-KEPT.0);
        let oldest = all.last().map_or(kept, |oldest| oldest.delivered_at.min(kept));
        Ok(Attempts { all, complete_since: oldest.max(since) })
    }

    /// What was sent with an attempt; none where GitHub has it no more.
    ///
    /// # Errors
    /// Where the API refuses or fails for good.
    pub async fn content(&self, client: &Client, attempt: &Attempt) -> Result<Option<Content>, HttpError> {
        #[derive(Deserialize)]
        struct Detail {
            request: Request,
        }
        #[derive(Deserialize)]
        struct Request {
            #[serde(default)]
            headers: Option<BTreeMap<String, String>>,
            #[serde(default)]
            payload: Option<Box<RawValue>>,
        }
        let answer = client.get(&format!("{}/{}", self.path, attempt.id), &|_| ()).await?;
        let Detail { request: Request { headers, payload } } = answer.json()?;
        let content = |payload: Box<RawValue>| Content {
            headers: headers.unwrap_or_default(),
            body: payload.get().as_bytes().to_vec(),
        };
        Ok(payload.filter(|payload| payload.get() != "null").map(content))
    }

    /// Has it sent again.
    ///
    /// # Errors
    /// Where the API refuses or fails for good.
    pub async fn redeliver(&self, client: &Client, attempt: &Attempt) -> Result<(), HttpError> {
        client.post(&format!("{}/{}/attempts", self.path, attempt.id), &|_| ()).await.map(drop)
    }
}

impl Attempt {
    const fn arrived(&self) -> bool {
        matches!(self.status_code, 200..=299)
    }
}

impl Attempts {
    /// Deliveries first attempted between these times of which no attempt arrived, the oldest first; and how many of that time arrived
    /// by another attempt than the first.
    #[must_use]
    pub fn missed(&self, from: Timestamp, to: Timestamp) -> (Vec<Missed>, u64) {
        let mut by_guid: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
        for attempt in &self.all {
            by_guid.entry(&attempt.guid).or_default().push(attempt);
        }
        let (mut missed, mut redelivered) = (Vec::new(), 0);
        for attempts in by_guid.into_values() {
            // Of attempts in one second the number tells the order.
            let Some(first) = attempts.iter().min_by_key(|attempt| (attempt.delivered_at, attempt.id)) else {
                continue;
            };
            if first.delivered_at < from || first.delivered_at > to || first.arrived() {
                continue;
            }
            if attempts.iter().any(|attempt| attempt.arrived()) {
                redelivered += 1;
            } else {
                missed.push(Missed { first: (*first).clone(), redeliveries: attempts.len() - 1 });
            }
        }
        missed.sort_by_key(|missed| (missed.first.delivered_at, missed.first.id));
        (missed, redelivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: u64, guid: &str, at: i64, status_code: u16) -> Attempt {
        let (guid, event) = (guid.to_owned(), "push".to_owned());
        Attempt { id, guid, delivered_at: Timestamp(at), redelivery: false, status_code, event }
    }

    #[test]
    fn a_webhook_is_of_a_repository_or_of_an_organisation() {
        let path = |text| Hook::parse(text).map(|hook| hook.path).ok();
        assert_eq!(path("acme/shop/7").as_deref(), Some("/repos/acme/shop/hooks/7/deliveries"));
        assert_eq!(path("acme/7").as_deref(), Some("/orgs/acme/hooks/7/deliveries"));
        for wrong in ["", "7", "acme/", "acme/x", "acme/../7", "acme/sh?p/7", "https://github.com/acme/7"] {
            assert_eq!(path(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_arrived_by_any_attempt_is_not_missed() {
        let all = vec![
            attempt(6, "b", 30, 202),
            attempt(5, "c", 25, 502),
            attempt(4, "c", 21, 0),
            attempt(3, "b", 20, 502),
            attempt(2, "a", 10, 202),
            attempt(1, "old", 1, 502),
        ];
        let attempts = Attempts { all, complete_since: Timestamp(0) };
        let (missed, redelivered) = attempts.missed(Timestamp(5), Timestamp(40));
        assert_eq!(missed, [Missed { first: attempt(4, "c", 21, 0), redeliveries: 1 }]);
        assert_eq!(redelivered, 1);
        assert_eq!(attempts.missed(Timestamp(22), Timestamp(40)), (vec![], 0), "it was first sent before");
    }

    #[test]
    fn an_attempt_is_read_as_github_documents_it() {
        let text = r#"{"id": 12345678, "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
            "delivered_at": "2019-06-03T00:57:16Z", "redelivery": false, "duration": 0.27, "status": "OK", "status_code": 200,
            "event": "issues", "action": "opened", "installation_id": 123, "repository_id": 456, "throttled_at": null}"#;
        let attempt: Attempt = serde_json::from_str(text).unwrap();
        assert_eq!((attempt.delivered_at, attempt.arrived()), (Timestamp(1_559_523_436_000), true));
    }
}
