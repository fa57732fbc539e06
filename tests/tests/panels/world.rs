//! The demo's history with a few things beside it, and what follows from it.

use std::collections::BTreeMap;

use end_to_end::demo::{self, BOARD, Demo, NOW, Webhook};
use model::fact::Fact;
use model::{DeploymentId, Millis, Timestamp};
use serde_json::{Value, json};
use warehouse::{Table, Watermark};

use crate::choice::Choice;
use crate::truth::Told;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

pub struct World {
    pub facts: Vec<Fact>,
    pub watermarks: Vec<Watermark>,
    /// Time of the dashboards: the half year of the demo.
    pub from: Timestamp,
    pub to: Timestamp,
}

impl World {
    pub fn new() -> World {
        let demo = demo::generate(7, NOW);
        let told = demo.webhooks.iter().chain(&beside(&demo)).map(demo::delivery).collect::<Vec<_>>();
        let facts = demo::facts_of(&demo, told).unwrap();
        let from = Timestamp(NOW.0.div_euclid(DAY) * DAY) + Millis(-demo::DAYS * DAY);
        World { watermarks: watermarks(&facts), facts, from, to: NOW }
    }

    /// What is true under a choice.
    pub fn told<'a>(&'a self, choice: &'a Choice) -> Told<'a> {
        Told { world: self, choice }
    }
}

/// What the demo does not have: three incidents (one names a deployment that a gate had let pass, one only its service, one
/// nothing that is known), an approval by the author within seconds, one that nobody has given yet, a gate that lets everything
/// pass, and slow releases that a person took out of the figures.
fn beside(demo: &Demo) -> Vec<Webhook> {
    let (billing, named) = middle(deployed(demo, "billing"));
    let (storefront, _) = middle(deployed(demo, "storefront"));
    let by_name = json!([{ "deployment": named }]);
    let mut told = Vec::new();
    for (number, after, service, about) in
        [(1, billing, "billing", by_name), (2, storefront, "storefront", json!([])), (3, storefront, "mail", json!([]))]
    {
        let incident = format!("incidents.example.org/{number}");
        let detected = json!({ "IncidentDetected": { "detected_by": { "kind": "machine" }, "incident": {
            "incident": incident, "number": format!("INC-{number}"), "severity": "high", "services": [service],
            "environment": "production", "kinds": ["wrong booking"], "about": about } } });
        let over = after + Millis(75 * MINUTE);
        let resolved =
            json!({ "IncidentResolved": { "incident": { "incident": incident }, "resolved_at": over.to_string() } });
        told.extend([imported(after + Millis(15 * MINUTE), &detected), imported(over, &resolved)]);
    }
    let before = billing + Millis(-30 * MINUTE);
    let gate = |id: &str| json!({ "gate": format!("board.example.org/{id}"), "name": "second look", "kind": "change_board", "environment": "production" });
    let requested = |id: &str| json!({ "GateRequested": { "gate": gate(id), "about": { "deployment": named } } });
    let decided = json!({ "GateDecided": { "gate": gate("1"), "about": { "deployment": named }, "decision": "approved",
        "decided_by": { "key": "github.com/somebody", "kind": "human" }, "by_author": true, "final_decision": true } });
    told.push(imported(before, &requested("1")));
    told.push(imported(before + Millis(5000), &decided));
    told.push(imported(NOW + Millis(-2 * DAY), &requested("2")));
    for (ended, deployment) in deployed(demo, "storefront").into_iter().rev().take(31) {
        let gate = json!({ "gate": format!("board.example.org/{deployment}"), "name": "smoke test", "kind": "check", "environment": "production" });
        let about = json!({ "deployment": deployment });
        told.push(imported(ended + Millis(-9 * MINUTE), &json!({ "GateRequested": { "gate": gate, "about": about } })));
        let passed = json!({ "GateDecided": { "gate": gate, "about": about, "decision": "approved",
            "decided_by": { "key": "github.com/robot", "kind": "machine" }, "final_decision": true } });
        told.push(imported(ended + Millis(-8 * MINUTE), &passed));
    }
    // Two, which leaves an even number: a lower median then differs from an upper one.
    let mut payouts: Vec<_> = demo.expected.releases.iter().filter(|r| r.component.as_str() == "payouts").collect();
    payouts.sort_by_key(|r| r.lead_time);
    for slow in payouts.iter().rev().take(2) {
        let release = json!({ "component": slow.component, "version": slow.version });
        let drill = json!({ "ReleaseExcluded": { "release": release, "excluded": true, "note": "a drill" } });
        told.push(imported(NOW + Millis(-DAY), &drill));
    }
    told
}

/// Deployments of the component that came to production, and when.
fn deployed(demo: &Demo, component: &str) -> Vec<(Timestamp, DeploymentId)> {
    let production = demo.expected.deployments.iter().filter(|d| {
        d.component.as_str() == component && d.environment.as_str() == "production" && d.success == Some(true)
    });
    let mut ended: Vec<(Timestamp, DeploymentId)> =
        production.filter_map(|d| Some((d.finished_at?, d.deployment.clone()))).collect();
    ended.sort_unstable();
    ended
}

/// One that has others before and after it.
fn middle(mut deployed: Vec<(Timestamp, DeploymentId)>) -> (Timestamp, DeploymentId) {
    deployed.swap_remove(deployed.len() * 2 / 3)
}

fn imported(at: Timestamp, body: &Value) -> Webhook {
    let line = json!({ "occurred_at": at.to_string(), "link": "https://board.example.org/", "body": body });
    Webhook {
        source: BOARD,
        event: None,
        content_type: "application/x-ndjson",
        delivery: format!("{at} {body}"),
        headers: Vec::new(),
        body: format!("{line}\n").into_bytes(),
        occurred_at: at,
    }
}

/// As the loader publishes them, for two partitions of each topic.
fn watermarks(facts: &[Fact]) -> Vec<Watermark> {
    let mut rows: BTreeMap<&'static str, i64> = BTreeMap::new();
    for fact in facts {
        *rows.entry(fact.subject().topic()).or_default() += 1;
    }
    let known = rows.keys().all(|topic| Table::all().iter().any(|table| table.subject.topic() == *topic));
    assert!(known, "every topic of facts has its table");
    let parts = |(topic, next_offset): (&'static str, i64)| {
        let part = move |partition| Watermark {
            topic,
            partition,
            next_offset: next_offset + i64::from(partition),
            written_at: NOW.0 - next_offset * 1000 - i64::from(partition),
        };
        [part(0), part(1)]
    };
    rows.into_iter().flat_map(parts).collect()
}
