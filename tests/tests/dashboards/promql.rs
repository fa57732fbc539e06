//! Queries of Prometheus: Prometheus reads them, and every series and label that they name is one that the roles export.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use end_to_end::dashboards::{self, PROMETHEUS, text};

/// What is exported: a name, and the labels that stand in the same file.
struct Exported {
    name: String,
    histogram: bool,
    labels: BTreeSet<String>,
}

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

/// Every metric that the source of a role registers.
fn exported() -> Vec<Exported> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
    let mut files = Vec::new();
    sources(&services, &mut files);
    files.iter().flat_map(|file| of_source(&std::fs::read_to_string(file).unwrap())).collect()
}

/// The Rust files of the services, without their tests.
fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is = |name: &str| path.file_name().is_some_and(|file| file == name);
        if path.is_dir() && !is("tests") {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is("tests.rs") {
            files.push(path);
        }
    }
}

fn of_source(source: &str) -> Vec<Exported> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lists = code.split("&[").skip(1).filter_map(|rest| rest.split_once(']')).map(|(list, _)| list);
    let labels: BTreeSet<String> =
        lists.flat_map(|list| list.split('"').skip(1).step_by(2)).map(str::to_owned).collect();
    let mut exported = Vec::new();
    let mut before = "";
    for (position, part) in code.split('"').enumerate() {
        let is_name = part.starts_with("throughline_") && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if position % 2 == 1 && is_name {
            let histogram = before.trim_end().ends_with("HistogramOpts::new(");
            exported.push(Exported { name: part.to_owned(), histogram, labels: labels.clone() });
        }
        before = part;
    }
    exported
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn every_series_and_label_is_exported() {
    let exported = exported();
    let queries = queries();
    assert!(!queries.is_empty());
    for (place, query, legend) in &queries {
        let named: Vec<&str> = words(query).filter(|word| word.starts_with("throughline_")).collect();
        assert!(!named.is_empty(), "{place}: {query} names no series");
        let mut labels = BTreeSet::from(["le", "instance", "job"]);
        for name in named {
            let is = |metric: &&Exported| {
                let parts = ["_bucket", "_sum", "_count"].map(|part| format!("{}{part}", metric.name));
                if metric.histogram { parts.iter().any(|part| part == name) } else { metric.name == name }
            };
            let metric = exported.iter().find(is).unwrap_or_else(|| panic!("{place}: no role exports `{name}`"));
            labels.extend(metric.labels.iter().map(String::as_str));
        }
        let grouped = query.split("by (").skip(1).filter_map(|rest| rest.split_once(')')).map(|(list, _)| list);
        let shown = legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(label, _)| label);
        for label in grouped.flat_map(words).chain(shown) {
            assert!(labels.contains(label), "{place}: no series of {query} has the label `{label}`");
        }
    }
}

/// What is read of a source is what it registers.
#[test]
fn names_are_found_in_sources() {
    let source = r#"let a = Histogram::with_opts(HistogramOpts::new(
        "throughline_a_seconds", "Help."))?; counters("throughline_b_total", "Help.", &["source", "status"])?;
        #[cfg(test)] mod tests { fn f() { g("throughline_c") } }"#;
    let found: Vec<(String, bool)> =
        of_source(source).into_iter().map(|metric| (metric.name, metric.histogram)).collect();
    assert_eq!(found, [("throughline_a_seconds".to_owned(), true), ("throughline_b_total".to_owned(), false)]);
    assert!(of_source(source)[0].labels.contains("status"));
}

/// Prometheus' own reader, where it is installed.
#[test]
fn prometheus_reads_every_query() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let mut text = "groups:\n- name: panels\n  rules:\n".to_owned();
    for (position, (_, query, _)) in queries().iter().enumerate() {
        text.push_str(&format!("  - record: panel:query:{position}\n    expr: '{}'\n", query.replace('\'', "''")));
    }
    std::fs::write(&rules, &text).unwrap();
    match Command::new("promtool").args(["check", "rules"]).arg(&rules).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!(
                "SKIPPED: no promtool, so Prometheus has read no query (Debian and Ubuntu: apt-get install prometheus)"
            );
        }
        Err(error) => panic!("promtool does not run: {error}"),
        Ok(output) => {
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{said}\n{text}");
        }
    }
}
