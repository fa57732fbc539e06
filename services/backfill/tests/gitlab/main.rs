//! Histories of GitLab read from an API on this machine, through its limits, its outages and interruptions.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

mod history;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use backfill::gitlab::{self, Cursor, Part, Query};
use backfill::http::{self, Client, Patience};
use backfill::{BackfillError, Part as _, Progress};
use history::{PAGE, PATH, SINCE, World, at, expected, sha, world};
use model::Timestamp;
use serde_json::{Value, json};
use support::{Fault, Server, TOKEN};

type Outcome = support::Outcome<Part>;

fn client(server: &Server, token: &str) -> Client {
    let patience = Patience { tries: 4, outage: Duration::from_millis(5), limit: Duration::from_millis(5) };
    let root = format!("{}/api/v4", server.root);
    Client::new(http::Api { patience, ..gitlab::api(&root, Some(token.into())) }).unwrap()
}

fn query() -> Query {
    let since = Timestamp::parse_rfc3339(SINCE).unwrap();
    Query { project: PATH.into(), since, parts: Part::ALL.into(), paths: false }
}

fn with_pages(page_size: usize) -> World {
    World { page_size, ..world() }
}

/// Reads from there until `most` deliveries were taken.
async fn read(client: &Client, query: &Query, from: Cursor, most: usize) -> Outcome {
    support::read(most, async |keep, sink| gitlab::resume(client, query, from, keep, sink).await).await
}

async fn whole(client: &Client, query: &Query) -> Outcome {
    let outcome = read(client, query, Cursor::default(), usize::MAX).await;
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome
}

#[tokio::test]
async fn everything_since_the_date_comes_once_however_long_the_pages_are() {
    for page_size in [1, 2, 100] {
        let server = Server::serve(with_pages(page_size), &[]).await;
        let client = client(&server, TOKEN);
        let outcome = whole(&client, &query()).await;
        assert_eq!(outcome.names(), expected(), "pages of {page_size}");
        let mut asked = server.requests();
        assert_eq!(client.usage().requests, asked.len() as u64);
        assert_eq!(client.usage().left, Some(600));
        asked.sort();
        let count = asked.len();
        asked.dedup();
        assert_eq!(asked.len(), count, "something was asked for twice");
        for part in Part::ALL {
            let steps: Vec<&Progress> = outcome.progress.iter().filter(|step| step.stage == part.name()).collect();
            assert_eq!(steps[0].done, 0, "{part:?}");
            let last = steps.last().unwrap();
            assert_eq!(last.total, Some(last.done), "{part:?}");
            assert!(part == Part::Commits || steps[1].total.is_some(), "{part:?}");
        }
    }
}

#[tokio::test]
async fn bodies_are_those_of_webhooks() {
    let server = Server::serve(world(), &[]).await;
    let outcome = whole(&client(&server, TOKEN), &query()).await;
    for delivery in &outcome.deliveries {
        let body: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!((delivery.provider, &body["project"]["web_url"]), ("gitlab", &json!(PAGE)), "{}", delivery.id);
        assert!(!body.to_string().contains("secret of the project"), "{}", delivery.id);
    }
    let hooks = outcome.bodies("Merge Request Hook");
    let told = |iid: u32, action: &str| {
        let is = |body: &&Value| {
            let told = &body["object_attributes"];
            told["iid"] == iid && told["action"] == action
        };
        hooks.iter().find(is).unwrap_or_else(|| panic!("no {action} of {iid}"))
    };
    let merge = &told(7, "merge")["object_attributes"];
    assert_eq!((&merge["merge_commit_sha"], &merge["last_commit"]["id"]), (&json!(sha(13)), &json!(sha(12))));
    assert_eq!(merge["updated_at"], "2026-03-04 08:00:00 UTC");
    let open = outcome.body("history/merge_request/9007/open");
    assert_eq!(open["commits"], json!([sha(11), sha(12)]));
    assert_eq!((&open["user"]["username"], &open["object_attributes"]["last_commit"]), (&json!("robin"), &Value::Null));
    assert_eq!(told(7, "approved")["changes"]["updated_at"]["current"], "2026-03-03 15:00:00 UTC");
    // The last of two, by its note; a person who writes the same has approved nothing.
    assert_eq!(told(8, "approved")["changes"]["updated_at"]["current"], "2026-03-05 14:00:00 UTC");
    assert_eq!(told(6, "close")["user"]["username"], "kim");

    let pipeline = outcome.body(&pipeline("500/success", at(4, 13)));
    let builds: Vec<&Value> = pipeline["builds"].as_array().unwrap().iter().map(|build| &build["id"]).collect();
    assert_eq!(builds, [801, 800]);
    assert_eq!(pipeline["builds"][1]["started_at"], "2026-03-04 10:00:00 UTC");
    let retried = outcome.body("history/job/799/failed");
    assert_eq!((&retried["build_id"], &retried["pipeline_id"]), (&json!(799), &json!(500)));
    assert_eq!(retried["build_failure_reason"], "runner_system_failure");
    let of_change = outcome.body(&self::pipeline("502/success", at(7, 12)));
    assert_eq!((&of_change["merge_request"]["iid"], &of_change["object_attributes"]["ref"]), (&json!(9), &Value::Null));

    let running = outcome.body("history/deployment/15/running");
    assert_eq!((&running["environment_tier"], &running["deployable_id"]), (&json!("production"), &json!(801)));
    assert_eq!(
        (&running["status_changed_at"], &running["short_sha"]),
        (&json!("2026-03-04 12:00:00 UTC"), &json!("00000000"))
    );
    let job = outcome.body("history/deploy/801/success");
    assert_eq!(job["environment"], json!({ "name": "production", "action": "start", "deployment_tier": "production" }));
    let approved = outcome.bodies("Deployment Hook").into_iter().find(|body| body["status"] == "approved").unwrap();
    assert_eq!((&approved["approver"]["username"], &approved["status_changed_at"]), (&json!("lee"), &json!(at(4, 11))));
    assert_eq!(approved["approval"]["approval_rule"]["required_approvals"], 1);
}

fn pipeline(name: &str, updated_at: String) -> String {
    let updated_at = Timestamp::parse_rfc3339(&updated_at).unwrap().0;
    format!("history/pipeline/{name}/{updated_at}")
}

#[tokio::test]
async fn a_part_and_paths_are_read_where_they_are_asked_for() {
    let server = Server::serve(world(), &[]).await;
    let query = Query { parts: [Part::Commits].into(), paths: true, ..query() };
    let outcome = whole(&client(&server, TOKEN), &query).await;
    let commits = outcome.bodies("backfill.commit");
    assert_eq!(commits.len(), 5);
    assert!(commits.iter().all(|body| body["commit"]["diff"][0]["old_path"] == "src/a.rs"));
    assert!(outcome.names().iter().all(|name| name.ends_with("/paths")));
    assert!(server.requests().iter().all(|path| !path.contains("/merge_requests")));
}

/// An edition that knows no approvals of deployments is asked for them once.
#[tokio::test]
async fn approvals_of_deployments_are_asked_for_where_there_are_any() {
    let mut world = world();
    for (path, object) in &mut world.objects {
        if path.contains("/deployments/") {
            object.as_object_mut().unwrap().remove("approvals");
        }
    }
    let server = Server::serve(world, &[]).await;
    let query = Query { parts: [Part::Deployments].into(), ..query() };
    let outcome = whole(&client(&server, TOKEN), &query).await;
    assert!(outcome.names().iter().all(|name| !name.contains("approval")));
    assert_eq!(server.requests().iter().filter(|path| path.contains("/deployments/")).count(), 1);
}

#[tokio::test]
async fn limits_are_obeyed_and_outages_outlasted() {
    let faults = [(3, Fault::BadGateway), (8, Fault::Last), (15, Fault::TooMany), (20, Fault::BadGateway)];
    let server = Server::serve(with_pages(2), &faults).await;
    let client = client(&server, TOKEN);
    let outcome = whole(&client, &query()).await;
    assert_eq!(outcome.names(), expected());
    assert_eq!(server.too_early(), 0);
    let waits = outcome.waits();
    assert_eq!(waits.len(), 4, "{waits:?}");
    assert_eq!(waits.iter().filter(|wait| wait.contains("waiting for the rate limit until ")).count(), 2, "{waits:?}");
    assert!(client.usage().waited >= Duration::from_secs(1));
}

/// Wherever it was interrupted, the rest comes with the second reading.
#[tokio::test]
async fn an_interrupted_reading_goes_on_where_it_was() {
    let expected = expected();
    for page_size in [1, 2, 100] {
        for most in 0..expected.len() {
            let first = Server::serve(with_pages(page_size), &[]).await;
            let mut outcome = read(&client(&first, TOKEN), &query(), Cursor::default(), most).await;
            assert!(matches!(outcome.error, Some(BackfillError::Closed)), "after {most}: {:?}", outcome.error);
            // What was told before the interruption is what its channel has taken.
            outcome.checkpoints.retain(|checkpoint| checkpoint.delivered <= most as u64);
            let from = outcome.checkpoints.pop().map(|checkpoint| checkpoint.cursor).unwrap_or_default();
            let kept = serde_json::to_string(&from).unwrap();
            let second = Server::serve(with_pages(page_size), &[]).await;
            let from: Cursor = serde_json::from_str(&kept.replace(&first.root, &second.root)).unwrap();
            let rest = read(&client(&second, TOKEN), &query(), from, usize::MAX).await;
            assert!(rest.error.is_none(), "{:?}", rest.error);
            // It began with the part at hand.
            assert!(rest.deliveries.len() <= expected.len() - most + 20, "after {most}: {}", rest.deliveries.len());
            let mut names = [outcome.names(), rest.names()].concat();
            names.sort();
            names.dedup();
            assert_eq!(names, expected, "after {most}, pages of {page_size}");
        }
    }
}

/// More pipelines than an offset reaches, many of one instant.
#[tokio::test]
async fn a_list_is_longer_than_an_offset_reaches() {
    let mut world = world();
    let template = world.lists["/api/v4/projects/42/pipelines"][0].clone();
    let pipeline = |n: i64| {
        let mut pipeline = template.clone();
        let at = Timestamp(1_772_600_000_000 + n / 250 * 1000 + 250);
        pipeline["id"] = json!(100_000 + n);
        pipeline["updated_at"] = json!(at.to_string());
        pipeline
    };
    let all: Vec<Value> = (0..1_100).map(pipeline).collect();
    world.lists.insert("/api/v4/projects/42/pipelines".into(), all);
    let server = Server::serve(world, &[]).await;
    let query = Query { parts: [Part::Pipelines].into(), ..query() };
    let outcome = whole(&client(&server, TOKEN), &query).await;
    // They are gone, so that each is asked for, and none is told.
    let asked = server.requests().iter().filter(|path| path.starts_with("/api/v4/projects/42/pipelines/")).count();
    assert_eq!((asked, outcome.deliveries.len()), (1_100, 0));
}

async fn refused(world: World, token: &str, query: &Query) -> String {
    let server = Server::serve(world, &[]).await;
    let error = read(&client(&server, token), query, Cursor::default(), usize::MAX).await.error.unwrap();
    format!("{error} {error:?}")
}

#[tokio::test]
async fn errors_say_what_to_do_and_never_the_token() {
    let wrong = refused(world(), "wr0ng", &query()).await;
    assert!(wrong.contains("401 Unauthorized") && wrong.contains("make a new one"), "{wrong}");
    assert!(!wrong.contains("wr0ng"), "{wrong}");
    let other = refused(world(), TOKEN, &Query { project: "acme/other".into(), ..query() }).await;
    assert!(other.contains("/projects/acme%2Fother answered 404") && other.contains("not visible"), "{other}");
    assert!(!other.contains(TOKEN), "{other}");
    let mut nameless = world();
    nameless.objects.insert("/api/v4/projects/acme%2Fbackend%2Fshop".into(), json!({ "id": 1 }));
    let nameless = refused(nameless, TOKEN, &query()).await;
    assert!(nameless.contains("no `web_url`"), "{nameless}");
}
