//! Histories read from an API on this machine, through its limits, its outages and interruptions.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

mod api;
mod app;
mod history;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Api, Fault, TOKEN, World};
use backfill::github::{self, BackfillError, Checkpoint, Cursor, Part, Query};
use backfill::http::{self, Client, HttpError, Patience};
use backfill::{Delivery, Part as _, Progress, Sink};
use history::{SINCE, expected, world};
use model::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn client(root: &str, token: &str) -> Client {
    let patience = Patience { tries: 4, outage: Duration::from_millis(5), limit: Duration::from_millis(5) };
    Client::new(http::Api { patience, ..github::api(root, Some(token.into())) }).unwrap()
}

fn query() -> Query {
    Query {
        owner: "acme".into(),
        name: "shop".into(),
        since: Timestamp::parse_rfc3339(SINCE).unwrap(),
        parts: Part::ALL.into(),
        paths: false,
    }
}

/// What one reading gave and told.
#[derive(Default)]
struct Outcome {
    deliveries: Vec<Delivery>,
    progress: Vec<Progress>,
    checkpoints: Vec<Checkpoint>,
    error: Option<BackfillError>,
}

impl Outcome {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.deliveries.iter().map(|delivery| delivery.id.clone()).collect();
        names.sort();
        names
    }

    fn bodies(&self, event: &str) -> Vec<Value> {
        let of = |delivery: &&Delivery| delivery.event.as_deref() == Some(event);
        self.deliveries.iter().filter(of).map(|delivery| serde_json::from_slice(&delivery.body).unwrap()).collect()
    }
}

/// Reads from there until `most` deliveries were taken.
async fn read(client: &Client, query: &Query, from: Cursor, most: usize) -> Outcome {
    let (sender, mut receiver) = mpsc::channel(1);
    let (progress, checkpoints) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Vec::new()));
    let told = Arc::clone(&progress);
    let sink = Sink { deliveries: sender, progress: Arc::new(move |step| told.lock().unwrap().push(step)) };
    let taking = tokio::spawn(async move {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(delivery) = receiver.recv().await
        {
            taken.push(delivery);
        }
        taken
    });
    let keep = |checkpoint| checkpoints.lock().unwrap().push(checkpoint);
    let error = github::resume(client, query, from, &keep, &sink).await.err();
    drop(sink);
    let deliveries = taking.await.unwrap();
    let progress = std::mem::take(&mut *progress.lock().unwrap());
    Outcome { deliveries, progress, checkpoints: checkpoints.into_inner().unwrap(), error }
}

async fn whole(client: &Client, query: &Query) -> Outcome {
    let outcome = read(client, query, Cursor::default(), usize::MAX).await;
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome
}

#[tokio::test]
async fn everything_since_the_date_comes_once_however_long_the_pages_are() {
    for page_size in [1, 2, 100] {
        let api = Api::serve(world(), page_size, &[]).await;
        let client = client(&api.root, TOKEN);
        let outcome = whole(&client, &query()).await;
        assert_eq!(outcome.names(), expected(), "pages of {page_size}");
        let mut asked = api.requests();
        assert_eq!(client.usage().requests, asked.len() as u64);
        assert_eq!(client.usage().left, Some(4000));
        asked.sort();
        let count = asked.len();
        asked.dedup();
        assert_eq!(asked.len(), count, "something was asked for twice");
        for part in Part::ALL {
            let steps: Vec<&Progress> = outcome.progress.iter().filter(|step| step.stage == part.name()).collect();
            assert_eq!(steps[0].done, 0, "{part:?}");
            let last = steps.last().unwrap();
            assert_eq!(last.total, Some(last.done), "{part:?}");
        }
    }
}

#[tokio::test]
async fn bodies_are_those_of_webhooks() {
    let api = Api::serve(world(), 100, &[]).await;
    let outcome = whole(&client(&api.root, TOKEN), &query()).await;
    for delivery in &outcome.deliveries {
        let body: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(delivery.provider, "github");
        assert_eq!(body["repository"]["html_url"], "https://github.com/acme/shop", "{}", delivery.id);
    }
    let mut pulls = outcome.bodies("pull_request");
    pulls.extend(outcome.bodies("backfill.pull_request"));
    let mut actions: Vec<String> = pulls.iter().map(|body| body["action"].as_str().unwrap().to_owned()).collect();
    actions.sort_unstable_by_key(|action| action == "closed");
    assert_eq!(actions, ["edited", "closed", "closed"]);
    let run = &outcome.bodies("workflow_run")[0];
    assert_eq!((&run["action"], &run["workflow"]["name"]), (&json!("completed"), &json!("Build")));
    let states: Vec<Value> =
        outcome.bodies("deployment_status").iter().map(|body| body["deployment_status"]["state"].clone()).collect();
    assert_eq!(states, ["in_progress", "success", "waiting", "in_progress", "success"]);
    let approvals = &outcome.bodies("backfill.approvals")[0];
    assert_eq!(approvals["workflow_run"]["run_attempt"], 2);
    assert_eq!(approvals["approvals"][0]["user"]["login"], "grace");
}

#[tokio::test]
async fn a_part_and_paths_are_read_where_they_are_asked_for() {
    let api = Api::serve(world(), 100, &[]).await;
    let query = Query { parts: [Part::Commits].into(), paths: true, ..query() };
    let outcome = whole(&client(&api.root, TOKEN), &query).await;
    let files: Vec<Value> =
        outcome.bodies("backfill.commit").iter().map(|body| body["commit"]["files"][0]["filename"].clone()).collect();
    assert_eq!(files, ["src/lib.rs", "src/lib.rs"]);
    assert!(outcome.names()[0].ends_with("/paths"));
    assert!(api.requests().iter().all(|path| !path.contains("/pulls")));
}

#[tokio::test]
async fn limits_are_obeyed_and_outages_outlasted() {
    let faults = [(3, Fault::BadGateway), (8, Fault::LastOfTheHour), (15, Fault::TooMany), (20, Fault::BadGateway)];
    let api = Api::serve(world(), 2, &faults).await;
    let client = client(&api.root, TOKEN);
    let outcome = whole(&client, &query()).await;
    assert_eq!(outcome.names(), expected());
    assert_eq!(api.too_early(), 0);
    let waits: Vec<&str> =
        outcome.progress.iter().filter_map(|step| step.stage.contains("wait").then_some(step.stage.as_str())).collect();
    assert_eq!(waits.len(), 4, "{waits:?}");
    assert_eq!(waits.iter().filter(|wait| wait.contains("waiting for the rate limit until ")).count(), 2, "{waits:?}");
    assert!(client.usage().waited >= Duration::from_secs(1));
}

/// Wherever it was interrupted, the rest comes with the second reading, which asks for no page but the one at hand again.
#[tokio::test]
async fn an_interrupted_reading_goes_on_where_it_was() {
    let expected = expected();
    for page_size in [1, 2, 100] {
        for most in 0..expected.len() {
            let first = Api::serve(world(), page_size, &[]).await;
            let mut outcome = read(&client(&first.root, TOKEN), &query(), Cursor::default(), most).await;
            assert!(matches!(outcome.error, Some(BackfillError::Closed)), "after {most}: {:?}", outcome.error);
            // What was told before the interruption is what its channel has taken.
            outcome.checkpoints.retain(|checkpoint| checkpoint.delivered <= most as u64);
            let from = outcome.checkpoints.pop().map(|checkpoint| checkpoint.cursor).unwrap_or_default();
            let kept = serde_json::to_string(&from).unwrap();
            let second = Api::serve(world(), page_size, &[]).await;
            let from: Cursor = serde_json::from_str(&kept.replace(&first.root, &second.root)).unwrap();
            let rest = read(&client(&second.root, TOKEN), &query(), from, usize::MAX).await;
            assert!(rest.error.is_none(), "{:?}", rest.error);
            let mut names = [outcome.names(), rest.names()].concat();
            names.sort();
            names.dedup();
            assert_eq!(names, expected, "after {most}, pages of {page_size}");
            let twice = pages_twice(&first, &second);
            assert!(twice.len() <= 2, "after {most}, pages of {page_size}: {twice:?}");
        }
    }
}

/// Pages of a part that both were asked for: the one at hand, and one that was read ahead of its taker.
fn pages_twice(first: &Api, second: &Api) -> Vec<String> {
    const LISTS: [&str; 6] = ["commits?", "git/matching-refs/", "pulls?", "actions/runs?", "deployments?", "releases?"];
    let asked = first.requests();
    let is_page = |path: &String| {
        let list = path.strip_prefix("/repos/acme/shop/").unwrap_or_default();
        // Asking for one item asks how many there are.
        LISTS.iter().any(|name| list.starts_with(name)) && !path.ends_with("per_page=1")
    };
    second.requests().into_iter().filter(|path| is_page(path) && asked.contains(path)).collect()
}

#[tokio::test]
async fn more_runs_than_github_gives_at_once_are_read_in_spans() {
    let mut world = world();
    let template = world.lists["/repos/acme/shop/actions/runs"][0].clone();
    let run = |n: i64| {
        let mut run = template.clone();
        run["id"] = json!(100_000 + n);
        // Many of them in one hour.
        let at = Timestamp(1_772_600_000_000 + if n % 3 == 0 { n * 3_600_000 } else { n * 1000 });
        run["created_at"] = json!(at.to_string().replace(".000Z", "Z"));
        run
    };
    world.lists.insert("/repos/acme/shop/actions/runs".into(), (0..2500).map(run).collect());
    let api = Api::serve(world, 100, &[]).await;
    let query = Query { parts: [Part::Runs].into(), ..query() };
    let outcome = whole(&client(&api.root, TOKEN), &query).await;
    let mut names = outcome.names();
    assert_eq!(names.len(), 2500);
    names.dedup();
    assert_eq!(names.len(), 2500);
}

async fn refused(world: World, token: &str, query: &Query) -> String {
    let api = Api::serve(world, 100, &[]).await;
    let error = read(&client(&api.root, token), query, Cursor::default(), usize::MAX).await.error.unwrap();
    format!("{error} {error:?}")
}

#[tokio::test]
async fn errors_say_what_to_do_and_never_the_token() {
    let wrong = refused(world(), "wr0ng", &query()).await;
    assert!(wrong.contains("401") && wrong.contains("Bad credentials") && wrong.contains("make a new one"), "{wrong}");
    assert!(!wrong.contains("wr0ng"), "{wrong}");
    let other = refused(world(), TOKEN, &Query { name: "other".into(), ..query() }).await;
    assert!(other.contains("/repos/acme/other answered 404") && other.contains("not visible"), "{other}");
    assert!(!other.contains(TOKEN), "{other}");
    let mut nameless = world();
    nameless.objects.insert("/repos/acme/shop".into(), json!({ "id": 1 }));
    let nameless = refused(nameless, TOKEN, &query()).await;
    assert!(nameless.contains("no `default_branch`"), "{nameless}");
}

#[tokio::test]
async fn what_never_answers_is_given_up() {
    let nowhere = client("http://127.0.0.1:1", TOKEN);
    let outcome = read(&nowhere, &query(), Cursor::default(), usize::MAX).await;
    let Some(BackfillError::Http(HttpError::GivenUp { tries: 4, source })) = outcome.error else {
        panic!("{:?}", outcome.error)
    };
    assert!(source.to_string().contains("http://127.0.0.1:1/repos/acme/shop does not answer"), "{source}");
}
