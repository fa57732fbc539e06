//! What a person had to start.

use model::fact::ManualStepKind;

use super::*;

/// Commit 1 is built from 1:05 to 1:30. Its job `migrate` needs that, is clicked at 3:30, starts at 3:31 and ends at 3:45; the run ends
/// at 3:46. At 5:00 somebody starts another run on it, which ends at 5:20 and has brought it to staging at 5:15. At 7:00 somebody deploys
/// it to production, which takes until 7:10, and writes the release notes from 8:00 to 8:25.
fn by_hand() -> Vec<(i64, Body)> {
    let click = TaskRun {
        needs: vec!["build".into()],
        manual: true,
        started_by: person("ann"),
        ..worked("r", "migrate", 1, [at(3, 30), at(3, 31), at(3, 45)], Outcome::Success)
    };
    let started = PipelineRun {
        trigger: Trigger::Manual,
        triggered_by: person("ann"),
        created_at: time(5, 0),
        ..ran("m", 1, 1, [at(5, 0), at(5, 1), at(5, 20)], Outcome::Success)
    };
    let staged = Deployment { environment: "staging".into(), run: Some("m".into()), ..deployed("s", 1) };
    let made = Deployment { triggered_by: person("bob"), created_at: time(7, 0), ..deployed("p", 1) };
    let notes = ManualStepNamed {
        release: ReleaseRef { component: "acme/shop".into(), version: version(1) },
        name: "release notes".into(),
        started_at: Timestamp(at(8, 0)),
        finished_at: Timestamp(at(8, 25)),
        named_by: person("bob"),
    };
    vec![
        (at(1, 30), worked("r", "build", 1, [at(1, 4), at(1, 5), at(1, 30)], Outcome::Success).into()),
        (at(3, 45), click.into()),
        (at(3, 46), ran("r", 1, 1, [at(1, 0), at(1, 1), at(3, 46)], Outcome::Success).into()),
        (at(5, 15), staged.into()),
        (at(5, 20), started.into()),
        (at(7, 10), made.into()),
        (at(9, 0), notes.into()),
    ]
}

#[test]
fn a_step_waits_from_when_it_could_have_begun() {
    let tables = tables(by_hand());
    let rows = rows!(tables, ManualStep);
    let of = |kind| rows.iter().find(|row| row.kind == kind).unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.component.as_str() == "acme/shop" && row.version == Some(version(1))));
    let job = of(ManualStepKind::ManualJob);
    // From the end of the build to the click, from there to the end.
    assert_eq!((job.name.as_str(), job.at, job.possible_from), ("migrate", Timestamp(at(3, 30)), time(1, 30)));
    assert_eq!((job.wait, job.duration, job.run.clone()), (minutes(120), minutes(15), Some("r".into())));
    let run = of(ManualStepKind::DispatchedRun);
    // From the success of the run before.
    assert_eq!((run.name.as_str(), run.at, run.possible_from), ("deliver", Timestamp(at(5, 0)), time(3, 46)));
    assert_eq!((run.wait, run.duration), (minutes(74), minutes(20)));
    let deployment = of(ManualStepKind::Deployment);
    // From the success in staging.
    assert_eq!((deployment.at, deployment.possible_from), (Timestamp(at(7, 0)), time(5, 15)));
    assert_eq!((deployment.wait, deployment.duration), (minutes(105), minutes(10)));
    assert_eq!(deployment.environment, Some("production".into()));
    let named = of(ManualStepKind::Named);
    assert_eq!((named.name.as_str(), named.at), ("release notes", Timestamp(at(8, 0))));
    assert_eq!((named.possible_from, named.wait, named.duration), (None, None, minutes(25)));
    assert_eq!(named.commit, Some(sha(1)));
}
