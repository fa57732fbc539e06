//! Deployments, and how each ended.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{self, ActorKind, Body, CiBody, DeploymentAction, Event, MarkerKind, Outcome, Phase, Rollout};
use model::{ArtifactId, CommitId, Component, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};

use super::{ci, group, latest, least};

/// A state that was observed. In the order of the source's clock, and of one instant the further one later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    pub at: Timestamp,
    phase: Phase,
    outcome: Option<Outcome>,
    rollout: Rollout,
}

/// A deployment.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// What counts as it; for which component, where it is not the provider's own word.
    pub marker: MarkerKind,
    pub marked_for: Option<Component>,
    pub repository: Option<Repository>,
    pub service: Option<String>,
    pub environment: Environment,
    /// The provider says whether it is production.
    pub production: Option<bool>,
    pub commit: Option<CommitId>,
    pub ref_name: Option<String>,
    pub version: Option<String>,
    pub artifacts: BTreeSet<ArtifactId>,
    pub run: Option<RunId>,
    /// Task that deployed it.
    pub job: Option<TaskId>,
    /// It was a preview, or took the service away: not a delivery to the environment.
    pub is_no_delivery: bool,
    pub triggered_by: ActorKind,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    /// In order.
    pub states: Vec<State>,
    /// For each state an event that told of it.
    pub evidence: BTreeSet<String>,
    pub url: Option<String>,
}

/// How far a deployment has come, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    pub phase: Phase,
    /// The outcome, and when that was reached first.
    pub end: Option<(Option<Outcome>, Timestamp)>,
}

impl Ending {
    pub fn succeeded_at(&self) -> Option<Timestamp> {
        self.end.filter(|(outcome, _)| *outcome == Some(Outcome::Success)).map(|(_, at)| at)
    }
}

impl Deployment {
    /// What the states amount to. `partial_counts`: the first stage of a rollout is enough.
    pub fn ending(&self, partial_counts: bool) -> Ending {
        ending(&self.states, partial_counts)
    }

    /// As if its success at this instant had been told.
    pub fn succeed(&mut self, at: Timestamp) {
        let (phase, outcome, rollout) = (Phase::Finished, Some(Outcome::Success), Rollout::Full);
        self.states = vec![State { at, phase, outcome, rollout }];
    }

    /// When its first stage had ended well, where it was rolled out in stages.
    pub fn partial_at(&self) -> Option<Timestamp> {
        let is_stage = |state: &&State| {
            (state.phase, state.outcome, state.rollout) == (Phase::Finished, Some(Outcome::Success), Rollout::Partial)
        };
        self.states.iter().find(is_stage).map(|state| state.at)
    }

    /// A person made it, outside any run.
    pub fn is_by_hand(&self) -> bool {
        let outside = self.run.is_none() && self.job.is_none();
        outside && self.triggered_by == ActorKind::Human && !self.is_no_delivery
    }

    /// First sign of it.
    pub fn first_sign(&self) -> Option<Timestamp> {
        self.states.iter().map(|state| state.at).chain(self.created_at).min()
    }
}

/// What states amount to: what all but the last did, and what the last one makes of that.
fn ending(states: &[State], partial_counts: bool) -> Ending {
    let Some((last, earlier)) = states.split_last() else { return Ending { phase: Phase::Created, end: None } };
    let before = ending(earlier, partial_counts);
    let a_stage_went_well = last.rollout == Rollout::Partial && last.outcome == Some(Outcome::Success);
    let phase = match last.phase {
        // The rest is still to come.
        Phase::Finished if a_stage_went_well && !partial_counts => Phase::Running,
        phase => phase,
    };
    match phase {
        Phase::Finished => match before.end {
            // The same again is no news.
            Some((outcome, at)) if outcome == last.outcome => Ending { phase, end: Some((outcome, at)) },
            _ => Ending { phase, end: Some((last.outcome, last.at)) },
        },
        Phase::Superseded => Ending { phase, end: before.end },
        // A success stands until a failure is told.
        _ if before.succeeded_at().is_some() => Ending { phase: Phase::Finished, end: before.end },
        _ => Ending { phase, end: None },
    }
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<DeploymentId, Deployment> {
    let tellings = group(events, |event| match ci(event) {
        Some(CiBody::Deployment(deployment)) => vec![(deployment.deployment.clone(), (event, deployment))],
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(id, told)| (id, put_together(&told))).collect()
}

fn put_together(told: &[(&Event<Body>, &event::Deployment)]) -> Deployment {
    let at = |event: &Event<Body>| event.occurred_at;
    let mut states: BTreeMap<State, BTreeSet<String>> = BTreeMap::new();
    for (event, d) in told {
        let finished_at = d.finished_at.filter(|_| d.phase == Phase::Finished);
        let state = State {
            at: finished_at.unwrap_or(event.occurred_at),
            phase: d.phase,
            outcome: d.outcome,
            rollout: d.rollout,
        };
        states.entry(state).or_default().insert(event.id());
    }
    Deployment {
        marker: MarkerKind::Deployment,
        marked_for: None,
        repository: latest(told.iter().map(|(e, d)| (at(e), d.repository.clone()))),
        service: latest(told.iter().map(|(e, d)| (at(e), d.service.clone()))),
        environment: latest(told.iter().map(|(e, d)| (at(e), Some(d.environment.clone())))).unwrap_or_default(),
        production: latest(told.iter().map(|(e, d)| (at(e), d.production))),
        commit: latest(told.iter().map(|(e, d)| (at(e), d.commit.clone()))),
        ref_name: latest(told.iter().map(|(e, d)| (at(e), d.ref_name.clone()))),
        version: latest(told.iter().map(|(e, d)| (at(e), d.version.clone()))),
        artifacts: told.iter().flat_map(|(_, d)| d.artifacts.iter().cloned()).collect(),
        run: latest(told.iter().map(|(e, d)| (at(e), d.run.clone()))),
        job: latest(told.iter().map(|(e, d)| (at(e), d.job.clone()))),
        is_no_delivery: told.iter().any(|(_, d)| d.transient || d.action == DeploymentAction::Remove),
        triggered_by: told.iter().map(|(_, d)| d.triggered_by.kind).max().unwrap_or_default(),
        created_at: least(told.iter().map(|(_, d)| d.created_at)),
        started_at: least(told.iter().map(|(_, d)| d.started_at)),
        evidence: states.values().filter_map(|ids| ids.first().cloned()).collect(),
        states: states.into_keys().collect(),
        url: latest(told.iter().map(|(e, d)| (at(e), d.url.clone().or_else(|| e.link.clone())))),
    }
}
