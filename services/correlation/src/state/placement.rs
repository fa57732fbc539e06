//! Deployments: what each is resolved to, and where it stands on its tracks.

use model::{CommitId, Component, DeploymentId, Repository, RunId, Version};

use super::{Placed, Scope, State, Unit, Waiting};
use crate::entity::Deployment;
use crate::track::{Order, Touched};

impl State {
    pub(super) fn replace(&mut self, deployments: Vec<DeploymentId>) {
        for id in deployments {
            self.deployment_changed(&id);
        }
    }

    pub(super) fn deployment_changed(&mut self, id: &DeploymentId) {
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
        self.path_moved(id);
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
        self.meetings.left(&placed.component, &placed.environment);
        if let Some(head) = placed.head {
            self.by_head.remove(&head, id);
            self.dirty.extend(self.gates_on.cloned(&head).into_iter().map(Unit::Gate));
        }
        if let Some(version) = placed.version.clone() {
            let release = (placed.component.clone(), version);
            self.by_release.remove(&release, id);
            self.paths_moved.insert(release.clone());
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
}

/// Name of the tag that a ref may mean; none for a branch by its full name.
fn tag_name(ref_name: Option<&String>) -> Option<String> {
    let name = ref_name?;
    match name.strip_prefix("refs/") {
        None => Some(name.clone()),
        Some(rest) => rest.strip_prefix("tags/").map(str::to_owned),
    }
}
