//! Kinds of release, by where its commits come from and what they touch.

use model::event::ActorKind;
use model::fact::{DeploymentKind, ReleaseKind};
use model::{CommitId, Component};

use crate::catalog;
use crate::known::Commit;
use crate::world::{Line, Stop, World};

/// Files that tools write to pin dependencies.
const LOCKS: &str = ".terraform.lock.hcl Cargo.lock Gemfile.lock Package.resolved Pipfile.lock Podfile.lock bun.lock bun.lockb \
    composer.lock flake.lock go.sum gradle.lockfile mix.lock npm-shrinkwrap.json package-lock.json packages.lock.json pdm.lock \
    pnpm-lock.yaml poetry.lock pubspec.lock uv.lock yarn.lock";
/// Files that list dependencies and nothing else.
const LISTS: &str = "Directory.Packages.props Gemfile go.mod libs.versions.toml";
/// Files that list dependencies among other things.
const MANIFESTS: &str = "Cargo.toml Chart.yaml Package.swift Pipfile Podfile build.gradle build.gradle.kts composer.json flake.nix \
    mix.exs package.json pom.xml pubspec.yaml pyproject.toml";
/// Folders that hold settings, and endings of files that do.
const SETTINGS: &str =
    "chart charts conf config configs deploy deployment deployments environments envs helm k8s kubernetes overlays";
const FORMATS: &str = "conf env ini json properties tfvars toml yaml yml";

fn is_one_of(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|of| of == word)
}

fn is_lock(path: &str) -> bool {
    is_one_of(LOCKS, name(path))
}

fn is_list(path: &str) -> bool {
    let name = name(path);
    let listed = name.ends_with(".txt") && (name.starts_with("requirements") || name.starts_with("constraints"));
    is_one_of(LISTS, name) || listed
}

fn is_setting(path: &str) -> bool {
    let folders: Vec<&str> = path.split('/').rev().skip(1).collect();
    let is_format = name(path).rsplit_once('.').is_some_and(|(_, ending)| is_one_of(FORMATS, ending));
    let is_known = is_lock(path) || is_list(path) || is_one_of(MANIFESTS, name(path));
    !is_known && (is_format || name(path).starts_with(".env")) && folders.iter().any(|of| is_one_of(SETTINGS, of))
}

fn name(path: &str) -> &str {
    path.split('/').next_back().unwrap_or_default()
}

/// Kind of a release that `stop` brought to production; `own` are its commits.
pub fn release_kind(
    world: &World,
    component: &Component,
    line: &Line,
    stop: &Stop,
    (kind, own): (DeploymentKind, &[CommitId]),
) -> ReleaseKind {
    match kind {
        DeploymentKind::Baseline if world.has_baseline(component) => ReleaseKind::Baseline,
        DeploymentKind::Rollback => ReleaseKind::Rollback,
        DeploymentKind::Redeploy => ReleaseKind::Redeploy,
        _ if is_hotfix(world, line, stop, own) => ReleaseKind::Hotfix,
        _ => by_files(world, component, own).unwrap_or(ReleaseKind::Regular),
    }
}

/// It ships commits, none had come to the default branch, and right below what is new stands what production had.
fn is_hotfix(world: &World, line: &Line, stop: &Stop, own: &[CommitId]) -> bool {
    let older = line.brought(stop).filter_map(|id| world.known.commits.get(id)).flat_map(Commit::older);
    let builds_on_earlier = older.filter_map(|id| line.first(id)).any(|first| first.order < stop.order);
    !own.is_empty() && builds_on_earlier && own.iter().all(|id| stayed_away(world, line, stop, id))
}

/// Neither it nor anything of its change that production did not have had landed, although the branch was watched when it was made.
fn stayed_away(world: &World, line: &Line, stop: &Stop, id: &CommitId) -> bool {
    let by = stop.order.0;
    let Some(commit) = world.known.commits.get(id) else { return false };
    let watched = commit.repositories.iter().filter_map(|repository| world.known.watched_from.get(repository)).min();
    let was_watched = watched.zip(commit.made_at()).is_some_and(|(from, made)| *from <= made);
    let landed = |id: &CommitId| world.known.commits.get(id).is_some_and(|c| c.landed_at.is_some_and(|at| at <= by));
    let change = world.brought_by(id).map(|(key, _)| world.members(key));
    let mut new =
        change.into_iter().flatten().filter(|id| line.first(id).is_none_or(|first| first.order >= stop.order));
    was_watched && !landed(id) && !new.any(landed)
}

/// What all files that the commits touched have in common; none where that is nothing, or where not all files are known.
fn by_files(world: &World, component: &Component, own: &[CommitId]) -> Option<ReleaseKind> {
    let entry = catalog::entry(&world.known.catalog, component);
    let is_ours = |path: &&String| entry.is_none_or(|entry| catalog::holds(entry, path));
    let (mut all, mut dependencies) = (Vec::new(), Vec::new());
    for id in own {
        let commit = world.known.commits.get(id)?;
        let files: &[String] = match &commit.paths {
            Some(paths) if paths.whole => &paths.list,
            // A merge brings nothing of its own where nobody tells that it does.
            None if commit.is_merge() => &[],
            _ => return None,
        };
        // A manifest counts where a machine changed it, or with a lock beside it.
        let for_them = files.iter().any(|path| is_lock(path)) || commit.author == ActorKind::Machine;
        let is_dependency =
            |path: &String| is_lock(path) || is_list(path) || is_one_of(MANIFESTS, name(path)) && for_them;
        dependencies.extend(files.iter().filter(is_ours).map(is_dependency));
        all.extend(files.iter().filter(is_ours));
    }
    if all.is_empty() {
        None
    } else if dependencies.into_iter().all(|is_one| is_one) {
        Some(ReleaseKind::Dependencies)
    } else {
        all.iter().all(|path| is_setting(path)).then_some(ReleaseKind::Configuration)
    }
}
