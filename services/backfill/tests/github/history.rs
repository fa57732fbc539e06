//! A small history in the shapes of GitHub's API.

use serde_json::{Value, json};

use crate::api::World;

/// From when on it is asked for; what is older is there as well.
pub const SINCE: &str = "2026-03-01T00:00:00Z";
const REPO: &str = "/repos/acme/shop";
const PAGE: &str = "https://github.com/acme/shop";

fn at(day: u32, hour: u32) -> String {
    format!("2026-03-{day:02}T{hour:02}:00:00Z")
}

pub fn sha(n: u32) -> String {
    format!("{n:040x}")
}

fn user(login: &str) -> Value {
    json!({ "login": login, "id": login.len(), "type": "User" })
}

fn commit(n: u32, parents: &[u32], date: &str) -> Value {
    let person = json!({ "name": "Ada", "email": "ada@example.com", "date": date });
    json!({
        "sha": sha(n),
        "html_url": format!("{PAGE}/commit/{}", sha(n)),
        "commit": { "author": person, "committer": person, "message": format!("Change {n}") },
        "author": user("ada"),
        "committer": null,
        "parents": parents.iter().map(|n| json!({ "sha": sha(*n) })).collect::<Vec<_>>(),
    })
}

fn pull(number: u32, state: &str, head: u32, merged: Option<&str>, updated_at: &str) -> Value {
    let end = |branch: &str, sha: String| json!({ "ref": branch, "sha": sha, "repo": { "id": 1, "html_url": PAGE } });
    json!({
        "id": 1000 + number, "number": number, "state": state, "user": user("ada"), "draft": false, "labels": [],
        "html_url": format!("{PAGE}/pull/{number}"),
        "created_at": at(2, 8), "updated_at": updated_at, "merged_at": merged,
        "closed_at": (state == "closed").then_some(updated_at),
        // There before the merge, too: the merge that was tried.
        "merge_commit_sha": sha(3),
        "head": end("feature", sha(head)), "base": end("main", sha(1)),
    })
}

fn review(id: u32, state: &str, submitted_at: Option<&str>) -> Value {
    json!({ "id": id, "state": state, "user": user("grace"), "commit_id": sha(12), "submitted_at": submitted_at,
            "body": "", "html_url": format!("{PAGE}/pull/7#pullrequestreview-{id}") })
}

fn run(id: u32, attempt: u32, created_at: &str) -> Value {
    json!({
        "id": id, "name": "Build", "workflow_id": 5, "path": ".github/workflows/build.yml", "run_number": id,
        "run_attempt": attempt, "event": "push", "status": "completed", "conclusion": "success", "head_sha": sha(3),
        "head_branch": "main", "pull_requests": [], "actor": user("ada"), "triggering_actor": user("ada"),
        "created_at": created_at, "run_started_at": created_at, "updated_at": at(4, 20),
        "html_url": format!("{PAGE}/actions/runs/{id}"),
    })
}

fn job(id: u32, run: u32, attempt: u32) -> Value {
    json!({
        "id": id, "run_id": run, "run_attempt": attempt, "name": "build", "status": "completed",
        "conclusion": "success", "head_sha": sha(3), "created_at": at(4, 9), "started_at": at(4, 10),
        "completed_at": at(4, 11), "steps": [], "labels": ["ubuntu-latest"], "runner_id": 1,
        "html_url": format!("{PAGE}/actions/runs/{run}/job/{id}"),
    })
}

fn deployment(id: u32, created_at: &str) -> Value {
    json!({ "id": id, "sha": sha(3), "ref": "main", "task": "deploy", "environment": "production", "payload": {},
            "creator": user("ada"), "created_at": created_at, "updated_at": at(5, 12),
            "production_environment": true, "transient_environment": false })
}

fn status(id: u32, state: &str, created_at: &str, job: u32) -> Value {
    let page = format!("{PAGE}/actions/runs/31/job/{job}");
    json!({ "id": id, "state": state, "environment": "production", "created_at": created_at,
            "log_url": page, "target_url": page, "creator": user("ada") })
}

/// Two commits on `main` and one older; a squash of two; pull requests that are merged, given up, open and old; a run that was tried
/// twice; a deployment that waited for a person and one that did not; tags of both kinds; a release and a draft.
pub fn world() -> World {
    let mut world = World::default();
    let mut object = |path: &str, value: Value| world.objects.insert(format!("{REPO}{path}"), value);
    object(
        "",
        json!({ "id": 1, "name": "shop", "full_name": "acme/shop", "html_url": PAGE, "default_branch": "main" }),
    );
    object(
        &format!("/git/tags/{}", sha(90)),
        json!({ "tagger": { "date": at(5, 9) }, "object": { "type": "commit", "sha": sha(3) } }),
    );
    object(&format!("/git/commits/{}", sha(2)), json!({ "sha": sha(2), "committer": { "date": at(3, 8) } }));
    object(
        &format!("/git/commits/{}", sha(1)),
        json!({ "sha": sha(1), "committer": { "date": "2026-01-01T00:00:00Z" } }),
    );
    object("/actions/runs/31/attempts/1", run(31, 1, &at(4, 8)));
    object("/actions/runs/31/attempts/2", run(31, 2, &at(4, 8)));
    object("/actions/jobs/42", job(42, 31, 2));
    for n in 2..=3 {
        let mut whole = commit(n, &[n - 1], &at(n + 1, 8));
        whole["files"] = json!([{ "filename": "src/lib.rs", "status": "modified" }]);
        object(&format!("/commits/{}", sha(n)), whole);
    }
    let mut list = |path: &str, items: Vec<Value>| world.lists.insert(format!("{REPO}{path}"), items);
    list(
        "/commits",
        vec![commit(3, &[2], &at(4, 8)), commit(2, &[1], &at(3, 8)), commit(1, &[], "2026-01-01T00:00:00Z")],
    );
    let tag = |name: &str, kind: &str, n: u32| json!({ "ref": format!("refs/tags/{name}"), "object": { "type": kind, "sha": sha(n) } });
    list("/git/matching-refs/tags/", vec![tag("old", "commit", 1), tag("v1", "commit", 2), tag("v2", "tag", 90)]);
    list(
        "/pulls",
        vec![
            pull(9, "open", 21, None, &at(6, 8)),
            pull(8, "closed", 20, None, &at(5, 8)),
            pull(7, "closed", 12, Some(&at(4, 8)), &at(4, 9)),
            pull(1, "closed", 1, Some("2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
        ],
    );
    list("/pulls/7/commits", vec![commit(11, &[1], &at(2, 9)), commit(12, &[11], &at(2, 10))]);
    list("/pulls/9/commits", vec![commit(21, &[3], &at(6, 7))]);
    list(
        "/pulls/7/reviews",
        vec![review(71, "CHANGES_REQUESTED", Some(&at(3, 9))), review(72, "APPROVED", Some(&at(4, 7)))],
    );
    list("/pulls/8/reviews", vec![]);
    list("/pulls/9/reviews", vec![review(91, "PENDING", None)]);
    list(
        "/actions/workflows",
        vec![json!({ "id": 5, "name": "Build", "path": ".github/workflows/build.yml", "state": "active" })],
    );
    list("/actions/runs", vec![run(32, 1, &at(5, 8)), run(31, 2, &at(4, 8)), run(30, 1, "2026-01-01T00:00:00Z")]);
    list("/actions/runs/31/jobs", vec![job(41, 31, 1), job(42, 31, 2)]);
    list("/actions/runs/32/jobs", vec![job(43, 32, 1)]);
    list(
        "/deployments",
        vec![deployment(52, &at(5, 8)), deployment(51, &at(4, 12)), deployment(50, "2026-01-01T00:00:00Z")],
    );
    list(
        "/deployments/52/statuses",
        vec![status(522, "success", &at(5, 9), 43), status(521, "in_progress", &at(5, 8), 43)],
    );
    list(
        "/deployments/51/statuses",
        vec![
            status(513, "success", &at(4, 15), 42),
            status(512, "in_progress", &at(4, 14), 42),
            status(511, "waiting", &at(4, 12), 42),
        ],
    );
    let environments = json!([{ "id": 1, "name": "production" }]);
    list(
        "/actions/runs/31/approvals",
        vec![json!({ "state": "approved", "comment": "", "environments": environments, "user": user("grace") })],
    );
    let release = |id: u32, draft: bool| {
        json!({ "id": id, "tag_name": "v2", "target_commitish": "main", "draft": draft,
        "prerelease": false, "published_at": (!draft).then(|| at(5, 10)), "html_url": format!("{PAGE}/releases/tag/v2") })
    };
    list("/releases", vec![release(62, true), release(61, false)]);
    world
}

/// Names of everything that must come, each once.
pub fn expected() -> Vec<String> {
    let mut names: Vec<String> =
        [2, 3, 11, 12, 21].iter().map(|n| format!("history/commit/1/{}/parents", sha(*n))).collect();
    names.push(format!("history/tag/1/v1/{}", sha(2)));
    names.push(format!("history/tag/1/v2/{}", sha(3)));
    let millis = |text: String| model::Timestamp::parse_rfc3339(&text).unwrap().0;
    for (number, updated_at) in [(1007, at(4, 9)), (1008, at(5, 8)), (1009, at(6, 8))] {
        names.push(format!("history/pull_request/{number}/{}", millis(updated_at)));
    }
    names.push("history/pull_request_review/71/changes_requested".into());
    names.push("history/pull_request_review/72/approved".into());
    for (run, attempt) in [(31, 1), (31, 2), (32, 1)] {
        names.push(format!("history/workflow_run/{run}/{attempt}/{}", millis(at(4, 20))));
    }
    names.extend([41, 42, 43].map(|job| format!("history/workflow_job/{job}/completed")));
    names.extend([51, 52].map(|id| format!("history/deployment/{id}/{}", millis(at(5, 12)))));
    for (id, state) in
        [(511, "waiting"), (512, "in_progress"), (513, "success"), (521, "in_progress"), (522, "success")]
    {
        names.push(format!("history/deployment_status/{id}/{state}"));
    }
    names.push("history/approvals/51/513".into());
    names.push(format!("history/release/61/{}", millis(at(5, 10))));
    names.sort();
    names
}
