//! What units, records of the changelog and lines of deployments are called.

use std::collections::BTreeSet;
use std::fmt;

use model::event::{Catalog, Tier};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, Environment, GateId, IncidentId, Repository, RunId,
    Source, TaskId, Timestamp, Version,
};
use serde::{Deserialize, Serialize};

use crate::entity::{
    Artifact, Change, Commit, Deployment, Exclusion, Gate, Incident, NamedStep, Purpose, ReleaseKey, Run, Shifts, Tag,
    Task,
};
use crate::graph::Place;
use crate::track::Order;
use crate::units::Day;

/// A change within its realm.
pub type ChangeKey = (Repository, ChangeId);

/// A change by the order in which they were told of; it stays the same as long as the state lives.
pub type ChangeNumber = u32;
/// A step that a person named: of which release, its name, when it began.
pub type NamedKey = (Component, Version, String, Timestamp);

/// Where manual steps are known from. Those known from a gate alone are facts of [`Unit::Gate`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// A job that waits for a click.
    Task(TaskId),
    /// A run by hand.
    Run(RunId),
    /// A deployment by hand.
    Deployment(DeploymentId),
    /// A person's word.
    Named(NamedKey),
}

/// What facts are derived for at a time: each unit's facts are a pure function of the state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Rows of a commit, one for each component and environment.
    Commit(CommitId),
    /// Row of a deployment.
    Deployment(DeploymentId),
    /// Row of a release.
    Release(Component, Version),
    /// Row of a gate, and of the manual step that is known from it alone.
    Gate(GateId),
    /// Rows of a run: one for each attempt, and for each task of it that did not pass.
    Run(RunId),
    /// Row of a component.
    Component(Component),
    /// Row of a manual step.
    Step(Step),
    /// Row of an incident, and one for each release that it is attributed to.
    Incident(IncidentId),
    /// What the rows of a component amount to in a day and in each of its hours.
    Day(Day),
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
            Self::Step(Step::Task(id)) => write!(f, "step/task/{id}"),
            Self::Step(Step::Run(id)) => write!(f, "step/run/{id}"),
            Self::Step(Step::Deployment(id)) => write!(f, "step/deployment/{id}"),
            Self::Step(Step::Named((component, version, name, at))) => {
                write!(f, "step/named/{component}/{version}/{}/{name}", at.0)
            }
            Self::Incident(id) => write!(f, "incident/{id}"),
            Self::Day((component, at)) => write!(f, "day/{component}/{}", at.0),
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
    /// Of a step that a person named.
    NamedStep(NamedKey),
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
    /// Of an incident.
    Incident(IncidentId),
    /// Whether a release is left out of the figures.
    Exclusion(ReleaseKey),
    /// Of what a gate is there to catch, for one component or for all.
    Purpose(Option<Component>, String),
    /// Of a delivery that a later adapter reads differently.
    Superseded(Source, String),
    /// Of what people said of the shifts of a component.
    Shifts(Component),
}

/// A line of deployments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To one environment.
    Environment(Environment),
    /// To any environment of the production tier: the line that makes releases.
    Production,
}

impl Scope {
    /// The environment that it is about.
    pub const fn environment(&self) -> Option<&Environment> {
        match self {
            Self::Environment(environment) => Some(environment),
            Self::Production => None,
        }
    }
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
    /// A step that a person named.
    NamedStep(NamedStep),
    /// The catalog.
    Catalog(Catalog),
    /// Components without a baseline.
    BaselineNone(BTreeSet<Component>),
    /// Repositories that were ever spoken of.
    Repositories(BTreeSet<Repository>),
    /// An incident.
    Incident(Incident),
    /// Whether a release is left out of the figures.
    Exclusion(Exclusion),
    /// What a gate is there to catch.
    Purpose(Purpose),
    /// What people said of the shifts of a component.
    Shifts(Shifts),
}
