//! Builds, and why they did not pass.

use model::fact::FailureClass;

use super::*;

/// The run is made at 1:00. Its lint is ready at 1:02, starts at 1:03 and is given up at 1:04, which does no harm. Its test is ready at
/// 1:02, runs from 1:05 to 1:15 and fails in its second step. The run ends at 1:16 and is tried again: the test runs from 1:21 to 1:31
/// and passes, the run ends at 1:32.
fn tried_twice() -> Vec<(i64, Body)> {
    let step = |number, name: &str, outcome| Step { outcome: Some(outcome), ..Step::new(number, name.to_owned()) };
    let lint =
        TaskRun { allowed_to_fail: true, ..worked("r", "lint", 1, [at(1, 2), at(1, 3), at(1, 4)], Outcome::Timeout) };
    let failed = TaskRun {
        steps: vec![
            step(1, "set up", Outcome::Success),
            step(2, "unit", Outcome::Failure),
            step(3, "report", Outcome::Failure),
        ],
        runner_group: Some("large".into()),
        ..worked("r", "test", 1, [at(1, 2), at(1, 5), at(1, 15)], Outcome::Failure)
    };
    let first = PipelineRun {
        created_at: time(1, 0),
        queued_at: None,
        ..ran("r", 1, 1, [0, at(1, 1), at(1, 16)], Outcome::Failure)
    };
    vec![
        (at(1, 4), lint.into()),
        (at(1, 15), failed.into()),
        (at(1, 16), first.into()),
        (at(1, 31), worked("r", "test", 2, [at(1, 20), at(1, 21), at(1, 31)], Outcome::Success).into()),
        (at(1, 32), ran("r", 1, 2, [at(1, 19), at(1, 20), at(1, 32)], Outcome::Success).into()),
    ]
}

#[test]
fn what_passes_the_second_time_was_flaky() {
    let tables = tables(tried_twice());
    let [first, second] = &rows!(tables, Build)[..] else { panic!("two attempts") };
    assert_eq!((first.attempt, first.outcome, first.class), (1, Some(Outcome::Failure), Some(FailureClass::Flaky)));
    // From 1:00 to the start of the lint, from there to 1:16.
    assert_eq!((first.queue, first.duration), (minutes(3), minutes(13)));
    assert_eq!((first.tasks, first.failed_tasks), (2, 2));
    // The lint ended first and is allowed to fail.
    assert_eq!((first.first_failed_task.as_deref(), first.first_failed_step.as_deref()), (Some("test"), Some("unit")));
    // From 1:16 to 1:32.
    assert_eq!((first.green_at, first.time_to_green), (time(1, 32), minutes(16)));
    assert_eq!((second.attempt, second.outcome, second.class), (2, Some(Outcome::Success), None));
    // From 1:19 to the start of the test, from there to 1:32.
    assert_eq!((second.queue, second.duration), (minutes(2), minutes(11)));
    assert_eq!((second.tasks, second.failed_tasks, second.green_at), (1, 0, None));
}

#[test]
fn each_task_that_failed_says_why() {
    let tables = tables(tried_twice());
    let [lint, test] = &rows!(tables, BuildFailure)[..] else { panic!("the attempt has no row beside its test") };
    assert_eq!((lint.name.as_str(), lint.class, lint.allowed_to_fail), ("lint", FailureClass::Timeout, true));
    assert_eq!((lint.at, lint.queue, lint.duration), (Timestamp(at(1, 4)), minutes(1), minutes(1)));
    assert_eq!((lint.step.as_deref(), lint.passed_attempt), (None, None));
    assert_eq!((test.name.as_str(), test.class, test.allowed_to_fail), ("test", FailureClass::Flaky, false));
    assert_eq!((test.at, test.queue, test.duration), (Timestamp(at(1, 15)), minutes(3), minutes(10)));
    assert_eq!((test.step.as_deref(), test.passed_attempt), (Some("unit"), Some(2)));
    assert_eq!((test.commit.clone(), test.runner_group.as_deref()), (Some(sha(1)), Some("large")));
}

/// Ready at 2:00, begun at 2:10, stopped at 2:30; of no task is anything known.
#[test]
fn a_run_without_tasks_speaks_for_itself() {
    let tables = tables(vec![(at(2, 30), ran("x", 1, 1, [at(2, 0), at(2, 10), at(2, 30)], Outcome::Cancelled).into())]);
    let [row] = &rows!(tables, BuildFailure)[..] else { panic!("one row") };
    assert_eq!((row.component.as_str(), row.attempt, row.task.as_str()), ("acme/shop", 1, ""));
    assert_eq!((row.class, row.at), (FailureClass::Cancelled, Timestamp(at(2, 30))));
    assert_eq!((row.queue, row.duration, row.passed_attempt), (minutes(10), minutes(20), None));
}
