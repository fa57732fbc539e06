//! Rows of `deployments`, and what a deployment brought.

use model::fact::{DeploymentFact, DeploymentKind, Fact};
use model::{CommitId, Component};

use super::count;
use crate::catalog;
use crate::world::{Line, Placed, Scope, Stop, World};

pub fn rows(world: &World) -> Vec<Fact> {
    world.placed.values().filter_map(|placed| row(world, placed)).map(Fact::from).collect()
}

fn row(world: &World, placed: &Placed) -> Option<DeploymentFact> {
    let deployment = &world.known.deployments[&placed.id];
    let line = world.lines.get(&(placed.component.clone(), Scope::Environment(placed.environment.clone())));
    let stop = line.zip(placed.order()).and_then(|(line, order)| Some((line, line.stop(&order)?)));
    let brought = stop.map(|(line, stop)| brought(world, &placed.component, line, stop));
    let kind = match (&brought, stop) {
        (Some(brought), Some((line, stop))) => kind(line, stop, brought.own.len()),
        _ if placed.succeeded_at.is_some() => DeploymentKind::Unresolved,
        _ => DeploymentKind::None,
    };
    let (outcome, finished_at) = placed.ending.end.map_or((None, None), |(outcome, at)| (outcome, Some(at)));
    Some(DeploymentFact {
        realm: world.realm.clone(),
        component: placed.component.clone(),
        environment: placed.environment.clone(),
        deployment: placed.id.clone(),
        at: finished_at.or(deployment.created_at).or(deployment.first_sign())?,
        version: placed.version.clone(),
        commit: placed.commit.clone(),
        tier: placed.tier,
        phase: placed.ending.phase,
        outcome,
        kind,
        created_at: deployment.created_at,
        started_at: deployment.started_at,
        finished_at,
        commits: count(brought.as_ref().map_or(0, |brought| brought.own.len())),
        commits_complete: brought.is_some_and(|brought| brought.complete),
        run: deployment.run.clone(),
        triggered_by: deployment.triggered_by,
        marker: deployment.marker,
        partial_at: deployment.partial_at(),
        replaced: stop.and_then(|(line, stop)| line.before(stop)).map(|before| before.order.1.clone()),
        evidence: deployment.evidence.iter().cloned().collect(),
        link: deployment.url.clone(),
        ..DeploymentFact::default()
    })
}

/// What a deployment brought first.
pub struct Brought {
    /// Commits of the component.
    pub own: Vec<CommitId>,
    /// They are all: nothing below them is unknown, and of each it can be told whose it is.
    pub complete: bool,
}

pub fn brought(world: &World, component: &Component, line: &Line, stop: &Stop) -> Brought {
    let all: Vec<&CommitId> = line.brought(stop).collect();
    let own = all.iter().filter(|id| world.is_part(component, id)).map(|id| (*id).clone()).collect();
    Brought { own, complete: all.iter().all(|id| is_told(world, component, stop, id)) }
}

/// Whether what is directly below a commit is known, and whose the commit is.
///
/// What is below is known by its parents; or by a push that listed everything new and ended at a commit that is deployed as well.
fn is_told(world: &World, component: &Component, stop: &Stop, id: &CommitId) -> bool {
    world.known.commits.get(id).is_some_and(|commit| {
        let is_closed = commit.parents.is_some() || commit.listed_under.iter().any(|end| stop.reaches.contains(end));
        let owner = catalog::belongs(&world.known.catalog, component, commit.paths.as_ref());
        commit.is_known() && is_closed && owner.is_some()
    })
}

/// What a successful deployment brought, in the words of the table. `own`: how many commits of the component.
///
/// What ships nothing new is a rollback where its commit had come there no later than the one it replaces; going forward again
/// to what had been there before is a redeploy, as is deploying the same commit.
pub fn kind(line: &Line, stop: &Stop, own: usize) -> DeploymentKind {
    let at = |stop: &Stop| line.stops.iter().position(|other| other.order == stop.order);
    let came = |commit: &CommitId| line.first(commit).and_then(at);
    match at(stop) {
        Some(0) => DeploymentKind::Baseline,
        place if own > 0 || came(&stop.commit) == place => DeploymentKind::Forward,
        place => {
            let replaced = place.and_then(|place| line.stops.get(place.checked_sub(1)?));
            match replaced {
                Some(other) if other.commit != stop.commit && came(&stop.commit) <= came(&other.commit) => {
                    DeploymentKind::Rollback
                }
                _ => DeploymentKind::Redeploy,
            }
        }
    }
}
