//! The change board's own tool: it tells by the import form what GitHub has no event for.

use fastrand::Rng;
use model::event::{Body, Gate, GateBypassed, GateExpired, GateKind, References};
use model::fact::GateOutcome;
use model::{CommitId, Environment, GateId, Repository, RunId};
use serde_json::json;

use super::BOARD;
use super::clock::{Seconds, rfc3339, timestamp};
use super::delivery::Webhook;
use super::github::Run;
use super::project::guid;

/// A gate that was bypassed or, for any other outcome, has expired.
pub fn told(outcome: GateOutcome, id: &str, run: &Run, environment: &str, at: Seconds, rng: &mut Rng) -> Webhook {
    let (run_id, _) = id.split_once("/attempts/").unwrap_or((id, ""));
    let (repository, _) = id.split_once("/actions/").unwrap_or((id, ""));
    let gate = Gate {
        gate: GateId::new(id),
        name: environment.to_owned(),
        kind: GateKind::DeploymentProtection,
        environment: Some(Environment::from(environment)),
        attempt: run.attempt,
    };
    let about = References {
        repository: Some(Repository::from(repository)),
        run: Some(RunId::new(run_id)),
        commit: Some(CommitId::new(&run.sha)),
        environment: Some(Environment::from(environment)),
        ..References::default()
    };
    let body = if outcome == GateOutcome::Bypassed {
        let bypassed = GateBypassed { gate, about, bypassed_at: Some(timestamp(at)), bypassed_by: Default::default() };
        Body::from(bypassed)
    } else {
        Body::from(GateExpired { gate, about, expired_at: Some(timestamp(at)) })
    };
    let line = json!({
        "occurred_at": rfc3339(at),
        "link": format!("https://board.example.com/requests/{}", run.number),
        "body": body,
    });
    Webhook {
        source: BOARD,
        event: None,
        content_type: "application/x-ndjson",
        delivery: guid(rng),
        headers: Vec::new(),
        body: format!("{line}\n").into_bytes(),
        occurred_at: timestamp(at),
    }
}
