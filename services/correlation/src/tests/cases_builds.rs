//! Builds, failures and manual steps, with figures worked out by hand. Times are in minutes.

use model::event::*;
use model::fact::{BuildFact, BuildFailureFact, Fact, FailureClass, ManualStepFact, ManualStepKind};
use model::{CommitId, DeploymentId, Environment, GateId, Millis, Repository, RunId, TaskId, Timestamp, Version};

use super::{Run, event};

const MINUTE: i64 = 60_000;

fn minute(n: i64) -> Timestamp {
    Timestamp(n * MINUTE)
}

fn minutes(n: i64) -> Option<Millis> {
    Some(Millis(n * MINUTE))
}

fn repository() -> Repository {
    Repository::new("github.com/acme/shop")
}

fn sha(n: u8) -> CommitId {
    CommitId::new(format!("{n:02x}").repeat(20))
}

fn human() -> Actor {
    Actor { key: Some("somebody".into()), kind: ActorKind::Human }
}

/// A run of `ci` on `main` for commit `n` that started and ended.
fn run(id: &str, attempt: i32, n: u8, times: [i64; 2], outcome: Outcome) -> PipelineRun {
    PipelineRun {
        repository: Some(repository()),
        commit: Some(sha(n)),
        ref_name: Some("main".into()),
        trigger: Trigger::Push,
        outcome: Some(outcome),
        created_at: (attempt == 1).then(|| minute(times[0])),
        started_at: Some(minute(times[0])),
        finished_at: Some(minute(times[1])),
        ..PipelineRun::new(RunId::new(id), attempt, "ci".into(), Phase::Finished)
    }
}

/// A job that was queued, started and ended. Each attempt of it is a task of its own, as it is with most providers.
fn job(run: &str, attempt: i32, name: &str, times: [i64; 3], outcome: Outcome) -> TaskRun {
    let id = TaskId::new(format!("{run}/{name}/{attempt}"));
    TaskRun {
        run: Some(RunId::new(run)),
        outcome: Some(outcome),
        queued_at: Some(minute(times[0])),
        started_at: Some(minute(times[1])),
        finished_at: Some(minute(times[2])),
        ..TaskRun::new(id, attempt, name.into(), TaskKind::Job, Phase::Finished)
    }
}

fn deployment(id: &str, environment: &str, n: u8, finished: i64) -> Deployment {
    Deployment {
        repository: Some(repository()),
        commit: Some(sha(n)),
        outcome: Some(Outcome::Success),
        finished_at: Some(minute(finished)),
        ..Deployment::new(
            DeploymentId::new(id),
            Environment::new(environment),
            DeploymentAction::Deploy,
            Phase::Finished,
        )
    }
}

/// Takes bodies in, in this order and in the other one, which must come to the same.
fn play(bodies: Vec<Body>) -> Run {
    let events: Vec<Event<Body>> =
        bodies.into_iter().enumerate().map(|(n, body)| event(n as i64, &format!("d{n}"), body)).collect();
    let there = Run::of(&events);
    let mut back = Run::new();
    for event in events.iter().rev() {
        back.apply(event);
        back.commit();
    }
    assert!(there.tables == back.tables, "{}", there.tables.difference(&back.tables));
    there
}

fn build(of: &Run, id: &str, attempt: i32) -> BuildFact {
    let found = of.tables.0.values().find_map(|fact| match fact {
        Fact::Build(fact) if fact.run.as_str() == id && fact.attempt == attempt => Some(fact.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no attempt {attempt} of {id}"))
}

fn failures(of: &Run) -> Vec<BuildFailureFact> {
    let rows = of.tables.0.values().filter_map(|fact| match fact {
        Fact::BuildFailure(fact) => Some(fact.clone()),
        _ => None,
    });
    rows.collect()
}

fn failure(of: &Run, task: &str) -> BuildFailureFact {
    let found = failures(of).into_iter().find(|fact| fact.task.as_str() == task);
    found.unwrap_or_else(|| panic!("{task} did not fail"))
}

fn steps(of: &Run) -> Vec<ManualStepFact> {
    let rows = of.tables.0.values().filter_map(|fact| match fact {
        Fact::ManualStep(fact) => Some(fact.clone()),
        _ => None,
    });
    rows.collect()
}

fn step(of: &Run) -> ManualStepFact {
    let [step] = <[ManualStepFact; 1]>::try_from(steps(of)).unwrap();
    step
}

#[test]
fn what_passes_when_it_is_tried_again_is_flaky() {
    let again = play(vec![
        run("r", 1, 1, [0, 10], Outcome::Failure).into(),
        job("r", 1, "lint", [0, 1, 2], Outcome::Failure).into(),
        job("r", 1, "test", [0, 3, 10], Outcome::Failure).into(),
        run("r", 2, 1, [20, 30], Outcome::Failure).into(),
        job("r", 2, "lint", [20, 21, 22], Outcome::Failure).into(),
        job("r", 2, "test", [20, 23, 30], Outcome::Success).into(),
    ]);
    // The test is flaky, the lint is not; so the run would have failed all the same.
    let test = failure(&again, "r/test/1");
    assert_eq!((test.class, test.passed_attempt), (FailureClass::Flaky, Some(2)));
    assert_eq!((test.queue, test.duration), (minutes(3), minutes(7)));
    assert_eq!(
        (failure(&again, "r/lint/1").class, failure(&again, "r/lint/1").passed_attempt),
        (FailureClass::Failure, None)
    );
    assert_eq!(build(&again, "r", 1).class, Some(FailureClass::Failure));
    assert_eq!(build(&again, "r", 1).first_failed_task.as_deref(), Some("lint"));
}

#[test]
fn a_later_run_of_the_pipeline_on_the_commit_tells_of_a_flake_too() {
    let history = |commit, trigger| {
        let other = PipelineRun { trigger, ..run("s", 1, commit, [20, 30], Outcome::Success) };
        play(vec![
            run("r", 1, 1, [0, 10], Outcome::Failure).into(),
            job("r", 1, "test", [0, 3, 10], Outcome::Failure).into(),
            other.into(),
            job("s", 1, "test", [20, 23, 30], Outcome::Success).into(),
        ])
    };
    let same = history(1, Trigger::Schedule);
    assert_eq!(build(&same, "r", 1).class, Some(FailureClass::Flaky));
    let test = failure(&same, "r/test/1");
    // Which attempt of the run passed is not told by one of another run.
    assert_eq!((test.class, test.passed_attempt), (FailureClass::Flaky, None));
    // Another commit is a fix. A run for a change tries its commit merged into a target that may have moved.
    for fixed in [history(2, Trigger::Push), history(1, Trigger::Change)] {
        assert_eq!(build(&fixed, "r", 1).class, Some(FailureClass::Failure));
        assert_eq!(failure(&fixed, "r/test/1").class, FailureClass::Failure);
    }
}

#[test]
fn two_tasks_of_one_name_side_by_side_are_no_second_try() {
    let twin = |from| {
        let passed = job("r", 1, "test", [from, from, from + 5], Outcome::Success);
        let passed = TaskRun { task: TaskId::new("twin"), ..passed };
        let failed = job("r", 1, "test", [0, 1, 10], Outcome::Failure);
        failure(&play(vec![run("r", 1, 1, [0, 20], Outcome::Failure).into(), failed.into(), passed.into()]), "r/test/1")
            .class
    };
    assert_eq!(twin(8), FailureClass::Failure);
    assert_eq!(twin(10), FailureClass::Flaky);
}

#[test]
fn only_a_verdict_can_be_flaky() {
    for (outcome, class) in [
        (Outcome::Error, FailureClass::Error),
        (Outcome::Timeout, FailureClass::Timeout),
        (Outcome::Cancelled, FailureClass::Cancelled),
    ] {
        let again =
            play(vec![run("r", 1, 1, [0, 10], outcome).into(), run("r", 2, 1, [20, 30], Outcome::Success).into()]);
        assert_eq!(build(&again, "r", 1).class, Some(class));
        assert_eq!(build(&again, "r", 2).class, None);
    }
}

#[test]
fn what_is_allowed_to_fail_does_not_tell_why_the_run_failed() {
    let mut allowed = job("r", 1, "preview", [0, 1, 2], Outcome::Timeout);
    allowed.allowed_to_fail = true;
    allowed.runner_group = Some("large".into());
    let alone = play(vec![run("r", 1, 1, [0, 10], Outcome::Failure).into(), allowed.clone().into()]);
    let rows = failures(&alone);
    assert_eq!(rows.iter().map(|row| row.task.as_str()).collect::<Vec<_>>(), ["", "r/preview/1"]);
    assert_eq!((rows[0].class, rows[0].allowed_to_fail, rows[0].duration), (FailureClass::Failure, false, minutes(9)));
    assert_eq!((rows[1].class, rows[1].allowed_to_fail), (FailureClass::Timeout, true));
    assert_eq!(rows[1].runner_group.as_deref(), Some("large"));
    let both = play(vec![
        run("r", 1, 1, [0, 10], Outcome::Failure).into(),
        allowed.into(),
        job("r", 1, "build", [0, 1, 10], Outcome::Error).into(),
    ]);
    assert_eq!(failures(&both).len(), 2);
    let build = build(&both, "r", 1);
    assert_eq!((build.class, build.first_failed_task.as_deref()), (Some(FailureClass::Error), Some("build")));
}

#[test]
fn a_task_that_a_gate_held_back_did_not_queue_meanwhile() {
    let gate = Gate::new(GateId::new("g"), "board".into());
    let about = References { run: Some(RunId::new("r")), ..References::default() };
    let requested = GateRequested { requested_at: Some(minute(2)), ..GateRequested::new(gate.clone(), about.clone()) };
    let decided = GateDecided { decided_at: Some(minute(50)), ..GateDecided::new(gate, about, Decision::Approved) };
    let held = play(vec![
        run("r", 1, 1, [0, 60], Outcome::Failure).into(),
        job("r", 1, "deploy", [2, 53, 60], Outcome::Failure).into(),
        requested.into(),
        decided.into(),
    ]);
    assert_eq!(failure(&held, "r/deploy/1").queue, minutes(3));
}

#[test]
fn the_first_failure_of_a_streak_has_the_time_to_green() {
    let on = |id: &str, n, ended, outcome| -> Body { run(id, 1, n, [ended - 5, ended], outcome).into() };
    let mut history = vec![
        on("a", 1, 10, Outcome::Success),
        on("b", 2, 20, Outcome::Failure),
        on("c", 3, 30, Outcome::Timeout),
        // Neither passed nor failed.
        on("d", 4, 40, Outcome::Cancelled),
        on("e", 5, 50, Outcome::Success),
        on("f", 6, 60, Outcome::Failure),
        // The same pipeline elsewhere.
        PipelineRun { ref_name: Some("topic".into()), ..run("x", 1, 7, [20, 25], Outcome::Success) }.into(),
        PipelineRun { trigger: Trigger::Change, ..run("y", 1, 8, [20, 26], Outcome::Success) }.into(),
        PipelineRun { definition: Some("other.yml".into()), ..run("z", 1, 9, [20, 27], Outcome::Success) }.into(),
        PipelineRun { ref_name: None, ..run("w", 1, 10, [20, 28], Outcome::Failure) }.into(),
    ];
    let green = |of: &Run, id| (build(of, id, 1).green_at, build(of, id, 1).time_to_green);
    let before = play(history.clone());
    assert_eq!(green(&before, "b"), (Some(minute(50)), minutes(30)));
    for id in ["a", "c", "d", "e", "f", "w"] {
        assert_eq!(green(&before, id), (None, None), "{id}");
    }
    // A success in the middle is told late: the streak falls into two.
    history.push(on("m", 11, 25, Outcome::Success));
    // And the last failure passes when it is tried again.
    history.push(run("f", 2, 6, [70, 75], Outcome::Success).into());
    let after = play(history);
    assert_eq!(green(&after, "b"), (Some(minute(25)), minutes(5)));
    assert_eq!(green(&after, "c"), (Some(minute(50)), minutes(20)));
    assert_eq!(green(&after, "f"), (Some(minute(75)), minutes(15)));
    assert_eq!(build(&after, "f", 1).class, Some(FailureClass::Flaky));
}

/// A pipeline with a build, a test, and a job that waits for a click and then deploys.
fn by_click() -> Vec<Body> {
    let mut click = job("r", 1, "deploy", [60, 61, 70], Outcome::Success);
    (click.manual, click.started_by, click.environment) = (true, human(), Some("production".into()));
    let mut made = deployment("d", "production", 1, 70);
    (made.run, made.job) = (Some(RunId::new("r")), Some(click.task.clone()));
    vec![
        run("r", 1, 1, [0, 70], Outcome::Success).into(),
        job("r", 1, "build", [0, 1, 10], Outcome::Success).into(),
        job("r", 1, "test", [0, 11, 25], Outcome::Success).into(),
        click.into(),
        made.into(),
    ]
}

#[test]
fn a_job_waits_for_a_click_from_when_everything_before_it_had_ended() {
    let clicked = step(&play(by_click()));
    assert_eq!(
        (clicked.kind, clicked.step.as_str(), clicked.name.as_str()),
        (ManualStepKind::ManualJob, "r/deploy/1", "deploy")
    );
    assert_eq!((clicked.at, clicked.possible_from, clicked.wait), (minute(60), Some(minute(25)), minutes(35)));
    assert_eq!((clicked.finished_at, clicked.duration), (Some(minute(70)), minutes(10)));
    assert_eq!((clicked.version, clicked.commit), (Some(Version::new(sha(1).as_str())), Some(sha(1))));
    assert_eq!((clicked.environment, clicked.run), (Some("production".into()), Some(RunId::new("r"))));
    assert_eq!(clicked.evidence, ["test/d3/0"]);
    // It needs the build alone, and could have been started then.
    let mut history = by_click();
    let mut needs = job("r", 1, "deploy", [60, 61, 70], Outcome::Success);
    needs.needs = vec!["build".into()];
    history.push(needs.into());
    assert_eq!(step(&play(history)).possible_from, Some(minute(10)));
}

#[test]
fn a_job_and_the_gate_before_it_are_one_click() {
    let gate = Gate { kind: GateKind::ManualJob, ..Gate::new(GateId::new("g"), "deploy".into()) };
    let decided = |about: References| -> Body {
        let decided = GateDecided::new(gate.clone(), about, Decision::Approved);
        GateDecided { decided_at: Some(minute(58)), decided_by: human(), ..decided }.into()
    };
    let by_name = References { run: Some(RunId::new("r")), ..References::default() };
    let by_id = References { task: Some(TaskId::new("r/deploy/1")), ..References::default() };
    for about in [by_name.clone(), by_id] {
        let mut history = by_click();
        history.push(decided(about));
        let clicked = step(&play(history));
        // The gate knows when it was opened; the job, when a runner was asked for.
        assert_eq!((clicked.step.as_str(), clicked.at, clicked.wait), ("r/deploy/1", minute(58), minutes(33)));
        assert_eq!(clicked.evidence, ["test/d3/0", "test/d5/0"]);
    }
    // Nobody tells of the job.
    let mut history = by_click();
    history.remove(3);
    history.push(decided(by_name));
    let clicked = step(&play(history));
    assert_eq!((clicked.step.as_str(), clicked.name.as_str(), clicked.wait), ("g", "deploy", minutes(33)));
}

#[test]
fn what_a_machine_starts_is_no_manual_step() {
    let mut history = by_click();
    let mut click = job("r", 1, "deploy", [60, 61, 70], Outcome::Success);
    (click.manual, click.started_by) = (true, Actor { key: None, kind: ActorKind::Machine });
    history.push(click.into());
    assert_eq!(steps(&play(history)), []);
}

#[test]
fn a_run_by_hand_waits_from_when_its_commit_had_passed() {
    let dispatched = |n| -> Body {
        let run = run("deliver", 1, n, [100, 110], Outcome::Success);
        PipelineRun { trigger: Trigger::Manual, triggered_by: human(), pipeline: "deliver".into(), ..run }.into()
    };
    let mut made = deployment("d", "production", 1, 110);
    made.run = Some(RunId::new("deliver"));
    let mut history = vec![
        dispatched(1),
        made.into(),
        run("ci", 1, 1, [0, 30], Outcome::Success).into(),
        // Ended after the click, or did not pass.
        run("late", 1, 1, [90, 105], Outcome::Success).into(),
        run("red", 1, 1, [30, 40], Outcome::Failure).into(),
    ];
    let step_of = step(&play(history.clone()));
    assert_eq!((step_of.kind, step_of.name.as_str()), (ManualStepKind::DispatchedRun, "deliver"));
    assert_eq!((step_of.at, step_of.possible_from, step_of.wait), (minute(100), Some(minute(30)), minutes(70)));
    assert_eq!((step_of.environment, step_of.duration), (Some("production".into()), minutes(10)));
    // Nothing ran before it: then from the merge on.
    history.remove(2);
    history.push(
        Change {
            merge_commit: Some(sha(1)),
            merged_at: Some(minute(20)),
            ..Change::new(repository(), "7".into(), ChangeAction::Merged, ChangeState::Merged)
        }
        .into(),
    );
    assert_eq!(step(&play(history)).wait, minutes(80));
    // It deployed nothing, and nothing of its commit is deployed.
    assert_eq!(steps(&play(vec![dispatched(2)])), []);
    assert_eq!(steps(&play(vec![dispatched(2), deployment("e", "staging", 2, 50).into()])).len(), 1);
}

#[test]
fn a_deployment_by_hand_waits_from_the_environment_before() {
    let mut by_hand = deployment("d", "production", 1, 110);
    (by_hand.triggered_by, by_hand.created_at) = (human(), Some(minute(100)));
    let mut history = vec![by_hand.clone().into(), run("ci", 1, 1, [0, 30], Outcome::Success).into()];
    let alone = step(&play(history.clone()));
    assert_eq!((alone.kind, alone.name.as_str()), (ManualStepKind::Deployment, "production"));
    assert_eq!((alone.possible_from, alone.wait, alone.duration), (Some(minute(30)), minutes(70), minutes(10)));
    history.push(deployment("s", "staging", 1, 50).into());
    assert_eq!(step(&play(history.clone())).wait, minutes(50));
    // A preview is no step of a release, and a run is not by hand.
    by_hand.run = Some(RunId::new("ci"));
    history.push(by_hand.clone().into());
    assert_eq!(steps(&play(history)), []);
    (by_hand.run, by_hand.transient) = (None, true);
    assert_eq!(steps(&play(vec![by_hand.into()])), []);
}

#[test]
fn a_step_that_a_person_names_is_a_row_of_its_own() {
    let named = |finished| -> Body {
        let release = ReleaseRef { component: "acme/shop".into(), version: Version::new(sha(1).as_str()) };
        ManualStepNamed {
            release,
            name: "sign-off".into(),
            started_at: minute(10),
            finished_at: minute(finished),
            named_by: human(),
        }
        .into()
    };
    let told = step(&play(vec![named(30), deployment("d", "production", 1, 50).into()]));
    assert_eq!((told.kind, told.name.as_str()), (ManualStepKind::Named, "sign-off"));
    assert_eq!((told.at, told.duration, told.wait), (minute(10), minutes(20), None));
    assert_eq!((told.step.as_str(), told.commit), ("test/d0/0", Some(sha(1))));
    // Said again with another end, it is the same step.
    let again = step(&play(vec![named(30), named(40)]));
    assert_eq!((again.duration, again.evidence.len()), (minutes(30), 2));
}
