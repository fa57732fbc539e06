//! What is told while everything dies: the life of a few organisations, late, doubled and out of order.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use load::{Shape, World};
use model::event::{
    Actor, ActorKind, AttributionCorrected, BaselineNone, Body, Catalog, CatalogCalendar, CatalogComponent,
    CatalogEnvironment, CatalogGate, CiBody, Deployment, GatePurposeSaid, Incident, IncidentAcknowledged,
    IncidentDetected, IncidentMerged, IncidentReopened, IncidentResolved, IncidentRetracted, IncidentUpdated,
    ManualStepNamed, Outcome, Phase, References, ReleaseExcluded, ReleaseRef, ShiftAcknowledged, Tag, TagAction, Tier,
};
use model::{Component, Environment, IncidentId, Millis, Repository, Timestamp, Version};

/// The realms; each is a source of its own, of the same name. The keys of their records fall on different ones of three partitions.
pub const REALMS: [&str; 3] = ["shop", "web", "payments"];

const COMPONENTS: usize = 15;
const MINUTE: i64 = 60_000;
/// 2024-01-01T00:00:00Z.
const BEGINNING: Timestamp = Timestamp(1_704_067_200_000);
/// How far an event may be held back, in events.
const LATE: u64 = 1_500;
/// Of a hundred events, so many are told again later, and so many only later.
const DOUBLED: u32 = 5;
const HELD_BACK: u32 = 3;
/// A realm gets another catalog once in so many events of all realms.
const CATALOG_EVERY: u64 = 1_000;

/// A history without end.
pub struct History {
    world: World,
    chance: Rng,
    told: u64,
    next_catalog: u64,
    /// What is told later, by the count of events at which it is due.
    later: BTreeMap<(u64, u64), Told>,
    repositories: BTreeMap<&'static str, BTreeSet<Repository>>,
    incidents: u64,
}

/// An event before it is delivered.
#[derive(Clone, Debug)]
pub struct Told {
    /// Realm, and source.
    pub realm: &'static str,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub body: Body,
}

impl Iterator for History {
    type Item = Told;

    /// Never none.
    fn next(&mut self) -> Option<Told> {
        self.told += 1;
        if let Some(due) = self.later.first_entry().filter(|due| due.key().0 <= self.told) {
            return Some(due.remove());
        }
        if self.told >= self.next_catalog {
            self.next_catalog += CATALOG_EVERY;
            let realm = REALMS[self.chance.usize(..REALMS.len())];
            let catalog = self.catalog(realm);
            self.hold(Told { realm, occurred_at: BEGINNING, body: catalog.into() });
        }
        loop {
            let told = self.happens()?;
            self.besides(&told);
            if self.chance.u32(..100) < DOUBLED {
                self.hold(told.clone());
            }
            if self.chance.u32(..100) >= HELD_BACK {
                return Some(told);
            }
            self.hold(told);
        }
    }
}

impl History {
    /// The history of a seed.
    pub fn new(seed: u64) -> Self {
        let shape = Shape { realms: REALMS.len(), components: COMPONENTS, ..Shape::delivery() };
        Self {
            world: World::new(&shape, seed),
            chance: Rng::with_seed(!seed),
            told: 0,
            next_catalog: CATALOG_EVERY,
            later: BTreeMap::new(),
            repositories: BTreeMap::new(),
            incidents: 0,
        }
    }

    /// What happens next.
    fn happens(&mut self) -> Option<Told> {
        let event = self.world.next()?;
        let number = event.realm.as_str().rsplit('-').next().and_then(|number| number.parse::<usize>().ok())?;
        Some(Told { realm: REALMS.get(number)?, occurred_at: event.occurred_at, body: event.body })
    }

    fn hold(&mut self, told: Told) {
        let due = self.told + self.chance.u64(1..=LATE);
        self.later.insert((due, self.chance.u64(..)), told);
    }

    /// What people and other systems say because of an event.
    fn besides(&mut self, told: &Told) {
        let deployment = match &told.body {
            Body::Ci(CiBody::Push(push)) => {
                self.repositories.entry(told.realm).or_default().insert(push.repository.clone());
                return;
            }
            Body::Ci(CiBody::Deployment(deployment)) if deployment.phase == Phase::Finished => deployment.clone(),
            _ => return,
        };
        if deployment.environment.as_str() != "production" || deployment.outcome != Some(Outcome::Success) {
            return;
        }
        if let (Some(repository), Some(name)) = (&deployment.repository, &deployment.version) {
            let mut tag = Tag::new(repository.clone(), name.clone(), TagAction::Tagged);
            tag.commit = deployment.commit.clone();
            self.say(told, -30, tag);
        }
        let release = release(&deployment);
        match self.chance.u32(..10) {
            0..=2 => self.incident(told, &deployment, release),
            3 => {
                let started_at = told.occurred_at + Millis(-20 * MINUTE);
                let finished_at = started_at + Millis(8 * MINUTE);
                let named_by = person("tester");
                let name = "release notes".to_owned();
                let step = ManualStepNamed { release, name, started_at, finished_at, named_by };
                self.say(told, 60, step);
            }
            4 => {
                let excluded = self.chance.bool();
                self.say(told, 90, ReleaseExcluded { release, excluded, excluded_by: person("lead"), note: None });
            }
            5 => {
                let purposes = vec!["latency".to_owned(), "errors".to_owned()];
                let component = self.chance.bool().then(|| release.component.clone());
                let gate = "production".to_owned();
                self.say(told, 90, GatePurposeSaid { component, gate, purposes, said_by: person("lead") });
            }
            6 => self.say(told, 0, BaselineNone { component: release.component }),
            7 => {
                let (component, acknowledged_by) = (release.component, person("lead"));
                let acknowledged_at = self.chance.bool().then_some(told.occurred_at);
                self.say(told, 30, ShiftAcknowledged { component, acknowledged_at, acknowledged_by, note: None });
            }
            _ => {}
        }
    }

    fn say(&mut self, because: &Told, minutes: i64, body: impl Into<Body>) {
        let occurred_at = because.occurred_at + Millis(minutes * MINUTE);
        self.hold(Told { realm: because.realm, occurred_at, body: body.into() });
    }

    /// An incident from its beginning to its end.
    fn incident(&mut self, told: &Told, deployment: &Deployment, release: ReleaseRef) {
        self.incidents += 1;
        let id = |number: u64| IncidentId::new(format!("incidents.example.org/{}/{number}", told.realm));
        let bare = Incident::new(id(self.incidents));
        let mut incident = bare.clone();
        incident.severity = Some(if self.chance.bool() { "high" } else { "low" }.to_owned());
        incident.kinds = vec![if self.chance.bool() { "latency" } else { "errors" }.to_owned()];
        incident.environment = Some(Environment::new("production"));
        incident.services = vec![service(deployment)];
        let about = References { deployment: Some(deployment.deployment.clone()), ..References::default() };
        incident.about = if self.chance.bool() { vec![about] } else { Vec::new() };
        let begun = self.chance.i64(2..=600);
        incident.started_at = Some(told.occurred_at + Millis(begun * MINUTE));
        let detected = IncidentDetected { incident: incident.clone(), detected_at: None, detected_by: robot() };
        self.say(told, begun + 5, detected);
        let acknowledged_by = person("on call");
        let taken_on = IncidentAcknowledged { incident: bare.clone(), acknowledged_at: None, acknowledged_by };
        self.say(told, begun + 9, taken_on);
        incident.severity = Some("critical".to_owned());
        self.say(told, begun + 12, IncidentUpdated { incident, updated_at: None });
        let resolved_by = person("on call");
        let resolved = IncidentResolved { incident: bare.clone(), resolved_at: None, resolved_by };
        match self.chance.u32(..8) {
            0 => self.say(told, begun + 20, IncidentRetracted { incident: bare.clone(), retracted_at: None }),
            1 => {
                let into = id(self.incidents.saturating_sub(1));
                self.say(told, begun + 20, IncidentMerged { incident: bare.clone(), into, merged_at: None });
            }
            2 => self.say(told, begun + 70, IncidentReopened { incident: bare.clone(), reopened_at: None }),
            3 => {
                let (corrected_by, release) = (person("lead"), Some(release));
                let incident = bare.incident.clone();
                let other = AttributionCorrected { incident, release, previous: None, corrected_by, note: None };
                self.say(told, 99, other);
            }
            _ => {}
        }
        self.say(told, begun + 60, resolved);
    }

    /// What a realm declares: some of its repositories, under names that change.
    fn catalog(&mut self, realm: &str) -> Catalog {
        let named = self.chance.bool();
        let mut components = Vec::new();
        for repository in self.repositories.get(realm).into_iter().flatten() {
            let name = repository.as_str().rsplit('/').next().unwrap_or_default();
            let parts: &[(&str, &[&str])] = match self.chance.u32(..10) {
                0..=3 => continue,
                4 => &[("-core", &["src/part_1*/**"]), ("-rest", &["src/part_2/**", "src/part_3/**"])],
                _ => &[("", &[])],
            };
            components.extend(parts.iter().map(|(part, paths)| {
                let component = format!("{}{name}{part}", if named { "the-" } else { "" });
                let mut declared = declared(Component::new(component), repository);
                declared.services = vec![name.to_owned()];
                declared.paths = paths.iter().map(|path| (*path).to_owned()).collect();
                declared.baseline_none = named && part.is_empty();
                declared
            }));
        }
        let environment = |name: &str, alias: &str, tier| CatalogEnvironment {
            environment: Environment::new(name),
            aliases: vec![alias.to_owned()],
            tier,
        };
        let second = if self.chance.bool() { Tier::Staging } else { Tier::Integration };
        let gate = CatalogGate { gate: "production".to_owned(), kind: None, purposes: vec!["latency".to_owned()] };
        Catalog {
            revision: i64::try_from(self.told).unwrap_or(i64::MAX),
            teams: Vec::new(),
            components,
            environments: vec![
                environment("production", "prod*", Tier::Production),
                environment("staging", "stag*", second),
            ],
            gates: if self.chance.bool() { vec![gate] } else { Vec::new() },
            calendars: if self.chance.bool() { vec![office()] } else { Vec::new() },
        }
    }
}

fn declared(component: Component, repository: &Repository) -> CatalogComponent {
    CatalogComponent {
        component,
        team: None,
        repository: Some(repository.clone()),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: Vec::new(),
        markers: Vec::new(),
        partial_counts: false,
        attribution_window: None,
        baseline_none: false,
        calendar: None,
    }
}

fn office() -> CatalogCalendar {
    CatalogCalendar {
        calendar: "office".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        work_days: (1..=5).collect(),
        day_starts: 9 * 60,
        day_ends: 17 * 60,
        holidays: vec!["2024-05-01".to_owned()],
    }
}

/// Name under which people speak of what is deployed: the last part of its repository.
fn service(deployment: &Deployment) -> String {
    let repository = deployment.repository.as_ref().map(Repository::as_str).unwrap_or_default();
    repository.rsplit('/').next().unwrap_or_default().to_owned()
}

fn release(deployment: &Deployment) -> ReleaseRef {
    let repository = deployment.repository.as_ref().map(Repository::as_str).unwrap_or_default();
    let component = repository.split_once('/').map_or(repository, |(_, path)| path);
    let commit = deployment.commit.as_ref().map(|commit| commit.as_str().to_owned());
    let version = deployment.version.clone().or(commit).unwrap_or_default();
    ReleaseRef { component: Component::new(component), version: Version::new(version) }
}

fn person(account: &str) -> Actor {
    Actor { key: Some(format!("{account}@example.org")), kind: ActorKind::Human }
}

fn robot() -> Actor {
    Actor { key: None, kind: ActorKind::Machine }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_happens_in_every_realm() {
        let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut late = 0;
        let mut latest = BEGINNING;
        for told in History::new(1).take(12_000) {
            kinds.entry(told.realm).or_default().insert(told.body.kind());
            late += usize::from(told.occurred_at + Millis(60 * MINUTE) < latest);
            latest = latest.max(told.occurred_at);
        }
        let wanted = "Push Change ChangeReview PipelineRun TaskRun Deployment Tag GateRequested GateDecided IncidentDetected \
                      IncidentResolved ManualStepNamed GatePurposeSaid ShiftAcknowledged Catalog";
        for realm in REALMS {
            let missing: Vec<_> = wanted.split(' ').filter(|kind| !kinds[realm].contains(kind)).collect();
            assert!(missing.is_empty(), "{realm}: {missing:?}");
        }
        assert!(late > 500, "{late}");
    }
}
