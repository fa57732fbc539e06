//! A catalog as a person might write it, from what has arrived. Nothing is taken for granted: each line says what it follows from, and
//! which releases it would make.
//!
//! It stands in this crate because it reads what is known of a realm and derives from it. It has no I/O, as everything here: files of
//! CODEOWNERS are given to it.

mod arrived;
mod components;
mod document;
mod environments;
mod gates;
mod marks;
mod owners;
mod parts;
mod preview;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use model::event::{Catalog, CatalogTeam};
use model::{Repository, Timestamp};
use serde::Serialize;

use crate::state::State;
use crate::survey::{Survey, Tally, quoted};
use arrived::Arrived;
use components::Components;

pub use owners::Owners;
pub use preview::Preview;
use preview::Trial;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A catalog that is suggested.
#[derive(Clone, Debug, Serialize)]
pub struct Suggestion {
    /// How many days were looked at.
    pub days: i64,
    /// What it says, with its evidence.
    pub entries: Vec<Entry>,
    /// What came and found no place in it.
    pub left: Vec<String>,
    /// The catalog itself, of revision 0.
    pub catalog: Catalog,
}

/// Of which list of a catalog an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A team.
    Team,
    /// A component.
    Component,
    /// An environment.
    Environment,
    /// A gate.
    Gate,
}

impl Kind {
    const fn key(self) -> &'static str {
        match self {
            Self::Team => "teams",
            Self::Component => "components",
            Self::Environment => "environments",
            Self::Gate => "gates",
        }
    }
}

/// An entry of a catalog.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Of which list.
    pub kind: Kind,
    /// Name of what it is about.
    pub name: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// What a person should know of it.
    pub notes: Vec<String>,
    /// What the entry would make; none for a team and a gate, which make no releases.
    pub preview: Option<Preview>,
}

/// A line of an entry.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Key.
    pub key: &'static str,
    /// Value, as TOML writes it.
    pub value: String,
    /// What tells so.
    pub evidence: String,
    /// What the line would make by itself, where that is another question than for the entry.
    pub preview: Option<Preview>,
}

impl Entry {
    fn new(kind: Kind, name: &str, lines: Vec<Line>) -> Self {
        Self { kind, name: name.to_owned(), lines, notes: Vec::new(), preview: None }
    }
}

impl Line {
    fn new(key: &'static str, value: String, evidence: String) -> Self {
        Self { key, value, evidence, preview: None }
    }
}

/// The day of an instant, UTC.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

impl Survey {
    /// Suggests a catalog from what arrived between two times, whatever catalog is in force. `owners` are the files of CODEOWNERS of
    /// repositories. The survey is left with the suggested catalog.
    #[must_use]
    pub fn suggest(
        &mut self,
        (since, until): (Timestamp, Timestamp),
        owners: &BTreeMap<Repository, Owners>,
    ) -> Suggestion {
        self.put(Catalog::default());
        let (catalog, mut entries, left) = propose(&self.state, since, owners);
        let mut trial = Trial::of(self, since, catalog.clone());
        let components = trial.components().into_iter().zip(trial.markers());
        let of_components = entries.iter_mut().filter(|entry| entry.kind == Kind::Component);
        for (entry, (preview, by_markers)) in of_components.zip(components) {
            entry.preview = Some(preview);
            for line in entry.lines.iter_mut().filter(|line| line.key == "markers") {
                line.preview.clone_from(&by_markers);
            }
        }
        let of_environments = entries.iter_mut().filter(|entry| entry.kind == Kind::Environment);
        for (at, entry) in of_environments.enumerate() {
            entry.preview = Some(trial.environment(at));
        }
        self.put(catalog.clone());
        Suggestion { days: (until - since).0 / DAY, entries, left, catalog }
    }
}

/// What is said, as a catalog and as entries in the same order, and what is left over.
fn propose(
    state: &State,
    since: Timestamp,
    owners: &BTreeMap<Repository, Owners>,
) -> (Catalog, Vec<Entry>, Vec<String>) {
    let arrived = Arrived::of(state, since);
    let environments = environments::propose(&arrived);
    let incidents = incident_services(state, since);
    let of = Components { arrived: &arrived, environments: &environments, owners, incidents: &incidents };
    let (drafts, left) = of.propose();
    let gates = gates::propose(state, since);
    let teams: BTreeSet<&String> = drafts.iter().filter_map(|draft| draft.component.team.as_ref()).collect();
    let team = |team: &&String| {
        let line = Line::new("team", quoted(team), "CODEOWNERS".to_owned());
        Entry::new(Kind::Team, team, vec![line])
    };
    let entries = teams.iter().map(team);
    let entries = entries.chain(drafts.iter().map(components::Draft::entry));
    let entries = entries.chain(environments.iter().map(environments::Proposed::entry));
    let entries = entries.chain(gates.iter().map(|(_, entry)| entry.clone())).collect();
    let catalog = Catalog {
        teams: teams.into_iter().map(|team| CatalogTeam { team: team.clone() }).collect(),
        components: drafts.iter().map(|draft| draft.component.clone()).collect(),
        environments: environments.iter().map(|proposed| proposed.environment.clone()).collect(),
        gates: gates.into_iter().map(|(gate, _)| gate).collect(),
        ..Catalog::default()
    };
    (catalog, entries, left)
}

fn incident_services(state: &State, since: Timestamp) -> BTreeMap<&str, Tally> {
    let mut services: BTreeMap<&str, Tally> = BTreeMap::new();
    for incident in state.records.incidents.values() {
        let Some(at) = incident.last_seen().filter(|at| *at >= since) else { continue };
        for service in incident.services.get().into_iter().flatten() {
            services.entry(service).or_default().add(at);
        }
    }
    services
}
