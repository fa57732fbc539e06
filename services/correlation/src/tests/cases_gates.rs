//! Gates, with figures worked out by hand.

use model::event::*;
use model::fact::{Fact, GateOutcome, GateWaitFact, Hollow};
use model::{Component, DeploymentId, GateId, Millis, RunId, TaskId, Timestamp};

use super::Run;
use super::cases::{HOUR, MINUTE, line, merged, play, repository, run_of, sha, squashed, success};

type History = Vec<(i64, Body)>;

/// The gate `board` before production, met as `id`.
fn board(id: &str) -> Gate {
    Gate { environment: Some("production".into()), ..Gate::new(GateId::new(id), "board".into()) }
}

fn about(n: u8) -> References {
    References { repository: Some(repository()), commit: Some(sha(n)), ..References::default() }
}

fn asked(id: &str, n: u8) -> Body {
    GateRequested::new(board(id), about(n)).into()
}

fn person(name: &str) -> Actor {
    Actor { key: Some(name.to_owned()), kind: ActorKind::Human }
}

fn decided(id: &str, n: u8, decision: Decision, by: Actor) -> GateDecided {
    GateDecided { decided_by: by, ..GateDecided::new(board(id), about(n), decision) }
}

fn approved(id: &str, n: u8) -> Body {
    decided(id, n, Decision::Approved, person("somebody")).into()
}

fn rejected(id: &str, n: u8) -> Body {
    decided(id, n, Decision::Rejected, person("somebody")).into()
}

fn met(run: &Run, id: &str) -> GateWaitFact {
    let found = run.tables.0.values().find_map(|fact| match fact {
        Fact::GateWait(fact) if fact.gate.as_str() == id => Some(fact.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no gate {id}"))
}

/// Commits 1 to 4, one each hour, and then these.
fn after_line(then: History) -> Run {
    let mut history = line();
    history.extend(then);
    play(history)
}

#[test]
fn two_people_approve_and_the_second_settles_it() {
    let ask = GateRequested { required: Some(2), ..GateRequested::new(board("g"), about(1)) };
    let bot = Actor { key: Some("bot".into()), kind: ActorKind::Machine };
    let approve = |by: Actor| Body::from(decided("g", 1, Decision::Approved, by));
    let mut history = vec![(5 * HOUR, ask.into()), (6 * HOUR, approve(person("a"))), (7 * HOUR, approve(person("a")))];
    let waiting = met(&after_line(history.clone()), "g");
    assert_eq!((waiting.outcome, waiting.approvals, waiting.required), (GateOutcome::Open, 1, Some(2)));
    assert_eq!((waiting.decided_at, waiting.wait), (None, None));
    history.push((8 * HOUR, approve(bot)));
    let settled = met(&after_line(history), "g");
    assert_eq!((settled.outcome, settled.approvals), (GateOutcome::Approved, 2));
    assert_eq!((settled.decided_by, settled.wait), (ActorKind::Machine, Some(Millis(3 * HOUR))));
}

#[test]
fn a_quorum_is_settled_by_who_approved_last() {
    let not_final = |by: &str| {
        Body::from(GateDecided { final_decision: Some(false), ..decided("g", 1, Decision::Approved, person(by)) })
    };
    let counted =
        |given: i32| Body::from(GateQuorum { gate: board("g"), about: about(1), required: 2, given, met_at: None });
    let mut history =
        vec![(5 * HOUR, asked("g", 1)), (6 * HOUR, not_final("a")), (6 * HOUR, counted(1)), (7 * HOUR, not_final("b"))];
    assert_eq!(met(&after_line(history.clone()), "g").outcome, GateOutcome::Open);
    history.push((7 * HOUR, counted(2)));
    let gate = met(&after_line(history), "g");
    assert_eq!((gate.outcome, gate.decided_at), (GateOutcome::Approved, Some(Timestamp(7 * HOUR))));
    assert_eq!((gate.decided_by, gate.approvals), (ActorKind::Human, 2));
}

#[test]
fn handed_on_it_stays_closed() {
    let hand_on =
        |to: &str| Body::from(GateDelegated { delegated_to: person(to), ..GateDelegated::new(board("g"), about(1)) });
    let escalated = Body::from(decided("g", 1, Decision::Escalated, person("c")));
    let gate = met(
        &after_line(vec![
            (5 * HOUR, asked("g", 1)),
            (6 * HOUR, hand_on("b")),
            (6 * HOUR, hand_on("c")),
            (7 * HOUR, escalated),
        ]),
        "g",
    );
    assert_eq!((gate.delegations, gate.outcome, gate.decided_at), (3, GateOutcome::Open, None));
    assert_eq!(gate.evidence.len(), 4);
}

#[test]
fn approvals_before_it_was_asked_for_again_are_void() {
    let ask = GateRequested { required: Some(2), ..GateRequested::new(board("g"), about(1)) };
    let again =
        GateRequestedAgain { gate: board("g"), about: about(1), requested_at: None, requested_by: Actor::default() };
    let expired = GateExpired { gate: board("g"), about: about(1), expired_at: None };
    let mut history: History = vec![
        (5 * HOUR, ask.into()),
        (6 * HOUR, decided("g", 1, Decision::Approved, person("a")).into()),
        (7 * HOUR, expired.into()),
        (8 * HOUR, again.into()),
    ];
    let gate = met(&after_line(history.clone()), "g");
    assert_eq!((gate.outcome, gate.approvals, gate.requests), (GateOutcome::Open, 0, 2));
    history.push((9 * HOUR, decided("g", 1, Decision::Approved, person("b")).into()));
    let gate = met(&after_line(history), "g");
    assert_eq!((gate.outcome, gate.approvals, gate.requests), (GateOutcome::Open, 1, 2));
}

#[test]
fn the_wait_is_counted_in_working_time_too() {
    // 1970-01-01 was a Thursday. From 5:00 to 9:00, worked from 6:30 on.
    let calendar = CatalogCalendar {
        calendar: "office".into(),
        zone: "UTC".into(),
        work_days: Vec::new(),
        day_starts: 390,
        day_ends: 1000,
        holidays: Vec::new(),
    };
    let catalog = Catalog { revision: 1, calendars: vec![calendar], ..Catalog::default() };
    let history = vec![(5 * HOUR, asked("g", 1)), (9 * HOUR, approved("g", 1))];
    assert_eq!(met(&after_line(history.clone()), "g").wait_working, None, "without a calendar");
    let gate = met(&after_line([history, vec![(0, catalog.into())]].concat()), "g");
    assert_eq!((gate.wait, gate.wait_working), (Some(Millis(4 * HOUR)), Some(Millis(150 * MINUTE))));
}

#[test]
fn a_rejection_caught_something_where_a_changed_commit_followed() {
    let rejection = [(5 * HOUR, asked("g", 2)), (6 * HOUR, rejected("g", 2))];
    let caught = |then: History| met(&after_line([rejection.to_vec(), then].concat()), "g").caught;
    assert_eq!(met(&after_line(vec![(5 * HOUR, asked("g", 2))]), "g").caught, None, "not decided yet");
    assert_eq!(caught(vec![]), Some(false));
    assert_eq!(caught(vec![(7 * HOUR, asked("h", 3))]), Some(true));
    assert_eq!(caught(vec![(7 * HOUR, asked("h", 1))]), Some(false), "an older commit is no answer");
    assert_eq!(
        caught(vec![(7 * HOUR, approved("h", 2)), (8 * HOUR, asked("i", 3))]),
        Some(false),
        "run again, it passed"
    );
    assert_eq!(caught(vec![(7 * HOUR, success("b", 3))]), Some(true), "deployed past the gate");
    assert_eq!(caught(vec![(7 * HOUR, success("b", 2)), (8 * HOUR, success("c", 3))]), Some(false));
    // Rejected twice: one decision for the gate and the release.
    let twice = vec![(7 * HOUR, asked("h", 2)), (8 * HOUR, rejected("h", 2)), (9 * HOUR, asked("i", 3))];
    let run = after_line([rejection.to_vec(), twice].concat());
    assert_eq!((met(&run, "g").caught, met(&run, "h").caught), (Some(false), Some(true)));
}

#[test]
fn an_approval_catches_nothing() {
    let run = after_line(vec![(5 * HOUR, approved("g", 2)), (7 * HOUR, asked("h", 3))]);
    assert_eq!(met(&run, "g").caught, Some(false));
}

#[test]
fn what_another_gate_or_environment_met_later_is_no_answer() {
    let rejection = vec![(5 * HOUR, asked("g", 2)), (6 * HOUR, rejected("g", 2))];
    let staging = Gate { environment: Some("staging".into()), ..board("h") };
    let scan = Gate { name: "scan".into(), ..board("h") };
    for other in [staging, scan] {
        let then = vec![(7 * HOUR, Body::from(GateRequested::new(other, about(3))))];
        assert_eq!(met(&after_line([rejection.clone(), then].concat()), "g").caught, Some(false));
    }
}

#[test]
fn the_author_is_known_by_the_change_else_by_the_commit() {
    let by = |name: &str| vec![(6 * HOUR, Body::from(decided("g", 9, Decision::Approved, person(name))))];
    let mut change = match merged("7", 3, 9, 3 * HOUR, 5 * HOUR) {
        Body::Ci(CiBody::Change(change)) => change,
        other => panic!("{other:?}"),
    };
    change.author = person("author");
    let history = |name: &str| [squashed(), vec![(5 * HOUR, change.clone().into())], by(name)].concat();
    let own = met(&play(history("author")), "g");
    assert_eq!((own.by_author, own.hollow), (Some(true), vec![Hollow::ByAuthor]));
    let others = met(&play(history("other")), "g");
    assert_eq!((others.by_author, others.hollow), (Some(false), vec![]));
    assert_eq!(met(&play([squashed(), by("other")].concat()), "g").by_author, None, "nobody told the author");
}

#[test]
fn another_commit_than_was_looked_at_is_a_hollow_pass() {
    let looked_at = |n: u8| {
        let decision = GateDecided { commit: Some(sha(n)), ..decided("g", 9, Decision::Approved, person("b")) };
        let history = [squashed(), vec![(6 * HOUR, decision.into())]].concat();
        met(&play(history), "g")
    };
    assert_eq!((looked_at(9).decided_commit, looked_at(9).hollow), (Some(sha(9)), vec![]));
    // 3 was the last commit of the change that 9 squashes, 2 an earlier one.
    assert_eq!(looked_at(3).hollow, []);
    assert_eq!((looked_at(2).decided_commit, looked_at(2).hollow), (Some(sha(2)), vec![Hollow::OtherCommit]));
}

fn job(id: &str, run: &str, outcome: Outcome, from: i64, to: i64) -> (i64, Body) {
    let task = TaskRun {
        run: Some(RunId::new(run)),
        started_at: Some(Timestamp(from)),
        finished_at: Some(Timestamp(to)),
        outcome: Some(outcome),
        ..TaskRun::new(TaskId::new(id), 1, id.to_owned(), TaskKind::Job, Phase::Finished)
    };
    (to, task.into())
}

#[test]
fn approved_before_the_checks_had_ended_is_a_hollow_pass() {
    let hollow = |then: History| {
        let gate = vec![(6 * HOUR, asked("g", 2)), (7 * HOUR, approved("g", 2)), (5 * HOUR, run_of("ci", 2, 5 * HOUR))];
        met(&after_line([gate, then].concat()), "g").hollow
    };
    let until = |to: i64| job("test", "ci", Outcome::Success, 5 * HOUR, to);
    assert_eq!(hollow(vec![until(7 * HOUR)]), []);
    assert_eq!(hollow(vec![until(7 * HOUR + MINUTE)]), [Hollow::BeforeChecks]);
    assert_eq!(hollow(vec![job("test", "ci", Outcome::Success, 7 * HOUR, 8 * HOUR)]), [], "begun after the decision");
    // The task that deploys is no check.
    let mut deployment = Deployment {
        run: Some(RunId::new("ci")),
        job: Some(TaskId::new("test")),
        ..Deployment::new(DeploymentId::new("s"), "staging".into(), DeploymentAction::Deploy, Phase::Running)
    };
    deployment.repository = Some(repository());
    assert_eq!(hollow(vec![until(8 * HOUR), (5 * HOUR, deployment.into())]), []);
}

#[test]
fn a_gate_of_tests_that_ran_none_is_a_hollow_pass() {
    let hollow = |name: &str, outcomes: &[Outcome]| {
        let about = References { run: Some(RunId::new("ci")), ..about(2) };
        let gate = Gate { name: name.into(), ..board("g") };
        let pass = GateDecided { decided_by: person("b"), ..GateDecided::new(gate, about, Decision::Approved) };
        let mut history = vec![(5 * HOUR, run_of("ci", 2, 5 * HOUR)), (7 * HOUR, pass.into())];
        let jobs = outcomes.iter().enumerate();
        history.extend(jobs.map(|(n, outcome)| job(&n.to_string(), "ci", *outcome, 5 * HOUR, 6 * HOUR)));
        met(&after_line(history), "g").hollow
    };
    assert_eq!(hollow("Smoke tests", &[Outcome::Skipped, Outcome::Skipped]), [Hollow::NoTests]);
    assert_eq!(hollow("Smoke tests", &[Outcome::Skipped, Outcome::Success]), []);
    assert_eq!(hollow("Smoke tests", &[]), [], "that no task was told of does not mean that there was none");
    assert_eq!(hollow("board", &[Outcome::Skipped]), [], "nobody says that it is a gate of tests");
}

#[test]
fn approved_within_seconds_is_a_hollow_pass() {
    let hollow = |by: Actor, seconds: i64| {
        let decision = decided("g", 2, Decision::Approved, by).into();
        met(&after_line(vec![(5 * HOUR, asked("g", 2)), (5 * HOUR + seconds * 1000, decision)]), "g").hollow
    };
    assert_eq!(hollow(person("b"), 10), [Hollow::WithinSeconds]);
    assert_eq!(hollow(person("b"), 11), []);
    assert_eq!(hollow(Actor { key: None, kind: ActorKind::Machine }, 1), []);
}

#[test]
fn the_catalog_and_the_team_say_what_a_gate_is_for() {
    let rule = CatalogGate {
        gate: "bo*".into(),
        kind: Some(GateKind::ChangeBoard),
        purposes: vec!["outage".into(), "leak".into()],
    };
    let catalog: Body = Catalog { revision: 1, gates: vec![rule], ..Catalog::default() }.into();
    let said = |component: Option<&str>, purpose: &str| {
        Body::from(GatePurposeSaid {
            component: component.map(Component::new),
            gate: "board".into(),
            purposes: vec![purpose.into()],
            said_by: Actor::default(),
        })
    };
    let mut history = vec![(5 * HOUR, asked("g", 2)), (0, catalog)];
    let gate = met(&after_line(history.clone()), "g");
    assert_eq!((gate.kind, gate.purposes), (GateKind::ChangeBoard, vec!["outage".into(), "leak".into()]));
    history.push((6 * HOUR, said(None, "slowness")));
    assert_eq!(met(&after_line(history.clone()), "g").purposes, ["slowness"]);
    history.push((5 * HOUR, said(Some("acme/shop"), "outage")));
    assert_eq!(met(&after_line(history), "g").purposes, ["outage"]);
}

#[test]
fn what_was_inferred_counts_where_nobody_told_it() {
    let ask = |inferred| Body::from(GateRequested { inferred, ..GateRequested::new(board("g"), about(1)) });
    let decide =
        |decision, by: &str, inferred| Body::from(GateDecided { inferred, ..decided("g", 1, decision, person(by)) });
    let mut history =
        vec![(5 * HOUR, ask(true)), (6 * HOUR, decide(Decision::Rejected, "a", true)), (5 * HOUR + MINUTE, ask(false))];
    let inferred = met(&after_line(history.clone()), "g");
    assert_eq!((inferred.requested_at, inferred.requests), (Some(Timestamp(5 * HOUR + MINUTE)), 1));
    assert_eq!((inferred.outcome, inferred.evidence.len()), (GateOutcome::Rejected, 2));
    history.push((7 * HOUR, decide(Decision::Approved, "b", false)));
    let told = met(&after_line(history), "g");
    assert_eq!((told.outcome, told.approvals), (GateOutcome::Approved, 1));
    assert_eq!((told.decided_at, told.evidence.len()), (Some(Timestamp(7 * HOUR)), 2));
}
