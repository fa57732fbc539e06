//! Issues that are incidents.
//!
//! A body shows the whole issue, so each tells when it was opened and how it stands: what came before the webhook was set up, or got
//! lost, is made up for by the next one.

use model::event::{
    Actor, Body, Incident, IncidentAcknowledged, IncidentDetected, IncidentMerged, IncidentReopened, IncidentResolved,
    IncidentRetracted, IncidentUpdated, References,
};
use model::{IncidentId, Millis, Timestamp};

use super::shape::{Action, Category, Issue, Kind, items, name, text};
use crate::providers::{Observed, Unreadable, references};

/// Setting the resolution and moving into the finished status are one act, some milliseconds apart.
const ONE_ACT: Millis = Millis(60_000);

/// What a body tells of an incident.
pub(super) fn read(issue: &Issue<'_>) -> Result<Vec<Observed>, Unreadable> {
    if issue.action == Action::Deleted {
        // What was resolved before has been one; tidying up does not undo it.
        let over = issue.category() == Category::Done;
        return Ok(if over { Vec::new() } else { read_retracted(issue) });
    }
    let incident = details(issue);
    let mut told = Vec::new();
    let opened_at = issue.time("created")?.or((issue.action == Action::Created).then_some(issue.at));
    if let Some(at) = opened_at {
        told.push(detected(issue, incident.clone(), at));
    }
    match issue.category() {
        Category::Done => told.extend(ended(issue, &incident)?),
        category => told.extend(progress(issue, category, &incident)),
    }
    if told.is_empty() {
        told.push(IncidentUpdated { incident, updated_at: Some(issue.at) }.into());
    }
    let observed = |body| Observed { occurred_at: issue.at, link: issue.link(), body };
    Ok(told.into_iter().map(observed).collect())
}

/// It was an incident until this delivery made another kind of issue of it.
pub(super) fn was_one(issue: &Issue<'_>) -> bool {
    let before = issue.changed("issuetype").and_then(|item| text(&item["fromString"]));
    before.is_some_and(|before| Kind::of(before) == Kind::Incident)
}

/// It is gone, or another kind of issue now: it was none.
pub(super) fn read_retracted(issue: &Issue<'_>) -> Vec<Observed> {
    let body = Body::from(retracted(&details(issue), issue.at));
    vec![Observed { occurred_at: issue.at, link: issue.link(), body }]
}

fn detected(issue: &Issue<'_>, incident: Incident, at: Timestamp) -> Body {
    let creator = match issue.account(&issue.fields["creator"]) {
        nobody if nobody == Actor::default() => issue.account(&issue.fields["reporter"]),
        creator => creator,
    };
    IncidentDetected { incident, detected_at: Some(at), detected_by: creator }.into()
}

fn retracted(incident: &Incident, at: Timestamp) -> IncidentRetracted {
    IncidentRetracted { incident: incident.clone(), retracted_at: Some(at) }
}

/// How a finished incident ended; none where it is not told when.
fn ended(issue: &Issue<'_>, incident: &Incident) -> Result<Option<Body>, Unreadable> {
    let Some(at) = ended_at(issue)? else { return Ok(None) };
    if issue.status().is_some_and(is_cancelled) {
        return Ok(Some(retracted(incident, at).into()));
    }
    if let Some(into) = duplicate_of(issue) {
        return Ok(Some(IncidentMerged { incident: incident.clone(), into, merged_at: Some(at) }.into()));
    }
    // Whoever makes a later change has not resolved it.
    let resolved_by = if issue.moved().is_some() { issue.user() } else { Actor::default() };
    Ok(Some(IncidentResolved { incident: incident.clone(), resolved_at: Some(at), resolved_by }.into()))
}

/// When it ended: when its resolution was set, unless its status moved at another time. Many workflows keep the resolution of an issue
/// that is opened again, and with it the date.
fn ended_at(issue: &Issue<'_>) -> Result<Option<Timestamp>, Unreadable> {
    let moved = match issue.time("statuscategorychangedate")? {
        Some(at) => Some(at),
        None if issue.moved().is_some() && issue.changed("resolution").is_some() => Some(issue.at),
        None => None,
    };
    let resolved = issue.time("resolutiondate")?;
    Ok(match (resolved, moved) {
        (Some(resolved), Some(moved)) if (moved - resolved).0.abs() > ONE_ACT.0 => Some(moved),
        (None, None) => issue.moved().map(|_| issue.at),
        (resolved, moved) => resolved.or(moved),
    })
}

/// What a move between statuses, or a resolution taken back, tells of an incident that is not over.
fn progress(issue: &Issue<'_>, category: Category, incident: &Incident) -> Option<Body> {
    let incident = incident.clone();
    let unresolved = issue.changed("resolution").is_some_and(|item| {
        let set = |member: &str| text(&item[member]).is_some();
        (set("from") || set("fromString")) && !set("to") && !set("toString")
    });
    let moved = issue.moved();
    let left_the_end = moved.as_ref().is_some_and(|moved| is_finished(moved.from));
    if unresolved || left_the_end || text(&issue.body["issue_event_type_name"]) == Some("issue_reopened") {
        return Some(IncidentReopened { incident, reopened_at: Some(issue.at) }.into());
    }
    moved.filter(|_| category == Category::InProgress).map(|_| {
        let acknowledged_by = issue.user();
        IncidentAcknowledged { incident, acknowledged_at: Some(issue.at), acknowledged_by }.into()
    })
}

fn details(issue: &Issue<'_>) -> Incident {
    let named = references::given(issue.body);
    let priority = name(&issue.fields["priority"]).map(str::to_owned);
    let services = issue.services(named.service.as_ref());
    let mut kinds: Vec<String> = items(&issue.fields["labels"]).filter_map(text).map(str::to_owned).collect();
    kinds.sort();
    Incident {
        number: issue.key.map(str::to_owned),
        severity: references::severity(issue.body).or_else(|| priority.clone()),
        priority,
        about: about(issue, &named, &services),
        environment: named.environment.clone(),
        services,
        kinds,
        url: issue.link(),
        ..Incident::new(IncidentId::new(issue.path()))
    }
}

/// What it names as its cause: what a rule says, versions in "Affects versions", issues that it "is caused by".
fn about(issue: &Issue<'_>, named: &References, services: &[String]) -> Vec<References> {
    // Service and environment alone are the incident's own, and no link to what caused it.
    let own =
        References { service: named.service.clone(), environment: named.environment.clone(), ..References::default() };
    let said = (*named != own).then(|| named.clone());
    // Versions are those of the project: which of the services has which, only the releases know.
    let versions = items(&issue.fields["versions"]).filter_map(name).flat_map(|version| {
        let of = |service: Option<&String>| References {
            version: Some(version.to_owned()),
            service: service.cloned(),
            ..References::default()
        };
        let each: Vec<_> = services.iter().map(|service| of(Some(service))).collect();
        if each.is_empty() { vec![of(None)] } else { each }
    });
    let causes = items(&issue.fields["issuelinks"]).filter_map(|link| {
        let cause = text(&link["type"]["inward"])?.eq_ignore_ascii_case("is caused by");
        let ticket = text(&link["inwardIssue"]["key"]).filter(|_| cause)?;
        Some(References { ticket: Some(ticket.to_owned()), ..References::default() })
    });
    said.into_iter().chain(versions).chain(causes).collect()
}

/// The incident that remains, where it was resolved as a duplicate and says of which: it "duplicates" another one.
fn duplicate_of(issue: &Issue<'_>) -> Option<IncidentId> {
    name(&issue.fields["resolution"]).filter(|name| name.eq_ignore_ascii_case("duplicate"))?;
    let mut links = items(&issue.fields["issuelinks"]);
    let remains = links.find(|link| {
        link["outwardIssue"].is_object()
            && text(&link["type"]["outward"]).is_some_and(|word| word.eq_ignore_ascii_case("duplicates"))
    })?;
    issue.other_incident(&remains["outwardIssue"])
}

/// Default words of Jira for statuses of category `done`, needed for the one that was left: only the present one shows its category.
fn is_finished(status: &str) -> bool {
    ["resolved", "completed", "closed", "done"].contains(&status.to_lowercase().as_str()) || is_cancelled(status)
}

/// Default words for the end of what was none.
pub(super) fn is_cancelled(status: &str) -> bool {
    ["canceled", "cancelled", "withdrawn"].contains(&status.to_lowercase().as_str())
}
