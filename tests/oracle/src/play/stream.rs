//! The correlation as the runtime keeps it: a realm, what it has emitted, and its changelog.

use std::collections::BTreeMap;

use correlation::changelog::read_key;
use correlation::{Delta, Realm};
use model::event::{Body, Event};

use crate::Tables;

/// A realm with its tables and its changelog. What goes wrong is told as a text: it ends a case.
pub struct Stream {
    realm: Realm,
    name: model::Realm,
    changelog: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What a reader sees: of each identity the last row, unless it was taken back. Revisions are 0.
    pub tables: Tables,
    revision: i64,
}

impl Stream {
    pub fn new(name: model::Realm) -> Self {
        let realm = Realm::new(name.clone());
        Self { realm, name, changelog: BTreeMap::new(), tables: Tables::default(), revision: 0 }
    }

    /// Takes events in and commits what follows, in pieces of about so many records.
    pub fn take(&mut self, events: &[&Event<Body>], piece: usize) -> Result<(), String> {
        let delta = self.derive(events, piece)?;
        self.write(delta)?;
        self.finish(piece)
    }

    /// Commits what is left of the last events.
    fn finish(&mut self, piece: usize) -> Result<(), String> {
        while self.realm.has_more() {
            // Less than a unit at a time would never end.
            let delta = self.derive(&[], piece.max(1))?;
            self.write(delta)?;
        }
        Ok(())
    }

    /// Takes events in and dies before the commit.
    pub fn fail(&mut self, events: &[&Event<Body>]) -> Result<(), String> {
        self.derive(events, usize::MAX)?;
        self.crash()
    }

    /// Takes events in, dies after the commit of a piece of what follows, and goes on with the rest.
    pub fn fail_in_between(&mut self, events: &[&Event<Body>], piece: usize) -> Result<(), String> {
        let delta = self.derive(events, piece)?;
        self.write(delta)?;
        self.crash()?;
        self.finish(piece)
    }

    /// Dies, and starts again from what was committed.
    pub fn crash(&mut self) -> Result<(), String> {
        self.realm = Realm::new(self.name.clone());
        for (key, value) in &self.changelog {
            let (_, key) = read_key(key).map_err(|error| error.to_string())?;
            self.realm.restore(key, Some(value)).map_err(|error| error.to_string())?;
        }
        self.realm.restored();
        Ok(())
    }

    /// What the correlation derives from all that it knows.
    pub fn everything(&self) -> Tables {
        let mut tables = Tables::default();
        tables.extend(self.realm.derive_everything());
        tables
    }

    fn derive(&mut self, events: &[&Event<Body>], piece: usize) -> Result<Delta, String> {
        for event in events {
            self.realm.apply((*event).clone());
        }
        self.realm.derive_at_most(piece).map_err(|error| error.to_string())
    }

    /// Rows as they come into the tables, and records of the changelog. A row that is taken back was there; one that is written says
    /// something new.
    fn write(&mut self, delta: Delta) -> Result<(), String> {
        for record in delta.changelog {
            match record.value {
                Some(value) => self.changelog.insert(record.key, value),
                None => self.changelog.remove(&record.key),
            };
        }
        for emission in delta.facts {
            let mut fact = emission.fact;
            let identity = fact.identity();
            let revision = fact.revision();
            if revision < self.revision {
                return Err(format!("{identity:?} has revision {revision} after {}", self.revision));
            }
            self.revision = revision;
            fact.set_revision(0);
            if fact.is_deleted() {
                if self.tables.0.remove(&identity).is_none() {
                    return Err(format!("{identity:?} is taken back and was not there"));
                }
            } else if self.tables.0.insert(identity.clone(), fact.clone()) == Some(fact) {
                return Err(format!("{identity:?} is written again and says the same"));
            }
        }
        Ok(())
    }
}
