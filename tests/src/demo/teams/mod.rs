//! The three teams and what half a year brings them.

pub mod payments;
pub mod platform;
pub mod web;

use fastrand::Rng;

use super::clock::{DAY, HOUR, MINUTE, Seconds, is_workday, midnight};
use super::github::{Run, Workflow};
use super::pipeline::{HOSTED, JobPlan, Start};
use super::project::{CheckWanted, Landed, Project};

/// Times of day at which something comes to `main`: `odds[n]` in a hundred days bring `n`, twenty minutes apart or more.
fn merge_times(rng: &mut Rng, (from, to): (Seconds, Seconds), odds: &[u32]) -> Vec<Seconds> {
    let mut times = Vec::new();
    let mut day = midnight(from);
    while day < to {
        if is_workday(day) {
            let roll = rng.u32(0..100);
            let mut sum = 0;
            let count = odds
                .iter()
                .take_while(|odds| {
                    sum += **odds;
                    sum <= roll
                })
                .count();
            let mut today: Vec<Seconds> = (0..count).map(|_| day + rng.i64(9 * HOUR..=17 * HOUR)).collect();
            today.sort_unstable();
            for i in 1..today.len() {
                today[i] = today[i].max(today[i - 1] + 20 * MINUTE);
            }
            times.extend(today);
        }
        day += DAY;
    }
    times
}

/// One job that looks at a pull request.
fn check(project: &mut Project, workflow: Workflow, plan: &JobPlan, wanted: CheckWanted) -> (Run, Seconds, bool) {
    let CheckWanted { pull, at } = wanted;
    let start = Start {
        workflow,
        event: "pull_request",
        branch: pull.branch.clone(),
        sha: pull.head.clone(),
        title: pull.title.clone(),
        actor: pull.author,
        at,
        pull: Some(pull),
    };
    let mut run = project.start_run(start);
    let end = project.job(&mut run, plan, at + 2);
    let success = plan.failing_step.is_none();
    project.finish_run(&run, if success { "success" } else { "failure" }, end + 2);
    (run, end, success)
}

/// The checks of a change, each of which passes within some minutes.
fn checks(project: &mut Project, workflow: Workflow, landed: &Landed) {
    for wanted in &landed.checks {
        let plan = JobPlan {
            name: "test",
            steps: &["Set up job", "Check out", "Build", "Run tests", "Complete job"],
            queue: project.rng.i64(2..=20),
            duration: project.rng.i64(2 * MINUTE..=5 * MINUTE),
            failing_step: None,
            runner: HOSTED,
        };
        check(project, workflow, &plan, wanted.clone());
    }
}

/// A run that a push to `main` starts.
fn on_push(workflow: Workflow, landed: &Landed) -> Start {
    Start {
        workflow,
        event: "push",
        branch: "main".to_owned(),
        sha: landed.sha.clone(),
        title: landed.title.clone(),
        actor: landed.by,
        at: landed.at + 4,
        pull: None,
    }
}

/// A run that somebody starts by hand on `main`.
fn by_hand(project: &mut Project, workflow: Workflow, at: Seconds) -> Start {
    let actor = project.member();
    let sha = project.git.tip_at(at);
    let title = workflow.name.to_owned();
    Start { workflow, event: "workflow_dispatch", branch: "main".to_owned(), sha, title, actor, at, pull: None }
}
