//! Facts: what follows from the state, one unit at a time. Every function here is pure.

mod attribution;
mod builds;
mod commits;
mod deployments;
mod failures;
mod gates;
mod hollow;
mod incidents;
mod kinds;
mod path;
mod recovery;
mod releases;
mod reviews;
mod rollups;
mod spans;
mod steps;

use model::event::Tier;
use model::fact::{ComponentFact, Fact};
use model::{Component, Realm};

use crate::state::{State, Unit};
pub use path::{Interval, Step};
pub use spans::{Doer, Paths};

pub use incidents::Settled;

/// Revision of the derivation. Grows with every change of what follows from a state, so that a restored state is derived anew.
pub const DERIVATION: u32 = 4;

/// Stands for the version while not everything has been derived.
pub const UNFINISHED: u32 = 0;

impl State {
    /// Facts of a unit; none where it holds nothing any more. `paths` holds what the commits of a release share, and serves as long
    /// as the state stays as it is.
    pub fn facts(&self, realm: &Realm, unit: &Unit, paths: &mut Paths) -> Vec<Fact> {
        match unit {
            Unit::Deployment(id) => self.deployment_fact(realm, id).map(Fact::from).into_iter().collect(),
            Unit::Release(component, version) => {
                self.release_fact(realm, component, version, paths).map(Fact::from).into_iter().collect()
            }
            Unit::Gate(id) => {
                let step = self.gate_step(realm, id).map(Fact::from);
                self.gate_fact(realm, id).map(Fact::from).into_iter().chain(step).collect()
            }
            Unit::Run(id) => self.run_facts(realm, id),
            Unit::Step(step) => self.manual_step(realm, step).into_iter().map(Fact::from).collect(),
            Unit::Incident(id) => self.incident_facts(realm, id),
            Unit::Commit(_) | Unit::Component(_) | Unit::Day(_) => Vec::new(),
        }
    }

    /// Of the facts of a unit at least those that are in the sums of a day.
    pub fn summed_facts(&self, realm: &Realm, unit: &Unit, paths: &mut Paths) -> Vec<Fact> {
        match unit {
            // A day is worked out again with every change of it: what did not pass in each of its runs is in no sum.
            Unit::Run(id) => self.attempt_facts(realm, id),
            _ => self.facts(realm, unit, paths),
        }
    }

    /// Row of a component that the catalog names or that rows speak of.
    pub fn component_fact(&self, realm: &Realm, component: &Component) -> ComponentFact {
        let declared = self.rules.component(component);
        let repository = match declared {
            Some(entry) => entry.repository.clone(),
            None => self.repository_of(component),
        };
        ComponentFact {
            realm: realm.clone(),
            component: component.clone(),
            team: declared.and_then(|entry| entry.team.clone()),
            repository,
            paths: declared.map(|entry| entry.paths.clone()).unwrap_or_default(),
            declared: declared.is_some(),
            acknowledged: self.records.shifts.get(component).map(|of| of.acknowledged.to_vec()).unwrap_or_default(),
            ..ComponentFact::default()
        }
    }
}

/// What users use.
const fn is_production(tier: Tier) -> bool {
    matches!(tier, Tier::Production)
}

/// On the way to production: what is handed over from one to the next.
const fn comes_before_production(tier: Tier) -> bool {
    matches!(tier, Tier::Staging | Tier::Integration)
}
