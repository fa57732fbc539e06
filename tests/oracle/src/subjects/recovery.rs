//! Whether a release failed, how long production took to recover, and whether the release was rework.

use model::fact::{DeploymentKind, ReleaseFact, ReleaseKind};
use model::{Millis, Timestamp};

use super::count;
use super::deployments::{brought, kind};
use crate::incidents::Settled;
use crate::known::Incident;
use crate::world::World;

/// Fills the columns about failure, from the kind of the release and its way to production.
pub fn tell_failure(world: &World, row: &mut ReleaseFact) {
    let release = (row.component.clone(), row.version.clone());
    let all = || world.known.incidents.iter().map(|(id, incident)| (incident, &world.incidents[id]));
    let is_its = |settled: &Settled| settled.attributions.iter().any(|of| of.release == release);
    let caused: Vec<&Incident> = all().filter(|(_, settled)| settled.blames(&release)).map(|(i, _)| i).collect();
    let rolled_back_at = rolled_back_at(world, row);
    row.excluded = world.known.excluded.get(&release).copied().unwrap_or_default();
    row.incidents = count(all().filter(|(_, settled)| is_its(settled)).count());
    row.failed = !caused.is_empty() || rolled_back_at.is_some();
    row.recovered_at = match &caused[..] {
        [] => rolled_back_at,
        // When the last of them was over, if all are.
        _ if caused.iter().any(|incident| incident.resolved_at().is_none()) => None,
        _ => caused.iter().filter_map(|incident| incident.resolved_at()).max(),
    };
    let began = caused.iter().filter_map(|incident| incident.began_at().or(incident.noticed_at())).min();
    let span = row.recovered_at.zip(began.or(row.production_at));
    row.recovery = span.map(|(recovered, began)| (recovered - began).max(Millis(0)));
    let amid_trouble = row.production_at.is_some_and(|at| all().any(|(i, settled)| troubles(i, settled, row, at)));
    row.rework = matches!(row.kind, ReleaseKind::Rollback | ReleaseKind::Hotfix) || amid_trouble;
}

/// When the next release that came to production took this one back, if it shipped anything.
fn rolled_back_at(world: &World, row: &ReleaseFact) -> Option<Timestamp> {
    if matches!(row.kind, ReleaseKind::Rollback | ReleaseKind::Redeploy | ReleaseKind::Unfinished) {
        return None;
    }
    let line = world.production(&row.component)?;
    let own = line.stops.iter().position(|stop| Some(&stop.order.2) == row.deployment.as_ref())?;
    let next = line.stops[own..].iter().find(|stop| stop.order.1 != row.version)?;
    let kind = kind(line, next, brought(world, &row.component, line, next).own.len());
    (kind == DeploymentKind::Rollback).then_some(next.order.0)
}

/// An incident that an earlier release of the component had caused was open at that instant.
fn troubles(incident: &Incident, settled: &Settled, row: &ReleaseFact, at: Timestamp) -> bool {
    let is_open = incident.noticed_at().is_some_and(|noticed| noticed < at)
        && incident.resolved_at().is_none_or(|resolved| resolved >= at);
    let by_earlier = settled.certain.iter().any(|of| {
        let (component, version) = &of.release;
        *component == row.component && *version != row.version && of.finished_at.is_some_and(|finished| finished < at)
    });
    is_open && by_earlier
}
