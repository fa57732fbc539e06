//! The history of a project of GitLab.

use backfill::gitlab::{self, Part, Query};
use backfill::http::Client;
use model::Timestamp;
use model::inbox::InboxRecord;
use serde_json::{Value, json};

use super::gitlab_api::{PAGE, PATH, SINCE, at, date, sha, user, world};
use super::support::{Outcome, Server, TOKEN, read};
use super::{assert_told_both_ways, read_back, webhook};

/// A time in March as webhooks write it.
fn when(day: u32, hour: u32) -> Value {
    json!(format!("2026-03-{day:02} {hour:02}:00:00 UTC"))
}

fn project() -> Value {
    json!({ "id": 42, "name": "Shop", "web_url": PAGE, "path_with_namespace": PATH, "default_branch": "main",
            "ci_config_path": null })
}

/// What GitLab sends, with the time at which it arrives.
#[derive(Default)]
struct Sent(Vec<InboxRecord>);

impl Sent {
    fn send(&mut self, day: u32, hour: u32, mut body: Value) {
        body["project"] = project();
        let received_at = format!("2026-03-{day:02}T{hour:02}:00:01.300Z");
        self.0.push(webhook("gitlab", self.0.len(), &received_at, &body));
    }

    fn push(&mut self, (day, hour): (u32, u32), branch: &str, before: u32, commits: &[(u32, (u32, u32))]) {
        let told = |(n, (day, hour)): &(u32, (u32, u32))| {
            json!({ "id": sha(*n), "message": format!("Change {n}\n"), "timestamp": date(*day, *hour).replace(".000", ""),
                    "author": { "name": "Robin", "email": "robin@example.com" },
                    "added": [], "modified": ["src/b.rs"], "removed": [] })
        };
        let after = sha(commits.last().unwrap().0);
        let body = json!({
            "object_kind": "push", "event_name": "push", "ref": format!("refs/heads/{branch}"), "before": sha(before),
            "after": after, "checkout_sha": after, "ref_protected": branch == "main", "user_username": "robin",
            "user_email": "", "total_commits_count": commits.len(), "commits": commits.iter().map(told).collect::<Vec<_>>(),
        });
        self.send(day, hour, body);
    }

    fn tag(&mut self, (day, hour): (u32, u32), name: &str, commit: u32) {
        let body = json!({
            "object_kind": "tag_push", "event_name": "tag_push", "ref": format!("refs/tags/{name}"), "before": sha(0),
            "after": sha(90 + commit), "checkout_sha": sha(commit), "user_username": "robin", "user_email": "",
            "commits": [], "total_commits_count": 0,
        });
        self.send(day, hour, body);
    }

    /// A merge request after an action by that account at that time.
    fn change(
        &mut self,
        (day, hour): (u32, u32),
        (iid, branch, head): (u32, &str, u32),
        made: (u32, u32),
        action: &str,
        by: &str,
    ) {
        let state = match action {
            "merge" => "merged",
            "close" => "closed",
            _ => "opened",
        };
        let (merged, squashed) = match (action, iid) {
            ("merge", 7) => (json!(sha(13)), Value::Null),
            ("merge", _) => (Value::Null, json!(sha(24))),
            _ => (Value::Null, Value::Null),
        };
        let body = json!({
            "object_kind": "merge_request", "event_type": "merge_request", "user": user(by),
            "object_attributes": {
                "id": 9000 + iid, "iid": iid, "url": format!("{PAGE}/-/merge_requests/{iid}"), "action": action,
                "state": state, "draft": false, "work_in_progress": false, "author_id": user("robin")["id"],
                "source_branch": branch, "target_branch": "main", "source": project(), "target": project(),
                "last_commit": { "id": sha(head), "message": "…" }, "merge_commit_sha": merged,
                "squash_commit_sha": squashed, "created_at": when(made.0, made.1), "updated_at": when(day, hour),
            },
            "labels": [{ "title": "payments" }],
            "changes": { "updated_at": { "previous": null, "current": when(day, hour) } },
            "assignees": [], "reviewers": [],
        });
        self.send(day, hour, body);
    }

    fn pipeline(&mut self, (day, hour): (u32, u32), told: &Pipeline<'_>, status: &str, builds: &[Value]) {
        let (id, (made_day, made_hour)) = (told.id, told.made);
        let finished_at = if told.is_over { when(made_day, made_hour + 4) } else { Value::Null };
        let of_change = told.change.map(|iid| json!({ "id": 9000 + iid, "iid": iid, "target_project_id": 42 }));
        let parent = (told.source == "parent_pipeline")
            .then(|| json!({ "project": project(), "job_id": 803, "pipeline_id": 501 }));
        let body = json!({
            "object_kind": "pipeline",
            "object_attributes": {
                "id": id, "iid": id - 490, "ref": told.branch, "tag": false, "sha": sha(told.commit),
                "source": told.source, "status": status, "created_at": when(made_day, made_hour),
                "finished_at": finished_at, "duration": null, "queued_duration": 6,
                "url": format!("{PAGE}/-/pipelines/{id}"),
            },
            "merge_request": of_change, "user": user("kim"), "builds": builds, "source_pipeline": parent,
        });
        self.send(day, hour, body);
    }

    fn job(&mut self, (day, hour): (u32, u32), commit: u32, pipeline: u32, build: &Value) {
        let mut body = json!({
            "object_kind": "build", "ref": "main", "tag": false, "sha": sha(commit), "pipeline_id": pipeline,
            "project_id": 42, "commit": { "id": pipeline, "sha": sha(commit) },
            "user": build["user"], "runner": build["runner"], "environment": build["environment"],
        });
        for (name, value) in build.as_object().unwrap() {
            if !["user", "runner", "environment", "when", "manual"].contains(&name.as_str()) {
                body[format!("build_{name}")] = value.clone();
            }
        }
        self.send(day, hour, body);
    }

    fn deployment(&mut self, (day, hour): (u32, u32), (id, job, commit): (u32, u32, u32), status: &str, more: Value) {
        let mut body = json!({
            "object_kind": "deployment", "status": status, "status_changed_at": when(day, hour), "deployment_id": id,
            "deployable_id": job, "deployable_url": format!("{PAGE}/-/jobs/{job}"), "environment": "production",
            "environment_tier": "production", "ref": "main", "short_sha": &sha(commit)[..8], "user": user("kim"),
            "commit_url": format!("{PAGE}/-/commit/{}", sha(commit)),
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.send(day, hour, body);
    }
}

struct Pipeline<'p> {
    id: u32,
    commit: u32,
    branch: &'p str,
    source: &'p str,
    made: (u32, u32),
    change: Option<u32>,
    is_over: bool,
}

const PUSHED: Pipeline<'static> =
    Pipeline { id: 0, commit: 0, branch: "main", source: "push", made: (0, 0), change: None, is_over: true };

/// A job of a pipeline made then, that ran from there to there; one that deploys, to production.
fn build(id: u32, name: &str, status: &str, made: (u32, u32), ran: Option<((u32, u32), (u32, u32))>) -> Value {
    let deploys = name.starts_with("deploy");
    let environment = json!({ "name": "production", "action": "start", "deployment_tier": "production" });
    let runner = json!({ "id": 77, "description": "the machine", "runner_type": "instance_type", "tags": ["linux"] });
    json!({
        "id": id, "name": name, "stage": name, "status": status, "created_at": when(made.0, made.1),
        "started_at": ran.map(|((day, hour), _)| when(day, hour)),
        "finished_at": ran.map(|(_, (day, hour))| when(day, hour)),
        "queued_duration": ran.map(|_| 2.5), "failure_reason": null, "allow_failure": false, "when": "on_success",
        "manual": false, "user": user("kim"), "runner": ran.map(|_| runner),
        "environment": deploys.then_some(environment),
    })
}

/// Everything that GitLab sent of the history that its API shows in the end.
fn webhooks() -> Vec<InboxRecord> {
    let mut sent = Sent::default();
    sent.push((1, 10), "main", 1, &[(2, (1, 10))]);
    let first = Pipeline { id: 499, commit: 2, made: (1, 11), ..PUSHED };
    let builds = [
        build(798, "deploy", "success", (1, 11), Some(((1, 12), (1, 13)))),
        build(797, "test", "success", (1, 11), Some(((1, 11), (1, 12)))),
    ];
    sent.deployment((1, 12), (14, 798, 2), "running", Value::Null);
    sent.deployment((1, 13), (14, 798, 2), "success", Value::Null);
    sent.pipeline((1, 15), &first, "success", &builds);

    let cards = (7, "cards", 12);
    sent.push((2, 10), "cards", 0, &[(11, (2, 9)), (12, (2, 10))]);
    sent.change((2, 8), cards, (2, 8), "open", "robin");
    sent.change((2, 8), (6, "tills", 20), (2, 8), "open", "robin");
    sent.change((3, 15), cards, (2, 8), "approved", "lee");
    sent.change((4, 8), cards, (2, 8), "merge", "kim");
    sent.push((4, 8), "main", 2, &[(11, (2, 9)), (12, (2, 10)), (13, (4, 8))]);
    let second = Pipeline { id: 500, commit: 13, made: (4, 9), is_over: false, ..PUSHED };
    let mut failed = build(799, "test", "failed", (4, 9), Some(((4, 9), (4, 10))));
    failed["failure_reason"] = json!("runner_system_failure");
    sent.job((4, 10), 13, 500, &failed);
    let tested = build(800, "test", "success", (4, 9), Some(((4, 10), (4, 11))));
    let waits = build(801, "deploy", "manual", (4, 9), None);
    sent.pipeline((4, 11), &second, "manual", &[waits, tested.clone()]);
    sent.deployment((4, 11), (15, 801, 13), "blocked", Value::Null);
    let rule = json!({ "id": 7, "required_approvals": 1 });
    let approval = json!({ "id": 3, "status": "approved", "created_at": at(4, 11), "approval_rule": rule });
    let more = json!({ "approver": user("lee"), "approval": approval, "status_changed_at": at(4, 11) });
    sent.deployment((4, 11), (15, 801, 13), "approved", more);
    sent.deployment((4, 12), (15, 801, 13), "running", Value::Null);
    sent.deployment((4, 13), (15, 801, 13), "success", Value::Null);
    let deployed = build(801, "deploy", "success", (4, 9), Some(((4, 12), (4, 13))));
    sent.pipeline((4, 13), &Pipeline { is_over: true, ..second }, "success", &[deployed, tested]);
    sent.tag((5, 9), "v1.2.0", 13);
    let release = json!({
        "object_kind": "release", "action": "create", "id": 60, "tag": "v1.2.0", "name": "Version 1.2.0",
        "created_at": when(5, 10), "released_at": when(5, 9), "url": format!("{PAGE}/-/releases/v1.2.0"),
        "commit": { "id": sha(13), "message": "…" },
    });
    sent.send(5, 10, release);

    let till = (8, "till", 22);
    sent.change((5, 8), (6, "tills", 20), (2, 8), "close", "kim");
    sent.push((5, 10), "till", 0, &[(21, (5, 9)), (22, (5, 10))]);
    sent.change((5, 11), till, (5, 11), "open", "robin");
    sent.change((5, 12), till, (5, 11), "approved", "lee");
    sent.change((5, 13), till, (5, 11), "unapproved", "lee");
    sent.change((5, 14), till, (5, 11), "approved", "lee");
    sent.change((6, 8), till, (5, 11), "merge", "kim");
    sent.push((6, 8), "main", 13, &[(24, (6, 8))]);
    let third = Pipeline { id: 501, commit: 24, made: (6, 9), ..PUSHED };
    let builds = [
        build(804, "deploy again", "manual", (6, 9), None),
        build(803, "deploy", "success", (6, 9), Some(((6, 10), (6, 11)))),
        build(802, "test", "success", (6, 9), Some(((6, 9), (6, 10)))),
    ];
    sent.deployment((6, 10), (16, 803, 24), "running", Value::Null);
    sent.deployment((6, 11), (16, 803, 24), "success", Value::Null);
    sent.deployment((6, 12), (17, 804, 24), "blocked", Value::Null);
    sent.tag((6, 12), "v1.3.0", 24);
    sent.pipeline((6, 13), &third, "manual", &builds);
    let child = Pipeline { id: 503, commit: 24, source: "parent_pipeline", made: (6, 10), ..PUSHED };
    sent.pipeline((6, 14), &child, "success", &[build(806, "lint", "success", (6, 10), Some(((6, 10), (6, 11))))]);

    sent.push((7, 7), "gifts", 0, &[(31, (7, 7))]);
    sent.change((7, 7), (9, "gifts", 31), (7, 7), "open", "robin");
    sent.change((7, 8), (9, "gifts", 31), (7, 7), "update", "robin");
    let source = "merge_request_event";
    let of_change =
        Pipeline { id: 502, commit: 31, branch: "gifts", source, made: (7, 8), change: Some(9), is_over: true };
    sent.pipeline((7, 12), &of_change, "success", &[build(805, "test", "success", (7, 8), Some(((7, 8), (7, 9))))]);
    sent.0
}

async fn history() -> Vec<InboxRecord> {
    let server = Server::serve(world(), &[]).await;
    let client = Client::new(gitlab::api(&format!("{}/api/v4", server.root), Some(TOKEN.into()))).unwrap();
    let since = Timestamp::parse_rfc3339(SINCE).unwrap();
    let query = Query { project: PATH.into(), since, parts: Part::ALL.into(), paths: false };
    let outcome: Outcome<Part> =
        read(usize::MAX, async |keep, sink| gitlab::resume(&client, &query, <_>::default(), keep, sink).await).await;
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome.deliveries.into_iter().map(read_back).collect()
}

#[tokio::test]
async fn a_history_of_gitlab_is_the_one_that_webhooks_tell() {
    // GitLab's webhooks tell neither parents nor when a commit was written.
    let beyond = ["release_commits.lineage", "release_commits.origin"];
    let lacking = [
        // The branch of a pipeline of a merge request.
        "builds.ref_name",
        // Since when a deployment was blocked.
        "release_commits.batch_wait",
        "release_commits.lineage",
        // When a commit was pushed that no merge request brought.
        "release_commits.merged_at",
        "release_commits.origin",
        "release_commits.unaccounted",
        "releases.batch_wait",
        // An approval that was taken back and given again.
        "releases.review_approval",
        "releases.review_pickup",
        "releases.unaccounted",
    ];
    assert_told_both_ways(&webhooks(), &history().await, &beyond, &lacking);
}
