//! What units, records of the changelog and lines of deployments are called.

use std::collections::BTreeSet;
use std::fmt;

use model::event::{Catalog, Tier};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, Environment, GateId, Repository, RunId, TaskId, Timestamp,
    Version,
};
use serde::{Deserialize, Serialize};

use crate::entity::{Artifact, Change, Commit, Deployment, Gate, Purpose, Run, Tag, Task};
use crate::graph::Place;
use crate::track::Order;

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
    /// Of what a gate is there to catch, for one component or for all.
    Purpose(Option<Component>, String),
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
    /// What a gate is there to catch.
    Purpose(Purpose),
}
