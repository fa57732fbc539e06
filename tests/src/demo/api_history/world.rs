//! The demo as GitHub's API would show it at the end: of each object the newest that a webhook carried, without what the API leaves
//! out of its lists, and the commits and tags of the repositories as they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::git::{Account, Commit, Git};
use super::super::github::user;
use super::super::{GITHUB, Webhook};
use super::api::World;

/// Members of a pull request that are in webhooks and in no list.
const NOT_LISTED: &[&str] =
    &["merged", "merged_by", "comments", "review_comments", "commits", "additions", "deletions", "changed_files"];

/// Adds a repository, by the webhooks that it sent.
pub fn add(world: &mut World, git: &Git, webhooks: &[&Webhook]) {
    let mut seen = Seen::default();
    let mut sorted: Vec<&&Webhook> = webhooks.iter().filter(|webhook| webhook.source == GITHUB).collect();
    sorted.sort_by_key(|webhook| webhook.occurred_at);
    for webhook in sorted {
        let body: Value = serde_json::from_slice(&webhook.body).unwrap();
        seen.see(webhook.event.as_deref().unwrap(), &body);
    }
    let path = format!("/repos/{}", seen.repository["full_name"].as_str().unwrap());
    seen.add_commits(world, git, &path);
    seen.add_pulls(world, git, &path);
    seen.add_runs(world, &path);
    seen.add_deployments(world, &path);
    world.lists.insert(format!("{path}/releases"), seen.releases.into_values().collect());
    world.objects.insert(path, seen.repository);
}

/// Newest objects by their ids.
#[derive(Default)]
struct Seen {
    repository: Value,
    tip: String,
    tags: BTreeMap<String, String>,
    pulls: BTreeMap<u64, Value>,
    reviews: BTreeMap<u64, Vec<Value>>,
    workflows: BTreeMap<u64, Value>,
    runs: BTreeMap<u64, BTreeMap<u64, Value>>,
    jobs: BTreeMap<u64, Value>,
    deployments: BTreeMap<u64, Value>,
    statuses: BTreeMap<u64, Vec<Value>>,
    approvals: BTreeMap<u64, Vec<Value>>,
    pending: BTreeMap<u64, Vec<Value>>,
    releases: BTreeMap<u64, Value>,
}

fn id(object: &Value) -> u64 {
    object["id"].as_u64().unwrap()
}

impl Seen {
    fn see(&mut self, event: &str, body: &Value) {
        self.repository = body["repository"].clone();
        match event {
            "push" => self.see_push(body),
            "pull_request" => {
                let mut pull = body["pull_request"].clone();
                pull.as_object_mut().unwrap().retain(|name, _| !NOT_LISTED.contains(&name.as_str()));
                self.pulls.insert(pull["number"].as_u64().unwrap(), pull);
            }
            "pull_request_review" => {
                let mut review = body["review"].clone();
                review["state"] = json!(review["state"].as_str().unwrap().to_uppercase());
                self.reviews.entry(body["pull_request"]["number"].as_u64().unwrap()).or_default().push(review);
            }
            "workflow_run" => {
                let (run, workflow) = (&body["workflow_run"], &body["workflow"]);
                self.workflows.insert(id(workflow), workflow.clone());
                self.runs.entry(id(run)).or_default().insert(run["run_attempt"].as_u64().unwrap(), run.clone());
            }
            "workflow_job" => {
                self.jobs.insert(id(&body["workflow_job"]), body["workflow_job"].clone());
            }
            "deployment" => {
                self.deployments.insert(id(&body["deployment"]), body["deployment"].clone());
            }
            "deployment_status" => {
                let deployment = &body["deployment"];
                self.deployments.insert(id(deployment), deployment.clone());
                self.statuses.entry(id(deployment)).or_default().insert(0, body["deployment_status"].clone());
            }
            "deployment_review" => self.see_review(body),
            "release" => {
                self.releases.insert(id(&body["release"]), body["release"].clone());
            }
            "create" => {}
            other => panic!("the API shows nothing of {other}"),
        }
    }

    fn see_push(&mut self, body: &Value) {
        let (name, head) = (body["ref"].as_str().unwrap(), &body["head_commit"]["id"]);
        if name == "refs/heads/main" {
            self.tip = body["after"].as_str().unwrap().to_owned();
        } else if let (true, Some(head)) = (name.starts_with("refs/tags/"), head.as_str()) {
            self.tags.insert(name.to_owned(), head.to_owned());
        }
    }

    fn see_review(&mut self, body: &Value) {
        let environment = body["workflow_job_run"]["environment"].clone();
        let run = id(&body["workflow_run"]);
        if body["action"] == "requested" {
            let pending = json!({ "environment": { "name": environment }, "reviewers": body["reviewers"] });
            self.pending.entry(run).or_default().push(pending);
        } else {
            let environments = json!([{ "name": environment }]);
            let answer = json!({ "state": body["action"], "comment": body["comment"], "environments": environments, "user": body["approver"] });
            self.approvals.entry(run).or_default().push(answer);
        }
    }

    fn add_commits(&self, world: &mut World, git: &Git, path: &str) {
        let mut main: Vec<&Commit> = git.reachable(&self.tip).into_iter().filter_map(|sha| git.commit(sha)).collect();
        main.sort_by_key(|commit| std::cmp::Reverse(commit.committed_at));
        for commit in &main {
            let mut whole = api_commit(commit);
            whole["files"] =
                commit.paths.iter().map(|path| json!({ "filename": path, "status": "modified" })).collect();
            world.objects.insert(format!("{path}/commits/{}", commit.sha), whole);
        }
        world.lists.insert(format!("{path}/commits"), main.into_iter().map(api_commit).collect());
        let tag = |(name, sha): (&String, &String)| json!({ "ref": name, "object": { "type": "commit", "sha": sha } });
        world.lists.insert(format!("{path}/git/matching-refs/tags/"), self.tags.iter().map(tag).collect());
        for sha in self.tags.values() {
            let date = rfc3339(git.commit(sha).unwrap().committed_at);
            world.objects.insert(format!("{path}/git/commits/{sha}"), json!({ "committer": { "date": date } }));
        }
    }

    fn add_pulls(&self, world: &mut World, git: &Git, path: &str) {
        let mut pulls: Vec<Value> = self.pulls.values().cloned().collect();
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull["updated_at"].to_string()));
        for pull in &pulls {
            let end = |name: &str| git.reachable(pull[name]["sha"].as_str().unwrap());
            let own: BTreeSet<&str> = end("head").difference(&end("base")).copied().collect();
            let commits = own.into_iter().filter_map(|sha| git.commit(sha)).map(api_commit).collect();
            world.lists.insert(format!("{path}/pulls/{}/commits", pull["number"]), commits);
            let reviews = self.reviews.get(&pull["number"].as_u64().unwrap()).cloned().unwrap_or_default();
            world.lists.insert(format!("{path}/pulls/{}/reviews", pull["number"]), reviews);
        }
        world.lists.insert(format!("{path}/pulls"), pulls);
    }

    fn add_runs(&self, world: &mut World, path: &str) {
        world.lists.insert(format!("{path}/actions/workflows"), self.workflows.values().cloned().collect());
        for (run, attempts) in &self.runs {
            let jobs = self.jobs.values().filter(|job| job["run_id"] == *run).cloned().collect();
            world.lists.insert(format!("{path}/actions/runs/{run}/jobs"), jobs);
            for (attempt, run_then) in attempts {
                world.objects.insert(format!("{path}/actions/runs/{run}/attempts/{attempt}"), run_then.clone());
            }
        }
        for (job, object) in &self.jobs {
            world.objects.insert(format!("{path}/actions/jobs/{job}"), object.clone());
        }
        let latest = self.runs.values().filter_map(|attempts| attempts.values().last());
        world.lists.insert(format!("{path}/actions/runs"), latest.cloned().collect());
        for (list, name) in [(&self.approvals, "approvals"), (&self.pending, "pending_deployments")] {
            for (run, items) in list {
                world.lists.insert(format!("{path}/actions/runs/{run}/{name}"), items.clone());
            }
        }
    }

    fn add_deployments(&self, world: &mut World, path: &str) {
        let mut deployments: Vec<Value> = self.deployments.values().cloned().collect();
        deployments.sort_by_key(|deployment| std::cmp::Reverse(deployment["created_at"].to_string()));
        for deployment in &deployments {
            let statuses = self.statuses.get(&id(deployment)).cloned().unwrap_or_default();
            world.lists.insert(format!("{path}/deployments/{}/statuses", id(deployment)), statuses);
        }
        world.lists.insert(format!("{path}/deployments"), deployments);
    }
}

fn api_commit(commit: &Commit) -> Value {
    let git_user = |account: Account, date| json!({ "name": account.login, "email": account.email(), "date": date });
    let (authored_at, committed_at) = (rfc3339(commit.authored_at), rfc3339(commit.committed_at));
    let (committer, account) = if commit.by_github {
        let committer = json!({ "name": "GitHub", "email": "noreply@github.com", "date": committed_at });
        (committer, json!({ "login": "web-flow", "type": "User" }))
    } else {
        (git_user(commit.author, committed_at), user(commit.author))
    };
    let parents: Vec<Value> = commit.parents.iter().map(|sha| json!({ "sha": sha })).collect();
    json!({
        "sha": commit.sha,
        "commit": { "author": git_user(commit.author, authored_at), "committer": committer, "message": commit.message },
        "author": user(commit.author),
        "committer": account,
        "parents": parents,
    })
}
