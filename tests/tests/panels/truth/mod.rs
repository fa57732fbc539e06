//! What the panels must show, worked out from the rows of the demo in plain Rust: no SQL, no rollup.

mod delivery;
mod gates;
mod operations;
mod platform;
mod release;

use std::collections::{BTreeMap, BTreeSet};

use model::event::Outcome;
use model::fact::{
    BuildFact, BuildFailureFact, ComponentFact, DeploymentFact, Fact, GateWaitFact, IncidentAttributionFact,
    IncidentFact, ManualStepFact, ReleaseCommitFact, ReleaseFact, ReleaseKind,
};
use model::{Component, Environment, Millis, Timestamp};

use crate::answer::{Answer, word};
use crate::choice::Choice;
use crate::world::World;

/// Rows as [`Answer`] has them.
pub type Lines = Vec<Vec<String>>;

/// What a panel must show.
pub struct Case {
    pub dashboard: &'static str,
    pub panel: &'static str,
    /// The columns that are compared.
    pub columns: &'static [&'static str],
    /// All rows of these columns, in any order.
    pub truth: fn(&Told) -> Lines,
}

/// One for each panel.
pub static CASES: std::sync::LazyLock<Vec<Case>> = std::sync::LazyLock::new(|| {
    [delivery::cases(), gates::cases(), operations::cases(), platform::cases(), release::cases()]
        .into_iter()
        .flatten()
        .collect()
});

impl Case {
    pub fn is(&self, dashboard: &str, panel: &str) -> bool {
        self.dashboard == dashboard && self.panel == panel
    }

    /// Rows that are there and should not be (`+`), and those that are missing (`-`).
    pub fn faults(&self, told: &Told, answer: &Answer) -> Vec<String> {
        let mut positions = Vec::new();
        for column in self.columns {
            match answer.position(column) {
                Some(position) => positions.push(position),
                None => return vec![format!("there is no column `{column}`")],
            }
        }
        let pick = |row: &Vec<String>| positions.iter().map(|position| row[*position].clone()).collect::<Vec<_>>();
        let mut counts: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        answer.rows.iter().for_each(|row| *counts.entry(pick(row)).or_default() += 1);
        (self.truth)(told).into_iter().for_each(|row| *counts.entry(row).or_default() -= 1);
        let wrong: Vec<String> = counts
            .iter()
            .filter(|(_, count)| **count != 0)
            .take(20)
            .map(|(row, count)| format!("  {} {}", if *count > 0 { '+' } else { '-' }, row.join(" | ")))
            .collect();
        if wrong.is_empty() {
            return Vec::new();
        }
        vec![format!("it shows (+) and should show (-), of {}\n{}", self.columns.join(" | "), wrong.join("\n"))]
    }
}

/// The truth under a choice.
pub struct Told<'a> {
    pub world: &'a World,
    pub choice: &'a Choice,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident: $kind:ident($row:ident);)*) => {
        $($(#[$doc])* fn $name(&self) -> impl Iterator<Item = &$row> {
            self.world.facts.iter().filter_map(|fact| match fact { Fact::$kind(row) => Some(row), _ => None })
        })*
    };
}

impl Told<'_> {
    rows! {
        all_releases: Release(ReleaseFact);
        all_deployments: Deployment(DeploymentFact);
        all_commits: ReleaseCommit(ReleaseCommitFact);
        all_gates: GateWait(GateWaitFact);
        all_builds: Build(BuildFact);
        all_failures: BuildFailure(BuildFailureFact);
        all_steps: ManualStep(ManualStepFact);
        all_incidents: Incident(IncidentFact);
        all_attributions: IncidentAttribution(IncidentAttributionFact);
        all_components: Component(ComponentFact);
    }

    /// Within the time of the dashboard.
    fn within(&self, at: Timestamp) -> bool {
        (self.world.from..=self.world.to).contains(&at)
    }

    fn team(&self, component: &Component) -> String {
        let row = self.all_components().find(|row| row.component == *component);
        row.and_then(|row| row.team.clone()).unwrap_or_else(|| "no team".to_owned())
    }

    /// Of the chosen teams and components.
    fn chosen(&self, component: &Component) -> bool {
        let is = |chosen: &Option<Vec<&str>>, value: &str| chosen.as_ref().is_none_or(|values| values.contains(&value));
        is(&self.choice.teams, &self.team(component)) && is(&self.choice.components, component.as_str())
    }

    fn of_environment(&self, environment: Option<&Environment>) -> bool {
        let chosen = self.choice.environments.as_ref();
        chosen.is_none_or(|values| environment.is_some_and(|environment| values.contains(&environment.as_str())))
    }

    fn of_kind(&self, kind: ReleaseKind) -> bool {
        self.choice.kinds.as_ref().is_none_or(|kinds| kinds.contains(&word(kind).as_str()))
    }

    fn gates(&self) -> impl Iterator<Item = &GateWaitFact> {
        self.all_gates()
            .filter(|g| self.within(g.at) && self.chosen(&g.component) && self.of_environment(g.environment.as_ref()))
    }

    fn builds(&self) -> impl Iterator<Item = &BuildFact> {
        self.all_builds().filter(|b| self.within(b.at) && self.chosen(&b.component))
    }

    fn failures(&self) -> impl Iterator<Item = &BuildFailureFact> {
        self.all_failures().filter(|f| self.within(f.at) && self.chosen(&f.component))
    }

    fn steps(&self) -> impl Iterator<Item = &ManualStepFact> {
        self.all_steps()
            .filter(|s| self.within(s.at) && self.chosen(&s.component) && self.of_environment(s.environment.as_ref()))
    }

    /// Releases that count: in production, no baseline, not taken out by a person.
    fn counted(&self) -> impl Iterator<Item = &ReleaseFact> {
        self.all_releases().filter(|r| r.production_at.is_some() && r.kind != ReleaseKind::Baseline && !r.excluded)
    }

    /// Those of the choice.
    fn releases(&self) -> impl Iterator<Item = &ReleaseFact> {
        self.counted().filter(|r| {
            self.within(r.at)
                && self.chosen(&r.component)
                && self.of_kind(r.kind)
                && self.of_environment(self.environment(r).as_ref())
        })
    }

    /// Where it came to production first.
    fn environment(&self, release: &ReleaseFact) -> Option<Environment> {
        let of = |d: &&DeploymentFact| {
            Some(&d.deployment) == release.deployment.as_ref() && d.component == release.component
        };
        self.all_deployments().find(of).map(|d| d.environment.clone())
    }

    /// What a variable must offer.
    pub fn offered(&self, variable: &str, single: bool) -> BTreeSet<String> {
        let team = |row: &ComponentFact| self.team(&row.component);
        let of_team =
            |row: &&ComponentFact| self.choice.teams.as_ref().is_none_or(|teams| teams.contains(&team(row).as_str()));
        match variable {
            "realm" => BTreeSet::from(["default".to_owned()]),
            "team" => self.all_components().map(team).collect(),
            // Where one release is chosen, "All" teams are.
            "component" if single => self.all_components().filter(of_team).map(|c| c.component.to_string()).collect(),
            "component" => self.all_components().filter(of_team).map(|c| c.component.to_string()).collect(),
            "environment" => self
                .all_deployments()
                .filter(|d| d.finished_at.is_some() && self.within(d.at) && self.chosen(&d.component))
                .map(|d| d.environment.to_string())
                .chain(
                    self.all_gates()
                        .filter(|g| self.within(g.at) && self.chosen(&g.component))
                        .filter_map(|g| Some(g.environment.as_ref()?.to_string())),
                )
                .collect(),
            "kind" => self
                .counted()
                .filter(|r| self.within(r.at) && self.chosen(&r.component))
                .map(|r| word(r.kind))
                .collect(),
            "version" => self
                .all_releases()
                .filter(|r| {
                    r.production_at.is_some() && self.within(r.at) && r.component.as_str() == self.choice.release.0
                })
                .map(|r| r.version.to_string())
                .collect(),
            other => panic!("nobody here knows what the variable `{other}` offers"),
        }
    }
}

/// The lower median.
fn lower(values: impl IntoIterator<Item = Millis>) -> Option<Millis> {
    let mut values: Vec<Millis> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

fn sum(values: impl IntoIterator<Item = Option<Millis>>) -> Option<Millis> {
    values
        .into_iter()
        .flatten()
        .fold(None, |sum: Option<Millis>, value| Some(Millis(sum.unwrap_or_default().0 + value.0)))
}

/// In groups, by a key.
fn groups<K: Ord, V>(values: impl IntoIterator<Item = V>, key: impl Fn(&V) -> K) -> BTreeMap<K, Vec<V>> {
    let mut groups: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for value in values {
        groups.entry(key(&value)).or_default().push(value);
    }
    groups
}

const DAY: i64 = 24 * 60 * 60 * 1000;

fn day(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(DAY) * DAY)
}

/// Monday, 00:00 UTC; 1970-01-01 was a Thursday.
fn week(at: Timestamp) -> Timestamp {
    let days = at.0.div_euclid(DAY);
    Timestamp((days - (days + 3).rem_euclid(7)) * DAY)
}

/// A share; none of nothing.
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Whether it did not pass for a failure, an error or a timeout.
fn did_not_pass(outcome: Option<Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Failure | Outcome::Error | Outcome::Timeout))
}
