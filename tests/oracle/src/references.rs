//! Which commit a deployment brings, and under which version.

use std::collections::BTreeSet;

use model::{ArtifactId, CommitId, Component, Repository, Version};

use crate::catalog;
use crate::known::{Artifact, Deployment};
use crate::world::World;

/// An artifact's name without tag and digest, its tag or version, and its digest.
#[derive(Debug, Default, PartialEq)]
struct Name {
    name: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
}

impl Name {
    /// An image reference, a package URL or a digest.
    fn of(id: &ArtifactId) -> Self {
        let text = id.as_str();
        if is_digest(text) {
            return Self { digest: Some(text.to_owned()), ..Self::default() };
        }
        match text.strip_prefix("pkg:") {
            Some(package) => Self::of_package(package),
            None => Self::of_image(text.split("://").last().unwrap_or(text)),
        }
    }

    /// `host:port/path:tag@digest`
    fn of_image(text: &str) -> Self {
        let mut parts = text.splitn(2, '@');
        let named = parts.next().unwrap_or_default();
        let folder = named.rfind('/').map_or(0, |slash| slash + 1);
        // A colon before the last slash is that of a port.
        let colon = named[folder..].rfind(':').map(|at| folder + at);
        let (name, tag) = colon.map_or((named, ""), |at| (&named[..at], &named[at + 1..]));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self { name: text(name), tag: text(tag), digest: parts.next().filter(|d| is_digest(d)).map(str::to_owned) }
    }

    /// `type/path@version?qualifiers`; the version of an image is its digest, and its tag a qualifier.
    fn of_package(text: &str) -> Self {
        let mut parts = text.splitn(2, '?');
        let (path, qualifiers) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (path, version) = path.rsplit_once('@').unwrap_or((path, ""));
        let version = version.replace("%3A", ":").replace("%3a", ":");
        let qualifier = qualifiers.split('&').find_map(|pair| pair.strip_prefix("tag=")).map(str::to_owned);
        let digest = Some(version.clone()).filter(|version| is_digest(version));
        let by_version = Some(version).filter(|version| digest.is_none() && !version.is_empty());
        Self { name: Some(format!("pkg:{path}")), tag: qualifier.or(by_version), digest }
    }

    fn with(&self, tag: &str) -> Option<ArtifactId> {
        self.name.as_ref().map(|name| ArtifactId::new(format!("{name}:{tag}")))
    }

    fn with_tag(&self) -> Option<ArtifactId> {
        self.with(self.tag.as_ref()?)
    }
}

fn is_digest(text: &str) -> bool {
    matches!(text.split_once(':'), Some(("sha256" | "sha384" | "sha512", _)))
}

impl World {
    /// The commit and the version of a deployment of a component.
    pub fn brings(&self, deployment: &Deployment, component: &Component) -> (Option<CommitId>, Option<Version>) {
        let entry = catalog::entry(&self.known.catalog, component);
        let source = entry.and_then(|entry| entry.repository.clone()).or_else(|| deployment.repository.clone());
        // What is deployed from another repository than the component's names commits, tags and runs of that one.
        let home = deployment.repository.is_none() || deployment.repository == source;
        let mut artifacts: Vec<ArtifactId> = deployment.artifacts.iter().cloned().collect();
        artifacts.extend(deployment.version.iter().filter(|name| name.contains(['/', ':'])).map(ArtifactId::new));
        let image_tags = artifacts.iter().filter_map(|id| Name::of(id).tag);
        let versions: Vec<String> = deployment.version.iter().cloned().chain(image_tags).collect();
        let tags: Vec<String> = versions.iter().cloned().chain(ref_as_tag(deployment).filter(|_| home)).collect();
        let tags: Vec<String> = tags.iter().filter_map(|name| self.tag_named(source.as_ref(), name)).collect();
        let tag = |name: &String| self.known.tags.get(&(source.clone()?, name.clone()))?.commit.clone();
        let run = deployment.run.as_ref().and_then(|run| self.known.runs.get(run));

        let mut given: Vec<CommitId> = Vec::new();
        given.extend(deployment.commit.clone().filter(|commit| home || self.is_of(commit, source.as_ref())));
        given.extend(artifacts.iter().filter_map(|id| self.built_from(id)));
        given.extend(tags.iter().filter_map(tag));
        given.extend(versions.iter().filter_map(|version| self.named_after(version, source.as_ref())));
        given.extend(run.filter(|run| home || run.repository == source).and_then(|run| run.commit.clone()));
        let commit = given.iter().find_map(|given| self.resolve(given));
        let version = deployment.version.clone().or_else(|| tags.first().cloned());
        (commit.clone(), version.or_else(|| commit.map(|id| id.as_str().to_owned())).map(Version::new))
    }

    /// The tag of a repository that a name stands for: images often go without the `v`.
    fn tag_named(&self, repository: Option<&Repository>, name: &str) -> Option<String> {
        let exists =
            |name: &String| self.known.tags.contains_key(&(repository.cloned().unwrap_or_default(), name.clone()));
        let with_v = name.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("v{name}"));
        repository?;
        [Some(name.to_owned()), with_v].into_iter().flatten().find(exists)
    }

    /// The commit, as given, that the artifact of exactly this id was built from.
    pub fn commit_of(&self, id: &ArtifactId) -> Option<CommitId> {
        self.commit_behind(self.known.artifacts.get(id)?)
    }

    fn commit_behind(&self, artifact: &Artifact) -> Option<CommitId> {
        let of_run = || self.known.runs.get(artifact.run.as_ref()?)?.commit.clone();
        artifact.commit.clone().or_else(of_run)
    }

    /// By its name, its digest, its name and tag; else the only commit of all artifacts that had this name and tag.
    fn built_from(&self, id: &ArtifactId) -> Option<CommitId> {
        let name = Name::of(id);
        let digest = name.digest.as_ref().map(|digest| ArtifactId::new(digest.as_str()));
        let names = [Some(id.clone()), digest, name.with_tag()];
        if let Some(commit) = names.iter().flatten().find_map(|name| self.commit_of(name)) {
            return Some(commit);
        }
        let wanted = name.with_tag()?;
        let had = |id: &ArtifactId, artifact: &Artifact| {
            let name = Name::of(id);
            artifact.tags.iter().chain(&name.tag).any(|tag| name.with(tag).as_ref() == Some(&wanted))
        };
        let of_tag = self.known.artifacts.iter().filter(|(id, artifact)| had(id, artifact));
        only(of_tag.filter_map(|(_, artifact)| self.commit_behind(artifact)).collect())
    }

    /// The only commit of the repository whose id, or the beginning of it, is a word of a name.
    fn named_after(&self, name: &str, repository: Option<&Repository>) -> Option<CommitId> {
        let name = match name.split_once('@') {
            Some((named, digest)) if is_digest(digest) => named,
            _ => name,
        };
        if is_digest(name) {
            return None;
        }
        let words = name.split(|c: char| !c.is_ascii_alphanumeric());
        // `git describe` puts a `g` before it.
        let words = words.flat_map(|word| [Some(word), word.strip_prefix('g')]).flatten();
        let mut found = BTreeSet::new();
        for word in words.filter_map(CommitId::given).filter(|word| word.is_full() || word.is_abbreviation()) {
            if word.is_full() && !self.known.commits.contains_key(&word) {
                found.insert(word);
                continue;
            }
            let meant = self.known.commits.iter().filter(|(id, _)| id.as_str().starts_with(word.as_str()));
            let of_it = meant.filter(|(_, commit)| repository.is_none_or(|of| commit.repositories.contains(of)));
            found.extend(of_it.map(|(id, _)| id.clone()));
        }
        only(found)
    }

    fn is_of(&self, given: &CommitId, repository: Option<&Repository>) -> bool {
        let commit = self.resolve(given).and_then(|id| self.known.commits.get(&id));
        commit.zip(repository).is_some_and(|(commit, repository)| commit.repositories.contains(repository))
    }
}

fn only<T: Ord>(of: BTreeSet<T>) -> Option<T> {
    if of.len() == 1 { of.into_iter().next() } else { None }
}

/// Name of the tag that a deployment's ref may mean; a branch by its full name means none.
fn ref_as_tag(deployment: &Deployment) -> Option<String> {
    let name = deployment.ref_name.as_deref()?;
    let tag = name.strip_prefix("refs/tags/");
    if name.starts_with("refs/") { tag.map(str::to_owned) } else { Some(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let some = |text: &str| Some(text.to_owned());
        for (given, name, tag, digest) in [
            ("host:5000/shop:1.4@sha256:0f", some("host:5000/shop"), some("1.4"), some("sha256:0f")),
            ("host:5000/shop", some("host:5000/shop"), None, None),
            ("docker://shop:1", some("shop"), some("1"), None),
            ("sha256:0f", None, None, some("sha256:0f")),
            ("pkg:oci/shop@sha256%3A0f?tag=1.4", some("pkg:oci/shop"), some("1.4"), some("sha256:0f")),
            ("pkg:npm/shop@1.4", some("pkg:npm/shop"), some("1.4"), None),
        ] {
            assert_eq!(Name::of(&given.into()), Name { name, tag, digest }, "{given}");
        }
    }
}
