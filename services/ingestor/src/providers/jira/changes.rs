//! Issues that are change requests: each step of approval is a gate.

use model::GateId;
use model::Timestamp;
use model::event::{Actor, Body, Decision, Gate, GateCancelled, GateDecided, GateKind, GateRequested, References};
use serde_json::Value;

use super::incidents::is_cancelled;
use super::shape::{Action, Category, Issue, items, name, text, time};
use crate::providers::{Observed, Unreadable, references};

/// What a body tells of a change request; nothing where it asks and decides nothing.
pub(super) fn read(issue: &Issue<'_>) -> Result<Vec<Observed>, Unreadable> {
    let steps = approvals(issue.fields);
    let told = if steps.is_empty() { by_status(issue)? } else { by_approvals(issue, &steps)? };
    let observed = |body| Observed { occurred_at: issue.at, link: issue.link(), body };
    Ok(told.into_iter().map(observed).collect())
}

/// Approvals of Jira Service Management, whatever field they stand in: the plugin gives it another number in every Jira. They are
/// those of <https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/>.
fn approvals(fields: &Value) -> Vec<&Value> {
    let fields = fields.as_object().into_iter().flat_map(serde_json::Map::values);
    fields.flat_map(items).filter(|item| item["finalDecision"].is_string() && item["approvers"].is_array()).collect()
}

fn by_approvals(issue: &Issue<'_>, steps: &[&Value]) -> Result<Vec<Body>, Unreadable> {
    let withdrawn = issue.action == Action::Deleted || issue.status().is_some_and(is_cancelled);
    let mut told = Vec::new();
    for step in steps {
        let gate = gate(issue, name(step).unwrap_or("approval"));
        let about = about(issue);
        if let Some(at) = time(&step["createdDate"], "createdDate of an approval")? {
            let approvers = i32::try_from(items(&step["approvers"]).count()).ok();
            told.push(GateRequested { approvers, ..requested(issue, gate.clone(), about.clone(), at) }.into());
        }
        let decision = match text(&step["finalDecision"]) {
            Some("approved") => Decision::Approved,
            Some("declined") => Decision::Rejected,
            Some("pending") if withdrawn => {
                told.push(cancelled(issue, gate, about));
                continue;
            }
            Some("pending") => continue,
            other => {
                let word = other.unwrap_or_default();
                let why = format!("`finalDecision` of an approval is `{word}`, none of approved, declined, pending");
                return Err(Unreadable::Value(why));
            }
        };
        let at = time(&step["completedDate"], "completedDate of an approval")?.unwrap_or(issue.at);
        let decided_by = decider(issue, step);
        told.push(GateDecided { decided_by, ..decided(issue, gate, about, decision, at) }.into());
    }
    Ok(told)
}

/// Who decided, where only one can have.
fn decider(issue: &Issue<'_>, step: &Value) -> Actor {
    let mut agreeing = items(&step["approvers"]).filter(|one| one["approverDecision"] == step["finalDecision"]);
    match (agreeing.next(), agreeing.next()) {
        (Some(only), None) => issue.account(&only["approver"]),
        _ => Actor::default(),
    }
}

/// What the statuses alone tell, where no approval is in the body.
fn by_status(issue: &Issue<'_>) -> Result<Vec<Body>, Unreadable> {
    let about = || about(issue);
    let mut told = Vec::new();
    match (issue.action, issue.moved(), issue.status().filter(|status| asks(status))) {
        (Action::Deleted, _, Some(status)) => told.push(cancelled(issue, gate(issue, status), about())),
        (Action::Created, _, Some(status)) => {
            let at = issue.time("created")?.unwrap_or(issue.at);
            told.push(requested(issue, gate(issue, status), about(), at).into());
        }
        (Action::Updated, Some(moved), _) => {
            if asks(moved.from) {
                told.push(left(issue, moved.from, moved.to));
            }
            if asks(moved.to) {
                told.push(requested(issue, gate(issue, moved.to), about(), issue.at).into());
            }
        }
        _ => {}
    }
    Ok(told)
}

/// What leaving a status that asks for an approval means.
fn left(issue: &Issue<'_>, from: &str, to: &str) -> Body {
    let (gate, about) = (gate(issue, from), about(issue));
    let decision = match to.to_lowercase().as_str() {
        "declined" | "rejected" | "not approved" | "denied" => Decision::Rejected,
        _ if is_cancelled(to) || issue.category() == Category::New => return cancelled(issue, gate, about),
        _ => Decision::Approved,
    };
    GateDecided { decided_by: issue.user(), ..decided(issue, gate, about, decision, issue.at) }.into()
}

/// A status in which somebody is asked to approve: `Awaiting CAB approval`, `Peer review / change manager approval`.
fn asks(status: &str) -> bool {
    let status = status.to_lowercase();
    status.contains("approval") && !["declined", "rejected", "granted"].iter().any(|word| status.contains(word))
}

/// The step of that name. An approval is named after the status that asks for it.
fn gate(issue: &Issue<'_>, name: &str) -> Gate {
    let id = GateId::new(format!("{}/approvals/{}", issue.path(), name.to_lowercase()));
    let environment = references::given(issue.body).environment;
    Gate { kind: GateKind::ChangeBoard, environment, ..Gate::new(id, name.to_owned()) }
}

/// What the change request names. Of several components or versions none is the one.
fn about(issue: &Issue<'_>) -> References {
    let named = references::given(issue.body);
    let only = |mut names: Vec<String>| if names.len() == 1 { names.pop() } else { None };
    let versions = items(&issue.fields["fixVersions"]).filter_map(name).map(str::to_owned).collect();
    References {
        service: named.service.clone().or_else(|| only(issue.services(None))),
        version: named.version.clone().or_else(|| only(versions)),
        ticket: issue.key.map(str::to_owned),
        ..named
    }
}

fn requested(issue: &Issue<'_>, gate: Gate, about: References, at: Timestamp) -> GateRequested {
    let requested_by = issue.account(&issue.fields["reporter"]);
    GateRequested { requested_at: Some(at), requested_by, url: issue.link(), ..GateRequested::new(gate, about) }
}

fn decided(issue: &Issue<'_>, gate: Gate, about: References, decision: Decision, at: Timestamp) -> GateDecided {
    GateDecided {
        decided_at: Some(at),
        commit: about.commit.clone(),
        final_decision: Some(true),
        url: issue.link(),
        ..GateDecided::new(gate, about, decision)
    }
}

fn cancelled(issue: &Issue<'_>, gate: Gate, about: References) -> Body {
    GateCancelled { gate, about, cancelled_at: Some(issue.at), cancelled_by: issue.user() }.into()
}
