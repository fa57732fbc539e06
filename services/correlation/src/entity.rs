//! What is known of each thing: one record for each commit, change, run, task, deployment, gate, tag and artifact.
//!
//! A record holds what was observed, not what follows from it: its `join` never decides anything that a later observation could
//! overturn. Observations of a state are kept side by side, keyed by source time, and folded when facts are derived; there are few
//! of them for each thing, and a correction of a state is then nothing special.

use std::hash::Hash;

use model::event::{Actor, ActorKind, GateKind, Outcome, Phase, ReviewState, Rollout, TaskKind, Trigger};
use model::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::graph::Id;
use crate::lattice::{Greatest, Join, Latest, Least, Raised, join_fields};
use crate::sorted::{SortedMap, SortedSet};

mod incident;

pub use incident::{Correction, Course, Exclusion, Incident, IncidentAct, ReleaseKey};

/// A commit. Its id is its content, so it is one thing in every repository that holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Repositories seen to hold it.
    pub repositories: SortedSet<Repository>,
    /// Parents, where somebody told; of two tellings the fuller one (a shallow clone tells too few).
    pub parents: Greatest<(usize, Vec<CommitId>)>,
    /// Author time and author.
    pub authored: Least<(Timestamp, Actor)>,
    /// Whether a person or a machine wrote it; told without a time, too.
    pub author_kind: Greatest<ActorKind>,
    /// Commit time.
    pub committed_at: Least<Timestamp>,
    /// Paths touched; whole lists beat cut ones.
    pub paths: Greatest<(bool, Vec<String>)>,
    /// Commits that a push to here is known to contain: the tip reaches what was there before and what came with it.
    pub pushed_over: SortedSet<CommitId>,
    /// Where pushes ended whose list was whole and named it: who holds such an end holds everything below this commit.
    pub listed_under: SortedSet<CommitId>,
    /// When it first came to the default branch.
    pub landed_at: Least<Timestamp>,
    /// Full names of the branches it was pushed to.
    pub branches: SortedSet<String>,
    /// Changes that its message names as its origin.
    pub changes: SortedSet<ChangeId>,
    /// What few commits have; apart, since there are a million of the others.
    pub rare: Option<Box<Rare>>,
}

/// Where a commit says that it comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rare {
    /// Commits that it was picked from, as given.
    pub picked_from: SortedSet<CommitId>,
    /// Commits that it reverts, as given.
    pub reverts: SortedSet<CommitId>,
    /// What it changes, wherever it stands.
    pub patch: Least<Patch>,
}

/// A patch, by a hash of its `git patch-id`: it is compared and never shown.
pub type Patch = [u8; 16];

/// A change: a pull request, a merge request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When it was opened.
    pub created_at: Least<Timestamp>,
    /// Who opened it.
    pub author: Least<Actor>,
    /// Branch its commits come from.
    pub source_branch: Latest<String>,
    /// Commits that were its last one at some time.
    pub heads: SortedSet<CommitId>,
    /// Its last commit.
    pub head: Latest<CommitId>,
    /// Commits of the target it was compared with.
    pub bases: SortedSet<CommitId>,
    /// Commits that a provider listed as its own.
    pub commits: SortedSet<Id>,
    /// When it was merged, and the commit that brought it in.
    pub merged: Latest<(Timestamp, Option<CommitId>)>,
    /// Reviews: when, which, verdict, by whom.
    pub reviews: SortedSet<(Timestamp, String, ReviewState, Actor)>,
}

/// State of a run or a task, as one observation saw it. The fields move together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Progress {
    /// How far it had come; after the time, the further one counts.
    pub phase: Phase,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// One attempt of a run or a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it was ready to start.
    pub queued_at: Least<Timestamp>,
    /// When it started.
    pub started_at: Least<Timestamp>,
    /// How far it has come.
    pub progress: Latest<Progress>,
    /// Who started it.
    pub triggered_by: Greatest<ActorKind>,
    /// The first step that failed, by its number.
    pub failed_step: Least<(i32, String)>,
    /// Pool of the runner that a task was on.
    pub runner_group: Latest<String>,
}

/// A pipeline run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Repository it ran for.
    pub repository: Latest<Repository>,
    /// Name of the pipeline.
    pub pipeline: Latest<String>,
    /// Id of its definition at the provider.
    pub definition: Latest<String>,
    /// Commit, as given.
    pub commit: Latest<CommitId>,
    /// Branch or tag.
    pub ref_name: Latest<String>,
    /// What started it.
    pub trigger: Latest<Trigger>,
    /// An event that told that a person started it with a button.
    pub dispatched: Least<String>,
    /// When it was made.
    pub created_at: Least<Timestamp>,
    /// First sign of it.
    pub seen_at: Least<Timestamp>,
    /// Its attempts.
    pub attempts: SortedMap<i32, Attempt>,
    /// Page for people.
    pub url: Latest<String>,
}

/// A task of a run, a check, a status, a build or a test suite: something that keeps a release busy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Run it is part of.
    pub run: Latest<RunId>,
    /// Repository it ran for.
    pub repository: Latest<Repository>,
    /// Name.
    pub name: Latest<String>,
    /// Kind.
    pub kind: Latest<TaskKind>,
    /// Commit, as given.
    pub commit: Latest<CommitId>,
    /// Branch or tag.
    pub ref_name: Latest<String>,
    /// Environment it deploys to, by the provider's name.
    pub environment: Latest<Environment>,
    /// An event that told that it has to be started by hand.
    pub manual: Least<String>,
    /// Its failure does not fail the run.
    pub allowed_to_fail: Raised,
    /// Names of the tasks it waits for, where told.
    pub needs: Latest<SortedSet<String>>,
    /// When it was made.
    pub created_at: Least<Timestamp>,
    /// Its attempts.
    pub attempts: SortedMap<i32, Attempt>,
    /// Page for people.
    pub url: Latest<String>,
}

/// A state of a deployment that was observed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeploymentState {
    /// When, by the source's clock: the finish where the state is a finish.
    pub at: Timestamp,
    /// How far it had come.
    pub phase: Phase,
    /// How it had ended.
    pub outcome: Option<Outcome>,
    /// How much of the environment it had reached.
    pub rollout: Rollout,
}

/// A deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Repository it was deployed from.
    pub repository: Latest<Repository>,
    /// Service by the provider's name.
    pub service: Latest<String>,
    /// Environment by the provider's name.
    pub environment: Latest<Environment>,
    /// The provider says whether it is production.
    pub production: Latest<bool>,
    /// Commit, as given.
    pub commit: Latest<CommitId>,
    /// Branch or tag.
    pub ref_name: Latest<String>,
    /// Version by the provider's name.
    pub version: Latest<String>,
    /// Artifacts deployed.
    pub artifacts: SortedSet<ArtifactId>,
    /// Run that deployed it.
    pub run: Latest<RunId>,
    /// Task that deployed it.
    pub job: Latest<TaskId>,
    /// The environment is made for this deployment only.
    pub transient: Raised,
    /// The service was taken away, not brought in.
    pub removal: Raised,
    /// Who started it.
    pub triggered_by: Greatest<ActorKind>,
    /// When it was made.
    pub created_at: Least<Timestamp>,
    /// When it began to change the environment.
    pub started_at: Least<Timestamp>,
    /// States observed, each with an event that told it.
    pub states: SortedMap<DeploymentState, Least<String>>,
    /// Page for people.
    pub url: Latest<String>,
}

/// Something that happened at a gate. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GateAct {
    /// It was asked for.
    Requested,
    /// It was asked for again.
    RequestedAgain,
    /// Approved, by whom; told to be final or not; told to be by the author or not; the commit that was looked at, as given.
    Approved { by: Actor, last: Option<bool>, by_author: Option<bool>, commit: Option<CommitId> },
    /// Rejected, by whom; told to be by the author or not; the commit that was looked at, as given.
    Rejected { by: Actor, by_author: Option<bool>, commit: Option<CommitId> },
    /// So many approvals are given, so many needed.
    Counted { given: i32, required: i32 },
    /// Nobody decided in time.
    Expired,
    /// Withdrawn.
    Cancelled { by: Actor },
    /// Passed without a decision.
    Bypassed { by: Actor },
    /// The decision was handed on; that leaves the gate as closed as it was.
    Delegated { to: Actor },
}

/// A gate, met once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Name under which it is met again and again.
    pub name: Latest<String>,
    /// Kind.
    pub kind: Greatest<GateKind>,
    /// Environment it guards.
    pub environment: Latest<Environment>,
    /// Attempt of what it guards.
    pub attempt: Greatest<i32>,
    /// Repository it is about.
    pub repository: Latest<Repository>,
    /// Commit it is about, as given.
    pub commit: Latest<CommitId>,
    /// Run it is about.
    pub run: Latest<RunId>,
    /// Task it is about.
    pub task: Latest<TaskId>,
    /// Deployment it is about.
    pub deployment: Latest<DeploymentId>,
    /// Service it is about.
    pub service: Latest<String>,
    /// How many must approve.
    pub required: Latest<i32>,
    /// What happened, each with an event that told it.
    pub acts: GateActs,
    /// What must have happened, as what the gate held back shows.
    pub inferred: GateActs,
    /// Page for people.
    pub url: Latest<String>,
}

/// Acts at a gate, each with an event that told it.
pub type GateActs = SortedMap<(Timestamp, GateAct), Least<String>>;

/// What happened to a tag. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TagAct {
    /// It was made, or moved to a commit.
    Tagged(Timestamp, Option<CommitId>),
    /// A release was published on it.
    Published(Timestamp),
    /// Its release was taken back, or is none for production.
    Unpublished,
    /// It was removed.
    Deleted,
}

/// What a team said of a gate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Purpose {
    /// Kinds of incident that it is there to catch.
    pub purposes: Latest<Vec<String>>,
}

/// What people said of the shifts of a component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shifts {
    /// When one was acknowledged. An earlier time matters beside a later one: from it on the next shift is one by itself.
    pub acknowledged: SortedSet<Timestamp>,
}

/// A tag of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Commit it points to; none while only its name is known or after it was deleted.
    pub commit: Latest<Option<CommitId>>,
    /// What happened to it, each with an event that told it.
    pub acts: SortedMap<(Timestamp, TagAct), Least<String>>,
    /// Page for people.
    pub url: Latest<String>,
}

/// An artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Commit it was built from, as given.
    pub commit: Latest<CommitId>,
    /// Run that made it.
    pub run: Latest<RunId>,
    /// Tags under which it was ever published.
    pub tags: SortedSet<String>,
}

/// A span of time that a person gave a name, because no system saw what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NamedStep {
    /// When it ended.
    pub finished_at: Latest<Timestamp>,
    /// Events that told it.
    pub told: SortedSet<String>,
}

join_fields! {
    Commit {
        repositories, parents, authored, author_kind, committed_at, paths, pushed_over, listed_under, landed_at, branches, changes,
        rare,
    }
    Rare { picked_from, reverts, patch }
    Change { created_at, author, source_branch, heads, head, bases, commits, merged, reviews }
    Attempt { queued_at, started_at, progress, triggered_by, failed_step, runner_group }
    Run {
        repository, pipeline, definition, commit, ref_name, trigger, dispatched, created_at, seen_at, attempts, url,
    }
    Task {
        run, repository, name, kind, commit, ref_name, environment, manual, allowed_to_fail, needs, created_at, attempts, url,
    }
    Deployment {
        repository, service, environment, production, commit, ref_name, version, artifacts, run, job, transient, removal,
        triggered_by, created_at, started_at, states, url,
    }
    Gate { name, kind, environment, attempt, repository, commit, run, task, deployment, service, required, acts, inferred, url }
    Tag { commit, acts, url }
    Artifact { commit, run, tags }
    NamedStep { finished_at, told }
    Purpose { purposes }
    Shifts { acknowledged }
}

impl Deployment {
    /// What the observed states amount to. `partial_counts`: production is reached at the first stage of a rollout.
    pub fn fold(&self, partial_counts: bool) -> Folded {
        let mut folded = Folded::default();
        for state in self.states.keys() {
            folded.take(state, partial_counts);
        }
        folded
    }
}

/// What the states of a deployment amount to, taken in the order of the source's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// How far it has come.
    pub phase: Phase,
    /// How it ended; stays while it is superseded.
    pub outcome: Option<Outcome>,
    /// When it ended that way first.
    pub finished_at: Option<Timestamp>,
    /// First sign of it.
    pub seen_at: Option<Timestamp>,
    /// When its first stage had ended well, where it was rolled out in stages.
    pub partial_at: Option<Timestamp>,
}

impl Folded {
    fn take(&mut self, state: &DeploymentState, partial_counts: bool) {
        self.seen_at.get_or_insert(state.at);
        if (state.phase, state.outcome, state.rollout) == (Phase::Finished, Some(Outcome::Success), Rollout::Partial) {
            self.partial_at.get_or_insert(state.at);
        }
        let partial = state.rollout == Rollout::Partial && !partial_counts;
        self.phase = match (state.phase, state.outcome) {
            // A canary that went well is a deployment under way.
            (Phase::Finished, Some(Outcome::Success)) if partial => Phase::Running,
            (phase, _) => phase,
        };
        match (self.phase, state.outcome) {
            // A repeated outcome does not move the finish; another one is a correction and does.
            (Phase::Finished, outcome) if self.outcome != outcome || self.finished_at.is_none() => {
                self.outcome = outcome;
                self.finished_at = Some(state.at);
            }
            // Under way again after a failure. What had succeeded stays a success until a failure is told.
            (Phase::Created | Phase::Waiting | Phase::Queued | Phase::Running, _) => {
                if self.outcome == Some(Outcome::Success) {
                    self.phase = Phase::Finished;
                } else {
                    self.outcome = None;
                    self.finished_at = None;
                }
            }
            (Phase::Finished | Phase::Superseded, _) => {}
        }
    }

    /// When it succeeded.
    pub fn succeeded_at(&self) -> Option<Timestamp> {
        self.finished_at.filter(|_| self.outcome == Some(Outcome::Success))
    }
}

impl Tag {
    /// When it was made or came to point where it does; none where it is none any more. Told again of the same commit, it has not
    /// moved.
    pub fn made_at(&self) -> Option<Timestamp> {
        let mut made: Option<(Timestamp, Option<&CommitId>)> = None;
        for (_, act) in self.acts.keys() {
            made = match (act, made) {
                (TagAct::Deleted, _) => None,
                (TagAct::Tagged(at, commit), None) => Some((*at, commit.as_ref())),
                (TagAct::Tagged(at, Some(commit)), Some((_, Some(before)))) if commit != before => {
                    Some((*at, Some(commit)))
                }
                (TagAct::Tagged(_, commit), Some((at, before))) => Some((at, before.or(commit.as_ref()))),
                (TagAct::Published(at), None) => Some((*at, None)),
                (TagAct::Published(_) | TagAct::Unpublished, made) => made,
            };
        }
        made.map(|(at, _)| at)
    }

    /// When the release on it was published; none where none is.
    pub fn published_at(&self) -> Option<Timestamp> {
        self.acts.keys().fold(None, |published, (_, act)| match act {
            TagAct::Published(at) => published.or(Some(*at)),
            TagAct::Unpublished | TagAct::Deleted => None,
            TagAct::Tagged(..) => published,
        })
    }
}

impl Attempt {
    /// How far it has come.
    pub fn phase(&self) -> Phase {
        self.progress.get().map_or(Phase::Created, |progress| progress.phase)
    }

    /// How it ended.
    pub fn outcome(&self) -> Option<Outcome> {
        self.progress.get().and_then(|progress| progress.outcome)
    }

    /// When it ended.
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.progress.get().and_then(|progress| progress.finished_at)
    }

    /// How and when it ended; none while it is under way.
    pub fn end(&self) -> Option<(Outcome, Timestamp)> {
        self.outcome().zip(self.finished_at()).filter(|_| self.phase() == Phase::Finished)
    }

    /// When it passed.
    pub fn passed_at(&self) -> Option<Timestamp> {
        self.end().filter(|(outcome, _)| *outcome == Outcome::Success).map(|(_, at)| at)
    }
}

/// Joins a record into a map; true when that was news.
pub fn join_into<K: Hash + Eq, V: Join + Default>(map: &mut FxHashMap<K, V>, key: K, value: V) -> bool {
    let mut created = false;
    let entry = map.entry(key).or_insert_with(|| {
        created = true;
        V::default()
    });
    entry.join(value) || created
}
