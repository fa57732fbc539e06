//! Team web: `storefront` deploys every change through three environments, `search` releases by tag through a canary.

use fastrand::Rng;
use serde_json::json;

use super::{by_hand, checks, merge_times, on_push};
use crate::demo::cdevents::TektonRun;
use crate::demo::clock::{DAY, HOUR, MINUTE, Seconds, after_work, between, chance, is_workday, midnight};
use crate::demo::expected::{Peculiarity, Scope};
use crate::demo::git::{ACTIONS, Account};
use crate::demo::github::{NOTHING, Run, Workflow};
use crate::demo::pipeline::{DeployPlan, Deployed, HOSTED, JobPlan, Outcome};
use crate::demo::project::{Habits, Landed, Project};

const TEAM: &[Account] = &[
    Account::person("dev-web-1", 1_001),
    Account::person("dev-web-2", 1_002),
    Account::person("dev-web-3", 1_003),
    Account::person("dev-web-4", 1_004),
];

pub const STOREFRONT: &[Scope] = &[Scope { component: "storefront", folders: &[] }];
pub const SEARCH: &[Scope] = &[Scope { component: "search", folders: &[] }];

const DELIVER: Workflow = Workflow { id: 81_001, name: "deliver", file: "deliver.yml" };
const ROLL_BACK: Workflow = Workflow { id: 81_002, name: "roll back", file: "rollback.yml" };
const CHECK: Workflow = Workflow { id: 81_003, name: "check", file: "check.yml" };
const SEARCH_CHECK: Workflow = Workflow { id: 82_001, name: "check", file: "check.yml" };
const SEARCH_BUILD: Workflow = Workflow { id: 82_002, name: "build", file: "build.yml" };

const STOREFRONT_HABITS: Habits = Habits {
    direct: 45,
    merge: 0,
    rebase: 25,
    bots: 8,
    commits: 2,
    coding: (10 * MINUTE, 4 * HOUR),
    review: (8 * MINUTE, 2 * HOUR),
    paths: &[
        &["src/basket.ts"],
        &["src/pages/home.tsx", "src/pages/home.css"],
        &["src/checkout/address.ts"],
        &["package.json"],
    ],
    titles: &[
        "Show the delivery date in the basket",
        "Load product images lazily",
        "Remember the last address",
        "Fix rounding of discounts",
        "Shorten the checkout by one step",
        "Remove the old banner",
    ],
};

const SEARCH_HABITS: Habits = Habits {
    direct: 0,
    merge: 10,
    rebase: 25,
    bots: 12,
    commits: 3,
    coding: (HOUR, 10 * HOUR),
    review: (30 * MINUTE, 7 * HOUR),
    paths: &[&["ranking/score.py"], &["index/schema.json", "index/build.py"], &["api/query.py"]],
    titles: &[
        "Rank exact matches first",
        "Rebuild the index in parts",
        "Accept typos of one letter",
        "Measure empty results",
        "Drop unused fields from the index",
    ],
};

/// What goes wrong, by the number of the delivery.
const FAILED_BUILDS: [usize; 5] = [12, 44, 71, 96, 118];
const FAILED_THEN_RUN_AGAIN: [usize; 2] = [30, 99];
const FAILED_THEN_FIXED: [usize; 2] = [61, 108];
const ROLLED_BACK: [usize; 3] = [37, 90, 115];
const REDEPLOYED: usize = 55;
const CORRECTED: usize = 70;
const TOLD_LATE: usize = 20;

/// Half a year of `storefront`.
pub fn storefront(rng: Rng, (start, end): (Seconds, Seconds)) -> Project {
    let mut project = Project::new("storefront", 1, TEAM, rng, start);
    let sha = project.begin(start + 8 * HOUR, &["src/index.ts"]);
    let first =
        Landed { sha, title: "Send webhooks".to_owned(), at: start + 8 * HOUR, by: TEAM[0], checks: Vec::new() };
    let mut free_at = deliver(&mut project, &first, 0, start);
    let times = merge_times(&mut project.rng, (start + DAY, end), &[45, 33, 11, 6, 4, 1]);
    for (i, at) in times.into_iter().enumerate() {
        let landed = project.land(&STOREFRONT_HABITS, at);
        checks(&mut project, CHECK, &landed);
        free_at = deliver(&mut project, &landed, i + 1, free_at);
    }
    project
}

fn job(project: &mut Project, name: &'static str, minutes: (i64, i64)) -> JobPlan {
    JobPlan {
        name,
        steps: &["Set up job", "Check out", "Build", "Run tests", "Deploy", "Smoke test", "Complete job"],
        queue: project.rng.i64(2..=25),
        duration: between(&mut project.rng, (minutes.0 * MINUTE, minutes.1 * MINUTE)),
        failing_step: None,
        runner: HOSTED,
    }
}

fn stage(
    project: &mut Project,
    run: &mut Run,
    environment: &'static str,
    (ready_at, outcome): (Seconds, Outcome),
) -> Deployed {
    let failing_step = (outcome == Outcome::Failure).then_some(5);
    let job = JobPlan { failing_step, ..job(project, environment, (2, 4)) };
    let plan = DeployPlan {
        component: "storefront",
        environment,
        sha: run.sha.clone(),
        ref_name: run.branch.clone(),
        payload: json!({}),
        creator: run.triggering_actor,
        description: None,
        job,
        gate: None,
        outcome,
    };
    project.deploy(run, &plan, ready_at)
}

/// Takes a change through all environments. Production takes one at a time, from `free_at` on; when it is free again.
fn deliver(project: &mut Project, landed: &Landed, number: usize, free_at: Seconds) -> Seconds {
    let mut run = project.start_run(on_push(DELIVER, landed));
    if FAILED_BUILDS.contains(&number) {
        let plan = JobPlan { failing_step: Some(3), ..job(project, "build", (3, 5)) };
        let end = project.job(&mut run, &plan, landed.at + 6);
        project.finish_run(&run, "failure", end + 2);
        project.records.note(Peculiarity::FailedBuild, end);
        return free_at;
    }
    let integration = stage(project, &mut run, "integration", (landed.at + 6, Outcome::Success));
    let staging = stage(project, &mut run, "staging", (integration.at + 3, Outcome::Success));
    let outcome = match number {
        n if FAILED_THEN_FIXED.contains(&n) || FAILED_THEN_RUN_AGAIN.contains(&n) => Outcome::Failure,
        CORRECTED => Outcome::Corrected(6 * MINUTE),
        TOLD_LATE => Outcome::ToldLate(9 * HOUR),
        _ => Outcome::Success,
    };
    let production = stage(project, &mut run, "production", ((staging.at + 3).max(free_at + 5), outcome));
    project.finish_run(&run, if production.success { "success" } else { "failure" }, production.at + 2);
    aftermath(project, run, number, production)
}

/// What follows a delivery; when production is free again.
fn aftermath(project: &mut Project, mut run: Run, number: usize, production: Deployed) -> Seconds {
    if FAILED_THEN_RUN_AGAIN.contains(&number) {
        let at = production.at + 7 * MINUTE;
        let by = project.member();
        project.run_again(&mut run, by, at);
        let again = stage(project, &mut run, "production", (at + 2, Outcome::Success));
        project.finish_run(&run, "success", again.at + 2);
        return again.at;
    }
    if ROLLED_BACK.contains(&number) {
        let at = production.at + 25 * MINUTE;
        let before = project.records.in_production("storefront", production.at - 1).map(str::to_owned);
        if let Some(sha) = before {
            project.records.note(Peculiarity::Rollback, at);
            return deploy_by_hand(project, ROLL_BACK, sha, at);
        }
    }
    if number == REDEPLOYED {
        let at = production.at + 40 * MINUTE;
        project.records.note(Peculiarity::Redeploy, at);
        return deploy_by_hand(project, DELIVER, run.sha, at);
    }
    production.at
}

/// A run on `main` that deploys the commit that somebody named: the run's own commit is another one.
fn deploy_by_hand(project: &mut Project, workflow: Workflow, sha: String, at: Seconds) -> Seconds {
    let start = by_hand(project, workflow, at);
    let mut run = project.start_run(start);
    let plan = DeployPlan {
        component: "storefront",
        environment: "production",
        ref_name: sha.clone(),
        sha,
        payload: json!({}),
        creator: ACTIONS,
        description: Some("by hand"),
        job: job(project, "production", (2, 3)),
        gate: None,
        outcome: Outcome::Success,
    };
    let deployed = project.deploy(&mut run, &plan, at + 4);
    project.finish_run(&run, "success", deployed.at + 2);
    deployed.at
}

/// Half a year of `search`.
pub fn search(rng: Rng, (start, end): (Seconds, Seconds)) -> Project {
    let mut project = Project::new("search", 2, TEAM, rng, start);
    let sha = project.begin(start + 8 * HOUR, &["api/query.py"]);
    let mut number = 40;
    release(&mut project, &sha, number, start + 9 * HOUR);
    let merges = merge_times(&mut project.rng, (start + 2 * DAY, end), &[55, 36, 9]);
    let mut merges = merges.into_iter().peekable();
    let mut released = sha;
    let mut day = midnight(start) + 3 * DAY;
    while day < end {
        // Monday, Wednesday and Thursday, at about half past ten.
        let at = day + 10 * HOUR + 30 * MINUTE + project.rng.i64(0..=20 * MINUTE);
        while let Some(merged_at) = merges.next_if(|merged_at| *merged_at < at) {
            land_in_search(&mut project, merged_at);
        }
        let tip = project.git.tip();
        if is_workday(day) && matches!(crate::demo::clock::weekday(day), 0 | 2 | 3) && tip != released {
            number += 1;
            release(&mut project, &tip, number, at);
            released = tip;
        }
        day += DAY;
    }
    project
}

fn land_in_search(project: &mut Project, at: Seconds) {
    let landed = project.land(&SEARCH_HABITS, at);
    checks(project, SEARCH_CHECK, &landed);
    let mut run = project.start_run(on_push(SEARCH_BUILD, &landed));
    let failing_step = chance(&mut project.rng, 6).then_some(3);
    let plan = JobPlan { failing_step, ..job(project, "build", (4, 8)) };
    let built = project.job(&mut run, &plan, landed.at + 6);
    let conclusion = if failing_step.is_some() { "failure" } else { "success" };
    project.finish_run(&run, conclusion, built + 2);
    if failing_step.is_some() {
        project.records.note(Peculiarity::FailedBuild, built);
    }
}

/// Tags the commit, publishes the release and takes it through staging and a canary to production.
fn release(project: &mut Project, sha: &str, number: i64, at: Seconds) {
    let by = project.member();
    let tag = format!("v1.{number}.0");
    project.push(&format!("refs/tags/{tag}"), NOTHING, sha, &[], (by, at));
    let id = project.id();
    let body = project.repo.release(id, &tag, by, at + 20);
    project.tell("release", at + 20, &body);
    project.records.note(Peculiarity::ReleasePublished, at);

    let run = TektonRun { id: &format!("search-delivery-{number}"), pipeline: "search-delivery", sha };
    let started = at + MINUTE;
    let packaged = started + between(&mut project.rng, (3 * MINUTE, 6 * MINUTE));
    project.task_run(&run, "package", (started, packaged), true);
    project.package(sha, packaged);
    let staged = packaged + between(&mut project.rng, (2 * MINUTE, 5 * MINUTE));
    project.service("deployed", "staging", (sha, Some(&run)), staged);
    let canary = staged + between(&mut project.rng, (2 * MINUTE, 4 * MINUTE));
    let well = number % 17 != 0;
    project.task_run(&run, "canary", (staged + 10, canary), well);
    if !well {
        return project.pipeline_run(&run, (at + 30, started, canary + 5), false);
    }
    project.service("deployed", "production-canary", (sha, Some(&run)), canary);
    project.records.note(Peculiarity::Canary, canary);
    let before = project.records.in_production("search", at).map(str::to_owned);
    let live = canary + between(&mut project.rng, (20 * MINUTE, 45 * MINUTE));
    let kind = if before.is_some() { "upgraded" } else { "deployed" };
    project.service(kind, "production", (sha, Some(&run)), live);
    project.pipeline_run(&run, (at + 30, started, live + 5), true);
    if let (true, Some(before)) = (number % 23 == 0, before) {
        let back = after_work(live, 2 * HOUR);
        project.service("rolledback", "production", (&before, None), back);
        project.records.note(Peculiarity::Rollback, back);
    }
}
