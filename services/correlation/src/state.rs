//! The state of a realm: entity records, what they are resolved to, and indexes from each to what depends on it.
//!
//! Only the records are knowledge and are kept in the changelog. Everything else here follows from them: references resolved to
//! commits, deployments put on tracks, members of changes. It is kept up to date record by record, and can be rebuilt from the
//! records alone, which is what a restore and a new catalog do. Whatever a record changes marks the [`Unit`]s that depend on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::event::{Catalog, Tier};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, Environment, GateId, Repository, RunId, TaskId, Timestamp,
    Version,
};
use serde::{Deserialize, Serialize};

use crate::catalog::{Rules, default_component};
use crate::entity::{Artifact, Change, Commit, Deployment, Gate, Run, Tag, Task, join_into};
use crate::graph::{Graph, Place};
use crate::lattice::Join;
use crate::observe::Observation;
use crate::track::{Order, Touched, Track};

/// A change within its realm.
pub type ChangeKey = (Repository, ChangeId);

/// What facts are derived for at a time: each unit's facts are a pure function of the state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Rows of a commit, one for each component and environment.
    Commit(CommitId),
    /// Row of a deployment.
    Deployment(DeploymentId),
    /// Row of a release.
    Release(Component, Version),
    /// Row of a gate.
    Gate(GateId),
    /// Rows of a run, one for each attempt.
    Run(RunId),
    /// Row of a component.
    Component(Component),
}

/// Table and name, as it stands in the keys of the fact topics.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => write!(f, "commit/{id}"),
            Self::Deployment(id) => write!(f, "deployment/{id}"),
            Self::Release(component, version) => write!(f, "release/{component}/{version}"),
            Self::Gate(id) => write!(f, "gate/{id}"),
            Self::Run(id) => write!(f, "run/{id}"),
            Self::Component(component) => write!(f, "component/{component}"),
        }
    }
}

/// A record of the changelog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// Of a commit.
    Commit(CommitId),
    /// Of a change.
    Change(Repository, ChangeId),
    /// Of a run.
    Run(RunId),
    /// Of a task.
    Task(TaskId),
    /// Of a deployment.
    Deployment(DeploymentId),
    /// Of a gate.
    Gate(GateId),
    /// Of a tag.
    Tag(Repository, String),
    /// Of an artifact.
    Artifact(ArtifactId),
    /// The catalog.
    Catalog,
    /// Components without a baseline.
    BaselineNone,
    /// Repositories that were ever spoken of.
    Repositories,
    /// Identities and digests of the facts last emitted for a unit.
    Emitted(Unit),
    /// Generation, sequence and version of the derivation.
    Meta,
}

/// A line of deployments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To one environment.
    Environment(Environment),
    /// To any environment of the production tier: the line that makes releases.
    Production,
}

/// What a deployment is resolved to.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Component.
    pub component: Component,
    /// Environment by the catalog's name.
    pub environment: Environment,
    /// What the environment is for.
    pub tier: Tier,
    /// Version, where it is known.
    pub version: Option<Version>,
    /// Commit, where it is known.
    pub head: Option<Place>,
    /// When it succeeded, where it counts.
    pub succeeded_at: Option<Timestamp>,
}

impl Placed {
    /// Its place on its tracks, where it is on any.
    pub fn order(&self, id: &DeploymentId) -> Option<(Order, Place)> {
        let (finished_at, version, head) = (self.succeeded_at?, self.version.clone()?, self.head?);
        Some((Order { finished_at, version, deployment: id.clone() }, head))
    }

    /// The scopes it counts in.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = vec![Scope::Environment(self.environment.clone())];
        if self.tier == Tier::Production {
            scopes.push(Scope::Production);
        }
        scopes
    }
}

/// From a thing to those that depend on it.
#[derive(Debug)]
pub struct Index<K, V>(BTreeMap<K, BTreeSet<V>>);

impl<K, V> Default for Index<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, V: Ord + Clone> Index<K, V> {
    fn add(&mut self, key: K, value: V) {
        self.0.entry(key).or_default().insert(value);
    }

    fn remove(&mut self, key: &K, value: &V) {
        if let Some(values) = self.0.get_mut(key) {
            values.remove(value);
            if values.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// What depends on the key.
    pub fn of<'a>(&'a self, key: &K) -> impl Iterator<Item = &'a V> + use<'a, K, V> {
        self.0.get(key).into_iter().flatten()
    }

    fn cloned(&self, key: &K) -> Vec<V> {
        self.of(key).cloned().collect()
    }
}

/// A record that named a commit by an abbreviation that meant none, or more than one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Waiting {
    Deployment(DeploymentId),
    Run(RunId),
    Task(TaskId),
    Gate(GateId),
}

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

    // ---- what depends on what: an index may hold what a record said before, so each reading asks the record again

    /// Runs on a commit.
    pub fn runs_on(&self, place: Place) -> impl Iterator<Item = &RunId> {
        self.runs_on
            .of(&place)
            .filter(move |id| self.records.runs.get(*id).and_then(|run| self.find(run.commit.get())) == Some(place))
    }

    /// Tasks of a run.
    pub fn tasks_of(&self, run: &RunId) -> impl Iterator<Item = &Task> {
        self.tasks_of
            .of(run)
            .filter_map(|id| self.records.tasks.get(id))
            .filter(move |task| task.run.get() == Some(run))
    }

    /// Tasks on a commit that belong to no run.
    pub fn loose_tasks_on(&self, place: Place) -> impl Iterator<Item = &Task> {
        let tasks = self.loose_tasks_on.of(&place).filter_map(|id| self.records.tasks.get(id));
        tasks.filter(move |task| task.run.get().is_none() && self.find(task.commit.get()) == Some(place))
    }

    /// Gates of a run.
    pub fn gates_of(&self, run: &RunId) -> impl Iterator<Item = &GateId> {
        self.gates_of.of(run).filter(move |id| self.records.gates.get(*id).and_then(|gate| gate.run.get()) == Some(run))
    }

    /// Gates about a deployment.
    pub fn gates_about(&self, deployment: &DeploymentId) -> impl Iterator<Item = &GateId> {
        let of = |id: &&GateId| self.records.gates.get(*id).and_then(|gate| gate.deployment.get()) == Some(deployment);
        self.gates_about.of(deployment).filter(of)
    }

    /// Gates about a commit.
    pub fn gates_on(&self, place: Place) -> impl Iterator<Item = &GateId> {
        self.gates_on
            .of(&place)
            .filter(move |id| self.records.gates.get(*id).and_then(|gate| self.find(gate.commit.get())) == Some(place))
    }

    /// Deployments made by a run.
    pub fn deployments_of(&self, run: &RunId) -> impl Iterator<Item = &DeploymentId> {
        self.by_run.of(run).filter(move |id| self.records.deployments.get(*id).and_then(|d| d.run.get()) == Some(run))
    }

    // ---- changes

    fn change_changed(&mut self, key: &ChangeKey) {
        let Some(change) = self.records.changes.get(key) else { return };
        let merge = change.merged.get().and_then(|(_, commit)| commit.clone());
        for commit in change.heads.iter().chain(&change.commits).chain(&merge) {
            self.changes_naming.add(commit.clone(), key.clone());
        }
        if let Some(branch) = change.source_branch.get() {
            self.changes_from.add((key.0.clone(), format!("refs/heads/{branch}")), key.clone());
        }
        self.find_members(key);
    }

    /// A commit changed: the changes that name it, or whose branch it was pushed to, may hold others now.
    fn members_moved(&mut self, place: Place, id: &CommitId) {
        let mut keys: BTreeSet<ChangeKey> = self.changes_naming.cloned(id).into_iter().collect();
        keys.extend(self.changes_with.cloned(&place));
        let known = &self.records.graph.node(place).known;
        for repository in &known.repositories {
            for branch in &known.branches {
                keys.extend(self.changes_from.of(&(repository.clone(), branch.clone())).cloned());
            }
        }
        for key in keys {
            self.find_members(&key);
        }
    }

    /// Finds the commits of a merged change anew: those that a provider listed, what was pushed to its branch below its last
    /// commit, and the commit that merged it.
    fn find_members(&mut self, key: &ChangeKey) {
        let Records { changes, graph, .. } = &mut self.records;
        let Some(change) = changes.get(key) else { return };
        let mut members = BTreeSet::new();
        if let Some((_, merge)) = change.merged.get() {
            members.extend(change.commits.iter().chain(merge).map(|id| graph.place(id)));
            let merge = merge.as_ref().map(|id| graph.place(id));
            let branch = change.source_branch.get().map(|branch| format!("refs/heads/{branch}"));
            let bases: BTreeSet<Place> = change.bases.iter().map(|id| graph.place(id)).collect();
            let mut open: Vec<Place> = change.head.get().map(|id| graph.place(id)).into_iter().collect();
            while let Some(place) = open.pop() {
                if !members.insert(place) && Some(place) != merge {
                    continue;
                }
                let on_branch = |p: &Place| {
                    let known = &graph.node(*p).known;
                    !bases.contains(p)
                        && !members.contains(p)
                        && known.repositories.contains(&key.0)
                        && branch.as_ref().is_some_and(|b| known.branches.contains(b))
                };
                open.extend(graph.node(place).older.iter().copied().filter(on_branch));
            }
        }
        let before = self.members.insert(key.clone(), members.clone()).unwrap_or_default();
        for place in before.difference(&members) {
            self.changes_with.remove(place, key);
        }
        for place in members.difference(&before) {
            self.changes_with.add(*place, key.clone());
        }
        // What a member tells reaches the commit that merged it: of a squash, the earliest author time.
        let mut touched: BTreeSet<Place> = before.union(&members).copied().collect();
        // Whether this change or another one brought a commit first decides what a squash of that other one counts from.
        for place in before.union(&members) {
            let merges =
                self.changes_with.of(place).filter_map(|key| self.records.changes.get(key)?.merged.get()?.1.as_ref());
            touched.extend(merges.filter_map(|id| self.records.graph.find(id)));
        }
        for place in touched {
            self.touch_commit(place);
        }
    }

    /// Commits of a merged change, the one that merged it included.
    pub fn members(&self, key: &ChangeKey) -> impl Iterator<Item = Place> + '_ {
        self.members.get(key).into_iter().flatten().copied()
    }

    /// The change that brought a commit in: of those that hold it, the one merged first.
    pub fn brought_by(&self, place: Place) -> Option<(&ChangeKey, &Change, Timestamp)> {
        let merged = |key: &'_ ChangeKey| self.records.changes.get(key).and_then(|c| Some((c, c.merged.get()?.0)));
        self.changes_with
            .of(&place)
            .filter_map(|key| merged(key).map(|(change, at)| (key, change, at)))
            .min_by_key(|(key, _, at)| (*at, (*key).clone()))
    }

    // ---- runs, tasks, gates, artifacts

    fn run_changed(&mut self, id: &RunId) {
        let given = self.records.runs.get(id).and_then(|run| run.commit.get().cloned());
        self.await_commit(given.as_ref(), Waiting::Run(id.clone()));
        if let Some(place) = self.resolve(given.as_ref()) {
            self.runs_on.add(place, id.clone());
            self.touch_releases_of(place);
        }
        self.mark_run(id);
        self.replace(self.by_run.cloned(id));
        for artifact in self.artifacts_of.cloned(id) {
            self.replace(self.by_artifact.cloned(&artifact));
        }
    }

    fn task_changed(&mut self, id: &TaskId) {
        let Some(task) = self.records.tasks.get(id) else { return };
        let (run, given) = (task.run.get().cloned(), task.commit.get().cloned());
        self.await_commit(given.as_ref(), Waiting::Task(id.clone()));
        match run {
            Some(run) => {
                self.tasks_of.add(run.clone(), id.clone());
                self.run_changed(&run);
            }
            None => {
                if let Some(place) = self.resolve(given.as_ref()) {
                    self.loose_tasks_on.add(place, id.clone());
                    self.touch_releases_of(place);
                }
            }
        }
    }

    fn gate_changed(&mut self, id: &GateId) {
        let Some(gate) = self.records.gates.get(id) else { return };
        let (run, deployment) = (gate.run.get().cloned(), gate.deployment.get().cloned());
        let given = gate.commit.get().cloned();
        self.await_commit(given.as_ref(), Waiting::Gate(id.clone()));
        self.dirty.insert(Unit::Gate(id.clone()));
        if let Some(run) = &run {
            self.gates_of.add(run.clone(), id.clone());
        }
        if let Some(deployment) = &deployment {
            self.gates_about.add(deployment.clone(), id.clone());
        }
        if let Some(place) = self.resolve(given.as_ref()) {
            self.gates_on.add(place, id.clone());
        }
        self.gate_touches(run.as_ref(), deployment.as_ref(), given.as_ref());
    }

    /// Releases that a gate may hold back.
    fn gate_touches(&mut self, run: Option<&RunId>, deployment: Option<&DeploymentId>, commit: Option<&CommitId>) {
        if let Some(run) = run {
            for deployment in self.by_run.cloned(run) {
                self.touch_deployment(&deployment);
            }
            let commit = self.records.runs.get(run).and_then(|run| run.commit.get().cloned());
            self.left_commit(commit.as_ref());
        }
        if let Some(deployment) = deployment {
            self.touch_deployment(deployment);
        }
        self.left_commit(commit);
    }

    /// Rows of a run and of its gates.
    fn mark_run(&mut self, run: &RunId) {
        self.dirty.insert(Unit::Run(run.clone()));
        self.dirty.extend(self.gates_of.cloned(run).into_iter().map(Unit::Gate));
    }

    fn artifact_changed(&mut self, id: &ArtifactId) {
        if let Some(run) = self.records.artifacts.get(id).and_then(|artifact| artifact.run.get().cloned()) {
            self.artifacts_of.add(run, id.clone());
        }
        self.replace(self.by_artifact.cloned(id));
    }

    // ---- deployments

    fn replace(&mut self, deployments: Vec<DeploymentId>) {
        for id in deployments {
            self.deployment_changed(&id);
        }
    }

    fn deployment_changed(&mut self, id: &DeploymentId) {
        let Some(deployment) = self.records.deployments.get(id) else { return };
        let names = [deployment.version.get().cloned(), tag_name(deployment.ref_name.get())];
        let (run, artifacts) = (deployment.run.get().cloned(), deployment.artifacts.clone());
        let given = deployment.commit.get().cloned();
        names.into_iter().flatten().for_each(|name| self.by_tag.add(name, id.clone()));
        artifacts.into_iter().for_each(|artifact| self.by_artifact.add(artifact, id.clone()));
        self.await_commit(given.as_ref(), Waiting::Deployment(id.clone()));
        if let Some(run) = run {
            self.by_run.add(run.clone(), id.clone());
            self.mark_run(&run);
        }
        self.dirty.extend(self.gates_about.cloned(id).into_iter().map(Unit::Gate));
        let placed = self.locate(id);
        if self.placed.get(id) != placed.as_ref() {
            self.lift(id);
            if let Some(placed) = placed {
                self.put(id, placed);
            }
        }
        self.touch_deployment(id);
    }

    /// Resolves what a deployment says.
    fn locate(&mut self, id: &DeploymentId) -> Option<Placed> {
        let deployment = self.records.deployments.get(id)?;
        let repository = deployment.repository.get().cloned();
        let component = self.rules.owner(repository.as_ref(), deployment.service.get().map(String::as_str))?;
        let (environment, tier) =
            self.rules.environment(deployment.environment.get()?, deployment.production.get().copied());
        let partial_counts = self.rules.component(&component).is_some_and(|c| c.partial_counts);
        let succeeded_at = deployment.fold(partial_counts).succeeded_at();
        let counts = !deployment.transient.0 && !deployment.removal.0;
        let told = deployment.version.get().cloned();
        let given = self.given_commit(deployment, repository.as_ref());
        let tag = tag_name(deployment.ref_name.get()).filter(|name| {
            repository.as_ref().is_some_and(|r| self.records.tags.contains_key(&(r.clone(), name.clone())))
        });
        let head = self.resolve(given.as_ref());
        let version = told.or(tag).or_else(|| head.map(|place| self.records.graph.node(place).id.as_str().to_owned()));
        Some(Placed {
            component,
            environment,
            tier,
            version: version.map(Version::new),
            head,
            succeeded_at: succeeded_at.filter(|_| counts),
        })
    }

    /// The commit that a deployment brings, as the best reference gives it: its own word, its tag, its artifact, its run.
    fn given_commit(&self, deployment: &Deployment, repository: Option<&Repository>) -> Option<CommitId> {
        let usable = |commit: &&CommitId| commit.is_full() || self.records.graph.resolve(commit).is_some();
        let tagged = || {
            let names = [deployment.version.get().cloned(), tag_name(deployment.ref_name.get())];
            let tag = |name: String| self.records.tags.get(&(repository?.clone(), name));
            names.into_iter().flatten().find_map(|name| tag(name)?.commit.get().cloned().flatten())
        };
        let of_run = |run: Option<&RunId>| self.records.runs.get(run?).and_then(|run| run.commit.get().cloned());
        let built = || {
            let artifacts = deployment.artifacts.iter().filter_map(|id| self.records.artifacts.get(id));
            artifacts.into_iter().find_map(|a| a.commit.get().cloned().or_else(|| of_run(a.run.get())))
        };
        let told = deployment.commit.get().filter(usable).cloned();
        told.or_else(tagged).or_else(built).or_else(|| of_run(deployment.run.get()))
    }

    /// Takes a deployment off its tracks and out of the indexes.
    fn lift(&mut self, id: &DeploymentId) {
        let Some(placed) = self.placed.remove(id) else { return };
        if let Some(head) = placed.head {
            self.by_head.remove(&head, id);
            self.dirty.extend(self.gates_on.cloned(&head).into_iter().map(Unit::Gate));
        }
        if let Some(version) = placed.version.clone() {
            let release = (placed.component.clone(), version);
            self.by_release.remove(&release, id);
            self.dirty.insert(Unit::Release(release.0, release.1));
        }
        let Some((order, _)) = placed.order(id) else { return };
        for scope in placed.scopes() {
            let key = (placed.component.clone(), scope);
            let Some(track) = self.tracks.get_mut(&key) else { continue };
            let first = track.baseline().cloned();
            let next = track.after(&order).cloned();
            let touched = track.remove(&self.records.graph, &order);
            let empty = track.is_empty();
            self.touch(touched);
            self.neighbours_moved(&key, first, next);
            if empty {
                self.tracks.remove(&key);
            }
        }
    }

    /// Puts a deployment on its tracks and into the indexes.
    fn put(&mut self, id: &DeploymentId, placed: Placed) {
        if let Some(head) = placed.head {
            self.by_head.add(head, id.clone());
            self.dirty.extend(self.gates_on.cloned(&head).into_iter().map(Unit::Gate));
        }
        if let Some(version) = placed.version.clone() {
            self.by_release.add((placed.component.clone(), version), id.clone());
        }
        let on_track = placed.order(id).map(|(order, head)| (order, head, placed.component.clone(), placed.scopes()));
        self.placed.insert(id.clone(), placed);
        let Some((order, head, component, scopes)) = on_track else { return };
        for scope in scopes {
            let key = (component.clone(), scope);
            let track = self.tracks.entry(key.clone()).or_default();
            let first = track.baseline().cloned();
            let touched = track.add(&self.records.graph, order.clone(), head);
            let next = track.after(&order).cloned();
            self.touch(touched);
            self.neighbours_moved(&key, first, next);
        }
    }

    /// The kind of the next deployment depends on the one before it; rows of the baseline are told apart from the others.
    fn neighbours_moved(&mut self, key: &(Component, Scope), first_before: Option<Order>, next: Option<Order>) {
        let Some(track) = self.tracks.get(key) else { return };
        let first = track.baseline().cloned();
        let mut deployments: Vec<DeploymentId> = next.into_iter().map(|order| order.deployment).collect();
        let mut commits = Vec::new();
        if first != first_before {
            for order in [first, first_before].into_iter().flatten() {
                commits.extend(track.commits(&order));
                deployments.push(order.deployment);
            }
        }
        self.touch(Touched { commits: commits.into_iter().collect(), deployments: deployments.into_iter().collect() });
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

/// A record read back from the changelog.
pub enum Restored {
    /// A commit.
    Commit(Commit),
    /// A change.
    Change(Change),
    /// A run.
    Run(Run),
    /// A task.
    Task(Task),
    /// A deployment.
    Deployment(Deployment),
    /// A gate.
    Gate(Gate),
    /// A tag.
    Tag(Tag),
    /// An artifact.
    Artifact(Artifact),
    /// The catalog.
    Catalog(Catalog),
    /// Components without a baseline.
    BaselineNone(BTreeSet<Component>),
    /// Repositories that were ever spoken of.
    Repositories(BTreeSet<Repository>),
}

/// Name of the tag that a ref may mean; none for a branch by its full name.
fn tag_name(ref_name: Option<&String>) -> Option<String> {
    let name = ref_name?;
    match name.strip_prefix("refs/") {
        None => Some(name.clone()),
        Some(rest) => rest.strip_prefix("tags/").map(str::to_owned),
    }
}
