//! Rows of `releases`: a component at a version.

use std::collections::BTreeMap;

use model::event::{ActorKind, Tier};
use model::fact::{Fact, ReleaseFact, ReleaseKind};
use model::{CommitId, Component, Millis, Version};

use super::count;
use super::deployments::{brought, kind};
use super::recovery::tell_failure;
use super::reviews::tell_review;
use super::spans::segments;
use crate::catalog::entry;
use crate::kinds::release_kind;
use crate::world::{Line, Order, Placed, Scope, Stop, World};

pub fn rows(world: &World) -> Vec<Fact> {
    let mut releases: BTreeMap<(&Component, &Version), Vec<&Placed>> = BTreeMap::new();
    for placed in world.placed.values() {
        if let Some(version) = &placed.version {
            releases.entry((&placed.component, version)).or_default().push(placed);
        }
    }
    let rows = releases.into_iter().filter_map(|((component, version), of)| row(world, component, version, &of));
    rows.map(Fact::from).collect()
}

/// `deployments`: those of the release, by id.
fn row(world: &World, component: &Component, version: &Version, deployments: &[&Placed]) -> Option<ReleaseFact> {
    let line = world.lines.get(&(component.clone(), Scope::Production));
    let production = deployments.iter().filter(|placed| placed.tier == Tier::Production);
    let first: Option<Order> = production.filter_map(|placed| placed.order()).min();
    let reached = line.zip(first).and_then(|(line, order)| Some((line, line.stop(&order)?)));
    let shown = match reached {
        Some((_, stop)) => &stop.order.2,
        None => &deployments.first()?.id,
    };
    let deployment = &world.known.deployments[shown];
    let first_sign = deployments.iter().filter_map(|placed| world.known.deployments[&placed.id].first_sign()).min();
    let entry = entry(&world.known.catalog, component);
    let mut row = ReleaseFact {
        realm: world.realm.clone(),
        component: component.clone(),
        version: version.clone(),
        at: reached.map(|(_, stop)| stop.order.0).or(first_sign)?,
        team: entry.and_then(|entry| entry.team.clone()),
        repository: entry.and_then(|entry| entry.repository.clone()).or_else(|| deployment.repository.clone()),
        commit: match reached {
            Some((_, stop)) => Some(stop.commit.clone()),
            None => deployments.iter().find_map(|placed| placed.commit.clone()),
        },
        link: deployment.url.clone(),
        ..ReleaseFact::default()
    };
    if let Some((line, stop)) = reached {
        tell_way(world, &mut row, line, stop, deployments);
    }
    tell_failure(world, &mut row);
    Some(row)
}

/// What the release shipped, how long that took, and where the time went.
fn tell_way(world: &World, row: &mut ReleaseFact, line: &Line, stop: &Stop, deployments: &[&Placed]) {
    let end = stop.order.0;
    let brought = brought(world, &row.component, line, stop);
    let is_machine = |id: &&CommitId| world.way(id).author == ActorKind::Machine;
    row.production_at = Some(end);
    row.deployment = Some(stop.order.2.clone());
    row.commits = count(brought.own.len());
    row.commits_complete = brought.complete;
    row.machine_commits = count(brought.own.iter().filter(is_machine).count());
    let kind = kind(line, stop, brought.own.len());
    row.kind = release_kind(world, &row.component, line, stop, (kind, &brought.own));
    if row.kind == ReleaseKind::Baseline {
        return;
    }
    let lead_times = brought.own.iter().filter_map(|id| Some((end - world.way(id).authored_at?, id)));
    let mut lead_times: Vec<(Millis, &CommitId)> = lead_times.collect();
    lead_times.sort();
    let mut merges: Vec<Millis> = brought.own.iter().filter_map(|id| Some(end - world.way(id).merged_at?)).collect();
    merges.sort();
    let Some((lead_time, median)) = lower_median(&lead_times) else { return };
    row.lead_time = Some(lead_time);
    row.lead_time_longest = lead_times.last().map(|(lead_time, _)| *lead_time);
    row.median_commit = Some(median.clone());
    row.merge_to_production = lower_median(&merges);
    segments(world, &row.component, median, &stop.commit, end, deployments).write(row);
    tell_review(world, row, median);
}

/// The middle of sorted values; of two middles the lower.
fn lower_median<T: Copy>(sorted: &[T]) -> Option<T> {
    sorted.get(sorted.len().div_ceil(2).checked_sub(1)?).copied()
}
