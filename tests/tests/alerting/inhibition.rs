//! What keeps silent while something else is told, by a real Alertmanager with the routes that are shipped.

use std::time::{Duration, Instant};

use end_to_end::dashboards::{list, text};
use end_to_end::prometheus;
use local_stack::Alertmanager;
use serde_json::{Value, json};

use crate::programs;

/// How long Alertmanager may take to know all that it was told.
const PATIENCE: Duration = Duration::from_secs(30);

fn alert(labels: &str) -> Value {
    let labels: serde_json::Map<String, Value> =
        labels.split(' ').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.into())).collect();
    json!({"labels": labels})
}

/// The names of the alerts that are held back.
async fn held_back(url: &str) -> Vec<String> {
    let answer: Value = reqwest::get(format!("{url}/alerts")).await.unwrap().json().await.unwrap();
    let alerts = answer.as_array().unwrap().iter();
    let mut names: Vec<String> =
        alerts.filter(|alert| !list(&alert["status"], "inhibitedBy").is_empty()).map(name).collect();
    names.sort();
    names
}

/// Name of an alert, and what tells it from others of that name.
fn name(alert: &Value) -> String {
    let of = |label: &str| text(&alert["labels"], label).to_owned();
    [of("alertname"), of("component"), of("segment")].join(" ").trim_end().to_owned()
}

#[tokio::test]
async fn the_cause_is_told_and_what_follows_from_it_is_not() {
    let start = || {
        let config = prometheus::alertmanager();
        programs().map(|programs| Alertmanager::start(&programs, &config, &|line| eprintln!("{line}")).unwrap())
    };
    let Some(alertmanager) = tokio::task::spawn_blocking(start).await.unwrap() else { return };
    let url = format!("http://{}/api/v2", alertmanager.address());
    let sent = [
        // The queue of several teams in one realm.
        "alertname=SegmentRegressedAcrossTeams severity=ticket realm=acme segment=queue layer=platform",
        "alertname=LeadTimeRegressed severity=ticket realm=acme team=web component=shop segment=queue layer=platform",
        "alertname=BuildQueueRegressed severity=ticket realm=acme team=pay component=billing segment=queue layer=platform",
        // Another realm, another segment.
        "alertname=LeadTimeRegressed severity=ticket realm=other team=web component=till segment=queue layer=platform",
        "alertname=BuildQueueRegressed severity=ticket realm=other team=pay component=ledger segment=queue layer=platform",
        // A lead time that says so already, and a wait of another component.
        "alertname=LeadTimeRegressed severity=ticket realm=acme team=web component=search segment=gate_wait layer=policy",
        "alertname=GateWaitRegressed severity=ticket realm=acme team=web component=search segment=gate_wait layer=policy",
        "alertname=GateWaitRegressed severity=ticket realm=acme team=web component=shop segment=gate_wait layer=policy",
        "alertname=ChangeFailureRateRisen severity=ticket realm=acme team=web component=search layer=unknown",
        // What follows from a process that is not there.
        "alertname=FrontDoorDown severity=page",
        "alertname=RoleDown severity=ticket job=throughline instance=a:9464",
        "alertname=GaugesStale severity=ticket",
        "alertname=ConsumerStuck severity=ticket group=loader",
        "alertname=SourceSilent severity=ticket source=github",
    ];
    let posted = reqwest::Client::new().post(format!("{url}/alerts")).json(&sent.map(alert)).send().await.unwrap();
    assert!(posted.status().is_success(), "{posted:?}");
    let silent = [
        "BuildQueueRegressed billing queue",
        "ConsumerStuck",
        "GateWaitRegressed search gate_wait",
        "GaugesStale",
        "LeadTimeRegressed shop queue",
        "RoleDown",
    ];
    // What holds back and what is held back become known one after the other.
    let begun = Instant::now();
    while held_back(&url).await != silent {
        assert!(begun.elapsed() < PATIENCE, "held back are {:#?}", held_back(&url).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(held_back(&url).await, silent, "and it stays so");
    let groups: Value = reqwest::get(format!("{url}/alerts/groups")).await.unwrap().json().await.unwrap();
    let of_team = |group: &&Value| text(&group["labels"], "team") == "web" && text(&group["labels"], "realm") == "acme";
    let messages: Vec<&Value> = groups.as_array().unwrap().iter().filter(of_team).collect();
    assert_eq!(messages.len(), 1, "a team has one message, whatever became slower: {groups:#}");
    tokio::task::spawn_blocking(move || drop(alertmanager)).await.unwrap();
}
