//! Whether a release failed, how long production took to recover, and whether the release was rework.
//!
//! The terms are DORA's (dora.dev/guides/dora-metrics). *Change fail rate* is the share of deployments that need immediate
//! intervention, which shows as an incident or as a rollback: `failed`. *Failed deployment recovery time* is the time to recover
//! from such a deployment, and from nothing else, such as a failing data centre: `recovery`. *Deployment rework rate* is the share
//! of deployments that were not planned but made because of an incident in production: `rework`.
//!
//! An incident counts here where it concerns production and where it is known which release caused it: of several that came
//! shortly before, none is blamed.

use model::fact::{DeploymentKind, ReleaseFact, ReleaseKind};
use model::{Component, Millis, Timestamp};

use super::deployments::{count, kind};
use super::incidents::Settled;
use crate::entity::ReleaseKey;
use crate::state::{Scope, State};
use crate::track::Order;

impl State {
    /// Fills the columns about failure, from the kind of the release and its way to production.
    pub(super) fn tell_failure(&self, fact: &mut ReleaseFact) {
        let release = (fact.component.clone(), fact.version.clone());
        fact.excluded = self.is_excluded(&release);
        fact.incidents = count(self.incidents.of_release(&release).count());
        let order = fact.production_at.zip(fact.deployment.clone()).map(|(finished_at, deployment)| Order {
            finished_at,
            version: fact.version.clone(),
            deployment,
        });
        let shipped = !matches!(fact.kind, ReleaseKind::Rollback | ReleaseKind::Redeploy | ReleaseKind::Unfinished);
        let rolled_back_at = order.as_ref().filter(|_| shipped).and_then(|o| self.rolled_back_at(&fact.component, o));
        let caused: Vec<&Settled> =
            self.incidents.of_release(&release).map(|(_, i)| i).filter(|i| i.blames(&release)).collect();
        let began_at = caused.iter().filter_map(|i| i.began_at.or(i.noticed_at)).min().or(fact.production_at);
        fact.failed = !caused.is_empty() || rolled_back_at.is_some();
        fact.recovered_at = if caused.is_empty() { rolled_back_at } else { over_at(&caused) };
        fact.recovery = fact.recovered_at.zip(began_at).map(|(end, began)| (end - began).max(Millis(0)));
        fact.rework = matches!(fact.kind, ReleaseKind::Rollback | ReleaseKind::Hotfix)
            || order.is_some_and(|order| self.came_amid_trouble(&release, order.finished_at));
    }

    fn is_excluded(&self, release: &ReleaseKey) -> bool {
        self.records.exclusions.get(release).and_then(|said| said.excluded.get()).is_some_and(|excluded| *excluded)
    }

    /// When the next release that came to production took this one back, if it did. Further deployments of the same release, as to
    /// one region after the other, are not the next one.
    fn rolled_back_at(&self, component: &Component, order: &Order) -> Option<Timestamp> {
        let track = self.track(component, &Scope::Production)?;
        let end_of_time = Timestamp(i64::MAX);
        let later = track.between(order.finished_at, end_of_time).filter(|(other, _)| *other > order);
        let (next, head) = later.into_iter().find(|(other, _)| other.version != order.version)?;
        let ships = track.commits(next).into_iter().any(|place| self.is_part(component, place));
        (kind(track, next, head, usize::from(ships)) == DeploymentKind::Rollback).then_some(next.finished_at)
    }

    /// It came to production while an incident that an earlier release of the component had caused was open.
    fn came_amid_trouble(&self, release: &ReleaseKey, at: Timestamp) -> bool {
        let open = self.incidents.not_over_before(&release.0, at);
        open.filter(|i| i.noticed_at.is_some_and(|noticed| noticed < at)).any(|i| i.blames_earlier(release, at))
    }
}

/// When the last of them was over; none while one is not.
fn over_at(incidents: &[&Settled]) -> Option<Timestamp> {
    incidents.iter().map(|incident| incident.resolved_at).collect::<Option<Vec<_>>>()?.into_iter().max()
}
