//! Deployments that follow from runs, tasks and tags, where the catalog says that those count for a component.
//!
//! They are no records: they follow from records and the catalog, and are placed as those that a provider told of.

use model::event::{Marker, MarkerKind, Outcome, Phase, Rollout};
use model::{Component, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};

use super::State;
use crate::entity::{Attempt, Deployment, DeploymentState, TagAct};
use crate::lattice::{Greatest, Latest, Least};
use crate::sorted::SortedMap;

/// Something that may count as a deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Marking {
    /// A run.
    Run(RunId),
    /// A task.
    Task(TaskId),
    /// A tag, or the release published on it.
    Tag(Repository, String),
}

/// A deployment that something else counts as.
#[derive(Clone, Debug, PartialEq)]
pub struct Marked {
    /// What counts.
    pub marker: MarkerKind,
    /// For which component.
    pub component: Component,
    /// The deployment.
    pub deployment: Deployment,
}

/// What a marker tells, whatever it is.
struct Mark<'a> {
    repository: &'a Repository,
    /// Environment that it names itself.
    environment: Option<&'a Environment>,
    finished_at: Timestamp,
    /// An event that told it.
    evidence: Option<&'a String>,
}

impl Mark<'_> {
    fn deployment(&self, component: &Component, marker: &Marker) -> Deployment {
        let at = self.finished_at;
        let state =
            DeploymentState { at, phase: Phase::Finished, outcome: Some(Outcome::Success), rollout: Rollout::Full };
        let named = self.environment.or(marker.environment.as_ref()).cloned();
        let production = named.is_none();
        Deployment {
            repository: Latest::told(at, Some(self.repository.clone())),
            service: Latest::told(at, Some(component.as_str().to_owned())),
            environment: Latest::told(at, Some(named.unwrap_or_else(|| Environment::new("production")))),
            production: Latest::told(at, production.then_some(true)),
            states: SortedMap::of(state, Least(self.evidence.cloned())),
            ..Deployment::default()
        }
    }
}

type Found = Vec<(DeploymentId, Marked)>;

impl State {
    /// A deployment, told of or marked.
    pub fn deployment(&self, id: &DeploymentId) -> Option<&Deployment> {
        let marked = || self.marked.get(id).map(|marked| &marked.deployment);
        self.records.deployments.get(id).or_else(marked)
    }

    /// What counts as this deployment, where nobody told of it.
    pub fn marked(&self, id: &DeploymentId) -> Option<&Marked> {
        self.marked.get(id).filter(|_| !self.records.deployments.contains_key(id))
    }

    /// More is known of something that may count as a deployment.
    pub(super) fn mark(&mut self, of: Marking) {
        if !self.rules.has_markers() {
            return;
        }
        let found = match &of {
            Marking::Run(id) => self.run_marks(id),
            Marking::Task(id) => self.task_marks(id),
            Marking::Tag(repository, name) => self.tag_marks(repository, name),
        }
        .unwrap_or_default();
        let before = self.marks.remove(&of).unwrap_or_default();
        if !found.is_empty() {
            self.marks.insert(of, found.iter().map(|(id, _)| id.clone()).collect());
        }
        for id in before.into_iter().filter(|id| found.iter().all(|(kept, _)| kept != id)) {
            let run = self.marked.remove(&id).and_then(|marked| marked.deployment.run.get().cloned());
            self.deployment_changed(&id);
            run.iter().for_each(|run| self.mark_run(run));
        }
        for (id, marked) in found {
            if self.marked.get(&id) != Some(&marked) {
                let before = self.marked.insert(id.clone(), marked);
                self.deployment_changed(&id);
                before
                    .and_then(|marked| marked.deployment.run.get().cloned())
                    .iter()
                    .for_each(|run| self.mark_run(run));
            }
        }
    }

    fn run_marks(&self, id: &RunId) -> Option<Found> {
        let run = self.records.runs.get(id)?;
        let (repository, name) = (run.repository.get()?, run.pipeline.get().map_or("", String::as_str));
        let mut found = Vec::new();
        for (component, marker) in self.rules.marking(MarkerKind::Pipeline, repository, name) {
            for (number, attempt) in &run.attempts {
                let Some(finished_at) = succeeded_at(attempt) else { continue };
                let mark = Mark { repository, environment: None, finished_at, evidence: None };
                let made_at = run.created_at.0.filter(|_| *number == 1);
                let deployment = Deployment {
                    commit: run.commit.clone(),
                    ref_name: run.ref_name.clone(),
                    run: Latest::told(finished_at, Some(id.clone())),
                    url: run.url.clone(),
                    ..timed(mark.deployment(component, marker), attempt, made_at)
                };
                let marked = Marked { marker: marker.kind, component: component.clone(), deployment };
                found.push((DeploymentId::new(format!("{id}/attempts/{number}#{component}")), marked));
            }
        }
        Some(found)
    }

    fn task_marks(&self, id: &TaskId) -> Option<Found> {
        let task = self.records.tasks.get(id)?;
        let run = task.run.get().and_then(|run| self.records.runs.get(run));
        let repository = task.repository.get().or_else(|| run?.repository.get())?;
        let name = task.name.get().map_or("", String::as_str);
        let mut found = Vec::new();
        for (component, marker) in self.rules.marking(MarkerKind::Task, repository, name) {
            for (number, attempt) in &task.attempts {
                let Some(finished_at) = succeeded_at(attempt) else { continue };
                let mark = Mark { repository, environment: task.environment.get(), finished_at, evidence: None };
                let of_run = || run.map(|run| run.commit.clone());
                let deployment = Deployment {
                    commit: Some(task.commit.clone())
                        .filter(|commit| commit.0.is_some())
                        .or_else(of_run)
                        .unwrap_or_default(),
                    ref_name: run.map(|run| run.ref_name.clone()).unwrap_or_default(),
                    run: task.run.clone(),
                    job: Latest::told(finished_at, Some(id.clone())),
                    url: run.map(|run| run.url.clone()).unwrap_or_default(),
                    ..timed(mark.deployment(component, marker), attempt, task.created_at.0)
                };
                let marked = Marked { marker: marker.kind, component: component.clone(), deployment };
                found.push((DeploymentId::new(format!("{id}/attempts/{number}#{component}")), marked));
            }
        }
        Some(found)
    }

    fn tag_marks(&self, repository: &Repository, name: &str) -> Option<Found> {
        let tag = self.records.tags.get(&(repository.clone(), name.to_owned()))?;
        let mut found = Vec::new();
        for (kind, finished_at) in [(MarkerKind::Tag, tag.made_at()), (MarkerKind::Release, tag.published_at())] {
            let Some(finished_at) = finished_at else { continue };
            let told = tag.acts.iter().find(
                |((_, act), _)| matches!(act, TagAct::Tagged(at, _) | TagAct::Published(at) if *at == finished_at),
            );
            let evidence = told.and_then(|(_, event)| event.0.as_ref());
            for (component, marker) in self.rules.marking(kind, repository, name) {
                let mark = Mark { repository, environment: None, finished_at, evidence };
                let deployment = Deployment {
                    commit: Latest::told(finished_at, tag.commit.get().cloned().flatten()),
                    version: Latest::told(finished_at, Some(name.to_owned())),
                    url: tag.url.clone(),
                    ..mark.deployment(component, marker)
                };
                let marked = Marked { marker: kind, component: component.clone(), deployment };
                found.push((DeploymentId::new(format!("{repository}/tags/{name}#{component}")), marked));
            }
        }
        Some(found)
    }
}

/// When an attempt had succeeded.
fn succeeded_at(attempt: &Attempt) -> Option<Timestamp> {
    let succeeded = attempt.phase() == Phase::Finished && attempt.outcome() == Some(Outcome::Success);
    attempt.finished_at().filter(|_| succeeded)
}

/// The deployment was made and begun when the attempt was: who names it as the marker says that it is the deployment.
fn timed(deployment: Deployment, attempt: &Attempt, made_at: Option<Timestamp>) -> Deployment {
    Deployment {
        created_at: Least(made_at.or(attempt.queued_at.0)),
        started_at: attempt.started_at.clone(),
        triggered_by: Greatest(attempt.triggered_by.0),
        ..deployment
    }
}
