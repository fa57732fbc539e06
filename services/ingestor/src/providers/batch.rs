//! A delivery that holds a list of things, each of which may be good or bad by itself.

use serde_json::Value;

use super::{Observed, Reading, Unreadable};
use crate::chain;

/// What one element tells.
pub(super) enum Told {
    /// These observations.
    Events(Vec<Observed>),
    /// Nothing, and why.
    Ignored(String),
}

impl From<Told> for Reading {
    fn from(told: Told) -> Self {
        match told {
            Told::Events(events) => Self::Events(events),
            Told::Ignored(reason) => Self::Ignored(reason),
        }
    }
}

/// Reads every element by itself, so that a bad one costs nothing but itself. `read` gets its place in the batch, from 0.
///
/// # Errors
/// Where no element can be read.
pub(super) fn read_batch(
    elements: Vec<Value>,
    mut read: impl FnMut(usize, Value) -> Result<Told, Unreadable>,
) -> Result<Reading, Unreadable> {
    let count = elements.len();
    let mut events = Vec::new();
    let mut ignored = None;
    let mut bad = Vec::new();
    for (index, element) in elements.into_iter().enumerate() {
        match read(index, element) {
            Ok(Told::Events(told)) => events.extend(told),
            Ok(Told::Ignored(reason)) => ignored = ignored.or(Some(reason)),
            Err(error) => bad.push(format!("element {index}: {}", chain(&error))),
        }
    }
    let unreadable = || format!("{} of {count} elements of the batch cannot be read: {}", bad.len(), bad.join("; "));
    Ok(match (events.is_empty(), bad.is_empty()) {
        (_, true) if !events.is_empty() => Reading::Events(events),
        (_, true) => Reading::Ignored(ignored.unwrap_or_else(|| "empty batch".to_owned())),
        (false, false) => Reading::Mixed { unreadable: unreadable(), events },
        (true, false) => return Err(Unreadable::Value(unreadable())),
    })
}
