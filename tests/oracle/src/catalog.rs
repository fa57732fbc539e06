//! What the catalog says, and what holds where it says nothing.

use model::event::{Catalog, CatalogComponent, CatalogGate, MarkerKind, Tier};
use model::{Component, Environment, Millis, Repository};

use crate::known::Paths;

/// What the catalog says of a component; of two entries of one name the first.
pub fn entry<'a>(catalog: &'a Catalog, component: &Component) -> Option<&'a CatalogComponent> {
    catalog.components.iter().find(|entry| entry.component == *component)
}

/// The component that a repository, a service or both belong to.
pub fn owner(catalog: &Catalog, repository: Option<&Repository>, service: Option<&str>) -> Option<Component> {
    let entries = &catalog.components;
    let called: Vec<&CatalogComponent> = entries
        .iter()
        .filter(|entry| {
            let is_name = |name| entry.component.as_str() == name || entry.services.iter().any(|of| of == name);
            service.is_some_and(is_name)
        })
        .collect();
    // A service by a name that the catalog knows, unless the catalog has that component in another repository.
    let elsewhere =
        |entry: &CatalogComponent| matches!((repository, &entry.repository), (Some(given), Some(of)) if given != of);
    if let Some(entry) = called.iter().find(|entry| !elsewhere(entry)) {
        return Some(entry.component.clone());
    }
    // A repository that is nobody's deploys components of others: the only one of that name.
    let is_somebodys = repository.is_some() && entries.iter().any(|entry| entry.repository.as_ref() == repository);
    if let (false, [only]) = (is_somebodys, &called[..]) {
        return Some(only.component.clone());
    }
    // The only component of its repository; else the repository by itself; without one, the service by itself.
    let Some(repository) = repository else { return service.map(Component::new) };
    let inside: Vec<_> = entries.iter().filter(|entry| entry.repository.as_ref() == Some(repository)).collect();
    match inside[..] {
        [only] => Some(only.component.clone()),
        _ => Some(by_itself(repository)),
    }
}

/// The component that a repository is by itself: its path without the host.
pub fn by_itself(repository: &Repository) -> Component {
    let parts: Vec<&str> = repository.as_str().splitn(2, '/').collect();
    Component::new(*parts.last().unwrap_or(&""))
}

/// Whether a commit that touched these paths is the component's; none where that cannot be told: no path is known and the
/// component has rules for them, or the list is cut and what is left of it does not touch the component.
pub fn belongs(catalog: &Catalog, component: &Component, paths: Option<&Paths>) -> Option<bool> {
    let Some(entry) = entry(catalog, component) else { return Some(true) };
    if entry.paths.is_empty() && entry.excluded_paths.is_empty() {
        return Some(true);
    }
    let paths = paths?;
    let touched = paths.list.iter().any(|path| holds(entry, path));
    (touched || paths.whole).then_some(touched)
}

/// Whether a path is a component's.
pub fn holds(entry: &CatalogComponent, path: &str) -> bool {
    let one_of = |patterns: &[String]| patterns.iter().any(|pattern| path_matches(pattern, path));
    (entry.paths.is_empty() || one_of(&entry.paths)) && !one_of(&entry.excluded_paths)
}

/// What counts as a deployment of a component: the kind that its list names first.
pub fn counting(entry: Option<&CatalogComponent>) -> MarkerKind {
    entry.and_then(|entry| entry.markers.first()).map_or(MarkerKind::Deployment, |marker| marker.kind)
}

/// How long after a deployment an incident may be its fault: a day, unless the catalog says otherwise.
pub fn attribution_window(catalog: &Catalog, component: &Component) -> Millis {
    entry(catalog, component).and_then(|entry| entry.attribution_window).unwrap_or(Millis(24 * 60 * 60 * 1000))
}

/// What the catalog says of a gate.
pub fn gate<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a CatalogGate> {
    catalog.gates.iter().find(|entry| wild(&entry.gate.to_lowercase(), &name.to_lowercase()))
}

/// Name and tier of an environment; `production` is what the provider says.
pub fn environment(catalog: &Catalog, given: &Environment, production: Option<bool>) -> (Environment, Tier) {
    for entry in &catalog.environments {
        let names = entry.aliases.iter().map(String::as_str).chain([entry.environment.as_str()]);
        if names.into_iter().any(|name| wild(&name.to_lowercase(), &given.as_str().to_lowercase())) {
            return (entry.environment.clone(), entry.tier);
        }
    }
    let tier = match given.as_str().to_lowercase().as_str() {
        _ if production == Some(true) => Tier::Production,
        "production" | "prod" | "live" => Tier::Production,
        "staging" | "stage" | "preprod" | "pre-production" | "preproduction" | "uat" => Tier::Staging,
        "integration" | "int" | "development" | "dev" | "test" | "testing" | "qa" => Tier::Integration,
        _ => Tier::Other,
    };
    (given.clone(), tier)
}

/// A path under a pattern as in git: `*` stays within a folder, `**` does not.
fn path_matches(pattern: &str, path: &str) -> bool {
    fn folders(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            // What is below a folder, and not the folder itself.
            (["**"], rest) => !rest.is_empty(),
            (["**", below @ ..], _) => (0..=path.len()).any(|skipped| folders(below, &path[skipped..])),
            ([name, below @ ..], [folder, rest @ ..]) => wild(name, folder) && folders(below, rest),
            _ => false,
        }
    }
    let parts = |text| str::split(text, '/').collect::<Vec<&str>>();
    folders(&parts(pattern), &parts(path))
}

/// A name under a pattern where `*` is any run of characters.
pub fn wild(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| wild(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_git() {
        for (pattern, path, matches) in [
            ("web/**", "web/src/a.ts", true),
            ("web/**", "web", false),
            ("web/*", "web/src/a.ts", false),
            ("**/go.mod", "go.mod", true),
            ("**/go.mod", "api/v2/go.mod", true),
            ("*.md", "docs/a.md", false),
            ("docs/*.md", "docs/a.md", true),
        ] {
            assert_eq!(path_matches(pattern, path), matches, "{pattern} {path}");
        }
        assert!(wild("prod*", "prod-eu") && wild("*eu*", "prod-eu-1") && !wild("prod", "prod-eu"));
    }
}
