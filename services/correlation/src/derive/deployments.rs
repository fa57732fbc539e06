//! Rows of `deployments`.

use model::event::MarkerKind;
use model::fact::{DeploymentFact, DeploymentKind};
use model::{Component, DeploymentId, Realm, Repository};

use crate::catalog::default_component;
use crate::graph::Place;
use crate::state::{Scope, State};
use crate::track::{Order, Track};

impl State {
    pub(super) fn deployment_fact(&self, realm: &Realm, id: &DeploymentId) -> Option<DeploymentFact> {
        let deployment = self.deployment(id)?;
        let placed = self.placed.get(id)?;
        let partial_counts = self.rules.component(&placed.component).is_some_and(|c| c.partial_counts);
        let folded = deployment.fold(partial_counts);
        let track = self.track(&placed.component, &Scope::Environment(placed.environment.clone()));
        let on_track = track.zip(placed.order(id));
        let (commits, complete) = match &on_track {
            Some((track, (order, _))) => self.brought(&placed.component, *track, order),
            None => (Vec::new(), false),
        };
        let kind = match (&on_track, placed.succeeded_at) {
            (Some((track, (order, head))), _) => kind(*track, order, *head, commits.len()),
            (None, Some(_)) => DeploymentKind::Unresolved,
            (None, None) => DeploymentKind::None,
        };
        Some(DeploymentFact {
            realm: realm.clone(),
            component: placed.component.clone(),
            environment: placed.environment.clone(),
            deployment: id.clone(),
            at: folded.finished_at.or(deployment.created_at.0).or(folded.seen_at)?,
            version: placed.version.clone(),
            commit: placed.head.map(|head| self.records.graph.id(head)),
            tier: placed.tier,
            phase: folded.phase,
            outcome: folded.outcome,
            kind,
            created_at: deployment.created_at.0,
            started_at: deployment.started_at.0,
            finished_at: folded.finished_at,
            commits: count(commits.len()),
            commits_complete: complete,
            run: deployment.run.get().cloned(),
            triggered_by: deployment.triggered_by.0.unwrap_or_default(),
            marker: self.marked(id).map_or(MarkerKind::Deployment, |marked| marked.marker),
            partial_at: folded.partial_at,
            replaced: on_track.as_ref().and_then(|(track, (order, _))| Some(track.before(order)?.0.version.clone())),
            evidence: evidence(deployment.states.values().filter_map(|id| id.0.as_ref())),
            link: deployment.url.get().cloned(),
            ..DeploymentFact::default()
        })
    }

    /// Commits of the component that the deployment was the first to bring, and whether they are all.
    pub(super) fn brought(&self, component: &Component, track: Track<'_>, order: &Order) -> (Vec<Place>, bool) {
        let graph = &self.records.graph;
        let all = track.commits(order);
        // What is below a commit is known by its parents, or by a push that listed everything new and whose end is deployed as well.
        let below_known = |place: Place| {
            let brought = |end: &Place| track.first(*end) == Some(order);
            graph.parents(place).is_some() || graph.listed_under(place).iter().any(brought)
        };
        let told =
            |place: &Place| graph.is_known(*place) && below_known(*place) && self.belongs(component, *place).is_some();
        let complete = all.iter().all(told);
        let own = all.into_iter().filter(|place| self.is_part(component, *place)).collect();
        (own, complete)
    }

    /// The repository that a component stands for that no catalog names.
    pub(super) fn repository_of(&self, component: &Component) -> Option<Repository> {
        self.records.repositories.iter().find(|repository| default_component(repository) == *component).cloned()
    }
}

/// What a successful deployment brought, in the words of the table: a rollback moves no commit, a redeploy ships nothing new.
///
/// What ships nothing new is a rollback where its commit had come there no later than the one it replaces; going forward again
/// to what had been there before is a redeploy, as is deploying the same commit.
pub(super) fn kind(track: Track<'_>, order: &Order, head: Place, commits: usize) -> DeploymentKind {
    if track.baseline() == Some(order) {
        return DeploymentKind::Baseline;
    }
    let first = track.first(head);
    if commits > 0 || first == Some(order) {
        return DeploymentKind::Forward;
    }
    match track.before(order) {
        Some((_, previous)) if previous != head && first <= track.first(previous) => DeploymentKind::Rollback,
        _ => DeploymentKind::Redeploy,
    }
}

/// Ids of events, sorted, each once.
pub(super) fn evidence<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A count as the tables hold it.
pub(super) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
