//! The series that roles export, as their sources register them: what queries and rules may name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What is exported: a name, and the labels that stand in the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Name of the metric.
    pub name: String,
    /// Whether it is a histogram, whose series have other names.
    pub histogram: bool,
    /// Labels that it may have.
    pub labels: BTreeSet<String>,
}

impl Exported {
    /// Whether it has a series of that name.
    #[must_use]
    pub fn has_series(&self, name: &str) -> bool {
        match name.strip_prefix(&self.name) {
            Some(part) if self.histogram => ["_bucket", "_sum", "_count"].contains(&part),
            Some(part) => part.is_empty(),
            None => false,
        }
    }
}

/// Every metric that the source of a role registers.
///
/// # Errors
/// Where a source cannot be read.
pub fn all() -> Result<Vec<Exported>> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
    let mut files = Vec::new();
    sources(&services, &mut files).with_context(|| format!("{} cannot be read", services.display()))?;
    let mut exported = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        exported.extend(of_source(&source));
    }
    Ok(exported)
}

/// The Rust files of the services, without their tests.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is = |name: &str| path.file_name().is_some_and(|file| file == name);
        if path.is_dir() && !is("tests") {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is("tests.rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Those whose names stand in a text as they are, and those that the macro `figures!` puts together.
#[must_use]
pub fn of_source(source: &str) -> Vec<Exported> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lists = code.split("&[").skip(1).filter_map(|rest| rest.split_once(']')).map(|(list, _)| list);
    let labels: BTreeSet<String> = lists.flat_map(quoted).map(str::to_owned).collect();
    let mut exported = Vec::new();
    let mut before = "";
    for (position, part) in code.split('"').enumerate() {
        if position % 2 == 1 && part.starts_with("throughline_") && is_name(part) {
            let histogram = before.trim_end().ends_with("HistogramOpts::new(");
            exported.push(Exported { name: part.to_owned(), histogram, labels: labels.clone() });
        }
        before = part;
    }
    exported.extend(figures(code));
    exported
}

/// `name ["label"] "help";` is a gauge of a component.
fn figures(code: &str) -> impl Iterator<Item = Exported> {
    let listed = code.split("\nfigures! {").nth(1).and_then(|rest| rest.split_once("\n}")).unwrap_or_default().0;
    listed.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(" [")?;
        let more = quoted(rest.split_once(']')?.0).map(str::to_owned);
        let labels = ["realm", "team", "component"].map(str::to_owned).into_iter().chain(more).collect();
        is_name(name).then(|| Exported { name: format!("throughline_{name}"), histogram: false, labels })
    })
}

fn quoted(list: &str) -> impl Iterator<Item = &str> {
    list.split('"').skip(1).step_by(2)
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_sources() {
        let source = r#"let a = Histogram::with_opts(HistogramOpts::new(
            "throughline_a_seconds", "Help."))?; counters("throughline_b_total", "Help.", &["source", "status"])?;
            #[cfg(test)] mod tests { fn f() { g("throughline_c") } }"#;
        let found = of_source(source);
        let names: Vec<(&str, bool)> = found.iter().map(|metric| (metric.name.as_str(), metric.histogram)).collect();
        assert_eq!(names, [("throughline_a_seconds", true), ("throughline_b_total", false)]);
        assert!(found[0].labels.contains("status"));
        assert!(found[0].has_series("throughline_a_seconds_bucket") && !found[0].has_series("throughline_a_seconds"));
        assert!(found[1].has_series("throughline_b_total") && !found[1].has_series("throughline_b_total_sum"));
    }

    #[test]
    fn figures_are_gauges_of_components() {
        let source = "\nfigures! {\n    a_ratio [] \"Help.\";\n    b_seconds [\"layer\"] \"More [help].\";\n}\n";
        let found = of_source(source);
        let of = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((&*found[0].name, &found[0].labels), ("throughline_a_ratio", &of(&["component", "realm", "team"])));
        let (name, labels) = (&*found[1].name, &found[1].labels);
        assert_eq!((name, labels), ("throughline_b_seconds", &of(&["component", "layer", "realm", "team"])));
    }
}
