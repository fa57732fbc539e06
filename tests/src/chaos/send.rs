//! Sends a history to the front door, each line until it is accepted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ingestor::normalise::{Adapters, Outcome, adapters, normalise};
use ingestor::people::People;
use model::event::{Body, Event};
use model::{Realm, Source, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::history::{History, REALMS, Told};
use crate::installation::{Installation, PEOPLE_KEY, SECRET};

const SENDERS: u32 = 8;
/// What was sent and not answered by then is sent again: it may count twice on its way.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// A history on its way.
pub struct Sending {
    shared: Arc<Shared>,
    senders: JoinSet<Result<()>>,
}

struct Shared {
    http: Client,
    hooks: Vec<(&'static str, String)>,
    history: Mutex<History>,
    accepted: Mutex<Vec<Event<Body>>>,
    stop: AtomicBool,
    adapters: Adapters,
    people: People,
}

impl Sending {
    /// Sends so many lines a second; what could not be sent in time is caught up with.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn start(installation: &Installation, history: History, rate: u32) -> Result<Self> {
        let shared = Arc::new(Shared {
            http: Client::builder().timeout(PATIENCE).build()?,
            hooks: REALMS.iter().map(|realm| (*realm, installation.hook(realm))).collect(),
            history: Mutex::new(history),
            accepted: Mutex::default(),
            stop: AtomicBool::new(false),
            adapters: adapters(),
            people: People::new(PEOPLE_KEY.as_bytes()),
        });
        let period = Duration::from_secs(1) * SENDERS / rate.max(1);
        let senders = (0..SENDERS).map(|_| Arc::clone(&shared).send(period)).collect();
        Ok(Self { shared, senders })
    }

    /// Whether every sender still sends.
    ///
    /// # Errors
    /// Why one has given up.
    pub fn check(&mut self) -> Result<()> {
        if let Some(ended) = self.senders.try_join_next() {
            ended??;
            bail!("a sender has ended before its time");
        }
        Ok(())
    }

    /// Begins no further line.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until every line that was begun is accepted; the events that were.
    ///
    /// # Errors
    /// Where a line was refused for good.
    pub async fn finish(mut self) -> Result<Vec<Event<Body>>> {
        self.stop();
        while let Some(sender) = self.senders.join_next().await {
            sender??;
        }
        Ok(std::mem::take(&mut *locked(&self.shared.accepted)))
    }
}

impl Shared {
    async fn send(self: Arc<Self>, period: Duration) -> Result<()> {
        let mut ticks = interval(period);
        while !self.stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            let told = locked(&self.history).next().context("the history has ended")?;
            let line = json!({"occurred_at": told.occurred_at, "body": told.body}).to_string();
            let (source, hook) =
                self.hooks.iter().find(|(realm, _)| *realm == told.realm).context("a realm without a source")?;
            while !self.deliver(hook, &line).await? {
                sleep(PAUSE).await;
            }
            let event = self.becomes(source, line.into_bytes(), &told)?;
            locked(&self.accepted).push(event);
        }
        Ok(())
    }

    /// Sends a line once; whether it was accepted.
    async fn deliver(&self, hook: &str, line: &str) -> Result<bool> {
        let request = self.http.post(hook).header(AUTHORIZATION, format!("Bearer {SECRET}")).body(line.to_owned());
        // The front door, or Kafka behind it, is away.
        let Ok(answer) = request.send().await else { return Ok(false) };
        match answer.status() {
            StatusCode::ACCEPTED => Ok(true),
            StatusCode::SERVICE_UNAVAILABLE => Ok(false),
            status => bail!("{hook} answered {status}, which is neither accepted nor later: {line}"),
        }
    }

    /// The event that the line is for the correlation.
    fn becomes(&self, source: &str, line: Vec<u8>, told: &Told) -> Result<Event<Body>> {
        let (source, realm) = (Source::new(source), Realm::new(told.realm));
        let record = ingestor::receive::record(source, realm, "import", &HeaderMap::new(), line, Timestamp::default());
        match normalise(&record, &self.adapters, &self.people) {
            Outcome::Events(mut events) => {
                ensure!(events.len() == 1, "a line of an import became {} events", events.len());
                events.pop().context("no event")
            }
            other => bail!("a line of an import became {other:?}"),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
