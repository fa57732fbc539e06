//! Environments and what they are for: by what the provider says, by their names, and by the order in which commits reach them.

use std::collections::BTreeMap;

use model::event::{CatalogEnvironment, Tier};
use model::{Environment, Timestamp};

use super::arrived::{Arrived, Deployed};
use super::words::tier_of;
use super::{Entry, Kind, Line};
use crate::graph::Place;
use crate::survey::{Tally, list, quoted};

/// Names that differ in a number alone are one environment from so many on: those of changes.
const MANY: usize = 3;

/// An environment as events speak of it.
#[derive(Debug, Default)]
struct Stage {
    seen: Tally,
    /// How often a provider said that it is production, and that it is not.
    flags: (usize, usize),
    /// Names under which it came.
    names: Vec<Environment>,
    /// When each commit came there first.
    reached: BTreeMap<Place, Timestamp>,
}

/// An environment that is proposed.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The entry.
    pub environment: CatalogEnvironment,
    /// Names under which it came.
    names: Vec<Environment>,
    why: String,
    seen: Tally,
}

impl Proposed {
    /// As lines with their evidence.
    pub fn entry(&self) -> Entry {
        let CatalogEnvironment { environment, aliases, tier } = &self.environment;
        let times = format!("{} deployments, the last on {}", self.seen.count, super::day(self.seen.last));
        let mut lines = vec![Line::new("environment", quoted(environment.as_str()), times)];
        if !aliases.is_empty() {
            let names: Vec<&str> = self.names.iter().map(Environment::as_str).take(5).collect();
            lines.push(Line::new("aliases", list(aliases), format!("came as {}", names.join(", "))));
        }
        lines.push(Line::new("tier", quoted(tier_name(*tier)), self.why.clone()));
        Entry::new(Kind::Environment, environment.as_str(), lines)
    }

    /// Whether a deployment goes there.
    pub fn is_of(&self, deployed: &Deployed<'_>) -> bool {
        self.names.contains(deployed.environment)
    }
}

const fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Production => "production",
        Tier::Staging => "staging",
        Tier::Integration => "integration",
        Tier::Other => "other",
    }
}

/// The environments, in the order of the way to production.
pub fn propose(arrived: &Arrived<'_>) -> Vec<Proposed> {
    let stages = stages(arrived);
    let mut proposed: Vec<Proposed> = stages.iter().map(|(name, stage)| of_stage(name, stage, &stages)).collect();
    let rank = |tier| match tier {
        Tier::Integration => 0,
        Tier::Staging => 1,
        Tier::Other => 2,
        Tier::Production => 3,
    };
    proposed.sort_by(|a, b| {
        let key = |p: &Proposed| (rank(p.environment.tier), p.environment.environment.clone());
        key(a).cmp(&key(b))
    });
    proposed
}

/// Environments by the name that they get.
fn stages(arrived: &Arrived<'_>) -> BTreeMap<String, Stage> {
    let mut numbered: BTreeMap<String, Vec<&Environment>> = BTreeMap::new();
    for deployed in arrived.all_deployments() {
        let names = numbered.entry(without_number(deployed.environment.as_str())).or_default();
        if !names.contains(&deployed.environment) {
            names.push(deployed.environment);
        }
    }
    let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
    for deployed in arrived.all_deployments() {
        let skeleton = without_number(deployed.environment.as_str());
        let many = numbered.get(&skeleton).is_some_and(|names| names.len() >= MANY);
        let name = if many { skeleton } else { canonical(deployed.environment.as_str()) };
        let stage = stages.entry(name).or_default();
        stage.seen.add(deployed.last);
        match deployed.production {
            Some(true) => stage.flags.0 += 1,
            Some(false) => stage.flags.1 += 1,
            None => {}
        }
        if !stage.names.contains(deployed.environment) {
            stage.names.push(deployed.environment.clone());
        }
        if let Some((head, at)) = deployed.head.zip(deployed.succeeded_at) {
            let first = stage.reached.entry(head).or_insert(at);
            *first = at.min(*first);
        }
    }
    stages
}

/// Digits become a `*`, where the name holds any.
fn without_number(name: &str) -> String {
    let mut skeleton = String::new();
    for character in name.to_lowercase().chars() {
        match character {
            digit if digit.is_ascii_digit() => {
                if !skeleton.ends_with('*') {
                    skeleton.push('*');
                }
            }
            character => skeleton.push(character),
        }
    }
    skeleton
}

/// Short names of production become the long one; others stay, in lower case.
fn canonical(name: &str) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "prod" | "prd" | "live" => "production".to_owned(),
        _ => name,
    }
}

fn of_stage(name: &str, stage: &Stage, all: &BTreeMap<String, Stage>) -> Proposed {
    let (tier, why) = tier(name, stage, all);
    let shown = name.replace('*', "").trim_matches(['-', '_', '/', '.', ' ']).to_owned();
    let shown = if shown.is_empty() { "numbered".to_owned() } else { shown };
    let mut aliases: Vec<String> = match name.contains('*') {
        true => vec![name.to_owned()],
        // Names are matched without regard to case.
        false => stage.names.iter().map(|name| name.as_str().to_lowercase()).filter(|given| *given != shown).collect(),
    };
    aliases.sort_unstable();
    aliases.dedup();
    let environment = CatalogEnvironment { environment: Environment::new(shown), aliases, tier };
    Proposed { environment, names: stage.names.clone(), why, seen: stage.seen }
}

fn tier(name: &str, stage: &Stage, all: &BTreeMap<String, Stage>) -> (Tier, String) {
    let (yes, no) = stage.flags;
    if yes > no {
        return (Tier::Production, format!("its provider calls it production, {yes} times"));
    }
    if let Some(tier) = tier_of(name) {
        return (tier, "by its name".to_owned());
    }
    if name.contains('*') {
        return (Tier::Other, "many that differ in a number: made for one change each".to_owned());
    }
    let is_last = stage.reached.len() >= MANY && all.values().all(|other| !mostly_before(stage, other));
    let after = all.iter().find(|(_, other)| mostly_before(other, stage));
    let known =
        all.iter().any(|(name, stage)| stage.flags.0 > stage.flags.1 || tier_of(name) == Some(Tier::Production));
    match after {
        Some((before, _)) if is_last && !known => (
            Tier::Production,
            format!("commits reach it last, after {before}, and nothing else is production: make sure"),
        ),
        _ => (Tier::Other, "nothing tells what it is for: make sure".to_owned()),
    }
}

/// Of the commits that came to both, most came here first.
fn mostly_before(here: &Stage, there: &Stage) -> bool {
    let both = here.reached.iter().filter_map(|(place, at)| Some((*at, *there.reached.get(place)?)));
    let (mut before, mut all) = (0, 0);
    for (here, there) in both {
        all += 1;
        before += usize::from(here < there);
    }
    all >= MANY && before * 5 >= all * 4
}
