//! To which releases incidents belong.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{References, Tier};
use model::fact::{DeploymentKind, Grade};
use model::{CommitId, Component, DeploymentId, IncidentId, Millis, Timestamp, Version};

use crate::catalog;
use crate::known::{Incident, ReleaseKey};
use crate::subjects::{brought, kind};
use crate::world::{Stop, World};

/// A release that an incident belongs to, or may belong to.
#[derive(Clone, Debug)]
pub struct Attribution {
    pub release: ReleaseKey,
    pub grade: Grade,
    /// The deployment that brought it, and when that had finished.
    pub deployment: Option<DeploymentId>,
    pub finished_at: Option<Timestamp>,
    /// From there to the beginning of the trouble.
    pub after: Option<Millis>,
    pub evidence: BTreeSet<String>,
}

/// What an incident amounts to.
#[derive(Debug, Default)]
pub struct Settled {
    pub grade: Grade,
    pub attributions: Vec<Attribution>,
    /// Those of them that are known to have degraded production: more than one guess by time among several.
    pub certain: Vec<Attribution>,
}

impl Settled {
    pub fn blames(&self, release: &ReleaseKey) -> bool {
        self.certain.iter().any(|attribution| attribution.release == *release)
    }
}

/// A release with the deployment that brought it.
type Brought = (ReleaseKey, Option<(DeploymentId, Option<Timestamp>)>);

fn by(component: &Component, stop: &Stop) -> Brought {
    let (finished_at, version, deployment) = stop.order.clone();
    ((component.clone(), version), Some((deployment, Some(finished_at))))
}

fn attribution((release, by): Brought, grade: Grade, incident: &Incident, evidence: BTreeSet<String>) -> Attribution {
    let (deployment, finished_at) = by.map_or((None, None), |(id, at)| (Some(id), at));
    let began = incident.began_at().or(incident.noticed_at());
    let after = began.zip(finished_at).map(|(began, finished)| began - finished);
    Attribution { release, grade, deployment, finished_at, after, evidence }
}

/// What an incident amounts to, with those that turned out to be it; nothing where it is none or another.
pub fn settle(world: &World, id: &IncidentId) -> Settled {
    let incident = &world.known.incidents[id];
    if incident.noticed_at().is_none() || incident.is_retracted() || remains_of(world, id) != *id {
        return Settled::default();
    }
    let all = one_with(world, id);
    let found = said(world, incident, &all).unwrap_or_else(|| {
        let named: Vec<Attribution> = all.iter().flat_map(|incident| named_by(world, incident)).collect();
        if named.is_empty() { all.iter().flat_map(|incident| shortly_before(world, incident)).collect() } else { named }
    });
    let was_said = all.iter().any(|incident| !incident.said.is_empty());
    let best = found.iter().map(|attribution| attribution.grade).min().unwrap_or_default();
    let grade = if was_said { Grade::Said } else { best };
    let attributions =
        one_for_each_release(found.into_iter().filter(|attribution| attribution.grade == grade).collect());
    let of_component = |a: &Attribution| attributions.iter().filter(|b| b.release.0 == a.release.0).count();
    let is_certain = |a: &&Attribution| grade != Grade::Window || of_component(a) == 1;
    let certain =
        attributions.iter().filter(|_| is_in_production(world, incident)).filter(is_certain).cloned().collect();
    Settled { grade, certain, attributions }
}

/// It names no environment, or one of production.
fn is_in_production(world: &World, incident: &Incident) -> bool {
    let tier = |given| catalog::environment(&world.known.catalog, given, None).1;
    incident.environment.as_ref().is_none_or(|given| tier(given) == Tier::Production)
}

/// The incident that remains: the last of the chain that something is told of; of a circle the least.
pub fn remains_of(world: &World, id: &IncidentId) -> IncidentId {
    let next = |id: &IncidentId| {
        let into = world.known.incidents.get(id)?.merged_into()?;
        world.known.incidents.get(into)?.noticed_at()?;
        Some(into.clone())
    };
    let mut chain = vec![id.clone()];
    while let Some(next) = chain.last().and_then(next) {
        if let Some(seen) = chain.iter().position(|of| *of == next) {
            return chain[seen..].iter().min().unwrap_or(&next).clone();
        }
        chain.push(next);
    }
    chain.pop().unwrap_or_else(|| id.clone())
}

/// What remains as this incident.
pub fn one_with<'a>(world: &'a World, id: &IncidentId) -> Vec<&'a Incident> {
    let all =
        world.known.incidents.iter().filter(|(other, i)| i.noticed_at().is_some() && remains_of(world, other) == *id);
    all.map(|(_, incident)| incident).collect()
}

/// Components that an incident concerns: those of its services, within its repositories where it names any; and those that its
/// references name, by a service, or where it names no service itself.
pub fn components_of(world: &World, incident: &Incident) -> BTreeSet<Component> {
    let catalog = &world.known.catalog;
    let repositories = incident.repositories();
    let mut components = BTreeSet::new();
    for service in &incident.services {
        let by_name = catalog::owner(catalog, None, Some(service));
        let is_declared = by_name.as_ref().is_some_and(|name| catalog::entry(catalog, name).is_some());
        if repositories.is_empty() || is_declared {
            components.extend(by_name);
        } else {
            components.extend(repositories.iter().filter_map(|of| catalog::owner(catalog, Some(of), Some(service))));
        }
    }
    for about in incident.about.keys().filter(|about| about.service.is_some() || incident.services.is_empty()) {
        components.extend(catalog::owner(catalog, about.repository.as_ref(), about.service.as_deref()));
    }
    components
}

/// What people said, in the order of the source's clock: an incident belongs to a release, or to none, which takes back all that was
/// said before, or it does not belong to one. None where nobody said anything.
fn said(world: &World, incident: &Incident, all: &[&Incident]) -> Option<Vec<Attribution>> {
    let said: BTreeSet<_> = all.iter().flat_map(|incident| incident.said.keys()).collect();
    let said: Vec<_> = said.into_iter().map(|(_, said)| said).collect();
    if said.is_empty() {
        return None;
    }
    let from = said.iter().rposition(|said| said.release.is_none() && said.previous.is_none()).unwrap_or(0);
    let mut releases = BTreeSet::new();
    for of in &said[from..] {
        if let Some(previous) = &of.previous {
            releases.remove(previous);
        }
        releases.extend(of.release.clone());
    }
    let evidence = all.iter().flat_map(|i| i.act_evidence().chain(i.said.values())).cloned();
    let evidence: BTreeSet<String> = evidence.collect();
    let brought = releases.iter().map(|release| brought_first(world, release));
    Some(brought.map(|brought| attribution(brought, Grade::Said, incident, evidence.clone())).collect())
}

/// What the references of an incident lead to.
fn named_by(world: &World, incident: &Incident) -> Vec<Attribution> {
    let mut found = Vec::new();
    for (about, told_by) in &incident.about {
        let evidence: BTreeSet<String> = incident.act_evidence().chain([told_by]).cloned().collect();
        let explicit = by_name(world, about, incident).into_iter();
        let explicit = explicit.chain(shipped(world, incident, &of_change(world, about)));
        found.extend(explicit.map(|by| attribution(by, Grade::Explicit, incident, evidence.clone())));
        let artifact = about.artifact.as_ref().and_then(|artifact| world.commit_of(artifact));
        let commits = about.commit.iter().chain(&artifact).filter_map(|given| world.resolve(given)).collect();
        let of_commit = shipped(world, incident, &commits).into_iter();
        found.extend(of_commit.map(|by| attribution(by, Grade::Commit, incident, evidence.clone())));
    }
    found
}

/// Releases by the deployment, the run or the version that is named.
fn by_name(world: &World, about: &References, incident: &Incident) -> Vec<Brought> {
    let mut found = Vec::new();
    if let Some(placed) = about.deployment.as_ref().and_then(|id| world.placed.get(id)) {
        let release = placed.version.clone().map(|version| (placed.component.clone(), version));
        found.extend(release.map(|release| (release, Some((placed.id.clone(), placed.succeeded_at)))));
    }
    for placed in about.run.iter().flat_map(|run| world.deployments_of(run)).filter(|p| p.tier == Tier::Production) {
        let order = placed.order();
        found.extend(order.map(|(at, version, id)| ((placed.component.clone(), version), Some((id, Some(at))))));
    }
    if let Some(version) = &about.version {
        let version = Version::new(version.as_str());
        let named = catalog::owner(&world.known.catalog, about.repository.as_ref(), about.service.as_deref());
        let components = named.map_or_else(|| components_of(world, incident), |named| BTreeSet::from([named]));
        let existing = components.into_iter().filter(|of| !world.deployments_as(of, &version).is_empty());
        found.extend(existing.map(|component| brought_first(world, &(component, version.clone()))));
    }
    found
}

/// Commits that the named change brought in.
fn of_change(world: &World, about: &References) -> BTreeSet<CommitId> {
    let key = about.repository.clone().zip(about.change.clone());
    let Some(key) = key.filter(|key| world.known.changes.contains_key(key)) else { return BTreeSet::new() };
    let own = |id: &&CommitId| world.brought_by(id).is_some_and(|(by, _)| *by == key);
    world.members(&key).iter().filter(own).cloned().collect()
}

/// Releases that first brought one of these commits to production, of the components concerned where they are among them. One whose
/// deployment nobody had seen when the incident was noticed is its remedy, not its cause.
fn shipped(world: &World, incident: &Incident, commits: &BTreeSet<CommitId>) -> Vec<Brought> {
    let mut found = Vec::new();
    for component in world.lines.keys().map(|(component, _)| component).collect::<BTreeSet<_>>() {
        let Some(line) = world.production(component) else { continue };
        let own = commits.iter().filter(|id| world.is_part(component, id));
        found.extend(own.filter_map(|id| Some(by(component, line.first(id)?))));
    }
    let concerned = components_of(world, incident);
    if found.iter().any(|(release, _)| concerned.contains(&release.0)) {
        found.retain(|(release, _)| concerned.contains(&release.0));
    }
    let sign = |id: &DeploymentId| world.known.deployments[id].first_sign();
    found.retain(|(_, by)| {
        let begun = by.as_ref().and_then(|(id, _)| sign(id));
        begun.is_none_or(|begun| incident.noticed_at().is_none_or(|noticed| begun <= noticed))
    });
    found
}

/// For each component, what came to production last before the trouble began, within the window; the same once more does not count.
fn shortly_before(world: &World, incident: &Incident) -> Vec<Attribution> {
    let Some(began) = incident.began_at().filter(|_| is_in_production(world, incident)) else { return Vec::new() };
    let evidence: BTreeSet<String> = incident.act_evidence().cloned().collect();
    let mut found = Vec::new();
    for component in components_of(world, incident) {
        let Some(line) = world.production(&component) else { continue };
        let window = catalog::attribution_window(&world.known.catalog, &component);
        let is_new = |stop: &&Stop| {
            kind(line, stop, brought(world, &component, line, stop).own.len()) != DeploymentKind::Redeploy
        };
        let mut within = line.stops.iter().filter(|stop| stop.order.0 <= began && began - stop.order.0 <= window);
        let last = within.rfind(is_new);
        found.extend(last.map(|stop| attribution(by(&component, stop), Grade::Window, incident, evidence.clone())));
    }
    found
}

/// The release with the deployment that brought it to production first.
fn brought_first(world: &World, (component, version): &ReleaseKey) -> Brought {
    let line = world.production(component);
    let first = line.and_then(|line| line.stops.iter().find(|stop| stop.order.1 == *version));
    first.map_or(((component.clone(), version.clone()), None), |stop| by(component, stop))
}

/// One for each release: by the deployment that finished first.
fn one_for_each_release(found: Vec<Attribution>) -> Vec<Attribution> {
    let mut of: BTreeMap<ReleaseKey, Vec<Attribution>> = BTreeMap::new();
    for attribution in found {
        of.entry(attribution.release.clone()).or_default().push(attribution);
    }
    let rank = |a: &Attribution| (a.finished_at.is_none(), a.finished_at, a.deployment.clone(), a.after);
    let best = |all: Vec<Attribution>| {
        let evidence = all.iter().flat_map(|attribution| attribution.evidence.clone()).collect();
        all.into_iter().min_by_key(rank).map(|first| Attribution { evidence, ..first })
    };
    of.into_values().filter_map(best).collect()
}
