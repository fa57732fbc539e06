//! Which commit a deployment brings, and under which version.
//!
//! It may say so by the commit, an artifact, a tag or the run that made it. Each is looked up again when more is known, whichever
//! came first. A deployment that is made from another repository than the component's, as GitOps does, names a commit of *that* one:
//! then what it deploys leads to a commit of the component's.

use std::collections::BTreeSet;

use model::{ArtifactId, CommitId, Component, DeploymentId, Repository, RunId, Version};

use super::{State, Waiting, stem};
use crate::entity::{Deployment, Tag};
use crate::graph::Place;
use crate::image::{Image, commits_in};

/// Names that a deployment gives for what it brings.
struct Names {
    /// Versions and tags of images.
    versions: Vec<String>,
    /// Its ref, which may be a tag and may be a branch.
    ref_name: Option<String>,
    artifacts: Vec<(ArtifactId, Image)>,
}

impl Names {
    /// `home`: it is made from the component's own repository, so that its ref may be a tag of that one.
    fn of(deployment: &Deployment, home: bool) -> Self {
        let given = deployment.artifacts.iter().cloned();
        // A version may be the name of an artifact.
        let version = deployment.version.get();
        let given = given.chain(version.filter(|name| name.contains(['/', ':'])).map(ArtifactId::new));
        let artifacts: Vec<(ArtifactId, Image)> = given.map(|id| (id.clone(), Image::of(&id))).collect();
        let tags = artifacts.iter().filter_map(|(_, image)| image.tag.clone());
        let versions = version.cloned().into_iter().chain(tags).collect();
        Self { versions, ref_name: tag_name(deployment.ref_name.get().filter(|_| home)), artifacts }
    }

    /// Names that a tag may have.
    fn tags(&self) -> impl Iterator<Item = &String> {
        self.versions.iter().chain(&self.ref_name)
    }

    /// Names under which an artifact may be known: its own, its digest, its name and tag.
    fn of_artifact((id, image): &(ArtifactId, Image)) -> impl Iterator<Item = ArtifactId> {
        let tagged = image.tag.as_ref().and_then(|tag| image.tagged(tag));
        [Some(id.clone()), image.digest.as_deref().map(ArtifactId::new), tagged].into_iter().flatten()
    }
}

/// Names of the git tag that a version or the tag of an image may stand for: images often go without the `v`.
fn tag_names(name: &str) -> impl Iterator<Item = String> {
    let with_v = name.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("v{name}"));
    [Some(name.to_owned()), with_v].into_iter().flatten()
}

impl State {
    /// Puts a deployment into the indexes of what it names.
    pub(super) fn index_names(&mut self, id: &DeploymentId, deployment: &Deployment) {
        let names = Names::of(deployment, true);
        for name in names.tags().flat_map(|tag| tag_names(tag)) {
            self.by_tag.add(name, id.clone());
        }
        for stem in names.versions.iter().flat_map(|version| commits_in(version)).filter_map(|commit| stem(&commit)) {
            self.waiting.add(stem, Waiting::Deployment(id.clone()));
        }
        for name in names.artifacts.iter().flat_map(Names::of_artifact) {
            self.by_artifact.add(name, id.clone());
        }
    }

    /// The repository whose commits a component ships: the catalog's, else the one that the deployment is made from.
    fn source<'a>(&'a self, component: &Component, deployment: &'a Deployment) -> Option<&'a Repository> {
        self.rules.component(component).and_then(|c| c.repository.as_ref()).or(deployment.repository.get())
    }

    /// The commit that a deployment brings, as the best reference gives it, and its version.
    pub(super) fn brings(
        &mut self,
        id: &DeploymentId,
        deployment: &Deployment,
        component: &Component,
    ) -> (Option<Place>, Option<Version>) {
        let source = self.source(component, deployment).cloned();
        let home = deployment.repository.get().is_none_or(|made_from| source.as_ref() == Some(made_from));
        // In which repository a commit is known decides whether it is the component's.
        if let Some(stem) = deployment.commit.get().filter(|_| !home).and_then(stem) {
            self.waiting.add(stem, Waiting::Deployment(id.clone()));
        }
        let names = Names::of(deployment, home);
        let candidates = self.candidates(deployment, source.as_ref(), home, &names);
        candidates.iter().for_each(|commit| self.await_commit(Some(commit), Waiting::Deployment(id.clone())));
        let head = candidates.iter().find_map(|commit| self.resolve(Some(commit)));
        let deployed = names.tags().find_map(|name| self.tag(source.as_ref(), name)).map(|(name, _)| name);
        let version = deployment.version.get().cloned().or(deployed);
        let version = version.or_else(|| head.map(|place| self.records.graph.id(place).as_str().to_owned()));
        (head, version.map(Version::new))
    }

    /// Commits that it may bring, the best reference first: its own word, an artifact, a tag, a tag named after a commit, its run.
    /// A tag comes before what its digits may mean, as in git.
    fn candidates(
        &self,
        deployment: &Deployment,
        source: Option<&Repository>,
        home: bool,
        names: &Names,
    ) -> Vec<CommitId> {
        let ours = |commit: &&CommitId| home || self.is_of(self.find(Some(commit)), source);
        let mut found: Vec<CommitId> = deployment.commit.get().filter(ours).cloned().into_iter().collect();
        found.extend(names.artifacts.iter().filter_map(|artifact| self.built_from(artifact)));
        let tags = names.tags().filter_map(|name| self.tag(source, name));
        found.extend(tags.filter_map(|(_, tag)| tag.commit.get().cloned().flatten()));
        found.extend(names.versions.iter().filter_map(|name| self.named_after(name, source)));
        let run = deployment.run.get().and_then(|run| self.records.runs.get(run));
        let run = run.filter(|run| home || source.is_some() && run.repository.get() == source);
        found.extend(run.and_then(|run| run.commit.get().cloned()));
        found
    }

    /// The tag of a repository that a name stands for, by its own name.
    fn tag(&self, repository: Option<&Repository>, name: &str) -> Option<(String, &Tag)> {
        let repository = repository?;
        tag_names(name).find_map(|name| Some((name.clone(), self.records.tags.get(&(repository.clone(), name))?)))
    }

    /// The commit that an artifact was built from: by its name, its digest, or the only commit that its name and tag lead to.
    fn built_from(&self, artifact: &(ArtifactId, Image)) -> Option<CommitId> {
        let by_name = Names::of_artifact(artifact).find_map(|name| self.commit_of(&name));
        by_name.or_else(|| {
            let tagged = artifact.1.tag.as_ref().and_then(|tag| artifact.1.tagged(tag))?;
            let commits: BTreeSet<CommitId> =
                self.artifacts_tagged.of(&tagged).filter_map(|id| self.commit_of(id)).collect();
            // A tag that was moved from one artifact to another leads to none.
            only(commits)
        })
    }

    /// The commit, as given, that what is deployed was built from, where its artifacts tell.
    pub fn built_of(&self, deployment: &Deployment) -> Option<CommitId> {
        Names::of(deployment, false).artifacts.iter().find_map(|artifact| self.built_from(artifact))
    }

    /// The commit, as given, that the artifact of exactly this id was built from.
    pub fn commit_of(&self, artifact: &ArtifactId) -> Option<CommitId> {
        let of_run = |run: &RunId| self.records.runs.get(run).and_then(|run| run.commit.get().cloned());
        let artifact = self.records.artifacts.get(artifact)?;
        artifact.commit.get().cloned().or_else(|| of_run(artifact.run.get()?))
    }

    /// The only commit of the repository that a tag may be named after. A full id is as good as the commit, unless that is known to
    /// be of another repository.
    fn named_after(&self, tag: &str, source: Option<&Repository>) -> Option<CommitId> {
        let graph = &self.records.graph;
        let mut found = BTreeSet::new();
        for given in commits_in(tag) {
            let told = |place: &Place| graph.is_told(*place);
            if given.is_full() && !graph.find(&given).as_ref().is_some_and(told) {
                found.insert(given);
                continue;
            }
            let meant = graph.starting_with(given.as_str()).into_iter().filter(told);
            let meant = meant.filter(|place| source.is_none() || self.is_of(Some(*place), source));
            found.extend(meant.map(|place| graph.id(place)));
        }
        only(found)
    }

    /// The commit is known to be one of the repository.
    fn is_of(&self, place: Option<Place>, repository: Option<&Repository>) -> bool {
        let known = place.map(|place| self.records.graph.repositories(place));
        known.zip(repository).is_some_and(|(known, repository)| known.contains(repository))
    }
}

fn only<T: Ord>(mut of: BTreeSet<T>) -> Option<T> {
    of.pop_first().filter(|_| of.is_empty())
}

/// Name of the tag that a ref may mean; none for a branch by its full name.
fn tag_name(ref_name: Option<&String>) -> Option<String> {
    let name = ref_name?;
    match name.strip_prefix("refs/") {
        None => Some(name.clone()),
        Some(rest) => rest.strip_prefix("tags/").map(str::to_owned),
    }
}
