//! The state of a realm: entity records, what they are resolved to, and indexes from each to what depends on it.
//!
//! Only the records are knowledge and are kept in the changelog. Everything else here follows from them: references resolved to
//! commits, deployments put on tracks, members of changes. It is kept up to date record by record, and can be rebuilt from the
//! records alone, which is what a restore and a new catalog do. Whatever a record changes marks the [`Unit`]s that depend on it.

mod changes;
mod index;
mod names;
mod placement;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use model::event::Catalog;
use model::{ArtifactId, CommitId, Component, DeploymentId, GateId, Repository, RunId, TaskId, Version};

use crate::catalog::{Rules, default_component};
use crate::entity::{Artifact, Change, Commit, Deployment, Gate, Run, Tag, Task, join_into};
use crate::graph::{Graph, Place};
use crate::lattice::Join;
use crate::observe::Observation;
use crate::track::{Touched, Track};

use index::{Index, Waiting};
pub use names::{ChangeKey, Key, Placed, Restored, Scope, Unit};

/// Records: what is known.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Commits.
    pub graph: Graph,
    /// Changes.
    pub changes: BTreeMap<ChangeKey, Change>,
    /// Runs.
    pub runs: BTreeMap<RunId, Run>,
    /// Tasks.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Deployments.
    pub deployments: BTreeMap<DeploymentId, Deployment>,
    /// Gates.
    pub gates: BTreeMap<GateId, Gate>,
    /// Tags.
    pub tags: BTreeMap<(Repository, String), Tag>,
    /// Artifacts.
    pub artifacts: BTreeMap<ArtifactId, Artifact>,
    /// The catalog of the highest revision.
    pub catalog: Option<Catalog>,
    /// Components whose first deployment counts as lead time.
    pub baseline_none: BTreeSet<Component>,
    /// Repositories that were ever spoken of.
    pub repositories: BTreeSet<Repository>,
}

/// What follows from the records.
#[derive(Debug, Default)]
pub struct State {
    /// What is known.
    pub records: Records,
    /// The catalog, ready to be asked.
    pub rules: Rules,
    /// What deployments are resolved to.
    pub placed: BTreeMap<DeploymentId, Placed>,
    /// Lines of deployments.
    pub tracks: BTreeMap<(Component, Scope), Track>,
    /// Deployments of a release.
    pub by_release: Index<(Component, Version), DeploymentId>,
    /// Deployments by the commit they bring.
    pub by_head: Index<Place, DeploymentId>,
    /// Deployments by the run that made them.
    by_run: Index<RunId, DeploymentId>,
    /// Runs on a commit.
    runs_on: Index<Place, RunId>,
    /// Tasks of a run.
    tasks_of: Index<RunId, TaskId>,
    /// Tasks on a commit that belong to no run.
    loose_tasks_on: Index<Place, TaskId>,
    /// Gates of a run.
    gates_of: Index<RunId, GateId>,
    /// Gates about a deployment.
    gates_about: Index<DeploymentId, GateId>,
    /// Gates about a commit.
    gates_on: Index<Place, GateId>,
    /// Merged changes that hold a commit.
    pub changes_with: Index<Place, ChangeKey>,
    members: BTreeMap<ChangeKey, BTreeSet<Place>>,
    changes_naming: Index<CommitId, ChangeKey>,
    changes_from: Index<(Repository, String), ChangeKey>,
    by_tag: Index<String, DeploymentId>,
    by_artifact: Index<ArtifactId, DeploymentId>,
    artifacts_of: Index<RunId, ArtifactId>,
    waiting: Index<String, Waiting>,
    /// Records that changed since they were last written to the changelog.
    pub changed: BTreeSet<Key>,
    /// Units to derive anew.
    pub dirty: BTreeSet<Unit>,
    /// Everything was worked out anew: units that have lost their facts are not among the dirty ones.
    pub rebuilt: bool,
}

/// Abbreviations are looked up by their first seven digits.
fn stem(commit: &CommitId) -> Option<String> {
    commit.as_str().get(..7).map(str::to_owned)
}

impl State {
    /// A state worked out from records.
    pub fn of(records: Records) -> Self {
        let mut state = Self { records, ..Self::default() };
        state.rebuild();
        state
    }

    /// Joins one record; true when that was news.
    pub fn take(&mut self, observation: Observation) -> bool {
        for repository in observation.repositories() {
            if self.records.repositories.insert(repository.clone()) {
                self.changed.insert(Key::Repositories);
                self.dirty.insert(Unit::Component(default_component(repository)));
            }
        }
        match observation {
            Observation::Commit(id, commit) => self.take_commit(id, commit),
            Observation::Change(repository, id, change) => {
                let key = (repository, id);
                let news = join_into(&mut self.records.changes, key.clone(), *change);
                if news {
                    self.changed.insert(Key::Change(key.0.clone(), key.1.clone()));
                    self.change_changed(&key);
                }
                news
            }
            Observation::Run(id, run) => {
                let before = self.records.runs.get(&id).and_then(|run| run.commit.get().cloned());
                let news = join_into(&mut self.records.runs, id.clone(), *run);
                if news {
                    self.changed.insert(Key::Run(id.clone()));
                    self.left_commit(before.as_ref());
                    self.run_changed(&id);
                }
                news
            }
            Observation::Task(id, task) => {
                let before =
                    self.records.tasks.get(&id).map(|task| (task.run.get().cloned(), task.commit.get().cloned()));
                let news = join_into(&mut self.records.tasks, id.clone(), *task);
                if news {
                    self.changed.insert(Key::Task(id.clone()));
                    if let Some((run, commit)) = before {
                        run.iter().for_each(|run| self.run_changed(run));
                        self.left_commit(commit.as_ref());
                    }
                    self.task_changed(&id);
                }
                news
            }
            Observation::Deployment(id, deployment) => {
                let before = self.records.deployments.get(&id).and_then(|deployment| deployment.run.get().cloned());
                let news = join_into(&mut self.records.deployments, id.clone(), *deployment);
                if news {
                    self.changed.insert(Key::Deployment(id.clone()));
                    if let Some(run) = before {
                        self.mark_run(&run);
                    }
                    self.deployment_changed(&id);
                }
                news
            }
            Observation::Gate(id, gate) => {
                let before =
                    self.records.gates.get(&id).map(|gate| {
                        (gate.run.get().cloned(), gate.deployment.get().cloned(), gate.commit.get().cloned())
                    });
                let news = join_into(&mut self.records.gates, id.clone(), *gate);
                if news {
                    self.changed.insert(Key::Gate(id.clone()));
                    if let Some((run, deployment, commit)) = before {
                        self.gate_touches(run.as_ref(), deployment.as_ref(), commit.as_ref());
                    }
                    self.gate_changed(&id);
                }
                news
            }
            Observation::Tag(repository, name, tag) => {
                let key = (repository, name);
                let news = join_into(&mut self.records.tags, key.clone(), tag);
                if news {
                    self.changed.insert(Key::Tag(key.0.clone(), key.1.clone()));
                    self.replace(self.by_tag.cloned(&key.1));
                }
                news
            }
            Observation::Artifact(id, artifact) => {
                let news = join_into(&mut self.records.artifacts, id.clone(), artifact);
                if news {
                    self.changed.insert(Key::Artifact(id.clone()));
                    self.artifact_changed(&id);
                }
                news
            }
            Observation::Catalog(catalog) => self.take_catalog(*catalog),
            Observation::BaselineNone(component) => {
                let news = self.records.baseline_none.insert(component);
                if news {
                    self.changed.insert(Key::BaselineNone);
                    self.rebuild();
                }
                news
            }
        }
    }

    /// Of two catalogs the higher revision counts; of one revision, the one that compares greater when written out.
    fn take_catalog(&mut self, catalog: Catalog) -> bool {
        let rank = |c: &Catalog| (c.revision, format!("{c:?}"));
        let news = self.records.catalog.as_ref().is_none_or(|known| rank(&catalog) > rank(known));
        if news {
            self.records.catalog = Some(catalog);
            self.changed.insert(Key::Catalog);
            self.rebuild();
        }
        news
    }

    fn take_commit(&mut self, id: CommitId, commit: Commit) -> bool {
        let growth = self.records.graph.observe(&id, commit);
        if !growth.news {
            return false;
        }
        self.changed.insert(Key::Commit(id.clone()));
        self.commit_arrived(&id);
        if growth.lost {
            self.relabel();
        } else if !growth.gained.is_empty() {
            self.extend_tracks(growth.place, &growth.gained);
        }
        self.touch_commit(growth.place);
        // How it is known that an older commit is part of a release depends on who names it as a parent.
        for older in self.records.graph.node(growth.place).older.clone() {
            self.dirty.insert(Unit::Commit(self.records.graph.node(older).id.clone()));
        }
        self.members_moved(growth.place, &id);
        true
    }

    /// References that waited for a commit of this name are looked up again.
    fn commit_arrived(&mut self, id: &CommitId) {
        let Some(stem) = stem(id) else { return };
        let waiting = self.waiting.cloned(&stem);
        if waiting.is_empty() {
            return;
        }
        // What meant one commit may mean none now, because it could mean two.
        for place in self.records.graph.starting_with(&stem) {
            self.touch_commit(place);
        }
        for waiting in waiting {
            match waiting {
                Waiting::Deployment(id) => self.deployment_changed(&id),
                Waiting::Run(id) => self.run_changed(&id),
                Waiting::Task(id) => self.task_changed(&id),
                Waiting::Gate(id) => self.gate_changed(&id),
            }
        }
    }

    fn await_commit(&mut self, given: Option<&CommitId>, waiting: Waiting) {
        if let Some(stem) = given.filter(|commit| commit.is_abbreviation()).and_then(stem) {
            self.waiting.add(stem, waiting);
        }
    }

    /// The commit that a reference means. A full id is as good as the commit itself.
    fn resolve(&mut self, given: Option<&CommitId>) -> Option<Place> {
        let given = given?;
        if given.is_full() { Some(self.records.graph.place(given)) } else { self.records.graph.resolve(given) }
    }

    /// As [`Self::resolve`], without making a place for a commit that was never named before.
    pub fn find(&self, given: Option<&CommitId>) -> Option<Place> {
        self.records.graph.resolve(given?)
    }

    /// Rows of the commit, of the releases that hold it, and of what merged it, are to be derived anew.
    fn touch_commit(&mut self, place: Place) {
        self.dirty.insert(Unit::Commit(self.records.graph.node(place).id.clone()));
        let holders: Vec<DeploymentId> =
            self.tracks.values().filter_map(|track| track.first(place)).map(|order| order.deployment.clone()).collect();
        for id in holders {
            self.touch_deployment(&id);
        }
        self.touch_releases_of(place);
    }

    /// Something was about this commit and is about another one now.
    fn left_commit(&mut self, given: Option<&CommitId>) {
        if let Some(place) = self.find(given) {
            self.touch_releases_of(place);
        }
    }

    /// Releases whose deployed commit this is.
    fn touch_releases_of(&mut self, head: Place) {
        for id in self.by_head.cloned(&head) {
            self.touch_deployment(&id);
        }
    }

    fn touch_deployment(&mut self, id: &DeploymentId) {
        self.dirty.insert(Unit::Deployment(id.clone()));
        if let Some(Placed { component, version: Some(version), .. }) = self.placed.get(id) {
            self.dirty.insert(Unit::Release(component.clone(), version.clone()));
        }
    }

    fn touch(&mut self, touched: Touched) {
        for place in touched.commits {
            self.dirty.insert(Unit::Commit(self.records.graph.node(place).id.clone()));
            // How its parents are known to be deployed depends on whether it is.
            self.dirty.extend(
                self.records
                    .graph
                    .node(place)
                    .known
                    .told_parents()
                    .unwrap_or_default()
                    .iter()
                    .cloned()
                    .map(Unit::Commit),
            );
            // What a deployment brought is told by when its commit, and that of the one before it, came there first.
            for id in self.by_head.cloned(&place) {
                self.touch_deployment(&id);
                for next in self.next_of(&id) {
                    self.touch_deployment(&next);
                }
            }
        }
        for id in touched.deployments {
            self.touch_deployment(&id);
        }
    }

    /// The deployments that follow one on its tracks.
    fn next_of(&self, id: &DeploymentId) -> Vec<DeploymentId> {
        let Some(placed) = self.placed.get(id) else { return Vec::new() };
        let Some((order, _)) = placed.order(id) else { return Vec::new() };
        let tracks =
            placed.scopes().into_iter().filter_map(|scope| self.tracks.get(&(placed.component.clone(), scope)));
        tracks.filter_map(|track| track.after(&order)).map(|next| next.deployment.clone()).collect()
    }

    fn extend_tracks(&mut self, from: Place, gained: &[Place]) {
        let mut all = Vec::new();
        for track in self.tracks.values_mut() {
            all.push(track.extend(&self.records.graph, from, gained));
        }
        all.into_iter().for_each(|touched| self.touch(touched));
    }

    fn relabel(&mut self) {
        let mut all = Vec::new();
        for track in self.tracks.values_mut() {
            all.push(track.relabel(&self.records.graph));
        }
        all.into_iter().for_each(|touched| self.touch(touched));
    }

    /// Works everything out anew from the records, and marks every unit.
    pub fn rebuild(&mut self) {
        let mut fresh = Self {
            records: std::mem::take(&mut self.records),
            changed: std::mem::take(&mut self.changed),
            ..Self::default()
        };
        fresh.dirty = std::mem::take(&mut self.dirty);
        fresh.rebuilt = true;
        fresh.rules = Rules::new(fresh.records.catalog.clone().unwrap_or_default());
        *self = fresh;
        let changes: Vec<ChangeKey> = self.records.changes.keys().cloned().collect();
        let runs: Vec<RunId> = self.records.runs.keys().cloned().collect();
        let tasks: Vec<TaskId> = self.records.tasks.keys().cloned().collect();
        let artifacts: Vec<ArtifactId> = self.records.artifacts.keys().cloned().collect();
        let deployments: Vec<DeploymentId> = self.records.deployments.keys().cloned().collect();
        let gates: Vec<GateId> = self.records.gates.keys().cloned().collect();
        changes.iter().for_each(|key| self.change_changed(key));
        runs.iter().for_each(|id| self.run_changed(id));
        tasks.iter().for_each(|id| self.task_changed(id));
        artifacts.iter().for_each(|id| self.artifact_changed(id));
        deployments.iter().for_each(|id| self.deployment_changed(id));
        gates.iter().for_each(|id| self.gate_changed(id));
        let components = self.records.catalog.iter().flat_map(|catalog| &catalog.components);
        self.dirty.extend(components.map(|c| Unit::Component(c.component.clone())));
    }

    /// Deployments whose commit is not known.
    pub fn unresolved(&self) -> usize {
        self.placed.values().filter(|placed| placed.head.is_none()).count()
    }

    /// Joins a record read back from the changelog, without working anything out.
    pub fn restore(&mut self, key: Key, value: Restored) {
        match (key, value) {
            (Key::Commit(id), Restored::Commit(commit)) => {
                self.records.graph.observe(&id, commit);
            }
            (Key::Change(repository, id), Restored::Change(change)) => {
                self.records.changes.entry((repository, id)).or_default().join(change);
            }
            (Key::Run(id), Restored::Run(run)) => {
                self.records.runs.entry(id).or_default().join(run);
            }
            (Key::Task(id), Restored::Task(task)) => {
                self.records.tasks.entry(id).or_default().join(task);
            }
            (Key::Deployment(id), Restored::Deployment(deployment)) => {
                self.records.deployments.entry(id).or_default().join(deployment);
            }
            (Key::Gate(id), Restored::Gate(gate)) => {
                self.records.gates.entry(id).or_default().join(gate);
            }
            (Key::Tag(repository, name), Restored::Tag(tag)) => {
                self.records.tags.entry((repository, name)).or_default().join(tag);
            }
            (Key::Artifact(id), Restored::Artifact(artifact)) => {
                self.records.artifacts.entry(id).or_default().join(artifact);
            }
            (Key::Catalog, Restored::Catalog(catalog)) => self.records.catalog = Some(catalog),
            (Key::BaselineNone, Restored::BaselineNone(components)) => self.records.baseline_none = components,
            (Key::Repositories, Restored::Repositories(repositories)) => self.records.repositories = repositories,
            _ => {}
        }
    }
}
