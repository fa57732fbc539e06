//! *Gates and builds*.

use model::fact::{BuildFailureFact, FailureClass, GateOutcome, GateWaitFact};

use super::{Case, Lines, Told, day, did_not_pass, groups, lower, sum, week};
use crate::answer::{line, word};

const BOARD: &str = "throughline-gates-and-builds";

pub fn cases() -> Vec<Case> {
    let case = |panel, columns, truth| Case { dashboard: BOARD, panel, columns, truth };
    vec![
        case("Gates met", &["met", "open", "rejected", "expired", "bypassed", "caught", "hollow"], met),
        case(
            "Wait by gate and kind",
            &["gate", "kind", "environment", "met", "median", "median in working time", "longest", "total"],
            waits,
        ),
        case("Median wait, week by week", &["time", "kind", "median"], by_week),
        case("Open now", &["component", "version", "gate", "asked for", "waiting", "link"], open),
        case(
            "Does it catch anything?",
            &["gate", "environment", "decisions", "caught", "at least", "at most", "hollow", "missed", "reading"],
            catches,
        ),
        case("Hollow passes", &["reason", "passes"], hollow),
        case(
            "Bypassed, expired and rejected",
            &["asked for", "component", "version", "outcome", "wait", "link"],
            others,
        ),
        case("What waits for a click", &["step", "kind", "environment", "times", "unknown", "median", "total"], clicks),
        case("Builds", &["ended", "failed", "flaky", "median queue", "median duration"], builds),
        case("How builds ended", &["time", "ended", "builds"], ended),
        case("Time lost", &["time", "class", "lost"], lost),
        case(
            "Failures by class and step",
            &[
                "pipeline",
                "task",
                "step",
                "failures",
                "change",
                "platform",
                "flaky",
                "timeout",
                "cancelled",
                "time lost",
            ],
            by_step,
        ),
        case("Failures by class", &["class", "tasks"], by_class),
        case("Flaky", &["pipeline", "task", "step", "times", "commits", "last seen", "time lost"], flaky),
        case("Queue by runner", &["runner", "tasks", "median", "longest"], by_runner),
        case("Wait for a runner, week by week", &["time", "median"], queue_by_week),
        case("Broken and mended", &["component", "pipeline", "branch", "times", "median", "longest"], mended),
    ]
}

fn met(told: &Told) -> Lines {
    let gates: Vec<&GateWaitFact> = told.gates().collect();
    let ended = |outcome: GateOutcome| gates.iter().filter(|g| g.outcome == outcome).count();
    let caught = gates.iter().filter(|g| g.caught == Some(true)).count();
    let hollow = gates.iter().filter(|g| !g.hollow.is_empty()).count();
    let [open, rejected, expired, bypassed] =
        [GateOutcome::Open, GateOutcome::Rejected, GateOutcome::Expired, GateOutcome::Bypassed].map(ended);
    if gates.is_empty() {
        Vec::new()
    } else {
        vec![line![gates.len(), open, rejected, expired, bypassed, caught, hollow]]
    }
}

type Gate = (String, String, Option<model::Environment>);

fn gate(g: &&GateWaitFact) -> Gate {
    (g.name.clone(), word(g.kind), g.environment.clone())
}

fn waits(told: &Told) -> Lines {
    let decided = told.gates().filter(|g| g.outcome != GateOutcome::Open);
    let row = |((name, kind, environment), met): (Gate, Vec<&GateWaitFact>)| {
        let waits = || met.iter().filter_map(|g| g.wait);
        let working = met.iter().filter_map(|g| g.wait_working);
        line![name, kind, environment, met.len(), lower(waits()), lower(working), waits().max(), sum(waits().map(Some))]
    };
    groups(decided, gate).into_iter().map(row).collect()
}

fn by_week(told: &Told) -> Lines {
    let weeks = groups(told.gates().filter(|g| g.wait.is_some()), |g| (week(g.at), word(g.kind)));
    weeks.into_iter().map(|((at, kind), met)| line![at, kind, lower(met.iter().filter_map(|g| g.wait))]).collect()
}

fn open(told: &Told) -> Lines {
    let open = told.gates().filter(|g| g.outcome == GateOutcome::Open);
    open.map(|g| {
        let waiting = g.blocking_from.map(|from| told.world.to - from);
        line![g.component, g.version, g.name, g.requested_at, waiting, g.link]
    })
    .collect()
}

fn catches(told: &Told) -> Lines {
    let decided = told.gates().filter(|g| matches!(g.outcome, GateOutcome::Approved | GateOutcome::Rejected));
    let row = |((name, _, environment), met): (Gate, Vec<&GateWaitFact>)| {
        let caught = met.iter().filter(|g| g.caught == Some(true)).count();
        let hollow = met.iter().filter(|g| !g.hollow.is_empty()).count();
        let purpose = told.gates().filter(|g| gate(g) == (name.clone(), word(met[0].kind), environment.clone()));
        let (purposes, missed) =
            purpose.fold((0, 0), |(purposes, missed), g| (purposes + g.purposes.len(), missed + g.missed.len()));
        let missed = (purposes > 0).then_some(missed);
        let (n, k) = (met.len() as f64, caught as f64);
        // Wilson's score interval with z = 1.96; without a catch the rule of three.
        let (z, p) = (1.96_f64, k / n);
        let middle = (k + z * z / 2.0) / (n + z * z);
        let half = z / (n + z * z) * (k * (n - k) / n + z * z / 4.0).sqrt();
        let (least, most) = if p == 0.0 { (0.0, (3.0 / n).min(1.0)) } else { (middle - half, middle + half) };
        let reading = match (caught, met.len()) {
            (0, ..30) => "cannot conclude: fewer than 30 decisions".to_owned(),
            (0, decisions) => format!("nothing caught in {decisions} decisions"),
            (caught, decisions) => format!("caught {caught} of {decisions}"),
        };
        line![name, environment, met.len(), caught, least, most, hollow, missed, reading]
    };
    groups(decided, gate).into_iter().map(row).collect()
}

fn hollow(told: &Told) -> Lines {
    let reasons = groups(told.gates().flat_map(|g| &g.hollow), |reason| word(reason));
    reasons.into_iter().map(|(reason, passes)| line![reason, passes.len()]).collect()
}

fn others(told: &Told) -> Lines {
    let approved = [GateOutcome::Open, GateOutcome::Approved];
    let mut others: Vec<&GateWaitFact> = told.gates().filter(|g| !approved.contains(&g.outcome)).collect();
    others.sort_by(|a, b| b.at.cmp(&a.at).then(a.gate.cmp(&b.gate)));
    let row = |g: &&GateWaitFact| line![g.at, g.component, g.version, word(g.outcome), g.wait, g.link];
    others.iter().take(100).map(row).collect()
}

fn clicks(told: &Told) -> Lines {
    let steps = groups(told.steps(), |s| (s.name.clone(), word(s.kind), s.environment.clone()));
    steps
        .into_iter()
        .map(|((name, kind, environment), steps)| {
            let unknown = steps.iter().filter(|s| s.wait.is_none()).count();
            let waits = || steps.iter().filter_map(|s| s.wait);
            line![name, kind, environment, steps.len(), unknown, lower(waits()), sum(waits().map(Some))]
        })
        .collect()
}

fn builds(told: &Told) -> Lines {
    let ended: Vec<_> = told.builds().filter(|b| b.finished_at.is_some()).collect();
    let failed = ended.iter().filter(|b| did_not_pass(b.outcome)).count();
    let flaky = ended.iter().filter(|b| b.class == Some(FailureClass::Flaky)).count();
    let queue = lower(ended.iter().filter_map(|b| b.queue));
    let duration = lower(ended.iter().filter_map(|b| b.duration));
    if ended.is_empty() { Vec::new() } else { vec![line![ended.len(), failed, flaky, queue, duration]] }
}

fn ended(told: &Told) -> Lines {
    let class = |class: Option<FailureClass>| class.map_or_else(|| "passed".to_owned(), word);
    let days = groups(told.builds().filter(|b| b.finished_at.is_some()), |b| (day(b.at), class(b.class)));
    days.into_iter().map(|((at, class), builds)| line![at, class, builds.len()]).collect()
}

fn lost(told: &Told) -> Lines {
    let failed = told.builds().filter_map(|b| Some((day(b.at), word(b.class?), b.duration?)));
    let days = groups(failed, |(at, class, _)| (*at, class.clone()));
    days.into_iter().map(|((at, class), lost)| line![at, class, sum(lost.iter().map(|(_, _, ms)| Some(*ms)))]).collect()
}

fn step(f: &&BuildFailureFact) -> (String, String, Option<String>) {
    (f.pipeline.clone(), f.name.clone(), f.step.clone())
}

fn by_step(told: &Told) -> Lines {
    let steps = groups(told.failures(), step);
    assert!(steps.len() <= 50, "the panel shows fifty");
    steps
        .into_iter()
        .map(|((pipeline, task, step), failures)| {
            let of = |class| failures.iter().filter(|f| f.class == class).count();
            let [change, platform, flaky, timeout, cancelled] = [
                FailureClass::Failure,
                FailureClass::Error,
                FailureClass::Flaky,
                FailureClass::Timeout,
                FailureClass::Cancelled,
            ]
            .map(of);
            let lost = sum(failures.iter().map(|f| f.duration));
            line![pipeline, task, step, failures.len(), change, platform, flaky, timeout, cancelled, lost]
        })
        .collect()
}

fn by_class(told: &Told) -> Lines {
    let classes = groups(told.failures(), |f| word(f.class));
    classes.into_iter().map(|(class, failures)| line![class, failures.len()]).collect()
}

fn flaky(told: &Told) -> Lines {
    let steps = groups(told.failures().filter(|f| f.class == FailureClass::Flaky), step);
    steps
        .into_iter()
        .map(|((pipeline, task, step), failures)| {
            let commits: std::collections::BTreeSet<_> = failures.iter().filter_map(|f| f.commit.clone()).collect();
            let last = failures.iter().map(|f| f.at).max();
            let lost = sum(failures.iter().map(|f| f.duration));
            line![pipeline, task, step, failures.len(), commits.len(), last, lost]
        })
        .collect()
}

fn by_runner(told: &Told) -> Lines {
    let name = |f: &&BuildFailureFact| f.runner_group.clone().unwrap_or_else(|| "unknown".to_owned());
    let runners = groups(told.failures().filter(|f| f.queue.is_some()), name);
    runners
        .into_iter()
        .map(|(runner, failures)| {
            let queues = || failures.iter().filter_map(|f| f.queue);
            line![runner, failures.len(), lower(queues()), queues().max()]
        })
        .collect()
}

fn queue_by_week(told: &Told) -> Lines {
    let ended = told.builds().filter(|b| b.finished_at.is_some());
    let weeks = groups(ended.filter_map(|b| Some((week(b.at), b.queue?))), |(at, _)| *at);
    weeks.into_iter().map(|(at, queues)| line![at, lower(queues.iter().map(|(_, queue)| *queue))]).collect()
}

fn mended(told: &Told) -> Lines {
    let broken = told.builds().filter_map(|b| Some((b, b.time_to_green?)));
    let branches = groups(broken, |(b, _)| (b.component.clone(), b.pipeline.clone(), b.ref_name.clone()));
    assert!(branches.len() <= 50, "the panel shows fifty");
    branches
        .into_iter()
        .map(|((component, pipeline, branch), broken)| {
            let times = || broken.iter().map(|(_, time)| *time);
            line![component, pipeline, branch, broken.len(), lower(times()), times().max()]
        })
        .collect()
}
