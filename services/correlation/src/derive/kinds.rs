//! Kinds of release: what it ships, and from where.
//!
//! - *Hotfix*: it ships commits, none of them had come to the default branch by its finish although somebody watched that branch
//!   when they were made, and it builds on what production already had.
//! - *Dependencies*: every file that its commits touched is a lock file, a plain list of dependencies, or a manifest that changed
//!   for the sake of them: a manifest holds more than dependencies, so it counts where a machine wrote the commit or where a lock
//!   file changed with it.
//! - *Configuration*: every file that its commits touched holds settings and stands in a folder of settings.
//!
//! Of a component with paths of its own, its files alone count. Where the files of a commit are not all known, the release is a
//! regular one: a kind is never guessed.

use model::Component;
use model::fact::{DeploymentKind, ReleaseKind};

use super::releases::Reached;
use crate::graph::Place;
use crate::state::State;

/// Files that tools write to pin dependencies.
const LOCKS: [&str; 22] = [
    ".terraform.lock.hcl",
    "Cargo.lock",
    "Gemfile.lock",
    "Package.resolved",
    "Pipfile.lock",
    "Podfile.lock",
    "bun.lock",
    "bun.lockb",
    "composer.lock",
    "flake.lock",
    "go.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pubspec.lock",
    "uv.lock",
    "yarn.lock",
];

/// Files that list dependencies and nothing else. `requirements*.txt` and `constraints*.txt` are, too.
const LISTS: [&str; 4] = ["Directory.Packages.props", "Gemfile", "go.mod", "libs.versions.toml"];

/// Files that list dependencies among other things.
const MANIFESTS: [&str; 14] = [
    "Cargo.toml",
    "Chart.yaml",
    "Package.swift",
    "Pipfile",
    "Podfile",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "flake.nix",
    "mix.exs",
    "package.json",
    "pom.xml",
    "pubspec.yaml",
    "pyproject.toml",
];

/// Folders that hold settings, at any depth.
const SETTINGS: [&str; 14] = [
    "chart",
    "charts",
    "conf",
    "config",
    "configs",
    "deploy",
    "deployment",
    "deployments",
    "environments",
    "envs",
    "helm",
    "k8s",
    "kubernetes",
    "overlays",
];

/// Endings of files that hold settings.
const FORMATS: [&str; 9] = ["conf", "env", "ini", "json", "properties", "tfvars", "toml", "yaml", "yml"];

/// What a file holds, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Lock,
    Dependencies,
    DependenciesAndMore,
    Settings,
    Anything,
}

fn holds(path: &str) -> Holds {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let listed = ["requirements", "constraints"].iter().any(|list| name.starts_with(list));
    if LOCKS.contains(&name) {
        return Holds::Lock;
    }
    if LISTS.contains(&name) || listed && name.ends_with(".txt") {
        return Holds::Dependencies;
    }
    if MANIFESTS.contains(&name) {
        return Holds::DependenciesAndMore;
    }
    let format = name.rsplit_once('.').is_some_and(|(_, ending)| FORMATS.contains(&ending)) || name.starts_with(".env");
    if format && folder.split('/').any(|part| SETTINGS.contains(&part)) { Holds::Settings } else { Holds::Anything }
}

impl State {
    /// Kind of a release that ships these commits.
    pub(super) fn release_kind(&self, component: &Component, reached: &Reached<'_>, commits: &[Place]) -> ReleaseKind {
        match reached.kind {
            DeploymentKind::Baseline if self.has_baseline(component) => ReleaseKind::Baseline,
            DeploymentKind::Rollback => ReleaseKind::Rollback,
            DeploymentKind::Redeploy => ReleaseKind::Redeploy,
            _ if self.is_hotfix(reached, commits) => ReleaseKind::Hotfix,
            _ => self.kind_by_files(component, commits),
        }
    }

    fn is_hotfix(&self, reached: &Reached<'_>, commits: &[Place]) -> bool {
        !commits.is_empty()
            && commits.iter().all(|place| self.stayed_away(*place, reached))
            && builds_on_earlier(self, reached)
    }

    /// The commit had not come to the default branch by then, nor had anything of its change that is new to production, and would have
    /// been seen to: the branch was watched already when the commit was made.
    fn stayed_away(&self, place: Place, reached: &Reached<'_>) -> bool {
        let Reached { track, order, .. } = reached;
        let by = order.finished_at;
        let graph = &self.records.graph;
        let watched = graph.repositories(place).iter().filter_map(|repository| self.watched_from(repository)).min();
        let made = graph.committed_at(place).or(graph.authored(place).map(|(at, _)| at));
        let landed = |place: Place| graph.landed_at(place).is_some_and(|at| at <= by);
        let change = self.brought_by(place).into_iter().flat_map(|(key, _, _)| self.members(key));
        // A branch begins at a commit that was there before.
        let mut new = change.filter(|member| track.first(*member).is_none_or(|first| first >= order));
        !landed(place) && !new.any(landed) && watched.zip(made).is_some_and(|(watched, made)| made >= watched)
    }

    fn kind_by_files(&self, component: &Component, commits: &[Place]) -> ReleaseKind {
        let (mut any, mut dependencies, mut settings) = (false, true, true);
        for place in commits {
            let Some(files) = self.files(*place) else { return ReleaseKind::Regular };
            let locked = files.iter().any(|path| holds(path) == Holds::Lock);
            for path in files.iter().filter(|path| self.rules.holds(component, path)) {
                any = true;
                match holds(path) {
                    Holds::Lock | Holds::Dependencies => settings = false,
                    Holds::DependenciesAndMore => {
                        settings = false;
                        dependencies &= locked || self.is_machine(*place);
                    }
                    Holds::Settings => dependencies = false,
                    Holds::Anything => return ReleaseKind::Regular,
                }
            }
        }
        match (any, dependencies, settings) {
            (true, true, _) => ReleaseKind::Dependencies,
            (true, _, true) => ReleaseKind::Configuration,
            _ => ReleaseKind::Regular,
        }
    }

    /// Files that a commit touched, where all are known. A merge brings nothing of its own where nobody tells that it does.
    fn files(&self, place: Place) -> Option<Vec<String>> {
        let graph = &self.records.graph;
        match graph.told_paths(place) {
            Some((true, paths)) => Some(paths),
            None if graph.parents(place).is_some_and(|parents| parents.len() > 1) => Some(Vec::new()),
            _ => None,
        }
    }
}

/// Right below what the release was the first to bring stands something that production had.
fn builds_on_earlier(state: &State, reached: &Reached<'_>) -> bool {
    let Reached { track, order, .. } = reached;
    let shipped = track.commits(order);
    let older = shipped.iter().flat_map(|place| state.records.graph.older(*place).iter().copied());
    older.into_iter().filter_map(|place| track.first(place)).any(|first| first < order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_what_their_names_say() {
        for (path, what) in [
            ("Cargo.lock", Holds::Lock),
            ("web/package.json", Holds::DependenciesAndMore),
            ("requirements-dev.txt", Holds::Dependencies),
            ("api/go.mod", Holds::Dependencies),
            ("config/locales/en.yml", Holds::Settings),
            ("helm/shop/values.yaml", Holds::Settings),
            ("deploy/.env.production", Holds::Settings),
            ("deploy/tool/Cargo.toml", Holds::DependenciesAndMore),
            ("config/routes.rb", Holds::Anything),
            ("src/config.yaml", Holds::Anything),
            ("src/requirements.rs", Holds::Anything),
        ] {
            assert_eq!(holds(path), what, "{path}");
        }
    }
}
