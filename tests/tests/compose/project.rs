//! The file as Compose understands it.

use end_to_end::compose::{make_secrets, services};

use crate::{compose, read};

/// The file itself.
pub fn text() -> String {
    read("docker-compose.yml")
}

#[test]
fn compose_reads_it_with_the_secrets_that_were_made() {
    let Some(compose) = compose() else { return };
    let project = compose.project().unwrap();
    let names: Vec<&str> = services(&project).map(|(name, _)| name).collect();
    let expected =
        ["alertmanager", "clickhouse", "demo", "demo-door", "grafana", "kafka", "migrate", "prometheus", "throughline"];
    assert_eq!(names, expected);
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let Some(compose) = compose() else { return };
    let all = std::fs::read_to_string(compose.env()).unwrap();
    assert!(!all.is_empty());
    for line in all.lines() {
        let (name, secret) = line.split_once('=').unwrap();
        assert_eq!(secret.len(), 64, "{name} has no 256 bits");
        let others = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&others, all.replace(line, "")).unwrap();
        let said = compose.config(&text(), others.path(), &[]).unwrap().unwrap_err();
        assert!(
            said.contains(&format!("{name} is missing a value: run sh deploy/docker/secrets.sh")),
            "{name}: {said}"
        );
    }
}

/// Compose sees what it is there to see.
#[test]
fn what_compose_does_not_know_is_refused() {
    let Some(compose) = compose() else { return };
    for (right, wrong) in [
        ("    image: apache/kafka", "    imagee: apache/kafka"),
        ("stop_grace_period: 30s", "stop_grace_period: soon"),
        ("condition: service_completed_successfully", "condition: service_done"),
        ("      kafka: { condition: service_healthy }", "      kafa: { condition: service_healthy }"),
        ("      - prometheus:/prometheus", "      - prometeus:/prometheus"),
        ("    env_file: deploy/grafana/grafana.env", "    env_file: deploy/grafana/grafanas.env"),
        ("<<: *servers", "<<: *sevrers"),
        ("      nofile: 262144", "      nofile: many"),
    ] {
        let text = text();
        assert!(text.contains(right), "{right} is not in the file any more");
        let taken = compose.config(&text.replacen(right, wrong, 1), &compose.env(), &[]).unwrap();
        assert!(taken.is_err(), "{wrong} is taken");
    }
}

/// A later version may want another secret: what is there stays.
#[test]
fn secrets_that_are_there_stay() {
    let top = tempfile::tempdir().unwrap();
    let env = top.path().join(".env");
    std::fs::write(&env, "THROUGHLINE_PEOPLE_KEY=of old\nMINE=1\n").unwrap();
    let run = || {
        make_secrets(top.path()).unwrap();
        std::fs::read_to_string(&env).unwrap()
    };
    let once = run();
    assert!(once.starts_with("THROUGHLINE_PEOPLE_KEY=of old\nMINE=1\nTHROUGHLINE_MIGRATE_PASSWORD="), "{once}");
    assert_eq!(once.matches("THROUGHLINE_PEOPLE_KEY").count(), 1);
    assert_eq!(run(), once);
}
