//! Rows of `rollup_hourly` and `rollup_daily`: sums over the other tables, said in the names of their columns.

use std::collections::{BTreeMap, BTreeSet};

use model::event::Outcome;
use model::fact::{DeploymentFact, Fact, FailureClass, GateOutcome, ReleaseKind};
use model::schema::Subject;
use model::{Component, DeploymentId, Environment, Timestamp};
use serde_json::{Map, Value, json};

use crate::tables::Tables;

/// Columns of a rollup that list a column of the releases.
const OF_RELEASES: [(&str, &str); 14] = [
    ("lead_times", "lead_time"),
    ("merge_to_production_times", "merge_to_production"),
    ("coding_times", "coding"),
    ("review_times", "review"),
    ("merge_to_build_times", "merge_to_build"),
    ("queue_times", "queue"),
    ("build_and_test_times", "build_and_test"),
    ("gate_wait_times", "gate_wait"),
    ("batch_wait_times", "batch_wait"),
    ("hand_off_times", "hand_off"),
    ("deploy_times", "deploy"),
    ("unaccounted_times", "unaccounted"),
    ("lead_time_working_times", "lead_time_working"),
    ("recovery_times", "recovery"),
];

/// What one row of another table adds to a rollup.
struct Part {
    environment: Environment,
    kind: String,
    counts: Vec<(&'static str, i64)>,
    /// Column of the rollup, column of the row.
    lists: Vec<(&'static str, &'static str)>,
}

/// What makes a row of a rollup one: table, component, environment, kind, begin.
type Key = (Subject, Component, Environment, String, i64);

pub fn rows(tables: &Tables) -> Vec<Fact> {
    let environments: BTreeMap<(&Component, &DeploymentId), &Environment> = tables
        .0
        .values()
        .filter_map(deployment)
        .map(|row| ((&row.component, &row.deployment), &row.environment))
        .collect();
    let mut members: BTreeMap<Key, Vec<(Part, Value)>> = BTreeMap::new();
    for fact in tables.0.values() {
        let columns = serde_json::to_value(fact).unwrap_or_default();
        for (table, length) in [(Subject::RollupHourly, 3_600_000), (Subject::RollupDaily, 86_400_000)] {
            let (Some(part), Some(at)) = (part(fact, &environments), columns["at"].as_i64()) else { continue };
            let Some(component) = fact.identity().component().cloned() else { continue };
            let begin = at.div_euclid(length).saturating_mul(length);
            let key = (table, component, part.environment.clone(), part.kind.clone(), begin);
            members.entry(key).or_default().push((part, columns.clone()));
        }
    }
    members.into_iter().filter_map(|(key, members)| row(&key, &members)).collect()
}

const fn deployment(fact: &Fact) -> Option<&DeploymentFact> {
    match fact {
        Fact::Deployment(row) => Some(row),
        _ => None,
    }
}

/// The sum of its members; columns of which none speaks are empty.
fn row((table, component, environment, kind, at): &Key, members: &[(Part, Value)]) -> Option<Fact> {
    let empty = serde_json::to_value(Fact::empty(*table)?).ok()?;
    let mut columns: Map<String, Value> = empty.as_object()?.clone();
    let realm = members.first()?.1["realm"].clone();
    let own = json!({ "realm": realm, "component": component, "environment": environment, "kind": kind, "at": Timestamp(*at) });
    columns.extend(own.as_object()?.clone());
    let counts: BTreeSet<&str> = members.iter().flat_map(|(part, _)| &part.counts).map(|(name, _)| *name).collect();
    for name in counts {
        let all = members.iter().flat_map(|(part, _)| &part.counts).filter(|(of, _)| *of == name);
        columns.insert(name.to_owned(), all.map(|(_, count)| count).sum::<i64>().into());
    }
    let lists: BTreeSet<&str> = members.iter().flat_map(|(part, _)| &part.lists).map(|(name, _)| *name).collect();
    for name in lists {
        let of = |(part, row): &(Part, Value)| {
            let (_, column) = part.lists.iter().find(|(of, _)| *of == name)?;
            row[*column].as_i64()
        };
        let mut durations: Vec<i64> = members.iter().filter_map(of).collect();
        durations.sort_unstable();
        columns.insert(name.to_owned(), durations.into());
    }
    Fact::from_columns(*table, Value::Object(columns)).ok()?
}

fn part(fact: &Fact, environments: &BTreeMap<(&Component, &DeploymentId), &Environment>) -> Option<Part> {
    let yes = i64::from;
    let fails =
        |outcome: Option<Outcome>| matches!(outcome, Some(Outcome::Failure | Outcome::Error | Outcome::Timeout));
    Some(match fact {
        Fact::Release(row) => {
            let deployment = row.deployment.as_ref().filter(|_| !row.excluded && row.kind != ReleaseKind::Baseline)?;
            Part {
                environment: environments.get(&(&row.component, deployment)).map(|e| (*e).clone()).unwrap_or_default(),
                kind: serde_json::to_value(row.kind).ok()?.as_str()?.to_owned(),
                counts: vec![
                    ("releases", 1),
                    ("commits", row.commits.into()),
                    ("failed", yes(row.failed)),
                    ("rework", yes(row.rework)),
                    ("incidents", row.incidents.into()),
                ],
                lists: OF_RELEASES.to_vec(),
            }
        }
        Fact::Deployment(row) => {
            let outcome = row.finished_at.and(row.outcome);
            row.finished_at?;
            let counts = vec![
                ("deployments", 1),
                ("deployments_succeeded", yes(outcome == Some(Outcome::Success))),
                ("deployments_failed", yes(fails(outcome))),
            ];
            Part { environment: row.environment.clone(), kind: String::new(), counts, lists: vec![] }
        }
        Fact::GateWait(row) => {
            let is = |outcome| yes(row.outcome == outcome);
            let counts = vec![
                ("gates", 1),
                ("gates_open", is(GateOutcome::Open)),
                ("gates_rejected", is(GateOutcome::Rejected)),
                ("gates_expired", is(GateOutcome::Expired)),
                ("gates_bypassed", is(GateOutcome::Bypassed)),
                ("gates_caught", yes(row.caught.unwrap_or(false))),
                ("gates_hollow", yes(!row.hollow.is_empty())),
            ];
            let environment = row.environment.clone().unwrap_or_default();
            Part { environment, kind: String::new(), counts, lists: vec![("gate_waits", "wait")] }
        }
        Fact::Build(row) => {
            row.finished_at?;
            let counts = vec![
                ("builds", 1),
                ("builds_failed", yes(fails(row.outcome))),
                ("builds_flaky", yes(row.class == Some(FailureClass::Flaky))),
            ];
            let lists = vec![("build_queue_times", "queue"), ("build_durations", "duration")];
            Part { environment: Environment::default(), kind: String::new(), counts, lists }
        }
        Fact::ManualStep(row) => Part {
            environment: row.environment.clone().unwrap_or_default(),
            kind: String::new(),
            counts: vec![("manual_steps", 1)],
            lists: vec![("manual_waits", "wait")],
        },
        _ => return None,
    })
}
