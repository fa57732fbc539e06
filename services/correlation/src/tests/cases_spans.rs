//! Where time went, with figures worked out by hand.

use model::event::*;
use model::fact::{Fact, ReleaseCommitFact};
use model::{ChangeId, Environment, Millis, Timestamp};

use super::Run;
use super::cases::{
    HOUR, MINUTE, commit, line, play, pushed, release, repository, run_of, sha, squashed, state, success, task,
};

type History = Vec<(i64, Body)>;

const fn at(hours: i64, minutes: i64) -> i64 {
    hours * HOUR + minutes * MINUTE
}

const fn minutes(n: i64) -> Option<Millis> {
    Some(Millis(n * MINUTE))
}

fn row(run: &Run, environment: &str, n: u8) -> ReleaseCommitFact {
    let found = run.tables.0.values().find_map(|fact| match fact {
        Fact::ReleaseCommit(row) if row.commit == sha(n) && row.environment == Environment::new(environment) => {
            Some(row.clone())
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no row of {n} in {environment}"))
}

/// Commit 2, written at 1:00, is pushed at 2:00; commit 3, written at 2:30, at 3:00, and released. Its run is made at 3:10, queues
/// until 3:20 and builds until 3:50; staging is deployed from 4:00 to 4:10, production from 5:00 to 5:30.
fn train() -> History {
    let deployed = |id: &str, environment: &str, from: i64, to: i64| {
        let mut done = state(id, environment, 3, Phase::Finished, Some(Outcome::Success));
        (done.created_at, done.started_at) = (Some(Timestamp(from)), Some(Timestamp(from)));
        (to, done.into())
    };
    vec![
        (0, pushed("main", None, &[(1, 0)])),
        (at(0, 30), success("a", 1)),
        (at(2, 0), pushed("main", Some(1), &[(2, at(1, 0))])),
        (at(3, 0), pushed("main", Some(2), &[(3, at(2, 30))])),
        (at(3, 10), run_of("r", 3, at(3, 10))),
        (at(3, 50), task("build", "r", [at(3, 10), at(3, 20), at(3, 50)])),
        deployed("s", "staging", at(4, 0), at(4, 10)),
        deployed("p", "production", at(5, 0), at(5, 30)),
    ]
}

/// Worked from `from` to `to` on Mondays to Fridays; the histories are of a Thursday.
fn worked(from: i64, to: i64) -> (i64, Body) {
    let minute = |at: i64| i32::try_from(at / MINUTE).unwrap();
    let calendar = CatalogCalendar {
        calendar: "office".into(),
        zone: "UTC".into(),
        work_days: Vec::new(),
        day_starts: minute(from),
        day_ends: minute(to),
        holidays: Vec::new(),
    };
    (0, Catalog { revision: 1, calendars: vec![calendar], ..Catalog::default() }.into())
}

#[test]
fn each_commit_of_a_release_joins_its_way_at_the_merge() {
    let run = play(train());
    let early = row(&run, "production", 2);
    assert_eq!((early.lead_time, early.clock_correction), (minutes(270), minutes(0)));
    assert_eq!((early.coding, early.review), (minutes(60), minutes(0)), "written at 1:00, pushed at 2:00");
    assert_eq!(early.batch_wait, minutes(70), "2:00 to 3:00 for commit 3, 3:50 to 4:00 for the release");
    assert_eq!((early.merge_to_build, early.queue, early.build_and_test), (minutes(10), minutes(10), minutes(30)));
    assert_eq!((early.deploy, early.hand_off), (minutes(40), minutes(50)), "4:00 to 4:10 and 5:00 to 5:30; in between");
    assert_eq!((early.gate_wait, early.unaccounted), (minutes(0), minutes(0)));
    let late = row(&run, "production", 3);
    assert_eq!((late.lead_time, late.coding, late.batch_wait), (minutes(180), minutes(30), minutes(10)));
    assert_eq!((late.merge_to_build, late.deploy, late.hand_off), (minutes(10), minutes(40), minutes(50)));
    assert_eq!(early.lead_time_working, None, "without a calendar");
}

#[test]
fn working_time_has_the_same_cuts() {
    let run = play([train(), vec![worked(at(1, 30), at(4, 5))]].concat());
    let early = row(&run, "production", 2);
    assert_eq!(early.lead_time_working, minutes(155), "1:30 to 4:05");
    assert_eq!((early.coding_working, early.batch_wait_working), (minutes(30), minutes(70)));
    assert_eq!((early.merge_to_build_working, early.queue_working), (minutes(10), minutes(10)));
    assert_eq!((early.build_and_test_working, early.deploy_working), (minutes(30), minutes(5)));
    assert_eq!((early.hand_off_working, early.review_working), (minutes(0), minutes(0)));
    // Of 180 and 270 minutes the lower median.
    let release = release(&run, 3);
    assert_eq!((release.lead_time, release.lead_time_working), (minutes(180), minutes(95)));
    assert_eq!((release.coding_working, release.batch_wait_working), (minutes(30), minutes(10)));
}

#[test]
fn only_the_way_to_production_is_split() {
    let mut history = train();
    history.push((0, state("e", "eu", 1, Phase::Finished, Some(Outcome::Success)).into()));
    history.push((at(6, 0), state("q", "eu", 3, Phase::Finished, Some(Outcome::Success)).into()));
    let production = |name: &str| CatalogEnvironment {
        environment: Environment::new(name),
        aliases: Vec::new(),
        tier: Tier::Production,
    };
    let environments = vec![production("eu"), production("production")];
    history.push((0, Catalog { revision: 1, environments, ..Catalog::default() }.into()));
    let run = play(history);
    assert_eq!(row(&run, "production", 2).coding, minutes(60));
    assert_eq!((row(&run, "eu", 2).lead_time, row(&run, "eu", 2).coding), (minutes(300), None), "it came there later");
    assert_eq!((row(&run, "staging", 2).coding, row(&run, "production", 1).coding), (None, None));
}

#[test]
fn a_late_task_moves_the_time_of_every_commit() {
    let mut history = train();
    history.push((at(6, 0), task("test", "r", [at(4, 10), at(4, 20), at(4, 50)])));
    let run = play(history);
    for n in [2, 3] {
        let row = row(&run, "production", n);
        assert_eq!((row.hand_off, row.queue, row.build_and_test), (minutes(10), minutes(20), minutes(60)));
    }
}

#[test]
fn where_clocks_disagree_no_working_time_is_left() {
    let mut history = line();
    history.extend([
        (at(10, 0), success("a", 1)),
        (at(11, 0), commit(9, &[1], at(12, 0))),
        (at(11, 0), success("b", 9)),
        worked(0, at(24, 0)),
    ]);
    let run = play(history);
    let row = row(&run, "production", 9);
    assert_eq!((row.lead_time, row.clock_correction, row.coding), (minutes(-60), minutes(-60), minutes(0)));
    assert_eq!((row.lead_time_working, row.coding_working), (minutes(0), minutes(0)));
}

fn reviewed(id: &str, state: ReviewState, by: &str, kind: ActorKind, at: i64) -> (i64, Body) {
    let review = ChangeReview::new(repository(), ChangeId::new("7"), id.to_owned(), state);
    let reviewer = Actor { key: Some(by.to_owned()), kind };
    (at, ChangeReview { reviewer, submitted_at: Some(Timestamp(at)), ..review }.into())
}

/// Change 7 is open from 3:00 to 5:00.
#[test]
fn a_review_is_picked_up_approved_and_merged() {
    let parts = |reviews: History| {
        let mut change = Change::new(repository(), ChangeId::new("7"), ChangeAction::Updated, ChangeState::Open);
        change.author = Actor { key: Some("author".into()), kind: ActorKind::Human };
        let release = release(&play([squashed(), vec![(at(3, 0), change.into())], reviews].concat()), 9);
        assert_eq!(release.review, minutes(120));
        (release.review_pickup, release.review_approval, release.review_merge)
    };
    let human = ActorKind::Human;
    assert_eq!(parts(vec![]), (None, None, None));
    let looked = vec![
        reviewed("1", ReviewState::Commented, "bot", ActorKind::Machine, at(3, 5)),
        reviewed("2", ReviewState::Commented, "author", human, at(3, 10)),
        reviewed("3", ReviewState::ChangesRequested, "b", human, at(3, 30)),
    ];
    assert_eq!(parts(looked.clone()), (minutes(30), None, minutes(90)), "nobody approved");
    let approved = vec![
        reviewed("4", ReviewState::Approved, "b", human, at(4, 0)),
        reviewed("5", ReviewState::Approved, "c", human, at(4, 30)),
        reviewed("6", ReviewState::Approved, "d", human, at(5, 30)),
    ];
    let approved = [looked, approved].concat();
    assert_eq!(parts(approved.clone()), (minutes(30), minutes(60), minutes(30)), "the last one came after the merge");
    let dismissed = reviewed("5", ReviewState::Dismissed, "c", human, at(4, 30));
    assert_eq!(parts([approved, vec![dismissed]].concat()), (minutes(30), minutes(30), minutes(60)));
}
