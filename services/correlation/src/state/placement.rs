//! Deployments: what each is resolved to, and where it stands on its tracks.

use model::DeploymentId;
use model::event::MarkerKind;

use super::{Placed, State, Step, Unit};
use crate::entity::Deployment;
use crate::track::{Order, Touched, TrackId};

impl State {
    pub(super) fn replace(&mut self, deployments: Vec<DeploymentId>) {
        for id in deployments {
            self.deployment_changed(&id);
        }
    }

    pub(super) fn deployment_changed(&mut self, id: &DeploymentId) {
        let Some(deployment) = self.deployment(id).cloned() else {
            self.touch_deployment(id);
            self.lift(id);
            return;
        };
        self.index_names(id, &deployment);
        if let Some(run) = deployment.run.get() {
            self.by_run.add(run.clone(), id.clone());
            self.mark_run(run);
        }
        self.dirty.extend(self.gates_about.cloned(id).into_iter().map(Unit::Gate));
        let placed = self.locate(id, &deployment);
        if self.placed.get(id) != placed.as_ref() {
            self.lift(id);
            if let Some(placed) = placed {
                self.put(id, placed);
            }
        }
        self.touch_deployment(id);
        self.dirty.insert(Unit::Step(Step::Deployment(id.clone())));
        if let Some(head) = self.placed.get(id).and_then(|placed| placed.head) {
            self.mark_steps_on(head);
        }
        self.path_moved(id);
    }

    /// Resolves what a deployment says.
    fn locate(&mut self, id: &DeploymentId, deployment: &Deployment) -> Option<Placed> {
        let marked = self.marked(id).map(|marked| (marked.marker, marked.component.clone()));
        let (marker, component) = match marked {
            Some(marked) => marked,
            None => {
                let service = deployment.service.get().map(String::as_str);
                (MarkerKind::Deployment, self.rules.owner(deployment.repository.get(), service)?)
            }
        };
        let (environment, tier) =
            self.rules.environment(deployment.environment.get()?, deployment.production.get().copied());
        let partial_counts = self.rules.component(&component).is_some_and(|c| c.partial_counts);
        let succeeded_at = deployment.fold(partial_counts).succeeded_at();
        let counts = !deployment.transient.0 && !deployment.removal.0 && self.rules.counting(&component) == marker;
        let (head, version) = self.brings(id, deployment, &component);
        Some(Placed { component, environment, tier, version, head, succeeded_at: succeeded_at.filter(|_| counts) })
    }

    /// Takes a deployment off its tracks and out of the indexes.
    fn lift(&mut self, id: &DeploymentId) {
        self.deployment_moved(id);
        let Some(placed) = self.placed.remove(id) else { return };
        self.meetings.left(&placed.component, &placed.environment);
        if let Some(head) = placed.head {
            self.by_head.remove(&head, id);
            self.mark_steps_on(head);
            self.dirty.extend(self.gates_on.cloned(&head).into_iter().map(Unit::Gate));
        }
        if let Some(version) = placed.version.clone() {
            let release = (placed.component.clone(), version);
            self.by_release.remove(&release, id);
            self.paths_moved.insert(release.clone());
            self.touch_release(release.0, release.1);
        }
        let Some((order, _)) = placed.order(id) else { return };
        for scope in placed.scopes() {
            let (component, scope) = (&placed.component, &scope);
            let Some(track) = self.track(component, scope) else { continue };
            let (first, next) = (track.baseline().cloned(), track.after(&order).cloned());
            let id = self.tracks.id(component, scope);
            let touched = self.tracks.remove(&self.records.graph, id, &order);
            self.touch(touched);
            self.neighbours_moved(id, first, next);
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
            let id = self.tracks.id(&component, &scope);
            let first = self.tracks.track(&self.records.graph, id).baseline().cloned();
            let touched = self.tracks.add(&self.records.graph, id, order.clone(), head);
            let next = self.tracks.track(&self.records.graph, id).after(&order).cloned();
            self.touch(touched);
            self.neighbours_moved(id, first, next);
        }
    }

    /// The kind of the next deployment depends on the one before it; rows of the baseline are told apart from the others.
    fn neighbours_moved(&mut self, id: TrackId, first_before: Option<Order>, next: Option<Order>) {
        if self.rebuilding {
            return;
        }
        let track = self.tracks.track(&self.records.graph, id);
        let first = track.baseline().cloned();
        let mut deployments: Vec<DeploymentId> = next.into_iter().map(|order| order.deployment).collect();
        let mut commits = Vec::new();
        if first != first_before {
            for order in [first, first_before].into_iter().flatten() {
                commits.extend(track.commits(&order));
                deployments.push(order.deployment);
            }
        }
        self.touch(Touched { commits, deployments });
    }
}
