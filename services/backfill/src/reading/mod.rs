//! One reading of a history, whatever API it is of: parts, pages, items, deliveries, and how far it is.

mod cursor;
mod error;
pub(crate) mod members;
mod pages;

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use serde_json::Value;

pub use cursor::{Checkpoint, Cursor};
pub use error::BackfillError;
pub(crate) use pages::{Flow, Page, Source, Spans, Taking, pages, spans};

use crate::http::{Answer, Client, HttpError, Wait};
use crate::{Delivery, Progress, Sink};

/// A part of a history.
pub trait Part: Copy + Ord + Send + Sync + 'static {
    /// All of them, in the order in which they are read.
    fn all() -> &'static [Self];

    /// Its name in one word: `pulls`.
    fn key(self) -> &'static str;

    /// As people call it: `pull requests`.
    fn name(self) -> &'static str {
        self.key()
    }

    /// The part of that name, as `--only` takes it.
    fn named(key: &str) -> Option<Self> {
        Self::all().iter().copied().find(|part| part.key() == key)
    }
}

/// A reading under way.
pub(crate) struct Reading<'a, P> {
    provider: &'static str,
    client: &'a Client,
    pub cursor: Cursor<P>,
    checkpoint: &'a (dyn Fn(Checkpoint<P>) + Send + Sync),
    sink: &'a Sink,
    progress: Progress,
    delivered: u64,
}

impl<'a, P: Part> Reading<'a, P> {
    /// Begins one, or goes on from there; `stage` is what comes before the parts.
    pub fn new(
        provider: &'static str,
        stage: &str,
        client: &'a Client,
        mut cursor: Cursor<P>,
        checkpoint: &'a (dyn Fn(Checkpoint<P>) + Send + Sync),
        sink: &'a Sink,
    ) -> Self {
        cursor.begin_at(now());
        let progress = Progress { stage: stage.to_owned(), done: 0, total: None };
        let reading = Self { provider, client, cursor, checkpoint, sink, progress, delivered: 0 };
        reading.show();
        reading
    }

    /// Comes to a part; false where it was read before.
    pub fn begin(&mut self, part: P) -> bool {
        if !self.cursor.begin(part) {
            return false;
        }
        self.progress = Progress { stage: part.name().to_owned(), done: self.cursor.count(), total: None };
        self.show();
        true
    }

    /// The part at hand is read.
    pub fn end(&mut self) {
        self.cursor.finish();
        self.mark();
        self.progress.total = Some(self.progress.done);
        self.show();
    }

    /// An item of the page at hand is read.
    fn took(&mut self, key: String) {
        self.cursor.take(key);
        self.mark();
        self.progress.done += 1;
        self.show();
    }

    /// How many were read.
    pub fn done(&self) -> u64 {
        self.progress.done
    }

    /// So many there are, as far as is known.
    pub fn expect(&mut self, total: Option<u64>) {
        if let Some(total) = total {
            self.progress.total = Some(total.max(self.progress.done));
        }
    }

    pub async fn get(&self, address: &str) -> Result<Answer, HttpError> {
        let waiting = |wait: &Wait| {
            (self.sink.progress)(Progress {
                stage: format!("{}, {wait}", self.progress.stage),
                ..self.progress.clone()
            });
        };
        self.client.get(address, &waiting).await
    }

    /// The answer; none where what is asked for has been removed.
    pub async fn get_if_there(&self, address: &str) -> Result<Option<Answer>, HttpError> {
        match self.get(address).await {
            Err(error) if matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::GONE)) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// One object; none where it has been removed, as old runs are.
    pub async fn find(&self, address: &str) -> Result<Option<Value>, BackfillError> {
        Ok(self.get_if_there(address).await?.map(|answer| answer.json()).transpose()?)
    }

    /// All items of a list that is short, by its `Link`s; none where what it belongs to has been removed.
    pub async fn all(&self, address: String) -> Result<Vec<Value>, BackfillError> {
        let mut all = Vec::new();
        let mut next = Some(address);
        while let Some(address) = next {
            let Some(answer) = self.get_if_there(&address).await? else { break };
            all.extend(items(&answer)?);
            next = answer.next;
        }
        Ok(all)
    }

    /// Gives a delivery.
    pub async fn deliver(&mut self, event: &str, id: String, body: &Value) -> Result<(), BackfillError> {
        let body = body.to_string().into_bytes();
        let delivery = Delivery { provider: self.provider, event: Some(event.to_owned()), id, body };
        self.sink.deliveries.send(delivery).await.map_err(|_| BackfillError::Closed)?;
        self.delivered += 1;
        Ok(())
    }

    fn show(&self) {
        (self.sink.progress)(self.progress.clone());
    }

    fn mark(&self) {
        (self.checkpoint)(Checkpoint { cursor: self.cursor.clone(), delivered: self.delivered });
    }
}

/// The items of a page: a list, or an object with one list and what is said of it.
pub(crate) fn items(answer: &Answer) -> Result<Vec<Value>, HttpError> {
    Ok(match answer.json()? {
        Value::Array(items) => items,
        Value::Object(members) => {
            members.into_iter().find_map(|(_, value)| if let Value::Array(items) = value { Some(items) } else { None })
        }
        .unwrap_or_default(),
        _ => Vec::new(),
    })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
