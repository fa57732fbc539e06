//! What must come out, computed from the history as it was made, by the definitions alone: no event is read for it.

use std::collections::{BTreeMap, BTreeSet};

use model::fact::{GateOutcome, ReleaseKind};
use model::{CommitId, Component, DeploymentId, Environment, GateId, Millis, Repository, RunId, Timestamp, Version};

use super::clock::{Seconds, timestamp};
use super::git::{Commit, Git};

/// What must come out of the demo's history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// One for each component and version that reached production, by component, then finish, then version.
    pub releases: Vec<ExpectedRelease>,
    /// Every approval asked for.
    pub gates: Vec<ExpectedGate>,
    /// Every deployment to any environment.
    pub deployments: Vec<ExpectedDeployment>,
    /// Every attempt of every pipeline run.
    pub builds: Vec<ExpectedBuild>,
    /// How often each peculiarity occurs.
    pub peculiarities: BTreeMap<Peculiarity, usize>,
}

/// A release that reached production.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedRelease {
    pub component: Component,
    /// Full commit id: nothing here is deployed by tag.
    pub version: Version,
    pub kind: ReleaseKind,
    /// Finish of its first successful production deployment.
    pub production_at: Timestamp,
    /// Commits it was the first to ship; of a baseline, all that are known.
    pub commits: Vec<ExpectedCommit>,
    /// Lower median over its commits; none for a baseline.
    pub lead_time: Option<Millis>,
    /// The longest over its commits; none for a baseline.
    pub lead_time_longest: Option<Millis>,
}

/// A commit of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedCommit {
    pub commit: CommitId,
    /// Author time; for a squash, of the earliest commit squashed. A merge commit counts from its own.
    pub authored_at: Timestamp,
    /// From there to production.
    pub lead_time: Millis,
}

/// An approval that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedGate {
    pub component: Component,
    pub gate: GateId,
    pub environment: Environment,
    /// Commit it held back.
    pub commit: CommitId,
    pub requested_at: Timestamp,
    /// The request, or the end of the last other job of the run if later.
    pub blocking_from: Timestamp,
    /// None while open.
    pub decided_at: Option<Timestamp>,
    /// From there to the decision; none while open.
    pub wait: Option<Millis>,
    pub outcome: GateOutcome,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedDeployment {
    pub component: Component,
    pub environment: Environment,
    pub deployment: DeploymentId,
    pub commit: CommitId,
    /// None while under way.
    pub finished_at: Option<Timestamp>,
    /// None while under way.
    pub success: Option<bool>,
}

/// One attempt of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedBuild {
    pub repository: Repository,
    pub run: RunId,
    pub attempt: i32,
    pub pipeline: String,
    /// None while under way.
    pub finished_at: Option<Timestamp>,
    /// None while under way.
    pub success: Option<bool>,
}

/// What makes real histories hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peculiarity {
    SquashMerge,
    MergeCommit,
    RebaseMerge,
    DirectPush,
    ForcePush,
    BotAuthor,
    BranchDeleted,
    FailedBuild,
    /// Failed at first, passed on the same commit.
    FlakyTest,
    /// Waited for a runner for ten minutes or more.
    StarvedRunner,
    FailedDeployment,
    /// Told as failed, then as succeeded.
    CorrectedDeployment,
    /// A status that arrived hours after it was made.
    LateStatus,
    Rollback,
    Redeploy,
    Hotfix,
    ReleasePublished,
    Canary,
    GateApproved,
    GateRejected,
    GateExpired,
    GateBypassed,
    /// Approved within seconds.
    GateWavedThrough,
    /// Asked for while another job of the run still ran.
    GateBesideJob,
    /// One commit belongs to both components of the monorepo.
    SharedCommit,
}

impl Peculiarity {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::SquashMerge,
        Self::MergeCommit,
        Self::RebaseMerge,
        Self::DirectPush,
        Self::ForcePush,
        Self::BotAuthor,
        Self::BranchDeleted,
        Self::FailedBuild,
        Self::FlakyTest,
        Self::StarvedRunner,
        Self::FailedDeployment,
        Self::CorrectedDeployment,
        Self::LateStatus,
        Self::Rollback,
        Self::Redeploy,
        Self::Hotfix,
        Self::ReleasePublished,
        Self::Canary,
        Self::GateApproved,
        Self::GateRejected,
        Self::GateExpired,
        Self::GateBypassed,
        Self::GateWavedThrough,
        Self::GateBesideJob,
        Self::SharedCommit,
    ];
}

impl Expected {
    /// How many deployments there were, by component and environment.
    #[must_use]
    pub fn deployments_by_place(&self) -> BTreeMap<(Component, Environment), usize> {
        let mut places = BTreeMap::new();
        for deployment in &self.deployments {
            *places.entry((deployment.component.clone(), deployment.environment.clone())).or_default() += 1;
        }
        places
    }
}

/// A deployment as it went.
#[derive(Debug)]
pub struct DeploymentRecord {
    pub component: &'static str,
    pub environment: &'static str,
    pub deployment: String,
    pub sha: String,
    pub created_at: Seconds,
    /// What was told of its end, in order: when, and whether it went well.
    pub ends: Vec<(Seconds, bool)>,
}

/// An approval as it went.
#[derive(Debug)]
pub struct GateRecord {
    pub component: &'static str,
    pub gate: String,
    pub environment: &'static str,
    pub sha: String,
    pub requested_at: Seconds,
    pub blocking_from: Seconds,
    pub decided_at: Seconds,
    pub outcome: GateOutcome,
}

/// An attempt as it went.
#[derive(Debug)]
pub struct BuildRecord {
    pub repository: String,
    pub run: String,
    pub attempt: i32,
    pub pipeline: String,
    pub started_at: Seconds,
    pub end: Option<(Seconds, bool)>,
}

/// What happened in one repository, also what lies behind the end of the history.
#[derive(Debug, Default)]
pub struct Records {
    pub deployments: Vec<DeploymentRecord>,
    pub gates: Vec<GateRecord>,
    pub builds: Vec<BuildRecord>,
    pub peculiarities: Vec<(Peculiarity, Seconds)>,
}

impl Records {
    pub fn note(&mut self, peculiarity: Peculiarity, at: Seconds) {
        self.peculiarities.push((peculiarity, at));
    }

    /// Production as it stood at that time: version and finish of the last successful deployment.
    pub fn in_production(&self, component: &str, at: Seconds) -> Option<&str> {
        self.deployments
            .iter()
            .filter(|d| d.component == component && d.environment == "production")
            .filter_map(|d| d.succeeded_by(at).map(|finish| (finish, d.sha.as_str())))
            .max()
            .map(|(_, sha)| sha)
    }

    /// Adds what had happened by `now`.
    pub fn tell(&self, components: &[Scope], git: &Git, now: Seconds, expected: &mut Expected) {
        for scope in components {
            expected.releases.extend(self.releases(scope, git, now));
        }
        expected.deployments.extend(self.deployments.iter().filter(|d| d.created_at <= now).map(|d| d.expected(now)));
        expected.gates.extend(self.gates.iter().filter(|g| g.requested_at <= now).map(|g| g.expected(now)));
        expected.builds.extend(self.builds.iter().filter(|b| b.started_at <= now).map(|b| b.expected(now)));
        for (peculiarity, _) in self.peculiarities.iter().filter(|(_, at)| *at <= now) {
            *expected.peculiarities.entry(*peculiarity).or_default() += 1;
        }
    }

    fn releases(&self, scope: &Scope, git: &Git, now: Seconds) -> Vec<ExpectedRelease> {
        let mut shipments: Vec<(Seconds, &str)> = self
            .deployments
            .iter()
            .filter(|d| d.component == scope.component && d.environment == "production")
            .filter_map(|d| d.succeeded_by(now).map(|finish| (finish, d.sha.as_str())))
            .collect();
        shipments.sort_unstable();
        let mut shipped = BTreeSet::new();
        let mut versions = BTreeSet::new();
        let mut releases = Vec::new();
        for (finish, version) in shipments {
            let new: Vec<&Commit> = git
                .reachable(version)
                .into_iter()
                .filter_map(|sha| git.commit(sha))
                .filter(|commit| scope.holds(commit) && shipped.insert(commit.sha.clone()))
                .collect();
            if versions.insert(version) {
                let kind = match (releases.is_empty(), new.is_empty()) {
                    (true, _) => ReleaseKind::Baseline,
                    (false, false) => forward_kind(git, &new, finish),
                    (false, true) => ReleaseKind::Rollback,
                };
                releases.push(release(scope.component, version, kind, finish, &new));
            }
        }
        releases
    }
}

/// Which commits belong to a component.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub component: &'static str,
    /// Folders; empty for the whole repository.
    pub folders: &'static [&'static str],
}

impl Scope {
    pub fn holds(&self, commit: &Commit) -> bool {
        self.folders.is_empty() || commit.paths.iter().any(|path| self.folders.iter().any(|f| path.starts_with(f)))
    }
}

/// Kind of a release that ships these commits: away from `main`, or nothing but dependencies, or neither.
fn forward_kind(git: &Git, new: &[&Commit], finish: Seconds) -> ReleaseKind {
    let tip = git.tip_at(finish);
    let on_main = git.reachable(&tip);
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let locks = |path: &String| ["Cargo.lock", "package-lock.json"].contains(&name(path).as_str());
    let pins = |path: &String| locks(path) || ["Cargo.toml", "package.json"].contains(&name(path).as_str());
    // A manifest changes for its dependencies' sake where the lock file changes with it, or where a bot writes it.
    let bumps =
        |commit: &&Commit| commit.paths.iter().all(pins) && (commit.author.bot || commit.paths.iter().any(locks));
    if new.iter().all(|commit| !on_main.contains(commit.sha.as_str())) {
        ReleaseKind::Hotfix
    } else if new.iter().all(bumps) {
        ReleaseKind::Dependencies
    } else {
        ReleaseKind::Regular
    }
}

fn release(component: &str, version: &str, kind: ReleaseKind, finish: Seconds, new: &[&Commit]) -> ExpectedRelease {
    let production_at = timestamp(finish);
    let commits: Vec<ExpectedCommit> = new
        .iter()
        .map(|commit| ExpectedCommit {
            commit: CommitId::new(&commit.sha),
            authored_at: timestamp(commit.counts_from),
            lead_time: production_at - timestamp(commit.counts_from),
        })
        .collect();
    let mut times: Vec<Millis> = match kind {
        ReleaseKind::Baseline => Vec::new(),
        _ => commits.iter().map(|commit| commit.lead_time).collect(),
    };
    times.sort_unstable();
    ExpectedRelease {
        component: component.into(),
        version: version.into(),
        kind,
        production_at,
        commits,
        lead_time: times.get(times.len().saturating_sub(1) / 2).copied(),
        lead_time_longest: times.last().copied(),
    }
}

impl DeploymentRecord {
    fn end(&self, now: Seconds) -> Option<(Seconds, bool)> {
        self.ends.iter().rev().find(|(at, _)| *at <= now).copied()
    }

    fn succeeded_by(&self, now: Seconds) -> Option<Seconds> {
        self.end(now).filter(|(_, success)| *success).map(|(at, _)| at)
    }

    fn expected(&self, now: Seconds) -> ExpectedDeployment {
        let end = self.end(now);
        ExpectedDeployment {
            component: self.component.into(),
            environment: self.environment.into(),
            deployment: DeploymentId::new(&self.deployment),
            commit: CommitId::new(&self.sha),
            finished_at: end.map(|(at, _)| timestamp(at)),
            success: end.map(|(_, success)| success),
        }
    }
}

impl GateRecord {
    fn expected(&self, now: Seconds) -> ExpectedGate {
        let decided_at = (self.decided_at <= now).then(|| timestamp(self.decided_at));
        let blocking_from = timestamp(self.blocking_from);
        ExpectedGate {
            component: self.component.into(),
            gate: GateId::new(&self.gate),
            environment: self.environment.into(),
            commit: CommitId::new(&self.sha),
            requested_at: timestamp(self.requested_at),
            blocking_from,
            decided_at,
            wait: decided_at.map(|decided| decided - blocking_from),
            outcome: if decided_at.is_some() { self.outcome } else { GateOutcome::Open },
        }
    }
}

impl BuildRecord {
    fn expected(&self, now: Seconds) -> ExpectedBuild {
        let end = self.end.filter(|(at, _)| *at <= now);
        ExpectedBuild {
            repository: Repository::new(&self.repository),
            run: RunId::new(&self.run),
            attempt: self.attempt,
            pipeline: self.pipeline.clone(),
            finished_at: end.map(|(at, _)| timestamp(at)),
            success: end.map(|(_, success)| success),
        }
    }
}
