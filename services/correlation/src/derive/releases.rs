//! Rows of `releases`.

use model::fact::{DeploymentKind, ReleaseFact, ReleaseKind};
use model::{Component, DeploymentId, Millis, Realm, Timestamp, Version};

use super::deployments::{count, kind};
use super::is_production;
use super::spans::Split;
use crate::graph::Place;
use crate::state::{Placed, Scope, State};
use crate::track::{Order, Track};

/// The first successful production deployment of a release.
struct Reached<'a> {
    order: Order,
    head: Place,
    track: &'a Track,
    kind: DeploymentKind,
}

impl State {
    pub(super) fn release_fact(&self, realm: &Realm, component: &Component, version: &Version) -> Option<ReleaseFact> {
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
        let deployment = self.records.deployments.get(shown);
        let repository =
            entry.and_then(|e| e.repository.clone()).or_else(|| deployment.and_then(|d| d.repository.get().cloned()));
        let mut fact = ReleaseFact {
            realm: realm.clone(),
            component: component.clone(),
            version: version.clone(),
            at: reached.as_ref().map(|r| r.order.finished_at).or(seen_at)?,
            team: entry.and_then(|e| e.team.clone()),
            repository,
            commit: head.map(|place| self.records.graph.node(place).id.clone()),
            link: deployment.and_then(|d| d.url.get().cloned()),
            ..ReleaseFact::default()
        };
        if let Some(reached) = reached {
            self.tell_way(&mut fact, component, &reached, &deployments);
        }
        Some(fact)
    }

    pub(super) fn first_sign(&self, id: &DeploymentId) -> Option<Timestamp> {
        let deployment = self.records.deployments.get(id)?;
        deployment.created_at.0.into_iter().chain(deployment.states.keys().map(|state| state.at)).min()
    }

    fn reached<'a>(&'a self, component: &Component, deployments: &[(&DeploymentId, &Placed)]) -> Option<Reached<'a>> {
        let track = self.tracks.get(&(component.clone(), Scope::Production))?;
        let production = deployments.iter().filter(|(_, placed)| is_production(placed.tier));
        let (order, head) = production.filter_map(|(id, placed)| placed.order(id)).min()?;
        let commits = track.commits(&order).filter(|place| self.is_part(component, *place)).count();
        let kind = kind(track, &order, head, commits);
        Some(Reached { order, head, track, kind })
    }

    /// What a release shipped, how long that took, and where the time went.
    fn tell_way(
        &self,
        fact: &mut ReleaseFact,
        component: &Component,
        reached: &Reached<'_>,
        deployments: &[(&DeploymentId, &Placed)],
    ) {
        let end = reached.order.finished_at;
        let (commits, complete) = self.brought(component, reached.track, &reached.order);
        fact.production_at = Some(end);
        fact.deployment = Some(reached.order.deployment.clone());
        fact.commits = count(commits.len());
        fact.commits_complete = complete;
        fact.machine_commits = count(commits.iter().filter(|place| self.is_machine(**place)).count());
        fact.kind = match reached.kind {
            DeploymentKind::Baseline if self.has_baseline(component) => ReleaseKind::Baseline,
            DeploymentKind::Rollback => ReleaseKind::Rollback,
            DeploymentKind::Redeploy => ReleaseKind::Redeploy,
            _ => ReleaseKind::Regular,
        };
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
        let split = self.split(*median, reached.head, end, deployments);
        split.write(fact);
    }
}

impl Split {
    /// The segments as columns. What they do not add up to is the correction of the clock.
    fn write(&self, fact: &mut ReleaseFact) {
        let Self {
            coding,
            review,
            merge_to_build,
            queue,
            build_and_test,
            gate_wait,
            batch_wait,
            hand_off,
            deploy,
            unaccounted,
        } = *self;
        fact.coding = Some(coding);
        fact.review = Some(review);
        fact.merge_to_build = Some(merge_to_build);
        fact.queue = Some(queue);
        fact.build_and_test = Some(build_and_test);
        fact.gate_wait = Some(gate_wait);
        fact.batch_wait = Some(batch_wait);
        fact.hand_off = Some(hand_off);
        fact.deploy = Some(deploy);
        fact.unaccounted = Some(unaccounted);
        fact.clock_correction = fact.lead_time.map(|lead| lead - self.total());
    }
}

/// The lower median of sorted values.
fn lower_median<T>(sorted: &[T]) -> Option<&T> {
    sorted.get(sorted.len().checked_sub(1)? / 2)
}
