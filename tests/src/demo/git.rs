//! The repositories' history as it really is: every commit with its parents, author time and paths.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::clock::Seconds;

/// An account at GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub login: &'static str,
    pub id: i64,
    pub bot: bool,
}

impl Account {
    pub const fn person(login: &'static str, id: i64) -> Self {
        Self { login, id, bot: false }
    }

    pub const fn bot(login: &'static str, id: i64) -> Self {
        Self { login, id, bot: true }
    }

    pub fn email(&self) -> String {
        if self.bot {
            format!("{}+{}@users.noreply.github.com", self.id, self.login)
        } else {
            format!("{}@example.com", self.login)
        }
    }
}

pub const DEPENDABOT: Account = Account::bot("dependabot[bot]", 49_699_333);
pub const ACTIONS: Account = Account::bot("github-actions[bot]", 41_898_282);

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    pub sha: String,
    pub parents: Vec<String>,
    /// Author time: what GitHub shows as the author's date.
    pub authored_at: Seconds,
    /// Commit time: what GitHub shows as the time of the commit.
    pub committed_at: Seconds,
    /// Where its lead time begins: the author time, for a squash the earliest of the commits squashed.
    pub counts_from: Seconds,
    pub author: Account,
    /// Made on GitHub's pages: a squash, a merge, a rebase.
    pub by_github: bool,
    pub message: String,
    pub paths: Vec<String>,
}

/// A repository.
#[derive(Debug)]
pub struct Git {
    /// Commit that stood on `main` before anything was told.
    pub unknown: String,
    commits: BTreeMap<String, Commit>,
    /// Tips of `main`, oldest first.
    main: Vec<(Seconds, String)>,
}

impl Git {
    pub fn new(rng: &mut Rng) -> Self {
        Self { unknown: sha(rng), commits: BTreeMap::new(), main: Vec::new() }
    }

    pub fn add(&mut self, commit: Commit) {
        self.commits.insert(commit.sha.clone(), commit);
    }

    pub fn commit(&self, sha: &str) -> Option<&Commit> {
        self.commits.get(sha)
    }

    /// Tip of `main`.
    pub fn tip(&self) -> String {
        self.main.last().map_or_else(|| self.unknown.clone(), |(_, sha)| sha.clone())
    }

    /// Tip of `main` at that time.
    pub fn tip_at(&self, at: Seconds) -> String {
        self.main
            .iter()
            .rev()
            .find(|(since, _)| *since <= at)
            .map_or_else(|| self.unknown.clone(), |(_, sha)| sha.clone())
    }

    pub fn move_main(&mut self, at: Seconds, sha: &str) {
        self.main.push((at, sha.to_owned()));
    }

    /// The commit and everything before it.
    pub fn reachable(&self, sha: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut stack: Vec<&str> = self.commits.get_key_value(sha).map(|(sha, _)| sha.as_str()).into_iter().collect();
        while let Some(sha) = stack.pop() {
            if !seen.insert(sha) {
                continue;
            }
            let parents = self.commits.get(sha).map_or(&[][..], |commit| &commit.parents);
            stack.extend(parents.iter().filter_map(|p| self.commits.get_key_value(p)).map(|(sha, _)| sha.as_str()));
        }
        seen
    }
}

/// A fresh commit id.
pub fn sha(rng: &mut Rng) -> String {
    let mut bytes = [0; 20];
    rng.fill(&mut bytes);
    hex::encode(bytes)
}
