//! What is known of each thing: all its tellings put together at once.

mod changes;
mod commits;
mod deployments;
mod gates;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use model::event::{ApprovalBody, Body, Catalog, CiBody, ControlBody, Event, TagAction};
use model::{ArtifactId, ChangeId, CommitId, Component, DeploymentId, GateId, Repository, RunId, TaskId, Timestamp};

pub use changes::Change;
pub use commits::{Commit, Paths};
pub use deployments::{Deployment, Ending};
pub use gates::{Gate, Meeting};
pub use runs::{Attempt, Run, Task, is_failure};

/// A change within its realm.
pub type ChangeKey = (Repository, ChangeId);

/// An artifact: what it was made from.
#[derive(Debug)]
pub struct Artifact {
    pub commit: Option<CommitId>,
    pub run: Option<RunId>,
}

/// Everything that the events tell of.
#[derive(Debug)]
pub struct Known {
    pub commits: BTreeMap<CommitId, Commit>,
    pub changes: BTreeMap<ChangeKey, Change>,
    pub runs: BTreeMap<RunId, Run>,
    pub tasks: BTreeMap<TaskId, Task>,
    pub deployments: BTreeMap<DeploymentId, Deployment>,
    pub gates: BTreeMap<GateId, Gate>,
    /// Tags, and where each points to; nowhere after it was deleted.
    pub tags: BTreeMap<(Repository, String), Option<CommitId>>,
    pub artifacts: BTreeMap<ArtifactId, Artifact>,
    /// The one of the highest revision.
    pub catalog: Catalog,
    /// Components that somebody said have no baseline.
    pub baseline_none: BTreeSet<Component>,
    /// Repositories that something was told of.
    pub repositories: BTreeSet<Repository>,
}

impl Known {
    pub fn of(events: &[&Event<Body>]) -> Self {
        let controls = || {
            events.iter().filter_map(|event| match &event.body {
                Body::Control(control) => Some(control),
                _ => None,
            })
        };
        let catalogs = controls().filter_map(|control| match control {
            ControlBody::Catalog(catalog) => Some(catalog),
            _ => None,
        });
        let baseline_none = controls().filter_map(|control| match control {
            ControlBody::BaselineNone(none) => Some(none.component.clone()),
            _ => None,
        });
        Self {
            commits: commits::all(events),
            changes: changes::all(events),
            runs: runs::runs(events),
            tasks: runs::tasks(events),
            deployments: deployments::all(events),
            gates: gates::all(events),
            tags: tags(events),
            artifacts: artifacts(events),
            // Two catalogs of one revision are a mistake; any rule will do that does not depend on the order.
            catalog: catalogs.max_by_key(|c| (c.revision, format!("{c:?}"))).cloned().unwrap_or_default(),
            baseline_none: baseline_none.collect(),
            repositories: events.iter().filter_map(|event| repository_of(&event.body)).cloned().collect(),
        }
    }
}

/// The value told last by the source's clock; of two told at one instant the greater.
fn latest<T: Ord>(told: impl IntoIterator<Item = (Timestamp, Option<T>)>) -> Option<T> {
    told.into_iter().filter_map(|(at, value)| Some((at, value?))).max().map(|(_, value)| value)
}

/// The smallest value told.
fn least<T: Ord>(told: impl IntoIterator<Item = Option<T>>) -> Option<T> {
    told.into_iter().flatten().min()
}

/// What `pick` finds in the events, gathered by the thing that it is told of.
fn group<'a, K: Ord, T>(
    events: &[&'a Event<Body>],
    pick: impl Fn(&'a Event<Body>) -> Vec<(K, T)>,
) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for (key, told) in events.iter().flat_map(|event| pick(event)) {
        groups.entry(key).or_default().push(told);
    }
    groups
}

/// The CI body of an event.
fn ci(event: &Event<Body>) -> Option<&CiBody> {
    match &event.body {
        Body::Ci(body) => Some(body),
        _ => None,
    }
}

fn tags(events: &[&Event<Body>]) -> BTreeMap<(Repository, String), Option<CommitId>> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::Tag(tag)) => {
            let points_to = if tag.action == TagAction::Deleted { Some(None) } else { tag.commit.clone().map(Some) };
            vec![((tag.repository.clone(), tag.tag.clone()), (event.occurred_at, points_to))]
        }
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(key, told)| (key, latest(told).flatten())).collect()
}

/// Artifacts under their names and under their digests.
fn artifacts(events: &[&Event<Body>]) -> BTreeMap<ArtifactId, Artifact> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::Artifact(artifact)) => {
            let digest = artifact.digest.as_deref().map(ArtifactId::new);
            let names = [artifact.artifact.clone()].into_iter().chain(digest);
            names.map(|name| (name, (event.occurred_at, artifact))).collect()
        }
        _ => Vec::new(),
    });
    let put_together = |told: Vec<(Timestamp, &model::event::Artifact)>| Artifact {
        commit: latest(told.iter().map(|(at, artifact)| (*at, artifact.commit.clone()))),
        run: latest(told.iter().map(|(at, artifact)| (*at, artifact.run.clone()))),
    };
    tellings.into_iter().map(|(name, told)| (name, put_together(told))).collect()
}

/// The repository that an event tells something of.
fn repository_of(body: &Body) -> Option<&Repository> {
    match body {
        // That a branch is gone tells of no commit.
        Body::Ci(CiBody::Push(push)) => push.after.as_ref().map(|_| &push.repository),
        Body::Ci(CiBody::Commits(told)) => (!told.commits.is_empty()).then_some(&told.repository),
        Body::Ci(CiBody::Change(change)) => Some(&change.repository),
        Body::Ci(CiBody::ChangeReview(review)) => Some(&review.repository),
        Body::Ci(CiBody::Tag(tag)) => Some(&tag.repository),
        Body::Ci(CiBody::PipelineRun(run)) => run.repository.as_ref(),
        Body::Ci(CiBody::Deployment(deployment)) => deployment.repository.as_ref(),
        Body::Approval(approval) => gates::parts(approval).1.repository.as_ref(),
        Body::Ci(CiBody::TaskRun(_) | CiBody::Build(_) | CiBody::TestRun(_) | CiBody::Artifact(_)) => None,
        Body::Incident(_) | Body::Review(_) | Body::Control(_) => None,
    }
}

/// The approval body of an event.
fn approval(event: &Event<Body>) -> Option<&ApprovalBody> {
    match &event.body {
        Body::Approval(body) => Some(body),
        _ => None,
    }
}
