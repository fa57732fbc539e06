//! Incidents, to which release they belong, and what that makes of the release: cases with figures worked out by hand.

use model::event::*;
use model::fact::{Fact, Grade, IncidentAttributionFact, IncidentFact, IncidentState, ReleaseFact};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, Environment, GateId, IncidentId, Millis, Repository,
    RunId, Timestamp, Version,
};

use super::{Run, event};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Without a catalog, the repository is the component, and the service of the same name means it.
const SHOP: &str = "acme/shop";

type History = Vec<(i64, Body)>;

fn repository() -> Repository {
    Repository::new("github.com/acme/shop")
}

/// Full id of the commit with this number.
fn sha(n: u8) -> CommitId {
    CommitId::new(format!("{n:02x}").repeat(20))
}

fn version(n: u8) -> Version {
    Version::new(sha(n).as_str())
}

/// Commits 1 to 5 in a line, one each hour.
fn line() -> History {
    let commit = |n: u8| {
        let at = Some(Timestamp(i64::from(n) * HOUR));
        let parents = if n == 1 { Vec::new() } else { vec![sha(n - 1)] };
        let info = CommitInfo { parents: Some(parents), authored_at: at, committed_at: at, ..CommitInfo::new(sha(n)) };
        (i64::from(n) * HOUR, Commits { repository: repository(), commits: vec![info] }.into())
    };
    (1..=5).map(commit).collect()
}

fn deployed(id: &str, environment: &str, n: u8) -> Deployment {
    let environment = Environment::new(environment);
    Deployment {
        repository: Some(repository()),
        commit: Some(sha(n)),
        outcome: Some(Outcome::Success),
        ..Deployment::new(DeploymentId::new(id), environment, DeploymentAction::Deploy, Phase::Finished)
    }
}

fn success(id: &str, n: u8) -> Body {
    deployed(id, "production", n).into()
}

/// Commit 1 is deployed at 10:00, commit 2 at 12:00, commit 3 at 14:00.
fn shipped() -> History {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (12 * HOUR, success("b", 2)), (14 * HOUR, success("c", 3))]);
    history
}

/// An incident of the shop.
fn shop(id: &str) -> Incident {
    Incident { services: vec![SHOP.to_owned()], ..Incident::new(IncidentId::new(id)) }
}

fn about(about: References) -> Incident {
    Incident { about: vec![about], ..shop("i") }
}

fn detected(incident: Incident) -> Body {
    IncidentDetected { incident, detected_at: None, detected_by: Actor::default() }.into()
}

fn resolved(incident: Incident) -> Body {
    IncidentResolved { incident, resolved_at: None, resolved_by: Actor::default() }.into()
}

fn merged(id: &str, into: &str) -> Body {
    let incident = Incident::new(IncidentId::new(id));
    IncidentMerged { incident, into: IncidentId::new(into), merged_at: None }.into()
}

fn corrected(release: Option<u8>, previous: Option<u8>) -> Body {
    let release_of = |n| ReleaseRef { component: Component::new(SHOP), version: version(n) };
    AttributionCorrected {
        incident: IncidentId::new("i"),
        release: release.map(release_of),
        previous: previous.map(release_of),
        corrected_by: Actor::default(),
        note: None,
    }
    .into()
}

/// Plays bodies with their times; the event of place `n` has the id `test/d{n}/0`.
fn play(history: History) -> Run {
    let events: Vec<Event<Body>> =
        history.into_iter().enumerate().map(|(n, (at, body))| event(at, &format!("d{n}"), body)).collect();
    Run::of(&events)
}

fn with(mut history: History, more: impl IntoIterator<Item = (i64, Body)>) -> History {
    history.extend(more);
    history
}

fn incident(run: &Run, id: &str) -> IncidentFact {
    let found = run.tables.0.values().find_map(|fact| match fact {
        Fact::Incident(fact) if fact.incident.as_str() == id => Some(fact.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no incident {id}"))
}

fn attributions(run: &Run, id: &str) -> Vec<IncidentAttributionFact> {
    let of = |fact: &Fact| match fact {
        Fact::IncidentAttribution(fact) if fact.incident.as_str() == id => Some(fact.clone()),
        _ => None,
    };
    run.tables.0.values().filter_map(of).collect()
}

/// Versions by their number, and how well it is known that incident `i` belongs to them.
fn grades(run: &Run) -> Vec<(u8, Grade)> {
    let number = |v: &Version| (1..=9).find(|n| version(*n) == *v).unwrap();
    let rows = attributions(run, "i");
    let summary = incident(run, "i");
    assert_eq!(usize::try_from(summary.attributions), Ok(rows.len()));
    assert!(rows.iter().all(|row| row.grade == summary.grade && row.candidates == summary.attributions));
    rows.iter().map(|row| (number(&row.version), row.grade)).collect()
}

/// Grades of incident `i`, noticed at 15:00.
fn grades_of(told: Incident) -> Vec<(u8, Grade)> {
    grades(&play(with(shipped(), [(15 * HOUR, detected(told))])))
}

fn release(run: &Run, n: u8) -> ReleaseFact {
    let found = run.tables.0.values().find_map(|fact| match fact {
        Fact::Release(fact) if fact.version == version(n) => Some(fact.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no release {n}"))
}

#[test]
fn without_a_link_it_belongs_to_what_came_last() {
    let run = play(with(shipped(), [(15 * HOUR, detected(shop("i")))]));
    assert_eq!(grades(&run), [(3, Grade::Window)]);
    let row = &attributions(&run, "i")[0];
    assert_eq!((row.candidates, row.deployment.as_ref().unwrap().as_str()), (1, "c"));
    assert_eq!(row.after_deployment, Some(Millis(HOUR)));
    assert_eq!(row.evidence, ["test/d8/0"]);
    assert_eq!(incident(&run, "i").components, [Component::new(SHOP)]);
}

#[test]
fn the_window_is_a_day_unless_the_catalog_says_otherwise() {
    let at = |at: i64| with(shipped(), [(at, detected(shop("i")))]);
    assert_eq!(grades(&play(at(38 * HOUR))), [(3, Grade::Window)]);
    assert_eq!(incident(&play(at(38 * HOUR + 1)), "i").grade, Grade::Unattributed);
    let component = CatalogComponent {
        component: SHOP.into(),
        team: None,
        repository: Some(repository()),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: vec!["web".to_owned()],
        markers: Vec::new(),
        partial_counts: false,
        attribution_window: Some(Millis(HOUR)),
        baseline_none: false,
        calendar: None,
    };
    let catalog = Catalog { revision: 1, components: vec![component], ..Catalog::default() };
    let told = Incident { services: vec!["web".to_owned()], ..shop("i") };
    let history = |at: i64| with(shipped(), [(at, detected(told.clone())), (0, catalog.clone().into())]);
    assert_eq!(grades(&play(history(15 * HOUR))), [(3, Grade::Window)]);
    assert_eq!(grades(&play(history(15 * HOUR + 1))), []);
}

#[test]
fn the_beginning_of_the_trouble_counts_not_when_it_was_noticed() {
    let told = Incident { started_at: Some(Timestamp(13 * HOUR)), ..shop("i") };
    assert_eq!(grades_of(told), [(2, Grade::Window)]);
}

#[test]
fn what_ships_nothing_new_is_not_suspected_and_a_rollback_is() {
    let again = with(shipped(), [(14 * HOUR + 1, success("d", 3)), (15 * HOUR, detected(shop("i")))]);
    assert_eq!(attributions(&play(again), "i")[0].deployment, Some("c".into()));
    let back = with(shipped(), [(14 * HOUR + 1, success("d", 2)), (15 * HOUR, detected(shop("i")))]);
    assert_eq!(grades(&play(back)), [(2, Grade::Window)]);
}

#[test]
fn nothing_ties_an_unknown_service_to_a_release() {
    let told = Incident { services: vec!["mail".to_owned()], ..shop("i") };
    let run = play(with(shipped(), [(15 * HOUR, detected(told))]));
    assert_eq!((incident(&run, "i").grade, attributions(&run, "i")), (Grade::Unattributed, Vec::new()));
}

#[test]
fn a_commit_leads_to_the_release_that_brought_it() {
    let short = CommitId::given(&sha(2).as_str()[..8]);
    assert_eq!(grades_of(about(References { commit: short, ..References::default() })), [(2, Grade::Commit)]);
    // Not deployed yet, it says nothing: what came last is the best that is known.
    let unshipped = about(References { commit: Some(sha(5)), ..References::default() });
    assert_eq!(grades_of(unshipped), [(3, Grade::Window)]);
}

#[test]
fn an_artifact_leads_to_the_commit_it_was_built_from() {
    let told = about(References { artifact: Some(ArtifactId::new("shop:2")), ..References::default() });
    let history = with(shipped(), [(15 * HOUR, detected(told))]);
    assert_eq!(grades(&play(history.clone())), [(3, Grade::Window)]);
    let built =
        Artifact { run: Some(RunId::new("r")), ..Artifact::new(ArtifactId::new("shop:2"), ArtifactAction::Packaged) };
    let run =
        PipelineRun { commit: Some(sha(2)), ..PipelineRun::new(RunId::new("r"), 1, "build".into(), Phase::Finished) };
    let history = with(history, [(11 * HOUR, built.into()), (11 * HOUR, run.into())]);
    assert_eq!(grades(&play(history)), [(2, Grade::Commit)]);
}

#[test]
fn what_an_incident_names_is_better_than_a_commit() {
    let mut told = about(References { deployment: Some("b".into()), ..References::default() });
    told.about.push(References { commit: Some(sha(3)), ..References::default() });
    assert_eq!(grades_of(told), [(2, Grade::Explicit)]);
    let named = References { version: Some(sha(1).as_str().to_owned()), ..References::default() };
    assert_eq!(grades_of(about(named)), [(1, Grade::Explicit)]);
}

#[test]
fn a_run_and_a_change_lead_to_the_release() {
    let mut by_run = deployed("b", "production", 2);
    by_run.run = Some(RunId::new("r"));
    let change = Change {
        head: Some(sha(2)),
        merge_commit: Some(sha(2)),
        merged_at: Some(Timestamp(3 * HOUR)),
        ..Change::new(repository(), ChangeId::new("7"), ChangeAction::Merged, ChangeState::Merged)
    };
    let history = with(shipped(), [(12 * HOUR, by_run.into()), (3 * HOUR, change.into())]);
    let told = |about_it| grades(&play(with(history.clone(), [(15 * HOUR, detected(about(about_it)))])));
    assert_eq!(told(References { run: Some(RunId::new("r")), ..References::default() }), [(2, Grade::Explicit)]);
    let of = References { repository: Some(repository()), change: Some("7".into()), ..References::default() };
    assert_eq!(told(of), [(2, Grade::Explicit)]);
}

#[test]
fn a_remedy_is_no_cause() {
    let told = about(References { commit: Some(sha(4)), ..References::default() });
    let history = with(shipped(), [(15 * HOUR, detected(told)), (16 * HOUR, success("d", 4))]);
    assert_eq!(grades(&play(history)), [(3, Grade::Window)]);
}

#[test]
fn several_candidates_stay_several() {
    let mut told = about(References { commit: Some(sha(2)), ..References::default() });
    told.about.push(References { commit: Some(sha(3)), ..References::default() });
    assert_eq!(grades_of(told), [(2, Grade::Commit), (3, Grade::Commit)]);
}

#[test]
fn a_person_has_the_last_word() {
    let history = with(shipped(), [(15 * HOUR, detected(shop("i"))), (20 * HOUR, corrected(Some(1), Some(3)))]);
    let run = play(history.clone());
    assert_eq!(grades(&run), [(1, Grade::Said)]);
    let row = &attributions(&run, "i")[0];
    assert_eq!((row.deployment.clone(), row.after_deployment), (Some("a".into()), Some(Millis(5 * HOUR))));
    assert_eq!(row.evidence, ["test/d8/0", "test/d9/0"]);
    // Another one as well.
    let both = with(history.clone(), [(21 * HOUR, corrected(Some(2), None))]);
    assert_eq!(grades(&play(both.clone())), [(1, Grade::Said), (2, Grade::Said)]);
    // One of the two is taken back: it still belongs to the other.
    assert_eq!(grades(&play(with(both.clone(), [(22 * HOUR, corrected(None, Some(1)))]))), [(2, Grade::Said)]);
    // It belongs to none, which is known and no lack of knowledge.
    let none = play(with(both, [(22 * HOUR, corrected(None, None))]));
    assert_eq!((grades(&none), incident(&none, "i").grade), (Vec::new(), Grade::Said));
    assert!((1..=3).all(|n| release(&none, n).incidents == 0));
}

#[test]
fn a_false_alarm_takes_its_rows_back() {
    let events = with(shipped(), [(15 * HOUR, detected(shop("i")))]);
    let mut run = play(events);
    assert_eq!((grades(&run), release(&run, 3).failed), (vec![(3, Grade::Window)], true));
    let retracted = IncidentRetracted { incident: shop("i"), retracted_at: None };
    run.apply(&event(16 * HOUR, "late", retracted));
    run.commit();
    assert_eq!((grades(&run), incident(&run, "i").state), (Vec::new(), IncidentState::Retracted));
    assert_eq!((release(&run, 3).failed, release(&run, 3).incidents), (false, 0));
}

#[test]
fn what_turned_out_to_be_another_one_counts_for_that() {
    let other = Incident::new(IncidentId::new("j"));
    let history = with(
        shipped(),
        [(13 * HOUR, detected(shop("i"))), (15 * HOUR, detected(other)), (16 * HOUR, merged("i", "j"))],
    );
    let run = play(history.clone());
    let (i, j) = (incident(&run, "i"), incident(&run, "j"));
    assert_eq!((i.state, i.merged_into, i.grade), (IncidentState::Merged, Some("j".into()), Grade::Unattributed));
    assert_eq!((attributions(&run, "i"), j.services), (Vec::new(), vec![SHOP.to_owned()]));
    // By when its own trouble began.
    let rows = attributions(&run, "j");
    assert_eq!((rows.len(), rows[0].version.clone(), rows[0].grade), (1, version(2), Grade::Window));
    // Each said to be the other: one remains.
    let run = play(with(history.clone(), [(17 * HOUR, merged("j", "i"))]));
    assert_eq!((grades(&run), attributions(&run, "j")), (vec![(2, Grade::Window)], Vec::new()));
    assert_eq!(incident(&run, "j").merged_into, Some("i".into()));
    // Nothing is told of the one that remains: until then, it is itself.
    let run = play(with(history, [(17 * HOUR, merged("j", "k"))]));
    assert_eq!(incident(&run, "j").merged_into, None);
}

#[test]
fn merged_with_another_guess_none_is_certain() {
    let history = with(
        shipped(),
        [(13 * HOUR, detected(shop("j"))), (15 * HOUR, detected(shop("i"))), (16 * HOUR, merged("j", "i"))],
    );
    let run = play(history);
    assert_eq!(grades(&run), [(2, Grade::Window), (3, Grade::Window)]);
    assert_eq!((release(&run, 2).failed, release(&run, 3).failed), (false, false));
    assert_eq!((release(&run, 2).incidents, release(&run, 3).incidents), (1, 1));
}

#[test]
fn it_is_over_when_it_is_over_for_good() {
    let told = Incident { started_at: Some(Timestamp(14 * HOUR)), ..shop("i") };
    let acknowledged = IncidentAcknowledged {
        incident: shop("i"),
        acknowledged_at: Some(Timestamp(15 * HOUR + 10 * MINUTE)),
        acknowledged_by: Actor::default(),
    };
    let history = with(
        shipped(),
        [
            (15 * HOUR, detected(told)),
            (15 * HOUR + 10 * MINUTE, acknowledged.into()),
            (16 * HOUR, resolved(shop("i"))),
            (17 * HOUR, IncidentReopened { incident: shop("i"), reopened_at: None }.into()),
        ],
    );
    let open = incident(&play(history.clone()), "i");
    assert_eq!((open.state, open.resolved_at, open.reopened), (IncidentState::Acknowledged, None, 1));
    assert_eq!(open.time_to_acknowledge, Some(Millis(70 * MINUTE)));
    // By another source, a second later.
    let again = IncidentReopened { incident: shop("i"), reopened_at: Some(Timestamp(17 * HOUR + 1000)) };
    let history = with(history, [(17 * HOUR + 1000, again.into())]);
    assert_eq!(incident(&play(history.clone()), "i").reopened, 1);
    // Resolved, and closed an hour later.
    let over = with(history, [(18 * HOUR, resolved(shop("i"))), (19 * HOUR, resolved(shop("i")))]);
    let over = incident(&play(over), "i");
    assert_eq!((over.state, over.resolved_at), (IncidentState::Resolved, Some(Timestamp(18 * HOUR))));
    assert_eq!(over.time_to_restore, Some(Millis(4 * HOUR)));
}

#[test]
fn a_deployment_that_is_told_late_takes_an_incident_over() {
    let mut history = shipped();
    let third = history.pop().unwrap();
    let mut run = play(with(history, [(15 * HOUR, detected(shop("i")))]));
    assert_eq!((grades(&run), release(&run, 2).failed), (vec![(2, Grade::Window)], true));
    run.apply(&event(third.0, "late", third.1));
    run.commit();
    assert_eq!((grades(&run), release(&run, 2).failed), (vec![(3, Grade::Window)], false));
    assert!(release(&run, 3).failed);
}

#[test]
fn trouble_in_staging_is_no_failure_of_production() {
    let staging = Incident { environment: Some("staging".into()), ..shop("i") };
    assert_eq!(grades_of(staging.clone()), []);
    let named = References { deployment: Some("b".into()), ..References::default() };
    let told = Incident { about: vec![named], ..staging };
    let run = play(with(shipped(), [(15 * HOUR, detected(told))]));
    assert_eq!(grades(&run), [(2, Grade::Explicit)]);
    assert_eq!((release(&run, 2).incidents, release(&run, 2).failed), (1, false));
}

#[test]
fn a_failed_release_recovers_with_its_incident_and_what_came_meanwhile_is_rework() {
    let history =
        with(shipped(), [(13 * HOUR, detected(shop("i"))), (16 * HOUR, success("d", 4)), (17 * HOUR, success("e", 5))]);
    let mut run = play(history);
    let open = release(&run, 2);
    assert_eq!((open.failed, open.recovered_at, open.recovery), (true, None, None));
    assert_eq!([3, 4, 5].map(|n| release(&run, n).rework), [true; 3]);
    run.apply(&event(16 * HOUR, "late", resolved(shop("i"))));
    run.commit();
    let failed = release(&run, 2);
    assert_eq!((failed.failed, failed.rework, failed.incidents), (true, false, 1));
    assert_eq!(failed.recovered_at, Some(Timestamp(16 * HOUR)));
    // From when it was noticed, at 13:00.
    assert_eq!(failed.recovery, Some(Millis(3 * HOUR)));
    // 14:00 and 16:00 are within, 17:00 is after its end.
    assert_eq!([3, 4, 5].map(|n| release(&run, n).rework), [true, true, false]);
    assert_eq!([1, 3, 4, 5].map(|n| release(&run, n).failed), [false; 4]);
}

#[test]
fn a_release_that_was_rolled_back_had_failed() {
    let run = play(with(shipped(), [(15 * HOUR, success("d", 2))]));
    let failed = release(&run, 3);
    assert_eq!((failed.failed, failed.incidents), (true, 0));
    assert_eq!(failed.recovered_at, Some(Timestamp(15 * HOUR)));
    // From its own finish, at 14:00: nothing tells of an earlier sign.
    assert_eq!(failed.recovery, Some(Millis(HOUR)));
    assert!(!release(&run, 2).failed);
    // With an incident, that is when it began and when it was over.
    let told = [(14 * HOUR + 30 * MINUTE, detected(shop("i"))), (16 * HOUR, resolved(shop("i")))];
    let failed = release(&play(with(with(shipped(), [(15 * HOUR, success("d", 2))]), told)), 3);
    assert_eq!((failed.recovered_at, failed.recovery), (Some(Timestamp(16 * HOUR)), Some(Millis(90 * MINUTE))));
}

#[test]
fn a_rollout_from_region_to_region_is_rolled_back_as_one() {
    let history = with(shipped(), [(14 * HOUR + MINUTE, success("d", 3)), (15 * HOUR, success("e", 2))]);
    assert_eq!(release(&play(history), 3).recovered_at, Some(Timestamp(15 * HOUR)));
    // Forward to the next one, it was not rolled back.
    let history = with(shipped(), [(15 * HOUR, success("d", 4)), (16 * HOUR, success("e", 3))]);
    assert!(!release(&play(history), 3).failed);
}

#[test]
fn a_person_leaves_a_release_out_and_takes_it_back_in() {
    let said = |excluded| {
        let release = ReleaseRef { component: Component::new(SHOP), version: version(2) };
        Body::from(ReleaseExcluded { release, excluded, excluded_by: Actor::default(), note: None })
    };
    let history = with(shipped(), [(15 * HOUR, said(true))]);
    assert!(release(&play(history.clone()), 2).excluded);
    assert!(!release(&play(with(history, [(16 * HOUR, said(false))])), 2).excluded);
}

#[test]
fn a_gate_missed_what_it_is_there_to_catch() {
    let mut history = shipped();
    let asked = |id: &str| (Gate::new(GateId::new(id), id.to_owned()), References::default());
    let decide = |id: &str, n: u8, decision| {
        let (gate, _) = asked(id);
        let about = References { commit: Some(sha(n)), repository: Some(repository()), ..References::default() };
        (13 * HOUR, GateDecided::new(gate, about, decision).into())
    };
    let purpose = |gate: &str| {
        let (component, gate) = (None, gate.to_owned());
        GatePurposeSaid { component, gate, purposes: vec!["outage".to_owned()], said_by: Actor::default() }.into()
    };
    history.extend([
        decide("smoke", 3, Decision::Approved),
        decide("earlier", 2, Decision::Approved),
        decide("stopped", 3, Decision::Rejected),
        decide("unasked", 3, Decision::Approved),
        (0, purpose("smoke")),
        (0, purpose("earlier")),
        (0, purpose("stopped")),
    ]);
    let outage = Incident { kinds: vec!["outage".to_owned()], ..shop("i") };
    history.push((15 * HOUR, detected(outage.clone())));
    let missed = |run: &Run, id: &str| {
        let gate = run.tables.0.values().find_map(|fact| match fact {
            Fact::GateWait(gate) if gate.gate.as_str() == id => Some(gate.missed.clone()),
            _ => None,
        });
        gate.unwrap()
    };
    let run = play(history.clone());
    assert_eq!(missed(&run, "smoke"), [IncidentId::new("i")]);
    for id in ["earlier", "stopped", "unasked"] {
        assert!(missed(&run, id).is_empty(), "{id}");
    }
    history.push((16 * HOUR, IncidentRetracted { incident: outage, retracted_at: None }.into()));
    assert!(missed(&play(history), "smoke").is_empty(), "it was none");
}
