//! What hangs on what, looked up once for all: which tasks name a run, which gates, which commits a change brought.
//!
//! It says nothing that a search through everything would not find, and only spares that search at every question.

use std::collections::{BTreeMap, BTreeSet};

use model::{CommitId, Component, DeploymentId, GateId, RunId, TaskId, Version};

use crate::known::{ChangeKey, Known};
use crate::world::Placed;

/// Things by what they hang on.
type By<K, V> = BTreeMap<K, BTreeSet<V>>;

#[derive(Debug, Default)]
pub struct LookUps {
    /// Runs on a commit.
    pub runs: By<CommitId, RunId>,
    /// Tasks of a run.
    pub tasks: By<RunId, TaskId>,
    /// Tasks of no run, on a commit.
    pub loose_tasks: By<CommitId, TaskId>,
    /// Gates of a run, on a commit, of a deployment.
    pub gates_of_run: By<RunId, GateId>,
    pub gates_on: By<CommitId, GateId>,
    pub gates_about: By<DeploymentId, GateId>,
    /// Deployments of a run, of a commit, of a release.
    pub deployments_of_run: By<RunId, DeploymentId>,
    pub deployments_of_commit: By<CommitId, DeploymentId>,
    pub deployments_as: By<(Component, Version), DeploymentId>,
    /// Commits that change the same.
    pub commits_by_patch: By<String, CommitId>,
    /// Commits that say that they revert one, by what that is.
    pub reverting: By<CommitId, CommitId>,
}

fn gather<K: Ord, V: Ord>(pairs: impl Iterator<Item = (Option<K>, V)>) -> By<K, V> {
    let mut by = By::new();
    for (key, value) in pairs {
        if let Some(key) = key {
            by.entry(key).or_insert_with(BTreeSet::new).insert(value);
        }
    }
    by
}

impl LookUps {
    /// `resolve`: the commit that a reference means.
    pub fn of(
        known: &Known,
        placed: &BTreeMap<DeploymentId, Placed>,
        resolve: impl Fn(&CommitId) -> Option<CommitId>,
    ) -> Self {
        let Known { commits, runs, tasks, gates, deployments, .. } = known;
        let meant = |given: &Option<CommitId>| resolve(given.as_ref()?);
        let loose = tasks.iter().filter(|(_, task)| task.run.is_none());
        let reverts = commits.iter().flat_map(|(by, commit)| commit.reverts.iter().map(move |given| (given, by)));
        let release = |placed: &Placed| Some((placed.component.clone(), placed.version.clone()?));
        Self {
            runs: gather(runs.iter().map(|(id, run)| (meant(&run.commit), id.clone()))),
            tasks: gather(tasks.iter().map(|(id, task)| (task.run.clone(), id.clone()))),
            loose_tasks: gather(loose.map(|(id, task)| (meant(&task.commit), id.clone()))),
            gates_of_run: gather(gates.iter().map(|(id, gate)| (gate.run.clone(), id.clone()))),
            gates_on: gather(gates.iter().map(|(id, gate)| (meant(&gate.commit), id.clone()))),
            gates_about: gather(gates.iter().map(|(id, gate)| (gate.deployment.clone(), id.clone()))),
            deployments_of_run: gather(placed.keys().map(|id| (deployments[id].run.clone(), id.clone()))),
            deployments_of_commit: gather(placed.iter().map(|(id, placed)| (placed.commit.clone(), id.clone()))),
            deployments_as: gather(placed.iter().map(|(id, placed)| (release(placed), id.clone()))),
            commits_by_patch: gather(commits.iter().map(|(id, commit)| (commit.patch.clone(), id.clone()))),
            reverting: gather(reverts.map(|(given, by)| (resolve(given), by.clone()))),
        }
    }
}

/// The things themselves, in the order of their ids.
pub fn things<'a, K: Ord, V: Ord, T>(
    by: &'a By<K, V>,
    on: &K,
    all: &'a BTreeMap<V, T>,
) -> impl Iterator<Item = (&'a V, &'a T)> {
    by.get(on).into_iter().flatten().filter_map(|id| all.get_key_value(id))
}

/// The change that brought each commit: of those that hold it, the one merged first.
pub fn brought_by(known: &Known, members: &By<ChangeKey, CommitId>) -> BTreeMap<CommitId, ChangeKey> {
    let merged_at = |key: &ChangeKey| known.changes[key].merged.as_ref().map(|(at, _)| *at);
    let mut holding = By::new();
    for (key, commits) in members {
        for id in commits {
            holding.entry(id.clone()).or_insert_with(BTreeSet::new).insert((merged_at(key), key.clone()));
        }
    }
    holding.into_iter().filter_map(|(id, changes)| Some((id, changes.into_iter().next()?.1))).collect()
}
