//! A catalog that changes: its file is followed, rows move and none is left behind, and the commands tell what is in force.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use end_to_end::installation::{Installation, Role, TABLES};
use model::Timestamp;
use serde_json::{Value, json};
use stream::topics;

use support::metrics::Metrics;

const PATIENCE: Duration = Duration::from_secs(60);
const COMMITS: i64 = 24;
const HOUR: i64 = 3_600_000;

/// The whole repository is one component, but for the books.
const ONE: &str = "\
[[components]]
component = 'mono'
team = 'platform'
repository = 'github.com/acme/mono'
excluded_paths = ['services/ledger/**']
services = ['reports']

[[components]]
component = 'books'
team = 'platform'
repository = 'github.com/acme/mono'
paths = ['services/ledger/**']
services = ['ledger']
";

/// The books are called the ledger, and the rest is two.
const OTHER: &str = "\
teams = [{ team = 'money' }, { team = 'figures' }]

[[components]]
component = 'ledger'
team = 'money'
repository = 'github.com/acme/mono'
paths = ['services/ledger/**', 'libs/**']

[[components]]
component = 'reports'
team = 'figures'
repository = 'https://github.com/acme/mono.git'
paths = ['services/reports/**', 'libs/**']

[[environments]]
environment = 'live'
aliases = ['production']
tier = 'production'
";

fn sha(n: i64) -> String {
    format!("{:040x}", 0xabc_0000_0000_i64 + n)
}

/// Some weeks ago, when the history begins.
fn begin() -> i64 {
    jiff::Timestamp::now().as_millisecond() / 86_400_000 * 86_400_000 - 20 * 24 * HOUR
}

/// A monorepo: after every fourth commit it is built, at the second try, and two services are deployed by leave of a board; each has an
/// incident.
fn history() -> Vec<Value> {
    let (begin, repository) = (begin(), "github.com/acme/mono");
    let event = |at: i64, kind: &str, body: Value| json!({"occurred_at": Timestamp(at), "body": {kind: body}});
    let mut lines = Vec::new();
    for n in 0..COMMITS {
        let at = begin + n * 2 * HOUR;
        let path =
            ["services/ledger/src/book.rs", "services/reports/src/month.rs", "libs/money/lib.rs"][n as usize % 3];
        let parents: Vec<String> = (n > 0).then(|| sha(n - 1)).into_iter().collect();
        let author = json!({"key": "author@example.org", "kind": "human"});
        let commit = json!({"id": sha(n), "parents": parents, "authored_at": at, "committed_at": at, "author": author, "paths": [path]});
        lines.push(event(at, "Commits", json!({"repository": repository, "commits": [commit]})));
        if n % 4 != 3 {
            continue;
        }
        let run = format!("ci.example.org/runs/{n}");
        let body = |outcome: &str, attempt: i64| {
            json!({"run": run, "attempt": attempt, "repository": repository, "pipeline": "train", "phase": "finished",
                   "outcome": outcome, "commit": sha(n), "trigger": "push", "queued_at": at + 1000, "started_at": at + 60_000,
                   "finished_at": at + attempt * 600_000})
        };
        lines.push(event(at + 600_000, "PipelineRun", body("failure", 1)));
        lines.push(event(at + 1_200_000, "PipelineRun", body("success", 2)));
        for service in ["ledger", "reports"] {
            for (environment, wait) in [("staging", 1_800_000), ("production", 3_600_000)] {
                let (id, done) = (format!("deploy.example.org/{service}/{environment}/{n}"), at + wait);
                let gate = json!({"gate": format!("{id}/board"), "name": "change board", "environment": environment});
                let about = json!({"deployment": id, "commit": sha(n)});
                lines.push(event(done - 600_000, "GateRequested", json!({"gate": gate, "about": about})));
                lines.push(event(
                    done - 300_000,
                    "GateDecided",
                    json!({"gate": gate, "about": about, "decision": "approved"}),
                ));
                lines.push(event(
                    done,
                    "Deployment",
                    json!({"deployment": id, "repository": repository, "service": service, "environment": environment,
                           "action": "deploy", "phase": "finished", "outcome": "success", "commit": sha(n), "run": run,
                           "created_at": done - 700_000, "started_at": done - 200_000, "finished_at": done}),
                ));
            }
        }
    }
    for (n, service) in ["ledger", "reports"].into_iter().enumerate() {
        let at = begin + 33 * HOUR;
        let incident = json!({"incident": format!("incidents.example.org/{n}"), "services": [service], "environment": "production",
                              "kinds": ["wrong booking"], "started_at": at});
        lines.push(event(
            at + 60_000,
            "IncidentDetected",
            json!({"incident": incident, "detected_by": {"kind": "machine"}}),
        ));
    }
    lines
}

/// Beside the configuration of an installation.
fn file(installation: &Installation, name: &str, text: &str) -> PathBuf {
    let file = installation.config().with_file_name(name);
    fs::write(&file, text).unwrap();
    file
}

async fn import(installation: &Installation) {
    let lines: Vec<String> = history().iter().map(Value::to_string).collect();
    let file = file(installation, "history.jsonl", &lines.join("\n"));
    installation.run(&["import", &file.display().to_string()]).unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
}

fn told(installation: &Installation, arguments: &[&str]) -> Value {
    serde_json::from_str(&installation.run(&[&["catalog"], arguments, &["--json"]].concat()).unwrap()).unwrap()
}

/// Waits until a catalog of which this holds is in force and everything has followed from it.
async fn in_force(installation: &Installation, holds: impl Fn(&Value) -> bool) -> Value {
    let shown = support::eventually(PATIENCE, async || {
        let shown = told(installation, &["show"]);
        if holds(&shown["catalog"]) { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await;
    installation.wait_drained(PATIENCE).await.unwrap();
    shown
}

/// Rows by component, over all tables that name one.
async fn rows_of(installation: &Installation, component: &str) -> u64 {
    let mut rows = 0;
    for table in TABLES {
        let named = format!(
            "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = '{table}' AND name = 'component'"
        );
        if installation.number(&named).await.unwrap() == 1 {
            rows += installation
                .number(&format!("SELECT count() FROM {table} WHERE component = '{component}'"))
                .await
                .unwrap();
        }
    }
    rows
}

async fn wrong(installation: &Installation) -> u64 {
    Metrics::of(installation, Role::Ingest).await.sum("throughline_catalog_file_wrong", &[("realm", "default")])
}

/// The catalog is a file that is followed, and a part of the way it is wrong; beside it an installation that had the last one from
/// the start.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_catalog_moves_rows_and_leaves_none_behind() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut moved = support::installation(&binary, &servers, "moved");
    let mut fresh = support::installation(&binary, &servers, "anew");
    let followed = file(&moved, "catalog.toml", ONE);
    moved.set("THROUGHLINE_CATALOG__FILE", followed.display().to_string());
    moved.set("THROUGHLINE_CATALOG__POLL_MS", "100");
    for installation in [&mut moved, &mut fresh] {
        installation.run(&["migrate"]).unwrap();
        for role in [Role::Ingest, Role::Correlate, Role::Load] {
            installation.start(role).await.unwrap();
        }
        import(installation).await;
    }
    let first = in_force(&moved, |catalog| catalog["components"][0]["component"] == "mono").await;
    assert_eq!(first["catalog"]["revision"], 1);
    assert!(rows_of(&moved, "books").await > 20 && rows_of(&moved, "mono").await > 20);
    assert!(moved.number("SELECT count() FROM incident_attributions WHERE component = 'books'").await.unwrap() > 0);

    // What cannot be used is told, and what was in force stays.
    fs::write(&followed, "[[components]]\ncomponent = 'books'\npath = ['x']\n").unwrap();
    support::eventually(PATIENCE, async || if wrong(&moved).await == 1 { Ok(()) } else { Err("not told".to_owned()) })
        .await;
    assert_eq!(told(&moved, &["show"])["catalog"], first["catalog"]);

    fs::write(&followed, OTHER).unwrap();
    let second = in_force(&moved, |catalog| catalog["components"][0]["component"] == "ledger").await;
    assert_eq!((&second["catalog"]["revision"], wrong(&moved).await), (&json!(2), 0));
    let put = file(&fresh, "catalog.toml", OTHER);
    fresh.run(&["catalog", "put", &put.display().to_string()]).unwrap();
    in_force(&fresh, |catalog| !catalog.is_null()).await;
    for gone in ["books", "mono", "acme/mono"] {
        assert_eq!(rows_of(&moved, gone).await, 0, "{gone}");
    }
    assert!(rows_of(&moved, "ledger").await > 20 && rows_of(&moved, "reports").await > 20);
    let differences = moved.differences(&fresh).await.unwrap();
    assert!(differences.values().all(|rows| *rows == 0), "{differences:?}");

    // Neither a restart nor another way to write the same is a change.
    moved.stop(Role::Ingest).await.unwrap();
    fs::write(&followed, format!("# Ours\n{OTHER}")).unwrap();
    moved.start(Role::Ingest).await.unwrap();
    support::eventually(PATIENCE, async || {
        let metrics = Metrics::of(&moved, Role::Ingest).await;
        let revision = metrics.sum("throughline_catalog_revision", &[("realm", "default")]);
        if revision == 2 { Ok(()) } else { Err(format!("revision {revision}")) }
    })
    .await;
    moved.wait_drained(PATIENCE).await.unwrap();
    let kafka = support::kafka(&moved, &servers);
    assert_eq!(support::records(&kafka, &topics::CONTROL).await.len(), 2);
    for installation in [moved, fresh] {
        support::remove(installation).await;
    }
}

/// From a bare start: what maps to nothing, what is suggested for it, and that the suggestion leaves nothing unmapped.
#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_maps_what_has_arrived() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut installation = support::installation(&binary, &servers, "suggested");
    installation.run(&["migrate"]).unwrap();
    for role in [Role::Ingest, Role::Correlate, Role::Load] {
        installation.start(role).await.unwrap();
    }
    import(&installation).await;
    assert!(installation.run(&["catalog", "show"]).unwrap().contains("no catalog was ever put"));
    let gaps = |told: &Value| -> Vec<String> {
        let lines = told["unmapped"].as_array().unwrap().iter();
        lines.map(|line| format!("{} {}", line["gap"].as_str().unwrap(), line["name"].as_str().unwrap())).collect()
    };
    let bare = gaps(&told(&installation, &["unmapped"]));
    for gap in [
        "repository github.com/acme/mono",
        "incident_service ledger",
        "deployed_service reports",
        "gate_kind change board",
    ] {
        assert!(bare.iter().any(|line| line == gap), "{gap}: {bare:?}");
    }

    let checkout = installation.config().with_file_name("mono");
    fs::create_dir_all(checkout.join(".git")).unwrap();
    fs::write(checkout.join(".git/config"), "[remote \"origin\"]\n\turl = git@github.com:acme/mono.git\n").unwrap();
    fs::write(checkout.join("CODEOWNERS"), "* @acme/platform\nservices/reports/ @acme/figures @octocat\n").unwrap();
    let written = installation.config().with_file_name("suggested.toml").display().to_string();
    let suggest = ["catalog", "suggest", "--checkout", checkout.to_str().unwrap(), "--write", &written];
    installation.run(&suggest).unwrap();
    let refused = installation.run(&suggest).unwrap_err();
    assert!(format!("{refused:#}").contains("--force"), "{refused:#}");
    let text = fs::read_to_string(&written).unwrap();
    for line in [
        "team = \"figures\"  # CODEOWNERS: 8 of 8 touches of its paths\n",
        "paths = [\"services/ledger/**\", \"libs/**\"]  # touched 8 times in services/ledger, 8 in libs, which by its name is shared\n",
        "kind = \"change_board\"  # by its name: events do not tell\n",
        "# 6 releases by it",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("octocat"), "{text}");
    installation.run(&["catalog", "check", &written]).unwrap();
    installation.run(&["catalog", "put", &written]).unwrap();
    in_force(&installation, |catalog| !catalog.is_null()).await;
    assert_eq!(gaps(&told(&installation, &["unmapped"])), Vec::<String>::new());
    assert_eq!(installation.number("SELECT count() FROM releases WHERE component = 'ledger'").await.unwrap(), 6);
    support::remove(installation).await;
}
