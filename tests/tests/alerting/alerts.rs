//! Every alert as Prometheus has read it: it says what it must, and all that it speaks of is there.

use std::collections::BTreeSet;

use end_to_end::dashboards::{self, list, text};
use end_to_end::exported;
use end_to_end::prometheus::folder;
use local_stack::Prometheus;
use serde_json::Value;

use crate::programs;

/// The alerts that wake somebody: while deliveries are turned away.
const PAGES: [&str; 2] = ["FrontDoorDown", "KafkaAway"];

/// The rules as Prometheus has read them; none where there is no Prometheus.
async fn rules() -> Option<Vec<(String, Value)>> {
    let start = || {
        let config = folder().join("prometheus.yml");
        programs().map(|programs| Prometheus::start(&programs, &config, &|line| eprintln!("{line}")).unwrap())
    };
    let prometheus = tokio::task::spawn_blocking(start).await.unwrap()?;
    let url = format!("http://{}/api/v1/rules", prometheus.address());
    let answer: Value = reqwest::get(url).await.unwrap().error_for_status().unwrap().json().await.unwrap();
    // Dropping it waits for its end.
    tokio::task::spawn_blocking(move || drop(prometheus)).await.unwrap();
    let groups = list(&answer["data"], "groups").iter();
    let rules =
        groups.flat_map(|group| list(group, "rules").iter().map(|rule| (text(group, "name").to_owned(), rule.clone())));
    Some(rules.collect())
}

fn alerts(rules: &[(String, Value)]) -> impl Iterator<Item = (&str, &Value)> {
    rules.iter().filter(|(_, rule)| text(rule, "type") == "alerting").map(|(group, rule)| (group.as_str(), rule))
}

/// `LeadTimeRegressed` and `Lead time regressed` are the same name.
fn squeezed(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The name of a section in an address.
fn kebab(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

#[tokio::test]
async fn every_alert_says_what_it_means_and_where_to_look() {
    let Some(rules) = rules().await else { return };
    let runbooks = std::fs::read_to_string(folder().join("RUNBOOKS.md")).unwrap();
    let mut sections: BTreeSet<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for (_, alert) in alerts(&rules) {
        let (name, annotations) = (text(alert, "name"), &alert["annotations"]);
        for (annotation, least) in [("summary", 20), ("description", 80)] {
            let said = text(annotations, annotation);
            assert!(said.len() > least, "{name} has no {annotation}, or next to none: {said}");
            assert!(!said.contains("  ") && !said.contains('\n'), "{name}: {said:?}");
        }
        let section = sections.iter().find(|heading| squeezed(heading) == squeezed(name)).copied();
        let section = section.unwrap_or_else(|| panic!("RUNBOOKS.md has no section about {name}"));
        let url = format!("{{{{ $externalLabels.throughline }}}}/runbooks/{}", kebab(section));
        assert_eq!(text(annotations, "runbook_url"), url);
        sections.remove(section);
        leads_to_a_dashboard(name, text(annotations, "dashboard_url"));
    }
    assert!(sections.is_empty(), "of no alert: {sections:?}");
}

/// A dashboard that is there, with variables that it has, and a time.
fn leads_to_a_dashboard(alert: &str, url: &str) {
    let path = url.strip_prefix("{{ $externalLabels.grafana }}/d/");
    let (uid, query) = path.and_then(|path| path.split_once('?')).unwrap_or_else(|| panic!("{alert}: {url}"));
    let dashboards = dashboards::all().unwrap();
    let dashboard = dashboards.iter().find(|dashboard| dashboard.uid() == uid);
    let dashboard = dashboard.unwrap_or_else(|| panic!("{alert} leads to `{uid}`, which is no dashboard"));
    let known: BTreeSet<&str> = dashboard.variables().iter().map(|variable| text(variable, "name")).collect();
    for named in query.split("var-").skip(1) {
        let (variable, value) = named.split_once('=').unwrap();
        assert!(known.contains(variable), "{alert}: `{uid}` has no variable `{variable}`");
        assert!(value.contains("| urlquery }}"), "{alert}: the value of `{variable}` goes into the address as it is");
    }
    assert!(query.contains("from=now-") && query.ends_with("&to=now"), "{alert}: no time in {url}");
}

#[tokio::test]
async fn delivery_is_a_ticket_and_nothing_flaps() {
    let Some(rules) = rules().await else { return };
    let mut pages = BTreeSet::new();
    for (group, alert) in alerts(&rules) {
        let name = text(alert, "name");
        match text(&alert["labels"], "severity") {
            "ticket" => {}
            "page" => drop(pages.insert(name)),
            other => panic!("{name}: `{other}` is no severity"),
        }
        assert!(group == "operations" || !pages.contains(name), "{name} is about delivery and pages");
        let seconds = |member: &str| alert[member].as_f64().unwrap_or_default();
        // What is scraped every 15 s is there again five minutes after a restart, and the gauges a minute later.
        assert!(seconds("duration") >= 300.0 && seconds("keepFiringFor") >= 300.0, "{name} follows a restart");
        let is_of_hours = seconds("duration") >= 3600.0 && seconds("keepFiringFor") >= 3600.0;
        assert!(group == "operations" || is_of_hours, "{name} does not give a history the time to be read in");
    }
    assert_eq!(pages, PAGES.into());
}

/// In expressions and in the queries of annotations.
#[tokio::test]
async fn every_series_is_exported_or_recorded() {
    let Some(rules) = rules().await else { return };
    let exported = exported::all().unwrap();
    let recorded: BTreeSet<&str> = rules.iter().map(|(_, rule)| text(rule, "name")).collect();
    let mut missing = BTreeSet::new();
    for (_, rule) in &rules {
        let annotations = rule["annotations"].as_object().into_iter().flat_map(|all| all.values());
        let texts = annotations.filter_map(Value::as_str).chain([text(rule, "query")]);
        for word in texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c))) {
            let is_recorded = word.contains(":throughline_") && !recorded.contains(word);
            let is_exported =
                word.starts_with("throughline_") && !exported.iter().any(|metric| metric.has_series(word));
            if is_recorded || is_exported {
                missing.insert(word);
            }
        }
    }
    assert!(missing.is_empty(), "no role exports and no rule records {missing:?}");
}
