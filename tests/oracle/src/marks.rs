//! Deployments that nobody told of: where the catalog says so, a run, a task, a tag or a published release counts as one.

use model::event::{ActorKind, CatalogComponent, Marker, MarkerKind, Outcome};
use model::{DeploymentId, Environment, Repository, Timestamp};

use crate::catalog::{counting, wild};
use crate::known::{Attempt, Deployment, Known};

/// The first marker of a component that something fits, where that kind is what counts for it.
fn marker<'a>(
    entry: &'a CatalogComponent,
    kind: MarkerKind,
    repository: Option<&Repository>,
    name: &str,
) -> Option<&'a Marker> {
    let counts = counting(Some(entry)) == kind && repository.is_some() && entry.repository.as_ref() == repository;
    let fits = |marker: &&Marker| {
        let pattern = marker.name.as_deref().unwrap_or("*");
        marker.kind == kind && wild(&pattern.to_lowercase(), &name.to_lowercase())
    };
    entry.markers.iter().filter(|_| counts).find(fits)
}

fn marked(
    entry: &CatalogComponent,
    marker: &Marker,
    repository: &Repository,
    environment: Option<Environment>,
    at: Timestamp,
) -> Deployment {
    let environment = environment.or_else(|| marker.environment.clone());
    let mut deployment = Deployment {
        marker: marker.kind,
        marked_for: Some(entry.component.clone()),
        repository: Some(repository.clone()),
        service: Some(entry.component.as_str().to_owned()),
        // Without a word on where to, it is what users use.
        production: environment.is_none().then_some(true),
        environment: environment.unwrap_or_else(|| Environment::new("production")),
        ..Deployment::default()
    };
    deployment.succeed(at);
    deployment
}

/// When an attempt had passed.
fn passed(attempt: &Attempt) -> Option<Timestamp> {
    attempt.end().filter(|(outcome, _)| *outcome == Outcome::Success).map(|(_, at)| at)
}

/// All of them.
pub fn all(known: &Known) -> Vec<(DeploymentId, Deployment)> {
    known.catalog.components.iter().flat_map(|entry| of_component(known, entry)).collect()
}

fn of_component(known: &Known, entry: &CatalogComponent) -> Vec<(DeploymentId, Deployment)> {
    let component = &entry.component;
    let mut all = Vec::new();
    for (id, run) in &known.runs {
        let Some(marker) = marker(entry, MarkerKind::Pipeline, run.repository.as_ref(), &run.pipeline) else {
            continue;
        };
        for (number, attempt) in &run.attempts {
            let (Some(at), Some(repository)) = (passed(attempt), &run.repository) else { continue };
            let deployment = Deployment {
                commit: run.commit.clone(),
                ref_name: run.ref_name.clone(),
                run: Some(id.clone()),
                created_at: run.created_at.filter(|_| *number == 1).or(attempt.queued_at),
                url: run.url.clone(),
                ..of_attempt(marked(entry, marker, repository, None, at), attempt)
            };
            all.push((DeploymentId::new(format!("{id}/attempts/{number}#{component}")), deployment));
        }
    }
    for (id, task) in &known.tasks {
        let run = task.run.as_ref().and_then(|run| known.runs.get(run));
        let repository = task.repository.as_ref().or_else(|| run?.repository.as_ref());
        let Some(marker) = marker(entry, MarkerKind::Task, repository, &task.name) else { continue };
        for (number, attempt) in &task.attempts {
            let (Some(at), Some(repository)) = (passed(attempt), repository) else { continue };
            let deployment = Deployment {
                commit: task.commit.clone().or_else(|| run?.commit.clone()),
                ref_name: run.and_then(|run| run.ref_name.clone()),
                run: task.run.clone(),
                job: Some(id.clone()),
                created_at: task.created_at.or(attempt.queued_at),
                url: run.and_then(|run| run.url.clone()),
                ..of_attempt(marked(entry, marker, repository, task.environment.clone(), at), attempt)
            };
            all.push((DeploymentId::new(format!("{id}/attempts/{number}#{component}")), deployment));
        }
    }
    for ((repository, name), tag) in &known.tags {
        for (kind, made) in [(MarkerKind::Tag, tag.made()), (MarkerKind::Release, tag.published())] {
            let marker = marker(entry, kind, Some(repository), name);
            let (Some(marker), Some((at, evidence))) = (marker, made) else { continue };
            let deployment = Deployment {
                commit: tag.commit.clone(),
                version: Some(name.clone()),
                evidence: evidence.into_iter().collect(),
                url: tag.url.clone(),
                ..marked(entry, marker, repository, None, at)
            };
            all.push((DeploymentId::new(format!("{repository}/tags/{name}#{component}")), deployment));
        }
    }
    all
}

fn of_attempt(deployment: Deployment, attempt: &Attempt) -> Deployment {
    let triggered_by: ActorKind = attempt.triggered_by;
    Deployment { started_at: attempt.started_at, triggered_by, ..deployment }
}
