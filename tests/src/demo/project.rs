//! One repository, its team and what it tells: pushes and changes.

use fastrand::Rng;
use serde_json::Value;

use super::GITHUB;
use super::clock::{MINUTE, Seconds, after_work, before_work, between, chance, timestamp};
use super::delivery::Webhook;
use super::expected::{Peculiarity, Records};
use super::git::{Account, Commit, DEPENDABOT, Git, sha};
use super::github::{NOTHING, Pull, Push, Repo};

/// Deliveries with the time at which they arrive.
#[derive(Debug, Default)]
pub struct Deliveries(pub Vec<(Seconds, Webhook)>);

/// A repository and its team.
#[derive(Debug)]
pub struct Project {
    pub repo: Repo,
    pub team: &'static [Account],
    pub rng: Rng,
    pub git: Git,
    pub records: Records,
    pub deliveries: Deliveries,
    /// Production as GitHub sees it, to be told inactive by the next one.
    pub active: Option<super::github::Deployment>,
    next_id: i64,
    next_pull: i64,
    pub next_run: i64,
}

/// How changes come about in a project.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Share of changes that are pushed to `main` without a pull request, in percent.
    pub direct: u32,
    /// Share of pull requests merged by a merge commit, in percent.
    pub merge: u32,
    /// Share of pull requests merged by rebasing, in percent; the rest is squashed.
    pub rebase: u32,
    /// Share of pull requests that a bot opens, in percent.
    pub bots: u32,
    /// Most commits in a change.
    pub commits: usize,
    /// Working time from the first commit to the opening.
    pub coding: (Seconds, Seconds),
    /// Working time from the opening to the merge.
    pub review: (Seconds, Seconds),
    /// Lists of paths, one of which a commit touches.
    pub paths: &'static [&'static [&'static str]],
    /// Titles of changes.
    pub titles: &'static [&'static str],
}

/// A change on its way.
struct Draft {
    author: Account,
    title: &'static str,
    opened_at: Seconds,
    merged_at: Seconds,
    commits: Vec<Commit>,
}

/// What happened on a feature branch and wants a check.
#[derive(Clone, Debug)]
pub struct CheckWanted {
    pub pull: Pull,
    pub at: Seconds,
}

/// A change that came to `main`.
#[derive(Clone, Debug)]
pub struct Landed {
    pub sha: String,
    pub title: String,
    pub at: Seconds,
    pub by: Account,
    /// States of the pull request that were to be checked.
    pub checks: Vec<CheckWanted>,
}

impl Project {
    /// `index` keeps the ids of the projects apart.
    pub fn new(name: &'static str, index: i64, team: &'static [Account], rng: Rng, start: Seconds) -> Self {
        let mut rng = rng;
        let git = Git::new(&mut rng);
        Self {
            repo: Repo { name, id: 700_000_100 + index, created_at: start - 900 * super::clock::DAY },
            team,
            rng,
            git,
            records: Records::default(),
            deliveries: Deliveries::default(),
            active: None,
            next_id: 10_000_000_000 + index * 100_000_000,
            next_pull: 100 + 37 * index,
            next_run: 1_000 + 100 * index,
        }
    }

    /// A number that nothing else at GitHub has.
    pub fn id(&mut self) -> i64 {
        self.next_id += 1 + self.rng.i64(0..50);
        self.next_id
    }

    pub fn member(&mut self) -> Account {
        self.team[self.rng.usize(0..self.team.len())]
    }

    pub fn other_than(&mut self, account: Account) -> Account {
        let others: Vec<Account> = self.team.iter().filter(|member| **member != account).copied().collect();
        self.rng.choice(others).unwrap_or(account)
    }

    /// GitHub tells of an event.
    pub fn tell(&mut self, event: &str, at: Seconds, body: &Value) {
        self.tell_late(event, at, 0, body);
    }

    /// GitHub tells of an event so much later.
    pub fn tell_late(&mut self, event: &str, at: Seconds, delay: Seconds, body: &Value) {
        let delivery = guid(&mut self.rng);
        let webhook = Webhook {
            source: GITHUB,
            event: Some(event.to_owned()),
            content_type: "application/json",
            headers: vec![
                ("user-agent".to_owned(), "GitHub-Hookshot/0000000".to_owned()),
                ("x-github-event".to_owned(), event.to_owned()),
                ("x-github-delivery".to_owned(), delivery.clone()),
            ],
            delivery,
            body: body.to_string().into_bytes(),
            occurred_at: timestamp(at),
        };
        self.deliveries.0.push((at + delay, webhook));
    }

    /// A commit of the author's own.
    fn write(&mut self, author: Account, message: &str, at: Seconds, parent: &str, paths: &[&str]) -> Commit {
        let commit = Commit {
            sha: sha(&mut self.rng),
            parents: vec![parent.to_owned()],
            authored_at: at,
            committed_at: at,
            counts_from: at,
            author,
            by_github: false,
            message: message.to_owned(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        self.git.add(commit.clone());
        commit
    }

    /// Moves `main` to the last of the commits and tells it.
    pub fn push_main(&mut self, commits: &[Commit], by: Account, at: Seconds) {
        let Some(tip) = commits.last() else { return };
        let before = self.git.tip();
        let after = tip.sha.clone();
        self.git.move_main(at, &after);
        self.push("refs/heads/main", &before, &after, commits, (by, at));
    }

    pub fn push(
        &mut self,
        ref_name: &str,
        before: &str,
        after: &str,
        commits: &[Commit],
        (by, at): (Account, Seconds),
    ) {
        let head = self.git.commit(after);
        let push = Push { ref_name: ref_name.to_owned(), before, after, commits, head, forced: false, by, at };
        let body = self.repo.push(&push);
        self.tell("push", at, &body);
    }

    /// The first push that anybody hears of: the history before it is unknown.
    pub fn begin(&mut self, at: Seconds, paths: &[&str]) -> String {
        let author = self.team[0];
        let parent = self.git.unknown.clone();
        let commit = self.write(author, "Send webhooks", at - MINUTE, &parent, paths);
        self.push_main(std::slice::from_ref(&commit), author, at);
        commit.sha
    }

    /// A change comes to `main` at that time, with everything that led to it.
    pub fn land(&mut self, habits: &Habits, merged_at: Seconds) -> Landed {
        if chance(&mut self.rng, habits.direct) {
            return self.land_directly(habits, merged_at);
        }
        let draft = self.draft(habits, merged_at);
        let merge = match self.rng.u32(0..100) {
            p if p < habits.merge => Merge::Commit,
            p if p < habits.merge + habits.rebase => Merge::Rebase,
            _ => Merge::Squash,
        };
        self.pull_request(draft, merge)
    }

    fn land_directly(&mut self, habits: &Habits, at: Seconds) -> Landed {
        let author = self.member();
        let title = habits.titles[self.rng.usize(0..habits.titles.len())];
        let paths = habits.paths[self.rng.usize(0..habits.paths.len())];
        let span = between(&mut self.rng, habits.coding) / 2;
        let parent = self.git.tip();
        let commit = self.write(author, title, before_work(at - 20, span), &parent, paths);
        self.push_main(std::slice::from_ref(&commit), author, at);
        self.records.note(Peculiarity::DirectPush, at);
        Landed { sha: commit.sha, title: title.to_owned(), at, by: author, checks: Vec::new() }
    }

    fn draft(&mut self, habits: &Habits, merged_at: Seconds) -> Draft {
        let bot = chance(&mut self.rng, habits.bots);
        let author = if bot { DEPENDABOT } else { self.member() };
        let title = if bot {
            "Bump serde from 1.0.227 to 1.0.228"
        } else {
            habits.titles[self.rng.usize(0..habits.titles.len())]
        };
        let review = between(&mut self.rng, habits.review);
        let opened_at = before_work(merged_at, review);
        let count = if bot { 1 } else { self.rng.usize(1..=habits.commits) };
        let coding = if bot { MINUTE } else { between(&mut self.rng, habits.coding) };
        let mut parent = self.git.tip_at(before_work(opened_at, coding));
        let mut commits = Vec::with_capacity(count);
        for i in 0..count {
            let left = coding * (count - i) as i64 / count as i64;
            let paths = habits.paths[self.rng.usize(0..habits.paths.len())];
            let message = if i == 0 { title } else { "Take up the review's remarks" };
            let commit = self.write(author, message, before_work(opened_at - 30, left), &parent, paths);
            parent.clone_from(&commit.sha);
            commits.push(commit);
        }
        if bot {
            self.records.note(Peculiarity::BotAuthor, merged_at);
        }
        Draft { author, title, opened_at, merged_at, commits }
    }

    /// A pull request from its first push to its merge.
    fn pull_request(&mut self, draft: Draft, merge: Merge) -> Landed {
        let Draft { author, title, opened_at, merged_at, mut commits } = draft;
        let number = self.next_pull;
        self.next_pull += 1;
        let branch = branch_name(author, number, title);
        let ref_name = format!("refs/heads/{branch}");
        let head = commits.last().map(|commit| commit.sha.clone()).unwrap_or_default();
        let mut pull = Pull {
            number,
            id: self.id(),
            title: title.to_owned(),
            author,
            branch,
            head: head.clone(),
            base: commits.first().and_then(|commit| commit.parents.first().cloned()).unwrap_or_default(),
            commits: commits.len(),
            changed_files: commits.iter().map(|commit| commit.paths.len()).sum(),
            draft: false,
            created_at: opened_at,
            merge_commit: sha(&mut self.rng),
            merged: None,
        };
        self.push(&ref_name, NOTHING, &head, &commits, (author, opened_at - 20));
        self.on_pull("opened", &pull, author, opened_at);
        let mut checks = vec![CheckWanted { pull: pull.clone(), at: opened_at + 3 }];
        if commits.len() == 1 && !author.bot && merge == Merge::Squash && chance(&mut self.rng, 12) {
            let at = opened_at + (merged_at - opened_at) / 3;
            self.amend(&mut commits, &mut pull, &ref_name, at);
            checks.push(CheckWanted { pull: pull.clone(), at: at + 3 });
        }
        let merger = self.review(&pull, author, (opened_at, merged_at));
        let landed = self.merge(&mut pull, &commits, merge, (merger, merged_at));
        if author.bot {
            self.push(&ref_name, &pull.head, NOTHING, &[], (merger, merged_at + 5));
            self.records.note(Peculiarity::BranchDeleted, merged_at);
        }
        Landed { sha: landed, title: pull.title, at: merged_at, by: merger, checks }
    }

    pub fn on_pull(&mut self, action: &str, pull: &Pull, by: Account, at: Seconds) {
        let body = self.repo.pull_request(action, pull, by, at);
        self.tell("pull_request", at, &body);
    }

    /// The author amends the only commit and pushes it by force: another id, another commit time, the same author time.
    fn amend(&mut self, commits: &mut [Commit], pull: &mut Pull, ref_name: &str, at: Seconds) {
        let Some(commit) = commits.last_mut() else { return };
        let before = commit.sha.clone();
        commit.sha = sha(&mut self.rng);
        commit.committed_at = at - 10;
        let amended = commit.clone();
        self.git.add(amended.clone());
        pull.head.clone_from(&amended.sha);
        let push = Push {
            ref_name: ref_name.to_owned(),
            before: &before,
            after: &amended.sha,
            commits: std::slice::from_ref(&amended),
            head: Some(&amended),
            forced: true,
            by: pull.author,
            at,
        };
        let body = self.repo.push(&push);
        self.tell("push", at, &body);
        let mut synchronised = self.repo.pull_request("synchronize", pull, pull.author, at + 1);
        synchronised["before"] = before.into();
        synchronised["after"] = pull.head.as_str().into();
        self.tell("pull_request", at + 1, &synchronised);
        self.records.note(Peculiarity::ForcePush, at);
    }

    /// Somebody else reviews shortly before the merge; now and then somebody first asked for changes.
    fn review(&mut self, pull: &Pull, author: Account, (opened_at, merged_at): (Seconds, Seconds)) -> Account {
        let reviewer = self.other_than(author);
        if merged_at - opened_at > 60 * MINUTE && chance(&mut self.rng, 15) {
            self.reviewed(pull, "changes_requested", reviewer, opened_at + (merged_at - opened_at) / 2);
        }
        let approved_at = merged_at - between(&mut self.rng, (20, 8 * MINUTE)).min((merged_at - opened_at) / 4);
        self.reviewed(pull, "approved", reviewer, approved_at);
        if author.bot { reviewer } else { author }
    }

    fn reviewed(&mut self, pull: &Pull, state: &str, reviewer: Account, at: Seconds) {
        let id = self.id();
        let body = self.repo.review(pull, id, state, reviewer, at);
        self.tell("pull_request_review", at, &body);
    }

    /// Brings the commits to `main` and tells it; the id of the tip.
    pub fn merge(&mut self, pull: &mut Pull, commits: &[Commit], merge: Merge, (by, at): (Account, Seconds)) -> String {
        let pushed = match merge {
            Merge::Squash => vec![self.squashed(pull, commits, at)],
            Merge::Commit => {
                let mut pushed = commits.to_vec();
                pushed.push(self.merged(pull, commits, by, at));
                pushed
            }
            Merge::Rebase => self.rebased(commits, at),
        };
        self.records.note(merge.peculiarity(), at);
        pull.merged = Some((at, by));
        pull.merge_commit = pushed.last().map(|commit| commit.sha.clone()).unwrap_or_default();
        for commit in &pushed {
            self.git.add(commit.clone());
        }
        self.push_main(&pushed, by, at);
        self.on_pull("closed", pull, by, at + 1);
        pull.merge_commit.clone()
    }

    fn squashed(&mut self, pull: &Pull, commits: &[Commit], at: Seconds) -> Commit {
        Commit {
            sha: sha(&mut self.rng),
            parents: vec![self.git.tip()],
            authored_at: at,
            committed_at: at,
            counts_from: commits.iter().map(|commit| commit.counts_from).min().unwrap_or(at),
            author: pull.author,
            by_github: true,
            message: format!("{} (#{})", pull.title, pull.number),
            paths: paths_of(commits),
        }
    }

    fn merged(&mut self, pull: &Pull, commits: &[Commit], by: Account, at: Seconds) -> Commit {
        Commit {
            sha: sha(&mut self.rng),
            parents: vec![self.git.tip(), pull.head.clone()],
            authored_at: at,
            committed_at: at,
            counts_from: at,
            author: by,
            by_github: true,
            message: format!("Merge pull request #{} from acme/{}\n\n{}", pull.number, pull.branch, pull.title),
            paths: paths_of(commits),
        }
    }

    /// The same changes on top of `main`: other ids and commit times, the same author times.
    fn rebased(&mut self, commits: &[Commit], at: Seconds) -> Vec<Commit> {
        let mut parent = self.git.tip();
        let mut rebased = commits.to_vec();
        for commit in &mut rebased {
            commit.parents = vec![parent];
            commit.sha = sha(&mut self.rng);
            commit.committed_at = at;
            commit.by_github = true;
            parent = commit.sha.clone();
        }
        rebased
    }

    /// A fix on a branch cut from `base`, and the pull request that is to bring it to `main`: it is opened, not merged.
    pub fn hotfix_branch(&mut self, base: &str, at: Seconds, paths: &[&str]) -> (Pull, Vec<Commit>) {
        let author = self.member();
        let number = self.next_pull;
        self.next_pull += 1;
        let branch = format!("hotfix/{number}");
        let ref_name = format!("refs/heads/{branch}");
        let cut_at = after_work(at, 3 * MINUTE);
        let span = between(&mut self.rng, (20 * MINUTE, 90 * MINUTE));
        let pushed_at = cut_at + span;
        self.push(&ref_name, NOTHING, base, &[], (author, cut_at));
        let commit = self.write(author, "Stop the duplicate transfer", pushed_at - 2 * MINUTE, base, paths);
        self.push(&ref_name, base, &commit.sha, std::slice::from_ref(&commit), (author, pushed_at));
        let pull = Pull {
            number,
            id: self.id(),
            title: "Stop the duplicate transfer".to_owned(),
            author,
            branch,
            head: commit.sha.clone(),
            base: self.git.tip_at(pushed_at),
            commits: 1,
            changed_files: 1,
            draft: false,
            created_at: pushed_at + MINUTE,
            merge_commit: sha(&mut self.rng),
            merged: None,
        };
        self.on_pull("opened", &pull, author, pull.created_at);
        (pull, vec![commit])
    }
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    Squash,
    Commit,
    Rebase,
}

impl Merge {
    const fn peculiarity(self) -> Peculiarity {
        match self {
            Self::Squash => Peculiarity::SquashMerge,
            Self::Commit => Peculiarity::MergeCommit,
            Self::Rebase => Peculiarity::RebaseMerge,
        }
    }
}

fn paths_of(commits: &[Commit]) -> Vec<String> {
    let mut paths: Vec<String> = commits.iter().flat_map(|commit| commit.paths.iter().cloned()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn branch_name(author: Account, number: i64, title: &str) -> String {
    if author.bot {
        return format!("dependabot/cargo/serde-{number}");
    }
    let words: String = title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{words}-{number}")
}

/// An id in the form of a UUID.
pub fn guid(rng: &mut Rng) -> String {
    let n = rng.u128(..);
    let hex = format!("{n:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
