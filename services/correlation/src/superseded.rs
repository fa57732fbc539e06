//! Deliveries that a later version of their adapter reads differently: what an earlier one read of them counts no more.

use model::{Realm, Source};
use rustc_hash::FxHashMap;

use crate::changelog::{self, Record, read_key, read_value, record};
use crate::state::Key;

/// Why an event is ignored that a later version of its adapter reads differently.
pub const SUPERSEDED: &str = "read differently by a later version of its adapter";

/// A delivery of which only events by this version of its adapter, or a later one, count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Superseded {
    /// Realm in which earlier events were found.
    pub realm: Realm,
    /// Its source.
    pub source: Source,
    /// Its id.
    pub delivery: String,
    /// The version.
    pub adapter: i32,
}

impl Superseded {
    /// The record of the changelog, for the partition of the realm.
    ///
    /// # Errors
    /// Where it cannot be written, which the tests exclude.
    pub fn record(&self) -> Result<Record, changelog::Error> {
        let key = Key::Superseded(self.source.clone(), self.delivery.clone());
        record(&self.realm, &key, Some(&self.adapter))
    }

    /// Reads a record of the changelog; none where it is about something else.
    ///
    /// # Errors
    /// Where the record cannot be read.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Option<Self>, changelog::Error> {
        let (realm, key) = read_key(key)?;
        let Key::Superseded(source, delivery) = &key else { return Ok(None) };
        let adapter = read_value(&key, value)?;
        Ok(Some(Self { realm, source: source.clone(), delivery: delivery.clone(), adapter }))
    }
}

/// Which version of its adapter an event must be by, by source and delivery; most have none.
#[derive(Debug, Default)]
pub struct Versions(FxHashMap<Source, FxHashMap<Box<str>, i32>>);

impl Versions {
    /// The version of a delivery.
    pub fn get(&self, source: &Source, delivery: &str) -> Option<i32> {
        self.0.get(source)?.get(delivery).copied()
    }

    pub fn set(&mut self, source: Source, delivery: String, adapter: Option<i32>) {
        let deliveries = self.0.entry(source).or_default();
        match adapter {
            Some(adapter) => deliveries.insert(delivery.into(), adapter),
            None => deliveries.remove(delivery.as_str()),
        };
    }
}
