//! Gates: their kind by their name, where events do not tell it, and what they are there to catch by the kinds of incidents.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use model::event::{CatalogGate, GateKind};

use super::words::{gate_kind_of, words};
use super::{Entry, Kind, Line, day};
use crate::state::State;
use crate::survey::{Tallies, Tally, list, quoted};

/// A gate as events speak of it.
#[derive(Debug, Default)]
struct Met {
    seen: Tally,
    told: BTreeSet<GateKind>,
}

/// The gates that were met, with entries that are proposed for them.
pub fn propose(state: &State, since: Timestamp) -> Vec<(CatalogGate, Entry)> {
    let incidents = incident_kinds(state, since);
    let mut met: BTreeMap<&str, Met> = BTreeMap::new();
    for gate in state.records.gates.values() {
        let Some((name, at)) = gate.name.get().zip(gate.last_seen().filter(|at| *at >= since)) else { continue };
        let met = met.entry(name).or_default();
        met.seen.add(at);
        met.told.extend(gate.kind.0.filter(|kind| *kind != GateKind::Unknown));
    }
    // A review of a change is none that somebody would look for in a catalog.
    let met = met.into_iter().filter(|(_, met)| met.told != BTreeSet::from([GateKind::Review]));
    met.map(|(name, met)| of_gate(name, &met, &incidents)).collect()
}

fn of_gate(name: &str, met: &Met, incidents: &Tallies<&str>) -> (CatalogGate, Entry) {
    let kind = met.told.is_empty().then(|| gate_kind_of(name)).flatten();
    let named = words(name);
    let catches = |kind: &&&str| words(kind).iter().any(|word| named.contains(word));
    let purposes: Vec<String> = incidents.0.keys().filter(catches).map(|kind| (*kind).to_owned()).collect();
    let gate = CatalogGate { gate: globset::escape(name), kind, purposes };
    let times = format!("met {} times, the last on {}", met.seen.count, day(met.seen.last));
    let mut lines = vec![Line::new("gate", quoted(&gate.gate), times)];
    if let Some(kind) = kind {
        lines.push(Line::new("kind", quoted(kind_name(kind)), "by its name: events do not tell".to_owned()));
    }
    let mut notes = Vec::new();
    if gate.purposes.is_empty() {
        let seen = incidents.0.keys().map(|kind| quoted(kind)).take(10).collect::<Vec<_>>().join(", ");
        let seen = if seen.is_empty() { "none have come yet".to_owned() } else { format!("those that came: {seen}") };
        notes.push(format!("Say with `purposes = […]` which kinds of incident it is there to catch; {seen}."));
    } else {
        lines.push(Line::new("purposes", list(&gate.purposes), "kinds of incident with a word of its name".to_owned()));
    }
    let entry = Entry { notes, ..Entry::new(Kind::Gate, name, lines) };
    (gate, entry)
}

fn incident_kinds(state: &State, since: Timestamp) -> Tallies<&str> {
    let mut kinds = Tallies::default();
    for incident in state.records.incidents.values() {
        let Some(at) = incident.last_seen().filter(|at| *at >= since) else { continue };
        for kind in incident.kinds.get().into_iter().flatten() {
            kinds.add(kind.as_str(), at);
        }
    }
    kinds
}

const fn kind_name(kind: GateKind) -> &'static str {
    match kind {
        GateKind::Unknown => "unknown",
        GateKind::DeploymentProtection => "deployment_protection",
        GateKind::Review => "review",
        GateKind::ManualJob => "manual_job",
        GateKind::ChangeBoard => "change_board",
        GateKind::Check => "check",
        GateKind::Timer => "timer",
        GateKind::MergeQueue => "merge_queue",
    }
}
