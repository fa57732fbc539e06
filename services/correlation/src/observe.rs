//! What one event lets us know: the records to join into the state.

use model::event::{
    Actor, ApprovalBody, Body, Build, Catalog, Change, ChangeReview, ChangeState, CiBody, CommitInfo, ControlBody,
    Decision, Deployment, DeploymentAction, Event, Gate, ManualStepNamed, Outcome, Phase, PipelineRun, Push,
    References, ReviewBody, Tag, TagAction, TaskKind, TaskRun, TestRun, Trigger,
};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, GateId, IncidentId, Repository, RunId, TaskId, Timestamp,
};

use crate::entity::{self, Attempt, DeploymentState, GateAct, GateActs, Progress, TagAct};
use crate::graph::Id;
use crate::lattice::{Greatest, Latest, Least, Raised};
use crate::sorted::{SortedMap, SortedSet};
use crate::state::NamedKey;

mod incidents;

/// A record to join into the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// A commit.
    Commit(CommitId, entity::Commit),
    /// A change.
    Change(Repository, ChangeId, Box<entity::Change>),
    /// A pipeline run.
    Run(RunId, Box<entity::Run>),
    /// A task.
    Task(TaskId, Box<entity::Task>),
    /// A deployment.
    Deployment(DeploymentId, Box<entity::Deployment>),
    /// A gate.
    Gate(GateId, Box<entity::Gate>),
    /// A tag.
    Tag(Repository, String, entity::Tag),
    /// An artifact.
    Artifact(ArtifactId, entity::Artifact),
    /// A step that a person named.
    NamedStep(NamedKey, entity::NamedStep),
    /// An incident.
    Incident(IncidentId, Box<entity::Incident>),
    /// Whether a release is left out of the figures.
    Exclusion(entity::ReleaseKey, entity::Exclusion),
    /// The catalog.
    Catalog(Box<Catalog>),
    /// A component without a baseline.
    BaselineNone(Component),
    /// What a gate is there to catch, for one component or for all.
    Purpose(Option<Component>, String, entity::Purpose),
    /// What people said of the shifts of a component.
    Shifts(Component, entity::Shifts),
}

impl Observation {
    /// Repositories that it speaks of.
    pub fn repositories(&self) -> Vec<&Repository> {
        match self {
            Self::Commit(_, commit) => commit.repositories.iter().collect(),
            Self::Change(repository, ..) | Self::Tag(repository, ..) => vec![repository],
            Self::Run(_, run) => run.repository.get().into_iter().collect(),
            Self::Deployment(_, deployment) => deployment.repository.get().into_iter().collect(),
            Self::Gate(_, gate) => gate.repository.get().into_iter().collect(),
            Self::Incident(_, incident) => incident.repositories().into_iter().collect(),
            Self::Task(..)
            | Self::Artifact(..)
            | Self::NamedStep(..)
            | Self::Catalog(_)
            | Self::BaselineNone(_)
            | Self::Exclusion(..)
            | Self::Purpose(..)
            | Self::Shifts(..) => Vec::new(),
        }
    }
}

/// Records of an event, or why none follow from it.
pub fn observe(event: Event<Body>) -> Result<Vec<Observation>, &'static str> {
    let (event, body) = event.split();
    let at = event.occurred_at;
    match body {
        Body::Ci(body) => Ok(ci(&event, at, body)),
        Body::Approval(body) => Ok(vec![approval(&event, at, &body)]),
        Body::Review(ReviewBody::ManualStepNamed(step)) => Ok(vec![step_named(&event, at, step)]),
        Body::Incident(body) => Ok(vec![incidents::incident(&event, at, body)]),
        Body::Review(ReviewBody::AttributionCorrected(said)) => Ok(vec![incidents::correction(&event, at, said)]),
        Body::Review(ReviewBody::ReleaseExcluded(said)) => Ok(vec![incidents::exclusion(at, said)]),
        Body::Review(ReviewBody::GatePurposeSaid(said)) => {
            let purpose = entity::Purpose { purposes: Latest::told(at, Some(said.purposes)) };
            Ok(vec![Observation::Purpose(said.component, said.gate, purpose)])
        }
        Body::Review(ReviewBody::ShiftAcknowledged(said)) => {
            let shifts = entity::Shifts { acknowledged: SortedSet::of(said.acknowledged_at.unwrap_or(at)) };
            Ok(vec![Observation::Shifts(said.component, shifts)])
        }
        Body::Review(
            ReviewBody::ImprovementPicked(_) | ReviewBody::ImprovementDone(_) | ReviewBody::ImprovementDropped(_),
        ) => Err("improvements enter no table yet"),
        Body::Control(ControlBody::Catalog(catalog)) => Ok(vec![Observation::Catalog(Box::new(catalog))]),
        Body::Control(ControlBody::BaselineNone(none)) => Ok(vec![Observation::BaselineNone(none.component)]),
        Body::Control(ControlBody::Horizon(_)) => Err("rows are not frozen yet"),
    }
}

fn ci(event: &Event<()>, at: Timestamp, body: CiBody) -> Vec<Observation> {
    match body {
        CiBody::Push(push) => push_observed(at, push),
        CiBody::Commits(commits) => commits
            .commits
            .into_iter()
            .map(|info| Observation::Commit(info.id.clone(), commit(&commits.repository, info)))
            .collect(),
        CiBody::Change(change) => change_observed(at, change),
        CiBody::ChangeReview(review) => vec![review_observed(at, review)],
        CiBody::PipelineRun(run) => vec![run_observed(event, at, run)],
        CiBody::TaskRun(task) => vec![task_observed(event, at, task)],
        CiBody::Build(build) => vec![build_observed(event, at, build)],
        CiBody::TestRun(test) => vec![test_observed(event, at, test)],
        CiBody::Artifact(artifact) => artifact_observed(at, artifact),
        CiBody::Deployment(deployment) => vec![deployment_observed(event, at, deployment)],
        CiBody::Tag(tag) => vec![tag_observed(event, at, tag)],
    }
}

fn commit(repository: &Repository, info: CommitInfo) -> entity::Commit {
    let rare = entity::Rare {
        picked_from: info.cherry_picked_from.into_iter().filter(|from| *from != info.id).collect(),
        reverts: info.reverts.into_iter().filter(|of| *of != info.id).collect(),
        // A commit that changes nothing has no patch.
        patch: Least(info.patch_id.as_deref().filter(|id| !id.is_empty()).map(patch)),
    };
    entity::Commit {
        repositories: SortedSet::of(repository.clone()),
        parents: Greatest(info.parents.map(|parents| (parents.len(), parents))),
        author_kind: Greatest(Some(info.author.kind)),
        authored: Least(info.authored_at.map(|at| (at, info.author))),
        committed_at: Least(info.committed_at),
        paths: Greatest(info.paths.map(|paths| (!info.paths_cut, paths))),
        changes: info.changes.into_iter().collect(),
        rare: (rare != entity::Rare::default()).then(|| Box::new(rare)),
        ..entity::Commit::default()
    }
}

fn patch(id: &str) -> entity::Patch {
    xxhash_rust::xxh3::xxh3_128(id.as_bytes()).to_be_bytes()
}

fn push_observed(at: Timestamp, push: Push) -> Vec<Observation> {
    let Some(after) = push.after else { return Vec::new() };
    let default =
        push.default_branch.as_deref().is_some_and(|name| push.ref_name.strip_prefix("refs/heads/") == Some(name));
    let whole = !push.commits_cut && !push.forced && push.before.is_some();
    let landed_at = Least(default.then_some(at));
    let listed_under: SortedSet<CommitId> = whole.then(|| after.clone()).into_iter().collect();
    // The tip holds what was there before, unless the branch was forced, and everything that came with it.
    let came_along = push.commits.iter().map(|info| &info.id).filter(|id| **id != after).cloned();
    let pushed_over = came_along.chain(push.before.filter(|_| !push.forced)).collect();
    let mut observations = Vec::with_capacity(push.commits.len() + 1);
    for info in push.commits {
        let id = info.id.clone();
        let mut commit = commit(&push.repository, info);
        commit.listed_under.clone_from(&listed_under);
        commit.branches = SortedSet::of(push.ref_name.clone());
        commit.landed_at = landed_at.clone();
        observations.push(Observation::Commit(id, commit));
    }
    let tip = entity::Commit {
        repositories: SortedSet::of(push.repository),
        pushed_over,
        listed_under,
        branches: SortedSet::of(push.ref_name),
        landed_at,
        ..entity::Commit::default()
    };
    observations.push(Observation::Commit(after, tip));
    observations
}

fn change_observed(at: Timestamp, change: Change) -> Vec<Observation> {
    let mut known = entity::Change {
        created_at: Least(change.created_at),
        author: Least((change.author != model::event::Actor::default()).then_some(change.author)),
        source_branch: Latest::told(at, change.source_branch),
        heads: change.head.iter().cloned().collect(),
        head: Latest::told(at, change.head),
        bases: change.base.iter().cloned().collect(),
        commits: change.commits.iter().flatten().map(Id::of).collect(),
        ..entity::Change::default()
    };
    if change.state == ChangeState::Merged {
        known.merged = Latest::told(at, Some((change.merged_at.unwrap_or(at), change.merge_commit)));
    }
    vec![Observation::Change(change.repository, change.change, Box::new(known))]
}

fn review_observed(at: Timestamp, review: ChangeReview) -> Observation {
    let seen = (review.submitted_at.unwrap_or(at), review.review, review.state, review.reviewer);
    let known = entity::Change { reviews: SortedSet::of(seen), ..entity::Change::default() };
    Observation::Change(review.repository, review.change, Box::new(known))
}

fn progress(at: Timestamp, phase: Phase, outcome: Option<Outcome>, finished_at: Option<Timestamp>) -> Latest<Progress> {
    let finished_at = finished_at.or((phase == Phase::Finished).then_some(at));
    Latest::told(at, Some(Progress { phase, outcome, finished_at }))
}

fn run_observed(event: &Event<()>, at: Timestamp, run: PipelineRun) -> Observation {
    let attempt = Attempt {
        queued_at: Least(run.queued_at),
        started_at: Least(run.started_at),
        progress: progress(at, run.phase, run.outcome, run.finished_at),
        triggered_by: Greatest(Some(run.triggered_by.kind)),
        failed_step: Least(None),
        runner_group: Latest(None),
    };
    let known = entity::Run {
        repository: Latest::told(at, run.repository),
        pipeline: Latest::told(at, (!run.pipeline.is_empty()).then_some(run.pipeline)),
        definition: Latest::told(at, run.definition),
        commit: Latest::told(at, run.commit),
        ref_name: Latest::told(at, run.ref_name),
        trigger: Latest::told(at, Some(run.trigger)),
        dispatched: Least((run.trigger == Trigger::Manual).then(|| event.id())),
        created_at: Least(run.created_at),
        seen_at: Least(Some(at)),
        attempts: SortedMap::of(run.attempt, attempt),
        url: Latest::told(at, run.url),
    };
    Observation::Run(run.run, Box::new(known))
}

fn task_observed(event: &Event<()>, at: Timestamp, task: TaskRun) -> Observation {
    let failed = task.steps.iter().filter(|step| matches!(step.outcome, Some(o) if is_failure(o)));
    let attempt = Attempt {
        queued_at: Least(task.queued_at),
        started_at: Least(task.started_at),
        progress: progress(at, task.phase, task.outcome, task.finished_at),
        triggered_by: Greatest(Some(task.started_by.kind)),
        failed_step: Least(failed.map(|step| (step.number, step.name.clone())).min()),
        runner_group: Latest::told(at, task.runner_group),
    };
    let known = entity::Task {
        run: Latest::told(at, task.run),
        repository: Latest::told(at, task.repository),
        name: Latest::told(at, Some(task.name)),
        kind: Latest::told(at, Some(task.kind)),
        commit: Latest::told(at, task.commit),
        ref_name: Latest::told(at, task.ref_name),
        environment: Latest::told(at, task.environment),
        manual: Least(task.manual.then(|| event.id())),
        allowed_to_fail: Raised(task.allowed_to_fail),
        needs: Latest::told(at, (!task.needs.is_empty()).then(|| task.needs.iter().cloned().collect())),
        created_at: Least(task.created_at),
        attempts: SortedMap::of(task.attempt, attempt),
        url: Latest::told(at, task.url),
    };
    Observation::Task(task.task, Box::new(known))
}

/// The change's or the platform's fault, as opposed to a wish or a rule.
pub fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failure | Outcome::Error | Outcome::Timeout)
}

fn build_observed(event: &Event<()>, at: Timestamp, build: Build) -> Observation {
    let mut task = TaskRun::new(TaskId::new(&*build.build), 1, "build".to_owned(), TaskKind::Job, build.phase);
    task.run = build.run;
    task.commit = build.commit;
    task.outcome = build.outcome;
    task.url = build.url;
    (task.queued_at, task.started_at, task.finished_at) = (build.queued_at, build.started_at, build.finished_at);
    task_observed(event, at, task)
}

fn test_observed(event: &Event<()>, at: Timestamp, test: TestRun) -> Observation {
    let name = test.name.unwrap_or_else(|| "test".to_owned());
    let mut task = TaskRun::new(TaskId::new(&*test.test), 1, name, TaskKind::Job, test.phase);
    task.run = test.run;
    task.commit = test.commit;
    task.outcome = test.outcome;
    task.url = test.url;
    (task.queued_at, task.started_at, task.finished_at) = (test.queued_at, test.started_at, test.finished_at);
    task_observed(event, at, task)
}

fn artifact_observed(at: Timestamp, artifact: model::event::Artifact) -> Vec<Observation> {
    let known = entity::Artifact {
        commit: Latest::told(at, artifact.commit),
        run: Latest::told(at, artifact.run),
        tags: artifact.tags.iter().cloned().collect(),
    };
    // A deployment may name the artifact or only its digest.
    let names = [Some(artifact.artifact), artifact.digest.as_deref().map(ArtifactId::new)];
    names.into_iter().flatten().map(|name| Observation::Artifact(name, known.clone())).collect()
}

fn deployment_observed(event: &Event<()>, at: Timestamp, deployment: Deployment) -> Observation {
    let when = deployment.finished_at.filter(|_| deployment.phase == Phase::Finished).unwrap_or(at);
    let state =
        DeploymentState { at: when, phase: deployment.phase, outcome: deployment.outcome, rollout: deployment.rollout };
    let known = entity::Deployment {
        repository: Latest::told(at, deployment.repository),
        service: Latest::told(at, deployment.service),
        environment: Latest::told(at, Some(deployment.environment)),
        production: Latest::told(at, deployment.production),
        commit: Latest::told(at, deployment.commit),
        ref_name: Latest::told(at, deployment.ref_name),
        version: Latest::told(at, deployment.version),
        artifacts: deployment.artifacts.iter().cloned().collect(),
        run: Latest::told(at, deployment.run),
        job: Latest::told(at, deployment.job),
        transient: Raised(deployment.transient),
        removal: Raised(deployment.action == DeploymentAction::Remove),
        triggered_by: Greatest(Some(deployment.triggered_by.kind)),
        created_at: Least(deployment.created_at),
        started_at: Least(deployment.started_at),
        states: SortedMap::of(state, Least(Some(event.id()))),
        url: Latest::told(at, deployment.url.or_else(|| event.link.clone())),
    };
    Observation::Deployment(deployment.deployment, Box::new(known))
}

fn tag_observed(event: &Event<()>, at: Timestamp, tag: Tag) -> Observation {
    let commit = match tag.action {
        TagAction::Deleted => Some(None),
        TagAction::Tagged | TagAction::Published | TagAction::Unpublished => tag.commit.clone().map(Some),
    };
    let act = match tag.action {
        TagAction::Tagged => TagAct::Tagged(tag.created_at.unwrap_or(at), tag.commit),
        TagAction::Published if tag.prerelease == Some(true) => TagAct::Unpublished,
        TagAction::Published => TagAct::Published(tag.published_at.unwrap_or(at)),
        TagAction::Unpublished => TagAct::Unpublished,
        TagAction::Deleted => TagAct::Deleted,
    };
    let known = entity::Tag {
        commit: Latest::told(at, commit),
        acts: SortedMap::of((at, act), Least(Some(event.id()))),
        url: Latest::told(at, tag.url.or_else(|| event.link.clone())),
    };
    Observation::Tag(tag.repository, tag.tag, known)
}

fn approval(event: &Event<()>, at: Timestamp, body: &ApprovalBody) -> Observation {
    let (gate, about) = parts(body);
    let (when, act, required) = act(at, body);
    let told: GateActs = act.map(|act| ((when, act), Least(Some(event.id())))).into_iter().collect();
    let (acts, inferred) = if is_inferred(body) { (GateActs::default(), told) } else { (told, GateActs::default()) };
    let known = entity::Gate {
        name: Latest::told(at, Some(gate.name.clone())),
        kind: Greatest(Some(gate.kind)),
        environment: Latest::told(at, gate.environment.clone().or_else(|| about.environment.clone())),
        attempt: Greatest(Some(gate.attempt)),
        repository: Latest::told(at, about.repository.clone()),
        commit: Latest::told(at, about.commit.clone()),
        run: Latest::told(at, about.run.clone()),
        task: Latest::told(at, about.task.clone()),
        deployment: Latest::told(at, about.deployment.clone()),
        service: Latest::told(at, about.service.clone()),
        required: Latest::told(at, required),
        acts,
        inferred,
        url: Latest::told(at, event.link.clone()),
    };
    Observation::Gate(gate.gate.clone(), Box::new(known))
}

fn step_named(event: &Event<()>, at: Timestamp, step: ManualStepNamed) -> Observation {
    let key = (step.release.component, step.release.version, step.name, step.started_at);
    let known =
        entity::NamedStep { finished_at: Latest::told(at, Some(step.finished_at)), told: SortedSet::of(event.id()) };
    Observation::NamedStep(key, known)
}

fn parts(body: &ApprovalBody) -> (&Gate, &References) {
    match body {
        ApprovalBody::GateRequested(b) => (&b.gate, &b.about),
        ApprovalBody::GateDecided(b) => (&b.gate, &b.about),
        ApprovalBody::GateExpired(b) => (&b.gate, &b.about),
        ApprovalBody::GateCancelled(b) => (&b.gate, &b.about),
        ApprovalBody::GateBypassed(b) => (&b.gate, &b.about),
        ApprovalBody::GateRequestedAgain(b) => (&b.gate, &b.about),
        ApprovalBody::GateDelegated(b) => (&b.gate, &b.about),
        ApprovalBody::GateQuorum(b) => (&b.gate, &b.about),
    }
}

/// Whether an act was not told itself.
const fn is_inferred(body: &ApprovalBody) -> bool {
    match body {
        ApprovalBody::GateRequested(b) => b.inferred,
        ApprovalBody::GateDecided(b) => b.inferred,
        _ => false,
    }
}

/// When something happened at the gate, what, and how many approvals it needs. A deferral and the like leave it as closed as it was.
fn act(at: Timestamp, body: &ApprovalBody) -> (Timestamp, Option<GateAct>, Option<i32>) {
    match body {
        ApprovalBody::GateRequested(b) => (b.requested_at.unwrap_or(at), Some(GateAct::Requested), b.required),
        ApprovalBody::GateRequestedAgain(b) => (b.requested_at.unwrap_or(at), Some(GateAct::RequestedAgain), None),
        ApprovalBody::GateDecided(b) => {
            let act = match b.decision {
                Decision::Approved => Some(GateAct::Approved {
                    by: b.decided_by.clone(),
                    last: b.final_decision,
                    by_author: b.by_author,
                    commit: b.commit.clone(),
                }),
                Decision::Rejected => Some(GateAct::Rejected {
                    by: b.decided_by.clone(),
                    by_author: b.by_author,
                    commit: b.commit.clone(),
                }),
                // Somebody else must decide; who, is not told.
                Decision::Escalated => Some(GateAct::Delegated { to: Actor::default() }),
                Decision::ChangesRequested | Decision::Deferred => None,
            };
            (b.decided_at.unwrap_or(at), act, None)
        }
        ApprovalBody::GateQuorum(b) => {
            (b.met_at.unwrap_or(at), Some(GateAct::Counted { given: b.given, required: b.required }), Some(b.required))
        }
        ApprovalBody::GateExpired(b) => (b.expired_at.unwrap_or(at), Some(GateAct::Expired), None),
        ApprovalBody::GateCancelled(b) => {
            (b.cancelled_at.unwrap_or(at), Some(GateAct::Cancelled { by: b.cancelled_by.clone() }), None)
        }
        ApprovalBody::GateBypassed(b) => {
            (b.bypassed_at.unwrap_or(at), Some(GateAct::Bypassed { by: b.bypassed_by.clone() }), None)
        }
        ApprovalBody::GateDelegated(b) => {
            (b.delegated_at.unwrap_or(at), Some(GateAct::Delegated { to: b.delegated_to.clone() }), None)
        }
    }
}
