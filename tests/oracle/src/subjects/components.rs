//! Rows of `components`: what the catalog names, and what rows of other tables speak of.

use std::collections::BTreeSet;

use model::Component;
use model::fact::{ComponentFact, Fact, Identity};

use crate::Tables;
use crate::catalog::{by_itself, entry};
use crate::world::World;

pub fn rows(world: &World, others: &Tables) -> Vec<Fact> {
    let declared = world.known.catalog.components.iter().map(|entry| &entry.component);
    let spoken_of = others.0.keys().filter_map(Identity::component);
    let components: BTreeSet<&Component> = declared.chain(spoken_of).collect();
    components.into_iter().map(|component| row(world, component).into()).collect()
}

fn row(world: &World, component: &Component) -> ComponentFact {
    let entry = entry(&world.known.catalog, component);
    let taken_as_one =
        || world.known.repositories.iter().find(|repository| by_itself(repository) == *component).cloned();
    ComponentFact {
        realm: world.realm.clone(),
        component: component.clone(),
        team: entry.and_then(|entry| entry.team.clone()),
        repository: entry.map_or_else(taken_as_one, |entry| entry.repository.clone()),
        paths: entry.map(|entry| entry.paths.clone()).unwrap_or_default(),
        declared: entry.is_some(),
        acknowledged: world.known.acknowledged.get(component).into_iter().flatten().copied().collect(),
        ..ComponentFact::default()
    }
}
