//! Queries of Prometheus: Prometheus reads them, and every series and label that they name is one that the roles export.

use std::collections::BTreeSet;

use end_to_end::dashboards::{self, PROMETHEUS, text};
use end_to_end::{exported, prometheus};

/// Name and place of every query, with the variables of Grafana filled in.
fn queries() -> Vec<(String, String, String)> {
    let dashboards = dashboards::all().unwrap();
    let query = |d: &dashboards::Dashboard| -> Vec<(String, String, String)> {
        let of_prometheus = d.queries().into_iter().filter(|query| query.source == PROMETHEUS);
        of_prometheus
            .map(|query| {
                let place = format!("{}, {:?}", d.file, query.place);
                let legend = text(query.target, "legendFormat").to_owned();
                (place, query.text.replace("$__rate_interval", "5m"), legend)
            })
            .collect()
    };
    dashboards.iter().flat_map(query).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn every_series_and_label_is_exported() {
    let exported = exported::all().unwrap();
    let queries = queries();
    assert!(!queries.is_empty());
    for (place, query, legend) in &queries {
        let named: Vec<&str> = words(query).filter(|word| word.starts_with("throughline_")).collect();
        assert!(!named.is_empty(), "{place}: {query} names no series");
        let mut labels = BTreeSet::from(["le", "instance", "job"]);
        for name in named {
            let metric = exported.iter().find(|metric| metric.has_series(name));
            let metric = metric.unwrap_or_else(|| panic!("{place}: no role exports `{name}`"));
            labels.extend(metric.labels.iter().map(String::as_str));
        }
        let grouped = query.split("by (").skip(1).filter_map(|rest| rest.split_once(')')).map(|(list, _)| list);
        let shown = legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(label, _)| label);
        for label in grouped.flat_map(words).chain(shown) {
            assert!(labels.contains(label), "{place}: no series of {query} has the label `{label}`");
        }
    }
}

/// Prometheus' own reader.
#[test]
fn prometheus_reads_every_query() {
    let programs = match prometheus::programs(&|line| eprintln!("{line}")) {
        Ok(programs) => programs,
        Err(error) => return eprintln!("SKIPPED, so Prometheus has read no query: {error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let mut text = "groups:\n- name: panels\n  rules:\n".to_owned();
    for (position, (_, query, _)) in queries().iter().enumerate() {
        text.push_str(&format!("  - record: panel:query:{position}\n    expr: '{}'\n", query.replace('\'', "''")));
    }
    std::fs::write(&rules, &text).unwrap();
    let checked = prometheus::ask(&programs.promtool, ["check".as_ref(), "rules".as_ref(), rules.as_os_str()]);
    assert!(checked.is_ok(), "{checked:?}\n{text}");
}
