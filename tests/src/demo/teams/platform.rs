//! Team platform: `ledger` and `reports` in one repository, with flaky tests and too few runners.

use fastrand::Rng;
use serde_json::json;

use super::{by_hand, check, merge_times};
use crate::demo::clock::{DAY, HOUR, MINUTE, Seconds, between, chance, is_office_hours, is_workday, midnight, weekday};
use crate::demo::expected::{Peculiarity, Scope};
use crate::demo::git::{ACTIONS, Account};
use crate::demo::github::{Run, Runner, Workflow};
use crate::demo::pipeline::{DeployPlan, Deployed, JobPlan, Outcome};
use crate::demo::project::{CheckWanted, Habits, Project};

const TEAM: &[Account] = &[
    Account::person("dev-platform-1", 3_001),
    Account::person("dev-platform-2", 3_002),
    Account::person("dev-platform-3", 3_003),
];

pub const SCOPES: &[Scope] = &[
    Scope { component: "ledger", folders: &["services/ledger/", "libs/"] },
    Scope { component: "reports", folders: &["services/reports/", "libs/"] },
];

const CHECK: Workflow = Workflow { id: 85_001, name: "check", file: "check.yml" };
const TRAIN: Workflow = Workflow { id: 85_002, name: "release train", file: "train.yml" };

/// The few large machines that every job of the team waits for.
const LARGE: Runner = Runner { labels: &["self-hosted", "linux", "large"], group: "platform-large" };

const HABITS: Habits = Habits {
    direct: 0,
    merge: 0,
    rebase: 15,
    bots: 8,
    commits: 3,
    coding: (HOUR, 14 * HOUR),
    review: (HOUR, 9 * HOUR),
    paths: &[
        &["services/ledger/src/book.rs"],
        &["services/ledger/src/book.rs", "services/ledger/tests/book.rs"],
        &["services/reports/src/month.rs"],
        &["services/reports/templates/month.html"],
        &["libs/money/src/lib.rs"],
        &["docs/handbook.md"],
    ],
    titles: &[
        "Book in whole cents",
        "Close the month at midnight",
        "Write reports as tables",
        "Share the money type",
        "Speed up the yearly report",
    ],
};

/// Half a year of `ledger` and `reports`.
pub fn monorepo(rng: Rng, (start, end): (Seconds, Seconds)) -> Project {
    let mut project = Project::new("platform-mono", 5, TEAM, rng, start);
    project.begin(start + 8 * HOUR, &["libs/money/src/lib.rs"]);
    train(&mut project, start + 9 * HOUR);
    let merges = merge_times(&mut project.rng, (start + 2 * DAY, end), &[50, 35, 15]);
    let mut merges = merges.into_iter().peekable();
    let mut day = midnight(start) + 3 * DAY;
    while day < end {
        // Monday, Wednesday and Friday: before noon, when everybody wants a runner.
        let at = day + 10 * HOUR + project.rng.i64(0..=90 * MINUTE);
        while let Some(merged_at) = merges.next_if(|merged_at| *merged_at < at) {
            land(&mut project, merged_at);
        }
        if is_workday(day) && matches!(weekday(day), 0 | 2 | 4) {
            train(&mut project, at);
        }
        day += DAY;
    }
    project
}

fn queue(rng: &mut Rng, at: Seconds) -> Seconds {
    let range = if is_office_hours(at) { (10 * MINUTE, 60 * MINUTE) } else { (15, 3 * MINUTE) };
    between(rng, range)
}

fn job(project: &mut Project, name: &'static str, minutes: (i64, i64), ready_at: Seconds) -> JobPlan {
    JobPlan {
        name,
        steps: &["Set up job", "Check out", "Restore cache", "Build", "Run tests", "Deploy", "Complete job"],
        queue: queue(&mut project.rng, ready_at),
        duration: between(&mut project.rng, (minutes.0 * MINUTE, minutes.1 * MINUTE)),
        failing_step: None,
        runner: LARGE,
    }
}

fn land(project: &mut Project, at: Seconds) {
    let landed = project.land(&HABITS, at);
    for wanted in &landed.checks {
        checked(project, wanted.clone());
    }
    let shared = project.git.commit(&landed.sha).is_some_and(|commit| SCOPES.iter().all(|scope| scope.holds(commit)));
    if shared {
        project.records.note(Peculiarity::SharedCommit, at);
    }
}

/// The check of a pull request; of four, one fails for no reason and passes when somebody starts it again.
fn checked(project: &mut Project, wanted: CheckWanted) {
    let flaky = chance(&mut project.rng, 25);
    let plan = job(project, "test", (9, 16), wanted.at);
    let plan = JobPlan { failing_step: flaky.then_some(4), ..plan };
    let (mut run, end, success) = check(project, CHECK, &plan, wanted);
    if success {
        return;
    }
    let again_at = end + between(&mut project.rng, (5 * MINUTE, 40 * MINUTE));
    let by = project.member();
    project.run_again(&mut run, by, again_at);
    let plan = job(project, "test", (9, 16), again_at);
    let end = project.job(&mut run, &plan, again_at + 2);
    project.finish_run(&run, "success", end + 2);
    project.records.note(Peculiarity::FlakyTest, end);
}

/// Takes every component that has something new to staging and production, one after the other,
/// all from the tip of `main`.
fn train(project: &mut Project, at: Seconds) {
    let tip = project.git.tip_at(at);
    let waiting: Vec<&'static str> =
        SCOPES.iter().filter(|scope| has_news(project, scope, &tip)).map(|s| s.component).collect();
    if waiting.is_empty() {
        return;
    }
    let start = by_hand(project, TRAIN, at);
    let mut run = project.start_run(start);
    let (mut end, mut success) = (at + 2, true);
    for component in waiting {
        let staging = deploy(project, &mut run, component, "staging", (end + 2, false));
        let fails = chance(&mut project.rng, 5);
        let production = deploy(project, &mut run, component, "production", (staging.at + 3, fails));
        end = production.at;
        success &= production.success;
    }
    project.finish_run(&run, if success { "success" } else { "failure" }, end + 2);
}

/// Whether a commit of the component has not been tried in production.
fn has_news(project: &Project, scope: &Scope, tip: &str) -> bool {
    let tried = project.records.deployments.iter().rev().find(|d| {
        d.component == scope.component && d.environment == "production" && d.ends.last().is_some_and(|end| end.1)
    });
    let old = tried.map(|deployment| project.git.reachable(&deployment.sha)).unwrap_or_default();
    let new = project.git.reachable(tip);
    new.difference(&old).filter_map(|sha| project.git.commit(sha)).any(|commit| scope.holds(commit))
}

fn deploy(
    project: &mut Project,
    run: &mut Run,
    component: &'static str,
    environment: &'static str,
    (at, fails): (Seconds, bool),
) -> Deployed {
    let name = match (component, environment) {
        ("ledger", "staging") => "ledger to staging",
        ("ledger", _) => "ledger to production",
        (_, "staging") => "reports to staging",
        _ => "reports to production",
    };
    let plan = job(project, name, (4, 9), at);
    let plan = DeployPlan {
        component,
        environment,
        sha: run.sha.clone(),
        ref_name: run.branch.clone(),
        payload: json!({ "service": component }),
        creator: ACTIONS,
        description: None,
        job: JobPlan { failing_step: fails.then_some(5), ..plan },
        gate: None,
        outcome: if fails { Outcome::Failure } else { Outcome::Success },
    };
    project.deploy(run, &plan, at)
}
