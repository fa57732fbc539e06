//! The correlation agrees with the oracle, over made-up histories that say everything there is to say.
#![allow(clippy::unwrap_used, reason = "a test program")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::Millis;
use model::event::Body;
use model::fact::{
    DeploymentKind, Fact, FailureClass, GateOutcome, Grade, Lineage, ManualStepKind, Origin, ReleaseKind,
};
use oracle::history::{events, history};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

#[test]
fn what_is_streamed_is_what_the_oracle_says() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500);
    let tally = oracle::play::run(cases, 1, &|_| ());
    let found: Vec<String> = tally.found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    assert_eq!(tally.cases, cases);
}

/// What the two were to share would be wrong in both.
#[test]
fn only_the_play_knows_the_correlation() {
    fn naming(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
        let mut naming: Vec<PathBuf> = folders.iter().flat_map(|folder| naming(folder)).collect();
        let names_it = |path: &PathBuf| std::fs::read_to_string(path).unwrap().contains("correlation::");
        naming.extend(files.into_iter().filter(names_it));
        naming
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(naming(&source), [source.join("play/stream.rs")]);
}

/// The segments of a row in wall and in working time, and the whole.
macro_rules! segments {
    ($row:ident) => {
        [
            ("coding", $row.coding, $row.coding_working),
            ("review", $row.review, $row.review_working),
            ("merge_to_build", $row.merge_to_build, $row.merge_to_build_working),
            ("queue", $row.queue, $row.queue_working),
            ("build_and_test", $row.build_and_test, $row.build_and_test_working),
            ("gate_wait", $row.gate_wait, $row.gate_wait_working),
            ("batch_wait", $row.batch_wait, $row.batch_wait_working),
            ("hand_off", $row.hand_off, $row.hand_off_working),
            ("deploy", $row.deploy, $row.deploy_working),
            ("unaccounted", $row.unaccounted, $row.unaccounted_working),
            ("lead_time", $row.lead_time, $row.lead_time_working),
        ]
    };
}

/// How much of a time is working time.
fn part(of: &str, wall: Option<Millis>, working: Option<Millis>) -> String {
    let how = match wall.zip(working) {
        None => "not told",
        Some((wall, _)) if wall <= Millis(0) => "nothing of nothing",
        Some((_, Millis(0))) => "none",
        Some((wall, working)) if working == wall => "all",
        Some(_) => "a part",
    };
    format!("{of} in working time: {how}")
}

/// What the rows of a table say, in short: where a history never leads there, no test has seen it.
fn said(fact: &Fact) -> Vec<String> {
    match fact {
        Fact::Release(row) => {
            let segments = segments!(row);
            let some = segments.iter().filter(|(_, took, _)| took.is_some_and(|took| took.0 > 0));
            let corrected = row.clock_correction.is_some_and(|correction| correction.0 != 0);
            some.map(|(name, ..)| (*name).to_owned())
                .chain(segments.iter().map(|(name, wall, working)| part(name, *wall, *working)))
                .chain([format!("{:?}", row.kind), format!("complete {}", row.commits_complete)])
                .chain(corrected.then(|| "clock_correction".to_owned()))
                .chain([
                    format!("failed {}", row.failed),
                    format!("rework {}", row.rework),
                    format!("excluded {}", row.excluded),
                ])
                .chain([
                    format!("recovered {}", row.recovery.is_some()),
                    format!("approval {}", row.review_approval.is_some()),
                ])
                .collect()
        }
        Fact::Deployment(row) => vec![
            format!("deployment {:?}", row.kind),
            format!("deployment {:?}", row.outcome),
            format!("marker {:?}", row.marker),
            format!("staged {}", row.partial_at.is_some()),
            format!("replaced {}", row.replaced.is_some()),
        ],
        Fact::ReleaseCommit(row) => vec![
            format!("{:?}", row.lineage),
            format!("change {}", row.change.is_some()),
            format!("origin {:?}", row.origin),
            format!("picked {}", row.picked_from.is_some()),
            format!("reverts {}", row.reverts.is_some()),
            format!("reverted {}", row.reverted_by.is_some()),
            format!("split {}", row.coding.is_some()),
        ]
        .into_iter()
        .chain(segments!(row).map(|(name, wall, working)| part(&format!("commit's {name}"), wall, working)))
        .collect(),
        Fact::GateWait(row) => row
            .hollow
            .iter()
            .map(|reason| format!("hollow {reason:?}"))
            .chain([format!("gate {:?}", row.outcome), format!("waited {}", row.wait.is_some())])
            .chain([format!("caught {}", row.caught == Some(true)), format!("handed_on {}", row.delegations > 0)])
            .chain([part("wait at a gate", row.wait, row.wait_working)])
            .collect(),
        Fact::Build(row) => {
            vec![
                format!("build {:?}", row.outcome),
                format!("step {}", row.first_failed_step.is_some()),
                format!("green {}", row.green_at.is_some()),
            ]
        }
        Fact::Component(row) => {
            vec![format!("declared {}", row.declared), format!("acknowledged {}", !row.acknowledged.is_empty())]
        }
        Fact::BuildFailure(row) => {
            vec![format!("class {:?}", row.class), format!("passed {}", row.passed_attempt.is_some())]
        }
        Fact::ManualStep(row) => {
            vec![format!("manual {:?}", row.kind), part("wait for a step", row.wait, row.wait_working)]
        }
        Fact::Incident(row) => vec![format!("incident {:?}", row.state), format!("grade {:?}", row.grade)],
        Fact::IncidentAttribution(row) => vec![format!("alone {}", row.candidates == 1)],
        Fact::RollupHourly(_) => Vec::new(),
        Fact::RollupDaily(row) => {
            vec![format!("rolled up of {}", row.kind), format!("several in a day {}", row.lead_times.len() > 1)]
        }
    }
}

#[test]
fn histories_say_everything() {
    let mut runner = TestRunner::deterministic();
    let (mut kinds, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..3000 {
        let told = events(&history().new_tree(&mut runner).unwrap().current());
        kinds.extend(told.iter().map(|event| event.body.kind()));
        seen.extend(oracle::tables(&told, &"default".into()).0.values().flat_map(said));
    }
    let never: Vec<&&str> = Body::KINDS.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(never.is_empty(), "never told: {never:?}");
    use {
        DeploymentKind as D, FailureClass as C, GateOutcome as G, Grade, Lineage as L, Origin as O, ReleaseKind as R,
    };
    let shipping = [R::Regular, R::Hotfix, R::Configuration, R::Dependencies].map(|kind| format!("{kind:?}"));
    let expected = [R::Baseline, R::Rollback, R::Redeploy, R::Unfinished].map(|kind| format!("{kind:?}"));
    let mut expected: Vec<String> = expected.to_vec();
    let deployments = [D::Baseline, D::Forward, D::Rollback, D::Redeploy, D::Unresolved, D::None];
    expected.extend(deployments.map(|kind| format!("deployment {kind:?}")));
    let outcomes = [G::Open, G::Approved, G::Rejected, G::Expired, G::Cancelled, G::Bypassed];
    expected.extend(outcomes.map(|outcome| format!("gate {outcome:?}")));
    expected.extend([L::Deployed, L::Parents, L::Push].map(|lineage| format!("{lineage:?}")));
    let segments = "coding review merge_to_build queue build_and_test gate_wait batch_wait hand_off deploy unaccounted";
    expected.extend(segments.split(' ').chain(["clock_correction"]).map(str::to_owned));
    let spans = segments.split(' ').chain(["lead_time"]).map(str::to_owned);
    let spans = spans.flat_map(|span| [format!("commit's {span}"), span]);
    for span in spans.chain(["wait at a gate", "wait for a step"].map(str::to_owned)) {
        expected.extend(["not told", "none", "a part", "all"].map(|how| format!("{span} in working time: {how}")));
    }
    expected.extend(shipping);
    expected.extend([C::Failure, C::Error, C::Flaky, C::Timeout, C::Cancelled].map(|class| format!("class {class:?}")));
    let grades = [Grade::Said, Grade::Explicit, Grade::Commit, Grade::Window, Grade::Unattributed];
    expected.extend(grades.map(|grade| format!("grade {grade:?}")));
    expected.extend([O::Authored, O::Committed, O::Squashed, O::Picked].map(|origin| format!("origin {origin:?}")));
    use ManualStepKind as M;
    expected.extend([M::ManualJob, M::DispatchedRun, M::Deployment, M::Named].map(|kind| format!("manual {kind:?}")));
    let reasons = ["NoTests", "OtherCommit", "BeforeChecks", "ByAuthor", "WithinSeconds"];
    expected.extend(reasons.map(|reason| format!("hollow {reason}")));
    expected.extend(["Deployment", "Pipeline", "Task", "Tag", "Release"].map(|kind| format!("marker {kind}")));
    let flags = [
        "complete",
        "change",
        "waited",
        "step",
        "declared",
        "acknowledged",
        "failed",
        "rework",
        "excluded",
        "recovered",
        "approval",
        "picked",
        "reverts",
        "reverted",
        "split",
        "caught",
        "handed_on",
        "green",
        "passed",
        "alone",
        "staged",
        "replaced",
    ];
    expected.extend(flags.iter().flat_map(|flag| [format!("{flag} true"), format!("{flag} false")]));
    let never: Vec<&String> = expected.iter().filter(|said| !seen.contains(*said)).collect();
    assert!(never.is_empty(), "never said: {never:?}\nsaid: {seen:?}");
}
