//! The binary as its users call it: what it prints, and what it exits with.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const PUSH: &str = include_str!("push.json");

fn throughline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    // Whatever configures the machine that tests run on must not configure them.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("THROUGHLINE_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn run_with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().any(has_null),
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

#[test]
fn inspect_shows_events_what_is_ignored_and_what_is_a_dead_letter() {
    let inspect = |event: &str, body: &str| {
        let output = run_with_input(&mut throughline(&["inspect", "github", "--event", event, "-"]), body);
        let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(text(&output.stderr), "");
        (output.status.code(), lines)
    };
    let (code, lines) = inspect("push", PUSH);
    assert_eq!(code, Some(0), "{lines:?}");
    assert_eq!(lines[0]["body"]["Push"]["repository"], "github.com/acme/shop");
    assert!(!lines.iter().any(has_null), "{lines:?}");

    let (code, lines) = inspect("star", r#"{"action": "created"}"#);
    assert_eq!((code, lines.len()), (Some(0), 1));
    assert!(lines[0]["ignored"].is_string(), "{lines:?}");

    let (code, lines) = inspect("push", "{");
    assert_eq!((code, lines.len()), (Some(2), 1));
    assert!(lines[0]["dead_letter"].is_string(), "{lines:?}");
}

#[test]
fn inspect_knows_configured_sources_and_names_what_there_is() {
    let config =
        file("[sources.shop]\nprovider = 'github'\nrealm = 'acme'\nsecrets = [{ env = 'NOT_SET_AND_NOT_NEEDED' }]");
    let config = config.path().to_str().unwrap();
    let push = file(PUSH);
    let push = push.path().to_str().unwrap();
    let output = run(&mut throughline(&["--config", config, "inspect", "shop", "--event", "push", push]));
    let event: Value = serde_json::from_str(text(&output.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(
        (&event["source"], &event["realm"], &event["provider"]),
        (&json!("shop"), &json!("acme"), &json!("github"))
    );

    let output = run(&mut throughline(&["inspect", "nobody", push]));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("error: `nobody` is neither a provider (alertmanager, argocd"),
        "{output:?}"
    );
}

#[test]
fn config_check_shows_every_key_with_its_origin_and_no_secret() {
    let config = file("[kafka]\nbrokers = 'kafka:9092'\n[people]\nkey = 'hunter2-hunter2-hunter2'");
    let arguments = ["config", "check", "--config", config.path().to_str().unwrap()];
    let output = run(throughline(&arguments).env("THROUGHLINE_LOG__LEVEL", "debug"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let table = text(&output.stdout);
    let line =
        |key: &str| table.lines().find(|line| line.starts_with(key)).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(line("log.level"), ["log.level", "\"debug\"", "environment", "THROUGHLINE_LOG__LEVEL"]);
    assert_eq!(line("kafka.topic_prefix"), ["kafka.topic_prefix", "\"throughline.\"", "default"]);
    assert_eq!(line("kafka.brokers")[1..3], ["\"kafka:9092\"", "file"]);
    assert_eq!(line("people.key")[1], "***");

    let output = run(throughline(&arguments).arg("--json"));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["ok"], &json["error"]), (&json!(true), &json!(null)));
    let brokers = json["settings"].as_array().unwrap().iter().find(|s| s["key"] == "kafka.brokers").unwrap();
    assert_eq!(brokers["value"], "\"kafka:9092\"");
    assert!(!text(&output.stdout).contains("hunter2"));
}

#[test]
fn config_check_refuses_what_cannot_work() {
    let config = file("[kafka]\nbroker = 'kafka:9092'");
    let arguments = ["config", "check", "--config", config.path().to_str().unwrap()];
    let output = run(&mut throughline(&arguments));
    assert_eq!(output.status.code(), Some(1));
    let said = "unknown key `kafka.broker`; did you mean `kafka.brokers`?";
    assert!(text(&output.stderr).contains(said), "{output:?}");
    let output = run(throughline(&arguments).arg("--json"));
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["ok"] == false && json["error"].as_str().unwrap().contains(said), "{json}");

    let output = run(&mut throughline(&["config", "check", "--config", "/no/such/file.toml"]));
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.starts_with("error: the configuration file /no/such/file.toml cannot be read: No such file"),
        "{error}"
    );
}

#[test]
fn ingest_wants_the_key_of_the_hash() {
    let output = run(throughline(&["ingest"])
        .env("THROUGHLINE_ADMIN__LISTEN", "127.0.0.1:0")
        .env("THROUGHLINE_RECEIVE__LISTEN", "127.0.0.1:0"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("`people.key` is missing"), "{output:?}");
}

#[test]
fn a_catalog_is_checked() {
    let output = run_with_input(
        &mut throughline(&["catalog", "check", "-"]),
        "revision = 3\n[[components]]\ncomponent = 'shop'\n[[components]]\ncomponent = 'tills'",
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).starts_with("catalog of revision 3: 2 components, 0 teams"), "{output:?}");
    let output = run_with_input(&mut throughline(&["catalog", "check", "-"]), "[[components]]\nname = 'shop'");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("component"), "{output:?}");
}

#[test]
fn what_is_still_to_come_is_not_acknowledged() {
    let output = run(&mut throughline(&["acknowledge", "shop", "--at", "2286-11-20"]));
    assert_eq!(output.status.code(), Some(1));
    let said = "error: --at is 2286-11-20T00:00:00.000Z, which is still to come";
    assert!(text(&output.stderr).starts_with(said), "{output:?}");
}

#[test]
fn version_names_the_schemas() {
    let output = run(&mut throughline(&["version", "--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    let inbox = json["schemas"].as_array().unwrap().iter().find(|schema| schema["subject"] == "inbox").unwrap();
    assert_eq!(inbox["id"], 1);
    let output = run(&mut throughline(&["version"]));
    assert!(text(&output.stdout).contains("  1  inbox v1"), "{output:?}");
}

#[test]
fn a_source_name_that_cannot_stand_in_a_key_is_wrong_usage() {
    let output = run(&mut throughline(&["import", "--source", "a/b", "-"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a source's name has 1 to 64"), "{output:?}");
}

#[test]
fn sources_lists_every_provider() {
    let output = run(&mut throughline(&["sources"]));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let table = text(&output.stdout);
    assert!(table.starts_with("NAME"), "{table}");
    let github = table.lines().find(|line| line.starts_with("github ")).unwrap();
    assert!(github.contains("GitHub") && github.contains("hub-signature-256"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");

    let output = run(&mut throughline(&["sources", "--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let github = json.as_array().unwrap().iter().find(|provider| provider["name"] == "github").unwrap();
    assert_eq!((&github["title"], &github["proofs"][0]["scheme"]), (&json!("GitHub"), &json!("hub-signature-256")));
}

#[test]
fn sources_shows_how_a_provider_is_connected() {
    let output = run(&mut throughline(&["sources", "github"]));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let page = text(&output.stdout);
    for said in [
        "GitHub (github)\n",
        "  [sources.github]\n  provider = \"github\"\n  secrets = [{ env = \"GITHUB_WEBHOOK_SECRET\" }]\n",
        "https://<host>/hooks/github",
        "Secret: $GITHUB_WEBHOOK_SECRET",
        "\n  * Deployment statuses (deployment_status): ",
        "\n    Statuses (status): ",
        "Documentation:\n  https://docs.github.com/",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    let output = run(&mut throughline(&["sources", "github", "--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["source"], &json["configured"]), (&json!("github"), &json!(false)));
    assert_eq!(json["url"], "https://<host>/hooks/github");
    assert!(json["events"].as_array().unwrap().iter().any(|event| event["essential"] == true), "{json}");
}

#[test]
fn sources_shows_a_configured_source_and_no_secret() {
    let config = file(
        "[sources.shop]\nprovider = 'github'\nrealm = 'acme'\nsecrets = [{ env = 'NOT_SET' }, 'hunter2']\n\
         [sources.plain]\nprovider = 'github'\nsecrets = ['hunter2']\n\
         [sources.'open.1']\nprovider = 'cdevents'\ninsecure_no_secret = true",
    );
    let config = config.path().to_str().unwrap();
    let page = |name: &str| {
        let output = run(&mut throughline(&["sources", name, "--config", config]));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        assert!(!text(&output.stdout).contains("hunter2"), "{output:?}");
        text(&output.stdout).to_owned()
    };
    let shop = page("shop");
    assert!(shop.contains("/hooks/shop") && shop.contains("Secret: $NOT_SET"), "{shop}");
    assert!(shop.contains("[sources.shop]\n  provider = \"github\"\n  realm = \"acme\"\n  secrets = ["), "{shop}");
    assert!(page("plain").contains("<the secret of the configuration>"));
    let open = page("open.1");
    assert!(open.contains("[sources.\"open.1\"]") && open.contains("insecure_no_secret = true"), "{open}");
}

#[test]
fn sources_says_what_an_unknown_name_may_have_meant() {
    let config = file("[sources.shop]\nprovider = 'github'\nsecrets = [{ env = 'NOT_SET' }]");
    let config = config.path().to_str().unwrap();
    for (name, meant) in
        [("gitbuh", "; did you mean `github`?"), ("shpo", "; did you mean `shop`?"), ("nobody", "(shop)")]
    {
        let output = run(&mut throughline(&["sources", name, "--config", config]));
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr).trim_end();
        let start = format!("error: `{name}` is neither a provider (");
        assert!(error.starts_with(&start) && error.ends_with(meant), "{error}");
    }
}

#[test]
fn a_backfill_says_what_it_lacks_before_it_begins() {
    let config = file("[sources.shop]\nprovider = 'github'\nsecrets = ['a secret of the tests']");
    let config = config.path().to_str().unwrap();
    let backfill = |arguments: &[&str]| {
        let mut command = throughline(&["--config", config, "backfill", "github"]);
        let output = run(command.args(arguments).env_remove("GITHUB_TOKEN"));
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let (code, error) = backfill(&["acme/shop", "--since", "2026-01-01"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("GITHUB_TOKEN is not set") && error.contains("--token-file"), "{error}");
    let (code, error) = backfill(&["shop", "--since", "2026-01-01"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("`shop` names no repository"), "{error}");
    let (code, error) = backfill(&["acme/shop", "--since", "lately"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("neither a day like"), "{error}");
    let (code, error) = backfill(&["acme/shop", "--since", "2026-01-01", "--only", "issues"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("deployments"), "{error}");
}

#[test]
fn a_backfill_of_gitlab_or_pagerduty_says_what_it_lacks_before_it_begins() {
    let config = file(
        "[sources.shop]\nprovider = 'gitlab'\nsecrets = ['a secret of the tests']\n\
         [sources.pager]\nprovider = 'pagerduty'\nsecrets = ['a secret of the tests']",
    );
    let config = config.path().to_str().unwrap();
    let backfill = |arguments: &[&str]| {
        let mut command = throughline(&["--config", config, "backfill"]);
        let output = run(command.args(arguments).env_remove("GITLAB_TOKEN").env_remove("PAGERDUTY_TOKEN"));
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let lacks = |arguments: &[&str], code: i32, what: &str| {
        let (ended, error) = backfill(arguments);
        assert!(ended == Some(code) && error.contains(what), "{arguments:?}: {error}");
    };
    lacks(&["gitlab", "acme/shop", "--since", "2026-01-01"], 1, "GITLAB_TOKEN is not set");
    lacks(&["gitlab", "shop", "--since", "2026-01-01"], 1, "`shop` names no project");
    lacks(&["gitlab", "acme/shop", "--since", "2026-01-01", "--only", "pulls"], 2, "merge-requests");
    lacks(&["gitlab", "acme/shop"], 2, "--since");
    lacks(&["pagerduty", "--since", "2026-01-01"], 1, "PAGERDUTY_TOKEN is not set");
    lacks(&["pagerduty", "--since", "lately"], 2, "neither a day like");
}
