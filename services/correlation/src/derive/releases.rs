//! Rows of `releases`.

use model::fact::{DeploymentKind, ReleaseFact, ReleaseKind};
use model::{Component, DeploymentId, Millis, Realm, Timestamp, Version};

use super::deployments::{count, kind};
use super::is_production;
use super::reviews::ReviewParts;
use super::spans::{Paths, Spans};
use crate::graph::Place;
use crate::state::{Placed, Scope, State};
use crate::track::{Order, Track};

/// The first successful production deployment of a release.
pub(super) struct Reached<'a> {
    pub(super) order: Order,
    head: Place,
    pub(super) track: Track<'a>,
    pub(super) kind: DeploymentKind,
}

impl State {
    pub(super) fn release_fact(
        &self,
        realm: &Realm,
        component: &Component,
        version: &Version,
        paths: &mut Paths,
    ) -> Option<ReleaseFact> {
        let deployments: Vec<(&DeploymentId, &Placed)> = self
            .by_release
            .of(&(component.clone(), version.clone()))
            .filter_map(|id| self.placed.get_key_value(id))
            .collect();
        let (first_id, _) = deployments.first()?;
        let reached = self.reached(component, &deployments);
        let seen_at = deployments.iter().filter_map(|(id, _)| self.first_sign(id)).min();
        let entry = self.rules.component(component);
        let head = reached.as_ref().map(|r| r.head).or_else(|| deployments.iter().find_map(|(_, placed)| placed.head));
        let shown = reached.as_ref().map_or(*first_id, |r| &r.order.deployment);
        let deployment = self.deployment(shown);
        let repository =
            entry.and_then(|e| e.repository.clone()).or_else(|| deployment.and_then(|d| d.repository.get().cloned()));
        let mut fact = ReleaseFact {
            realm: realm.clone(),
            component: component.clone(),
            version: version.clone(),
            at: reached.as_ref().map(|r| r.order.finished_at).or(seen_at)?,
            team: entry.and_then(|e| e.team.clone()),
            repository,
            commit: head.map(|place| self.records.graph.id(place)),
            link: deployment.and_then(|d| d.url.get().cloned()),
            ..ReleaseFact::default()
        };
        if let Some(reached) = reached {
            self.tell_way(&mut fact, &reached, paths);
        }
        self.tell_failure(&mut fact);
        Some(fact)
    }

    pub(super) fn first_sign(&self, id: &DeploymentId) -> Option<Timestamp> {
        let deployment = self.deployment(id)?;
        deployment.created_at.0.into_iter().chain(deployment.states.keys().map(|state| state.at)).min()
    }

    fn reached<'a>(&'a self, component: &Component, deployments: &[(&DeploymentId, &Placed)]) -> Option<Reached<'a>> {
        let track = self.track(component, &Scope::Production)?;
        let production = deployments.iter().filter(|(_, placed)| is_production(placed.tier));
        let (order, head) = production.filter_map(|(id, placed)| placed.order(id)).min()?;
        let commits = track.commits(&order).into_iter().filter(|place| self.is_part(component, *place)).count();
        let kind = kind(track, &order, head, commits);
        Some(Reached { order, head, track, kind })
    }

    /// What a release shipped, how long that took, and where the time went.
    fn tell_way(&self, fact: &mut ReleaseFact, reached: &Reached<'_>, paths: &mut Paths) {
        let component = &fact.component.clone();
        let end = reached.order.finished_at;
        let (commits, complete) = self.brought(component, reached.track, &reached.order);
        fact.production_at = Some(end);
        fact.deployment = Some(reached.order.deployment.clone());
        fact.commits = count(commits.len());
        fact.commits_complete = complete;
        fact.machine_commits = count(commits.iter().filter(|place| self.is_machine(**place)).count());
        fact.kind = self.release_kind(component, reached, &commits);
        if fact.kind == ReleaseKind::Baseline {
            return;
        }
        let leads = self.lead_times(&commits, end);
        let Some((lead, id, median)) = lower_median(&leads) else { return };
        fact.lead_time = Some(*lead);
        fact.lead_time_longest = leads.last().map(|(lead, _, _)| *lead);
        fact.median_commit = Some(id.clone());
        let mut merges: Vec<Millis> =
            commits.iter().filter_map(|place| self.way(*place).merged_at).map(|at| end - at).collect();
        merges.sort_unstable();
        fact.merge_to_production = lower_median(&merges).copied();
        let Some(path) = paths.of(self, component, &fact.version) else { return };
        let way = self.way(*median);
        fact.tell(&path.split(&way));
        if let Some(parts) = path.joining(&way).and_then(|joining| self.review_parts(*median, joining)) {
            let ReviewParts { pickup, approval, merge } = parts;
            (fact.review_pickup, fact.review_approval, fact.review_merge) = (Some(pickup), approval, Some(merge));
        }
    }
}

/// The lower median of sorted values.
fn lower_median<T>(sorted: &[T]) -> Option<&T> {
    sorted.get(sorted.len().checked_sub(1)? / 2)
}
