//! A realm made by hand, for what the demo's history does not have: incidents, and gates that let them pass.

use model::event::{GateKind, Tier};
use model::fact::{
    BuildFact, BuildFailureFact, Fact, FailureClass, GateOutcome, GateWaitFact, Grade, Hollow, IncidentAttributionFact,
    IncidentFact, IncidentState, ManualStepFact, ReleaseCommitFact, ReleaseFact, ReleaseKind,
};
use model::{Millis, Timestamp};
use serde_json::{Value, json};

use crate::world::UNTIL;

const REALM: &str = "acme";
const HOUR: i64 = 3_600_000;

pub fn realm() -> Vec<(&'static str, String)> {
    vec![("realm", REALM.to_owned())]
}

fn before_end(hours: i64) -> Timestamp {
    Timestamp(UNTIL.0 - hours * HOUR)
}

fn gate(id: &str, hours: i64, version: &str, name: &str) -> GateWaitFact {
    GateWaitFact {
        realm: REALM.into(),
        component: "shop".into(),
        gate: id.into(),
        at: before_end(hours),
        version: Some(version.into()),
        name: name.to_owned(),
        kind: GateKind::Check,
        outcome: GateOutcome::Approved,
        caught: Some(false),
        ..Default::default()
    }
}

fn waiting(id: &str, hours: i64, version: &str) -> GateWaitFact {
    let environment = Some("production".into());
    GateWaitFact { outcome: GateOutcome::Open, caught: None, environment, ..gate(id, hours, version, "board") }
}

fn incident(id: &str, hours: i64, grade: Grade, state: IncidentState) -> IncidentFact {
    IncidentFact { realm: REALM.into(), incident: id.into(), at: before_end(hours), grade, state, ..Default::default() }
}

fn attribution(
    incident: &str,
    hours: i64,
    grade: Grade,
    (component, version): (&str, &str),
) -> IncidentAttributionFact {
    IncidentAttributionFact {
        realm: REALM.into(),
        component: component.into(),
        version: version.into(),
        incident: incident.into(),
        at: before_end(hours),
        grade,
        candidates: 1,
        after_deployment: Some(Millis(HOUR / 2)),
        ..Default::default()
    }
}

/// Two releases of `shop` pass two gates each; the smoke tests let `h/1` pass, which they are there to catch. `h/2` may belong to
/// either of two releases, `h/3` to none, and `h/4` turned out to be `h/1`. Two gates are open.
pub fn facts() -> Vec<Fact> {
    let smoke = "smoke tests";
    let window = |of| IncidentAttributionFact { candidates: 2, ..attribution("h/2", 20, Grade::Window, of) };
    vec![
        gate("h/g1", 60, "v1", smoke).into(),
        gate("h/g2", 59, "v1", "board").into(),
        GateWaitFact { missed: vec!["h/1".into()], hollow: vec![Hollow::NoTests], ..gate("h/g3", 40, "v2", smoke) }
            .into(),
        gate("h/g4", 39, "v2", "board").into(),
        // The same release at the same gate again is the same decision.
        GateWaitFact { hollow: vec![Hollow::ByAuthor], ..gate("h/g5", 38, "v2", "board") }.into(),
        waiting("h/g6", 5, "v3").into(),
        GateWaitFact { link: Some("https://h.example/7".to_owned()), ..waiting("h/g7", 29, "v2") }.into(),
        IncidentFact {
            number: Some("INC-1".to_owned()),
            severity: Some("high".to_owned()),
            time_to_restore: Some(Millis(2 * HOUR)),
            ..incident("h/1", 30, Grade::Explicit, IncidentState::Resolved)
        }
        .into(),
        incident("h/2", 20, Grade::Window, IncidentState::Detected).into(),
        incident("h/3", 10, Grade::Unattributed, IncidentState::Acknowledged).into(),
        incident("h/4", 29, Grade::Unattributed, IncidentState::Merged).into(),
        attribution("h/1", 30, Grade::Explicit, ("shop", "v2")).into(),
        window(("shop", "v2")).into(),
        window(("till", "v7")).into(),
    ]
}

/// What must be in no answer about the demo: rows of another realm that has a component of the same name, and a release that a
/// person took out of the figures. Each is longer than everything else.
pub fn decoys() -> Vec<Fact> {
    const LONG: Option<Millis> = Some(Millis(5_000 * HOUR));
    let (component, at) = ("billing", before_end(30));
    let release = ReleaseFact {
        realm: "another".into(),
        component: component.into(),
        version: "decoy".into(),
        at,
        team: Some("payments".to_owned()),
        kind: ReleaseKind::Regular,
        production_at: Some(at),
        commits: 500,
        lead_time: LONG,
        lead_time_longest: LONG,
        merge_to_production: LONG,
        coding: LONG,
        review: Some(Millis(0)),
        merge_to_build: Some(Millis(0)),
        queue: Some(Millis(0)),
        build_and_test: Some(Millis(0)),
        gate_wait: Some(Millis(0)),
        batch_wait: Some(Millis(0)),
        hand_off: Some(Millis(0)),
        deploy: Some(Millis(0)),
        unaccounted: Some(Millis(0)),
        clock_correction: Some(Millis(0)),
        review_pickup: LONG,
        ..Default::default()
    };
    let build = BuildFact {
        realm: "another".into(),
        component: component.into(),
        run: "h/run".into(),
        attempt: 1,
        at,
        pipeline: "release".to_owned(),
        finished_at: Some(at),
        class: Some(FailureClass::Failure),
        time_to_green: LONG,
        ..Default::default()
    };
    let failure = BuildFailureFact {
        realm: "another".into(),
        component: component.into(),
        run: "h/run".into(),
        attempt: 1,
        at,
        class: FailureClass::Flaky,
        duration: LONG,
        ..Default::default()
    };
    let step = ManualStepFact {
        realm: "another".into(),
        component: component.into(),
        step: "h/step".to_owned(),
        at,
        possible_from: Some(at),
        wait: LONG,
        ..Default::default()
    };
    let commit = ReleaseCommitFact {
        realm: "another".into(),
        component: component.into(),
        environment: "staging".into(),
        commit: model::CommitId::new("decoy"),
        at: before_end(80),
        tier: Tier::Staging,
        ..Default::default()
    };
    let excluded = ReleaseFact { realm: "default".into(), excluded: true, ..release.clone() };
    let met = GateWaitFact {
        realm: "another".into(),
        component: component.into(),
        wait: LONG,
        ..gate("h/decoy", 30, "decoy", "production")
    };
    vec![release.into(), excluded.into(), build.into(), failure.into(), step.into(), commit.into(), met.into()]
}

/// The oldest first.
pub fn open() -> Vec<Value> {
    let row = |version: &str, hours: i64, link: Option<&str>| {
        json!({
            "component": "shop", "version": version, "gate": "board", "environment": "production",
            "asked_at": before_end(hours).to_string(), "open_wait": hours * HOUR, "link": link,
        })
    };
    vec![row("v2", 29, Some("https://h.example/7")), row("v3", 5, None)]
}

pub fn incidents() -> Vec<Value> {
    let at = |hours: i64| before_end(hours).to_string();
    let none: [&str; 0] = [];
    vec![
        json!({
            "noticed_at": at(10), "incident_number": "h/3", "severity": null, "component": null, "version": null,
            "grade": "unattributed", "candidates": 0, "after_deployment": null, "time_to_restore": null,
            "passed_gates": none, "missed_by": none, "doubts": none,
        }),
        json!({
            "noticed_at": at(20), "incident_number": "h/2", "severity": null, "component": "shop", "version": "v2",
            "grade": "window", "candidates": 2, "after_deployment": HOUR / 2, "time_to_restore": null,
            "passed_gates": ["board", "smoke tests"], "missed_by": none, "doubts": ["by_author", "no_tests"],
        }),
        json!({
            "noticed_at": at(20), "incident_number": "h/2", "severity": null, "component": "till", "version": "v7",
            "grade": "window", "candidates": 2, "after_deployment": HOUR / 2, "time_to_restore": null,
            "passed_gates": none, "missed_by": none, "doubts": none,
        }),
        json!({
            "noticed_at": at(30), "incident_number": "INC-1", "severity": "high", "component": "shop", "version": "v2",
            "grade": "explicit", "candidates": 1, "after_deployment": HOUR / 2, "time_to_restore": 2 * HOUR,
            "passed_gates": ["board", "smoke tests"], "missed_by": ["smoke tests"], "doubts": ["by_author", "no_tests"],
        }),
    ]
}

/// The tests of one release in two did not run, and one approval of three was the author's.
pub fn hollow() -> Vec<Value> {
    let row = |gate: &str, reason: &str, passes: i32, percent: f64, hours: i64| {
        json!({
            "component": "shop", "gate": gate, "reason": reason, "hollow_passes": 1, "passes": passes, "percent": percent,
            "last_at": before_end(hours).to_string(),
        })
    };
    vec![row("board", "by_author", 3, 33.3, 38), row("smoke tests", "no_tests", 2, 50.0, 40)]
}

/// Two decisions each conclude nothing: the bound is everything.
pub fn effectiveness() -> Vec<Value> {
    let row = |gate: &str, missed: i32| {
        json!({
            "component": "shop", "gate": gate, "decisions": 2, "caught": 0, "caught_percent": 0.0, "at_most_percent": 100.0,
            "missed": missed, "hollow_passes": 1, "conclusion": "cannot conclude",
        })
    };
    vec![row("board", 0), row("smoke tests", 1)]
}
