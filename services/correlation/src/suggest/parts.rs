//! The parts of a monorepo: what is deployed from one repository under several names, and the folders that belong to each.

use std::collections::{BTreeMap, BTreeSet};

use super::arrived::Activity;
use super::words::{says, service_key, version_at, words};

/// Folders whose children are parts.
const CONTAINERS: &[&str] = &["services", "service", "apps", "packages", "cmd", "components", "modules", "projects"];
/// Folders of what all parts share.
const SHARED: &[&str] = &["libs", "lib", "common", "shared", "pkg", "internal", "proto"];

/// A part that is deployed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name.
    pub name: String,
    /// Its own folder, where there is one of its name.
    pub folder: Option<String>,
    /// How many touches of paths fell into the folder.
    pub touched: usize,
    /// What tells that it is deployed by itself.
    pub why: String,
}

/// Folders of a repository, and how often something in each was touched.
#[derive(Debug, Default)]
pub struct Folders(BTreeMap<String, usize>);

impl Folders {
    pub fn of(activity: &Activity<'_>) -> Self {
        let mut folders = BTreeMap::new();
        for (path, count) in &activity.paths {
            for (at, _) in path.match_indices('/') {
                *folders.entry(path[..at].to_owned()).or_default() += count;
            }
        }
        Self(folders)
    }

    /// The folder of a name: the least deep, of those the most touched.
    fn named(&self, name: &str) -> Option<(&String, usize)> {
        let key = service_key(name);
        let named = self.0.iter().filter(|(folder, _)| service_key(last_part(folder)) == key && !key.is_empty());
        let best = named.min_by_key(|(folder, count)| (folder.matches('/').count(), std::cmp::Reverse(**count)));
        best.map(|(folder, count)| (folder, *count))
    }

    /// Folders of what all share, outside the parts' own.
    pub fn shared(&self, parts: &[Part]) -> Vec<(&String, usize)> {
        let own: Vec<&String> = parts.iter().filter_map(|part| part.folder.as_ref()).collect();
        let beside = |folder: &str| match folder.rsplit_once('/') {
            None => true,
            Some((parent, _)) => own.iter().any(|own| own.rsplit_once('/').is_some_and(|(of, _)| of == parent)),
        };
        let shared = self.0.iter().filter(|(folder, _)| SHARED.contains(&last_part(folder)) && beside(folder));
        shared.map(|(folder, count)| (folder, *count)).collect()
    }

    /// Children of folders such as `services`.
    fn children(&self) -> BTreeSet<&str> {
        let of_container =
            |folder: &&String| folder.rsplit_once('/').is_some_and(|(parent, _)| CONTAINERS.contains(&parent));
        self.0.keys().filter(of_container).map(|folder| last_part(folder)).collect()
    }
}

fn last_part(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// The parts that are deployed by themselves; none where the repository is one.
pub fn parts(activity: &Activity<'_>, folders: &Folders) -> Vec<Part> {
    let mut deployed: BTreeMap<&str, usize> = BTreeMap::new();
    for service in activity.deployments.iter().filter_map(|deployed| deployed.service) {
        *deployed.entry(service).or_default() += 1;
    }
    if deployed.len() > 1 {
        let why = |count| format!("{count} deployments name it");
        return deployed.into_iter().map(|(name, count)| part(name, folders, why(count))).collect();
    }
    let named = folders.children().into_iter().filter_map(|name| Some(part(name, folders, named_in(activity, name)?)));
    let parts: Vec<Part> = named.collect();
    if parts.len() > 1 { parts } else { Vec::new() }
}

fn part(name: &str, folders: &Folders, why: String) -> Part {
    let folder = folders.named(name);
    let touched = folder.map_or(0, |(_, count)| count);
    Part { name: name.to_owned(), folder: folder.map(|(folder, _)| folder.clone()), touched, why }
}

/// Where tags, workflows or jobs that deploy name a part.
fn named_in(activity: &Activity<'_>, name: &str) -> Option<String> {
    let tags = activity.tags.iter().filter(|(tag, _)| is_tag_of(tag, name)).count();
    if tags > 0 {
        return Some(format!("{tags} tags name it"));
    }
    let of_pipelines = activity.pipelines.0.keys().copied();
    let job =
        of_pipelines.chain(activity.tasks.keys().copied()).find(|job| says(job).is_some() && speaks_of(job, name));
    job.map(|job| format!("`{job}` names it"))
}

/// The tag is a version of the part: `ledger-v1`, `ledger/1.2`, `ledger@1`.
pub fn is_tag_of(tag: &str, part: &str) -> bool {
    let prefix = version_at(tag).map(|at| tag[..at].trim_end_matches(['v', 'V']));
    prefix.is_some_and(|prefix| prefix.len() > part.len() && prefix.trim_end_matches(['-', '/', '@', '_', '.']) == part)
}

/// The words of a part's name stand in another name.
pub fn speaks_of(name: &str, part: &str) -> bool {
    let (name, part) = (words(name), words(part));
    !part.is_empty() && name.windows(part.len()).any(|window| window == part)
}
