//! The correlation agrees with the oracle, over made-up histories that say everything there is to say.
#![allow(clippy::unwrap_used, reason = "a test program")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::event::Body;
use model::fact::{DeploymentKind, Fact, GateOutcome, Lineage, ReleaseKind};
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

/// What the rows of a table say, in short: where a history never leads there, no test has seen it.
fn said(fact: &Fact) -> Vec<String> {
    match fact {
        Fact::Release(row) => {
            let segments = [
                ("coding", row.coding),
                ("review", row.review),
                ("merge_to_build", row.merge_to_build),
                ("queue", row.queue),
                ("build_and_test", row.build_and_test),
                ("gate_wait", row.gate_wait),
                ("batch_wait", row.batch_wait),
                ("hand_off", row.hand_off),
                ("deploy", row.deploy),
                ("unaccounted", row.unaccounted),
            ];
            let some = segments.iter().filter(|(_, took)| took.is_some_and(|took| took.0 > 0));
            let corrected = row.clock_correction.is_some_and(|correction| correction.0 != 0);
            some.map(|(name, _)| (*name).to_owned())
                .chain([format!("{:?}", row.kind), format!("complete {}", row.commits_complete)])
                .chain(corrected.then(|| "clock_correction".to_owned()))
                .collect()
        }
        Fact::Deployment(row) => vec![format!("deployment {:?}", row.kind), format!("deployment {:?}", row.outcome)],
        Fact::ReleaseCommit(row) => vec![format!("{:?}", row.lineage), format!("change {}", row.change.is_some())],
        Fact::GateWait(row) => vec![format!("gate {:?}", row.outcome), format!("waited {}", row.wait.is_some())],
        Fact::Build(row) => {
            vec![format!("build {:?}", row.outcome), format!("step {}", row.first_failed_step.is_some())]
        }
        Fact::Component(row) => vec![format!("declared {}", row.declared)],
        other => vec![format!("{:?}", other.subject())],
    }
}

#[test]
fn histories_say_everything() {
    let mut runner = TestRunner::deterministic();
    let (mut kinds, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..600 {
        let told = events(&history().new_tree(&mut runner).unwrap().current());
        kinds.extend(told.iter().map(|event| event.body.kind()));
        seen.extend(oracle::tables(&told, &"default".into()).0.values().flat_map(said));
    }
    let never: Vec<&&str> = Body::KINDS.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(never.is_empty(), "never told: {never:?}");
    use {DeploymentKind as D, GateOutcome as G, Lineage as L, ReleaseKind as R};
    let expected = [R::Baseline, R::Regular, R::Rollback, R::Redeploy, R::Unfinished].map(|kind| format!("{kind:?}"));
    let mut expected: Vec<String> = expected.to_vec();
    let deployments = [D::Baseline, D::Forward, D::Rollback, D::Redeploy, D::Unresolved, D::None];
    expected.extend(deployments.map(|kind| format!("deployment {kind:?}")));
    let outcomes = [G::Open, G::Approved, G::Rejected, G::Expired, G::Cancelled, G::Bypassed];
    expected.extend(outcomes.map(|outcome| format!("gate {outcome:?}")));
    expected.extend([L::Deployed, L::Parents, L::Push].map(|lineage| format!("{lineage:?}")));
    let segments = "coding review merge_to_build queue build_and_test gate_wait batch_wait hand_off deploy unaccounted";
    expected.extend(segments.split(' ').chain(["clock_correction"]).map(str::to_owned));
    let flags = ["complete", "change", "waited", "step", "declared"];
    expected.extend(flags.iter().flat_map(|flag| [format!("{flag} true"), format!("{flag} false")]));
    let never: Vec<&String> = expected.iter().filter(|said| !seen.contains(*said)).collect();
    assert!(never.is_empty(), "never said: {never:?}\nsaid: {seen:?}");
}
