//! Change requests, and the approvers asked for each.

use model::event::{
    Actor, ActorKind, Body, Decision, Gate, GateCancelled, GateDecided, GateKind, GateRequested, References,
};
use model::{GateId, Timestamp};

use super::shape::{Record, Table};
use super::{Told, told};
use crate::providers::{Observed, Unreadable, references};

/// A change request is one gate: it closes when approval is asked for, and opens with the approval of the whole.
pub(super) fn change_request(record: &Record<'_>) -> Result<Told, Unreadable> {
    let (gate, about) = (gate(record), about(record));
    let at = record.at()?;
    if matches!(record.word("state").as_deref(), Some("4" | "canceled" | "cancelled")) {
        let cancelled_by = record.account("sys_updated_by");
        return told(record, vec![GateCancelled { gate, about, cancelled_at: Some(at), cancelled_by }.into()]);
    }
    let approval = record.word("approval");
    if record.before("approval").is_some_and(|before| before == approval) {
        return Ok(Told::Nothing("change_request: its approval did not change"));
    }
    let body: Body = match approval.as_deref() {
        Some("requested") => requested(record, gate, about, at).into(),
        Some("approved") => match decided(record, gate, about, Decision::Approved)? {
            Some(decided) => decided.into(),
            None => return Ok(Told::Nothing("change_request: approved, and it is not told when")),
        },
        Some("rejected") => match decided(record, gate, about, Decision::Rejected)? {
            Some(decided) => decided.into(),
            None => return Ok(Told::Nothing("change_request: rejected, and it is not told when")),
        },
        Some("cancelled" | "canceled") => {
            let cancelled_by = record.account("sys_updated_by");
            GateCancelled { gate, about, cancelled_at: Some(at), cancelled_by }.into()
        }
        _ => return Ok(Told::Nothing("change_request: asks for no approval")),
    };
    told(record, vec![body])
}

/// One of the approvers approved. All else follows from the change request: when approval was asked for, and whether one rejection is
/// enough to reject it.
pub(super) fn approver(record: &Record<'_>) -> Result<Told, Unreadable> {
    let Some(change) = record.value("sysapproval") else {
        return Ok(Told::Nothing("sysapproval_approver: names no change request"));
    };
    let number = record.shown("sysapproval").filter(|shown| shown.starts_with("CHG"));
    let of_change = match record.value("source_table") {
        Some(table) => table == Table::ChangeRequest.name(),
        None => number.is_some(),
    };
    if !of_change {
        return Ok(Told::Nothing("sysapproval_approver: of no change request"));
    }
    if record.word("state").as_deref() != Some("approved") {
        return Ok(Told::Nothing("sysapproval_approver: the change request tells it"));
    }
    let at = record.at()?;
    let gate = Gate {
        kind: GateKind::ChangeBoard,
        ..Gate::new(GateId::new(record.path_of(Table::ChangeRequest, change)), NAME.to_owned())
    };
    let about = References { ticket: number.map(str::to_owned), ..References::default() };
    let link = record.link_of(Table::ChangeRequest, change);
    let decided = GateDecided {
        decided_at: Some(at),
        decided_by: record.account("sys_updated_by"),
        final_decision: Some(false),
        url: link.clone(),
        ..GateDecided::new(gate, about, Decision::Approved)
    };
    Ok(Told::Events(vec![Observed { occurred_at: at, link, body: decided.into() }]))
}

/// Name under which the approval of every change request is met.
const NAME: &str = "change request";

fn gate(record: &Record<'_>) -> Gate {
    let environment = references::given(record.body).environment;
    Gate { kind: GateKind::ChangeBoard, environment, ..Gate::new(GateId::new(record.path()), NAME.to_owned()) }
}

/// What the change request names: its configuration item as the service; `correlation_id`, which whoever opened it by the API fills,
/// as the run.
fn about(record: &Record<'_>) -> References {
    let named = references::given(record.body);
    let correlated = record.value("correlation_id").map(references::of_run).unwrap_or_default();
    let service = || record.shown("cmdb_ci").or_else(|| record.shown("business_service")).map(str::to_owned);
    References {
        repository: named.repository.clone().or(correlated.repository),
        commit: named.commit.clone().or(correlated.commit),
        change: named.change.clone().or(correlated.change),
        run: named.run.clone().or(correlated.run),
        service: named.service.clone().or_else(service),
        ticket: record.value("number").map(str::to_owned),
        ..named
    }
}

fn requested(record: &Record<'_>, gate: Gate, about: References, at: Timestamp) -> GateRequested {
    GateRequested {
        requested_at: Some(at),
        requested_by: record.account("sys_created_by"),
        url: record.link(),
        ..GateRequested::new(gate, about)
    }
}

/// The decision over the whole; none where it is not told when it was made.
///
/// It is made by whoever updated the record then. A standard change is approved beforehand, by its model and by nobody.
fn decided(
    record: &Record<'_>,
    gate: Gate,
    about: References,
    decision: Decision,
) -> Result<Option<GateDecided>, Unreadable> {
    let (updated_at, set_at) = (record.at()?, record.time("approval_set")?);
    let just_now = record.before("approval").is_some() || set_at == Some(updated_at);
    let began =
        || matches!(record.word("state").as_deref(), Some("-1" | "0" | "3" | "implement" | "review" | "closed"));
    // Without a time of its own the first update after it stands for it, but none from the time of the work on.
    if set_at.is_none() && !just_now && began() {
        return Ok(None);
    }
    let decided_by = match record.word("type").as_deref() {
        Some("standard") => Actor { key: None, kind: ActorKind::Machine },
        _ if just_now => record.account("sys_updated_by"),
        _ => Actor::default(),
    };
    let decided = GateDecided {
        decided_at: Some(set_at.unwrap_or(updated_at)),
        decided_by,
        commit: about.commit.clone(),
        final_decision: Some(true),
        url: record.link(),
        ..GateDecided::new(gate, about, decision)
    };
    Ok(Some(decided))
}
