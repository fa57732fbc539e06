//! Whom an alert reaches, by amtool; and that the examples in comments work once they are none.

use end_to_end::prometheus::{alertmanager, ask};

use crate::programs;

#[test]
fn amtool_accepts_the_configuration() {
    let Some(programs) = programs() else { return };
    let said = ask(&programs.amtool, ["check-config", alertmanager().to_str().unwrap()]).unwrap();
    assert!(said.contains("SUCCESS") && said.contains("4 receivers"), "{said}");
}

#[test]
fn every_alert_reaches_those_who_can_do_something() {
    let Some(programs) = programs() else { return };
    let config = format!("--config.file={}", alertmanager().display());
    for (labels, receiver) in [
        ("alertname=FrontDoorDown severity=page", "on-call"),
        ("alertname=SourceSilent severity=ticket source=github", "operations"),
        ("alertname=CatalogFileWrong severity=ticket realm=acme", "operations"),
        (
            "alertname=LeadTimeRegressed severity=ticket realm=acme team=web component=shop segment=deploy layer=platform",
            "delivery",
        ),
        (
            "alertname=LeadTimeRegressed severity=ticket realm=acme component=shop segment=several layer=unknown",
            "delivery",
        ),
        (
            "alertname=ChangeFailureRateRisen severity=ticket realm=acme team=web component=shop layer=unknown",
            "delivery",
        ),
        ("alertname=SegmentRegressedAcrossTeams severity=ticket realm=acme segment=queue layer=platform", "platform"),
    ] {
        let arguments = ["config", "routes", "test", &config].into_iter().chain(labels.split(' '));
        let said = ask(&programs.amtool, arguments).unwrap();
        assert_eq!(said.lines().next(), Some(receiver), "{labels}: {said}");
    }
}

/// Whoever takes the marks of a comment away from an example has a configuration that works.
#[test]
fn every_example_is_valid() {
    let Some(programs) = programs() else { return };
    let mut text = String::new();
    for line in std::fs::read_to_string(alertmanager()).unwrap().lines() {
        let indent = line.len() - line.trim_start().len();
        let comment = line.trim_start().strip_prefix("# ").filter(|comment| indent > 0 && is_example(comment));
        text.push_str(&comment.map_or(line.to_owned(), |comment| format!("{}{comment}", " ".repeat(indent))));
        text.push('\n');
    }
    for receiver in ["payments", "governance"] {
        assert!(text.contains(&format!("- receiver: {receiver}")), "{text}");
        text.push_str(&format!("  - name: {receiver}\n"));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alertmanager.yml");
    std::fs::write(&file, &text).unwrap();
    let said = ask(&programs.amtool, ["check-config", file.to_str().unwrap()]);
    assert!(said.is_ok(), "{said:?}\n{text}");
    for secret in ["routing_key_file:", "api_url_file:", "credentials_file:"] {
        assert!(text.contains(secret), "no example shows {secret}");
    }
    let inline = ["routing_key:", "service_key:", "api_url:", "credentials:", "password:"];
    assert_eq!(inline.into_iter().find(|secret| text.contains(secret)), None, "a secret in the file");
}

/// An example begins with the name of a member, and goes on farther to the right.
fn is_example(comment: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    comment.starts_with(' ') || comment.split_once(':').is_some_and(|(name, _)| is_name(name))
}
