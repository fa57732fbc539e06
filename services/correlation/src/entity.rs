//! What is known of each thing: one record for each commit, change, run, task, deployment, gate, tag and artifact.
//!
//! A record holds what was observed, not what follows from it: its `join` never decides anything that a later observation could
//! overturn. Observations of a state are kept side by side, keyed by source time, and folded when facts are derived; there are few
//! of them for each thing, and a correction of a state is then nothing special.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{Actor, ActorKind, GateKind, Outcome, Phase, ReviewState, Rollout, TaskKind, Trigger};
use model::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository, RunId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::lattice::{Greatest, Join, Latest, Least, Raised, join_fields};

/// A commit. Its id is its content, so it is one thing in every repository that holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Repositories seen to hold it.
    pub repositories: BTreeSet<Repository>,
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
    pub pushed_over: BTreeSet<CommitId>,
    /// Where pushes ended whose list was whole and named it: who holds such an end holds everything below this commit.
    pub listed_under: BTreeSet<CommitId>,
    /// When it first came to the default branch.
    pub landed_at: Least<Timestamp>,
    /// Full names of the branches it was pushed to.
    pub branches: BTreeSet<String>,
    /// Changes that its message names as its origin.
    pub changes: BTreeSet<ChangeId>,
}

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
    pub heads: BTreeSet<CommitId>,
    /// Its last commit.
    pub head: Latest<CommitId>,
    /// Commits of the target it was compared with.
    pub bases: BTreeSet<CommitId>,
    /// Commits that a provider listed as its own.
    pub commits: BTreeSet<CommitId>,
    /// When it was merged, and the commit that brought it in.
    pub merged: Latest<(Timestamp, Option<CommitId>)>,
    /// Reviews: when, which, verdict, by whom.
    pub reviews: BTreeSet<(Timestamp, String, ReviewState, Actor)>,
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
}

/// A pipeline run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Repository it ran for.
    pub repository: Latest<Repository>,
    /// Name of the pipeline.
    pub pipeline: Latest<String>,
    /// Commit, as given.
    pub commit: Latest<CommitId>,
    /// Branch or tag.
    pub ref_name: Latest<String>,
    /// What started it.
    pub trigger: Latest<Trigger>,
    /// When it was made.
    pub created_at: Least<Timestamp>,
    /// First sign of it.
    pub seen_at: Least<Timestamp>,
    /// Its attempts.
    pub attempts: BTreeMap<i32, Attempt>,
    /// Page for people.
    pub url: Latest<String>,
}

/// A task of a run, a check, a status, a build or a test suite: something that keeps a release busy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Run it is part of.
    pub run: Latest<RunId>,
    /// Name.
    pub name: Latest<String>,
    /// Kind.
    pub kind: Latest<TaskKind>,
    /// Commit, as given.
    pub commit: Latest<CommitId>,
    /// When it was made.
    pub created_at: Least<Timestamp>,
    /// Its attempts.
    pub attempts: BTreeMap<i32, Attempt>,
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
    pub artifacts: BTreeSet<ArtifactId>,
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
    pub states: BTreeMap<DeploymentState, Least<String>>,
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
    /// Approved, by whom; told to be final or not; told to be by the author or not.
    Approved { by: Actor, last: Option<bool>, by_author: Option<bool> },
    /// Rejected, by whom; told to be by the author or not.
    Rejected { by: Actor, by_author: Option<bool> },
    /// So many approvals are given, so many needed.
    Counted { given: i32, required: i32 },
    /// Nobody decided in time.
    Expired,
    /// Withdrawn.
    Cancelled { by: Actor },
    /// Passed without a decision.
    Bypassed { by: Actor },
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
    /// Deployment it is about.
    pub deployment: Latest<DeploymentId>,
    /// Service it is about.
    pub service: Latest<String>,
    /// How many must approve.
    pub required: Latest<i32>,
    /// What happened, each with an event that told it.
    pub acts: BTreeMap<(Timestamp, GateAct), Least<String>>,
    /// Page for people.
    pub url: Latest<String>,
}

/// A tag of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Commit it points to; none while only its name is known or after it was deleted.
    pub commit: Latest<Option<CommitId>>,
}

/// An artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Commit it was built from, as given.
    pub commit: Latest<CommitId>,
    /// Run that made it.
    pub run: Latest<RunId>,
}

join_fields! {
    Commit { repositories, parents, authored, author_kind, committed_at, paths, pushed_over, listed_under, landed_at, branches, changes }
    Change { created_at, author, source_branch, heads, head, bases, commits, merged, reviews }
    Attempt { queued_at, started_at, progress, triggered_by, failed_step }
    Run { repository, pipeline, commit, ref_name, trigger, created_at, seen_at, attempts, url }
    Task { run, name, kind, commit, created_at, attempts }
    Deployment {
        repository, service, environment, production, commit, ref_name, version, artifacts, run, job, transient, removal,
        triggered_by, created_at, started_at, states, url,
    }
    Gate { name, kind, environment, attempt, repository, commit, run, deployment, service, required, acts, url }
    Tag { commit }
    Artifact { commit, run }
}

impl Commit {
    /// Parents, where somebody told.
    pub fn told_parents(&self) -> Option<&[CommitId]> {
        self.parents.0.as_ref().map(|(_, parents)| parents.as_slice())
    }

    /// Something is known of it beyond its name.
    pub fn is_known(&self) -> bool {
        self.authored.0.is_some() || self.committed_at.0.is_some() || self.parents.0.is_some()
    }
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
}

impl Folded {
    fn take(&mut self, state: &DeploymentState, partial_counts: bool) {
        self.seen_at.get_or_insert(state.at);
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
}

/// Joins a record into a map; true when that was news.
pub fn join_into<K: Ord, V: Join + Default>(map: &mut BTreeMap<K, V>, key: K, value: V) -> bool {
    let mut created = false;
    let entry = map.entry(key).or_insert_with(|| {
        created = true;
        V::default()
    });
    entry.join(value) || created
}
