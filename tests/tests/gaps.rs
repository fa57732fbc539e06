//! No gap is silent: what was sent while nobody took it is fetched, and what cannot be fetched is named.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::time::Duration;

use end_to_end::demo::{self, Demo, GITHUB, Webhook};
use end_to_end::installation::{Installation, Role};
use model::Timestamp;
use prometheus::Registry;
use serde_json::{Value, json};
use stream::producer::{IngestConfig, IngestProducer};
use stream::topics;

use support::github::{GitHub, History};
use support::hook::{HOOK, HookApi, TOKEN};
use support::metrics::Metrics;

const PATIENCE: Duration = Duration::from_secs(90);
const DAY_MS: i64 = 86_400_000;
/// The shortest absence that counts, in these installations.
const AWAY_MS: u64 = 1500;

/// An installation that asks this API soon.
fn asking(installation: &mut Installation, api: &HookApi) {
    installation.set("THROUGHLINE_SOURCES__GITHUB__API__ROOT", &api.root);
    installation.set("THROUGHLINE_SOURCES__GITHUB__API__TOKEN", TOKEN);
    installation.set("THROUGHLINE_SOURCES__GITHUB__API__HOOK", HOOK);
    installation.set("THROUGHLINE_RECONCILE__AWAY_MS", AWAY_MS.to_string());
    installation.set("THROUGHLINE_RECONCILE__INTERVAL_MS", "500");
    installation.set("THROUGHLINE_RECONCILE__RETRY_MS", "500");
}

/// What `throughline sources status` tells of the source.
fn status(installation: &Installation) -> Value {
    let said = installation.run(&["sources", "status", "github", "--json"]).unwrap();
    serde_json::from_str::<Value>(&said).unwrap()["sources"][0].clone()
}

/// Waits until no gap is open any more, and there are so many.
async fn settled(installation: &Installation, gaps: usize) -> Value {
    support::eventually(PATIENCE, async || {
        let status = status(installation);
        let all = status["gaps"].as_array().unwrap();
        let open = all.iter().any(|gap| gap["state"]["name"] == "open");
        if open || all.len() < gaps { Err(status.to_string()) } else { Ok(status) }
    })
    .await
}

/// The webhooks of GitHub of some weeks of the demo.
fn webhooks() -> Vec<Webhook> {
    Demo::until_today().webhooks.into_iter().filter(|webhook| webhook.source == GITHUB).take(1500).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_while_nobody_was_there_is_fetched() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let (mut installation, mut undisturbed) =
        (support::installation(&binary, &servers, "gaps"), support::installation(&binary, &servers, "no_gaps"));
    let all = webhooks();
    let (before, rest) = all.split_at(all.len() / 2);
    let (meanwhile, after) = rest.split_at(rest.len() / 3);
    let api = HookApi::serve(installation.hook(GITHUB)).await;
    asking(&mut installation, &api);

    installation.start(Role::All).await.unwrap();
    demo::send(&installation, before.to_vec(), &|_| ()).await.unwrap();
    api.sent(before, 202);
    installation.stop(Role::All).await.unwrap();
    tokio::time::sleep(Duration::from_millis(AWAY_MS + 500)).await;
    api.sent(meanwhile, 502);
    installation.start(Role::All).await.unwrap();
    demo::send(&installation, after.to_vec(), &|_| ()).await.unwrap();
    api.sent(after, 202);

    let status = settled(&installation, 1).await;
    let gaps = status["gaps"].as_array().unwrap();
    assert_eq!((gaps.len(), &gaps[0]["cause"], &gaps[0]["state"]["name"]), (1, &json!("away"), &json!("recovered")));
    let again = HookApi::without_content(meanwhile);
    assert!(again > 0 && again < meanwhile.len());
    assert_eq!(gaps[0]["state"]["redelivered"], again);
    assert_eq!(gaps[0]["state"]["fetched"], meanwhile.len() - again);

    undisturbed.start(Role::All).await.unwrap();
    demo::send(&undisturbed, all.clone(), &|_| ()).await.unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
    undisturbed.wait_drained(PATIENCE).await.unwrap();
    let differences = installation.differences(&undisturbed).await.unwrap();
    assert!(differences.values().all(|rows| *rows == 0), "{differences:?}");
    let deployments = installation.number("SELECT count() FROM deployments").await.unwrap();
    assert!(deployments > 50, "{deployments} deployments say nothing");
    support::remove(installation).await;
    support::remove(undisturbed).await;
}

/// Writes what a front door would have written that was last open so many days ago.
async fn abandoned(installation: &Installation, days: i64) {
    let kafka = installation.kafka();
    let metrics = stream::Metrics::register(&Registry::new()).unwrap();
    let producer = IngestProducer::start(&kafka, IngestConfig::default(), &metrics).unwrap();
    let at = now().0 - days * DAY_MS;
    let alive = json!({ "record": "alive", "instance": "0", "at": at });
    let seen = json!({ "record": "seen", "source": GITHUB, "instance": "0", "accepted_at": at, "events": {
        "push": { "at": at, "count": 9 }, "check_run": { "at": at, "count": 3 },
    }});
    for (key, record) in [("alive/0", alive), ("seen/github/0", seen)] {
        producer.send(&topics::SOURCES, key.as_bytes(), record.to_string().as_bytes(), &[]).await.unwrap();
    }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_any_more_is_named() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut installation = support::installation(&binary, &servers, "lost");
    let api = HookApi::serve(installation.hook(GITHUB)).await;
    asking(&mut installation, &api);
    installation.run(&["migrate"]).unwrap();
    abandoned(&installation, 5).await;
    installation.start(Role::All).await.unwrap();

    let status = settled(&installation, 1).await;
    let gap = &status["gaps"][0];
    let about = |value: &Value, days: i64| (value.as_i64().unwrap() - (now().0 - days * DAY_MS)).abs() < 300_000;
    assert!(about(&gap["from"], 5) && about(&gap["to"], 0), "{gap}");
    let state = &gap["state"];
    assert_eq!(state["name"], "lost", "{gap}");
    assert!(about(&state["part"]["from"], 5) && about(&state["part"]["to"], 3), "{gap}");
    let reason = state["reason"].as_str().unwrap();
    assert!(reason.contains("does not keep the deliveries") && reason.contains("`repositories`"), "{reason}");
    assert!(gap["advice"].as_str().unwrap().starts_with("throughline backfill github OWNER/NAME --since 20"), "{gap}");
    let log = std::fs::read_to_string(installation.log(Role::All)).unwrap();
    assert!(log.contains("is not all there, and cannot be fetched"), "{log}");
    // The numbers are those of the last round.
    support::eventually(PATIENCE, async || {
        let metrics = Metrics::of(&installation, Role::All).await;
        let gaps = metrics.by("throughline_reconcile_gaps", "state");
        if gaps == [("lost", 1), ("open", 0), ("recovered", 0)].into() { Ok(()) } else { Err(format!("{gaps:?}")) }
    })
    .await;

    what_is_wrong_with_a_source_is_shown(&installation).await;

    // With the history configured, what was lost for the want of it is tried again, and what the history does not tell is named.
    installation.stop(Role::All).await.unwrap();
    installation.set("THROUGHLINE_SOURCES__GITHUB__API__REPOSITORIES", "['acme/shop']");
    installation.start(Role::All).await.unwrap();
    let state = support::eventually(PATIENCE, async || {
        let state = status_of_oldest(&installation);
        if state["history"].as_u64() > Some(0) { Ok(state) } else { Err(state.to_string()) }
    })
    .await;
    assert_eq!((&state["name"], &state["mendable"]), (&json!("lost"), &json!(false)), "{state}");
    assert!(state["reason"].as_str().unwrap().ends_with("does not tell of check_run"), "{state}");
    assert!(api.asked().iter().any(|path| path == "/repos/acme/shop/commits"));
    support::remove(installation).await;
}

fn status_of_oldest(installation: &Installation) -> Value {
    status(installation)["gaps"][0]["state"].clone()
}

async fn what_is_wrong_with_a_source_is_shown(installation: &Installation) {
    let github = GitHub::of(installation);
    let delivery = History { repositories: 1 }.delivery(0);
    github.deliver(&delivery).await;
    assert_eq!(github.send_with(&delivery, Some("sha256=00")).await.unwrap().status(), 401);
    github.deliver(&support::github::Delivery::new("broken", "push", "{")).await;
    let status = support::eventually(PATIENCE, async || {
        let status = status(installation);
        let told = status["rejected"] == 1 && status["dead_letters"] == 1 && status["today"] == 2;
        if told { Ok(status) } else { Err(status.to_string()) }
    })
    .await;
    let missing = status["missing"].as_array().unwrap();
    let missing: Vec<&str> = missing.iter().map(|missing| missing["advice"].as_str().unwrap()).collect();
    let wanted =
        "no deployment_status from github so far: tick \u{201c}Deployment statuses\u{201d} in the webhook's settings";
    assert!(missing.contains(&wanted) && !missing.iter().any(|line| line.starts_with("no push")), "{missing:?}");
    let text = installation.run(&["sources", "status"]).unwrap();
    eprintln!("{text}");
    assert!(text.contains("dead-letters list --source github") && text.contains(wanted), "{text}");
}
