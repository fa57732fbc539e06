//! The life of one component.

use model::event::{
    Actor, ActorKind, Body, Change, ChangeAction, ChangeReview, ChangeState, CommitInfo, Decision, Deployment,
    DeploymentAction, Gate, GateDecided, GateExpired, GateKind, GateRequested, MergeMethod, Outcome, Phase, Push,
    References, ReviewState, Trigger,
};
use model::{ChangeId, CommitId, DeploymentId, Environment, GateId, Millis, Repository, RunId, Timestamp};

use crate::draw::{Draw, HOUR, MINUTE, SECOND};
use crate::pipeline::Pipeline;
use crate::world::Shape;

const MAIN: &str = "refs/heads/main";

/// Something that a component will do.
#[derive(Debug)]
pub enum Step {
    /// The repository is made.
    Found,
    /// Somebody begins a change.
    Begin,
    /// A change is merged.
    Merge(Box<Open>),
    /// What was built goes to an environment before production.
    Deploy(&'static str, Version),
    /// What was staged asks to go to production.
    Release(Version),
    /// An earlier version comes back to production, and the later one again once it is mended.
    RollBack(Version, Version),
}

/// A change that is not merged yet.
#[derive(Debug)]
pub struct Open {
    number: u64,
    branch: String,
    base: CommitId,
    created_at: Timestamp,
    author: Actor,
    commits: Vec<CommitInfo>,
}

/// What is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    commit: CommitId,
    /// Where the component names its versions; else the commit is the name.
    name: Option<String>,
}

/// What follows from a step.
#[derive(Debug, Default)]
pub struct Next {
    /// What is told, and when it happened: not before the step.
    pub events: Vec<(Timestamp, Body)>,
    /// What will be done.
    pub steps: Vec<(Timestamp, Step)>,
}

impl Next {
    pub fn tell(&mut self, at: Timestamp, body: impl Into<Body>) {
        self.events.push((at, body.into()));
    }
}

/// A repository with all that is done with it.
#[derive(Debug)]
pub struct Component {
    repository: Repository,
    shape: Shape,
    draw: Draw,
    people: Vec<Actor>,
    robot: Actor,
    names_versions: bool,
    tip: CommitId,
    changes: u64,
    deployments: u64,
    pipeline: Pipeline,
    /// In production.
    live: Option<Version>,
}

impl Component {
    pub fn new(repository: String, shape: Shape, mut draw: Draw) -> Self {
        let people = (0..8).map(|_| draw.actor(ActorKind::Human)).collect();
        Self {
            pipeline: Pipeline::new(Repository::new(repository.as_str()), shape.pipelines),
            repository: Repository::new(repository),
            shape,
            people,
            robot: draw.actor(ActorKind::Machine),
            names_versions: draw.chance(500),
            tip: draw.commit(),
            changes: 0,
            deployments: 0,
            live: None,
            draw,
        }
    }

    pub fn take(&mut self, at: Timestamp, step: Step) -> Next {
        let mut next = Next::default();
        match step {
            Step::Found => self.found(at, &mut next),
            Step::Begin => self.begin(at, &mut next),
            Step::Merge(open) => self.merge(at, *open, &mut next),
            Step::Deploy(environment, version) => self.deploy(at, environment, version, &mut next),
            Step::Release(version) => self.release(at, version, &mut next),
            Step::RollBack(to, from) => self.roll_back(at, to, from, &mut next),
        }
        next
    }

    fn found(&mut self, at: Timestamp, next: &mut Next) {
        let mut root = CommitInfo::new(self.tip.clone());
        root.parents = Some(Vec::new());
        (root.authored_at, root.committed_at) = (Some(at), Some(at));
        let author = self.person();
        (root.author, root.committer) = (author.clone(), author.clone());
        root.paths = Some(vec!["README.md".to_owned()]);
        self.push(at, MAIN, None, vec![root], author, next);
        next.steps.push((at + Millis(HOUR), Step::Deploy("integration", self.version())));
        next.steps.push((at + self.draw.around(6 * HOUR), Step::Begin));
    }

    /// Pushes to a branch, with builds and a review, up to the merge.
    fn begin(&mut self, at: Timestamp, next: &mut Next) {
        next.steps.push((at + self.draw.around(6 * HOUR), Step::Begin));
        self.changes += 1;
        let branch = format!("{}-{}", self.draw.one_of(&["feature", "fix", "update"]), self.changes);
        let (base, author) = (self.tip.clone(), self.person());
        let created_at = at + self.draw.around(2 * MINUTE);
        let mut open = Open { number: self.changes, branch, base, created_at, author, commits: Vec::new() };
        let ref_name = format!("refs/heads/{}", open.branch);
        let mut at = at;
        for push in 0..self.draw.count(self.shape.pushes.clone()) {
            let before = open.commits.last().map(|commit| commit.id.clone());
            let written = self.write(at, before.as_ref().unwrap_or(&open.base), &open.author);
            open.commits.extend(written.iter().cloned());
            self.push(at, &ref_name, before, written, open.author.clone(), next);
            let action = if push == 0 { ChangeAction::Opened } else { ChangeAction::Updated };
            let told_at = if push == 0 { created_at } else { at + Millis(SECOND) };
            next.tell(told_at, self.change(&open, action));
            let head = open.head();
            self.pipeline.run(&mut self.draw, told_at, "test", head, &ref_name, Trigger::Change, &open.author, next);
            at = told_at + self.draw.around(3 * HOUR);
        }
        next.tell(at, self.review(&open, at));
        let merged_at = at + self.draw.around(2 * HOUR);
        next.steps.push((merged_at, Step::Merge(Box::new(open))));
    }

    /// Commits written one after the other, the last one shortly before `at`.
    fn write(&mut self, at: Timestamp, parent: &CommitId, author: &Actor) -> Vec<CommitInfo> {
        let count = self.draw.count(self.shape.commits.clone());
        let mut parent = parent.clone();
        let mut commits = Vec::with_capacity(count);
        for left in (1..=count as i64).rev() {
            let mut commit = CommitInfo::new(self.draw.commit());
            let authored_at = at + Millis(-left * 20 * MINUTE + self.draw.within(0..=15 * MINUTE));
            commit.parents = Some(vec![std::mem::replace(&mut parent, commit.id.clone())]);
            commit.authored_at = Some(authored_at);
            commit.committed_at = Some(authored_at + Millis(self.draw.within(0..=4 * MINUTE)));
            (commit.author, commit.committer) = (author.clone(), author.clone());
            commit.paths = Some(self.paths());
            commits.push(commit);
        }
        commits
    }

    fn paths(&mut self) -> Vec<String> {
        let draw = &mut self.draw;
        (0..draw.count(1..=5))
            .map(|_| format!("src/part_{}/file_{}.rs", draw.count(1..=12), draw.count(1..=40)))
            .collect()
    }

    fn push(
        &mut self,
        at: Timestamp,
        ref_name: &str,
        before: Option<CommitId>,
        commits: Vec<CommitInfo>,
        by: Actor,
        next: &mut Next,
    ) {
        let mut push = Push::new(self.repository.clone(), ref_name.to_owned());
        push.before = before;
        push.after = commits.last().map(|commit| commit.id.clone());
        push.commits = commits;
        push.default_branch = Some("main".to_owned());
        push.pushed_by = by;
        next.tell(at, push);
    }

    fn change(&self, open: &Open, action: ChangeAction) -> Change {
        let number = ChangeId::new(open.number.to_string());
        let mut change = Change::new(self.repository.clone(), number, action, ChangeState::Open);
        change.source_branch = Some(open.branch.clone());
        change.target_branch = Some("main".to_owned());
        change.head = Some(open.head().clone());
        change.base = Some(open.base.clone());
        change.created_at = Some(open.created_at);
        (change.author, change.actor) = (open.author.clone(), open.author.clone());
        change.commit_count = i32::try_from(open.commits.len()).ok();
        change
    }

    fn review(&mut self, open: &Open, at: Timestamp) -> ChangeReview {
        let number = ChangeId::new(open.number.to_string());
        let mut review = ChangeReview::new(
            self.repository.clone(),
            number,
            self.draw.within(1..=1 << 40).to_string(),
            ReviewState::Approved,
        );
        review.commit = Some(open.head().clone());
        review.submitted_at = Some(at);
        review.reviewer = self.person();
        review.reviewer_is_author = Some(review.reviewer == open.author);
        review
    }

    /// The commits that bring a change to the default branch, the last one as its merge commit.
    fn merge(&mut self, at: Timestamp, open: Open, next: &mut Next) {
        let method = match self.draw.count(0..=9) {
            0..=5 => MergeMethod::Squash,
            6..=8 => MergeMethod::Merge,
            _ => MergeMethod::Rebase,
        };
        let number = ChangeId::new(open.number.to_string());
        let mut one = CommitInfo::new(self.draw.commit());
        (one.authored_at, one.committed_at) = (Some(at), Some(at));
        (one.author, one.committer) = (open.author.clone(), self.robot.clone());
        one.changes = vec![number];
        let landed = match method {
            MergeMethod::Merge => {
                one.parents = Some(vec![self.tip.clone(), open.head().clone()]);
                one.paths = Some(Vec::new());
                open.commits.iter().cloned().chain([one]).collect()
            }
            MergeMethod::Rebase | MergeMethod::FastForward => self.rebased(at, &open.commits),
            MergeMethod::Squash => {
                one.parents = Some(vec![self.tip.clone()]);
                one.paths =
                    Some(open.commits.iter().flat_map(|commit| commit.paths.iter().flatten().cloned()).collect());
                vec![one]
            }
        };
        let tip = landed.last().map_or_else(|| self.tip.clone(), |commit| commit.id.clone());
        let before = std::mem::replace(&mut self.tip, tip.clone());
        let mut change = self.change(&open, ChangeAction::Merged);
        change.state = ChangeState::Merged;
        (change.merged_at, change.closed_at) = (Some(at), Some(at));
        change.merge_commit = Some(tip.clone());
        change.merge_method = Some(method);
        change.commits = Some(open.commits.iter().map(|commit| commit.id.clone()).collect());
        change.merged_by = self.person();
        next.tell(at, change);
        let pushed_at = at + Millis(SECOND);
        self.push(pushed_at, MAIN, Some(before), landed, open.author.clone(), next);
        let robot = self.robot.clone();
        let (end, passed) =
            self.pipeline.run(&mut self.draw, pushed_at, "build", &tip, MAIN, Trigger::Push, &robot, next);
        if passed {
            let name = self.names_versions.then(|| format!("1.{}.0", open.number));
            next.steps.push((end, Step::Deploy("integration", Version { commit: tip, name })));
        }
    }

    /// The same changes on top of the default branch.
    fn rebased(&mut self, at: Timestamp, commits: &[CommitInfo]) -> Vec<CommitInfo> {
        let mut parent = self.tip.clone();
        let again = |commit: &CommitInfo| {
            let mut again = CommitInfo { id: self.draw.commit(), committed_at: Some(at), ..commit.clone() };
            again.parents = Some(vec![std::mem::replace(&mut parent, again.id.clone())]);
            again
        };
        commits.iter().map(again).collect()
    }

    fn deploy(&mut self, at: Timestamp, environment: &'static str, version: Version, next: &mut Next) {
        let deployed = self.deployment(at, environment, &version, None, DeploymentAction::Deploy, next);
        match (environment, deployed) {
            ("integration", (end, true)) => {
                next.steps.push((end + self.draw.around(40 * MINUTE), Step::Deploy("staging", version)));
            }
            // The first version goes to production at once, later ones when a release is due.
            ("staging", (end, true)) if self.live.is_none() || self.draw.chance(400) => {
                next.steps.push((end + self.draw.around(HOUR), Step::Release(version)));
            }
            (_, (_, true)) => {}
            (environment, (end, false)) if self.draw.chance(500) => {
                next.steps.push((end + self.draw.around(HOUR), Step::Deploy(environment, version)));
            }
            (_, (_, false)) => {}
        }
    }

    /// Tells of a deployment; when it ended, and whether it succeeded.
    fn deployment(
        &mut self,
        at: Timestamp,
        environment: &str,
        version: &Version,
        run: Option<&RunId>,
        action: DeploymentAction,
        next: &mut Next,
    ) -> (Timestamp, bool) {
        self.deployments += 1;
        let id = DeploymentId::new(format!("{}/deployments/{}", self.repository, self.deployments));
        let mut told = Deployment::new(id, Environment::new(environment), action, Phase::Created);
        told.repository = Some(self.repository.clone());
        told.production = Some(environment == "production");
        told.commit = Some(version.commit.clone());
        told.ref_name = Some("main".to_owned());
        told.version = version.name.clone();
        told.run = run.cloned();
        told.triggered_by = self.robot.clone();
        told.created_at = Some(at);
        next.tell(at, told.clone());
        let started_at = at + self.draw.around(MINUTE);
        (told.phase, told.started_at) = (Phase::Running, Some(started_at));
        next.tell(started_at, told.clone());
        let finished_at = started_at + self.draw.around(6 * MINUTE);
        let succeeded = !self.draw.chance(40);
        (told.phase, told.finished_at) = (Phase::Finished, Some(finished_at));
        told.outcome = Some(if succeeded { Outcome::Success } else { Outcome::Failure });
        next.tell(finished_at, told);
        (finished_at, succeeded)
    }

    /// A run that stops at a gate before it deploys.
    fn release(&mut self, at: Timestamp, version: Version, next: &mut Next) {
        let person = self.person();
        let run = self.pipeline.begin(at, "release", &version.commit, MAIN, Trigger::Manual, &person, next);
        let checked_at = self.pipeline.task(&mut self.draw, at, &run, "verify", Outcome::Success, next);
        let (decided_at, approved) = self.gate(at + Millis(2 * SECOND), &run, &version, next);
        let start = decided_at.max(checked_at);
        if !approved {
            self.pipeline.end(&run, start, Outcome::Failure, next);
            return;
        }
        let deploying = self.pipeline.task(&mut self.draw, start, &run, "deploy", Outcome::Success, next);
        let deploy = DeploymentAction::Deploy;
        let (end, succeeded) = self.deployment(start, "production", &version, Some(run.id()), deploy, next);
        let outcome = if succeeded { Outcome::Success } else { Outcome::Failure };
        self.pipeline.end(&run, end.max(deploying), outcome, next);
        let before = self.live.clone().filter(|before| *before != version);
        if succeeded {
            self.live = Some(version.clone());
        }
        // What failed half way is put back, and some of what went through as well.
        if let Some(before) = before
            && (!succeeded || self.draw.chance(30))
        {
            next.steps.push((end + self.draw.around(20 * MINUTE), Step::RollBack(before, version)));
        }
    }

    fn roll_back(&mut self, at: Timestamp, to: Version, from: Version, next: &mut Next) {
        let (end, succeeded) = self.deployment(at, "production", &to, None, DeploymentAction::RollBack, next);
        if succeeded {
            self.live = Some(to);
            if self.draw.chance(500) {
                next.steps.push((end + self.draw.around(4 * HOUR), Step::Release(from)));
            }
        }
    }

    /// Tells of a gate before production; when it was settled, and whether it opened.
    fn gate(
        &mut self,
        at: Timestamp,
        run: &crate::pipeline::Run,
        version: &Version,
        next: &mut Next,
    ) -> (Timestamp, bool) {
        let gate = Gate {
            kind: GateKind::DeploymentProtection,
            environment: Some(Environment::new("production")),
            ..Gate::new(GateId::new(format!("{}/production/1", run.id())), "production".to_owned())
        };
        let about = References {
            repository: Some(self.repository.clone()),
            commit: Some(version.commit.clone()),
            run: Some(run.id().clone()),
            environment: gate.environment.clone(),
            ..References::default()
        };
        let needed = self.draw.count(1..=2);
        let mut requested = GateRequested::new(gate.clone(), about.clone());
        requested.requested_at = Some(at);
        requested.requested_by = self.person();
        requested.approvers = Some(8);
        requested.required = i32::try_from(needed).ok();
        next.tell(at, requested);
        let mut at = at + self.draw.around(90 * MINUTE);
        if self.draw.chance(15) {
            at = at + Millis(24 * HOUR);
            next.tell(at, GateExpired { gate, about, expired_at: Some(at) });
            return (at, false);
        }
        let rejected = self.draw.chance(40);
        let first = self.draw.count(0..=self.people.len() - 1);
        for approver in 0..needed {
            let decision = if rejected { Decision::Rejected } else { Decision::Approved };
            let mut decided = GateDecided::new(gate.clone(), about.clone(), decision);
            decided.decided_at = Some(at);
            decided.decided_by = self.people[(first + approver) % self.people.len()].clone();
            next.tell(at, decided);
            if rejected || approver + 1 == needed {
                return (at, !rejected);
            }
            at = at + self.draw.around(20 * MINUTE);
        }
        (at, true)
    }

    fn version(&self) -> Version {
        let name = self.names_versions.then(|| format!("1.{}.0", self.changes));
        Version { commit: self.tip.clone(), name }
    }

    fn person(&mut self) -> Actor {
        self.draw.one_of(&self.people).clone()
    }
}

impl Open {
    fn head(&self) -> &CommitId {
        self.commits.last().map_or(&self.base, |commit| &commit.id)
    }
}
