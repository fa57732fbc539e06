//! What the commits of a release share: its way to production.

use model::event::Tier;
use model::{Component, DeploymentId, Version};

use super::{Placed, Scope, State};
use crate::graph::Place;
use crate::track::Order;

impl State {
    /// The way of the release that this is a deployment of may have changed, and with it where the time of its commits went.
    pub(super) fn path_moved(&mut self, id: &DeploymentId) {
        if let Some(Placed { component, version: Some(version), .. }) = self.placed.get(id) {
            self.paths_moved.insert((component.clone(), version.clone()));
        }
    }

    /// Marks what depends on many things at once, each once for all that happened: rows of the commits of releases, and gates by
    /// what became of them later. To be called before the marked units are taken.
    pub fn settle(&mut self) {
        self.settle_stirred();
        let mut commits = Vec::new();
        for (component, version) in std::mem::take(&mut self.paths_moved) {
            let Some(track) = self.track(&component, &Scope::Production) else { continue };
            let orders: Vec<Order> =
                self.production_deployments(&component, &version).map(|(order, _)| order).collect();
            for order in orders {
                // The commits of a baseline have no lead time to split.
                if track.baseline() == Some(&order) && self.has_baseline(&component) {
                    continue;
                }
                commits.extend(track.commits(&order));
            }
        }
        self.dirty_commits.extend(commits);
        self.settle_incidents();
        self.settle_meetings();
    }

    /// Successful production deployments of a release, with the commit of each.
    pub fn production_deployments(
        &self,
        component: &Component,
        version: &Version,
    ) -> impl Iterator<Item = (Order, Place)> {
        let placed =
            self.by_release.of(&(component.clone(), version.clone())).filter_map(|id| self.placed.get_key_value(id));
        placed.filter(|(_, placed)| placed.tier == Tier::Production).filter_map(|(id, placed)| placed.order(id))
    }
}
