//! Working time.

use model::GateId;

use super::*;

/// 2024-03-29T00:00:00Z, a Friday. On Sunday the clock in Berlin is set from one hour ahead of UTC to two.
const FRIDAY: i64 = 1_711_670_400_000;

/// Office hours in Berlin are 9:00 to 17:00 from Monday to Friday, and Easter Monday is off.
fn office() -> Body {
    let calendar = CatalogCalendar {
        calendar: "office".into(),
        zone: "Europe/Berlin".into(),
        work_days: Vec::new(),
        day_starts: 9 * 60,
        day_ends: 17 * 60,
        holidays: vec!["2024-04-01".into()],
    };
    Catalog { revision: 1, calendars: vec![calendar], ..Catalog::default() }.into()
}

/// In Berlin, commit 2 is written on Friday at 15:00, merged at 16:30 and brought to staging at 16:50. A gate is closed from 17:00 to
/// Tuesday at 9:30; at 9:45 somebody makes the deployment to production, which ends at 10:00.
fn over_easter() -> Tables {
    let day = |day: i64, hours, minutes| FRIDAY + at(day * 24 + hours, minutes);
    let gate = Gate::new(GateId::new("g"), "board".into());
    let about = References { commit: Some(sha(2)), environment: Some("production".into()), ..References::default() };
    let staged = Deployment { environment: "staging".into(), ..deployed("s", 2) };
    let made_at = Some(Timestamp(day(4, 7, 45)));
    let made = Deployment { triggered_by: person("ann"), created_at: made_at, ..deployed("p", 2) };
    tables(vec![
        (day(0, 0, 0), office()),
        (day(0, 1, 0), pushed("main", None, &[(1, day(0, 0, 30))])),
        (day(0, 2, 0), deployed("a", 1).into()),
        (day(0, 15, 30), pushed("main", Some(1), &[(2, day(0, 14, 0))])),
        (day(0, 15, 50), staged.into()),
        (day(0, 16, 0), GateRequested::new(gate.clone(), about.clone()).into()),
        (day(4, 7, 30), GateDecided::new(gate, about, Decision::Approved).into()),
        (day(4, 8, 0), made.into()),
    ])
}

#[test]
fn a_weekend_and_a_holiday_are_no_time_to_work() {
    let row = release(&over_easter(), 2);
    // Three days and 18 hours by UTC. 15:00 to 17:00 on Friday, 9:00 to 10:00 on Tuesday.
    assert_eq!((row.lead_time, row.lead_time_working), (minutes(90 * 60), minutes(180)));
    // 15:00 to 16:30.
    assert_eq!((row.coding, row.coding_working), (minutes(90), minutes(90)));
    // 16:30 to 16:50: of no build is anything known.
    assert_eq!((row.unaccounted, row.unaccounted_working), (minutes(20), minutes(20)));
    // 16:50 to 17:00, and 9:30 to 9:45 on Tuesday.
    assert_eq!((row.hand_off, row.hand_off_working), (minutes(25), minutes(25)));
    // Three days and 15:30 hours by UTC; 9:00 to 9:30 on Tuesday.
    assert_eq!((row.gate_wait, row.gate_wait_working), (minutes(87 * 60 + 30), minutes(30)));
    assert_eq!((row.deploy, row.deploy_working), (minutes(15), minutes(15)));
    let none = [row.review, row.merge_to_build, row.queue, row.build_and_test, row.batch_wait];
    assert_eq!(none, [minutes(0); 5]);
    let none = [row.review_working, row.merge_to_build_working, row.queue_working, row.build_and_test_working];
    assert_eq!(none, [minutes(0); 4]);
    assert_eq!(row.clock_correction, minutes(0));
}

#[test]
fn a_wait_over_easter_is_short_in_working_time() {
    let tables = over_easter();
    let [gate] = &rows!(tables, GateWait)[..] else { panic!("one gate") };
    assert_eq!((gate.wait, gate.wait_working), (minutes(87 * 60 + 30), minutes(30)));
    let [step] = &rows!(tables, ManualStep)[..] else { panic!("one step") };
    // Friday at 16:50 to Tuesday at 9:45: ten minutes, and 45.
    assert_eq!((step.wait, step.wait_working), (minutes(87 * 60 + 55), minutes(55)));
    // As of its release: the commit's way is the same.
    let commits = rows!(tables, ReleaseCommit);
    let row = commits.iter().find(|row| row.commit == sha(2) && row.environment.as_str() == "production").unwrap();
    assert_eq!((row.lead_time_working, row.gate_wait_working), (minutes(180), minutes(30)));
    // What came to staging has no split, and neither has the baseline.
    let others = commits.iter().filter(|row| row.lead_time_working.is_none());
    assert_eq!(others.count(), commits.len() - 1);
}
