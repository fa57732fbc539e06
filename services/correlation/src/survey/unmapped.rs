//! What has arrived and maps to nothing, or only to what holds by default.

use std::fmt;

use model::Timestamp;
use model::event::{GateKind, Tier};
use serde::Serialize;

use super::{Survey, Tallies, Tally, quoted};
use crate::catalog::default_component;
use crate::entity::{Deployment, Run};
use crate::state::State;

/// What the catalog does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// No component claims the repository: it is one by default.
    Repository,
    /// Neither a rule nor the name nor the provider tells what the environment is for: it counts as `other`.
    Environment,
    /// Deployments that name a service which no component names.
    DeployedService,
    /// Incidents on a service which no component names: they tie to no release.
    IncidentService,
    /// Deployments of neither a repository nor a service: of no component.
    DeploymentWithoutComponent,
    /// Deployments of which no commit is known: their releases ship nothing.
    DeploymentWithoutCommit,
    /// Neither events nor the catalog tell of which kind the gate is.
    GateKind,
    /// Runs of no repository, or on a commit that is not known: they are no build of anything.
    Run,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repository => "repositories that no component names (each is a component by default)",
            Self::Environment => "environments of no tier (they count as `other`)",
            Self::DeployedService => "services of deployments that no component names",
            Self::IncidentService => "services of incidents that no component names (they tie to no release)",
            Self::DeploymentWithoutComponent => "deployments of no component",
            Self::DeploymentWithoutCommit => "deployments whose commit is not known (they ship nothing)",
            Self::GateKind => "gates of no kind",
            Self::Run => "runs that lead to no repository or commit",
        })
    }
}

/// Something that maps to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmapped {
    /// What the catalog does not say.
    pub gap: Gap,
    /// Of what: the name under which it came.
    pub name: String,
    /// How often it came, and when last.
    #[serde(flatten)]
    pub seen: Tally,
    /// What would map it: lines of a catalog, or a comment on what else would.
    pub toml: String,
}

impl Survey {
    /// What was spoken of at that time or later and maps to nothing; of each gap the most frequent first.
    #[must_use]
    pub fn unmapped(&self, since: Timestamp) -> Vec<Unmapped> {
        let mut found = Found { state: &self.state, since, tallies: Tallies::default() };
        found.repositories();
        found.deployments();
        found.incidents();
        found.gates();
        found.runs();
        let line = |((gap, name), seen): ((Gap, String), Tally)| Unmapped { gap, toml: toml(gap, &name), name, seen };
        let mut unmapped: Vec<Unmapped> = found.tallies.0.into_iter().map(line).collect();
        unmapped.sort_by(|a, b| (a.gap, b.seen.count, &a.name).cmp(&(b.gap, a.seen.count, &b.name)));
        unmapped
    }
}

/// What was found so far.
struct Found<'a> {
    state: &'a State,
    since: Timestamp,
    tallies: Tallies<(Gap, String)>,
}

impl Found<'_> {
    fn add(&mut self, gap: Gap, name: impl Into<String>, at: Option<Timestamp>) {
        if let Some(at) = at.filter(|at| *at >= self.since) {
            self.tallies.add((gap, name.into()), at);
        }
    }

    /// Each is counted by its commits, runs, tags and deployments.
    fn repositories(&mut self) {
        let records = &self.state.records;
        for place in records.graph.places() {
            for repository in records.graph.repositories(place) {
                self.repository(repository, self.state.commit_seen(place));
            }
        }
        for run in records.runs.values() {
            if let Some(repository) = run.repository.get() {
                self.repository(repository, run.last_seen());
            }
        }
        for ((repository, _), tag) in &records.tags {
            self.repository(repository, tag.last_seen());
        }
        for deployment in records.deployments.values() {
            if let Some(repository) = deployment.repository.get() {
                self.repository(repository, deployment.last_seen());
            }
        }
    }

    fn repository(&mut self, repository: &model::Repository, at: Option<Timestamp>) {
        if !self.state.rules.claims(repository) {
            self.add(Gap::Repository, repository.as_str(), at);
        }
    }

    fn deployments(&mut self) {
        for (id, deployment) in &self.state.records.deployments {
            let at = deployment.last_seen();
            self.environment(deployment, at);
            let (repository, service) = (deployment.repository.get(), deployment.service.get());
            match (self.state.rules.owner(repository, service.map(String::as_str)), service) {
                (None, _) => {
                    let named = deployment.environment.get().map_or("", |environment| environment.as_str());
                    self.add(Gap::DeploymentWithoutComponent, format!("to {named}"), at);
                }
                (Some(owner), Some(service)) if self.state.rules.component(&owner).is_none() => {
                    self.add(Gap::DeployedService, service, at);
                }
                _ => {}
            }
            let placed = self.state.placed.get(id).filter(|_| !deployment.removal.0);
            if let Some(placed) = placed.filter(|placed| placed.head.is_none()) {
                self.add(Gap::DeploymentWithoutCommit, format!("{} to {}", placed.component, placed.environment), at);
            }
        }
    }

    fn environment(&mut self, deployment: &Deployment, at: Option<Timestamp>) {
        let Some(given) = deployment.environment.get() else { return };
        let rules = &self.state.rules;
        let (_, tier) = rules.environment(given, deployment.production.get().copied());
        if tier == Tier::Other && !rules.knows_environment(given) {
            self.add(Gap::Environment, given.as_str(), at);
        }
    }

    fn incidents(&mut self) {
        for incident in self.state.records.incidents.values() {
            for service in incident.services.get().into_iter().flatten() {
                if !self.state.rules.names(service) {
                    self.add(Gap::IncidentService, service, incident.last_seen());
                }
            }
        }
    }

    fn gates(&mut self) {
        for gate in self.state.records.gates.values() {
            let told = gate.kind.0.is_some_and(|kind| kind != GateKind::Unknown);
            let Some(name) = gate.name.get().filter(|_| !told) else { continue };
            if self.state.rules.gate(name).and_then(|entry| entry.kind).is_none() {
                self.add(Gap::GateKind, name, gate.last_seen());
            }
        }
    }

    fn runs(&mut self) {
        for run in self.state.records.runs.values() {
            if run.repository.get().is_none() || self.state.find(run.commit.get()).is_none() {
                self.add(Gap::Run, run_name(run), run.last_seen());
            }
        }
    }
}

fn run_name(run: &Run) -> String {
    let pipeline = run.pipeline.get().map_or("without a name", String::as_str);
    match run.repository.get() {
        Some(repository) => format!("{pipeline} of {repository}"),
        None => pipeline.to_owned(),
    }
}

/// What would map it.
fn toml(gap: Gap, name: &str) -> String {
    let text = quoted(name);
    match gap {
        Gap::Repository => {
            let component = quoted(default_component(&model::Repository::new(name)).as_str());
            format!("[[components]]\ncomponent = {component}\nrepository = {text}")
        }
        Gap::Environment => format!("[[environments]]\nenvironment = {text}\ntier = \"other\"  # or whatever it is for"),
        Gap::DeployedService | Gap::IncidentService => {
            format!("services = [{text}]  # in the component's [[components]]")
        }
        Gap::GateKind => format!("[[gates]]\ngate = {text}\nkind = \"manual_job\"  # or whichever kind it is"),
        Gap::DeploymentWithoutComponent => "# no line does: their source must tell a repository or a service".to_owned(),
        Gap::DeploymentWithoutCommit => {
            "repository = \"…\"  # in the component's [[components]], where they are made from another one; else their source must \
             tell a commit, a tag, an artifact or a run"
                .to_owned()
        }
        Gap::Run => "# no line does: their source must tell the repository and the commit".to_owned(),
    }
}
