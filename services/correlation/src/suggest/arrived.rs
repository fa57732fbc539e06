//! What has arrived, by repository: what a catalog is inferred from.

use std::collections::BTreeMap;

use model::event::Outcome;
use model::{Environment, Repository, Timestamp};

use crate::entity::{Attempt, Deployment, Run};
use crate::graph::Place;
use crate::state::State;
use crate::survey::{Tallies, Tally};

/// What has arrived since a time.
#[derive(Debug, Default)]
pub struct Arrived<'a> {
    /// By repository whose commits are deployed.
    pub repositories: BTreeMap<&'a Repository, Activity<'a>>,
    /// Deployments of no known repository, by their service.
    pub elsewhere: BTreeMap<&'a str, Vec<Deployed<'a>>>,
}

/// What has arrived of a repository.
#[derive(Debug, Default)]
pub struct Activity<'a> {
    /// Commits.
    pub commits: Tally,
    /// How many commits touched each path, however old they are: folders are slow to change.
    pub paths: BTreeMap<String, usize>,
    /// Deployments, those to an environment of their own apart.
    pub deployments: Vec<Deployed<'a>>,
    /// Runs that succeeded on the default branch or a tag, by the name of their pipeline.
    pub pipelines: Tallies<&'a str>,
    /// Tasks that succeeded in such runs, or that deploy to an environment, by their name.
    pub tasks: BTreeMap<&'a str, Job<'a>>,
    /// Tags.
    pub tags: Vec<(&'a str, Timestamp)>,
    /// Published releases.
    pub releases: Vec<(&'a str, Timestamp)>,
}

/// Tasks of one name.
#[derive(Debug, Default)]
pub struct Job<'a> {
    /// How many, and when last.
    pub seen: Tally,
    /// Environment that a provider names for them.
    pub environment: Option<&'a Environment>,
}

/// A deployment.
#[derive(Clone, Copy, Debug)]
pub struct Deployed<'a> {
    /// Service by the provider's name.
    pub service: Option<&'a str>,
    /// Environment by the provider's name.
    pub environment: &'a Environment,
    /// The provider says whether it is production.
    pub production: Option<bool>,
    /// Its commit, where it is known.
    pub head: Option<Place>,
    /// When it succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// The last that was told of it.
    pub last: Timestamp,
}

impl<'a> Arrived<'a> {
    /// What was told at that time or later.
    pub fn of(state: &'a State, since: Timestamp) -> Self {
        let mut arrived = Self::default();
        arrived.commits(state, since);
        arrived.runs(state, since);
        arrived.tags(state, since);
        arrived.deployments(state, since);
        arrived
    }

    fn commits(&mut self, state: &'a State, since: Timestamp) {
        let graph = &state.records.graph;
        for place in graph.places() {
            for repository in graph.repositories(place) {
                let activity = self.repositories.entry(repository).or_default();
                if let Some(at) = state.commit_seen(place).filter(|at| *at >= since) {
                    activity.commits.add(at);
                }
                for path in graph.told_paths(place).map(|(_, paths)| paths).unwrap_or_default() {
                    *activity.paths.entry(path).or_default() += 1;
                }
            }
        }
    }

    fn runs(&mut self, state: &'a State, since: Timestamp) {
        let records = &state.records;
        for run in records.runs.values() {
            let (Some(repository), Some(pipeline)) = (run.repository.get(), run.pipeline.get()) else { continue };
            let Some(at) = passed_at(run.attempts.values()).filter(|at| *at >= since) else { continue };
            if is_for_all(state, run) {
                self.repositories.entry(repository).or_default().pipelines.add(pipeline, at);
            }
        }
        for task in records.tasks.values() {
            let run = task.run.get().and_then(|run| records.runs.get(run));
            let repository = task.repository.get().or_else(|| run?.repository.get());
            let (Some(repository), Some(name)) = (repository, task.name.get()) else { continue };
            let Some(at) = passed_at(task.attempts.values()).filter(|at| *at >= since) else { continue };
            if task.environment.get().is_some() || run.is_some_and(|run| is_for_all(state, run)) {
                let job = self.repositories.entry(repository).or_default().tasks.entry(name).or_default();
                job.seen.add(at);
                job.environment = job.environment.or(task.environment.get());
            }
        }
    }

    fn tags(&mut self, state: &'a State, since: Timestamp) {
        for ((repository, name), tag) in &state.records.tags {
            let activity = self.repositories.entry(repository).or_default();
            activity.tags.extend(tag.made_at().filter(|at| *at >= since).map(|at| (name.as_str(), at)));
            activity.releases.extend(tag.published_at().filter(|at| *at >= since).map(|at| (name.as_str(), at)));
        }
    }

    fn deployments(&mut self, state: &'a State, since: Timestamp) {
        for (id, deployment) in &state.records.deployments {
            let Some(last) = deployment.last_seen().filter(|at| *at >= since) else { continue };
            let Some(environment) = deployment.environment.get() else { continue };
            if deployment.transient.0 || deployment.removal.0 {
                continue;
            }
            let placed = state.placed.get(id);
            let deployed = Deployed {
                service: deployment.service.get().map(String::as_str),
                environment,
                production: deployment.production.get().copied(),
                head: placed.and_then(|placed| placed.head),
                succeeded_at: placed.and_then(|placed| placed.succeeded_at),
                last,
            };
            match (origin(state, deployment, deployed.head), deployed.service) {
                (Some(repository), _) => {
                    self.repositories.entry(repository).or_default().deployments.push(deployed);
                }
                (None, Some(service)) => self.elsewhere.entry(service).or_default().push(deployed),
                (None, None) => {}
            }
        }
    }

    /// Every deployment, with the repository it comes from.
    pub fn all_deployments(&self) -> impl Iterator<Item = &Deployed<'a>> {
        let known = self.repositories.values().flat_map(|activity| &activity.deployments);
        known.chain(self.elsewhere.values().flatten())
    }
}

/// The repository whose commits a deployment ships: that of its artifacts, else that it is made from, else the only one that holds its
/// commit.
fn origin<'a>(state: &'a State, deployment: &'a Deployment, head: Option<Place>) -> Option<&'a Repository> {
    let graph = &state.records.graph;
    let only = |place: Place| match graph.repositories(place) {
        [repository] => Some(repository),
        _ => None,
    };
    let built = state.built_of(deployment).and_then(|commit| only(state.find(Some(&commit))?));
    built.or(deployment.repository.get()).or_else(|| only(head?))
}

/// It ran on the default branch, or on a tag: not for a change that is still open.
fn is_for_all(state: &State, run: &Run) -> bool {
    let landed = || state.find(run.commit.get()).is_some_and(|place| state.records.graph.landed_at(place).is_some());
    run.ref_name.get().is_some_and(|name| name.starts_with("refs/tags/")) || landed()
}

fn passed_at<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Option<Timestamp> {
    attempts.filter_map(Attempt::end).filter(|(outcome, _)| *outcome == Outcome::Success).map(|(_, at)| at).max()
}
