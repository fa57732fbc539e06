//! Gates and manual steps.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use model::event::ActorKind;
use model::fact::{GateOutcome, GateWaitFact};
use model::{Millis, Timestamp};
use serde_json::{Value, json};

use crate::figures::{count, groups, longest, median, most_first, nulls_last, percent, total, word};
use crate::world::{SINCE, UNTIL, World};

/// Rows from the highest figure to the lowest, those without one at the end, then as they were.
fn highest_first(mut rows: Vec<(Option<i64>, Value)>) -> Vec<Value> {
    rows.sort_by_key(|(figure, _)| (figure.is_none(), Reverse(*figure)));
    rows.into_iter().map(|(_, row)| row).collect()
}

pub fn waits(world: &World) -> Vec<Value> {
    let places = groups(world.gates(), |g| {
        (
            g.component.to_string(),
            g.name.clone(),
            nulls_last(g.environment.as_ref().map(ToString::to_string)),
            word(g.kind),
        )
    });
    let mut rows = Vec::new();
    for ((component, gate, (_, environment), kind), met) in places {
        let ended = |outcome: GateOutcome| count(&met, |g| g.outcome == outcome);
        let total = total(met.iter().map(|g| g.wait));
        let row = json!({
            "component": component, "gate": gate, "kind": kind, "environment": environment, "met": met.len(),
            "approved": ended(GateOutcome::Approved), "rejected": ended(GateOutcome::Rejected),
            "expired": ended(GateOutcome::Expired), "bypassed": ended(GateOutcome::Bypassed),
            "still_open": ended(GateOutcome::Open), "by_people": count(&met, |g| g.decided_by == ActorKind::Human),
            "median_wait": median(met.iter().map(|g| g.wait)), "longest_wait": longest(met.iter().map(|g| g.wait)),
            "total_wait": total,
        });
        rows.push((total, row));
    }
    let rows = highest_first(rows);
    // The history itself, before anything was told of it, has the same waits.
    let of_history: i64 = world
        .expected
        .gates
        .iter()
        .filter(|g| (SINCE..UNTIL).contains(&g.requested_at))
        .filter_map(|g| g.wait)
        .map(|w| w.0)
        .sum();
    assert_eq!(rows.iter().filter_map(|row| row["total_wait"].as_i64()).sum::<i64>(), of_history);
    rows
}

/// What somebody waited for.
struct Wait {
    team: Option<String>,
    name: String,
    span: Millis,
    working: Option<Millis>,
}

/// Waits that began on a Friday in Tokyo.
pub fn on_fridays(world: &World) -> Vec<Value> {
    let (teams, tokyo) = (world.teams(), TimeZone::get("Asia/Tokyo").unwrap());
    let is_friday = |at: Timestamp| {
        tokyo.to_datetime(jiff::Timestamp::from_millisecond(at.0).unwrap()).weekday() == Weekday::Friday
    };
    let wait =
        |component: &str, name: &str, began: Option<Timestamp>, span: Option<Millis>, working: Option<Millis>| {
            began.filter(|at| is_friday(*at))?;
            Some(Wait { team: teams[component].clone(), name: name.to_owned(), span: span?, working })
        };
    let gates =
        world.gates().filter_map(|g| wait(g.component.as_str(), &g.name, g.blocking_from, g.wait, g.wait_working));
    let steps =
        world.steps().filter_map(|s| wait(s.component.as_str(), &s.name, s.possible_from, s.wait, s.wait_working));
    let mut rows = Vec::new();
    for (team, waits) in groups(gates.chain(steps), |wait| wait.team.clone()) {
        let spans = || waits.iter().map(|wait| Some(wait.span));
        let at = waits.iter().max_by_key(|wait| (wait.span, wait.name.clone())).unwrap();
        let row = json!({
            "team": team, "waits": waits.len(), "median_wait": median(spans()), "longest_wait": longest(spans()),
            "longest_at": at.name, "total_wait": total(spans()),
            "working_wait": total(waits.iter().map(|wait| wait.working)),
        });
        rows.push((total(spans()), row));
    }
    highest_first(rows)
}

pub fn manual_steps(world: &World) -> Vec<Value> {
    let steps = groups(world.steps(), |s| {
        let environment = nulls_last(s.environment.as_ref().map(ToString::to_string));
        (s.component.to_string(), word(s.kind), s.name.clone(), environment)
    });
    let mut rows = Vec::new();
    for ((component, kind, step, (_, environment)), steps) in most_first(steps) {
        let waits = || steps.iter().map(|s| s.wait);
        let row = json!({
            "component": component, "kind": kind, "step": step, "environment": environment, "started": steps.len(),
            "with_wait": waits().flatten().count(), "median_wait": median(waits()), "longest_wait": longest(waits()),
            "total_wait": total(waits()), "median_duration": median(steps.iter().map(|s| s.duration)),
        });
        rows.push((total(waits()), row));
    }
    highest_first(rows)
}

/// One decision for each gate and release, concluded from twenty on.
pub fn effectiveness(world: &World) -> Vec<Value> {
    let decided = world.gates().filter(|g| matches!(g.outcome, GateOutcome::Approved | GateOutcome::Rejected));
    let mut rows = Vec::new();
    for ((component, gate), met) in groups(decided, |g| (g.component.to_string(), g.name.clone())) {
        let releases: BTreeMap<String, Vec<&GateWaitFact>> =
            groups(met, |g| g.version.as_ref().map_or_else(|| g.gate.to_string(), ToString::to_string));
        let releases: Vec<_> = releases.into_values().collect();
        let decisions = releases.len() as i64;
        let caught = count(&releases, |met| met.iter().any(|g| g.caught == Some(true)));
        let missed: usize =
            releases.iter().map(|met| met.iter().flat_map(|g| &g.missed).collect::<BTreeSet<_>>().len()).sum();
        let conclusion = match (caught, decisions) {
            (1.., _) => "catches",
            (_, 20..) => "catches little or nothing",
            _ => "cannot conclude",
        };
        let row = json!({
            "component": component, "gate": gate, "decisions": decisions, "caught": caught,
            "caught_percent": percent(caught, decisions),
            "at_most_percent": (caught == 0).then(|| (300.0 / decisions as f64).min(100.0)), "missed": missed,
            "hollow_passes": count(&releases, |met| met.iter().any(|g| !g.hollow.is_empty())), "conclusion": conclusion,
        });
        rows.push((Some(decisions), row));
    }
    highest_first(rows)
}
