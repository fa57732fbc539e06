//! To which release an incident belongs, and how well that is known.
//!
//! The best grade there is counts, and releases of that grade only: what a person said; the deployment, version, run or change that
//! the incident names; the commit or artifact that it names; what came last to its services shortly before. Several releases stay
//! several: none is picked.

use std::collections::{BTreeMap, BTreeSet};

use model::event::References;
use model::fact::{DeploymentKind, Grade};
use model::{Component, DeploymentId, IncidentId, Timestamp, Version};

use super::deployments::{evidence, kind};
use super::incidents::{Attribution, Settled};
use super::is_production;
use crate::entity::{Correction, Incident, ReleaseKey};
use crate::graph::Place;
use crate::state::{Scope, State};
use crate::track::Order;

/// A release, and the deployment that brought it where the incident may come from.
#[derive(Clone, Debug)]
struct Brought {
    release: ReleaseKey,
    deployment: Option<DeploymentId>,
    finished_at: Option<Timestamp>,
}

impl Brought {
    fn by(component: &Component, order: &Order) -> Self {
        Self {
            release: (component.clone(), order.version.clone()),
            deployment: Some(order.deployment.clone()),
            finished_at: Some(order.finished_at),
        }
    }

    fn attribution(self, grade: Grade, incident: &Incident, evidence: Vec<String>) -> Attribution {
        let began_at = incident.course().began_at().or(incident.noticed_at());
        let Self { release, deployment, finished_at } = self;
        let after = began_at.zip(finished_at).map(|(began, finished)| began - finished);
        Attribution { release, grade, deployment, finished_at, after, evidence }
    }
}

impl State {
    /// What an incident amounts to, those that turned out to be it included.
    pub fn attribute(&self, id: &IncidentId) -> Settled {
        let told = self.records.incidents.get(id).and_then(|incident| Some((incident, incident.noticed_at()?)));
        let Some((incident, noticed_at)) = told else { return Settled::default() };
        let course = incident.course();
        let mut settled = Settled {
            noticed_at: Some(noticed_at),
            began_at: course.began_at(),
            resolved_at: course.resolved_at,
            in_production: self.is_in_production(incident),
            ..Settled::default()
        };
        if course.retracted {
            return settled;
        }
        settled.watched = self.components_of(incident);
        if self.remains_of(id) != *id {
            return settled;
        }
        let all = self.one_with(id);
        settled.kinds = all.iter().filter_map(|incident| incident.kinds.get()).flatten().cloned().collect();
        if let Some(said) = said(&all) {
            settled.grade = Grade::Said;
            let ids = all.iter().flat_map(|i| i.acts.values().chain(i.corrections.values()));
            let evidence = evidence(ids.filter_map(|id| id.0.as_ref()));
            let said = said.iter().map(|release| self.brought_first(release));
            settled.attributions = said.map(|b| b.attribution(Grade::Said, incident, evidence.clone())).collect();
            return settled;
        }
        let mut found: Vec<Attribution> =
            all.iter().flat_map(|incident| self.named_by(incident, &mut settled.considered)).collect();
        if found.is_empty() {
            found = all.iter().flat_map(|incident| self.shortly_before(incident)).collect();
        }
        settled.grade = found.iter().map(|attribution| attribution.grade).min().unwrap_or_default();
        settled.attributions = best(found, settled.grade);
        settled
    }

    /// Components that an incident concerns: those that its services mean, and those of services that its references name. Without
    /// a service, the components of the repositories that it names.
    pub(super) fn components_of(&self, incident: &Incident) -> BTreeSet<Component> {
        let repositories = incident.repositories();
        let services = incident.services.get().map(Vec::as_slice).unwrap_or_default();
        let mut components = BTreeSet::new();
        for service in services {
            let by_name = self.rules.owner(None, Some(service));
            // A name that the catalog does not know may be that of a service within the repository.
            match by_name.filter(|name| repositories.is_empty() || self.rules.component(name).is_some()) {
                Some(component) => _ = components.insert(component),
                None => components.extend(repositories.iter().filter_map(|r| self.rules.owner(Some(r), Some(service)))),
            }
        }
        let about = incident.about.keys().filter(|about| about.service.is_some() || services.is_empty());
        components.extend(about.filter_map(|a| self.rules.owner(a.repository.as_ref(), a.service.as_deref())));
        components
    }

    /// What the references of an incident lead to. The deployments whose times decide it are added to `considered`.
    fn named_by(&self, incident: &Incident, considered: &mut BTreeSet<DeploymentId>) -> Vec<Attribution> {
        let components = self.components_of(incident);
        let mut found = Vec::new();
        for (about, told_by) in &incident.about {
            let ids = incident.acts.values().chain([told_by]).filter_map(|id| id.0.as_ref());
            let evidence = evidence(ids);
            let mut of_change = self.shipped(self.commits_of_change(about), &components);
            let mut of_commit = self.shipped(self.commits_named(about), &components);
            considered.extend(of_change.iter().chain(&of_commit).filter_map(|brought| brought.deployment.clone()));
            of_change.retain(|brought| self.may_have_caused(brought, incident));
            of_commit.retain(|brought| self.may_have_caused(brought, incident));
            let explicit = self.deployed_as_named(about, &components).into_iter().chain(of_change);
            found.extend(explicit.map(|b| b.attribution(Grade::Explicit, incident, evidence.clone())));
            found.extend(of_commit.into_iter().map(|b| b.attribution(Grade::Commit, incident, evidence.clone())));
        }
        found
    }

    /// Releases by the deployment, the run or the version that a reference names.
    fn deployed_as_named(&self, about: &References, components: &BTreeSet<Component>) -> Vec<Brought> {
        let mut found = Vec::new();
        if let Some((id, placed)) = about.deployment.as_ref().and_then(|id| self.placed.get_key_value(id)) {
            found.extend(placed.version.as_ref().map(|version| Brought {
                release: (placed.component.clone(), version.clone()),
                deployment: Some(id.clone()),
                finished_at: placed.succeeded_at,
            }));
        }
        let of_run = about.run.iter().flat_map(|run| self.deployments_of(run));
        let of_run =
            of_run.filter_map(|id| Some((id, self.placed.get(id).filter(|placed| is_production(placed.tier))?)));
        found.extend(of_run.filter_map(|(id, placed)| Some(Brought::by(&placed.component, &placed.order(id)?.0))));
        if let Some(version) = &about.version {
            let named = self.rules.owner(about.repository.as_ref(), about.service.as_deref());
            let named = named.map_or_else(|| components.clone(), |component| BTreeSet::from([component]));
            let releases = named.into_iter().map(|component| (component, Version::new(version.as_str())));
            let existing = releases.filter(|release| self.by_release.of(release).next().is_some());
            found.extend(existing.map(|release| self.brought_first(&release)));
        }
        found
    }

    /// Commits that the change named by a reference brought in itself: a branch that lives on holds those of earlier changes, too.
    fn commits_of_change(&self, about: &References) -> Vec<Place> {
        let Some(key) = about.repository.clone().zip(about.change.clone()) else { return Vec::new() };
        self.members(&key).filter(|place| self.brought_by(*place).is_some_and(|(by, _, _)| *by == key)).collect()
    }

    fn commits_named(&self, about: &References) -> Vec<Place> {
        let built = about.artifact.as_ref().and_then(|artifact| self.commit_of(artifact));
        [about.commit.as_ref(), built.as_ref()].into_iter().filter_map(|given| self.find(given)).collect()
    }

    /// Releases that first brought one of these commits to production: of the components concerned, where they are among them.
    fn shipped(&self, commits: Vec<Place>, concerned: &BTreeSet<Component>) -> Vec<Brought> {
        let mut found = Vec::new();
        for (place, (id, order)) in commits.iter().flat_map(|place| self.tracks.of(*place).map(move |by| (place, by))) {
            let (component, scope) = self.tracks.name(id);
            if *scope == Scope::Production && self.is_part(component, *place) {
                found.push(Brought::by(component, order));
            }
        }
        if found.iter().any(|brought| concerned.contains(&brought.release.0)) {
            found.retain(|brought| concerned.contains(&brought.release.0));
        }
        found
    }

    /// A change or commit that came to production only after the incident had been noticed is its remedy, not its cause. (A
    /// deployment under way counts from its first sign, not from its finish.)
    fn may_have_caused(&self, brought: &Brought, incident: &Incident) -> bool {
        let begun = brought.deployment.as_ref().and_then(|id| self.first_sign(id));
        begun.zip(incident.noticed_at()).is_none_or(|(begun, noticed)| begun <= noticed)
    }

    /// For each component of the incident, what was deployed to production last before the trouble began, within the window.
    fn shortly_before(&self, incident: &Incident) -> Vec<Attribution> {
        let Some(began) = incident.course().began_at().filter(|_| self.is_in_production(incident)) else {
            return Vec::new();
        };
        let evidence = evidence(incident.acts.values().filter_map(|id| id.0.as_ref()));
        let components = self.components_of(incident);
        let last = components.iter().filter_map(|component| {
            let track = self.track(component, &Scope::Production)?;
            let from = Timestamp(began.0.saturating_sub(self.rules.attribution_window(component).0));
            let ships = |(order, head): &(&Order, Place)| {
                let any = track.commits(order).into_iter().any(|place| self.is_part(component, place));
                kind(track, order, *head, usize::from(any)) != DeploymentKind::Redeploy
            };
            let (order, _) = track.between(from, began).rev().find(ships)?;
            Some(Brought::by(component, order))
        });
        last.map(|brought| brought.attribution(Grade::Window, incident, evidence.clone())).collect()
    }

    /// The release with the deployment that brought it to production first.
    fn brought_first(&self, release: &ReleaseKey) -> Brought {
        let placed = self.by_release.of(release).filter_map(|id| Some((id, self.placed.get(id)?)));
        let production = placed.filter(|(_, placed)| is_production(placed.tier));
        match production.filter_map(|(id, placed)| Some(placed.order(id)?.0)).min() {
            Some(order) => Brought::by(&release.0, &order),
            None => Brought { release: release.clone(), deployment: None, finished_at: None },
        }
    }
}

/// The releases that people said an incident belongs to, in the order of the source's clock; none where nobody said anything.
///
/// That it belongs to none takes back what was said before, but for a correction that takes back one of several.
fn said(all: &[&Incident]) -> Option<BTreeSet<ReleaseKey>> {
    let corrections: BTreeSet<&(Timestamp, Correction)> = all.iter().flat_map(|i| i.corrections.keys()).collect();
    let mut said = None;
    for (_, Correction { release, previous }) in corrections {
        let releases: &mut BTreeSet<ReleaseKey> = said.get_or_insert_default();
        match (release, previous) {
            (None, None) => releases.clear(),
            (_, Some(previous)) => _ = releases.remove(previous),
            (Some(_), None) => {}
        }
        releases.extend(release.clone());
    }
    said
}

/// Attributions of this grade, one for each release: by the deployment that finished first.
fn best(found: Vec<Attribution>, grade: Grade) -> Vec<Attribution> {
    let mut of: BTreeMap<ReleaseKey, Attribution> = BTreeMap::new();
    for mut next in found.into_iter().filter(|attribution| attribution.grade == grade) {
        if let Some(known) = of.remove(&next.release) {
            let ids = evidence(known.evidence.iter().chain(&next.evidence));
            let rank = |a: &Attribution| (a.finished_at.is_none(), a.finished_at, a.deployment.clone(), a.after);
            next = if rank(&known) <= rank(&next) { known } else { next };
            next.evidence = ids;
        }
        of.insert(next.release.clone(), next);
    }
    of.into_values().collect()
}
