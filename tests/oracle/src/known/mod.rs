//! What is known of each thing: all its tellings put together at once.

mod changes;
mod commits;
mod deployments;
mod gates;
mod incidents;
mod runs;
mod tags;

use std::collections::{BTreeMap, BTreeSet};

use model::event::{ApprovalBody, Body, Catalog, CiBody, ControlBody, Event, ReviewBody};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, GateId, IncidentId, Repository, RunId, TaskId, Timestamp,
    Version,
};

pub use changes::Change;
pub use commits::{Commit, Paths};
pub use deployments::{Deployment, Ending};
pub use gates::{Gate, Meeting};
pub use incidents::{Incident, ReleaseKey};
pub use runs::{Attempt, Run, Task, is_failure};
pub use tags::Tag;

/// A change within its realm.
pub type ChangeKey = (Repository, ChangeId);

/// An artifact: what it was made from.
#[derive(Debug)]
pub struct Artifact {
    pub commit: Option<CommitId>,
    pub run: Option<RunId>,
    /// Tags under which it was ever published.
    pub tags: BTreeSet<String>,
}

/// A step that a person named: of which release, its name, when it began.
pub type NamedKey = (Component, Version, String, Timestamp);

/// A step that a person named.
#[derive(Debug)]
pub struct NamedStep {
    pub finished_at: Option<Timestamp>,
    pub evidence: BTreeSet<String>,
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
    pub incidents: BTreeMap<IncidentId, Incident>,
    pub tags: BTreeMap<(Repository, String), Tag>,
    pub artifacts: BTreeMap<ArtifactId, Artifact>,
    /// The one of the highest revision.
    pub catalog: Catalog,
    /// Components that somebody said have no baseline.
    pub baseline_none: BTreeSet<Component>,
    /// Whether releases are left out of the figures, as said last.
    pub excluded: BTreeMap<ReleaseKey, bool>,
    /// Kinds of incident that gates are there to catch, as said last, for one component or for all.
    pub purposes: BTreeMap<(Option<Component>, String), Vec<String>>,
    /// When shifts of components were acknowledged.
    pub acknowledged: BTreeMap<Component, BTreeSet<Timestamp>>,
    pub named_steps: BTreeMap<NamedKey, NamedStep>,
    /// When default branches were first seen to move.
    pub watched_from: BTreeMap<Repository, Timestamp>,
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
            incidents: incidents::all(events),
            tags: tags::all(events),
            artifacts: artifacts(events),
            // Two catalogs of one revision are a mistake; any rule will do that does not depend on the order.
            catalog: catalogs.max_by_key(|c| (c.revision, format!("{c:?}"))).cloned().unwrap_or_default(),
            baseline_none: baseline_none.collect(),
            excluded: excluded(events),
            purposes: purposes(events),
            acknowledged: acknowledged(events),
            named_steps: named_steps(events),
            watched_from: commits::watched_from(events),
            repositories: events.iter().flat_map(|event| repositories_of(&event.body)).cloned().collect(),
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

/// What people say, each with its event.
fn reviews<'a>(events: &[&'a Event<Body>]) -> impl Iterator<Item = (&'a Event<Body>, &'a ReviewBody)> {
    events.iter().filter_map(|event| match &event.body {
        Body::Review(body) => Some((*event, body)),
        _ => None,
    })
}

fn excluded(events: &[&Event<Body>]) -> BTreeMap<ReleaseKey, bool> {
    let mut said: BTreeMap<ReleaseKey, Vec<(Timestamp, Option<bool>)>> = BTreeMap::new();
    for (event, body) in reviews(events) {
        if let ReviewBody::ReleaseExcluded(of) = body {
            said.entry(incidents::key(&of.release)).or_default().push((event.occurred_at, Some(of.excluded)));
        }
    }
    said.into_iter().filter_map(|(release, said)| Some((release, latest(said)?))).collect()
}

/// Kinds of incident, and when they were said.
type SaidAt = (Timestamp, Option<Vec<String>>);

fn purposes(events: &[&Event<Body>]) -> BTreeMap<(Option<Component>, String), Vec<String>> {
    let mut said: BTreeMap<_, Vec<SaidAt>> = BTreeMap::new();
    for (event, body) in reviews(events) {
        if let ReviewBody::GatePurposeSaid(of) = body {
            let told = (event.occurred_at, Some(of.purposes.clone()));
            said.entry((of.component.clone(), of.gate.clone())).or_default().push(told);
        }
    }
    said.into_iter().filter_map(|(gate, said)| Some((gate, latest(said)?))).collect()
}

fn acknowledged(events: &[&Event<Body>]) -> BTreeMap<Component, BTreeSet<Timestamp>> {
    let mut said: BTreeMap<Component, BTreeSet<Timestamp>> = BTreeMap::new();
    for (event, body) in reviews(events) {
        if let ReviewBody::ShiftAcknowledged(of) = body {
            said.entry(of.component.clone()).or_default().insert(of.acknowledged_at.unwrap_or(event.occurred_at));
        }
    }
    said
}

fn named_steps(events: &[&Event<Body>]) -> BTreeMap<NamedKey, NamedStep> {
    let mut said: BTreeMap<NamedKey, Vec<(&Event<Body>, Timestamp)>> = BTreeMap::new();
    for (event, body) in reviews(events) {
        if let ReviewBody::ManualStepNamed(of) = body {
            let (component, version) = incidents::key(&of.release);
            let key = (component, version, of.name.clone(), of.started_at);
            said.entry(key).or_default().push((event, of.finished_at));
        }
    }
    let put_together = |said: Vec<(&Event<Body>, Timestamp)>| NamedStep {
        finished_at: latest(said.iter().map(|(event, end)| (event.occurred_at, Some(*end)))),
        evidence: said.iter().map(|(event, _)| event.id()).collect(),
    };
    said.into_iter().map(|(key, said)| (key, put_together(said))).collect()
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
        tags: told.iter().flat_map(|(_, artifact)| artifact.tags.iter().cloned()).collect(),
    };
    tellings.into_iter().map(|(name, told)| (name, put_together(told))).collect()
}

/// The repositories that an event tells something of.
fn repositories_of(body: &Body) -> Vec<&Repository> {
    let one = match body {
        // That a branch is gone tells of no commit.
        Body::Ci(CiBody::Push(push)) => push.after.as_ref().map(|_| &push.repository),
        Body::Ci(CiBody::Commits(told)) => (!told.commits.is_empty()).then_some(&told.repository),
        Body::Ci(CiBody::Change(change)) => Some(&change.repository),
        Body::Ci(CiBody::ChangeReview(review)) => Some(&review.repository),
        Body::Ci(CiBody::Tag(tag)) => Some(&tag.repository),
        Body::Ci(CiBody::PipelineRun(run)) => run.repository.as_ref(),
        Body::Ci(CiBody::Deployment(deployment)) => deployment.repository.as_ref(),
        Body::Approval(approval) => gates::parts(approval).1.repository.as_ref(),
        Body::Incident(incident) => {
            let about = &incidents::told_of(incident).about;
            return about.iter().filter_map(|about| about.repository.as_ref()).collect();
        }
        Body::Ci(CiBody::TaskRun(_) | CiBody::Build(_) | CiBody::TestRun(_) | CiBody::Artifact(_)) => None,
        Body::Review(_) | Body::Control(_) => None,
    };
    one.into_iter().collect()
}

/// The approval body of an event.
fn approval(event: &Event<Body>) -> Option<&ApprovalBody> {
    match &event.body {
        Body::Approval(body) => Some(body),
        _ => None,
    }
}
