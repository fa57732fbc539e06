//! What the catalog says, ready to be asked; and what holds where it says nothing.

use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use model::event::{Catalog, CatalogComponent, CatalogGate, Marker, MarkerKind, Tier};
use model::{Component, Environment, Millis, Repository};

/// How long after a deployment an incident may be its fault, where the catalog does not say: a day, since what does not show within
/// one is seldom the last deployment's fault alone.
pub const ATTRIBUTION_WINDOW: Millis = Millis(24 * 60 * 60 * 1000);

use crate::calendar::Calendar;

/// A catalog with its patterns compiled.
#[derive(Debug, Default)]
pub struct Rules {
    catalog: Catalog,
    components: Vec<ComponentRule>,
    environments: Vec<GlobSet>,
    gates: Vec<GlobSet>,
    calendars: Vec<Option<Arc<Calendar>>>,
}

#[derive(Debug)]
struct ComponentRule {
    included: GlobSet,
    excluded: GlobSet,
    /// Names that its markers match, in their order.
    markers: Vec<GlobSet>,
}

/// Patterns that cannot be compiled match nothing; the command that puts a catalog refuses them by name.
fn compile<'a>(patterns: impl Iterator<Item = &'a str>, paths: bool) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(paths).case_insensitive(!paths).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

impl Rules {
    /// Compiles a catalog.
    pub fn new(catalog: Catalog) -> Self {
        let components = catalog
            .components
            .iter()
            .map(|c| ComponentRule {
                included: compile(c.paths.iter().map(String::as_str), true),
                excluded: compile(c.excluded_paths.iter().map(String::as_str), true),
                markers: c
                    .markers
                    .iter()
                    .map(|m| compile(m.name.as_deref().or(Some("*")).into_iter(), false))
                    .collect(),
            })
            .collect();
        let environments = catalog
            .environments
            .iter()
            .map(|e| compile(e.aliases.iter().map(String::as_str).chain([e.environment.as_str()]), false))
            .collect();
        let gates = catalog.gates.iter().map(|gate| compile([gate.gate.as_str()].into_iter(), false)).collect();
        // One that cannot be meant is none; the command that puts a catalog refuses it by name.
        let calendars = catalog.calendars.iter().map(|given| Calendar::new(given).ok().map(Arc::new)).collect();
        Self { catalog, components, environments, gates, calendars }
    }

    /// The catalog itself.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What the catalog says of a component.
    pub fn component(&self, name: &Component) -> Option<&CatalogComponent> {
        self.catalog.components.iter().find(|c| c.component == *name)
    }

    /// Whether a component claims the repository.
    pub fn claims(&self, repository: &Repository) -> bool {
        self.catalog.components.iter().any(|entry| entry.repository.as_ref() == Some(repository))
    }

    /// Whether a component is called so, or says that events call it so.
    pub fn names(&self, service: &str) -> bool {
        let named = |entry: &CatalogComponent| {
            entry.component.as_str() == service || entry.services.iter().any(|known| known == service)
        };
        self.catalog.components.iter().any(named)
    }

    /// Whether an entry is about the environment.
    pub fn knows_environment(&self, given: &Environment) -> bool {
        self.environments.iter().any(|names| names.is_match(given.as_str()))
    }

    /// How long after a deployment of the component an incident may be its fault.
    pub fn attribution_window(&self, component: &Component) -> Millis {
        self.component(component).and_then(|entry| entry.attribution_window).unwrap_or(ATTRIBUTION_WINDOW)
    }

    /// Something other than deployment events counts for some component.
    pub fn has_markers(&self) -> bool {
        self.catalog.components.iter().any(|c| counting(c) != MarkerKind::Deployment)
    }

    /// What counts as a deployment of a component: the first kind in its list, and nothing else.
    pub fn counting(&self, component: &Component) -> MarkerKind {
        self.component(component).map_or(MarkerKind::Deployment, counting)
    }

    /// Components for which something of this kind and name counts as a deployment, each with the first of its markers that says so.
    pub fn marking<'a>(
        &'a self,
        kind: MarkerKind,
        repository: &'a Repository,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a Component, &'a Marker)> {
        let of = move |(entry, rule): (&'a CatalogComponent, &'a ComponentRule)| {
            let fits = counting(entry) == kind && entry.repository.as_ref() == Some(repository);
            let mut markers = entry.markers.iter().zip(&rule.markers).filter(|_| fits);
            let (marker, _) = markers.find(|(marker, names)| marker.kind == kind && names.is_match(name))?;
            Some((&entry.component, marker))
        };
        self.catalog.components.iter().zip(&self.components).filter_map(of)
    }

    /// Calendar of a component: the one it names, else the first of the catalog. None where it names one that is not there.
    pub fn calendar(&self, name: &Component) -> Option<&Arc<Calendar>> {
        let named = self.component(name).and_then(|component| component.calendar.as_ref());
        let at = match named {
            Some(named) => self.catalog.calendars.iter().position(|calendar| calendar.calendar == *named)?,
            None => 0,
        };
        self.calendars.get(at)?.as_ref()
    }

    /// What the catalog says of a gate: the first entry whose name matches.
    pub fn gate(&self, name: &str) -> Option<&CatalogGate> {
        let at = self.gates.iter().position(|names| names.is_match(name))?;
        self.catalog.gates.get(at)
    }

    /// Component that a repository, a service or both belong to.
    ///
    /// The service's name decides where the catalog knows it; else the repository, where it holds one component; else the
    /// repository is a component by itself, and a service without one is, too.
    pub fn owner(&self, repository: Option<&Repository>, service: Option<&str>) -> Option<Component> {
        let fits = |c: &&CatalogComponent| match (repository, &c.repository) {
            (Some(given), Some(of)) => given == of,
            _ => true,
        };
        let named = |c: &&CatalogComponent| {
            service.is_some_and(|s| c.component.as_str() == s || c.services.iter().any(|known| known == s))
        };
        if let Some(found) = self.catalog.components.iter().filter(fits).find(named) {
            return Some(found.component.clone());
        }
        // What is made from a repository of no component, as by GitOps, belongs to the only component of that name.
        let is_source =
            repository.is_some_and(|r| self.catalog.components.iter().any(|c| c.repository.as_ref() == Some(r)));
        let mut elsewhere = self.catalog.components.iter().filter(named).filter(|_| !is_source);
        if let (Some(only), None) = (elsewhere.next(), elsewhere.next()) {
            return Some(only.component.clone());
        }
        match repository {
            Some(repository) => {
                let mut of = self.catalog.components.iter().filter(|c| c.repository.as_ref() == Some(repository));
                match (of.next(), of.next()) {
                    (Some(only), None) => Some(only.component.clone()),
                    _ => Some(default_component(repository)),
                }
            }
            None => service.map(Component::new),
        }
    }

    /// Whether the paths of a commit matter for whether it belongs to the component.
    pub fn asks_for_paths(&self, component: &Component) -> bool {
        self.component(component).is_some_and(|entry| !entry.paths.is_empty() || !entry.excluded_paths.is_empty())
    }

    /// Whether a path is part of a component.
    pub fn holds(&self, component: &Component, path: &str) -> bool {
        let Some(at) = self.catalog.components.iter().position(|c| c.component == *component) else { return true };
        let (rule, entry) = (&self.components[at], &self.catalog.components[at]);
        (entry.paths.is_empty() || rule.included.is_match(path)) && !rule.excluded.is_match(path)
    }

    /// Whether a commit that touched these paths belongs to a component; `None` where the paths are not known and matter.
    pub fn belongs(&self, component: &Component, paths: Option<&[String]>) -> Option<bool> {
        let Some(at) = self.catalog.components.iter().position(|c| c.component == *component) else {
            return Some(true);
        };
        let entry = &self.catalog.components[at];
        if entry.paths.is_empty() && entry.excluded_paths.is_empty() {
            return Some(true);
        }
        paths.map(|paths| paths.iter().any(|path| self.holds(component, path)))
    }

    /// Name and tier of an environment. `production` is what the provider says.
    pub fn environment(&self, given: &Environment, production: Option<bool>) -> (Environment, Tier) {
        for (entry, names) in self.catalog.environments.iter().zip(&self.environments) {
            if names.is_match(given.as_str()) {
                return (entry.environment.clone(), entry.tier);
            }
        }
        let tier = if production == Some(true) { Tier::Production } else { tier_by_name(given.as_str()) };
        (given.clone(), tier)
    }
}

fn counting(component: &CatalogComponent) -> MarkerKind {
    component.markers.first().map_or(MarkerKind::Deployment, |marker| marker.kind)
}

/// A repository that the catalog does not name is a component: its path without the host.
pub fn default_component(repository: &Repository) -> Component {
    let path = repository.as_str();
    Component::new(path.split_once('/').map_or(path, |(_, rest)| rest))
}

/// Names of environments that tell what they are for, without regard to case. GitHub's word that one is production tells, too.
pub const TIER_NAMES: [(Tier, &[&str]); 3] = [
    (Tier::Production, &["production", "prod", "live"]),
    (Tier::Staging, &["staging", "stage", "preprod", "pre-production", "preproduction", "uat"]),
    (Tier::Integration, &["integration", "int", "development", "dev", "test", "testing", "qa"]),
];

fn tier_by_name(name: &str) -> Tier {
    let name = name.to_ascii_lowercase();
    TIER_NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map_or(Tier::Other, |(tier, _)| *tier)
}

/// Whether a catalog counts before another: the higher revision does; of one revision, the one that compares greater when written out.
#[must_use]
pub fn outranks(one: &Catalog, other: &Catalog) -> bool {
    let rank = |catalog: &Catalog| (catalog.revision, format!("{catalog:?}"));
    rank(one) > rank(other)
}
