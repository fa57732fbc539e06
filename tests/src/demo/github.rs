//! Bodies of GitHub's webhooks, with the keys that GitHub documents and the demo's own values.
//! See <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.

use serde_json::{Value, json};

use super::clock::{Seconds, rfc3339};
use super::git::{Account, Commit};

/// The id that stands for "no commit".
pub const NOTHING: &str = "0000000000000000000000000000000000000000";
const ORGANISATION: &str = "acme";

/// A repository.
#[derive(Clone, Copy, Debug)]
pub struct Repo {
    pub name: &'static str,
    pub id: i64,
    pub created_at: Seconds,
}

/// A pull request as it stands.
#[derive(Clone, Debug)]
pub struct Pull {
    pub number: i64,
    pub id: i64,
    pub title: String,
    pub author: Account,
    pub branch: String,
    pub head: String,
    pub base: String,
    pub commits: usize,
    pub changed_files: usize,
    pub draft: bool,
    pub created_at: Seconds,
    /// The commit that GitHub makes to try the merge, and after it the commit that brought it in.
    pub merge_commit: String,
    pub merged: Option<(Seconds, Account)>,
}

/// A workflow file.
#[derive(Clone, Copy, Debug)]
pub struct Workflow {
    pub id: i64,
    pub name: &'static str,
    pub file: &'static str,
}

/// A workflow run at one attempt.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: i64,
    pub number: i64,
    pub attempt: i32,
    pub workflow: Workflow,
    pub event: &'static str,
    pub branch: String,
    pub sha: String,
    pub title: String,
    pub actor: Account,
    pub triggering_actor: Account,
    pub created_at: Seconds,
    /// When this attempt was asked for.
    pub attempt_at: Seconds,
    /// When its first job started on a runner.
    pub started_at: Option<Seconds>,
    pub pull: Option<Pull>,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Waiting,
    Queued,
    Running,
    Ended(&'static str),
}

/// Where a job runs.
#[derive(Clone, Copy, Debug)]
pub struct Runner {
    pub labels: &'static [&'static str],
    pub group: &'static str,
}

/// A job of a run.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: i64,
    pub name: &'static str,
    pub steps: &'static [&'static str],
    pub failing_step: Option<usize>,
    pub runner: Runner,
    pub created_at: Seconds,
    pub started_at: Seconds,
    pub ended_at: Seconds,
}

/// A deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub id: i64,
    pub sha: String,
    pub ref_name: String,
    pub environment: &'static str,
    pub payload: Value,
    pub description: Option<&'static str>,
    pub creator: Account,
    pub created_at: Seconds,
}

/// A decision on a deployment review.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub approved: bool,
    pub approver: Account,
    pub comment: &'static str,
    pub at: Seconds,
}

pub fn user(account: Account) -> Value {
    json!({
        "login": account.login,
        "id": account.id,
        "html_url": format!("https://github.com/{}", account.login.replace("[bot]", "")),
        "type": if account.bot { "Bot" } else { "User" },
        "site_admin": false,
    })
}

fn team(slug: &str) -> Value {
    json!({ "name": slug, "id": 7_001, "slug": slug, "privacy": "closed", "permission": "push" })
}

impl Repo {
    /// `acme/shop`.
    pub fn full_name(&self) -> String {
        format!("{ORGANISATION}/{}", self.name)
    }

    pub fn html_url(&self) -> String {
        format!("https://github.com/{}", self.full_name())
    }

    fn api_url(&self) -> String {
        format!("https://api.github.com/repos/{}", self.full_name())
    }

    fn json(&self, at: Seconds) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "full_name": self.full_name(),
            "private": true,
            "owner": { "login": ORGANISATION, "id": 9_000, "type": "Organization" },
            "html_url": self.html_url(),
            "url": self.api_url(),
            "fork": false,
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(at),
            "pushed_at": rfc3339(at),
            "clone_url": format!("{}.git", self.html_url()),
            "default_branch": "main",
            "visibility": "private",
        })
    }

    /// Adds what every body has.
    pub fn wrap(&self, mut body: Value, sender: Account, at: Seconds) -> Value {
        body["repository"] = self.json(at);
        body["organization"] = json!({ "login": ORGANISATION, "id": 9_000 });
        body["sender"] = user(sender);
        body
    }

    fn commit(&self, commit: &Commit) -> Value {
        let Account { login, .. } = commit.author;
        let (email, committed_at) = (commit.author.email(), rfc3339(commit.committed_at));
        let author = json!({ "name": login, "email": email, "username": login, "date": rfc3339(commit.authored_at) });
        // What GitHub commits by itself (squash, merge, rebase on the page) it signs with its own account.
        let (name, email, login) = if commit.by_github {
            ("GitHub", "noreply@github.com", "web-flow")
        } else {
            (login, email.as_str(), login)
        };
        let committer = json!({ "name": name, "email": email, "username": login, "date": committed_at });
        json!({
            "id": commit.sha,
            "tree_id": commit.sha.chars().rev().collect::<String>(),
            "distinct": true,
            "message": commit.message,
            "timestamp": committed_at,
            "url": format!("{}/commit/{}", self.html_url(), commit.sha),
            "author": author,
            "committer": committer,
            "added": [],
            "removed": [],
            "modified": commit.paths,
        })
    }

    /// `push` of a branch or a tag; no commits on both ends makes or deletes it.
    pub fn push(&self, push: &Push<'_>) -> Value {
        let commits: Vec<Value> = push.commits.iter().map(|commit| self.commit(commit)).collect();
        let mut body = json!({
            "ref": push.ref_name,
            "before": push.before,
            "after": push.after,
            "created": push.before == NOTHING,
            "deleted": push.after == NOTHING,
            "forced": push.forced,
            "base_ref": push.ref_name.starts_with("refs/tags/").then_some("refs/heads/main"),
            "compare": format!("{}/compare/{}...{}", self.html_url(), &push.before[..12], &push.after[..12]),
            "head_commit": push.head.map(|commit| self.commit(commit)),
            "commits": commits,
            "pusher": { "name": push.by.login, "email": push.by.email() },
        });
        body = self.wrap(body, push.by, push.at);
        // In pushes, and only there, these are numbers.
        body["repository"]["created_at"] = json!(self.created_at);
        body["repository"]["pushed_at"] = json!(push.at);
        body
    }

    fn pull(&self, pull: &Pull, at: Seconds) -> Value {
        let merged_at = pull.merged.map(|(at, _)| rfc3339(at));
        let side = |ref_name: &str, sha: &str| {
            json!({
                "label": format!("{ORGANISATION}:{ref_name}"),
                "ref": ref_name,
                "sha": sha,
                "user": { "login": ORGANISATION, "id": 9_000, "type": "Organization" },
                "repo": { "id": self.id, "name": self.name, "full_name": self.full_name(), "fork": false,
                          "html_url": self.html_url(), "default_branch": "main" },
            })
        };
        json!({
            "url": format!("{}/pulls/{}", self.api_url(), pull.number),
            "html_url": format!("{}/pull/{}", self.html_url(), pull.number),
            "id": pull.id,
            "number": pull.number,
            "state": if merged_at.is_some() { "closed" } else { "open" },
            "locked": false,
            "title": pull.title,
            "user": user(pull.author),
            "body": null,
            "created_at": rfc3339(pull.created_at),
            "updated_at": rfc3339(at),
            "closed_at": merged_at,
            "merged_at": merged_at,
            "merge_commit_sha": pull.merge_commit,
            "requested_reviewers": [],
            "requested_teams": [],
            "labels": [],
            "draft": pull.draft,
            "head": side(&pull.branch, &pull.head),
            "base": side("main", &pull.base),
            "auto_merge": null,
            "merged": merged_at.is_some(),
            "merged_by": pull.merged.map(|(_, by)| user(by)),
            "comments": 0,
            "review_comments": 0,
            "commits": pull.commits,
            "additions": 12 * pull.commits,
            "deletions": 5 * pull.commits,
            "changed_files": pull.changed_files,
        })
    }

    /// `pull_request` with that action.
    pub fn pull_request(&self, action: &str, pull: &Pull, sender: Account, at: Seconds) -> Value {
        let body = json!({ "action": action, "number": pull.number, "pull_request": self.pull(pull, at) });
        self.wrap(body, sender, at)
    }

    /// `pull_request_review` submitted; the state is `approved`, `changes_requested` or `commented`.
    pub fn review(&self, pull: &Pull, id: i64, state: &str, reviewer: Account, at: Seconds) -> Value {
        let body = json!({
            "action": "submitted",
            "review": {
                "id": id,
                "user": user(reviewer),
                "body": null,
                "commit_id": pull.head,
                "submitted_at": rfc3339(at),
                "state": state,
                "html_url": format!("{}/pull/{}#pullrequestreview-{id}", self.html_url(), pull.number),
                "author_association": "MEMBER",
            },
            "pull_request": self.pull(pull, at),
        });
        self.wrap(body, reviewer, at)
    }

    fn run_url(&self, run: &Run) -> String {
        format!("{}/actions/runs/{}", self.html_url(), run.id)
    }

    fn run(&self, run: &Run, status: &str, conclusion: Option<&str>, at: Seconds) -> Value {
        let pulls: Vec<Value> = run
            .pull
            .iter()
            .map(|pull| {
                json!({
                    "id": pull.id,
                    "number": pull.number,
                    "url": format!("{}/pulls/{}", self.api_url(), pull.number),
                    "head": { "ref": pull.branch, "sha": pull.head, "repo": { "id": self.id, "name": self.name } },
                    "base": { "ref": "main", "sha": pull.base, "repo": { "id": self.id, "name": self.name } },
                })
            })
            .collect();
        json!({
            "id": run.id,
            "name": run.workflow.name,
            "node_id": format!("WFR_{}", run.id),
            "path": format!(".github/workflows/{}", run.workflow.file),
            "head_branch": run.branch,
            "head_sha": run.sha,
            "display_title": run.title,
            "run_number": run.number,
            "event": run.event,
            "status": status,
            "conclusion": conclusion,
            "workflow_id": run.workflow.id,
            "check_suite_id": run.id + 500_000_000,
            "url": format!("{}/actions/runs/{}", self.api_url(), run.id),
            "html_url": self.run_url(run),
            "pull_requests": pulls,
            "created_at": rfc3339(run.created_at),
            "updated_at": rfc3339(at),
            "actor": user(run.actor),
            "triggering_actor": user(run.triggering_actor),
            "run_attempt": run.attempt,
            "run_started_at": rfc3339(run.attempt_at),
        })
    }

    fn workflow(&self, run: &Run) -> Value {
        json!({
            "id": run.workflow.id,
            "name": run.workflow.name,
            "path": format!(".github/workflows/{}", run.workflow.file),
            "state": "active",
        })
    }

    /// `workflow_run`: the action is `requested`, `in_progress` or `completed`.
    pub fn workflow_run(&self, action: &str, run: &Run, conclusion: Option<&str>, at: Seconds) -> Value {
        let status = if action == "requested" { "queued" } else { action };
        let body = json!({
            "action": action,
            "workflow_run": self.run(run, status, conclusion, at),
            "workflow": self.workflow(run),
        });
        self.wrap(body, run.triggering_actor, at)
    }

    /// `workflow_job`; with the deployment when it has an environment.
    pub fn workflow_job(
        &self,
        run: &Run,
        job: &Job,
        state: JobState,
        deployment: Option<&Deployment>,
        at: Seconds,
    ) -> Value {
        let (action, status, conclusion) = match state {
            JobState::Waiting => ("waiting", "waiting", None),
            JobState::Queued => ("queued", "queued", None),
            JobState::Running => ("in_progress", "in_progress", None),
            JobState::Ended(conclusion) => ("completed", "completed", Some(conclusion)),
        };
        let on_runner = job.started_at <= at && !matches!(state, JobState::Waiting | JobState::Queued);
        let mut body = json!({
            "action": action,
            "workflow_job": {
                "id": job.id,
                "run_id": run.id,
                "workflow_name": run.workflow.name,
                "head_branch": run.branch,
                "run_url": format!("{}/actions/runs/{}", self.api_url(), run.id),
                "run_attempt": run.attempt,
                "node_id": format!("CR_{}", job.id),
                "head_sha": run.sha,
                "url": format!("{}/actions/jobs/{}", self.api_url(), job.id),
                "html_url": format!("{}/job/{}", self.run_url(run), job.id),
                "status": status,
                "conclusion": conclusion,
                "created_at": rfc3339(job.created_at),
                // Set before anything has started, to the time of creation.
                "started_at": rfc3339(if on_runner { job.started_at } else { job.created_at }),
                "completed_at": conclusion.map(|_| rfc3339(at)),
                "name": job.name,
                "steps": if on_runner { job.steps(conclusion) } else { json!([]) },
                "check_run_url": format!("{}/check-runs/{}", self.api_url(), job.id),
                "labels": job.runner.labels,
                "runner_id": on_runner.then_some(11),
                "runner_name": on_runner.then(|| format!("{} 11", job.runner.group)),
                "runner_group_id": on_runner.then_some(1),
                "runner_group_name": on_runner.then_some(job.runner.group),
            },
        });
        if let Some(deployment) = deployment {
            body["deployment"] = self.deployment_json(deployment, at);
        }
        self.wrap(body, run.triggering_actor, at)
    }

    fn deployment_json(&self, deployment: &Deployment, at: Seconds) -> Value {
        json!({
            "url": format!("{}/deployments/{}", self.api_url(), deployment.id),
            "id": deployment.id,
            "node_id": format!("DE_{}", deployment.id),
            "task": "deploy",
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "created_at": rfc3339(deployment.created_at),
            "updated_at": rfc3339(at),
            "creator": user(deployment.creator),
            "sha": deployment.sha,
            "ref": deployment.ref_name,
            "payload": deployment.payload,
            "transient_environment": false,
            "production_environment": deployment.environment == "production",
            "performed_via_github_app": null,
        })
    }

    /// `deployment` created.
    pub fn deployment(&self, run: &Run, deployment: &Deployment) -> Value {
        let at = deployment.created_at;
        let body = json!({
            "action": "created",
            "deployment": self.deployment_json(deployment, at),
            "workflow": self.workflow(run),
            "workflow_run": self.run(run, "in_progress", None, at),
        });
        self.wrap(body, deployment.creator, at)
    }

    /// `deployment_status` created. `run` and `job` are those that deployed; what a later deployment supersedes has neither.
    pub fn deployment_status(
        &self,
        by: Option<(&Run, &Job)>,
        deployment: &Deployment,
        id: i64,
        state: &str,
        at: Seconds,
    ) -> Value {
        let url = by.map(|(run, job)| format!("{}/job/{}", self.run_url(run), job.id));
        let mut body = json!({
            "action": "created",
            "deployment_status": {
                "url": format!("{}/deployments/{}/statuses/{id}", self.api_url(), deployment.id),
                "id": id,
                "state": state,
                "creator": user(deployment.creator),
                "description": "",
                "environment": deployment.environment,
                "target_url": url,
                "log_url": url,
                "environment_url": "",
                "created_at": rfc3339(at),
                "updated_at": rfc3339(at),
                "deployment_url": format!("{}/deployments/{}", self.api_url(), deployment.id),
                "performed_via_github_app": null,
            },
            "deployment": self.deployment_json(deployment, at),
        });
        if let Some((run, job)) = by {
            body["check_run"] = json!({
                "id": job.id,
                "name": job.name,
                "head_sha": run.sha,
                "status": if matches!(state, "success" | "failure" | "error") { "completed" } else { state },
                "conclusion": null,
                "html_url": format!("{}/job/{}", self.run_url(run), job.id),
                "started_at": rfc3339(job.started_at.min(at)),
                "completed_at": null,
            });
            body["workflow"] = self.workflow(run);
            body["workflow_run"] = self.run(run, "in_progress", None, at);
        }
        self.wrap(body, deployment.creator, at)
    }

    fn review_body(&self, run: &Run, job: &Job, environment: &str, requested_at: Seconds, at: Seconds) -> Value {
        let job_run = json!({
            "id": job.id,
            "name": job.name,
            "status": "waiting",
            "conclusion": null,
            "html_url": format!("{}/job/{}", self.run_url(run), job.id),
            "created_at": rfc3339(job.created_at),
            "updated_at": rfc3339(at),
            "environment": environment,
        });
        json!({
            "workflow_run": self.run(run, "waiting", None, at),
            "since": rfc3339(requested_at),
            "workflow_job_run": job_run,
            "reviewers": [{ "type": "Team", "reviewer": team("change-board") }],
        })
    }

    /// `deployment_review` requested.
    pub fn review_requested(&self, run: &Run, job: &Job, environment: &str, at: Seconds) -> Value {
        let mut body = self.review_body(run, job, environment, at, at);
        body["action"] = json!("requested");
        body["environment"] = json!(environment);
        body["requestor"] = user(run.triggering_actor);
        self.wrap(body, run.triggering_actor, at)
    }

    /// `deployment_review` approved or rejected.
    pub fn review_decided(&self, run: &Run, job: &Job, environment: &str, since: Seconds, verdict: &Verdict) -> Value {
        let mut body = self.review_body(run, job, environment, since, verdict.at);
        body["action"] = json!(if verdict.approved { "approved" } else { "rejected" });
        body["approver"] = user(verdict.approver);
        body["comment"] = json!(verdict.comment);
        body["workflow_job_runs"] = json!([body["workflow_job_run"]]);
        self.wrap(body, verdict.approver, verdict.at)
    }

    /// `release` published.
    pub fn release(&self, id: i64, tag: &str, author: Account, at: Seconds) -> Value {
        let body = json!({
            "action": "published",
            "release": {
                "url": format!("{}/releases/{id}", self.api_url()),
                "html_url": format!("{}/releases/tag/{tag}", self.html_url()),
                "id": id,
                "author": user(author),
                "tag_name": tag,
                "target_commitish": "main",
                "name": tag,
                "draft": false,
                "prerelease": false,
                "created_at": rfc3339(at - 20),
                "published_at": rfc3339(at),
                "assets": [],
                "body": "",
            },
        });
        self.wrap(body, author, at)
    }
}

impl Job {
    /// The steps so far, which share the time in even parts.
    fn steps(&self, conclusion: Option<&str>) -> Value {
        let Some(conclusion) = conclusion else {
            return json!([{ "name": self.steps.first(), "status": "in_progress", "conclusion": null, "number": 1,
                            "started_at": rfc3339(self.started_at), "completed_at": null }]);
        };
        let parts = self.steps.len().max(1) as i64;
        let at = |part: i64| rfc3339(self.started_at + (self.ended_at - self.started_at) * part / parts);
        let failing = self.failing_step.filter(|_| conclusion == "failure");
        let step = |(i, name): (usize, &&str)| {
            let conclusion = match failing {
                Some(failing) if i == failing => "failure",
                Some(failing) if i > failing => "skipped",
                _ => "success",
            };
            json!({ "name": name, "status": "completed", "conclusion": conclusion, "number": i + 1,
                    "started_at": at(i as i64), "completed_at": at(i as i64 + 1) })
        };
        Value::Array(self.steps.iter().enumerate().map(step).collect())
    }
}

/// A branch or a tag moved.
#[derive(Debug)]
pub struct Push<'a> {
    pub ref_name: String,
    pub before: &'a str,
    pub after: &'a str,
    pub commits: &'a [Commit],
    /// The commit that it came to; none when it was deleted.
    pub head: Option<&'a Commit>,
    pub forced: bool,
    pub by: Account,
    pub at: Seconds,
}
