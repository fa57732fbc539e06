//! A dashboard as it opens: what is chosen of each variable.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use end_to_end::dashboards::{self, Chosen, Dashboard, Filling, list, text};
use model::Timestamp;
use serde_json::Value;

use super::server::Server;

/// The release that the dashboard of one release is opened with.
#[derive(Clone, Debug)]
pub struct Release {
    pub component: String,
    pub version: String,
}

impl Release {
    /// The last one with an incident of the component that releases most often: there is most to read.
    pub async fn busiest(server: &Server) -> Result<Self> {
        let sql = "SELECT component, version FROM releases \
                   WHERE incidents > 0 AND at >= now() - INTERVAL 90 DAY \
                     AND component = (SELECT component FROM rollup_daily WHERE at >= now() - INTERVAL 90 DAY \
                                      GROUP BY component ORDER BY sum(releases) DESC, component LIMIT 1) \
                   ORDER BY at DESC LIMIT 1";
        match server.texts(sql).await?.as_slice() {
            [row] => match row.as_slice() {
                [component, version] => Ok(Self { component: component.clone(), version: version.clone() }),
                _ => bail!("a release has a component and a version, not {row:?}"),
            },
            _ => bail!("no release of the last 90 days has an incident: take more releases"),
        }
    }
}

/// How far a dashboard looks back when it opens, in seconds.
pub fn looks_back(dashboard: &Dashboard) -> Result<i64> {
    let from = text(&dashboard.json["time"], "from");
    let length = from.strip_prefix("now-").with_context(|| format!("{}: `{from}` is no `now-…`", dashboard.file))?;
    dashboards::length(length)
}

/// Fills the variables in their order, each with what it offers.
pub async fn filling(
    server: &Server,
    dashboard: &Dashboard,
    release: &Release,
    (from, to): (Timestamp, Timestamp),
) -> Result<Filling> {
    let mut filling = Filling { from, to, interval: 1, variables: BTreeMap::new() };
    for variable in dashboard.variables() {
        let name = text(variable, "name");
        let current = &variable["current"];
        let chosen = match text(variable, "type") {
            "query" => {
                let sql = dashboards::fill(text(&variable["query"], "rawSql"), &filling)?;
                let offered = server.ask(&sql, "").await?.rows;
                let offered = offered.iter().filter_map(|row| Some(row.first()?.as_str()?.to_owned())).collect();
                choose(variable, offered, release).with_context(|| format!("{}: `{name}`", dashboard.file))?
            }
            _ => Chosen::One(text(current, "value").to_owned()),
        };
        filling.variables.insert(name.to_owned(), chosen);
    }
    Ok(filling)
}

/// What the file says is chosen, and where it leaves that open, the release; else the first that there is.
fn choose(variable: &Value, offered: Vec<String>, release: &Release) -> Result<Chosen> {
    let current: Vec<String> =
        list(&variable["current"], "value").iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect();
    if variable["multi"] == true {
        return Ok(if current.iter().any(|value| value == "$__all") {
            Chosen::All(offered)
        } else {
            Chosen::Some(current)
        });
    }
    let wanted = match text(variable, "name") {
        "component" => Some(&release.component),
        "version" => Some(&release.version),
        _ => offered.first(),
    };
    Ok(Chosen::One(wanted.context("it offers nothing")?.clone()))
}
