//! PagerDuty's history of incidents, by its REST API of version 2.
//! See <https://developer.pagerduty.com/api-reference/>.
//!
//! Each entry of an incident's log that moved it is put into the body of the webhook of version 3 that would have told it, with the
//! incident as it stands now, and read by the same adapter. What an incident is about comes by its custom fields, where the account
//! has any.
//!
//! | asked for | requests |
//! |---|---|
//! | incidents that were made since the date, by spans of time of at most 10 000 | 1 for 100, 1 for each span |
//! | the log of each | 1 for 100 entries |
//! | the custom fields of each, where the account has any | 1 |

mod events;
mod reader;

use model::Timestamp;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::http::{Api, Client, Patience};
use crate::{BackfillError, Sink};
use reader::Reader;

/// Root of the API of accounts in the United States; that of those in Europe is `https://api.eu.pagerduty.com`.
pub const API: &str = "https://api.pagerduty.com";

/// How far a reading of PagerDuty is.
pub type Cursor = crate::Cursor<Part>;
/// A point from which a reading of PagerDuty could go on.
pub type Checkpoint = crate::Checkpoint<Part>;

/// What is read of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Incidents.
    Incidents,
}

impl crate::Part for Part {
    fn all() -> &'static [Self] {
        &[Self::Incidents]
    }

    fn key(self) -> &'static str {
        "incidents"
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// From when on.
    pub since: Timestamp,
}

/// PagerDuty's API at that address, for an API key.
#[must_use]
pub fn api(root: &str, token: &SecretString) -> Api {
    Api {
        root: root.trim_end_matches('/').to_owned(),
        scheme: "Token",
        token: Some(format!("token={}", token.expose_secret().trim()).into()),
        accept: "application/vnd.pagerduty+json;version=2",
        headers: &[],
        advice,
        patience: Patience::default(),
    }
}

/// What to do about a refusal.
fn advice(status: StatusCode, _message: &str) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "the API key is wrong, or of an account elsewhere: make a read-only one under Integrations, API Access Keys, and \
             for an account in Europe give --api https://api.eu.pagerduty.com"
        }
        StatusCode::FORBIDDEN => {
            "the API key may not read that: use one of the account, or of a user who sees all incidents"
        }
        StatusCode::NOT_FOUND => "is it the address of PagerDuty's API?",
        _ => "see https://developer.pagerduty.com/docs/errors",
    }
}

/// Reads the history from its beginning.
///
/// # Errors
/// Where the API refuses or fails for good, or the sink is closed.
pub async fn read(client: &Client, query: &Query, sink: &Sink) -> Result<(), BackfillError> {
    resume(client, query, Cursor::default(), &|_| (), sink).await
}

/// Reads the history from where a reading of the same query was. `checkpoint` is told after every step how far it is: whoever
/// keeps the cursor should do so once it has the deliveries up to there.
///
/// # Errors
/// Where the API refuses or fails for good, or the sink is closed.
pub async fn resume(
    client: &Client,
    query: &Query,
    from: Cursor,
    checkpoint: &(dyn Fn(Checkpoint) + Send + Sync),
    sink: &Sink,
) -> Result<(), BackfillError> {
    Reader::start(client, from, checkpoint, sink).await?.incidents(query).await
}
