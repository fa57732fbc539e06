//! Which releases a line would make: those that a catalog with it makes, beside those that the same catalog makes without it.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{Catalog, CatalogComponent};
use model::{Component, Repository, Timestamp};

use crate::catalog::default_component;
use crate::survey::{Release, Survey};

/// So many of the newest releases are shown.
const NEWEST: usize = 3;

/// What a line would make.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// Releases of a component; of an environment, those that are there with it and not without it.
    pub releases: usize,
    /// How many of them are not there without the line, or are others.
    pub by_it: usize,
    /// The newest releases, the newest first.
    pub newest: Vec<Release>,
    /// Releases that are there without the line and not with it, by their component.
    pub instead_of: BTreeMap<Component, usize>,
}

type Key = (Component, model::Version);

/// Derives releases under one catalog after the other.
pub struct Trial<'a> {
    survey: &'a mut Survey,
    since: Timestamp,
    whole: Catalog,
    /// Those of the whole catalog.
    with: BTreeMap<Key, Release>,
}

impl<'a> Trial<'a> {
    pub fn of(survey: &'a mut Survey, since: Timestamp, whole: Catalog) -> Self {
        let mut trial = Self { survey, since, whole: whole.clone(), with: BTreeMap::new() };
        trial.with = trial.releases(whole);
        trial
    }

    fn releases(&mut self, catalog: Catalog) -> BTreeMap<Key, Release> {
        self.survey.put(catalog);
        let releases = self.survey.releases(self.since);
        releases.into_iter().map(|release| ((release.component.clone(), release.version.clone()), release)).collect()
    }

    /// What an environment makes, by its place in the catalog.
    pub fn environment(&mut self, at: usize) -> Preview {
        let mut catalog = self.whole.clone();
        catalog.environments.remove(at);
        let without = self.releases(catalog);
        preview(&self.with, &without, |_, is_new| is_new, |_| true)
    }

    /// What each component makes. The components of different repositories do not touch one another, so one of each is left out at a time.
    pub fn components(&mut self) -> Vec<Preview> {
        let places = places(&self.whole.components);
        let rounds = places.iter().map(|place| place + 1).max().unwrap_or_default();
        let mut previews = vec![Preview::default(); places.len()];
        for round in 0..rounds {
            let mut catalog = self.whole.clone();
            let mut kept = places.iter().map(|place| *place != round);
            catalog.components.retain(|_| kept.next().unwrap_or(true));
            let without = self.releases(catalog);
            for (at, component) in self.whole.components.iter().enumerate().filter(|(at, _)| places[*at] == round) {
                previews[at] = self.of_component(component, &without);
            }
        }
        previews
    }

    /// What the markers of each component make; none where it has none.
    pub fn markers(&mut self) -> Vec<Option<Preview>> {
        if self.whole.components.iter().all(|component| component.markers.is_empty()) {
            return vec![None; self.whole.components.len()];
        }
        let mut catalog = self.whole.clone();
        catalog.components.iter_mut().for_each(|component| component.markers.clear());
        let without = self.releases(catalog);
        let of = |component: &CatalogComponent| {
            (!component.markers.is_empty()).then(|| self.of_component(component, &without))
        };
        self.whole.components.iter().map(of).collect()
    }

    fn of_component(&self, component: &CatalogComponent, without: &BTreeMap<Key, Release>) -> Preview {
        let name = &component.component;
        let siblings: BTreeSet<Component> = match &component.repository {
            Some(repository) => siblings(&self.whole, repository).chain([default_component(repository)]).collect(),
            None => component.services.iter().map(Component::new).collect(),
        };
        preview(&self.with, without, |of, _| of.0 == *name, |of| of == name || siblings.contains(of))
    }
}

fn siblings<'a>(catalog: &'a Catalog, repository: &'a Repository) -> impl Iterator<Item = Component> + use<'a> {
    let of = catalog.components.iter().filter(move |entry| entry.repository.as_ref() == Some(repository));
    of.map(|entry| entry.component.clone())
}

/// The how-manieth of its repository each component is.
fn places(components: &[CatalogComponent]) -> Vec<usize> {
    let mut seen: BTreeMap<Option<&Repository>, usize> = BTreeMap::new();
    components
        .iter()
        .map(|component| {
            let count = seen.entry(component.repository.as_ref()).or_default();
            *count += 1;
            *count - 1
        })
        .collect()
}

fn preview(
    with: &BTreeMap<Key, Release>,
    without: &BTreeMap<Key, Release>,
    makes: impl Fn(&Key, bool) -> bool,
    instead: impl Fn(&Component) -> bool,
) -> Preview {
    let is_new = |key: &Key, release: &Release| without.get(key) != Some(release);
    let mut made: Vec<(&Key, &Release)> =
        with.iter().filter(|(key, release)| makes(key, is_new(key, release))).collect();
    let by_it = made.iter().filter(|(key, release)| is_new(key, release)).count();
    made.sort_by(|(_, a), (_, b)| (b.at, &a.version).cmp(&(a.at, &b.version)));
    let mut instead_of = BTreeMap::new();
    for (key, release) in without {
        if instead(&key.0) && with.get(key) != Some(release) {
            *instead_of.entry(key.0.clone()).or_default() += 1;
        }
    }
    let newest = made.iter().take(NEWEST).map(|(_, release)| (*release).clone()).collect();
    Preview { releases: made.len(), by_it, newest, instead_of }
}
