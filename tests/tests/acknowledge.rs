//! A shift that somebody acknowledges: from the command to the row of its component.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::fs;
use std::time::Duration;

use end_to_end::installation::{Installation, Role};
use model::Timestamp;
use serde_json::{Value, json};
use stream::topics;

const PATIENCE: Duration = Duration::from_secs(60);
/// 2024-05-01T00:00:00Z.
const BEGIN: i64 = 1_714_521_600_000;
const DAY: i64 = 86_400_000;

async fn import(installation: &Installation, name: &str, lines: &[Value]) {
    let file = installation.config().with_file_name(name);
    fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    installation.run(&["import", &file.display().to_string()]).unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
}

/// Acknowledges a shift on a day, and waits for what follows; what the command said.
async fn acknowledge(installation: &Installation, day: i64, more: &[&str]) -> String {
    let at = Timestamp(BEGIN + day * DAY).to_string();
    let said = installation.run(&[&["acknowledge", "acme/shop", "--at", &at], more].concat()).unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
    said
}

/// Each component with the days on which a shift of it was acknowledged.
async fn rows(installation: &Installation) -> String {
    let sql = format!(
        "SELECT component, arrayMap(at -> intDiv(toUnixTimestamp64Milli(at) - {BEGIN}, {DAY}), acknowledged) FROM components \
         ORDER BY component"
    );
    installation.query(&sql).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_stands_with_its_component() {
    let (binary, servers) = (support::binary().await, support::servers().await);
    let mut installation = support::installation(&binary, &servers, "acknowledged");
    installation.run(&["migrate"]).unwrap();
    for role in [Role::Ingest, Role::Correlate, Role::Load] {
        installation.start(role).await.unwrap();
    }

    // Before there is such a component, it waits.
    let said = json!({"component": "acme/shop", "acknowledged_at": BEGIN + DAY});
    import(
        &installation,
        "early.jsonl",
        &[json!({"occurred_at": BEGIN + 2 * DAY, "body": {"ShiftAcknowledged": said}})],
    )
    .await;
    assert_eq!(rows(&installation).await, "");
    let deployments = ["shop", "tills"].map(|name| {
        let deployment = json!({"deployment": format!("deploy.example.org/{name}/1"), "repository": format!("github.com/acme/{name}"),
                                "environment": "production", "action": "deploy", "phase": "finished", "outcome": "success",
                                "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e"});
        json!({"occurred_at": BEGIN, "body": {"Deployment": deployment}})
    });
    import(&installation, "deployments.jsonl", &deployments).await;
    assert_eq!(rows(&installation).await, "acme/shop\t[1]\nacme/tills\t[]\n");

    // Twice, and an earlier one told later; a correlator that starts anew knows all of them.
    let first = acknowledge(&installation, 5, &["--by", "github.com/octocat", "--note", "agreed"]).await;
    assert!(first.contains("2024-05-06T00:00:00.000Z (the last one at 2024-05-02T00:00:00.000Z)"), "{first}");
    acknowledge(&installation, 5, &[]).await;
    installation.kill(Role::Correlate).unwrap();
    installation.start(Role::Correlate).await.unwrap();
    let third: Value = serde_json::from_str(&acknowledge(&installation, 3, &["--json"]).await).unwrap();
    assert_eq!(third["acknowledged_before"], "2024-05-06T00:00:00.000Z");
    assert_eq!(rows(&installation).await, "acme/shop\t[1,3,5]\nacme/tills\t[]\n");

    // A slip of the fingers is told and not kept, and nobody is named.
    let refused = installation.run(&["acknowledge", "acme/shpo"]).unwrap_err();
    assert!(format!("{refused:#}").contains("did you mean `acme/shop`?"), "{refused:#}");
    let told = support::records(&support::kafka(&installation, &servers), &topics::REVIEW_EVENTS).await;
    let names = |text: &str| {
        told.iter()
            .flat_map(|record| &record.payload)
            .any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    assert_eq!((told.len(), names("agreed"), names("octocat"), names("shpo")), (4, true, false, false));
    support::remove(installation).await;
}
