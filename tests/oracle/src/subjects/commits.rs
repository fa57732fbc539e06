//! Rows of `release_commits`: a commit and the deployment that first brought it to an environment.

use std::collections::BTreeSet;

use model::event::Tier;
use model::fact::{Fact, Lineage, ReleaseCommitFact};
use model::{CommitId, Component};

use super::spans::segments;
use crate::world::{Line, Scope, Stop, World};

pub fn rows(world: &World) -> Vec<Fact> {
    let mut rows = Vec::new();
    for ((component, scope), line) in &world.lines {
        // The line of production as a whole has no rows of its own: its commits came to one of its environments.
        if *scope == Scope::Production {
            continue;
        }
        let commits: BTreeSet<&CommitId> = line.stops.iter().flat_map(|stop| &stop.reaches).collect();
        for id in commits.into_iter().filter(|id| world.is_part(component, id)) {
            rows.extend(line.first(id).map(|stop| row(world, component, line, stop, id).into()));
        }
    }
    rows
}

fn row(world: &World, component: &Component, line: &Line, stop: &Stop, id: &CommitId) -> ReleaseCommitFact {
    let (finished_at, version, deployment) = stop.order.clone();
    let placed = &world.placed[&deployment];
    let baseline = line.stops[0].order == stop.order && world.has_baseline(component);
    let way = world.way(id);
    let mut row = ReleaseCommitFact {
        realm: world.realm.clone(),
        component: component.clone(),
        environment: placed.environment.clone(),
        commit: id.clone(),
        at: finished_at,
        version,
        deployment,
        tier: placed.tier,
        baseline,
        authored_at: way.authored_at,
        committed_at: way.committed_at,
        merged_at: way.merged_at,
        lead_time: way.authored_at.filter(|_| !baseline).map(|at| finished_at - at),
        author_kind: way.author,
        change: world.brought_by(id).map(|(key, _)| key.1.clone()),
        lineage: lineage(world, stop, id),
        origin: way.origin,
        picked_from: world.picked_from(id),
        reverts: world.reverts(id),
        reverted_by: world.reverted_by(id),
        ..ReleaseCommitFact::default()
    };
    tell_way(world, &mut row, stop, id);
    row
}

/// Where its time went: only where this deployment brought it to production, and its release along with it.
fn tell_way(world: &World, row: &mut ReleaseCommitFact, stop: &Stop, id: &CommitId) {
    let Some(line) = world.production(&row.component).filter(|_| row.tier == Tier::Production) else { return };
    let first = line.stops.iter().find(|other| other.order.1 == row.version);
    let is_first = first.is_some_and(|first| first.order == stop.order);
    let brought_it = line.first(id).is_some_and(|first| first.order == stop.order);
    let is_baseline = line.stops[0].order == stop.order && world.has_baseline(&row.component);
    if row.lead_time.is_some() && is_first && brought_it && !is_baseline {
        let deployments = world.deployments_as(&row.component, &row.version);
        segments(world, &row.component, id, &stop.commit, row.at, &deployments).write_commit(row);
    }
}

/// How it is known that the deployment holds the commit: it is its commit, or the parent of one that it holds, or came by a push.
fn lineage(world: &World, stop: &Stop, id: &CommitId) -> Lineage {
    let held = stop.reaches.iter().filter_map(|held| world.known.commits.get(held));
    if stop.commit == *id {
        Lineage::Deployed
    } else if held.into_iter().any(|commit| commit.parents.iter().flatten().any(|parent| parent == id)) {
        Lineage::Parents
    } else {
        Lineage::Push
    }
}
