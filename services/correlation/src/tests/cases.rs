//! Cases with figures worked out by hand.

use model::event::*;
use model::fact::{
    ComponentFact, DeploymentKind, Fact, GateOutcome, GateWaitFact, ReleaseCommitFact, ReleaseFact, ReleaseKind,
};
use model::{
    ChangeId, CommitId, DeploymentId, Environment, GateId, Millis, Repository, RunId, TaskId, Timestamp, Version,
};

use super::{Run, event};

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;

pub(super) fn repository() -> Repository {
    Repository::new("github.com/acme/shop")
}

/// Full id of the commit with this number.
pub(super) fn sha(n: u8) -> CommitId {
    CommitId::new(format!("{n:02x}").repeat(20))
}

pub(super) fn version(n: u8) -> Version {
    Version::new(sha(n).as_str())
}

/// Commit `n` on top of `parents`, written at `at`.
pub(super) fn commit(n: u8, parents: &[u8], at: i64) -> Body {
    let info = CommitInfo {
        parents: Some(parents.iter().map(|n| sha(*n)).collect()),
        authored_at: Some(Timestamp(at)),
        committed_at: Some(Timestamp(at)),
        ..CommitInfo::new(sha(n))
    };
    Commits { repository: repository(), commits: vec![info] }.into()
}

pub(super) fn state(id: &str, environment: &str, n: u8, phase: Phase, outcome: Option<Outcome>) -> Deployment {
    Deployment {
        repository: Some(repository()),
        commit: Some(sha(n)),
        outcome,
        ..Deployment::new(DeploymentId::new(id), Environment::new(environment), DeploymentAction::Deploy, phase)
    }
}

pub(super) fn success(id: &str, n: u8) -> Body {
    state(id, "production", n, Phase::Finished, Some(Outcome::Success)).into()
}

/// Plays bodies with their times.
pub(super) fn play(history: Vec<(i64, Body)>) -> Run {
    let events: Vec<Event<Body>> =
        history.into_iter().enumerate().map(|(n, (at, body))| event(at, &format!("d{n}"), body)).collect();
    Run::of(&events)
}

pub(super) fn release(run: &Run, n: u8) -> ReleaseFact {
    let found = run.tables.0.values().find_map(|fact| match fact {
        Fact::Release(fact) if fact.version == version(n) => Some(fact.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no release {n}"))
}

pub(super) fn shipped(run: &Run, n: u8) -> Option<ReleaseCommitFact> {
    run.tables.0.values().find_map(|fact| match fact {
        Fact::ReleaseCommit(fact) if fact.commit == sha(n) => Some(fact.clone()),
        _ => None,
    })
}

pub(super) fn kind(run: &Run, id: &str) -> DeploymentKind {
    let found = run.tables.0.values().find_map(|fact| match fact {
        Fact::Deployment(fact) if fact.deployment.as_str() == id => Some(fact.kind),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no deployment {id}"))
}

fn gate(run: &Run) -> GateWaitFact {
    let mut gates = run.tables.0.values().filter_map(|fact| match fact {
        Fact::GateWait(fact) => Some(fact.clone()),
        _ => None,
    });
    gates.next().unwrap()
}

/// Commits 1 to 4 in a line, one each hour.
pub(super) fn line() -> Vec<(i64, Body)> {
    (1..=4)
        .map(|n| {
            (i64::from(n) * HOUR, commit(n, if n == 1 { &[] } else { &PARENT[usize::from(n)] }, i64::from(n) * HOUR))
        })
        .collect()
}

const PARENT: [[u8; 1]; 5] = [[0], [0], [1], [2], [3]];

#[test]
fn a_rollback_moves_no_commit() {
    let mut history = line();
    history.extend([
        (10 * HOUR, success("a", 1)),
        (11 * HOUR, success("b", 2)),
        (12 * HOUR, success("c", 1)),
        (13 * HOUR, success("d", 2)),
        (14 * HOUR, success("e", 3)),
    ]);
    let run = play(history);
    assert_eq!(kind(&run, "a"), DeploymentKind::Baseline);
    assert_eq!(kind(&run, "b"), DeploymentKind::Forward);
    assert_eq!(kind(&run, "c"), DeploymentKind::Rollback);
    // Forward again, to what had been there: nothing new, and nothing older.
    assert_eq!(kind(&run, "d"), DeploymentKind::Redeploy);
    assert_eq!(kind(&run, "e"), DeploymentKind::Forward);
    assert_eq!(shipped(&run, 2).unwrap().at, Timestamp(11 * HOUR));
    assert_eq!(release(&run, 3).lead_time, Some(Millis(11 * HOUR)));
}

#[test]
fn what_was_there_already_is_a_redeploy() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (11 * HOUR, success("b", 2)), (12 * HOUR, success("c", 2))]);
    assert_eq!(kind(&play(history), "c"), DeploymentKind::Redeploy);
}

#[test]
fn the_first_deployment_is_the_baseline_unless_its_history_is_whole() {
    let mut history = line();
    history.push((10 * HOUR, success("a", 2)));
    let run = play(history.clone());
    assert_eq!(release(&run, 2).kind, ReleaseKind::Baseline);
    assert_eq!((release(&run, 2).lead_time, shipped(&run, 1).unwrap().lead_time), (None, None));
    history.push((0, BaselineNone { component: "acme/shop".into() }.into()));
    let run = play(history);
    assert_eq!(release(&run, 2).kind, ReleaseKind::Regular);
    // Lower median of 8 h and 9 h.
    assert_eq!(release(&run, 2).lead_time, Some(Millis(8 * HOUR)));
    assert_eq!(release(&run, 2).lead_time_longest, Some(Millis(9 * HOUR)));
}

#[test]
fn a_late_earlier_deployment_takes_its_commits_over() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (14 * HOUR, success("c", 4))]);
    assert_eq!(release(&play(history.clone()), 4).commits, 3);
    history.push((12 * HOUR, success("b", 3)));
    let run = play(history);
    assert_eq!((release(&run, 3).commits, release(&run, 4).commits), (2, 1));
    assert_eq!(shipped(&run, 2).unwrap().at, Timestamp(12 * HOUR));
}

#[test]
fn a_success_that_is_corrected_takes_its_rows_back() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (12 * HOUR, success("b", 2)), (14 * HOUR, success("c", 3))]);
    assert_eq!(shipped(&play(history.clone()), 2).unwrap().at, Timestamp(12 * HOUR));
    history.push((13 * HOUR, state("b", "production", 2, Phase::Finished, Some(Outcome::Failure)).into()));
    let run = play(history);
    assert_eq!(shipped(&run, 2).unwrap().at, Timestamp(14 * HOUR));
    assert_eq!(release(&run, 2).kind, ReleaseKind::Unfinished);
    assert_eq!(release(&run, 3).commits, 2);
}

#[test]
fn being_replaced_is_no_correction() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (12 * HOUR, success("b", 2))]);
    history.push((13 * HOUR, state("a", "production", 1, Phase::Superseded, None).into()));
    history.push((13 * HOUR, success("b", 2)));
    let run = play(history);
    // Told twice, it finished when it was told first.
    assert_eq!(release(&run, 2).production_at, Some(Timestamp(12 * HOUR)));
    assert_eq!(release(&run, 1).kind, ReleaseKind::Baseline);
}

#[test]
fn a_hole_is_marked_and_never_shorter_than_the_truth() {
    let mut history = line();
    // Nobody tells of commit 3.
    history.remove(2);
    history.extend([(10 * HOUR, success("a", 1)), (14 * HOUR, success("b", 4))]);
    let run = play(history.clone());
    assert!(!release(&run, 4).commits_complete);
    assert_eq!(release(&run, 4).commits, 1);
    history.push((15 * HOUR, commit(3, &[2], 3 * HOUR)));
    let run = play(history);
    assert!(release(&run, 4).commits_complete);
    assert_eq!(release(&run, 4).commits, 3);
}

pub(super) fn pushed(branch: &str, before: Option<u8>, commits: &[(u8, i64)]) -> Body {
    let infos =
        commits.iter().map(|(n, at)| CommitInfo { committed_at: Some(Timestamp(*at)), ..CommitInfo::new(sha(*n)) });
    Push {
        before: before.map(sha),
        after: commits.last().map(|(n, _)| sha(*n)),
        commits: infos.collect(),
        default_branch: Some("main".into()),
        ..Push::new(repository(), format!("refs/heads/{branch}"))
    }
    .into()
}

pub(super) fn merged(number: &str, head: u8, merge: u8, opened: i64, at: i64) -> Body {
    Change {
        source_branch: Some("topic".into()),
        head: Some(sha(head)),
        merge_commit: Some(sha(merge)),
        created_at: Some(Timestamp(opened)),
        merged_at: Some(Timestamp(at)),
        ..Change::new(repository(), ChangeId::new(number), ChangeAction::Merged, ChangeState::Merged)
    }
    .into()
}

/// Pushes tell no parents: the order of the pushes does. Commit 9 squashes 2 and 3, which were written at 1 h and 2 h.
pub(super) fn squashed() -> Vec<(i64, Body)> {
    vec![
        (0, pushed("main", None, &[(1, 0)])),
        (2 * HOUR, pushed("topic", None, &[(2, HOUR), (3, 2 * HOUR)])),
        (5 * HOUR, merged("7", 3, 9, 3 * HOUR, 5 * HOUR)),
        (5 * HOUR, pushed("main", Some(1), &[(9, 5 * HOUR)])),
        (HOUR, success("a", 1)),
        (8 * HOUR, success("b", 9)),
    ]
}

#[test]
fn a_squash_counts_from_the_earliest_commit_squashed() {
    let run = play(squashed());
    let release = release(&run, 9);
    assert_eq!((release.commits, release.commits_complete), (1, true));
    assert_eq!(release.lead_time, Some(Millis(7 * HOUR)));
    assert_eq!(release.merge_to_production, Some(Millis(3 * HOUR)));
    assert_eq!(shipped(&run, 9).unwrap().change, Some(ChangeId::new("7")));
    // The squashed commits themselves never came to production.
    assert_eq!(shipped(&run, 2), None);
}

#[test]
fn an_abbreviation_and_a_tag_are_resolved_when_they_can_be() {
    let mut history = line();
    let mut short = state("b", "production", 2, Phase::Finished, Some(Outcome::Success));
    short.commit = CommitId::given(&sha(2).as_str()[..8]);
    let mut tagged = state("c", "production", 3, Phase::Finished, Some(Outcome::Success));
    (tagged.commit, tagged.ref_name) = (None, Some("v3".into()));
    history.extend([(10 * HOUR, success("a", 1)), (11 * HOUR, short.into()), (12 * HOUR, tagged.into())]);
    let run = play(history.clone());
    assert_eq!((kind(&run, "b"), kind(&run, "c")), (DeploymentKind::Forward, DeploymentKind::Unresolved));
    history.push((
        13 * HOUR,
        Tag { commit: Some(sha(3)), ..Tag::new(repository(), "v3".into(), TagAction::Tagged) }.into(),
    ));
    let run = play(history);
    assert_eq!(kind(&run, "c"), DeploymentKind::Forward);
    assert_eq!(shipped(&run, 3).unwrap().version, Version::new("v3"));
}

pub(super) fn task(id: &str, run: &str, times: [i64; 3]) -> Body {
    TaskRun {
        run: Some(RunId::new(run)),
        queued_at: Some(Timestamp(times[0])),
        started_at: Some(Timestamp(times[1])),
        finished_at: Some(Timestamp(times[2])),
        outcome: Some(Outcome::Success),
        ..TaskRun::new(TaskId::new(id), 1, id.to_owned(), TaskKind::Job, Phase::Finished)
    }
    .into()
}

pub(super) fn run_of(id: &str, n: u8, at: i64) -> Body {
    PipelineRun {
        repository: Some(repository()),
        commit: Some(sha(n)),
        created_at: Some(Timestamp(at)),
        ..PipelineRun::new(RunId::new(id), 1, "deliver".into(), Phase::Running)
    }
    .into()
}

fn about_run(id: &str) -> (Gate, References) {
    let gate = Gate { environment: Some("production".into()), ..Gate::new(GateId::new("g"), "board".into()) };
    (gate, References { repository: Some(repository()), run: Some(RunId::new(id)), ..References::default() })
}

/// The way of the squash from merge (5 h) to production (8 h), minute by minute: the run is made at 5:10, its job queues until 5:20
/// and builds until 5:50; the gate closes at 5:30 and opens at 7:30; the deployment is made at 5:30, begins at 7:40, ends at 8:00.
fn gated() -> Vec<(i64, Body)> {
    let at = |hours: i64, minutes: i64| hours * HOUR + minutes * MINUTE;
    let mut history = squashed();
    let (gate, about) = about_run("r");
    let by = Actor { key: Some("somebody".into()), kind: ActorKind::Human };
    let mut made = state("b", "production", 9, Phase::Waiting, None);
    (made.created_at, made.run) = (Some(Timestamp(at(5, 30))), Some(RunId::new("r")));
    let mut begun = state("b", "production", 9, Phase::Running, None);
    begun.started_at = Some(Timestamp(at(7, 40)));
    history.extend([
        (at(5, 10), run_of("r", 9, at(5, 10))),
        (at(5, 50), task("build", "r", [at(5, 10), at(5, 20), at(5, 50)])),
        // The provider calls it queued from the moment the gate closed.
        (at(8, 0), task("deploy", "r", [at(5, 30), at(7, 35), at(8, 0)])),
        (at(5, 30), GateRequested::new(gate.clone(), about.clone()).into()),
        (at(7, 30), GateDecided { decided_by: by, ..GateDecided::new(gate, about, Decision::Approved) }.into()),
        (at(5, 30), made.into()),
        (at(7, 40), begun.into()),
    ]);
    history
}

#[test]
fn a_gate_waits_from_when_it_is_the_only_obstacle() {
    let gate = gate(&play(gated()));
    assert_eq!(
        (gate.outcome, gate.decided_by, gate.version),
        (GateOutcome::Approved, ActorKind::Human, Some(version(9)))
    );
    // Asked for at 5:30, but the build ran until 5:50.
    assert_eq!(gate.blocking_from, Some(Timestamp(5 * HOUR + 50 * MINUTE)));
    assert_eq!(gate.wait, Some(Millis(100 * MINUTE)));
}

#[test]
fn the_time_of_a_release_goes_where_a_person_would_put_it() {
    let release = release(&play(gated()), 9);
    let minutes = |n: i64| Some(Millis(n * MINUTE));
    assert_eq!(release.coding, minutes(120), "written at 1:00, opened at 3:00");
    assert_eq!(release.review, minutes(120), "merged at 5:00");
    assert_eq!(release.merge_to_build, minutes(10));
    assert_eq!(release.queue, minutes(15), "5:10 to 5:20, and 7:30 to 7:35 once the gate was open");
    assert_eq!(release.build_and_test, minutes(35), "5:20 to 5:50, and the deploying job before it begins to deploy");
    assert_eq!(release.gate_wait, minutes(100));
    assert_eq!(release.deploy, minutes(20), "7:40 to 8:00");
    assert_eq!(release.unaccounted, minutes(0));
    assert_eq!((release.hand_off, release.batch_wait), (minutes(0), minutes(0)));
    assert_eq!(release.clock_correction, minutes(0));
    assert_eq!(release.lead_time, minutes(420));
}

#[test]
fn asked_for_again_a_gate_is_closed_again() {
    let (gate_of, about) = about_run("r");
    let history = vec![
        (0, run_of("r", 1, 0)),
        (HOUR, GateRequested::new(gate_of.clone(), about.clone()).into()),
        (2 * HOUR, GateExpired { gate: gate_of.clone(), about: about.clone(), expired_at: None }.into()),
    ];
    assert_eq!(gate(&play(history.clone())).outcome, GateOutcome::Expired);
    let mut again = history;
    again.push((
        3 * HOUR,
        GateRequestedAgain { gate: gate_of, about, requested_at: None, requested_by: Actor::default() }.into(),
    ));
    let open = gate(&play(again));
    assert_eq!((open.outcome, open.wait, open.requests), (GateOutcome::Open, None, 2));
}

#[test]
fn clocks_that_disagree_give_a_correction_and_no_negative_segment() {
    let mut history = line();
    // Written, by its author's clock, after it was in production.
    history.extend([
        (10 * HOUR, success("a", 1)),
        (11 * HOUR, commit(9, &[1], 12 * HOUR)),
        (11 * HOUR, success("b", 9)),
    ]);
    let release = release(&play(history), 9);
    assert_eq!(release.lead_time, Some(Millis(-HOUR)));
    assert_eq!(release.clock_correction, Some(Millis(-HOUR)));
    assert_eq!(release.unaccounted, Some(Millis(0)));
}

#[test]
fn shifts_that_were_acknowledged_stand_with_their_component() {
    let said = |component: &str, acknowledged_at: Option<i64>| {
        let acknowledged_at = acknowledged_at.map(Timestamp);
        let acknowledged_by = Actor { key: Some("somebody".into()), kind: ActorKind::Human };
        Body::from(ShiftAcknowledged { component: component.into(), acknowledged_at, acknowledged_by, note: None })
    };
    let rows = |history: &[(i64, Body)]| -> Vec<ComponentFact> {
        let tables = play(history.to_vec()).tables.0.into_values();
        tables.filter_map(|fact| if let Fact::Component(fact) = fact { Some(fact) } else { None }).collect()
    };
    // Said as it happens, or later of a time that is named; once more of the same; and of what is no component.
    let mut history = vec![
        (14 * HOUR, said("acme/shop", None)),
        (15 * HOUR, said("acme/shop", Some(12 * HOUR))),
        (16 * HOUR, said("acme/shop", Some(14 * HOUR))),
        (17 * HOUR, said("shop", None)),
    ];
    assert_eq!(rows(&history), []);
    history.extend(line());
    history.push((10 * HOUR, success("a", 1)));
    let [shop] = &rows(&history)[..] else { panic!("{:?}", rows(&history)) };
    assert_eq!(shop.component.as_str(), "acme/shop");
    assert_eq!(shop.acknowledged, [Timestamp(12 * HOUR), Timestamp(14 * HOUR)]);
}

#[test]
fn a_catalog_moves_rows_and_leaves_none_behind() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (11 * HOUR, success("b", 2))]);
    let named = |run: &Run, name: &str| {
        run.tables
            .0
            .keys()
            .filter(|identity| identity.component().is_some_and(|component| component.as_str() == name))
            .count()
    };
    let before = play(history.clone());
    let rows = named(&before, "acme/shop");
    assert!(rows > 0);
    let component = CatalogComponent {
        component: "shop".into(),
        team: Some("web".into()),
        repository: Some(repository()),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: Vec::new(),
        markers: Vec::new(),
        partial_counts: false,
        attribution_window: None,
        baseline_none: false,
        calendar: None,
    };
    history.push((0, Catalog { revision: 1, components: vec![component], ..Catalog::default() }.into()));
    let after = play(history);
    assert_eq!((named(&after, "acme/shop"), named(&after, "shop")), (0, rows));
}
