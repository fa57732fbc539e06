//! Runs, tasks, gates and artifacts: what a change of one touches.

use model::{ArtifactId, CommitId, DeploymentId, GateId, RunId, TaskId};

use super::{Marking, State, Unit, Waiting};
use crate::image::Image;

impl State {
    pub(super) fn run_changed(&mut self, id: &RunId) {
        let given = self.records.runs.get(id).and_then(|run| run.commit.get().cloned());
        self.await_commit(given.as_ref(), Waiting::Run(id.clone()));
        if let Some(place) = self.resolve(given.as_ref()) {
            self.runs_on.add(place, id.clone());
        }
        self.run_tried(id);
        self.run_touched(id);
        self.replace(self.by_run.cloned(id));
        for artifact in self.artifacts_of.cloned(id) {
            self.artifact_moved(&artifact);
        }
        self.mark(Marking::Run(id.clone()));
        for task in self.tasks_of.cloned(id) {
            self.mark(Marking::Task(task));
        }
    }

    /// A run or one of its tasks went on: where what they lead to stands does not depend on that, but how long it took does.
    pub(super) fn run_touched(&mut self, id: &RunId) {
        if let Some(place) = self.find(self.records.runs.get(id).and_then(|run| run.commit.get())) {
            self.touch_releases_of(place);
            self.mark_dispatched_on(place);
        }
        self.mark_run(id);
        for deployment in self.by_run.cloned(id) {
            self.touch_deployment(&deployment);
            self.path_moved(&deployment);
            self.dirty.extend(self.gates_about.cloned(&deployment).into_iter().map(Unit::Gate));
            if let Some(head) = self.placed.get(&deployment).and_then(|placed| placed.head) {
                self.mark_steps_on(head);
            }
        }
    }

    /// The run that is touched with it is left to the caller: many tasks may touch one.
    pub(super) fn task_changed(&mut self, id: &TaskId) -> Option<RunId> {
        let task = self.records.tasks.get(id)?;
        let (run, given) = (task.run.get().cloned(), task.commit.get().cloned());
        self.await_commit(given.as_ref(), Waiting::Task(id.clone()));
        self.dirty.extend(self.gates_naming.cloned(id).into_iter().map(Unit::Gate));
        self.mark_step_of(id);
        if let Some(run) = &run {
            self.tasks_of.add(run.clone(), id.clone());
        } else if let Some(place) = self.resolve(given.as_ref()) {
            self.loose_tasks_on.add(place, id.clone());
            self.touch_releases_of(place);
        }
        self.mark(Marking::Task(id.clone()));
        run
    }

    pub(super) fn gate_changed(&mut self, id: &GateId) {
        let Some(gate) = self.records.gates.get(id) else { return };
        let (run, deployment) = (gate.run.get().cloned(), gate.deployment.get().cloned());
        let (given, task) = (gate.commit.get().cloned(), gate.task.get().cloned());
        let looked_at: Vec<CommitId> = gate.looked_at().cloned().collect();
        for commit in given.iter().chain(&looked_at) {
            self.await_commit(Some(commit), Waiting::Gate(id.clone()));
        }
        self.dirty.insert(Unit::Gate(id.clone()));
        if let Some(run) = &run {
            self.gates_of.add(run.clone(), id.clone());
        }
        if let Some(task) = &task {
            self.gates_naming.add(task.clone(), id.clone());
            self.mark_step_of(task);
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
    pub(super) fn gate_touches(
        &mut self,
        run: Option<&RunId>,
        deployment: Option<&DeploymentId>,
        commit: Option<&CommitId>,
    ) {
        if let Some(run) = run {
            self.dirty.insert(Unit::Run(run.clone()));
            self.mark_steps_of(run);
            for deployment in self.by_run.cloned(run) {
                self.touch_deployment(&deployment);
                self.path_moved(&deployment);
            }
            let commit = self.records.runs.get(run).and_then(|run| run.commit.get().cloned());
            self.left_commit(commit.as_ref());
        }
        if let Some(deployment) = deployment {
            self.touch_deployment(deployment);
            self.path_moved(deployment);
        }
        self.left_commit(commit);
    }

    /// Rows of a run, of its gates, and of other gates about its commit.
    pub(super) fn mark_run(&mut self, run: &RunId) {
        self.dirty.insert(Unit::Run(run.clone()));
        self.mark_steps_of(run);
        self.incidents.run_moved(run);
        self.dirty.extend(self.gates_of.cloned(run).into_iter().map(Unit::Gate));
        if let Some(place) = self.find(self.records.runs.get(run).and_then(|run| run.commit.get())) {
            self.touch_gates_at(place);
        }
    }

    pub(super) fn artifact_changed(&mut self, id: &ArtifactId) {
        if let Some(run) = self.records.artifacts.get(id).and_then(|artifact| artifact.run.get().cloned()) {
            self.artifacts_of.add(run, id.clone());
        }
        for tagged in self.tagged_names(id) {
            self.artifacts_tagged.add(tagged, id.clone());
        }
        self.artifact_moved(id);
    }

    /// Where an artifact leads to may have changed: for those that name it, its digest, or its name and tag.
    fn artifact_moved(&mut self, id: &ArtifactId) {
        self.incidents.artifact_moved(id);
        self.replace(self.by_artifact.cloned(id));
        for name in self.tagged_names(id) {
            self.replace(self.by_artifact.cloned(&name));
        }
    }

    /// Names by which a deployment may mean an artifact: its image with each of its tags.
    fn tagged_names(&self, id: &ArtifactId) -> Vec<ArtifactId> {
        let Some(artifact) = self.records.artifacts.get(id) else { return Vec::new() };
        let image = Image::of(id);
        artifact.tags.iter().chain(&image.tag).filter_map(|tag| image.tagged(tag)).collect()
    }
}
