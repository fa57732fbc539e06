//! Who is told what: settings that Throughline knows, ports that are those of the other side, variables that are explained.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use end_to_end::compose::{environment, list, services};
use end_to_end::installation;
use serde_json::Value;

use crate::project::text;
use crate::{compose, read};

/// Services that run `throughline`.
const OURS: [&str; 3] = ["throughline", "migrate", "demo-door"];

fn variable<'a>(project: &'a Value, service: &str, name: &str) -> &'a str {
    let found = environment(project, service).find(|(variable, _)| *variable == name);
    found.unwrap_or_else(|| panic!("{service} has no {name}")).1
}

/// Where a path of a container is on this machine.
fn on_this_machine(project: &Value, service: &str, path: &str) -> PathBuf {
    let mounts = list(&project["services"][service]["volumes"]).iter();
    let mut places = mounts.filter_map(|volume| {
        let below = path.strip_prefix(volume["target"].as_str()?)?;
        Some(PathBuf::from(format!("{}{below}", volume["source"].as_str()?)))
    });
    places.next().unwrap_or_else(|| panic!("{service}: {path} is not mounted"))
}

/// `throughline config check` as the container would run it.
fn config_check(project: &Value, service: &str, also: &[(&str, &str)]) -> Output {
    let mut command = Command::new(installation::build().unwrap());
    command
        .args(["config", "check", "--json"])
        .env_clear()
        .envs(environment(project, service))
        .envs(also.iter().copied());
    if let Some((_, file)) = environment(project, service).find(|(name, _)| *name == "THROUGHLINE_CONFIG") {
        command.env("THROUGHLINE_CONFIG", on_this_machine(project, service, file));
    }
    command.output().unwrap()
}

#[test]
fn throughline_knows_every_setting() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    for service in OURS {
        let output = config_check(&project, service, &[]);
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(output.status.success(), "{service}: {}", said["error"]);
        // Everything with two underscores is a setting that came from there.
        let wanted = environment(&project, service).filter(|(name, _)| name.contains("__")).count();
        let origins = said["settings"].to_string();
        let taken =
            environment(&project, service).filter(|(name, _)| name.contains("__") && origins.contains(name)).count();
        assert_eq!(taken, wanted, "{service}: {origins}");
    }
    for (name, value) in
        [("THROUGHLINE_KAFKA__BROKER", "kafka:9092"), ("THROUGHLINE_CLICKHOUSE__MIGRATE_ON_START", "no")]
    {
        let output = config_check(&project, "throughline", &[(name, value)]);
        assert!(!output.status.success(), "{name}={value} is taken");
    }
}

/// The image has no client but the binary.
#[test]
fn the_health_check_is_a_command() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    for service in ["throughline", "demo-door"] {
        let words: Vec<&str> = list(&project["services"][service]["healthcheck"]["test"])
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        assert_eq!(words[..2], ["CMD", "throughline"], "{service}");
        let output = Command::new(installation::build().unwrap())
            .args(&words[2..])
            .env_clear()
            .env("THROUGHLINE_ADMIN__LISTEN", "127.0.0.1:1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("http://127.0.0.1:1/readyz does not answer"), "{said}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn each_port_is_that_of_the_other_side() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    for service in OURS {
        let brokers = variable(&project, service, "THROUGHLINE_KAFKA__BROKERS");
        let advertised = variable(&project, "kafka", "KAFKA_ADVERTISED_LISTENERS");
        assert!(advertised.split(',').any(|at| at == format!("PLAINTEXT://{brokers}")), "{brokers}: {advertised}");
        let (_, port) = brokers.split_once(':').unwrap();
        let listeners = variable(&project, "kafka", "KAFKA_LISTENERS");
        assert!(listeners.split(',').any(|at| at == format!("PLAINTEXT://:{port}")), "{port}: {listeners}");
        assert_eq!(variable(&project, service, "THROUGHLINE_CLICKHOUSE__URL"), "http://clickhouse:8123");
    }
    // What Throughline listens on where nothing else is said.
    let defaults: toml::Table = toml::from_str(&read("services/throughline/src/config/defaults.toml")).unwrap();
    let published: Vec<String> = list(&project["services"]["throughline"]["ports"])
        .iter()
        .map(|port| format!("0.0.0.0:{}", port["target"]))
        .collect();
    let listens = ["receive", "admin"].map(|section| defaults[section]["listen"].as_str().unwrap().to_owned());
    assert_eq!(published, listens);
    let exposed = read("deploy/docker/Dockerfile");
    assert!(exposed.contains("\nEXPOSE 8080 9464\n"), "{exposed}");
    // A client of this machine is told to come back to where it came.
    let local = list(&project["services"]["kafka"]["ports"]);
    let advertised = variable(&project, "kafka", "KAFKA_ADVERTISED_LISTENERS");
    assert!(advertised.contains(&format!("LOCAL://localhost:{}", local[0]["target"])), "{advertised}");
    assert_eq!(local[0]["published"], local[0]["target"].to_string());
    let door = variable(&project, "demo", "THROUGHLINE_DEMO_SECRET");
    assert_eq!(door, variable(&project, "demo-door", "THROUGHLINE_DEMO_SECRET"));
    assert!(project["services"]["demo"]["command"].to_string().contains("http://demo-door:8080/hooks/"));
}

#[test]
fn what_watches_knows_whom_to_ask() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    let prometheus = read("deploy/prometheus/prometheus.yml");
    for target in ["throughline:9464", "alertmanager:9093"] {
        assert!(prometheus.contains(target), "prometheus.yml does not know {target}");
    }
    for (variable_name, expected) in [
        ("CLICKHOUSE_HOST", "clickhouse"),
        ("CLICKHOUSE_PORT", "8123"),
        ("CLICKHOUSE_USER", "throughline_read"),
        ("PROMETHEUS_URL", "http://prometheus:9090"),
    ] {
        assert_eq!(variable(&project, "grafana", variable_name), expected);
    }
    // Each server has the password of its user, and no other's.
    for (service, name, user) in [
        ("throughline", "THROUGHLINE_CLICKHOUSE__PASSWORD", "THROUGHLINE_WRITE_PASSWORD"),
        ("migrate", "THROUGHLINE_CLICKHOUSE__PASSWORD", "THROUGHLINE_MIGRATE_PASSWORD"),
        ("grafana", "CLICKHOUSE_PASSWORD", "THROUGHLINE_READ_PASSWORD"),
    ] {
        assert_eq!(variable(&project, service, name), variable(&project, "clickhouse", user));
        assert!(read("deploy/clickhouse/users.d/throughline.xml").contains(&format!("from_env=\"{user}\"")), "{user}");
    }
    let pairs = services(&project).filter(|(_, service)| !service["command"].is_null());
    for (name, service) in pairs {
        for word in list(&service["command"]) {
            if let Some(file) = word.as_str().unwrap().strip_prefix("--config.file=") {
                let path = on_this_machine(&project, name, file);
                assert!(path.is_file(), "{name}: {} is not there", path.display());
            }
        }
    }
}

#[test]
fn every_variable_is_explained_and_every_explanation_is_of_one() {
    let text = text();
    let read_here: BTreeSet<&str> =
        text.split("${").skip(1).map(|rest| rest.split([':', '}', '-', '?']).next().unwrap()).collect();
    let page = read("deploy/docker/README.md");
    let table = page.split("| variable |").nth(1).expect("the page has a table of variables");
    let explained: BTreeSet<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .collect();
    assert_eq!(read_here, explained);
}
