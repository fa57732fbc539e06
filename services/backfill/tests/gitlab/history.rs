//! A small history in the shapes of GitLab's API, and an API that shows it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::support::{Asked, Shown, TOKEN, json_of, refusal};

/// From when on it is asked for; what is older is there as well.
pub const SINCE: &str = "2026-03-01T00:00:00Z";
pub const PATH: &str = "acme/backend/shop";
pub const PAGE: &str = "https://gitlab.example.com/acme/backend/shop";
/// Below it everything lies but the project by its path.
const PROJECT: &str = "/api/v4/projects/42";
/// Longest offset that is given; GitLab's is 50 000.
const DEEPEST: usize = 500;

/// A time in March as the API tells it: with parts of a second.
pub fn at(day: u32, hour: u32) -> String {
    format!("2026-03-{day:02}T{hour:02}:00:00.250Z")
}

/// A time in March as git knows it.
pub fn date(day: u32, hour: u32) -> String {
    format!("2026-03-{day:02}T{hour:02}:00:00.000+00:00")
}

pub fn sha(n: u32) -> String {
    format!("{n:040x}")
}

pub fn user(username: &str) -> Value {
    let id = username.bytes().map(u64::from).sum::<u64>();
    json!({ "id": id, "username": username, "name": username.to_uppercase(), "state": "active" })
}

fn commit(n: u32, parents: &[u32], date: &str) -> Value {
    json!({
        "id": sha(n), "short_id": &sha(n)[..8], "title": format!("Change {n}"), "message": format!("Change {n}\n"),
        "author_name": "Robin", "author_email": "robin@example.com", "authored_date": date,
        "committer_name": "Robin", "committer_email": "robin@example.com", "committed_date": date, "created_at": date,
        "parent_ids": parents.iter().map(|n| sha(*n)).collect::<Vec<_>>(), "trailers": {},
        "web_url": format!("{PAGE}/-/commit/{}", sha(n)),
    })
}

fn merge_request(iid: u32, state: &str, branch: &str, head: u32, updated_at: &str) -> Value {
    json!({
        "id": 9000 + iid, "iid": iid, "project_id": 42, "source_project_id": 42, "target_project_id": 42,
        "state": state, "title": branch, "draft": false, "work_in_progress": false, "labels": ["payments"],
        "source_branch": branch, "target_branch": "main", "author": user("robin"), "assignees": [], "reviewers": [],
        "sha": sha(head), "merge_commit_sha": null, "squash_commit_sha": null, "merged_by": null, "merge_user": null,
        "created_at": at(2, 8), "updated_at": updated_at, "merged_at": null, "closed_at": null, "closed_by": null,
        "web_url": format!("{PAGE}/-/merge_requests/{iid}"),
    })
}

fn pipeline(id: u32, head: u32, source: &str, status: &str, (day, hour): (u32, u32)) -> Value {
    json!({
        "id": id, "iid": id - 490, "project_id": 42, "sha": sha(head), "ref": "main", "status": status, "source": source,
        "tag": false, "before_sha": sha(0), "user": user("kim"), "created_at": at(day, hour),
        "updated_at": at(day, hour + 4), "started_at": at(day, hour), "finished_at": at(day, hour + 4),
        "queued_duration": 6, "duration": 14000, "web_url": format!("{PAGE}/-/pipelines/{id}"),
    })
}

/// A job of a pipeline that was made at `made` and ran from there to there.
fn job(id: u32, name: &str, status: &str, of: &Value, ran: Option<(&str, &str)>) -> Value {
    json!({
        "id": id, "name": name, "stage": name, "status": status, "ref": of["ref"], "tag": false,
        "allow_failure": false, "created_at": of["created_at"],
        "started_at": ran.map(|(from, _)| from), "finished_at": ran.map(|(_, to)| to),
        "queued_duration": ran.map(|_| 2.5), "duration": ran.map(|_| 300.25), "user": user("kim"),
        "runner": ran.map(|_| json!({ "id": 77, "description": "the machine", "runner_type": "instance_type" })),
        "pipeline": { "id": of["id"], "project_id": 42, "sha": of["sha"], "ref": of["ref"], "status": of["status"] },
        "tag_list": ["linux"], "web_url": format!("{PAGE}/-/jobs/{id}"),
    })
}

fn deployment(id: u32, status: &str, job: &Value, updated_at: &str) -> Value {
    json!({
        "id": id, "iid": id, "ref": "main", "sha": job["pipeline"]["sha"], "status": status, "user": user("kim"),
        "created_at": job["created_at"], "updated_at": updated_at, "deployable": job,
        "environment": { "id": 1, "name": "production", "slug": "production", "external_url": null },
    })
}

fn with(mut object: Value, members: &[(&str, Value)]) -> Value {
    for (name, value) in members {
        object[*name] = value.clone();
    }
    object
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub objects: BTreeMap<String, Value>,
    pub lists: BTreeMap<String, Vec<Value>>,
    pub page_size: usize,
}

impl World {
    fn object(&mut self, path: &str, value: Value) {
        self.objects.insert(format!("{PROJECT}{path}"), value);
    }

    fn list(&mut self, path: &str, items: Vec<Value>) {
        self.lists.insert(format!("{PROJECT}{path}"), items);
    }
}

/// On `main`: 2, then 13, which merges 11 and 12 of !7, then 24, which squashes 21 and 22 of !8; one commit that is older. !9 is open,
/// !6 given up, !1 old. Pipelines deploy 2, 13 after an approval and with a job that was tried again, and 24; one of a merge request,
/// a child, and an old one. A deployment that waits. Tags of both kinds, and a release.
pub fn world() -> World {
    let mut world = World { page_size: 100, ..World::default() };
    let project = json!({
        "id": 42, "name": "Shop", "path_with_namespace": PATH, "web_url": PAGE, "default_branch": "main",
        "ci_config_path": "", "runners_token": "secret of the project",
    });
    world.objects.insert("/api/v4/projects/acme%2Fbackend%2Fshop".to_owned(), project);
    commits(&mut world);
    merge_requests(&mut world);
    pipelines(&mut world);
    let tag = |name: &str, n: u32, created_at: Option<String>, date: String| json!({ "name": name, "target": sha(90 + n), "commit": commit(n, &[], &date), "created_at": created_at });
    let tags = vec![
        tag("v1.3.0", 24, None, date(6, 8)),
        tag("v1.2.0", 13, Some(at(5, 9)), date(4, 8)),
        tag("old", 1, None, "2026-01-01T00:00:00.000+00:00".to_owned()),
    ];
    world.list("/repository/tags", tags);
    let release = json!({
        "tag_name": "v1.2.0", "name": "Version 1.2.0", "created_at": at(5, 10), "released_at": at(5, 9),
        "commit": commit(13, &[2, 12], &date(4, 8)), "_links": { "self": format!("{PAGE}/-/releases/v1.2.0") },
    });
    let old = with(
        release.clone(),
        &[
            ("tag_name", json!("old")),
            ("created_at", json!("2026-01-01T00:00:00.000Z")),
            ("released_at", json!("2026-01-01T00:00:00.000Z")),
        ],
    );
    world.list("/releases", vec![release, old]);
    world
}

fn commits(world: &mut World) {
    let main = [
        commit(24, &[13], &date(6, 8)),
        commit(13, &[2, 12], &date(4, 8)),
        commit(12, &[11], &date(2, 10)),
        commit(11, &[2], &date(2, 9)),
        commit(2, &[1], &date(1, 10)),
        commit(1, &[], "2026-01-01T00:00:00.000+00:00"),
    ];
    let diff = json!({ "old_path": "src/a.rs", "new_path": "src/b.rs", "renamed_file": true, "diff": "…" });
    for commit in &main {
        let path = format!("/repository/commits/{}/diff", commit["id"].as_str().unwrap());
        world.list(&path, vec![diff.clone()]);
    }
    world.list("/repository/commits?main", main.to_vec());
    let own = vec![commit(22, &[21], &date(5, 10)), commit(21, &[13], &date(5, 9))];
    world.list(&format!("/repository/commits?main..{}", sha(22)), own);
    world.list(&format!("/repository/commits?main..{}", sha(31)), vec![commit(31, &[24], &date(7, 7))]);
    world.list(&format!("/repository/commits?main..{}", sha(12)), vec![]);
}

fn merge_requests(world: &mut World) {
    let merged = |object: Value, at: String, members: &[(&str, Value)]| {
        with(with(object, &[("merged_at", json!(at)), ("merge_user", user("kim"))]), members)
    };
    let list = vec![
        with(merge_request(9, "opened", "gifts", 31, &at(7, 8)), &[("created_at", json!(at(7, 7)))]),
        merged(
            with(merge_request(8, "merged", "till", 22, &at(6, 9)), &[("created_at", json!(at(5, 11)))]),
            at(6, 8),
            &[("squash_commit_sha", json!(sha(24)))],
        ),
        with(
            merge_request(6, "closed", "tills", 20, &at(5, 9)),
            &[("closed_at", json!(at(5, 8))), ("closed_by", user("kim"))],
        ),
        merged(merge_request(7, "merged", "cards", 12, &at(4, 9)), at(4, 8), &[("merge_commit_sha", json!(sha(13)))]),
        merge_request(1, "closed", "old", 1, "2026-01-01T00:00:00.000Z"),
    ];
    world.list("/merge_requests", list);
    for (iid, commits) in [(7, vec![12, 11]), (8, vec![22, 21]), (9, vec![31])] {
        // They come from the change, which does not know their parents.
        let commits = commits.into_iter().map(|n| commit(n, &[], &date(2, 9))).collect();
        world.list(&format!("/merge_requests/{iid}/commits"), commits);
    }
    let approved = |by: &[Value]| json!({ "approved": !by.is_empty(), "approved_by": by });
    world.object("/merge_requests/7/approvals", approved(&[json!({ "user": user("lee"), "approved_at": at(3, 15) })]));
    // Of a version that does not tell when.
    world.object(
        "/merge_requests/8/approvals",
        approved(&[json!({ "user": user("lee") }), json!({ "user": user("max") })]),
    );
    world.object("/merge_requests/9/approvals", approved(&[]));
    let note = |id: u32, body: &str, by: &str, at: String, system: bool| json!({ "id": id, "body": body, "author": user(by), "created_at": at, "system": system });
    let notes = vec![
        note(1, "approved this merge request", "lee", at(5, 12), true),
        note(2, "unapproved this merge request", "lee", at(5, 13), true),
        note(3, "approved this merge request", "lee", at(5, 14), true),
        note(4, "approved this merge request", "max", at(5, 15), false),
    ];
    world.list("/merge_requests/8/notes", notes);
}

fn pipelines(world: &mut World) {
    let first = pipeline(499, 2, "push", "success", (1, 11));
    let second = pipeline(500, 13, "push", "success", (4, 9));
    let third = pipeline(501, 24, "push", "manual", (6, 9));
    let of_change = with(
        pipeline(502, 31, "merge_request_event", "success", (7, 8)),
        &[("ref", json!("refs/merge-requests/9/head"))],
    );
    let child = pipeline(503, 24, "parent_pipeline", "success", (6, 10));
    let old = with(pipeline(498, 1, "push", "success", (1, 0)), &[("updated_at", json!("2026-01-01T00:00:00.000Z"))]);
    let ran = |id, name: &str, of: &Value, from: String, to: String| job(id, name, "success", of, Some((&from, &to)));
    let deploys = [
        ran(798, "deploy", &first, at(1, 12), at(1, 13)),
        ran(801, "deploy", &second, at(4, 12), at(4, 13)),
        ran(803, "deploy", &third, at(6, 10), at(6, 11)),
        job(804, "deploy again", "manual", &third, None),
    ];
    let failed = with(
        job(799, "test", "failed", &second, Some((&at(4, 9), &at(4, 10)))),
        &[("failure_reason", json!("runner_system_failure"))],
    );
    let jobs = [
        (499, vec![deploys[0].clone(), ran(797, "test", &first, at(1, 11), at(1, 12))]),
        (500, vec![deploys[1].clone(), ran(800, "test", &second, at(4, 10), at(4, 11)), failed]),
        (501, vec![deploys[3].clone(), deploys[2].clone(), ran(802, "test", &third, at(6, 9), at(6, 10))]),
        (502, vec![ran(805, "test", &of_change, at(7, 8), at(7, 9))]),
        (503, vec![ran(806, "lint", &child, at(6, 10), at(6, 11))]),
    ];
    for (id, jobs) in jobs {
        world.list(&format!("/pipelines/{id}/jobs"), jobs);
    }
    let all = [first, second, third, of_change, child, old];
    for pipeline in &all {
        world.object(&format!("/pipelines/{}", pipeline["id"]), pipeline.clone());
    }
    let listed = ["id", "iid", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at", "web_url"];
    let short = |pipeline: &Value| listed.iter().map(|name| ((*name).to_owned(), pipeline[*name].clone())).collect();
    world.list("/pipelines", all.iter().map(short).collect());

    let deployments = vec![
        deployment(14, "success", &deploys[0], &at(1, 13)),
        deployment(15, "success", &deploys[1], &at(4, 13)),
        deployment(16, "success", &deploys[2], &at(6, 11)),
        deployment(17, "blocked", &deploys[3], &at(6, 12)),
        with(deployment(10, "success", &deploys[0], "2026-01-01T00:00:00.000Z"), &[("deployable", Value::Null)]),
    ];
    let approval = json!({ "user": user("lee"), "status": "approved", "created_at": at(4, 11), "comment": "good" });
    for found in &deployments {
        let is = |id: u32| found["id"] == id;
        let approvals = if is(15) { vec![approval.clone()] } else { vec![] };
        let rule = json!({ "id": 7, "required_approvals": 1, "deployment_approvals": approvals });
        let whole = [
            ("pending_approval_count", json!(u32::from(is(17)))),
            ("approvals", json!(approvals)),
            ("approval_summary", json!({ "rules": [rule] })),
        ];
        world.object(&format!("/deployments/{}", found["id"]), with(found.clone(), &whole));
    }
    world.list("/deployments", deployments);
    let environment = |name: &str| json!({ "id": 1, "name": name, "tier": name, "state": "available" });
    world.list("/environments", vec![environment("production"), environment("staging")]);
}

/// Names of what comes of it.
pub fn expected() -> Vec<String> {
    let commit = |n: u32| format!("commit/42/{}/parents", sha(n));
    let millis = |time: String| time.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let lee = &user("lee")["id"];
    let mut names: Vec<String> = [2, 11, 12, 13, 24, 21, 22, 31].map(commit).into();
    names.extend([
        format!("tag/42/v1.2.0/{}", sha(13)),
        format!("tag/42/v1.3.0/{}", sha(24)),
        format!("release/42/v1.2.0/{}", millis(at(5, 9))),
        format!("approval/9007/{lee}/{}", millis(at(3, 15))),
        format!("approval/9008/{lee}/{}", millis(at(5, 14))),
        format!("merge_request/9006/close/{}", millis(at(5, 8))),
        format!("merge_request/9007/merge/{}", millis(at(4, 8))),
        format!("merge_request/9008/merge/{}", millis(at(6, 8))),
        format!("merge_request/9009/update/{}", millis(at(7, 8))),
        format!("pipeline/499/success/{}", millis(at(1, 15))),
        format!("pipeline/500/success/{}", millis(at(4, 13))),
        format!("pipeline/501/manual/{}", millis(at(6, 13))),
        format!("pipeline/502/success/{}", millis(at(7, 12))),
        format!("pipeline/503/success/{}", millis(at(6, 14))),
        format!("deployment_approval/15/{lee}/approved/{}", millis(at(4, 11))),
    ]);
    names.extend([6, 7, 8, 9].map(|iid| format!("merge_request/{}/open", 9000 + iid)));
    let other = [
        "job/799/failed",
        "deploy/798/success",
        "deploy/801/success",
        "deploy/803/success",
        "deploy/804/manual",
        "deployment/14/running",
        "deployment/14/success",
        "deployment/15/running",
        "deployment/15/success",
        "deployment/16/running",
        "deployment/16/success",
        "deployment/17/blocked",
        "approval_of/801",
        "approval_of/804",
    ];
    names.extend(other.map(str::to_owned));
    names.iter_mut().for_each(|name| name.insert_str(0, "history/"));
    names.sort();
    names
}

impl Shown for World {
    fn authorization(&self) -> String {
        format!("Bearer {TOKEN}")
    }

    fn reset(&self, now: u64) -> String {
        (now + 1).to_string()
    }

    fn answer(&self, asked: &Asked<'_>) -> Response {
        if let Some(object) = self.objects.get(asked.path) {
            return json_of(object);
        }
        let list = match asked.query.get("ref_name") {
            Some(name) => format!("{}?{name}", asked.path),
            None => asked.path.to_owned(),
        };
        match self.lists.get(&list) {
            Some(all) => self.page(asked, all),
            None => refusal(StatusCode::NOT_FOUND, "404 Not Found"),
        }
    }
}

impl World {
    fn page(&self, asked: &Asked<'_>, all: &[Value]) -> Response {
        let mut wanted: Vec<&Value> = all.iter().filter(|item| asked_for(item, asked)).collect();
        if asked.query.get("order_by").map(String::as_str) == Some("updated_at") {
            assert_eq!(asked.query["sort"], "desc");
            wanted.sort_by_key(|item| std::cmp::Reverse(item["updated_at"].as_str().unwrap().to_owned()));
        }
        let per_page = asked.query.get("per_page").map_or(20, |text| text.parse().unwrap());
        let size = self.page_size.min(per_page);
        let page: usize = asked.query.get("page").map_or(1, |text| text.parse().unwrap());
        if (page - 1) * size > DEEPEST {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "Offset pagination has a maximum allowed offset of 500");
        }
        let items: Vec<&Value> = wanted.iter().skip((page - 1) * size).take(size).copied().collect();
        let body = json_of(&json!(items));
        let total = (wanted.len() <= 10_000).then(|| ("x-total", wanted.len().to_string()));
        let mut query = asked.query.clone();
        query.insert("page".to_owned(), (page + 1).to_string());
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", value.replace(':', "%3A"))).collect();
        let link = format!("<{}{}?{}>; rel=\"next\"", asked.root, asked.path, query.join("&"));
        let link = (page * size < wanted.len()).then_some(("link", link));
        let mut response = body.into_response();
        for (name, value) in [total, link].into_iter().flatten() {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    }
}

/// By what lists can be cut by; all times are of a form that compares as a text.
fn asked_for(item: &Value, asked: &Asked<'_>) -> bool {
    let text = |member: &str| item[member].as_str().unwrap().to_owned();
    let is = |parameter: &str, test: &dyn Fn(&str) -> bool| asked.query.get(parameter).is_none_or(|value| test(value));
    let of_kind = || asked.query.get("source").map_or("push merge_request_event", String::as_str);
    let is_listed = item.get("source").is_none_or(|source| of_kind().contains(source.as_str().unwrap()));
    is("updated_after", &|after| text("updated_at").as_str() >= after)
        && is("updated_before", &|before| text("updated_at").as_str() <= before)
        && is("since", &|since| text("committed_date").as_str() >= since)
        && is_listed
}
