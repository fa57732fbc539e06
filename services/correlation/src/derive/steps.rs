//! Rows of `manual_steps`: what a person had to start although a machine could have.
//!
//! A step waits from when everything before it had ended to the click. That instant is never after the click, and null where nothing
//! is known of what came before.

use model::event::{ActorKind, Tier, Trigger};
use model::fact::{ManualStepFact, ManualStepKind};
use model::{DeploymentId, Environment, GateId, Millis, Realm, RunId, TaskId, Timestamp};

use super::deployments::evidence;
use crate::entity::{Attempt, Deployment, Gate, Run, Task};
use crate::graph::Place;
use crate::state::{NamedKey, Placed, State, Step};

/// The start of a task by a person: when, in which attempt, and the gate that tells of it.
struct Click<'a> {
    at: Timestamp,
    attempt: i32,
    gate: Option<&'a Gate>,
}

impl Task {
    /// When a person started it: where it had to be started by hand, it is ready from then on.
    fn clicked(&self) -> Option<Click<'_>> {
        self.manual.0.as_ref()?;
        self.attempts
            .iter()
            .filter(|(_, a)| a.triggered_by.0 == Some(ActorKind::Human))
            .find_map(|(number, a)| Some(Click { at: a.queued_at.0.or(a.started_at.0)?, attempt: *number, gate: None }))
    }
}

impl State {
    /// The manual step that is known from one thing.
    pub(super) fn manual_step(&self, realm: &Realm, step: &Step) -> Option<ManualStepFact> {
        let fact = match step {
            Step::Task(id) => self.job_step(id),
            Step::Run(id) => self.dispatched_step(id),
            Step::Deployment(id) => self.deployment_step(id),
            Step::Named(key) => self.named_step(key),
        };
        fact.map(|fact| ManualStepFact { realm: realm.clone(), ..fact })
    }

    /// A job that waited for a click.
    fn job_step(&self, task_id: &TaskId) -> Option<ManualStepFact> {
        let task = self.records.tasks.get(task_id)?;
        let (id, run) = self.records.runs.get_key_value(task.run.get()?)?;
        let click = self.click_at_gate(id, task_id).or_else(|| task.clicked())?;
        let acts = click.gate.map(Gate::counted);
        let told = acts.iter().flat_map(|acts| acts.values().filter_map(|id| id.0.as_ref()));
        let attempt = task.attempts.get(&click.attempt);
        let fact = ManualStepFact {
            component: self.owner_of_run(id, run)?,
            step: task_id.as_str().to_owned(),
            kind: ManualStepKind::ManualJob,
            name: task.name.get().cloned().unwrap_or_default(),
            finished_at: attempt.and_then(Attempt::end).map(|(_, at)| at),
            evidence: evidence(told.chain(task.manual.0.as_ref())),
            link: task.url.get().cloned().or_else(|| run.url.get().cloned()),
            ..self.step_in_run(id, run, Some(task_id), task.environment.get())
        };
        Some(self.timed(fact, click.at, self.possible_from(id, click.at, click.attempt, Some((task_id, task)))))
    }

    /// The first start of a task that a gate before it tells of.
    fn click_at_gate(&self, run: &RunId, task: &TaskId) -> Option<Click<'_>> {
        let gates = self.gates_before(run, task).filter_map(|id| self.records.gates.get(id));
        let clicked = gates.filter_map(|gate| {
            let at = gate.clicked_at()?;
            let (held, ..) = self.task_held(gate)?;
            (held == task).then(|| Click { at, attempt: gate.attempt.0.unwrap_or(1), gate: Some(gate) })
        });
        clicked.min_by_key(|click| (click.at, click.attempt))
    }

    /// A job that waited for a click, of which only the gate is known.
    pub(super) fn gate_step(&self, realm: &Realm, id: &GateId) -> Option<ManualStepFact> {
        let gate = self.records.gates.get(id)?;
        let clicked_at = gate.clicked_at()?;
        if self.task_held(gate).is_some() {
            return None;
        }
        let run = gate.run.get().and_then(|id| self.records.runs.get_key_value(id));
        let held = self.deployment_held(gate).map(|(_, placed)| placed);
        let owner = || self.rules.owner(gate.repository.get(), gate.service.get().map(String::as_str));
        let of_run = || run.and_then(|(id, run)| self.owner_of_run(id, run));
        let environment = gate.environment.get();
        let mut fact =
            run.map_or_else(ManualStepFact::default, |(id, run)| self.step_in_run(id, run, None, environment));
        fact.environment = environment.map(|e| self.rules.environment(e, None).0);
        fact.version = held.and_then(|placed| placed.version.clone()).or(fact.version);
        let possible_from = match run {
            Some((id, _)) => self.possible_from(id, clicked_at, gate.attempt.0.unwrap_or(1), None),
            None => gate.meeting().requested_at,
        };
        let fact = ManualStepFact {
            realm: realm.clone(),
            component: held.map(|placed| placed.component.clone()).or_else(of_run).or_else(owner)?,
            step: id.as_str().to_owned(),
            kind: ManualStepKind::ManualJob,
            name: gate.name.get().cloned().unwrap_or_default(),
            run: gate.run.get().cloned(),
            evidence: evidence(gate.counted().values().filter_map(|id| id.0.as_ref())),
            link: gate.url.get().cloned(),
            ..fact
        };
        Some(self.timed(fact, clicked_at, possible_from))
    }

    /// A run that a person started, where it was for a release: it deployed something, or ran on a commit that was deployed.
    fn dispatched_step(&self, id: &RunId) -> Option<ManualStepFact> {
        let run = self.records.runs.get(id)?;
        let told = run.dispatched.0.as_ref().filter(|_| run.trigger.get() == Some(&Trigger::Manual))?;
        let (_, attempt) = run.attempts.first()?;
        let by_person = attempt.triggered_by.0 == Some(ActorKind::Human);
        let place = self.find(run.commit.get());
        let deployed = self.deployments_of(id).next().is_some();
        let released = || place.is_some_and(|place| self.is_deployed(place));
        if !by_person || !(deployed || released()) {
            return None;
        }
        let at = run.created_at.0.or(attempt.queued_at.0).or(attempt.started_at.0).or(run.seen_at.0)?;
        let merged_at = || self.way(place?).merged_at;
        let possible_from = place.and_then(|place| self.last_success_on(place, at, Some(id))).or_else(merged_at);
        let fact = ManualStepFact {
            component: self.owner_of_run(id, run)?,
            step: id.as_str().to_owned(),
            kind: ManualStepKind::DispatchedRun,
            name: run.pipeline.get().cloned().unwrap_or_default(),
            finished_at: attempt.end().map(|(_, at)| at),
            evidence: evidence([told].into_iter()),
            link: run.url.get().cloned(),
            ..self.step_in_run(id, run, None, None)
        };
        Some(self.timed(fact, at, possible_from))
    }

    /// A deployment that a person made outside any run.
    fn deployment_step(&self, id: &DeploymentId) -> Option<ManualStepFact> {
        let deployment = self.records.deployments.get(id).filter(|deployment| deployment.is_by_hand())?;
        let placed = self.placed.get(id)?;
        let at = deployment.created_at.0.or(deployment.started_at.0).or_else(|| self.first_sign(id))?;
        let earlier = || self.last_success_on(placed.head?, at, None);
        let partial_counts = self.rules.component(&placed.component).is_some_and(|c| c.partial_counts);
        let fact = ManualStepFact {
            component: placed.component.clone(),
            step: id.as_str().to_owned(),
            kind: ManualStepKind::Deployment,
            name: placed.environment.as_str().to_owned(),
            version: placed.version.clone(),
            commit: placed.head.map(|place| self.records.graph.id(place)),
            environment: Some(placed.environment.clone()),
            finished_at: deployment.fold(partial_counts).finished_at,
            evidence: evidence(deployment.states.values().filter_map(|id| id.0.as_ref())),
            link: deployment.url.get().cloned(),
            ..ManualStepFact::default()
        };
        Some(self.timed(fact, at, self.handed_over_at(placed, at).or_else(earlier)))
    }

    /// What a person says happened.
    fn named_step(&self, key: &NamedKey) -> Option<ManualStepFact> {
        let step = self.records.named_steps.get(key)?;
        let (component, version, name, started_at) = key.clone();
        let mut deployments =
            self.by_release.of(&(component.clone(), version.clone())).filter_map(|id| self.placed.get(id));
        let commit = deployments.find_map(|placed| placed.head).map(|place| self.records.graph.id(place));
        let fact = ManualStepFact {
            component,
            step: step.told.first()?.clone(),
            kind: ManualStepKind::Named,
            name,
            version: Some(version),
            commit,
            finished_at: step.finished_at.get().copied(),
            evidence: evidence(step.told.iter()),
            ..ManualStepFact::default()
        };
        Some(self.timed(fact, started_at, None))
    }

    /// What a step in a run was for: the deployment that its task made, else that of the run to its environment. The version is that
    /// of any deployment of the run, else of its commit.
    fn step_in_run(
        &self,
        id: &RunId,
        run: &Run,
        task: Option<&TaskId>,
        environment: Option<&Environment>,
    ) -> ManualStepFact {
        let environment = environment.map(|e| self.rules.environment(e, None).0);
        let made: Vec<(&Deployment, &Placed)> =
            self.deployments_of(id).filter_map(|id| Some((self.deployment(id)?, self.placed.get(id)?))).collect();
        let by_task = made.iter().find(|(deployment, _)| task.is_some() && deployment.job.get() == task);
        let there = made.iter().find(|(_, placed)| environment.as_ref() == Some(&placed.environment));
        let aimed = by_task.or(there).or(made.first().filter(|_| task.is_none() && environment.is_none()));
        let of_run = aimed.into_iter().chain(&made).find_map(|(_, placed)| placed.version.clone());
        let of_commit = || {
            let component = self.owner_of_run(id, run)?;
            let placed = self.by_head.of(&self.find(run.commit.get())?).filter_map(|id| self.placed.get(id));
            placed.into_iter().filter(|placed| placed.component == component).find_map(|placed| placed.version.clone())
        };
        ManualStepFact {
            version: of_run.or_else(of_commit),
            environment: environment.or_else(|| aimed.map(|(_, placed)| placed.environment.clone())),
            commit: self.commit_of_run(run),
            run: Some(id.clone()),
            ..ManualStepFact::default()
        }
    }

    /// When a job of a run could have been started: what it needs had ended, or, where that is not told, what else of the run ended
    /// before the click; with nothing before it, the attempt had started.
    fn possible_from(
        &self,
        id: &RunId,
        click: Timestamp,
        attempt: i32,
        job: Option<(&TaskId, &Task)>,
    ) -> Option<Timestamp> {
        let others =
            || self.tasks_by_id(id).filter(|(other, _)| job.is_none_or(|(own, _)| *other != own)).map(|(_, t)| t);
        let ended = |task: &Task| {
            task.attempts.values().filter_map(Attempt::end).map(|(_, at)| at).filter(|at| *at <= click).max()
        };
        let needs = job.and_then(|(_, task)| task.needs.get());
        let needed = |task: &&Task| needs.zip(task.name.get()).is_some_and(|(needs, name)| needs.contains(name));
        let last_needed = others().filter(needed).filter_map(ended).max();
        let run = self.records.runs.get(id)?;
        let started = || run.attempts.get(&attempt).and_then(|attempt| attempt.started_at.0).or(run.created_at.0);
        last_needed.or_else(|| others().filter_map(ended).max()).or_else(started)
    }

    /// Something that counts was deployed of the commit.
    fn is_deployed(&self, place: Place) -> bool {
        let mut deployments = self.by_head.of(&place).filter_map(|id| self.deployment(id));
        deployments.any(Deployment::counts)
    }

    /// The last success of a run on a commit, up to an instant.
    fn last_success_on(&self, place: Place, until: Timestamp, except: Option<&RunId>) -> Option<Timestamp> {
        let runs = self.runs_on(place).filter(|id| Some(*id) != except).filter_map(|id| self.records.runs.get(id));
        runs.flat_map(|run| run.attempts.values()).filter_map(Attempt::passed_at).filter(|at| *at <= until).max()
    }

    /// When the release had last come to another environment, up to an instant. To production it comes last.
    fn handed_over_at(&self, placed: &Placed, until: Timestamp) -> Option<Timestamp> {
        let release = (placed.component.clone(), placed.version.clone()?);
        let others = self.by_release.of(&release).filter_map(|id| self.placed.get(id));
        others
            .filter(|other| other.environment != placed.environment)
            .filter(|other| placed.tier == Tier::Production || other.tier != Tier::Production)
            .filter_map(|other| other.succeeded_at)
            .filter(|at| *at <= until)
            .max()
    }

    /// The times of a step: how long it waited for its start, and how long it took. It was possible no later than it was done.
    fn timed(&self, fact: ManualStepFact, at: Timestamp, possible_from: Option<Timestamp>) -> ManualStepFact {
        let possible_from = possible_from.map(|from| from.min(at));
        let calendar = self.rules.calendar(&fact.component);
        ManualStepFact {
            at,
            possible_from,
            wait: possible_from.map(|from| at - from),
            wait_working: possible_from.zip(calendar).map(|(from, calendar)| calendar.working(from, at)),
            duration: fact.finished_at.map(|end| (end - at).max(Millis(0))),
            ..fact
        }
    }
}
