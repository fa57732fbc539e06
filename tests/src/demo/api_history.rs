//! The history read from GitHub's API beside the history that webhooks told: alone, before them, after them, and among them.

#[path = "../../../services/backfill/tests/github/api.rs"]
pub(super) mod api;
pub(super) mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use backfill::github::{self, Part, Query};
use backfill::http::Client;
use backfill::{Delivery, Sink};
use model::fact::{Fact, Identity};
use model::inbox::InboxRecord;
use serde_json::Value;
use tokio::sync::mpsc;

use super::oracle::{NOW, delivery, facts_of};
use super::*;
use api::{Api, TOKEN, World};

const SEED: u64 = 7;

/// The demo, and its history as the API tells it at its end.
pub(super) fn histories() -> &'static (Demo, Vec<InboxRecord>) {
    static HISTORIES: OnceLock<(Demo, Vec<InboxRecord>)> = OnceLock::new();
    HISTORIES.get_or_init(|| {
        let demo = generate(SEED, NOW);
        let told = tokio::runtime::Runtime::new().unwrap().block_on(read_all(&demo));
        (demo, told)
    })
}

async fn read_all(demo: &Demo) -> Vec<InboxRecord> {
    let (mut world, mut names) = (World::default(), Vec::new());
    for (_, project) in projects(SEED, NOW.0 / 1000) {
        let own = format!("\"full_name\":\"{}\"", project.repo.full_name());
        let of_project = |webhook: &&Webhook| String::from_utf8_lossy(&webhook.body).contains(&own);
        let webhooks: Vec<&Webhook> = demo.webhooks.iter().filter(of_project).collect();
        world::add(&mut world, &project.git, &webhooks);
        names.push(project.repo.name);
    }
    let api = Api::serve(world, 100, &[]).await;
    let client = Client::new(github::api(&api.root, Some(TOKEN.into()))).unwrap();
    let mut told = Vec::new();
    for name in names {
        told.extend(read(&client, name).await.into_iter().map(taken));
    }
    told
}

async fn read(client: &Client, name: &str) -> Vec<Delivery> {
    let (owner, since) = ("acme".to_owned(), Timestamp(NOW.0 - (DAYS + 30) * DAY * 1000));
    let query = Query { owner, name: name.to_owned(), since, parts: Part::ALL.into(), paths: true };
    let (deliveries, mut receiver) = mpsc::channel(100);
    let sink = Sink { deliveries, progress: Arc::new(|_| ()) };
    let taking = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(delivery) = receiver.recv().await {
            all.push(delivery);
        }
        all
    });
    github::read(client, &query, &sink).await.unwrap();
    drop(sink);
    taking.await.unwrap()
}

fn taken(delivery: Delivery) -> InboxRecord {
    InboxRecord {
        source: GITHUB.into(),
        realm: "default".into(),
        provider: delivery.provider.to_owned(),
        delivery: delivery.id,
        event: delivery.event,
        content_type: Some("application/json".to_owned()),
        headers: BTreeMap::new(),
        received_at: NOW,
        body: delivery.body.into(),
    }
}

/// Rows by what makes them the same row.
type Rows = BTreeMap<Identity, Value>;

fn rows(demo: &Demo, deliveries: impl IntoIterator<Item = InboxRecord>) -> Rows {
    facts_of(demo, deliveries).into_iter().map(|fact| (fact.identity(), row(&fact))).collect()
}

fn row(fact: &Fact) -> Value {
    let row = match fact {
        Fact::Component(row) => serde_json::to_value(row),
        Fact::Release(row) => serde_json::to_value(row),
        Fact::ReleaseCommit(row) => serde_json::to_value(row),
        Fact::Deployment(row) => serde_json::to_value(row),
        Fact::GateWait(row) => serde_json::to_value(row),
        Fact::Build(row) => serde_json::to_value(row),
        Fact::BuildFailure(row) => serde_json::to_value(row),
        Fact::ManualStep(row) => serde_json::to_value(row),
        Fact::Incident(row) => serde_json::to_value(row),
        Fact::IncidentAttribution(row) => serde_json::to_value(row),
    };
    row.unwrap()
}

/// `table.column` of what differs, with how often and one example.
fn differences(one: &Rows, other: &Rows) -> BTreeMap<String, (usize, String)> {
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut differs = |what: String, example: String| found.entry(what).or_insert((0, example)).0 += 1;
    for identity in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        let table = identity.subject().topic().trim_start_matches("facts.");
        match (one.get(identity), other.get(identity)) {
            (Some(row), Some(other)) => {
                for (column, value) in row.as_object().unwrap() {
                    if *value != other[column] {
                        differs(format!("{table}.{column}"), format!("{value} {} {identity:?}", other[column]));
                    }
                }
            }
            (row, _) => {
                let side = if row.is_some() { "only the first" } else { "only the second" };
                differs(format!("{table}: {side}"), format!("{identity:?}"));
            }
        }
    }
    found
}

fn webhooks(demo: &Demo) -> Vec<InboxRecord> {
    demo.webhooks.iter().map(delivery).collect()
}

#[test]
fn print_differences() {
    let (demo, told) = histories();
    let hooks = rows(demo, webhooks(demo));
    let others: Vec<InboxRecord> = webhooks(demo).into_iter().filter(|d| d.source.as_str() != GITHUB).collect();
    let alone = rows(demo, others.into_iter().chain(told.clone()));
    let both = rows(demo, webhooks(demo).into_iter().chain(told.clone()));
    println!("=== both vs webhooks");
    for (what, (n, example)) in differences(&hooks, &both) {
        println!("{what}: {n}  {example}");
    }
    println!("=== alone vs webhooks ({} rows)", hooks.len());
    for (what, (n, example)) in differences(&hooks, &alone) {
        println!("{what}: {n}  {example}");
    }
}
