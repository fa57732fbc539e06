//! Rows of `gate_waits`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use model::event::{Actor, ActorKind, GateKind, Phase};
use model::fact::{GateOutcome, GateWaitFact};
use model::{
    CommitId, Component, DeploymentId, Environment, GateId, IncidentId, Millis, Realm, RunId, Timestamp, Version,
};

use super::deployments::{count, evidence};
use crate::entity::{Gate, GateAct, GateActs};
use crate::graph::Place;
use crate::state::{Met, Placed, Series, State};

/// What happened at a gate, taken in the order of the source's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meeting {
    /// When it was first asked for.
    pub requested_at: Option<Timestamp>,
    /// When it was closed last: asked for while it was not open to be decided already.
    pub closed_at: Option<Timestamp>,
    /// First sign of it.
    pub seen_at: Option<Timestamp>,
    /// How it was settled; none while it is open.
    pub settled: Option<Settled>,
    /// How many approved.
    pub approvals: usize,
    /// How often it was asked for.
    pub requests: usize,
    /// How often the decision was handed on.
    pub delegations: usize,
}

/// How a gate was settled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: GateOutcome,
    /// By whom: of several who approved, the last.
    pub by: Actor,
    /// By the author, where told.
    pub by_author: Option<bool>,
    /// Commit that was looked at, as given.
    pub commit: Option<CommitId>,
}

/// Approvals since a gate was closed last.
#[derive(Default)]
struct Approvals<'a> {
    named: BTreeSet<&'a str>,
    unnamed: usize,
    last: Settled,
}

impl Meeting {
    /// When it was settled; none while it is open.
    pub fn decided_at(&self) -> Option<Timestamp> {
        self.settled.as_ref().map(|settled| settled.at)
    }

    /// How it was settled.
    pub fn outcome(&self) -> GateOutcome {
        self.settled.as_ref().map_or(GateOutcome::Open, |settled| settled.outcome)
    }

    /// When it is placed: when it was asked for, else the first sign of it.
    pub fn at(&self) -> Option<Timestamp> {
        self.requested_at.or(self.seen_at)
    }

    fn take<'a>(&mut self, at: Timestamp, act: &'a GateAct, required: Option<i32>, approvals: &mut Approvals<'a>) {
        self.seen_at.get_or_insert(at);
        let by = |by: &Actor, outcome| Some(Settled { at, outcome, by: by.clone(), ..Settled::default() });
        let settled = match act {
            GateAct::Requested | GateAct::RequestedAgain => {
                self.requests += 1;
                self.requested_at.get_or_insert(at);
                // Asked for again after an end, it is closed again, and earlier approvals are void.
                if self.settled.take().is_some() {
                    (*approvals, self.approvals) = (Approvals::default(), 0);
                    self.closed_at = Some(at);
                }
                self.closed_at.get_or_insert(at);
                None
            }
            GateAct::Delegated { .. } => {
                self.delegations += 1;
                None
            }
            GateAct::Approved { by, last, by_author, commit } => {
                match &by.key {
                    Some(key) => _ = approvals.named.insert(key),
                    None => approvals.unnamed += 1,
                }
                let (by_author, commit) = (*by_author, commit.clone());
                approvals.last = Settled { at, outcome: GateOutcome::Approved, by: by.clone(), by_author, commit };
                self.approvals = approvals.named.len() + approvals.unnamed;
                let enough = required.is_none_or(|required| count(self.approvals) >= required);
                last.unwrap_or(enough).then(|| approvals.last.clone())
            }
            GateAct::Counted { given, required } => {
                let approved = Settled { at, outcome: GateOutcome::Approved, ..approvals.last.clone() };
                (given >= required).then_some(approved)
            }
            GateAct::Rejected { by, by_author, commit } => {
                let (by_author, commit) = (*by_author, commit.clone());
                Some(Settled { at, outcome: GateOutcome::Rejected, by: by.clone(), by_author, commit })
            }
            GateAct::Expired => by(&Actor { key: None, kind: ActorKind::Machine }, GateOutcome::Expired),
            GateAct::Cancelled { by: actor } => by(actor, GateOutcome::Cancelled),
            GateAct::Bypassed { by: actor } => by(actor, GateOutcome::Bypassed),
        };
        // The first act that settles it counts, until it is asked for again.
        if self.settled.is_none() {
            self.settled = settled;
        }
    }
}

impl GateAct {
    const fn asks(&self) -> bool {
        matches!(self, Self::Requested | Self::RequestedAgain)
    }

    const fn decides(&self) -> bool {
        matches!(self, Self::Approved { .. } | Self::Rejected { .. })
    }
}

impl Gate {
    /// What happened at it: what was told, and what was inferred of what nobody told.
    pub fn counted(&self) -> Cow<'_, GateActs> {
        let told = |of: fn(&GateAct) -> bool| self.acts.keys().any(|(_, act)| of(act));
        let (asked, decided) = (told(GateAct::asks), told(GateAct::decides));
        let open = |act: &GateAct| !(asked && act.asks() || decided && act.decides());
        let mut untold = self.inferred.iter().filter(|((_, act), _)| open(act)).peekable();
        if untold.peek().is_none() {
            return Cow::Borrowed(&self.acts);
        }
        let entries = self.acts.iter().chain(untold);
        Cow::Owned(entries.map(|(act, id)| (act.clone(), id.clone())).collect())
    }

    /// What it amounts to.
    pub fn meeting(&self) -> Meeting {
        let acts = self.counted();
        let mut meeting = Meeting::default();
        let mut approvals = Approvals::default();
        for (at, act) in acts.keys() {
            meeting.take(*at, act, self.required.get().copied(), &mut approvals);
        }
        meeting
    }

    /// Commits that those who decided looked at, as given.
    pub fn looked_at(&self) -> impl Iterator<Item = &CommitId> {
        self.acts.keys().chain(self.inferred.keys()).filter_map(|(_, act)| match act {
            GateAct::Approved { commit, .. } | GateAct::Rejected { commit, .. } => commit.as_ref(),
            _ => None,
        })
    }
}

/// What a gate held back.
pub(super) struct Held<'a> {
    pub component: Component,
    pub version: Option<Version>,
    /// As it was deployed.
    pub placed: Option<&'a Placed>,
}

impl State {
    pub(super) fn gate_fact(&self, realm: &Realm, id: &GateId) -> Option<GateWaitFact> {
        let gate = self.records.gates.get(id)?;
        let held = self.held_by(gate)?;
        let meeting = gate.meeting();
        let (outcome, decided_at) = (meeting.outcome(), meeting.decided_at());
        let settled = meeting.settled.clone().unwrap_or_default();
        let blocking_from = self.only_obstacle_from(gate, &meeting);
        let span = decided_at.zip(blocking_from).map(|(decided, from)| (from, decided));
        let commit = self.commit_held(gate, &held);
        let by_author = settled.by_author.or_else(|| self.is_author(commit?, settled.by.key.as_deref()?));
        let name = gate.name.get().cloned().unwrap_or_default();
        let calendar = self.rules.calendar(&held.component);
        let purposes = self.purposes(&held.component, &name);
        Some(GateWaitFact {
            realm: realm.clone(),
            gate: id.clone(),
            at: meeting.at()?,
            kind: self.kind_of_gate(gate),
            environment: self.environment_of_gate(gate),
            attempt: gate.attempt.0.unwrap_or(1),
            commit: commit.map(|place| self.records.graph.id(place)),
            run: gate.run.get().cloned(),
            requested_at: meeting.requested_at,
            blocking_from,
            decided_at,
            wait: span.map(|(from, decided)| (decided - from).max(Millis(0))),
            wait_working: span.zip(calendar).map(|((from, decided), calendar)| calendar.working(from, decided)),
            outcome,
            decided_by: settled.by.kind,
            by_author,
            decided_commit: settled.commit.as_ref().map(|given| self.full_id(given)),
            approvals: count(meeting.approvals),
            required: gate.required.get().copied(),
            requests: count(meeting.requests),
            delegations: count(meeting.delegations),
            caught: self.caught(id),
            hollow: self.hollow(gate, &meeting, &held, by_author),
            missed: self.missed(&held, outcome, &purposes),
            purposes,
            evidence: evidence(gate.counted().values().filter_map(|id| id.0.as_ref())),
            link: gate.url.get().cloned(),
            component: held.component,
            version: held.version,
            name,
            ..GateWaitFact::default()
        })
    }

    /// A gate as one meeting of its series.
    pub fn met(&self, id: &GateId) -> Option<(Series, Met)> {
        let gate = self.records.gates.get(id)?;
        let held = self.held_by(gate)?;
        let meeting = gate.meeting();
        let commit = self.commit_held(gate, &held);
        let met = Met {
            at: meeting.at()?,
            decided_at: meeting.decided_at(),
            outcome: meeting.outcome(),
            commit,
            committed_at: commit.and_then(|place| self.committed_at(place)),
        };
        let series = Series {
            component: held.component,
            environment: self.environment_of_gate(gate),
            name: gate.name.get().cloned().unwrap_or_default(),
            kind: self.kind_of_gate(gate),
        };
        Some((series, met))
    }

    fn environment_of_gate(&self, gate: &Gate) -> Option<Environment> {
        gate.environment.get().map(|environment| self.rules.environment(environment, None).0)
    }

    /// Its kind as events say, else as the catalog does.
    pub(super) fn kind_of_gate(&self, gate: &Gate) -> GateKind {
        let told = gate.kind.0.filter(|kind| *kind != GateKind::Unknown);
        told.or_else(|| self.rules.gate(gate.name.get()?)?.kind).unwrap_or_default()
    }

    /// Incidents of a kind that a gate is there to catch, known to be caused by the release that it let pass.
    fn missed(&self, held: &Held<'_>, outcome: GateOutcome, purposes: &[String]) -> Vec<IncidentId> {
        let Some(version) = held.version.clone().filter(|_| outcome == GateOutcome::Approved) else {
            return Vec::new();
        };
        let release = (held.component.clone(), version);
        let caused = self.incidents.of_release(&release).filter(|(_, incident)| incident.blames(&release));
        let meant = caused.filter(|(_, incident)| purposes.iter().any(|purpose| incident.kinds.contains(purpose)));
        meant.map(|(id, _)| id.clone()).collect()
    }

    /// Kinds of incident that a gate is there to catch: as a team said of it in a component, else in every component, else as the
    /// catalog says.
    fn purposes(&self, component: &Component, name: &str) -> Vec<String> {
        let said = |of: Option<&Component>| {
            self.records.purposes.get(&(of.cloned(), name.to_owned())).and_then(|purpose| purpose.purposes.get())
        };
        let declared = || self.rules.gate(name).map(|gate| &gate.purposes);
        said(Some(component)).or_else(|| said(None)).or_else(declared).cloned().unwrap_or_default()
    }

    /// Whether somebody is the author of the change that brought a commit in, else of the commit. None where that is not known: who
    /// merged is the author of the commit that merged a branch, and not of what is in it.
    fn is_author(&self, place: Place, key: &str) -> Option<bool> {
        let graph = &self.records.graph;
        let changed = self.brought_by(place).and_then(|(_, change, _)| change.author.0.as_ref()?.key.as_deref());
        let merges = graph.parents(place).is_some_and(|parents| parents.len() > 1);
        let wrote = graph.authored(place).filter(|_| !merges).and_then(|(_, author)| author.key.as_deref());
        changed.or(wrote).map(|author| author == key)
    }

    /// Full id of a commit as given, where it is known.
    fn full_id(&self, given: &CommitId) -> CommitId {
        self.find(Some(given)).map_or_else(|| given.clone(), |place| self.records.graph.id(place))
    }

    /// The deployment that a gate held back: the one it names, else one of its run to its environment, else one of its commit.
    pub(super) fn deployment_held(&self, gate: &Gate) -> Option<(&DeploymentId, &Placed)> {
        if let Some(found) = gate.deployment.get().and_then(|id| self.placed.get_key_value(id)) {
            return Some(found);
        }
        let environment = self.environment_of_gate(gate);
        let fits = |id: &&DeploymentId| {
            self.placed.get(*id).is_some_and(|placed| environment.as_ref().is_none_or(|e| placed.environment == *e))
        };
        let of_run = gate.run.get().and_then(|run| self.deployments_of(run).find(fits));
        let of_commit = || match gate.run.get() {
            Some(_) => None,
            None => self.by_head.of(&self.find(gate.commit.get())?).find(fits),
        };
        self.placed.get_key_value(of_run.or_else(of_commit)?)
    }

    fn held_by(&self, gate: &Gate) -> Option<Held<'_>> {
        if let Some((_, placed)) = self.deployment_held(gate) {
            return Some(Held {
                component: placed.component.clone(),
                version: placed.version.clone(),
                placed: Some(placed),
            });
        }
        let run = gate.run.get().and_then(|id| self.records.runs.get_key_value(id));
        let service = gate.service.get().map(String::as_str);
        let component = match (gate.repository.get(), service, run) {
            (None, None, Some((id, run))) => self.owner_of_run(id, run)?,
            (repository, service, _) => self.rules.owner(repository, service)?,
        };
        // Nothing was deployed under a tag: the version is the commit.
        let version = self.commit_at(gate).map(|place| Version::new(self.records.graph.id(place).as_str()));
        Some(Held { component, version, placed: None })
    }

    /// The commit that a gate held back: the one deployed, else the one it is about.
    pub(super) fn commit_held(&self, gate: &Gate, held: &Held<'_>) -> Option<Place> {
        held.placed.and_then(|placed| placed.head).or_else(|| self.commit_at(gate))
    }

    fn commit_at(&self, gate: &Gate) -> Option<Place> {
        let of_run = || self.records.runs.get(gate.run.get()?).and_then(|run| self.find(run.commit.get()));
        self.find(gate.commit.get()).or_else(of_run)
    }

    /// From when the release could have gone on but for the gate: it was asked for, and nothing else of its run was still to end.
    ///
    /// None while something else is under way, or where only the decision is known. Where something else ended after the decision,
    /// the gate never was the only obstacle and the wait is none: it starts at the decision.
    fn only_obstacle_from(&self, gate: &Gate, meeting: &Meeting) -> Option<Timestamp> {
        let requested = meeting.requested_at?;
        let Some(run) = gate.run.get() else { return Some(requested) };
        let attempt = gate.attempt.0.unwrap_or(1);
        let mut from = requested;
        for (started, finished) in self.task_times(run, attempt) {
            match (meeting.decided_at(), finished) {
                (Some(decided), _) if started >= decided => {}
                (Some(decided), None) => from = from.max(decided),
                (Some(decided), Some(finished)) => from = from.max(finished.min(decided)),
                (None, Some(finished)) => from = from.max(finished),
                (None, None) => return None,
            }
        }
        Some(from)
    }

    /// When the tasks of a run's attempt started and ended.
    fn task_times(&self, run: &RunId, attempt: i32) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
        let attempts = self.tasks_of(run).filter_map(move |t| t.attempts.get(&attempt));
        attempts.filter_map(|a| Some((a.started_at.0?, a.finished_at().filter(|_| a.phase() == Phase::Finished))))
    }
}
