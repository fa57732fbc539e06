//! What one delivery comes to: the pure part of normalise.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use model::event::{Body, Event};
use model::inbox::InboxRecord;
use serde::Serialize;

use super::adapters::Adapters;
use crate::chain;
use crate::people::People;
use crate::providers::{Observed, Provider, Reading, Unreadable};

/// What a delivery comes to: exactly one of these.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Events, at least one, in the order of the delivery.
    Events(Vec<Event<Body>>),
    /// Nothing that bears on delivery, and why: one of a small set.
    Ignored(String),
    /// It cannot be read, or not all of it.
    Dead {
        /// Version of the adapter that gave up; 0 where there is none.
        adapter: i32,
        /// What was wrong, with which value.
        reason: String,
        /// What could be read of a batch nevertheless. It counts; the replay of the dead letter tells the same once more.
        events: Vec<Event<Body>>,
    },
}

/// Reads one delivery. Depends on nothing but its arguments, and ends whatever the delivery holds.
#[must_use]
pub fn normalise(record: &InboxRecord, adapters: &Adapters, people: &People) -> Outcome {
    let Some(adapter) = adapters.get(&record.provider) else {
        let known = adapters.names().collect::<Vec<_>>().join(", ");
        let reason = format!("no adapter for provider `{}`; this version has {known}", record.provider);
        return Outcome::Dead { adapter: 0, reason, events: Vec::new() };
    };
    let version = adapter.version_for(&record.source);
    let dead = |reason, events| Outcome::Dead { adapter: version, reason, events };
    let (observed, unreadable) = match read(adapter, record, people) {
        Ok(Ok(Reading::Events(observed))) if observed.is_empty() => {
            return Outcome::Ignored("tells nothing".to_owned());
        }
        Ok(Ok(Reading::Ignored(reason))) => return Outcome::Ignored(reason),
        Ok(Ok(Reading::Events(observed))) => (observed, None),
        Ok(Ok(Reading::Mixed { events, unreadable })) => (events, Some(unreadable)),
        Ok(Err(unreadable)) => return dead(chain(&unreadable), Vec::new()),
        Err(panic) => {
            let panic = message(panic.as_ref());
            return dead(format!("a defect of the adapter, please report it: it panicked: {panic}"), Vec::new());
        }
    };
    match (wrap(observed, record, version), unreadable) {
        (Some(events), None) => Outcome::Events(events),
        (Some(events), Some(reason)) => dead(reason, events),
        (None, _) => dead(format!("more than {} events in one delivery", i32::MAX), Vec::new()),
    }
}

/// A panic of an adapter costs one delivery, not the role: the same delivery would come again after every restart.
fn read(
    adapter: &dyn Provider,
    record: &InboxRecord,
    people: &People,
) -> Result<Result<Reading, Unreadable>, Box<dyn Any + Send>> {
    // Adapters hold no state that a panic could leave half changed.
    catch_unwind(AssertUnwindSafe(|| adapter.read(record, people)))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no message",
    }
}

/// Gives each observation its envelope.
fn wrap(observed: Vec<Observed>, record: &InboxRecord, adapter: i32) -> Option<Vec<Event<Body>>> {
    let event = |(index, observed): (usize, Observed)| {
        Some(Event {
            realm: record.realm.clone(),
            source: record.source.clone(),
            provider: record.provider.clone(),
            delivery: record.delivery.clone(),
            index: i32::try_from(index).ok()?,
            adapter,
            occurred_at: observed.occurred_at,
            received_at: record.received_at,
            link: observed.link,
            body: observed.body,
        })
    };
    observed.into_iter().enumerate().map(event).collect()
}

/// What a delivery comes to, for people and scripts: one line of JSON for each event, or one line `{"ignored":"<why>"}` or
/// `{"dead_letter":"<why>"}`; the last one after the events, where a part could be read.
///
/// # Errors
/// Where an event has no form in JSON, which is a defect.
pub fn inspect(record: &InboxRecord, adapters: &Adapters, people: &People) -> Result<Vec<String>, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum End {
        Ignored(String),
        DeadLetter(String),
    }
    let (events, end) = match normalise(record, adapters, people) {
        Outcome::Events(events) => (events, None),
        Outcome::Ignored(reason) => (Vec::new(), Some(End::Ignored(reason))),
        Outcome::Dead { reason, events, .. } => (events, Some(End::DeadLetter(reason))),
    };
    let end = end.iter().map(serde_json::to_string);
    events.iter().map(serde_json::to_string).chain(end).collect()
}
