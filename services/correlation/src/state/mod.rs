//! The state of a realm: entity records, what they are resolved to, and indexes from each to what depends on it.
//!
//! Only the records are knowledge and are kept in the changelog. Everything else here follows from them: references resolved to
//! commits, deployments put on tracks, members of changes. It is kept up to date record by record, and can be rebuilt from the
//! records alone, which is what a restore and a new catalog do. Whatever a record changes marks the [`Unit`]s that depend on it.

mod attempts;
mod changes;
mod incidents;
mod index;
mod lineage;
mod lines;
mod marks;
mod meetings;
mod names;
mod paths;
mod placement;
mod references;
mod runs;
mod steps;
mod stirred;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};
use model::event::Catalog;
use model::{ArtifactId, CommitId, Component, DeploymentId, GateId, IncidentId, Repository, RunId, TaskId, Version};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::catalog::{Rules, default_component, outranks};
use crate::entity::{
    Artifact, Change, Commit, Deployment, Exclusion, Gate, Incident, NamedStep, Purpose, ReleaseKey, Run, Shifts, Tag,
    Task, join_into,
};
use crate::graph::{Graph, Place, STEM};
use crate::lattice::Join;
use crate::lists::Lists;
use crate::observe::Observation;
use crate::sorted::SortedSet;
use crate::track::{Touched, Track, Tracks};

use attempts::Tries;
use incidents::Incidents;
use index::{Index, Waiting};
use lineage::Relatives;
use marks::{Marked, Marking};
use meetings::Meetings;
pub use meetings::{Met, Series};
pub use names::{ChangeKey, ChangeNumber, Key, NamedKey, Placed, Restored, Scope, Step, Unit};
use stirred::Stirred;

/// Records: what is known.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Commits.
    pub graph: Graph,
    /// Changes.
    pub changes: IndexMap<ChangeKey, Change, FxBuildHasher>,
    /// Runs.
    pub runs: FxHashMap<RunId, Run>,
    /// Tasks.
    pub tasks: FxHashMap<TaskId, Task>,
    /// Deployments.
    pub deployments: FxHashMap<DeploymentId, Deployment>,
    /// Gates.
    pub gates: FxHashMap<GateId, Gate>,
    /// Tags.
    pub tags: FxHashMap<(Repository, String), Tag>,
    /// Artifacts.
    pub artifacts: FxHashMap<ArtifactId, Artifact>,
    /// Steps that people named.
    pub named_steps: BTreeMap<NamedKey, NamedStep>,
    /// Incidents.
    pub incidents: FxHashMap<IncidentId, Incident>,
    /// Releases left out of the figures, or taken back in.
    pub exclusions: FxHashMap<ReleaseKey, Exclusion>,
    /// The catalog of the highest revision.
    pub catalog: Option<Catalog>,
    /// Components whose first deployment counts as lead time.
    pub baseline_none: BTreeSet<Component>,
    /// Repositories that were ever spoken of.
    pub repositories: BTreeSet<Repository>,
    /// What teams said of their gates, for one component or for all.
    pub purposes: FxHashMap<(Option<Component>, String), Purpose>,
    /// What people said of the shifts of components.
    pub shifts: FxHashMap<Component, Shifts>,
}

impl Records {
    /// Forgets a record, before anything was worked out from it. Knowledge only grows; but a new generation learns it again.
    pub fn forget(&mut self, key: &Key) {
        match key {
            Key::Commit(id) => self.graph.forget(id),
            Key::Change(repository, id) => drop(self.changes.swap_remove(&(repository.clone(), id.clone()))),
            Key::Run(id) => drop(self.runs.remove(id)),
            Key::Task(id) => drop(self.tasks.remove(id)),
            Key::Deployment(id) => drop(self.deployments.remove(id)),
            Key::Gate(id) => drop(self.gates.remove(id)),
            Key::Tag(repository, name) => drop(self.tags.remove(&(repository.clone(), name.clone()))),
            Key::Artifact(id) => drop(self.artifacts.remove(id)),
            Key::NamedStep(of) => drop(self.named_steps.remove(of)),
            Key::Incident(id) => drop(self.incidents.remove(id)),
            Key::Exclusion(release) => drop(self.exclusions.remove(release)),
            Key::Purpose(component, gate) => drop(self.purposes.remove(&(component.clone(), gate.clone()))),
            Key::Shifts(component) => drop(self.shifts.remove(component)),
            Key::Catalog => self.catalog = None,
            Key::BaselineNone => self.baseline_none.clear(),
            Key::Repositories => self.repositories.clear(),
            // They are no records.
            Key::Emitted(_) | Key::Meta | Key::Superseded(..) => {}
        }
    }
}

/// What follows from the records.
#[derive(Debug, Default)]
pub struct State {
    /// What is known.
    pub records: Records,
    /// The catalog, ready to be asked.
    pub rules: Rules,
    /// What deployments are resolved to.
    pub placed: FxHashMap<DeploymentId, Placed>,
    /// Lines of deployments.
    pub tracks: Tracks,
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
    /// What was tried again and again, and how that went.
    tries: Tries,
    /// Gates of a run.
    gates_of: Index<RunId, GateId>,
    /// Tasks of a run that may be started by hand.
    startable: Index<RunId, TaskId>,
    /// Gates about a task.
    gates_naming: Index<TaskId, GateId>,
    /// Gates about a deployment.
    gates_about: Index<DeploymentId, GateId>,
    /// Gates about a commit.
    gates_on: Index<Place, GateId>,
    /// Merged changes that hold a commit.
    changes_with: Lists<ChangeNumber, 1>,
    /// Commits of each merged change, by the number of the change.
    members: FxHashMap<ChangeNumber, SortedSet<Place>>,
    /// Changes that name a commit as theirs.
    changes_naming: Lists<ChangeNumber, 1>,
    /// Changes by the branch they come from.
    changes_from: Index<(Repository, String), ChangeNumber>,
    /// What incidents are settled to.
    pub incidents: Incidents,
    by_tag: Index<String, DeploymentId>,
    by_artifact: Index<ArtifactId, DeploymentId>,
    artifacts_of: Index<RunId, ArtifactId>,
    /// Artifacts by their name and tag.
    artifacts_tagged: Index<ArtifactId, ArtifactId>,
    /// Deployments that something else counts as.
    pub marked: BTreeMap<DeploymentId, Marked>,
    marks: BTreeMap<Marking, Vec<DeploymentId>>,
    waiting: Index<String, Waiting>,
    relatives: Relatives,
    /// Gates as they are met again and again.
    meetings: Meetings,
    stirred: Stirred,
    /// Releases whose way to production may have changed, and with it the rows of their commits.
    paths_moved: BTreeSet<(Component, Version)>,
    /// Records that changed since they were last written to the changelog.
    pub changed: IndexSet<Key, FxBuildHasher>,
    /// Units to derive anew, apart from commits.
    pub dirty: IndexSet<Unit, FxBuildHasher>,
    /// Commits to derive anew.
    pub dirty_commits: FxHashSet<Place>,
    /// Everything was worked out anew: units that have lost their facts are not among the dirty ones.
    pub rebuilt: bool,
    /// Everything is being worked out anew. Each unit is marked for itself, and all commits are: what is only marked because something
    /// else moved need not be looked for.
    rebuilding: bool,
}

/// Abbreviations are looked up by their first seven digits.
fn stem(commit: &CommitId) -> Option<String> {
    commit.as_str().get(..STEM).map(str::to_owned)
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
                let known = self.records.changes.len();
                let entry = self.records.changes.entry(key.clone()).or_default();
                let news = entry.join(*change) || self.records.changes.len() > known;
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
                    if before.as_ref() != self.records.runs.get(&id).and_then(|run| run.commit.get()) {
                        self.left_commit(before.as_ref());
                    }
                    self.stirred.runs.insert(id);
                }
                news
            }
            Observation::Task(id, task) => {
                let about = |task: &Task| (task.run.get().cloned(), task.commit.get().cloned());
                let before = self.records.tasks.get(&id).map(about);
                let stood = if self.stirred.tasks.contains_key(&id) { None } else { self.tries_of_task(&id) };
                let news = join_into(&mut self.records.tasks, id.clone(), *task);
                if news {
                    self.changed.insert(Key::Task(id.clone()));
                    if let Some((run, commit)) =
                        before.filter(|before| self.records.tasks.get(&id).map(about).as_ref() != Some(before))
                    {
                        run.iter().for_each(|run| self.run_touched(run));
                        self.left_commit(commit.as_ref());
                    }
                    self.stirred.tasks.entry(id).or_insert(stood);
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
                let about = self.records.gates.get(&id).and_then(|gate| gate.task.get().cloned());
                let news = join_into(&mut self.records.gates, id.clone(), *gate);
                if news {
                    self.changed.insert(Key::Gate(id.clone()));
                    about.iter().for_each(|task| self.mark_step_of(task));
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
                    self.mark(Marking::Tag(key.0, key.1));
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
            Observation::NamedStep(key, step) => {
                let known = self.records.named_steps.len();
                let entry = self.records.named_steps.entry(key.clone()).or_default();
                let news = entry.join(step) || self.records.named_steps.len() > known;
                if news {
                    self.changed.insert(Key::NamedStep(key.clone()));
                    self.dirty.insert(Unit::Step(Step::Named(key)));
                }
                news
            }
            Observation::Incident(id, incident) => {
                let news = join_into(&mut self.records.incidents, id.clone(), *incident);
                if news {
                    self.changed.insert(Key::Incident(id.clone()));
                    self.incident_changed(&id);
                }
                news
            }
            Observation::Exclusion(release, exclusion) => {
                let news = join_into(&mut self.records.exclusions, release.clone(), exclusion);
                if news {
                    self.changed.insert(Key::Exclusion(release.clone()));
                    self.dirty.insert(Unit::Release(release.0, release.1));
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
            Observation::Purpose(component, gate, purpose) => {
                let key = (component, gate);
                let news = join_into(&mut self.records.purposes, key.clone(), purpose);
                if news {
                    self.touch_gates_named(key.0.as_ref(), &key.1);
                    self.changed.insert(Key::Purpose(key.0, key.1));
                }
                news
            }
            Observation::Shifts(component, shifts) => {
                let news = join_into(&mut self.records.shifts, component.clone(), shifts);
                if news {
                    self.changed.insert(Key::Shifts(component.clone()));
                    self.dirty.insert(Unit::Component(component));
                }
                news
            }
        }
    }

    fn take_catalog(&mut self, catalog: Catalog) -> bool {
        let news = self.records.catalog.as_ref().is_none_or(|known| outranks(&catalog, known));
        if news {
            self.records.catalog = Some(catalog);
            self.changed.insert(Key::Catalog);
            self.rebuild();
        }
        news
    }

    fn take_commit(&mut self, id: CommitId, commit: Commit) -> bool {
        let patch = self.records.graph.find(&id).and_then(|place| self.records.graph.patch(place));
        let growth = self.records.graph.observe(&id, commit);
        if !growth.news {
            return false;
        }
        self.changed.insert(Key::Commit(id.clone()));
        if growth.lost {
            let touched = self.tracks.relabel(&self.records.graph);
            touched.into_iter().for_each(|touched| self.touch(touched));
        } else if !growth.gained.is_empty() {
            let touched = self.tracks.extend(&self.records.graph, growth.place, &growth.gained);
            touched.into_iter().for_each(|touched| self.touch(touched));
        }
        self.commit_arrived(&id);
        self.relatives_moved(growth.place, patch);
        self.touch_commit(growth.place);
        // How it is known that an older commit is part of a release depends on who names it as a parent.
        self.dirty_commits.extend(self.records.graph.older(growth.place));
        self.members_moved(growth.place);
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
                Waiting::Run(id) => drop(self.stirred.runs.insert(id)),
                Waiting::Task(id) => {
                    let stood = self.tries_of_task(&id);
                    self.stirred.tasks.entry(id).or_insert(stood);
                }
                Waiting::Gate(id) => self.gate_changed(&id),
                Waiting::Incident(id) => self.incidents.arrived(id),
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

    /// Rows of the commit, of its relatives, and of the releases that hold them, are to be derived anew.
    fn touch_commit(&mut self, place: Place) {
        if self.rebuilding {
            return;
        }
        self.touch_alone(place);
        self.relatives(place).into_iter().for_each(|relative| self.touch_alone(relative));
    }

    fn touch_alone(&mut self, place: Place) {
        self.dirty_commits.insert(place);
        self.incidents.commit_moved(place);
        let holders: Vec<DeploymentId> = self.tracks.of(place).map(|(_, order)| order.deployment.clone()).collect();
        for id in holders {
            self.touch_deployment(&id);
        }
        self.touch_releases_of(place);
        self.mark_dispatched_on(place);
    }

    /// Something was about this commit and is about another one now.
    fn left_commit(&mut self, given: Option<&CommitId>) {
        if let Some(place) = self.find(given) {
            self.touch_releases_of(place);
            self.mark_dispatched_on(place);
        }
    }

    /// Releases whose deployed commit this is, with their commits, and gates about it.
    fn touch_releases_of(&mut self, head: Place) {
        for id in self.by_head.cloned(&head) {
            self.touch_deployment(&id);
            self.path_moved(&id);
        }
        self.touch_gates_at(head);
    }

    fn touch_deployment(&mut self, id: &DeploymentId) {
        self.deployment_moved(id);
        self.dirty.insert(Unit::Deployment(id.clone()));
        self.mark_step_by_hand(id);
        if let Some(Placed { component, version: Some(version), .. }) = self.placed.get(id) {
            self.touch_release(component.clone(), version.clone());
        }
    }

    fn touch(&mut self, touched: Touched) {
        if self.rebuilding {
            return;
        }
        let changes = touched.commits.iter().flat_map(|place| self.changes_with.of(place.index())).copied();
        let changes: FxHashSet<ChangeNumber> = changes.collect();
        for place in touched.commits {
            self.dirty_commits.insert(place);
            self.incidents.commit_moved(place);
            // How its parents are known to be deployed depends on whether it is.
            self.dirty_commits.extend(self.records.graph.parents(place).unwrap_or_default());
            // What a deployment brought is told by when its commit, and that of the one before it, came there first.
            for id in self.by_head.cloned(&place) {
                self.touch_deployment(&id);
                for next in self.next_of(&id) {
                    self.touch_deployment(&next);
                }
            }
        }
        // Whether a release is a hotfix depends on what of its changes production had before.
        let members = changes.iter().filter_map(|number| self.members.get(number)).flat_map(|members| &**members);
        let holders = members.flat_map(|member| self.tracks.of(*member)).map(|(_, order)| order.deployment.clone());
        let holders: FxHashSet<DeploymentId> = holders.collect();
        for id in touched.deployments.into_iter().chain(holders) {
            self.touch_deployment(&id);
        }
    }

    /// The track of a component and a scope, where it has a deployment.
    pub fn track(&self, component: &Component, scope: &Scope) -> Option<Track<'_>> {
        self.tracks.get(&self.records.graph, component, scope)
    }

    /// The deployments that follow one on its tracks.
    fn next_of(&self, id: &DeploymentId) -> Vec<DeploymentId> {
        let Some(placed) = self.placed.get(id) else { return Vec::new() };
        let Some((order, _)) = placed.order(id) else { return Vec::new() };
        let tracks = placed.scopes().into_iter().filter_map(|scope| self.track(&placed.component, &scope));
        tracks.filter_map(|track| track.after(&order)).map(|next| next.deployment.clone()).collect()
    }

    /// Works everything out anew from the records, and marks every unit.
    pub fn rebuild(&mut self) {
        let mut fresh = Self {
            records: std::mem::take(&mut self.records),
            changed: std::mem::take(&mut self.changed),
            ..Self::default()
        };
        fresh.dirty = std::mem::take(&mut self.dirty);
        fresh.dirty_commits = std::mem::take(&mut self.dirty_commits);
        fresh.tracks = std::mem::take(&mut self.tracks).emptied();
        (fresh.rebuilt, fresh.rebuilding) = (true, true);
        fresh.rules = Rules::new(fresh.records.catalog.clone().unwrap_or_default());
        *self = fresh;
        let changes: Vec<ChangeKey> = self.records.changes.keys().cloned().collect();
        let runs: Vec<RunId> = self.records.runs.keys().cloned().collect();
        let tasks: Vec<TaskId> = self.records.tasks.keys().cloned().collect();
        let artifacts: Vec<ArtifactId> = self.records.artifacts.keys().cloned().collect();
        let mut deployments: Vec<DeploymentId> = self.records.deployments.keys().cloned().collect();
        // One after the other as they came, so that each commit is labelled once.
        deployments
            .sort_by_cached_key(|id| self.records.deployments.get(id).map(|known| known.fold(true).succeeded_at()));
        let tags: Vec<(Repository, String)> = self.records.tags.keys().cloned().collect();
        let gates: Vec<GateId> = self.records.gates.keys().cloned().collect();
        let incidents: Vec<IncidentId> = self.records.incidents.keys().cloned().collect();
        self.records.graph.places().for_each(|place| {
            self.relate(place);
        });
        changes.iter().for_each(|key| self.change_changed(key));
        runs.iter().for_each(|id| self.run_changed(id));
        tasks.iter().for_each(|id| self.task_tried(id, None));
        // Their runs are touched already.
        tasks.iter().for_each(|id| drop(self.task_changed(id)));
        artifacts.iter().for_each(|id| self.artifact_changed(id));
        deployments.iter().for_each(|id| self.deployment_changed(id));
        tags.into_iter().for_each(|(repository, name)| self.mark(Marking::Tag(repository, name)));
        gates.iter().for_each(|id| self.gate_changed(id));
        incidents.iter().for_each(|id| self.incident_changed(id));
        let components = self.records.catalog.iter().flat_map(|catalog| &catalog.components);
        self.dirty.extend(components.map(|c| Unit::Component(c.component.clone())));
        self.dirty.extend(self.records.named_steps.keys().cloned().map(|key| Unit::Step(Step::Named(key))));
        self.paths_moved.clear();
        self.settle();
        self.rebuilding = false;
    }

    /// Deployments whose commit is not known.
    pub fn unresolved(&self) -> usize {
        self.placed.values().filter(|placed| placed.head.is_none()).count()
    }

    /// Joins a record read back from the changelog, without working anything out.
    pub fn restore(&mut self, key: Key, value: Restored) {
        match (key, value) {
            (Key::Commit(id), Restored::Commit(commit)) => {
                self.records.graph.restore(&id, commit);
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
            (Key::NamedStep(key), Restored::NamedStep(step)) => {
                self.records.named_steps.entry(key).or_default().join(step);
            }
            (Key::Incident(id), Restored::Incident(incident)) => {
                self.records.incidents.entry(id).or_default().join(incident);
            }
            (Key::Exclusion(release), Restored::Exclusion(exclusion)) => {
                self.records.exclusions.entry(release).or_default().join(exclusion);
            }
            (Key::Catalog, Restored::Catalog(catalog)) => self.records.catalog = Some(catalog),
            (Key::BaselineNone, Restored::BaselineNone(components)) => self.records.baseline_none = components,
            (Key::Repositories, Restored::Repositories(repositories)) => self.records.repositories = repositories,
            (Key::Purpose(component, gate), Restored::Purpose(purpose)) => {
                self.records.purposes.entry((component, gate)).or_default().join(purpose);
            }
            (Key::Shifts(component), Restored::Shifts(shifts)) => {
                self.records.shifts.entry(component).or_default().join(shifts);
            }
            _ => {}
        }
    }
}
