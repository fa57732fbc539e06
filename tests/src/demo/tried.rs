//! The demo as `throughline try` shows it: a clone of one of its repositories, and its project by GitHub's API. No catalog, no server,
//! and the releases are those that were made.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use model::fact::{Fact, ReleaseFact};
use model::{Millis, Version};
use serde_json::Value;

use super::api_history::api::{Api, Fault, TOKEN, World};
use super::api_history::{histories, world};
use super::git::Git;
use super::oracle::plain;
use super::*;
use crate::installation;

const SEED: u64 = 7;
/// Before everything.
const SINCE: &str = "2025-10-01";

/// Ids in the demo, and what git calls the same commits.
type Ids = BTreeMap<String, String>;

/// Commits of `main` by the time of the end, parents first.
fn commits(git: &Git) -> Vec<&super::git::Commit> {
    let reachable = git.reachable(&git.tip_at(NOW.0 / 1000)).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut left: Vec<_> = reachable.iter().filter_map(|sha| git.commit(sha)).collect();
    let mut sorted: Vec<&super::git::Commit> = Vec::new();
    while !left.is_empty() {
        let waits = |parent: &String| left.iter().any(|commit| commit.sha == *parent);
        let (ready, rest): (Vec<_>, Vec<_>) = left.iter().partition(|commit| !commit.parents.iter().any(waits));
        sorted.extend(ready);
        left = rest;
    }
    sorted
}

/// Makes the repository in a folder.
fn make(folder: &Path, git: &Git) -> Ids {
    let commits = commits(git);
    let marks: BTreeMap<&str, usize> =
        commits.iter().zip(1..).map(|(commit, mark)| (commit.sha.as_str(), mark)).collect();
    let mut stream = String::new();
    for commit in &commits {
        let (author, email) = (commit.author.login, commit.author.email());
        let committer = if commit.by_github { "GitHub <noreply@github.com>" } else { &format!("{author} <{email}>") };
        let (authored, committed) = (commit.authored_at, commit.committed_at);
        let message = &commit.message;
        let mark = marks[commit.sha.as_str()];
        write!(
            stream,
            "commit refs/heads/main\nmark :{mark}\nauthor {author} <{email}> {authored} +0000\n\
             committer {committer} {committed} +0000\ndata {}\n{message}\n",
            message.len(),
        )
        .unwrap();
        let parents = commit.parents.iter().filter_map(|parent| marks.get(parent.as_str()));
        for (parent, word) in parents.zip(std::iter::once("from").chain(std::iter::repeat("merge"))) {
            writeln!(stream, "{word} :{parent}").unwrap();
        }
        for path in &commit.paths {
            write!(stream, "M 100644 inline {path}\ndata 40\n{}\n", commit.sha).unwrap();
        }
    }
    let git = |arguments: &[&str], input: &str| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "git {arguments:?}");
    };
    git(&["init", "--quiet", "--initial-branch=main"], "");
    git(&["fast-import", "--quiet", "--export-marks=marks"], &stream);
    let given = std::fs::read_to_string(folder.join("marks")).unwrap();
    let given: BTreeMap<&str, &str> = given.lines().filter_map(|line| line.split_once(' ')).collect();
    marks.iter().map(|(sha, mark)| ((*sha).to_owned(), given[format!(":{mark}").as_str()].to_owned())).collect()
}

/// The world with the ids that git gave.
fn renamed(world: World, ids: &Ids) -> World {
    let text = |text: &str| ids.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
    let value = |value: &Value| -> Value { serde_json::from_str(&text(&value.to_string())).unwrap() };
    World {
        objects: world.objects.iter().map(|(path, object)| (text(path), value(object))).collect(),
        lists: world.lists.iter().map(|(path, items)| (text(path), items.iter().map(value).collect())).collect(),
    }
}

/// A clone, and the API of its project.
struct Tried {
    folder: tempfile::TempDir,
    ids: Ids,
    name: &'static str,
    api: Api,
}

impl Tried {
    async fn new(name: &str) -> Self {
        Self::with(name, &[]).await
    }

    /// An API that fails in the requests of these numbers.
    async fn with(name: &str, faults: &[(usize, Fault)]) -> Self {
        let (demo, _) = plain();
        let project = projects(SEED, NOW.0 / 1000).into_iter().map(|(_, project)| project);
        let project = project.into_iter().find(|project| project.repo.name == name).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ids = make(folder.path(), &project.git);
        let own = format!("\"full_name\":\"{}\"", project.repo.full_name());
        let of_project = |webhook: &&Webhook| String::from_utf8_lossy(&webhook.body).contains(&own);
        let mut world = World::default();
        world::add(&mut world, &project.git, &demo.webhooks.iter().filter(of_project).collect::<Vec<_>>());
        let api = Api::serve(renamed(world, &ids), 100, faults).await;
        Self { folder, ids, name: project.repo.name, api }
    }

    /// Runs the command with this token.
    async fn run(&self, token: Option<&str>, arguments: &[&str]) -> Output {
        let binary = tokio::task::spawn_blocking(installation::build).await.unwrap().unwrap();
        let mut command = tokio::process::Command::new(binary);
        command.arg("try").arg(self.folder.path()).args(["--since", SINCE, "--api", &self.api.root]).args(arguments);
        command.env_remove("GITHUB_TOKEN");
        if let Some(token) = token {
            command.args(["--github", &format!("acme/{}", self.name)]).env("GITHUB_TOKEN", token);
        } else {
            command.args(["--repository", &format!("github.com/acme/{}", self.name)]);
        }
        command.output().await.unwrap()
    }

    async fn json(&self, token: Option<&str>) -> Value {
        let output = self.run(token, &["--json"]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Releases by their version.
fn releases(said: &Value) -> BTreeMap<String, &Value> {
    let releases = said["report"]["releases"].as_array().unwrap();
    releases.iter().map(|release| (release["version"].as_str().unwrap().to_owned(), release)).collect()
}

fn unseen(said: &Value) -> Vec<&str> {
    said["report"]["unseen"].as_array().unwrap().iter().map(|unseen| unseen["what"].as_str().unwrap()).collect()
}

/// What is compared of a release: when it was, what it shipped, and where the time went.
fn line(kind: &str, at: i64, commits: i64, leads: [Option<i64>; 2], segments: &[Option<i64>]) -> String {
    format!("{kind} at {at}, {commits} commits, {leads:?}, {segments:?}")
}

fn line_of_row(row: &ReleaseFact) -> String {
    let number = |span: Option<Millis>| span.map(|span| span.0);
    let segments = row.segments().map(number);
    let kind = serde_json::to_value(row.kind).unwrap();
    let at = row.production_at.unwrap().0;
    line(kind.as_str().unwrap(), at, row.commits.into(), [row.lead_time, row.lead_time_longest].map(number), &segments)
}

fn line_of_report(release: &Value) -> String {
    let number = |value: &Value| value.as_i64();
    let segments: Vec<Option<i64>> = release["segments"].as_array().unwrap().iter().map(number).collect();
    let at = release["at"].as_i64().unwrap();
    let leads = [number(&release["lead_time"]), number(&release["lead_time_longest"])];
    line(release["kind"].as_str().unwrap(), at, release["commits"].as_i64().unwrap(), leads, &segments)
}

/// With a token the releases are those that were made, and each has the figures that the history of the API comes to in the tables.
async fn holds(name: &str, seen: &[&str]) {
    let tried = Tried::new(name).await;
    let said = tried.json(Some(TOKEN)).await;
    assert_eq!((&said["releases_are"], &said["project"]["state"]), (&"deployments".into(), &"read".into()), "{said}");
    assert_eq!(said["unreadable"], serde_json::json!({}));
    for what in seen {
        assert!(!unseen(&said).contains(what), "{what}");
    }
    let found = releases(&said);
    let (demo, told) = tokio::task::spawn_blocking(histories).await.unwrap();
    let own = |version: &Version| tried.ids.get(version.as_str()).map_or(version.as_str(), String::as_str).to_owned();
    let facts = facts_of(demo, told.iter().cloned()).unwrap();
    let rows = facts.iter().filter_map(|fact| match fact {
        Fact::Release(row) if row.component.as_str() == name && row.production_at.is_some() => Some(row),
        _ => None,
    });
    let rows: BTreeMap<String, String> = rows.map(|row| (own(&row.version), line_of_row(row))).collect();
    let shown: BTreeMap<String, String> =
        found.iter().map(|(version, release)| (version.clone(), line_of_report(release))).collect();
    let wrong: Vec<_> = rows.iter().filter(|(version, row)| shown.get(*version) != Some(*row)).collect();
    let example = wrong.first().map(|(version, row)| format!("{:?} instead of {row}", shown.get(*version)));
    assert!(wrong.is_empty(), "{} of {} differ: {example:?}", wrong.len(), rows.len());
    let made = demo.expected.releases.iter().filter(|release| release.component.as_str() == name);
    let made: BTreeMap<String, (i64, usize)> =
        made.map(|release| (own(&release.version), (release.production_at.0, release.commits.len()))).collect();
    let found: BTreeMap<String, (i64, usize)> = found
        .iter()
        .map(|(version, release)| {
            let at = release["at"].as_i64().unwrap();
            (version.clone(), (at, release["commits"].as_u64().unwrap() as usize))
        })
        .collect();
    assert!(made.len() > 20, "{} releases are no half year", made.len());
    assert_eq!(found, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_and_a_token_show_where_the_time_went() {
    holds("storefront", &["reviews", "builds", "deployments"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_and_a_token_show_the_wait_at_gates() {
    holds("billing", &["reviews", "builds", "deployments", "approvals"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_git_speaks_alone_and_says_how_to_get_more() {
    let tried = Tried::new("storefront").await;
    let said = tried.json(None).await;
    assert_eq!((&said["project"]["state"], &said["releases_are"]), (&"no_token".into(), &"tags".into()));
    assert_eq!(unseen(&said), ["reviews", "builds", "deployments", "approvals", "incidents"]);
    let said = tried.run(None, &[]).await;
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("not asked: acme/storefront of GitHub") && said.contains("GITHUB_TOKEN"), "{said}");
    assert!(tried.api.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_api_leaves_what_git_told() {
    let tried = Tried::new("storefront").await;
    let said = tried.json(Some("wr0ng")).await;
    let error = said["project"]["error"].as_str().unwrap();
    assert!(error.contains("401") && error.contains("make a new one") && !error.contains("wr0ng"), "{error}");
    assert!(said["read"]["commits"].as_u64().unwrap() > 100, "{said}");
    let said = tried.run(Some("wr0ng"), &[]).await;
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("nothing is known from acme/storefront of GitHub") && said.contains("commits of main"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_not_waited_for_and_what_was_read_till_then_counts() {
    let tried = Tried::with("storefront", &[(40, Fault::UsedUp)]).await;
    let said = tried.json(Some(TOKEN)).await;
    let project = &said["project"];
    assert!(project["error"].as_str().unwrap().contains("waiting for the rate limit until"), "{project}");
    assert!(project["objects"]["commit"].as_u64().unwrap() > 100, "{project}");
    assert!(said["read"]["commits"].as_u64().unwrap() > 100, "{said}");
}
