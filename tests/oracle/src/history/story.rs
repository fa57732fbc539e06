//! What really happened, kept while it is told: the commits, the branches, what ran and what was deployed.

use std::collections::BTreeMap;

use model::event::{Actor, ActorKind, Body, CommitInfo, Event, Push};
use model::{ArtifactId, ChangeId, CommitId, Environment, IncidentId, Repository, RunId, Timestamp};

use super::moves::{Move, Step, Telling};

pub const MINUTE: i64 = 60_000;
/// Name of the image that is built.
pub const IMAGE: &str = "ghcr.io/acme/shop";
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A commit as git has it.
#[derive(Clone, Debug)]
pub struct Made {
    pub parents: Vec<CommitId>,
    pub authored_at: i64,
    pub committed_at: i64,
    pub author: Actor,
    pub path: String,
    /// What it does to the files: the same for what is picked from it.
    pub patch: String,
    pub cherry_picked_from: Vec<CommitId>,
    pub reverts: Vec<CommitId>,
    /// Changes that its message names.
    pub changes: Vec<ChangeId>,
}

/// A repository.
#[derive(Debug)]
pub struct Project {
    pub name: Repository,
    /// The default branch, oldest first.
    pub main: Vec<CommitId>,
    pub changes: u32,
    /// Where the branch `develop` stands.
    pub develop: Option<CommitId>,
}

/// A deployment that was told of.
#[derive(Clone, Debug)]
pub struct Deployed {
    pub told: model::event::Deployment,
    pub at: i64,
}

/// An artifact that was made.
#[derive(Clone, Debug)]
pub struct Packed {
    pub artifact: ArtifactId,
    pub digest: String,
}

/// A run that was told of.
#[derive(Clone, Debug)]
pub struct Ran {
    pub told: model::event::PipelineRun,
    pub project: usize,
    pub at: i64,
}

/// Everything so far.
#[derive(Debug)]
pub struct Story {
    pub telling: Telling,
    events: Vec<Event<Body>>,
    /// Milliseconds since 1970.
    pub now: i64,
    /// By how much the provider's clock is off, and the author's.
    skew: (i64, i64),
    numbers: u32,
    pub git: BTreeMap<CommitId, Made>,
    pub projects: [Project; 2],
    pub runs: Vec<Ran>,
    pub deployments: Vec<Deployed>,
    pub artifacts: Vec<Packed>,
    /// Ends of branches that were cut from older commits, with their repositories.
    pub hotfixes: Vec<(usize, CommitId)>,
    pub catalog_revision: i64,
    /// The last incident.
    pub incident: Option<IncidentId>,
    /// What is told at the very end only.
    pub late: Vec<(i64, Body)>,
}

/// Takes the element that is so many from the end, around the corner.
pub fn back<T>(list: &[T], by: u8) -> Option<&T> {
    list.len().checked_sub(1).and_then(|last| list.get(last - usize::from(by) % list.len()))
}

/// A person, told apart by a number.
pub fn person(n: u32) -> Actor {
    Actor { key: Some(format!("person-{}", n % 4)), kind: ActorKind::Human }
}

/// An automation account.
pub fn machine() -> Actor {
    Actor { key: Some("machine".into()), kind: ActorKind::Machine }
}

impl Story {
    pub fn new(telling: Telling) -> Self {
        let project = |name| Project { name: Repository::new(name), main: Vec::new(), changes: 0, develop: None };
        let mut story = Self {
            telling,
            events: Vec::new(),
            now: telling.season.begins(),
            skew: (0, 0),
            numbers: 0,
            git: BTreeMap::new(),
            projects: [project("github.com/acme/shop"), project("gitlab.com/acme/infra")],
            runs: Vec::new(),
            deployments: Vec::new(),
            artifacts: Vec::new(),
            hotfixes: Vec::new(),
            catalog_revision: 0,
            incident: None,
            late: Vec::new(),
        };
        // What was there before anybody listened.
        for project in 0..2 {
            let root = story.commit(project, Vec::new());
            story.projects[project].main.push(root);
        }
        story
    }

    pub fn take(&mut self, step: &Step) {
        self.now += [0, 10 * MINUTE, 3 * HOUR, 2 * DAY][usize::from(step.after % 4)];
        self.skew = [(0, 0), (90_000, 0), (-90_000, 0), (0, DAY)][usize::from(step.skew % 4)];
        let began = self.now;
        match &step.what {
            Move::Push { .. }
            | Move::Change { .. }
            | Move::ForcePush { .. }
            | Move::Train { .. }
            | Move::Hotfix { .. }
            | Move::Pick { .. }
            | Move::Backfill { .. }
            | Move::Tag { .. } => self.source(&step.what),
            Move::Pipeline { .. } | Move::Check { .. } => self.ran(&step.what),
            Move::Deploy { .. }
            | Move::Again { .. }
            | Move::Promote { .. }
            | Move::Correct { .. }
            | Move::Restate { .. }
            | Move::Bump { .. } => self.delivered(&step.what),
            Move::Gate { about, meeting, environment } => self.gate(*about, *meeting, *environment),
            Move::Catalog { layout, calendars, grows } => self.catalog(*layout, *calendars, *grows),
            Move::BaselineNone { component } => self.baseline_none(*component),
            Move::Incident { course, about } => self.incident(*course, *about),
            Move::Say { what } => self.say(*what),
            Move::Freeze => self.freeze(),
        }
        if step.overlaps {
            self.now = began + MINUTE;
        }
    }

    /// All events, with what was told late.
    pub fn finish(mut self) -> Vec<Event<Body>> {
        for (at, body) in std::mem::take(&mut self.late) {
            self.tell_at(at, body);
        }
        self.events
    }

    /// A number that was not there before.
    pub fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Time goes by.
    pub fn wait(&mut self, minutes: i64) -> Timestamp {
        self.now += minutes * MINUTE;
        Timestamp(self.now)
    }

    /// Something is told now.
    pub fn tell(&mut self, body: impl Into<Body>) {
        self.tell_at(self.now, body);
    }

    pub fn tell_at(&mut self, at: i64, body: impl Into<Body>) {
        let n = self.events.len();
        let at = Timestamp(at + self.skew.0);
        self.events.push(Event {
            realm: "default".into(),
            source: "history".into(),
            provider: "history".into(),
            delivery: format!("d{n}"),
            index: 0,
            adapter: 1,
            occurred_at: at,
            received_at: at,
            link: n.is_multiple_of(3).then(|| format!("https://example.org/{n}")),
            body: body.into(),
        });
    }

    pub fn project(&self, n: u8) -> usize {
        usize::from(n) % self.projects.len()
    }

    pub fn repository(&self, project: usize) -> Repository {
        self.projects[project].name.clone()
    }

    /// Last commit of the default branch.
    pub fn tip(&self, project: usize) -> Option<CommitId> {
        self.projects[project].main.last().cloned()
    }

    /// A commit of the default branch.
    pub fn on_main(&self, project: usize, by: u8) -> Option<CommitId> {
        back(&self.projects[project].main, by).cloned()
    }

    /// Somebody writes a commit. Of eight, two have ids that begin alike.
    pub fn commit(&mut self, project: usize, parents: Vec<CommitId>) -> CommitId {
        let n = self.number();
        let head = if n % 8 == 1 { n.saturating_sub(1) } else { n };
        let id = CommitId::new(format!("{head:07x}{n:033x}"));
        self.now += 7 * MINUTE;
        let folder = ["api", "web", "docs"][n as usize % 3];
        let made = Made {
            parents,
            authored_at: self.now + self.skew.1,
            committed_at: self.now,
            author: if n % 5 == 4 { machine() } else { person(n) },
            path: match n % 7 {
                2 | 5 | 6 => format!("{folder}/Cargo.lock"),
                3 => format!("{folder}/Cargo.toml"),
                4 => format!("{folder}/config/app-{n}.yaml"),
                _ => format!("{folder}/file-{project}-{n}"),
            },
            patch: format!("patch-{n}"),
            cherry_picked_from: Vec::new(),
            reverts: Vec::new(),
            changes: Vec::new(),
        };
        self.git.insert(id.clone(), made);
        id
    }

    /// Commits in a line, on top of another.
    pub fn line(&mut self, project: usize, from: Option<CommitId>, count: u8) -> Vec<CommitId> {
        let mut line: Vec<CommitId> = Vec::new();
        for _ in 0..count.max(1) {
            let parent = line.last().cloned().or_else(|| from.clone());
            line.push(self.commit(project, parent.into_iter().collect()));
        }
        line
    }

    /// A commit as its provider tells it.
    pub fn info(&self, id: &CommitId, with_parents: bool) -> CommitInfo {
        let Some(made) = self.git.get(id) else { return CommitInfo::new(id.clone()) };
        let told = self.telling;
        CommitInfo {
            parents: with_parents.then(|| made.parents.clone()),
            authored_at: told.author_times.then_some(Timestamp(made.authored_at)),
            committed_at: Some(Timestamp(made.committed_at)),
            author: made.author.clone(),
            committer: machine(),
            paths: told.paths.then(|| vec![made.path.clone()]),
            paths_cut: told.paths && told.paths_cut,
            cherry_picked_from: made.cherry_picked_from.clone(),
            reverts: made.reverts.clone(),
            changes: made.changes.clone(),
            // Only who has a clone can work it out.
            patch_id: with_parents.then(|| made.patch.clone()),
            ..CommitInfo::new(id.clone())
        }
    }

    /// A branch moves to the last of these commits.
    pub fn push(&mut self, project: usize, branch: &str, before: Option<CommitId>, commits: &[CommitId]) -> Push {
        let infos = commits.iter().map(|id| self.info(id, self.telling.parents)).collect();
        Push {
            before,
            after: commits.last().cloned(),
            commits: infos,
            default_branch: Some("main".into()),
            pushed_by: person(1),
            ..Push::new(self.repository(project), format!("refs/heads/{branch}"))
        }
    }

    /// Commits come to the default branch, and their push is told.
    pub fn land(&mut self, project: usize, commits: &[CommitId]) {
        let before = self.tip(project);
        let push = self.push(project, "main", before, commits);
        self.projects[project].main.extend(commits.iter().cloned());
        self.wait(1);
        self.tell(push);
    }

    /// The last run, or none yet.
    pub fn last_run(&self) -> Option<RunId> {
        self.runs.last().map(|ran| ran.told.run.clone())
    }

    /// The environment of a deployment that was told of.
    pub fn environment_of(&self, by: u8) -> Option<Environment> {
        back(&self.deployments, by).map(|deployed| deployed.told.environment.clone())
    }
}
