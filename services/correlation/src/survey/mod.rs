//! A realm as somebody sees it who writes its catalog: what has arrived, what maps to nothing, which releases a catalog makes.
//!
//! A survey leaves the realm behind: it may try catalogs on it as it likes.

mod seen;
mod tally;
mod toml;
mod unmapped;

use std::collections::BTreeMap;

use model::event::{Catalog, Tier};
use model::fact::Fact;
use model::{Component, Realm as RealmName, Timestamp, Version};

use crate::Realm;
use crate::derive::Paths;
use crate::state::{State, Unit};

pub use tally::{Tallies, Tally};
pub use toml::{list, quoted};
pub use unmapped::{Gap, Unmapped};

/// What a realm knows, to be asked.
#[derive(Debug)]
pub struct Survey {
    name: RealmName,
    pub(crate) state: State,
}

/// A release that has reached production.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Release {
    /// Component.
    pub component: Component,
    /// Version.
    pub version: Version,
    /// Finish in production.
    pub at: Timestamp,
    /// Commits that it was the first to ship.
    pub commits: i32,
}

impl From<Realm> for Survey {
    fn from(realm: Realm) -> Self {
        let (name, mut state) = realm.into_state();
        state.settle();
        Self { name, state }
    }
}

impl Survey {
    /// The catalog in force; an empty one where none was ever put.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        self.state.rules.catalog()
    }

    /// Has everything follow from this catalog.
    pub fn put(&mut self, catalog: Catalog) {
        self.state.records.catalog = Some(catalog);
        self.state.rebuild();
    }

    /// Releases that reached production at that time or later.
    #[must_use]
    pub fn releases(&self, since: Timestamp) -> Vec<Release> {
        let mut paths = Paths::default();
        let mut found = BTreeMap::new();
        for placed in self.state.placed.values() {
            let Some(version) = placed.version.clone() else { continue };
            if placed.tier != Tier::Production || placed.succeeded_at.is_none_or(|at| at < since) {
                continue;
            }
            let unit = Unit::Release(placed.component.clone(), version.clone());
            if found.contains_key(&unit) {
                continue;
            }
            for fact in self.state.facts(&self.name, &unit, &mut paths) {
                let Fact::Release(fact) = fact else { continue };
                let Some(at) = fact.production_at.filter(|at| *at >= since) else { continue };
                let component = placed.component.clone();
                found.insert(unit.clone(), Release { component, version: version.clone(), at, commits: fact.commits });
            }
        }
        found.into_values().collect()
    }
}
