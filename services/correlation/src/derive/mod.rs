//! Facts: what follows from the state, one unit at a time. Every function here is pure.

mod builds;
mod commits;
mod deployments;
mod gates;
mod releases;
mod spans;

use model::event::Tier;
use model::fact::{ComponentFact, Fact};
use model::{Component, Realm};

use crate::state::{State, Unit};

/// Revision of the derivation. Grows with every change of what follows from a state, so that a restored state is derived anew.
pub const DERIVATION: u32 = 2;

impl State {
    /// Facts of a unit; none where it holds nothing any more.
    pub fn facts(&self, realm: &Realm, unit: &Unit) -> Vec<Fact> {
        match unit {
            Unit::Commit(id) => self.commit_facts(realm, id),
            Unit::Deployment(id) => self.deployment_fact(realm, id).map(Fact::from).into_iter().collect(),
            Unit::Release(component, version) => {
                self.release_fact(realm, component, version).map(Fact::from).into_iter().collect()
            }
            Unit::Gate(id) => self.gate_fact(realm, id).map(Fact::from).into_iter().collect(),
            Unit::Run(id) => self.build_facts(realm, id).into_iter().map(Fact::from).collect(),
            Unit::Component(_) => Vec::new(),
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
