//! *Platform*: the same step across teams.

use std::collections::BTreeSet;

use model::fact::{FailureClass, GateOutcome, ReleaseFact};
use model::{Component, Millis, Timestamp};

use super::{Case, DAY, Lines, Told, day, did_not_pass, groups, lower, sum, week};
use crate::answer::{line, word};

const BOARD: &str = "throughline-platform";

pub fn cases() -> Vec<Case> {
    let case = |panel, columns, truth| Case { dashboard: BOARD, panel, columns, truth };
    vec![
        case(
            "The same steps across teams",
            &[
                "team_name",
                "kind",
                "count",
                "merge to build",
                "queue",
                "build and test",
                "gate wait",
                "batch wait",
                "hand off",
                "deploy",
            ],
            steps,
        ),
        case("One step, week by week", &["time", "team_name", "median"], step_by_week),
        case("Wait for a runner, week by week", &["time", "team_name", "median"], queue_by_week),
        case(
            "Did the change help?",
            &[
                "team_name",
                "kind",
                "releases before",
                "releases after",
                "median before",
                "median after",
                "difference",
                "reading",
            ],
            before_and_after,
        ),
        case(
            "Steps that fail for several",
            &["task", "step", "teams", "components", "platform", "timeout", "flaky", "time lost"],
            failing,
        ),
        case(
            "Gates that several meet",
            &["gate", "kind", "teams", "components", "met", "median", "total", "open"],
            gates,
        ),
        case("Started by hand by several", &["step", "kind", "teams", "components", "times", "total"], by_hand),
        case(
            "Builds across teams",
            &["team_name", "ended", "failed", "flaky", "median queue", "median duration"],
            builds,
        ),
    ]
}

/// Here no environment is chosen.
fn releases<'a>(told: &'a Told) -> impl Iterator<Item = &'a ReleaseFact> {
    told.counted().filter(|r| told.within(r.at) && told.chosen(&r.component) && told.of_kind(r.kind))
}

fn chosen_step(told: &Told, r: &ReleaseFact) -> Option<Millis> {
    match told.choice.step {
        "queue" => r.queue,
        "gate_wait" => r.gate_wait,
        "hand_off" => r.hand_off,
        other => panic!("nobody here knows the step `{other}`"),
    }
}

fn steps(told: &Told) -> Lines {
    groups(releases(told), |r| (told.team(&r.component), word(r.kind)))
        .into_iter()
        .map(|((team, kind), of)| {
            let median = |step: fn(&ReleaseFact) -> Option<Millis>| lower(of.iter().filter_map(|r| step(r)));
            line![
                team,
                kind,
                of.len(),
                median(|r| r.merge_to_build),
                median(|r| r.queue),
                median(|r| r.build_and_test),
                median(|r| r.gate_wait),
                median(|r| r.batch_wait),
                median(|r| r.hand_off),
                median(|r| r.deploy)
            ]
        })
        .collect()
}

/// Lower medians by week and team.
fn medians(times: impl Iterator<Item = (Timestamp, String, Millis)>) -> Lines {
    groups(times, |(at, team, _)| (*at, team.clone()))
        .into_iter()
        .map(|((at, team), of)| line![at, team, lower(of.iter().map(|(_, _, time)| *time))])
        .collect()
}

fn step_by_week(told: &Told) -> Lines {
    medians(releases(told).filter_map(|r| Some((week(r.at), told.team(&r.component), chosen_step(told, r)?))))
}

fn queue_by_week(told: &Told) -> Lines {
    let ended = told.builds().filter(|b| b.finished_at.is_some());
    medians(ended.filter_map(|b| Some((week(b.at), told.team(&b.component), b.queue?))))
}

fn before_and_after(told: &Told) -> Lines {
    let (from, to) = (told.world.from, told.world.to);
    let changed = match told.choice.changed_on {
        "" => Timestamp((from.0 + to.0) / 2000 * 1000),
        day if day.len() == 10 => Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap(),
        time => Timestamp::parse_rfc3339(&format!("{}:00Z", time.replace(' ', "T"))).unwrap(),
    };
    let span = (changed - from).0.min((to - changed).0);
    // Whole days, since the panel reads days.
    let near = |r: &&ReleaseFact| {
        let at = day(r.at).0;
        at >= changed.0 - span && at < changed.0 + span
    };
    let teams = groups(releases(told).filter(near), |r| (told.team(&r.component), word(r.kind)));
    let row = |((team, kind), of): ((String, String), Vec<&ReleaseFact>)| {
        let (after, before): (Vec<&ReleaseFact>, Vec<&ReleaseFact>) = of.iter().partition(|r| day(r.at) >= changed);
        let times = |of: &[&ReleaseFact]| of.iter().filter_map(|r| chosen_step(told, r)).collect::<Vec<Millis>>();
        let (before, after) = (times(&before), times(&after));
        if before.is_empty() && after.is_empty() {
            return None;
        }
        let (first, second) = (lower(before.clone()), lower(after.clone()));
        let difference = second.zip(first).map(|(second, first)| second - first);
        let reading = match difference {
            _ if before.len().min(after.len()) < 8 => "cannot conclude: too few releases",
            Some(difference) if difference < Millis(0) => "faster",
            Some(difference) if difference > Millis(0) => "slower",
            _ => "the same",
        };
        Some(line![team, kind, before.len(), after.len(), first, second, difference, reading])
    };
    assert!(span >= DAY);
    teams.into_iter().filter_map(row).collect()
}

/// How many teams and components these are.
fn spread<'a>(told: &Told, components: impl Iterator<Item = &'a Component>) -> (usize, usize) {
    let components: BTreeSet<&Component> = components.collect();
    let teams: BTreeSet<String> = components.iter().map(|component| told.team(component)).collect();
    (teams.len(), components.len())
}

fn failing(told: &Told) -> Lines {
    let platforms = [FailureClass::Error, FailureClass::Timeout, FailureClass::Flaky];
    let failures = told.failures().filter(|f| platforms.contains(&f.class));
    groups(failures, |f| (f.name.clone(), f.step.clone()))
        .into_iter()
        .map(|((task, step), of)| {
            let (teams, components) = spread(told, of.iter().map(|f| &f.component));
            let [error, timeout, flaky] = platforms.map(|class| of.iter().filter(|f| f.class == class).count());
            line![task, step, teams, components, error, timeout, flaky, sum(of.iter().map(|f| f.duration))]
        })
        .collect()
}

fn gates(told: &Told) -> Lines {
    let met = told.all_gates().filter(|g| told.within(g.at) && told.chosen(&g.component));
    groups(met, |g| (g.name.clone(), word(g.kind)))
        .into_iter()
        .map(|((name, kind), of)| {
            let (teams, components) = spread(told, of.iter().map(|g| &g.component));
            let median = lower(of.iter().filter_map(|g| g.wait));
            let open = of.iter().filter(|g| g.outcome == GateOutcome::Open).count();
            line![name, kind, teams, components, of.len(), median, sum(of.iter().map(|g| g.wait)), open]
        })
        .collect()
}

fn by_hand(told: &Told) -> Lines {
    let steps = told.all_steps().filter(|s| told.within(s.at) && told.chosen(&s.component));
    groups(steps, |s| (s.name.clone(), word(s.kind)))
        .into_iter()
        .map(|((name, kind), of)| {
            let (teams, components) = spread(told, of.iter().map(|s| &s.component));
            line![name, kind, teams, components, of.len(), sum(of.iter().map(|s| s.wait))]
        })
        .collect()
}

fn builds(told: &Told) -> Lines {
    groups(told.builds().filter(|b| b.finished_at.is_some()), |b| told.team(&b.component))
        .into_iter()
        .map(|(team, of)| {
            let failed = of.iter().filter(|b| did_not_pass(b.outcome)).count();
            let flaky = of.iter().filter(|b| b.class == Some(FailureClass::Flaky)).count();
            let queue = lower(of.iter().filter_map(|b| b.queue));
            line![team, of.len(), failed, flaky, queue, lower(of.iter().filter_map(|b| b.duration))]
        })
        .collect()
}
