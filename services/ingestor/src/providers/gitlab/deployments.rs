//! `deployment`: how far a deployment has come, and approvals of it.

use model::event::{
    Body, Decision, Deployment, DeploymentAction, Gate, GateDecided, GateKind, GateQuorum, GateRequested, Outcome,
    Phase, References,
};
use model::{CommitId, DeploymentId, Environment, Timestamp};
use serde::Deserialize;

use super::Delivery;
use super::payload::{Account, Project, When, commit, same_account, text};
use super::place::{Place, approval_gate};
use crate::providers::{Observed, Reading, Unreadable};

#[derive(Deserialize)]
struct DeploymentPayload {
    status: String,
    #[serde(default)]
    status_changed_at: When,
    deployment_id: Option<u64>,
    /// The job.
    deployable_id: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    deployable_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    environment: Option<String>,
    #[serde(default, deserialize_with = "text")]
    environment_tier: Option<String>,
    #[serde(rename = "ref", default, deserialize_with = "text")]
    ref_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    short_sha: Option<String>,
    #[serde(default, deserialize_with = "text")]
    commit_url: Option<String>,
    user: Option<Account>,
    approver: Option<Account>,
    approval: Option<Approval>,
    project: Project,
}

/// Its comment, and the label of its rule, are free text and are not read.
#[derive(Deserialize)]
struct Approval {
    approval_rule: Option<ApprovalRule>,
}

#[derive(Deserialize)]
struct ApprovalRule {
    required_approvals: Option<i32>,
}

impl DeploymentPayload {
    /// In full, as only the address of the commit has it; else the abbreviation.
    fn commit(&self) -> Option<CommitId> {
        let short = commit(self.short_sha.as_deref());
        let in_address = self.commit_url.as_deref().and_then(|url| commit(url.rsplit('/').next()));
        let fits = |full: &CommitId| short.as_ref().is_none_or(|short| full.as_str().starts_with(short.as_str()));
        in_address.filter(|full| full.is_full() && fits(full)).or(short)
    }

    fn deployment(&self, place: &Place<'_>) -> Result<DeploymentId, Unreadable> {
        let by_job = self.deployable_id.map(|job| place.deployment_of(job));
        by_job.or_else(|| self.deployment_id.map(|id| place.deployment(id))).ok_or_else(|| {
            Unreadable::Value("the deployment has neither a `deployable_id` nor a `deployment_id`".to_owned())
        })
    }
}

/// Whether a tier is production; null where it tells nothing (`other`).
pub(super) fn is_production(tier: Option<&str>) -> Option<bool> {
    match tier? {
        "production" => Some(true),
        "staging" | "testing" | "development" => Some(false),
        _ => None,
    }
}

/// `deployment`: it was blocked, began or ended, or somebody approved or rejected it.
pub(super) fn deployment(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: DeploymentPayload = delivery.payload()?;
    let place = Place::new(delivery.people, &payload.project.web_url);
    let id = payload.deployment(&place)?;
    let Some(environment) = payload.environment.as_deref().map(Environment::new) else {
        return Err(Unreadable::Value("the deployment names no `environment`".to_owned()));
    };
    let told =
        Told { at: payload.status_changed_at.0.unwrap_or(delivery.received_at), place, payload, id, environment };
    match told.payload.status.as_str() {
        "approved" => Ok(told.decided(Decision::Approved)),
        "rejected" => Ok(told.decided(Decision::Rejected)),
        status => match progress(status) {
            Some((phase, outcome)) => Ok(told.came_to(phase, outcome)),
            None => Ok(delivery.ignored("", &format!("a deployment that is {}", super::label(status)))),
        },
    }
}

fn progress(status: &str) -> Option<(Phase, Option<Outcome>)> {
    Some(match status {
        "created" => (Phase::Created, None),
        // For an approval, or for somebody to start the job.
        "blocked" => (Phase::Waiting, None),
        "running" => (Phase::Running, None),
        "success" => (Phase::Finished, Some(Outcome::Success)),
        "failed" => (Phase::Finished, Some(Outcome::Failure)),
        "canceled" => (Phase::Finished, Some(Outcome::Cancelled)),
        "skipped" => (Phase::Finished, Some(Outcome::Skipped)),
        _ => return None,
    })
}

/// A delivery with what all that is told of it needs.
struct Told<'a> {
    place: Place<'a>,
    payload: DeploymentPayload,
    id: DeploymentId,
    environment: Environment,
    at: Timestamp,
}

impl Told<'_> {
    fn came_to(self, phase: Phase, outcome: Option<Outcome>) -> Reading {
        // The job that makes it tells whether it waits for a click or an approval; without one it can only be an approval.
        let gate = (phase == Phase::Waiting && self.payload.deployable_id.is_none()).then(|| {
            self.observed(GateRequested {
                requested_at: Some(self.at),
                ..GateRequested::new(self.gate(), self.about())
            })
        });
        let payload = &self.payload;
        let deployment = Deployment {
            repository: Some(self.place.repository.clone()),
            production: is_production(payload.environment_tier.as_deref()),
            outcome,
            reason: Some(payload.status.clone()),
            commit: payload.commit(),
            ref_name: payload.ref_name.clone(),
            job: payload.deployable_id.map(|job| self.place.job(job)),
            triggered_by: self.place.account(payload.user.as_ref()),
            started_at: Some(self.at).filter(|_| phase == Phase::Running),
            finished_at: Some(self.at).filter(|_| phase == Phase::Finished),
            url: payload.deployable_url.clone(),
            ..Deployment::new(self.id.clone(), self.environment.clone(), DeploymentAction::Deploy, phase)
        };
        Reading::Events([Some(self.observed(deployment)), gate].into_iter().flatten().collect())
    }

    /// One approval. The rule tells how many are needed, and nothing how many are given: of those needed, a delivery tells of one.
    fn decided(self, decision: Decision) -> Reading {
        let payload = &self.payload;
        let decided = GateDecided {
            decided_at: Some(self.at),
            decided_by: self.place.account(payload.approver.as_ref()),
            by_author: same_account(payload.approver.as_ref(), payload.user.as_ref()),
            commit: payload.commit(),
            // One is enough to reject.
            final_decision: (decision == Decision::Rejected).then_some(true),
            url: payload.deployable_url.clone(),
            ..GateDecided::new(self.gate(), self.about(), decision)
        };
        let rule = payload.approval.as_ref().and_then(|approval| approval.approval_rule.as_ref());
        let required = rule.and_then(|rule| rule.required_approvals);
        let several = required.filter(|required| *required > 1 && decision == Decision::Approved);
        let quorum = several.map(|required| {
            self.observed(GateQuorum { gate: self.gate(), about: self.about(), required, given: 1, met_at: None })
        });
        Reading::Events([Some(self.observed(decided)), quorum].into_iter().flatten().collect())
    }

    fn gate(&self) -> Gate {
        Gate {
            kind: GateKind::DeploymentProtection,
            environment: Some(self.environment.clone()),
            ..Gate::new(approval_gate(&self.id), self.environment.to_string())
        }
    }

    fn about(&self) -> References {
        References {
            repository: Some(self.place.repository.clone()),
            commit: self.payload.commit(),
            ref_name: self.payload.ref_name.clone(),
            task: self.payload.deployable_id.map(|job| self.place.job(job)),
            deployment: Some(self.id.clone()),
            environment: Some(self.environment.clone()),
            ..References::default()
        }
    }

    fn observed(&self, body: impl Into<Body>) -> Observed {
        Observed { occurred_at: self.at, link: self.payload.deployable_url.clone(), body: body.into() }
    }
}
