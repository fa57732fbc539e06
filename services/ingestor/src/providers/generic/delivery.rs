//! Kinds of what is delivered: `deployment`, `approval`, `incident`.

use model::event::{
    Body, Decision, Deployment, DeploymentAction, Gate, GateBypassed, GateCancelled, GateDecided, GateExpired,
    GateKind, GateRequested, GateRequestedAgain, Incident, IncidentAcknowledged, IncidentDetected, IncidentReopened,
    IncidentResolved, IncidentRetracted, IncidentUpdated, References, Rollout,
};
use model::{ArtifactId, DeploymentId, GateId, IncidentId, Timestamp};

use super::Read;
use super::members::missing;
use super::message::Message;
use crate::providers::Unreadable;

const ACTIONS: &[(&str, DeploymentAction)] = &[
    ("deploy", DeploymentAction::Deploy),
    ("upgrade", DeploymentAction::Upgrade),
    ("rollback", DeploymentAction::RollBack),
    ("remove", DeploymentAction::Remove),
    ("publish", DeploymentAction::Publish),
];

pub(super) const DEPLOYMENT_MEMBERS: &[&[&str]] = &[
    &["id", "environment", "production", "repository", "service", "commit", "branch", "tag", "version", "artifact"],
    &["status", "action", "partial", "transient", "build", "job", "by", "automated"],
    &["created_at", "queued_at", "started_at", "finished_at"],
];

pub(super) fn deployment(message: &Message<'_>) -> Read {
    let members = &message.members;
    let progress = message.progress()?;
    let environment = members.environment()?.ok_or_else(|| missing("environment", "production"))?;
    let (repository, service) = (members.repository("repository")?, members.text("service")?);
    if repository.is_none() && service.is_none() {
        return Err(Unreadable::Value(
            "`repository` and `service` are missing: one of them must tell what is deployed, such as \
             \"repository\": \"github.com/acme/shop\""
                .to_owned(),
        ));
    }
    let action = members.word("action", ACTIONS)?.unwrap_or(DeploymentAction::Deploy);
    let rollout = match members.flag("partial")? {
        Some(true) => Rollout::Partial,
        Some(false) => Rollout::Full,
        None => Rollout::Unknown,
    };
    let id = DeploymentId::new(message.id_at_end("deployments", progress.phase)?);
    let told = Deployment {
        repository,
        service,
        production: members.flag("production")?,
        outcome: progress.outcome,
        reason: progress.reason,
        rollout,
        commit: members.commit("commit")?,
        ref_name: message.ref_name()?,
        version: members.text("version")?.or(members.text("tag")?),
        artifacts: members.texts("artifact")?.into_iter().map(ArtifactId::new).collect(),
        run: message.run()?,
        job: message.job()?,
        transient: members.flag("transient")?.unwrap_or_default(),
        triggered_by: members.actor("by", message.people)?,
        created_at: progress.created_at.or(progress.queued_at),
        started_at: progress.started_at,
        finished_at: progress.finished_at,
        url: members.page("url")?,
        ..Deployment::new(id, environment, action, progress.phase)
    };
    Ok((progress.at, told.into()))
}

/// What happens at a gate.
#[derive(Clone, Copy)]
enum Act {
    Requested,
    RequestedAgain,
    Decided(Decision),
    Expired,
    Cancelled,
    Bypassed,
}

const APPROVAL_STATUSES: &[(&str, Act)] = &[
    ("requested", Act::Requested),
    ("requested_again", Act::RequestedAgain),
    ("approved", Act::Decided(Decision::Approved)),
    ("rejected", Act::Decided(Decision::Rejected)),
    ("changes_requested", Act::Decided(Decision::ChangesRequested)),
    ("deferred", Act::Decided(Decision::Deferred)),
    ("escalated", Act::Decided(Decision::Escalated)),
    ("expired", Act::Expired),
    ("cancelled", Act::Cancelled),
    ("canceled", Act::Cancelled),
    ("bypassed", Act::Bypassed),
];

const GATES: &[(&str, GateKind)] = &[
    ("deployment_protection", GateKind::DeploymentProtection),
    ("review", GateKind::Review),
    ("manual_job", GateKind::ManualJob),
    ("change_board", GateKind::ChangeBoard),
    ("check", GateKind::Check),
    ("timer", GateKind::Timer),
    ("merge_queue", GateKind::MergeQueue),
];

pub(super) const APPROVAL_MEMBERS: &[&[&str]] = &[
    &["id", "name", "gate", "status", "attempt", "approvers", "required", "due_at", "final"],
    &["by", "automated"],
    ABOUT,
];

/// Members that say what an approval or an incident is about.
const ABOUT: &[&str] = &[
    "repository",
    "commit",
    "branch",
    "tag",
    "change",
    "build",
    "job",
    "deployment",
    "artifact",
    "service",
    "environment",
    "version",
    "ticket",
];

pub(super) fn approval(message: &Message<'_>) -> Read {
    let members = &message.members;
    let at = message.at(&[])?;
    let gate = Gate {
        kind: members.word("gate", GATES)?.unwrap_or_default(),
        environment: members.environment()?,
        attempt: members.small_count("attempt")?.unwrap_or(1).max(1),
        ..Gate::new(GateId::new(message.needed_id("approvals")?), members.needed("name", "release board")?)
    };
    let act = members.needed_word("status", APPROVAL_STATUSES)?;
    Ok((at, acted(message, act, gate, at)?))
}

fn acted(message: &Message<'_>, act: Act, gate: Gate, at: Timestamp) -> Result<Body, Unreadable> {
    let members = &message.members;
    let (about, by) = (message.about()?, members.actor("by", message.people)?);
    // They are of one act alone, and looked at with every one.
    let (approvers, required) = (members.small_count("approvers")?, members.small_count("required")?);
    let (due_at, final_decision) = (members.time("due_at")?, members.flag("final")?);
    let (at, url) = (Some(at), members.page("url")?);
    Ok(match act {
        Act::Requested => {
            let requested = GateRequested::new(gate, about);
            GateRequested { requested_at: at, requested_by: by, approvers, required, due_at, url, ..requested }.into()
        }
        Act::RequestedAgain => GateRequestedAgain { gate, about, requested_at: at, requested_by: by }.into(),
        Act::Decided(decision) => {
            let commit = about.commit.clone();
            let decided = GateDecided::new(gate, about, decision);
            GateDecided { decided_at: at, decided_by: by, commit, final_decision, url, ..decided }.into()
        }
        Act::Expired => GateExpired { gate, about, expired_at: at }.into(),
        Act::Cancelled => GateCancelled { gate, about, cancelled_at: at, cancelled_by: by }.into(),
        Act::Bypassed => GateBypassed { gate, about, bypassed_at: at, bypassed_by: by }.into(),
    })
}

/// What happens to an incident.
#[derive(Clone, Copy)]
enum Turn {
    Detected,
    Acknowledged,
    Updated,
    Resolved,
    Reopened,
    Retracted,
}

const INCIDENT_STATUSES: &[(&str, Turn)] = &[
    ("opened", Turn::Detected),
    ("detected", Turn::Detected),
    ("acknowledged", Turn::Acknowledged),
    ("updated", Turn::Updated),
    ("resolved", Turn::Resolved),
    ("closed", Turn::Resolved),
    ("reopened", Turn::Reopened),
    ("retracted", Turn::Retracted),
];

pub(super) const INCIDENT_MEMBERS: &[&[&str]] =
    &[&["id", "number", "status", "severity", "priority", "labels", "started_at", "by", "automated"], ABOUT];

pub(super) fn incident(message: &Message<'_>) -> Read {
    let members = &message.members;
    let at = message.at(&[])?;
    let by = members.actor("by", message.people)?;
    let turn = members.needed_word("status", INCIDENT_STATUSES)?;
    let (incident, when) = (details(message)?, Some(at));
    let told = match turn {
        Turn::Detected => IncidentDetected { incident, detected_at: when, detected_by: by }.into(),
        Turn::Acknowledged => IncidentAcknowledged { incident, acknowledged_at: when, acknowledged_by: by }.into(),
        Turn::Updated => IncidentUpdated { incident, updated_at: when }.into(),
        Turn::Resolved => IncidentResolved { incident, resolved_at: when, resolved_by: by }.into(),
        Turn::Reopened => IncidentReopened { incident, reopened_at: when }.into(),
        Turn::Retracted => IncidentRetracted { incident, retracted_at: when }.into(),
    };
    Ok((at, told))
}

fn details(message: &Message<'_>) -> Result<Incident, Unreadable> {
    let members = &message.members;
    let about = message.about()?;
    let mut kinds = members.texts("labels")?;
    kinds.sort_unstable();
    let mut incident = Incident {
        number: members.text("number")?.or(members.text("id")?),
        severity: members.text("severity")?,
        priority: members.text("priority")?,
        services: about.service.clone().into_iter().collect(),
        environment: about.environment.clone(),
        kinds,
        started_at: members.time("started_at")?,
        url: members.page("url")?,
        ..Incident::new(IncidentId::new(message.needed_id("incidents")?))
    };
    // Service and environment alone are the incident's own, not a link to what caused it.
    let own =
        References { service: about.service.clone(), environment: about.environment.clone(), ..References::default() };
    if about != own {
        incident.about.push(about);
    }
    Ok(incident)
}
