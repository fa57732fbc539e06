//! The dashboards of `deploy/grafana` as they are shipped, and their queries as Grafana would send them.

mod fill;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub use fill::{Chosen, Filling, fill, interval, length};

/// Type of the data source of the tables.
pub const CLICKHOUSE: &str = "grafana-clickhouse-datasource";
/// Type of the data source of `/metrics`.
pub const PROMETHEUS: &str = "prometheus";

/// A dashboard as the file says it.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// Name of the file.
    pub file: String,
    /// The file.
    pub text: String,
    /// What it says.
    pub json: Value,
}

/// Where a query stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The choices of a variable, by its name.
    Variable(String),
    /// Marks in all panels over time, by their name.
    Annotation(String),
    /// A panel, by its title.
    Panel(String),
}

/// A query of a dashboard.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// Where it stands.
    pub place: Place,
    /// Type of the panel; empty outside of panels.
    pub panel: &'a str,
    /// Type of the data source.
    pub source: &'a str,
    /// The text: SQL or PromQL.
    pub text: &'a str,
    /// The object that has it: the target, or the query of a variable.
    pub target: &'a Value,
    /// Shortest interval of the panel, such as `1d`; empty where it has none.
    pub interval: &'a str,
}

/// The folder of what belongs to Grafana.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana")
}

/// All dashboards that are shipped, by the name of their file.
///
/// # Errors
/// Where the folder or a file cannot be read, or a file is no JSON.
pub fn all() -> Result<Vec<Dashboard>> {
    let folder = folder().join("dashboards");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut dashboards = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let json = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        dashboards.push(Dashboard { file, text, json });
    }
    dashboards.sort_by(|a, b| a.file.cmp(&b.file));
    ensure!(!dashboards.is_empty(), "{} holds no dashboard", folder.display());
    Ok(dashboards)
}

impl Dashboard {
    /// Its id in links.
    #[must_use]
    pub fn uid(&self) -> &str {
        text(&self.json, "uid")
    }

    /// Its panels, those inside of collapsed rows included, without the rows.
    #[must_use]
    pub fn panels(&self) -> Vec<&Value> {
        let outer = list(&self.json, "panels");
        let inner = outer.iter().flat_map(|panel| list(panel, "panels"));
        outer.iter().chain(inner).filter(|panel| text(panel, "type") != "row").collect()
    }

    /// The panel of that title.
    #[must_use]
    pub fn panel(&self, title: &str) -> Option<&Value> {
        self.panels().into_iter().find(|panel| text(panel, "title") == title)
    }

    /// Its variables, in the order in which they are filled.
    #[must_use]
    pub fn variables(&self) -> &[Value] {
        list(&self.json["templating"], "list")
    }

    /// Every query that it holds.
    #[must_use]
    pub fn queries(&self) -> Vec<Query<'_>> {
        let variables = self.variables().iter().filter(|variable| text(variable, "type") == "query").map(|variable| {
            query(Place::Variable(text(variable, "name").to_owned()), "", "", variable, &variable["query"])
        });
        let annotations = list(&self.json["annotations"], "list")
            .iter()
            .filter(|annotation| annotation["builtIn"].is_null())
            .map(|a| query(Place::Annotation(text(a, "name").to_owned()), "", "", a, &a["target"]));
        let panels = self.panels().into_iter().flat_map(|panel| {
            let (title, kind, interval) = (text(panel, "title"), text(panel, "type"), text(panel, "interval"));
            let targets = list(panel, "targets").iter();
            targets.map(move |target| query(Place::Panel(title.to_owned()), kind, interval, target, target))
        });
        variables.chain(annotations).chain(panels).collect()
    }
}

fn query<'a>(place: Place, panel: &'a str, interval: &'a str, of: &'a Value, target: &'a Value) -> Query<'a> {
    let source = text(&of["datasource"], "type");
    let text = if source == PROMETHEUS { text(target, "expr") } else { text(target, "rawSql") };
    Query { place, panel, source, text, target, interval }
}

/// A member that is a text; empty where it is none.
#[must_use]
pub fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

/// A member that is a list; empty where it is none.
#[must_use]
pub fn list<'a>(object: &'a Value, member: &str) -> &'a [Value] {
    object[member].as_array().map_or(&[], Vec::as_slice)
}
