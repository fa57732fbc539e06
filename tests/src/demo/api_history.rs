//! The history read from GitHub's API beside the history that webhooks told: alone, before them, after them, and among them.

#[path = "../../../services/backfill/tests/github/api.rs"]
pub(super) mod api;
pub(super) mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use backfill::github::{self, Part, Query};
use backfill::http::Client;
use backfill::{Delivery, Sink};
use ingestor::reconcile::told;
use model::fact::Identity;
use model::inbox::InboxRecord;
use serde_json::Value;
use tokio::sync::mpsc;

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
    told(&GITHUB.into(), &"default".into(), delivery, NOW)
}

/// What the API tells beside webhooks: the parents of every commit, so that a lineage is known by them and not only by pushes.
const BESIDE: &[&str] = &["release_commits.lineage"];
/// What differs where the API alone tells: services/decisions/0017-history-as-webhooks.md says why.
const ALONE: &[&str] = &[
    "build_failures.queue",
    "deployments.evidence",
    "gate_waits: only the first",
    "gate_waits: only the second",
    "manual_steps.evidence",
    "manual_steps.possible_from",
    "manual_steps.wait",
    "manual_steps.wait_working",
    "release_commits.batch_wait",
    "release_commits.batch_wait_working",
    "release_commits.change",
    "release_commits.coding",
    "release_commits.coding_working",
    "release_commits.deploy",
    "release_commits.deploy_working",
    "release_commits.gate_wait",
    "release_commits.gate_wait_working",
    "release_commits.hand_off",
    "release_commits.hand_off_working",
    "release_commits.lineage",
    "release_commits.merge_to_build",
    "release_commits.merge_to_build_working",
    "release_commits.merged_at",
    "release_commits.queue",
    "release_commits.queue_working",
    "release_commits.review",
    "release_commits.review_working",
    "releases.batch_wait",
    "releases.batch_wait_working",
    "releases.coding",
    "releases.coding_working",
    "releases.deploy",
    "releases.deploy_working",
    "releases.gate_wait",
    "releases.gate_wait_working",
    "releases.hand_off",
    "releases.hand_off_working",
    "releases.kind",
    "releases.merge_to_build",
    "releases.merge_to_build_working",
    "releases.merge_to_production",
    "releases.queue",
    "releases.queue_working",
    "releases.review",
    "releases.review_approval",
    "releases.review_merge",
    "releases.review_pickup",
    "releases.review_working",
    "releases.rework",
];

/// Rows by what makes them the same row.
type Rows = BTreeMap<Identity, Value>;

fn rows(demo: &Demo, deliveries: impl IntoIterator<Item = InboxRecord>) -> Rows {
    let facts = facts_of(demo, deliveries).unwrap();
    facts.into_iter().map(|fact| (fact.identity(), serde_json::to_value(&fact).unwrap())).collect()
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

/// The history is the same whichever way it came last and whatever came twice. Beside the webhooks the API moves no figure; alone it
/// lacks exactly this.
#[test]
fn a_history_of_github_is_the_one_that_webhooks_tell() {
    let (demo, history) = histories();
    let webhooks = webhooks(demo);
    let both = rows(demo, webhooks.iter().chain(history).cloned());
    assert_eq!(differences(&both, &rows(demo, history.iter().chain(&webhooks).cloned())), BTreeMap::new(), "before");
    let half = webhooks.len() / 2;
    let among = webhooks[..half].iter().chain(history).chain(&webhooks).chain(history);
    assert_eq!(differences(&both, &rows(demo, among.cloned())), BTreeMap::new(), "among, and twice");

    let by_webhooks = rows(demo, webhooks.iter().cloned());
    assert_eq!(named(&differences(&by_webhooks, &both)), BESIDE, "beside webhooks");

    let other_providers = webhooks.iter().filter(|delivery| delivery.source.as_str() != GITHUB);
    let alone = rows(demo, other_providers.chain(history).cloned());
    let mut differ = differences(&by_webhooks, &alone);
    // Sums of what differs.
    differ.retain(|name, _| !name.starts_with("rollup_"));
    assert_eq!(named(&differ), ALONE, "alone");
}

fn named(differences: &BTreeMap<String, (usize, String)>) -> Vec<&str> {
    differences.keys().map(String::as_str).collect()
}
