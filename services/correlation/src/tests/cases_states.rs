//! States that follow one another, and what they amount to.

use model::event::*;
use model::fact::{DeploymentFact, Fact, GateWaitFact};
use model::{DeploymentId, Environment, GateId, Repository, Timestamp};

use super::{Run, event};

fn play(bodies: Vec<Body>) -> Vec<Fact> {
    let at = |n: usize| i64::try_from(n).unwrap();
    let events: Vec<_> = bodies.into_iter().enumerate().map(|(n, body)| event(at(n), &format!("d{n}"), body)).collect();
    Run::of(&events).tables.0.into_values().collect()
}

fn ended(rollout: Rollout, outcome: Outcome) -> Body {
    Deployment {
        repository: Some(Repository::new("github.com/acme/shop")),
        outcome: Some(outcome),
        rollout,
        ..Deployment::new(
            DeploymentId::new("a"),
            Environment::new("production"),
            DeploymentAction::Deploy,
            Phase::Finished,
        )
    }
    .into()
}

fn deployment(bodies: Vec<Body>) -> DeploymentFact {
    let of = |fact| match fact {
        Fact::Deployment(row) => Some(row),
        _ => None,
    };
    play(bodies).into_iter().find_map(of).unwrap()
}

/// The first canary fails, the second goes well, and then all of it.
#[test]
fn a_canary_that_goes_well_after_a_failure_is_under_way_again() {
    let mut states = vec![ended(Rollout::Partial, Outcome::Failure), ended(Rollout::Partial, Outcome::Success)];
    let row = deployment(states.clone());
    assert_eq!((row.phase, row.outcome, row.finished_at), (Phase::Running, None, None));
    states.push(ended(Rollout::Full, Outcome::Success));
    let row = deployment(states);
    assert_eq!((row.phase, row.outcome), (Phase::Finished, Some(Outcome::Success)));
    assert_eq!(row.finished_at, Some(Timestamp(2)));
}

#[test]
fn a_stage_that_goes_well_leaves_a_success_as_it_is() {
    let row = deployment(vec![ended(Rollout::Full, Outcome::Success), ended(Rollout::Partial, Outcome::Success)]);
    assert_eq!((row.phase, row.finished_at), (Phase::Finished, Some(Timestamp(0))));
}

#[test]
fn asked_for_again_a_gate_has_no_approval() {
    let gate = Gate::new(GateId::new("g"), "board".into());
    let about = References { repository: Some(Repository::new("github.com/acme/shop")), ..References::default() };
    let decided = |decision| Body::from(GateDecided::new(gate.clone(), about.clone(), decision));
    let again = GateRequestedAgain {
        gate: gate.clone(),
        about: about.clone(),
        requested_at: None,
        requested_by: Actor::default(),
    };
    let request = GateRequested { required: Some(2), ..GateRequested::new(gate.clone(), about.clone()) };
    let bodies = vec![request.into(), decided(Decision::Approved), decided(Decision::Rejected), again.into()];
    let of = |fact| match fact {
        Fact::GateWait(row) => Some(row),
        _ => None,
    };
    let row: GateWaitFact = play(bodies).into_iter().find_map(of).unwrap();
    assert_eq!((row.approvals, row.requests, row.decided_at), (0, 2, None));
}
