//! Gates that passed without a look, and gates that caught something.

use model::GateId;
use model::fact::{GateOutcome, GateWaitFact, Hollow};

use super::*;

fn asked(id: &str, about: &References) -> Body {
    GateRequested::new(Gate::new(GateId::new(id), "board".into()), about.clone()).into()
}

fn decided(id: &str, about: &References, decision: Decision, by: Actor) -> GateDecided {
    let gate = Gate::new(GateId::new(id), "board".into());
    GateDecided { decided_by: by, ..GateDecided::new(gate, about.clone(), decision) }
}

fn commit(n: u8) -> References {
    References { commit: Some(sha(n)), repository: Some(repository()), ..References::default() }
}

/// A commit that ann wrote at an hour.
fn written(n: u8, hour: i64) -> (i64, Body) {
    let info = CommitInfo { authored_at: time(hour, 0), author: person("ann"), ..CommitInfo::new(sha(n)) };
    (at(hour, 0), Commits { repository: repository(), commits: vec![info] }.into())
}

fn gate(rows: &[GateWaitFact], id: &str) -> GateWaitFact {
    rows.iter().find(|row| row.gate.as_str() == id).unwrap().clone()
}

/// Commit 2 is scanned from 4:50 to 5:30. The board is asked at 5:00; eight seconds later ann, who wrote it, approves, having looked at
/// commit 1. Commit 2 is deployed at 6:00.
#[test]
fn who_approves_her_own_commit_at_once_has_checked_nothing() {
    let scan = TaskRun {
        run: None,
        commit: Some(sha(2)),
        ..worked("-", "scan", 1, [at(4, 50), at(4, 50), at(5, 30)], Outcome::Success)
    };
    let approved = GateDecided { commit: Some(sha(1)), ..decided("g", &commit(2), Decision::Approved, person("ann")) };
    let tables = tables(vec![
        written(1, 1),
        written(2, 2),
        (at(5, 0), asked("g", &commit(2))),
        (at(5, 0) + 8_000, approved.into()),
        (at(5, 30), scan.into()),
        (at(6, 0), deployed("p", 2).into()),
    ]);
    let row = gate(&rows!(tables, GateWait), "g");
    assert_eq!((row.outcome, row.decided_by, row.by_author), (GateOutcome::Approved, ActorKind::Human, Some(true)));
    assert_eq!((row.wait, row.commit, row.decided_commit), (Some(Millis(8_000)), Some(sha(2)), Some(sha(1))));
    assert_eq!(row.hollow, [Hollow::OtherCommit, Hollow::BeforeChecks, Hollow::ByAuthor, Hollow::WithinSeconds]);
    assert_eq!((row.caught, row.version), (Some(false), Some(version(2))));
}

/// The only test of the run is left out at 4:00. The check is asked at 4:30 and a machine approves at 5:00.
#[test]
fn a_check_that_ran_no_test_is_hollow() {
    let about = References { run: Some("r".into()), ..References::default() };
    let check = Gate { kind: GateKind::Check, ..Gate::new(GateId::new("g"), "quality".into()) };
    let by = Actor { key: None, kind: ActorKind::Machine };
    let approved = GateDecided { decided_by: by, ..GateDecided::new(check.clone(), about.clone(), Decision::Approved) };
    let tables = tables(vec![
        (at(4, 0), worked("r", "test", 1, [at(4, 0), at(4, 0), at(4, 0)], Outcome::Skipped).into()),
        (at(4, 10), ran("r", 1, 1, [at(3, 50), at(3, 55), at(4, 10)], Outcome::Success).into()),
        (at(4, 30), GateRequested::new(check, about).into()),
        (at(5, 0), approved.into()),
    ]);
    let row = gate(&rows!(tables, GateWait), "g");
    assert_eq!((row.hollow, row.wait, row.by_author), (vec![Hollow::NoTests], minutes(30), None));
}

/// The board rejects commit 2 at 10:00 and approves commit 3, written after it, at 12:00. It rejects commit 4 at 14:00 and approves the
/// same at 15:00. Of commit 5 nothing is decided yet.
#[test]
fn what_is_rejected_and_then_changed_was_caught() {
    let mut told = vec![written(2, 2), written(3, 11), written(4, 13), written(5, 16)];
    for (id, n, from, until, decision) in [
        ("two", 2, 9, 10, Decision::Rejected),
        ("three", 3, 11, 12, Decision::Approved),
        ("four", 4, 13, 14, Decision::Rejected),
        ("again", 4, 14, 15, Decision::Approved),
    ] {
        told.push((at(from, 30), asked(id, &commit(n))));
        told.push((at(until, 0), decided(id, &commit(n), decision, person("bob")).into()));
    }
    told.push((at(16, 30), asked("five", &commit(5))));
    let rows = rows!(tables(told), GateWait);
    assert_eq!((gate(&rows, "two").caught, gate(&rows, "two").wait), (Some(true), minutes(30)));
    assert_eq!(gate(&rows, "three").caught, Some(false));
    // It was the gate that changed its mind.
    assert_eq!((gate(&rows, "four").caught, gate(&rows, "again").caught), (Some(false), Some(false)));
    assert_eq!((gate(&rows, "five").caught, gate(&rows, "five").wait), (None, None));
    assert!(rows.iter().all(|row| row.hollow.is_empty() && row.by_author != Some(true)));
}
