//! Releases: what they ship and where their time went.

use model::event::*;
use model::fact::{DeploymentKind, Fact};
use model::{ChangeId, GateId, Millis, RunId, TaskId, Timestamp};

use super::*;

/// 2 and 3 are written at 1:00 and 2:00, their change is opened at 3:00 and squashed into 9 at 5:00. The run is made at 5:10, its job
/// waits until 5:20 and builds until 5:50; a gate is closed from 5:30 to 7:30; the deployment begins at 7:40 and ends at 8:00.
#[test]
fn the_time_of_a_squash_behind_a_gate() {
    let merged = Change {
        source_branch: Some("topic".into()),
        head: Some(sha(3)),
        merge_commit: Some(sha(9)),
        created_at: time(3, 0),
        ..Change::new(repository(), ChangeId::new("7"), ChangeAction::Merged, ChangeState::Merged)
    };
    let run = PipelineRun {
        repository: Some(repository()),
        commit: Some(sha(9)),
        created_at: time(5, 10),
        ..PipelineRun::new(RunId::new("r"), 1, "deliver".into(), Phase::Running)
    };
    let job = TaskRun {
        run: Some(RunId::new("r")),
        queued_at: time(5, 10),
        started_at: time(5, 20),
        outcome: Some(Outcome::Success),
        ..TaskRun::new(TaskId::new("t"), 1, "build".into(), TaskKind::Job, Phase::Finished)
    };
    let gate = Gate::new(GateId::new("g"), "board".into());
    let about = References { run: Some(RunId::new("r")), ..References::default() };
    let row = release(
        &tables(vec![
            (0, pushed("main", None, &[(1, 0)])),
            (at(1, 0), deployed("a", 1).into()),
            (at(2, 0), pushed("topic", None, &[(2, HOUR), (3, 2 * HOUR)])),
            (at(5, 0), merged.into()),
            (at(5, 0), pushed("main", Some(1), &[(9, 5 * HOUR)])),
            (at(5, 10), run.into()),
            (at(5, 30), GateRequested::new(gate.clone(), about.clone()).into()),
            (at(5, 50), job.into()),
            (at(7, 30), GateDecided::new(gate, about, Decision::Approved).into()),
            (at(8, 0), Deployment { started_at: time(7, 40), ..deployed("b", 9) }.into()),
        ]),
        9,
    );
    assert_eq!((row.commits, row.commits_complete), (1, true));
    assert_eq!((row.lead_time, row.merge_to_production), (minutes(420), minutes(180)));
    assert_eq!((row.coding, row.review, row.merge_to_build), (minutes(120), minutes(120), minutes(10)));
    assert_eq!((row.queue, row.build_and_test, row.gate_wait), (minutes(10), minutes(30), minutes(100)));
    assert_eq!((row.deploy, row.hand_off, row.batch_wait), (minutes(20), minutes(0), minutes(10)));
    // Built, and from the decision to the deployment nothing held it back.
    assert_eq!((row.unaccounted, row.clock_correction), (minutes(0), minutes(0)));
}

#[test]
fn a_rollback_moves_no_commit() {
    let line = |n: u8| {
        let info = CommitInfo {
            parents: Some((n > 1).then(|| sha(n - 1)).into_iter().collect()),
            authored_at: Some(Timestamp(i64::from(n) * HOUR)),
            ..CommitInfo::new(sha(n))
        };
        (0, Commits { repository: repository(), commits: vec![info] }.into())
    };
    let mut told: Vec<(i64, Body)> = (1..=3).map(line).collect();
    let deployments = [("a", 1), ("b", 2), ("c", 1), ("d", 2), ("e", 3)];
    told.extend((10i64..).zip(deployments).map(|(hour, (id, n))| (hour * HOUR, deployed(id, n).into())));
    let tables = tables(told);
    let kinds = tables.0.values().filter_map(|fact| match fact {
        Fact::Deployment(row) => Some(row.kind),
        _ => None,
    });
    use DeploymentKind::{Baseline, Forward, Redeploy, Rollback};
    assert_eq!(kinds.collect::<Vec<_>>(), [Baseline, Forward, Rollback, Redeploy, Forward]);
    let row = release(&tables, 3);
    assert_eq!((row.commits, row.lead_time), (1, Some(Millis(11 * HOUR))));
    assert_eq!(release(&tables, 2).production_at, Some(Timestamp(11 * HOUR)));
}
