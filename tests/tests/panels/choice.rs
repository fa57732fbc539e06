//! What somebody chooses above a dashboard, and how the variables are filled with it.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::dashboards::{self, Chosen, Filling, text};
use model::fact::Fact;
use serde_json::Value;

use crate::Run;
use crate::world::World;

/// A choice of each variable; none where it is "All".
#[derive(Debug)]
pub struct Choice {
    pub name: &'static str,
    pub teams: Option<Vec<&'static str>>,
    pub components: Option<Vec<&'static str>>,
    pub environments: Option<Vec<&'static str>>,
    pub kinds: Option<Vec<&'static str>>,
    /// The release of the dashboard *Release*.
    pub release: (String, String),
    pub step: &'static str,
    /// Text of the variable `changed_on`.
    pub changed_on: &'static str,
}

impl Choice {
    /// As the dashboards open; one team and component; two teams, each with all that is its own.
    pub fn all(world: &World) -> [Choice; 4] {
        let release = |component: &str| release_of(world, component);
        let opened = Choice {
            name: "as it opens",
            teams: None,
            components: None,
            environments: None,
            kinds: Some(vec!["regular"]),
            release: release("billing"),
            step: "queue",
            changed_on: "",
        };
        let narrow = Choice {
            name: "of one component",
            teams: Some(vec!["payments"]),
            components: Some(vec!["payouts"]),
            environments: Some(vec!["production"]),
            kinds: Some(vec!["hotfix", "regular"]),
            release: release("payouts"),
            step: "gate_wait",
            changed_on: "2026-03-01",
        };
        let team = Choice {
            name: "of one team",
            teams: Some(vec!["platform"]),
            components: None,
            environments: None,
            kinds: None,
            release: release("ledger"),
            step: "hand_off",
            changed_on: "2026-02-10 12:00",
        };
        let kinds = Choice {
            name: "of every kind",
            teams: Some(vec!["web"]),
            components: None,
            environments: None,
            kinds: None,
            release: release("storefront"),
            step: "queue",
            changed_on: "2026-01-31",
        };
        [opened, narrow, team, kinds]
    }

    /// What is chosen of a variable that takes several values; none for "All".
    fn several(&self, variable: &str) -> Option<&[&'static str]> {
        match variable {
            "team" => self.teams.as_deref(),
            "component" => self.components.as_deref(),
            "environment" => self.environments.as_deref(),
            "kind" => self.kinds.as_deref(),
            _ => None,
        }
    }

    /// What is chosen of a variable that takes one value.
    fn one(&self, variable: &str) -> &str {
        match variable {
            "realm" => "default",
            "component" => &self.release.0,
            "version" => &self.release.1,
            "step" => self.step,
            _ => self.changed_on,
        }
    }
}

/// Of the releases of a component: the one with an incident, else with most gates, commits, and the last.
fn release_of(world: &World, component: &str) -> (String, String) {
    let gates = |version: &str| {
        let of = |fact: &&Fact| matches!(fact, Fact::GateWait(g) if g.version.as_ref().is_some_and(|v| v.as_str() == version));
        world.facts.iter().filter(of).count()
    };
    let releases = world.facts.iter().filter_map(|fact| match fact {
        Fact::Release(release) if release.component.as_str() == component && release.lead_time.is_some() => {
            Some(release)
        }
        _ => None,
    });
    let best = releases.max_by_key(|r| (r.incidents, gates(r.version.as_str()), r.commits, r.at)).unwrap();
    (component.to_owned(), best.version.as_str().to_owned())
}

/// Fills the variables of a dashboard in their order, each by its query; what they offer must be what there is.
pub async fn filling(run: &Run<'_>) -> Result<Filling, String> {
    let mut filling = Filling { from: run.world.from, to: run.world.to, interval: 1, variables: BTreeMap::new() };
    for variable in run.dashboard.variables() {
        let name = text(variable, "name");
        let chosen = match text(variable, "type") {
            "query" => {
                of_query(run, variable, &filling).await.map_err(|fault| format!("variable `{name}`: {fault}"))?
            }
            "custom" | "textbox" => Chosen::One(run.choice.one(name).to_owned()),
            _ => Chosen::One(text(&variable["current"], "value").to_owned()),
        };
        filling.variables.insert(name.to_owned(), chosen);
    }
    Ok(filling)
}

async fn of_query(run: &Run<'_>, variable: &Value, filling: &Filling) -> Result<Chosen, String> {
    let name = text(variable, "name");
    let sql = dashboards::fill(text(&variable["query"], "rawSql"), filling).map_err(|fault| format!("{fault:#}"))?;
    let answer = run.database.ask(&sql).await?;
    let offered: Vec<String> = answer.rows.iter().map(|row| row[0].clone()).collect();
    let single = variable["multi"] != true;
    let wanted = run.world.told(run.choice).offered(name, single);
    if offered.iter().cloned().collect::<BTreeSet<_>>() != wanted {
        return Err(format!("it offers {offered:?}, and there are {wanted:?}"));
    }
    let missing = |chosen: &str| format!("`{chosen}` is not offered, only {offered:?}");
    if single {
        let one = run.choice.one(name);
        return if wanted.contains(one) { Ok(Chosen::One(one.to_owned())) } else { Err(missing(one)) };
    }
    match run.choice.several(name) {
        None => Ok(Chosen::All(offered)),
        Some(values) => match values.iter().find(|value| !wanted.contains(**value)) {
            Some(absent) => Err(missing(absent)),
            None => Ok(Chosen::Some(values.iter().map(|value| (*value).to_owned()).collect())),
        },
    }
}
