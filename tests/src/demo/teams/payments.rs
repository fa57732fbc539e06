//! Team payments: `billing` and `payouts` go to production by leave of a change board, which meets on Tuesdays and Thursdays.

use std::collections::BTreeMap;

use fastrand::Rng;
use model::fact::GateOutcome;
use serde_json::json;

use super::{checks, merge_times};
use crate::demo::clock::{DAY, HOUR, MINUTE, Seconds, after_work, at_work, between, midnight, weekday};
use crate::demo::expected::{Peculiarity, Scope};
use crate::demo::git::{Account, Commit};
use crate::demo::github::{Pull, Run, Workflow};
use crate::demo::pipeline::{DeployPlan, Deployed, GatePlan, HOSTED, JobPlan, Outcome, Start};
use crate::demo::project::{CheckWanted, Habits, Merge, Project};

const TEAM: &[Account] = &[
    Account::person("dev-payments-1", 2_001),
    Account::person("dev-payments-2", 2_002),
    Account::person("dev-payments-3", 2_003),
    Account::person("dev-payments-4", 2_004),
    Account::person("dev-payments-5", 2_005),
];
const BOARD: [Account; 2] = [Account::person("board-1", 2_101), Account::person("board-2", 2_102)];

pub const BILLING: &[Scope] = &[Scope { component: "billing", folders: &[] }];
pub const PAYOUTS: &[Scope] = &[Scope { component: "payouts", folders: &[] }];

/// What tells the two components apart.
struct Way {
    component: &'static str,
    check: Workflow,
    release: Workflow,
    habits: Habits,
    /// A job runs beside the approval, unless the release is waved through.
    soak: bool,
    /// Ends of releases other than an approval in the board's next meeting, by their number.
    gates: &'static [(usize, GateOutcome)],
    /// Waved through within seconds, by number.
    waved: &'static [usize],
    /// Deployments that fail, by number.
    failed: &'static [usize],
    /// Rolled back some hours later, by number.
    rolled_back: &'static [usize],
    /// Days from the start on which a hotfix is needed.
    hotfixes: &'static [i64],
    /// Day of the hotfix for which the board is passed over.
    bypassed: i64,
}

const BILLING_WAY: Way = Way {
    component: "billing",
    check: Workflow { id: 83_001, name: "check", file: "check.yml" },
    release: Workflow { id: 83_002, name: "release", file: "release.yml" },
    habits: Habits {
        direct: 0,
        merge: 0,
        rebase: 20,
        bots: 6,
        commits: 4,
        coding: (3 * HOUR, 25 * HOUR),
        review: (2 * HOUR, 18 * HOUR),
        paths: &[&["src/invoice.java"], &["src/tax/rates.java", "src/tax/rates_test.java"], &["db/migration/V210.sql"]],
        titles: &[
            "Round taxes by line",
            "Send reminders in the morning",
            "Keep the address on the invoice",
            "Export for the auditors",
            "Accept the new reference format",
        ],
    },
    soak: false,
    gates: &[
        (6, GateOutcome::Rejected),
        (13, GateOutcome::Expired),
        (17, GateOutcome::Rejected),
        (24, GateOutcome::Expired),
        (29, GateOutcome::Rejected),
    ],
    waved: &[],
    failed: &[20],
    rolled_back: &[],
    hotfixes: &[],
    bypassed: 0,
};

const PAYOUTS_WAY: Way = Way {
    component: "payouts",
    check: Workflow { id: 84_001, name: "check", file: "check.yml" },
    release: Workflow { id: 84_002, name: "release", file: "release.yml" },
    habits: Habits {
        direct: 0,
        merge: 60,
        rebase: 10,
        bots: 6,
        commits: 3,
        coding: (2 * HOUR, 18 * HOUR),
        review: (HOUR, 12 * HOUR),
        paths: &[&["transfer/send.go"], &["transfer/retry.go", "transfer/retry_test.go"], &["banks/sepa.go"]],
        titles: &[
            "Retry transfers with a new reference",
            "Read the bank's holiday list",
            "Split payouts above the limit",
            "Log the bank's answer code",
        ],
    },
    soak: true,
    gates: &[(8, GateOutcome::Rejected), (19, GateOutcome::Rejected)],
    waved: &[5, 11, 15],
    failed: &[10],
    rolled_back: &[7, 16],
    hotfixes: &[33, 61, 88, 117, 146],
    bypassed: 88,
};

/// What is to be done next.
enum Item {
    /// A change comes to `main`.
    Change,
    /// Somebody starts a release.
    Release,
    /// Production must be mended at once.
    Hotfix { bypass: bool },
    /// A hotfix comes to `main`, where it had been made beside it.
    MergeBack(Box<(Pull, Vec<Commit>)>),
    /// What was there before comes back.
    RollBack(Box<Run>),
}

/// What is to be done, by time.
#[derive(Default)]
struct Agenda {
    items: BTreeMap<(Seconds, usize), Item>,
    count: usize,
}

impl Agenda {
    fn add(&mut self, at: Seconds, item: Item) {
        self.count += 1;
        self.items.insert((at, self.count), item);
    }
}

/// Half a year of one component.
struct Half {
    project: Project,
    way: Way,
    agenda: Agenda,
    /// Commit that was last asked to be released.
    asked: String,
    releases: usize,
    /// Runs that reached production, oldest first.
    shipped: Vec<Run>,
    /// Nobody asks for the next release while one waits.
    busy_until: Seconds,
}

pub fn billing(rng: Rng, span: (Seconds, Seconds)) -> Project {
    half_a_year(Project::new("billing", 3, TEAM, rng, span.0), BILLING_WAY, span)
}

pub fn payouts(rng: Rng, span: (Seconds, Seconds)) -> Project {
    half_a_year(Project::new("payouts", 4, TEAM, rng, span.0), PAYOUTS_WAY, span)
}

fn half_a_year(mut project: Project, way: Way, (start, end): (Seconds, Seconds)) -> Project {
    project.begin(start + 8 * HOUR, way.habits.paths[0]);
    let mut agenda = Agenda::default();
    agenda.add(start + 10 * HOUR, Item::Release);
    for at in merge_times(&mut project.rng, (start + 6 * DAY, end), &[60, 32, 8]) {
        agenda.add(at, Item::Change);
    }
    // Candidates are cut on the afternoons before the board meets.
    let mut day = midnight(start) + 7 * DAY;
    while day < end {
        if matches!(weekday(day), 0 | 2) {
            agenda.add(day + 14 * HOUR + project.rng.i64(0..=3 * HOUR), Item::Release);
        }
        day += DAY;
    }
    for days in way.hotfixes {
        let at = at_work(midnight(start) + days * DAY + 11 * HOUR);
        agenda.add(at, Item::Hotfix { bypass: *days == way.bypassed });
    }
    let asked = String::new();
    let mut half = Half { project, way, agenda, asked, releases: 0, shipped: Vec::new(), busy_until: start };
    while let Some(((at, _), item)) = half.agenda.items.pop_first() {
        half.take(at, item);
    }
    half.project
}

impl Half {
    fn take(&mut self, at: Seconds, item: Item) {
        match item {
            Item::Change => {
                let landed = self.project.land(&self.way.habits, at);
                checks(&mut self.project, self.way.check, &landed);
            }
            Item::Release => self.release(at),
            Item::Hotfix { bypass } => self.hotfix(at, bypass),
            Item::MergeBack(fix) => {
                let (mut pull, commits) = *fix;
                let by = self.project.other_than(pull.author);
                self.project.merge(&mut pull, &commits, Merge::Commit, (by, at));
            }
            Item::RollBack(run) => self.roll_back(*run, at),
        }
    }

    fn start(&mut self, branch: &str, sha: &str, at: Seconds) -> Run {
        let actor = self.project.member();
        let start = Start {
            workflow: self.way.release,
            event: "workflow_dispatch",
            branch: branch.to_owned(),
            sha: sha.to_owned(),
            title: "release".to_owned(),
            actor,
            at,
            pull: None,
        };
        self.project.start_run(start)
    }

    fn job(&mut self, name: &'static str, minutes: (i64, i64)) -> JobPlan {
        JobPlan {
            name,
            steps: &["Set up job", "Check out", "Build", "Run tests", "Deploy", "Verify", "Complete job"],
            queue: self.project.rng.i64(3..=40),
            duration: between(&mut self.project.rng, (minutes.0 * MINUTE, minutes.1 * MINUTE)),
            failing_step: None,
            runner: HOSTED,
        }
    }

    fn deploy(
        &mut self,
        run: &mut Run,
        environment: &'static str,
        gate: Option<GatePlan>,
        (at, fails): (Seconds, bool),
    ) -> Deployed {
        let job = self.job(environment, (4, 9));
        let plan = DeployPlan {
            component: self.way.component,
            environment,
            sha: run.sha.clone(),
            ref_name: run.branch.clone(),
            payload: json!({}),
            creator: run.triggering_actor,
            description: None,
            job: JobPlan { failing_step: fails.then_some(4), ..job },
            gate,
            outcome: if fails { Outcome::Failure } else { Outcome::Success },
        };
        self.project.deploy(run, &plan, at)
    }

    /// Builds and deploys to staging; when production could follow, and when the last other job ends.
    fn prepare(&mut self, run: &mut Run, soak: bool) -> (Seconds, Seconds) {
        let build = self.job("build", (6, 12));
        let built = self.project.job(run, &build, run.created_at + 3);
        let staging = self.deploy(run, "staging", None, (built + 3, false));
        let mut others_end = staging.at;
        if soak {
            let soak = self.job("soak test", (25, 70));
            others_end = self.project.job(run, &soak, staging.at + 2);
        }
        (staging.at + 4, others_end)
    }

    fn release(&mut self, at: Seconds) {
        let tip = self.project.git.tip_at(at);
        if tip == self.asked || at < self.busy_until {
            return;
        }
        self.asked.clone_from(&tip);
        let number = self.releases;
        self.releases += 1;
        let mut run = self.start("main", &tip, at);
        let waved = self.way.waved.contains(&number);
        let (ready_at, others_end) = self.prepare(&mut run, self.way.soak && !waved);
        let gate = self.gate(number, ready_at, others_end);
        let fails = self.way.failed.contains(&number);
        let production = self.deploy(&mut run, "production", Some(gate), (ready_at, fails));
        let conclusion = match gate.outcome {
            GateOutcome::Expired => "cancelled",
            _ if production.success => "success",
            _ => "failure",
        };
        self.project.finish_run(&run, conclusion, production.at + 2);
        self.busy_until = production.at;
        if gate.outcome == GateOutcome::Expired {
            self.ask_again(run, after_work(production.at, HOUR));
        } else if production.success {
            self.shipped(run, number, production.at);
        }
    }

    fn shipped(&mut self, run: Run, number: usize, at: Seconds) {
        if self.way.rolled_back.contains(&number)
            && let Some(before) = self.shipped.last()
        {
            self.agenda.add(at + 3 * HOUR, Item::RollBack(Box::new(before.clone())));
        }
        self.shipped.push(run);
    }

    /// What the board decides, and when.
    fn gate(&mut self, number: usize, ready_at: Seconds, others_end: Seconds) -> GatePlan {
        let approver = BOARD[self.project.rng.usize(0..BOARD.len())];
        let listed = self.way.gates.iter().find(|(listed, _)| *listed == number);
        let outcome = listed.map_or(GateOutcome::Approved, |(_, outcome)| *outcome);
        let decided_at = match outcome {
            GateOutcome::Expired => ready_at + 7 * DAY,
            _ if self.way.waved.contains(&number) => ready_at + 1 + self.project.rng.i64(6..=25),
            _ => self.next_meeting(others_end),
        };
        GatePlan { outcome, decided_at, approver, others_end }
    }

    /// When the board comes to a request: on Tuesday or Thursday from ten o'clock on, and now and then only a meeting later.
    fn next_meeting(&mut self, ready_at: Seconds) -> Seconds {
        let mut meetings_left = if self.project.rng.u32(0..100) < 12 { 2 } else { 1 };
        let mut day = midnight(ready_at);
        loop {
            let meeting = day + 10 * HOUR;
            if matches!(weekday(day), 1 | 3) && meeting >= ready_at + HOUR {
                meetings_left -= 1;
                if meetings_left == 0 {
                    return meeting + between(&mut self.project.rng, (4 * MINUTE, 80 * MINUTE));
                }
            }
            day += DAY;
        }
    }

    /// The request had expired: the same run is started again, and the board asked again.
    fn ask_again(&mut self, mut run: Run, at: Seconds) {
        let by = self.project.member();
        self.project.run_again(&mut run, by, at);
        let decided_at = self.next_meeting(at);
        let gate = GatePlan { outcome: GateOutcome::Approved, decided_at, approver: BOARD[0], others_end: at };
        let production = self.deploy(&mut run, "production", Some(gate), (at + 3, false));
        self.project.finish_run(&run, "success", production.at + 2);
        self.busy_until = production.at;
        self.shipped.push(run);
    }

    fn hotfix(&mut self, at: Seconds, bypass: bool) {
        let Some(base) = self.project.records.in_production(self.way.component, at).map(str::to_owned) else { return };
        let (pull, commits) = self.project.hotfix_branch(&base, at, self.way.habits.paths[0]);
        checks_of(&mut self.project, self.way.check, &pull);
        let mut run = self.start(&pull.branch, &pull.head, pull.created_at + 2 * MINUTE);
        let build = self.job("build", (6, 9));
        let created_at = run.created_at;
        let built = self.project.job(&mut run, &build, created_at + 3);
        let ready_at = built + 3;
        let (outcome, wait) = match bypass {
            true => (GateOutcome::Bypassed, between(&mut self.project.rng, (4 * MINUTE, 9 * MINUTE))),
            false => (GateOutcome::Approved, between(&mut self.project.rng, (10 * MINUTE, 90 * MINUTE))),
        };
        let gate = GatePlan { outcome, decided_at: ready_at + wait, approver: BOARD[1], others_end: built };
        let production = self.deploy(&mut run, "production", Some(gate), (ready_at, false));
        self.project.finish_run(&run, "success", production.at + 2);
        self.project.records.note(Peculiarity::Hotfix, production.at);
        let merged_at = after_work(production.at, 2 * HOUR);
        self.agenda.add(merged_at, Item::MergeBack(Box::new((pull, commits))));
        self.shipped.push(run);
    }

    /// Runs the earlier release's deployment again: the environment asks for leave as ever, and gets it quickly.
    fn roll_back(&mut self, mut run: Run, at: Seconds) {
        let by = self.project.member();
        self.project.run_again(&mut run, by, at);
        let wait = between(&mut self.project.rng, (3 * MINUTE, 15 * MINUTE));
        let gate =
            GatePlan { outcome: GateOutcome::Approved, decided_at: at + wait, approver: BOARD[0], others_end: at };
        let production = self.deploy(&mut run, "production", Some(gate), (at + 2, false));
        self.project.finish_run(&run, "success", production.at + 2);
        self.project.records.note(Peculiarity::Rollback, production.at);
    }
}

fn checks_of(project: &mut Project, workflow: Workflow, pull: &Pull) {
    let landed = crate::demo::project::Landed {
        sha: pull.head.clone(),
        title: pull.title.clone(),
        at: pull.created_at,
        by: pull.author,
        checks: vec![CheckWanted { pull: pull.clone(), at: pull.created_at + 3 }],
    };
    checks(project, workflow, &landed);
}
