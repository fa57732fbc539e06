//! How things hang together: references looked up, deployments put in lines, commits in changes. All of it by search.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{ActorKind, Tier};
use model::{CommitId, Component, DeploymentId, Environment, Realm, RunId, Timestamp, Version};

use crate::catalog;
use crate::known::{Change, ChangeKey, Commit, Deployment, Ending, Known, Task};

/// A line of deployments of a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To one environment.
    Environment(Environment),
    /// To production, whichever of its environments: the line that makes releases.
    Production,
}

/// A deployment with its references looked up.
#[derive(Debug)]
pub struct Placed {
    pub id: DeploymentId,
    pub component: Component,
    pub environment: Environment,
    pub tier: Tier,
    pub version: Option<Version>,
    pub commit: Option<CommitId>,
    pub ending: Ending,
    /// When it succeeded, where it was a delivery at all.
    pub succeeded_at: Option<Timestamp>,
}

/// When, of one instant by version, then by id: what comes first in a line.
pub type Order = (Timestamp, Version, DeploymentId);

impl Placed {
    /// Its place in its lines; none where it is in none.
    pub fn order(&self) -> Option<Order> {
        self.commit.as_ref()?;
        Some((self.succeeded_at?, self.version.clone()?, self.id.clone()))
    }
}

/// A successful deployment in a line.
#[derive(Debug)]
pub struct Stop {
    pub order: Order,
    pub commit: CommitId,
    /// Everything that its commit contains, itself included.
    pub reaches: BTreeSet<CommitId>,
}

/// The successful deployments of a component in a scope, in order.
#[derive(Debug, Default)]
pub struct Line(pub Vec<Stop>);

impl Line {
    /// The deployment that brought a commit first.
    pub fn first(&self, commit: &CommitId) -> Option<&Stop> {
        self.0.iter().find(|stop| stop.reaches.contains(commit))
    }

    pub fn stop(&self, order: &Order) -> Option<&Stop> {
        self.0.iter().find(|stop| stop.order == *order)
    }

    /// Commits that no deployment brought before this one.
    pub fn brought<'a>(&'a self, stop: &'a Stop) -> impl Iterator<Item = &'a CommitId> {
        let is_first = |commit: &&CommitId| self.first(commit).is_some_and(|first| first.order == stop.order);
        stop.reaches.iter().filter(is_first)
    }
}

/// The way of a commit up to its merge.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// Author time, else commit time; of the earliest commit squashed.
    pub authored_at: Option<Timestamp>,
    pub author: ActorKind,
    /// When its change was opened.
    pub opened_at: Option<Timestamp>,
    /// When its change was merged, or it came to the default branch.
    pub merged_at: Option<Timestamp>,
    pub committed_at: Option<Timestamp>,
}

/// A realm, looked up.
#[derive(Debug)]
pub struct World {
    pub realm: Realm,
    pub known: Known,
    pub placed: BTreeMap<DeploymentId, Placed>,
    pub lines: BTreeMap<(Component, Scope), Line>,
    members: BTreeMap<ChangeKey, BTreeSet<CommitId>>,
}

impl World {
    pub fn of(realm: Realm, known: Known) -> Self {
        let mut world =
            Self { realm, known, placed: BTreeMap::new(), lines: BTreeMap::new(), members: BTreeMap::new() };
        let placed = |(id, deployment)| Some((DeploymentId::clone(id), world.place(id, deployment)?));
        world.placed = world.known.deployments.iter().filter_map(placed).collect();
        world.lines = world.make_lines();
        world.members =
            world.known.changes.iter().map(|(key, change)| (key.clone(), world.held(key, change))).collect();
        world
    }

    /// The commit that a reference means: a full id itself, an abbreviation the only commit told of that starts so.
    pub fn resolve(&self, given: &CommitId) -> Option<CommitId> {
        if given.is_full() {
            return Some(given.clone());
        }
        if !given.is_abbreviation() {
            return self.known.commits.contains_key(given).then(|| given.clone());
        }
        let matches: Vec<_> = self.known.commits.keys().filter(|id| id.as_str().starts_with(given.as_str())).collect();
        match matches[..] {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    fn place(&self, id: &DeploymentId, deployment: &Deployment) -> Option<Placed> {
        let catalog = &self.known.catalog;
        let component = catalog::owner(catalog, deployment.repository.as_ref(), deployment.service.as_deref())?;
        let (environment, tier) = catalog::environment(catalog, &deployment.environment, deployment.production);
        let ending = deployment.ending(self.partial_counts(&component));
        let commit = self.commit_deployed(deployment);
        let tag = ref_as_tag(deployment).filter(|tag| self.tag_exists(deployment, tag));
        let named = deployment.version.clone().or(tag);
        let version = named.or_else(|| commit.as_ref().map(|id| id.as_str().to_owned())).map(Version::new);
        let succeeded_at = ending.succeeded_at().filter(|_| !deployment.is_no_delivery);
        Some(Placed { id: id.clone(), component, environment, tier, version, commit, ending, succeeded_at })
    }

    pub fn partial_counts(&self, component: &Component) -> bool {
        catalog::entry(&self.known.catalog, component).is_some_and(|entry| entry.partial_counts)
    }

    /// The commit that a deployment brings, by the best reference: its own word, its tag, its artifact, its run.
    fn commit_deployed(&self, deployment: &Deployment) -> Option<CommitId> {
        let known = &self.known;
        let own = deployment.commit.as_ref().and_then(|given| self.resolve(given));
        if own.is_some() {
            return own;
        }
        let of_run = |run: &Option<RunId>| known.runs.get(run.as_ref()?)?.commit.clone();
        let mut given = Vec::new();
        for name in deployment.version.clone().into_iter().chain(ref_as_tag(deployment)) {
            let key = deployment.repository.clone().map(|repository| (repository, name));
            given.push(key.and_then(|key| known.tags.get(&key).cloned().flatten()));
        }
        for artifact in deployment.artifacts.iter().filter_map(|name| known.artifacts.get(name)) {
            given.push(artifact.commit.clone().or_else(|| of_run(&artifact.run)));
        }
        given.push(of_run(&deployment.run));
        // The best reference that there is decides, even where nobody told of that commit yet.
        self.resolve(&given.into_iter().flatten().next()?)
    }

    fn tag_exists(&self, deployment: &Deployment, name: &str) -> bool {
        let repository = deployment.repository.clone();
        repository.is_some_and(|repository| self.known.tags.contains_key(&(repository, name.to_owned())))
    }

    /// Everything that a commit contains: what is below it, and below that.
    pub fn reach(&self, from: &CommitId) -> BTreeSet<CommitId> {
        let mut reached = BTreeSet::from([from.clone()]);
        loop {
            let below: BTreeSet<CommitId> = reached
                .iter()
                .filter_map(|id| self.known.commits.get(id))
                .flat_map(Commit::older)
                .filter(|id| !reached.contains(*id))
                .cloned()
                .collect();
            if below.is_empty() {
                return reached;
            }
            reached.extend(below);
        }
    }

    fn make_lines(&self) -> BTreeMap<(Component, Scope), Line> {
        let mut lines: BTreeMap<(Component, Scope), Line> = BTreeMap::new();
        for placed in self.placed.values() {
            let (Some(order), Some(commit)) = (placed.order(), placed.commit.clone()) else { continue };
            let production = (placed.tier == Tier::Production).then_some(Scope::Production);
            for scope in [Scope::Environment(placed.environment.clone())].into_iter().chain(production) {
                let stop = Stop { order: order.clone(), commit: commit.clone(), reaches: self.reach(&commit) };
                lines.entry((placed.component.clone(), scope)).or_default().0.push(stop);
            }
        }
        for line in lines.values_mut() {
            line.0.sort_by(|a, b| a.order.cmp(&b.order));
        }
        lines
    }

    /// Commits of a merged change: those that a provider listed, what was pushed to its branch below its last commit down to where
    /// it began or to what is listed, and the commit that merged it.
    fn held(&self, key: &ChangeKey, change: &Change) -> BTreeSet<CommitId> {
        let Some((_, merge)) = &change.merged else { return BTreeSet::new() };
        let named: BTreeSet<CommitId> = change.listed.iter().chain(merge).cloned().collect();
        // A list that holds the last commit is the provider's word for the whole; a fast forward is its own last commit.
        let Some(head) =
            change.head.as_ref().filter(|head| !change.listed.contains(*head) || merge.as_ref() == Some(*head))
        else {
            return named;
        };
        let branch = change.source_branch.as_ref().map(|name| format!("refs/heads/{name}"));
        let on_branch = |id: &CommitId| {
            let commit = self.known.commits.get(id);
            commit.is_some_and(|commit| {
                commit.repositories.contains(&key.0)
                    && branch.as_ref().is_some_and(|branch| commit.branches.contains(branch))
            })
        };
        let mut pushed = BTreeSet::from([head.clone()]);
        loop {
            let older = pushed.iter().filter_map(|id| self.known.commits.get(id)).flat_map(Commit::older);
            let more: BTreeSet<CommitId> = older
                .filter(|id| !pushed.contains(*id) && !named.contains(*id) && !change.bases.contains(*id))
                .filter(|id| on_branch(id))
                .cloned()
                .collect();
            if more.is_empty() {
                return named.into_iter().chain(pushed).collect();
            }
            pushed.extend(more);
        }
    }

    /// The change that brought a commit in: of those that hold it, the one merged first.
    pub fn brought_by(&self, commit: &CommitId) -> Option<(&ChangeKey, &Change)> {
        let holding = self.members.iter().filter(|(_, members)| members.contains(commit));
        let changes = holding.filter_map(|(key, _)| self.known.changes.get_key_value(key));
        changes.min_by_key(|(key, change)| (change.merged.as_ref().map(|(at, _)| *at), (*key).clone()))
    }

    pub fn way(&self, id: &CommitId) -> Way {
        let Some(commit) = self.known.commits.get(id) else { return Way::default() };
        let change = self.brought_by(id).map(|(_, change)| change);
        let merged_at = change.and_then(|change| change.merged.as_ref()).map(|(at, _)| *at);
        Way {
            authored_at: self.squashed_at(id).into_iter().chain(commit.written_at()).min(),
            author: commit.author,
            opened_at: change.and_then(|change| change.created_at),
            merged_at: merged_at.or(commit.landed_at),
            committed_at: commit.committed_at,
        }
    }

    /// When the first of the commits was written that were squashed into this one; none where it is no squash.
    fn squashed_at(&self, id: &CommitId) -> Option<Timestamp> {
        let (key, change) = self.brought_by(id)?;
        let commit = self.known.commits.get(id)?;
        let merged_it = change.merged.as_ref().is_some_and(|(_, merge)| merge.as_ref() == Some(id));
        let is_merge = commit.parents.as_ref().is_some_and(|parents| parents.len() > 1);
        if !merged_it || is_merge {
            return None;
        }
        if let Some(head) = &change.head {
            let is_fast_forward = head == id;
            let holds_head = commit.older().contains(head);
            // A rebase keeps author times, a squash has its own.
            let author_time = |id| self.known.commits.get(id)?.authored_at;
            let is_rebase = author_time(head).is_some() && author_time(head) == author_time(id);
            if is_fast_forward || holds_head || is_rebase {
                return None;
            }
        }
        // A branch that lives on holds commits that an earlier change brought already.
        let own = self.members[key].iter().filter(|member| self.brought_by(member).is_some_and(|(by, _)| by == key));
        own.filter_map(|member| self.known.commits.get(member)?.written_at()).min()
    }

    /// Whether a commit counts as part of a component: nothing says that it is not, and more is known of it than its name.
    pub fn is_part(&self, component: &Component, id: &CommitId) -> bool {
        self.known.commits.get(id).is_some_and(|commit| {
            commit.is_known() && catalog::belongs(&self.known.catalog, component, commit.paths.as_ref()).unwrap_or(true)
        })
    }

    /// The first deployment of a component gives no lead time.
    pub fn has_baseline(&self, component: &Component) -> bool {
        let declared = catalog::entry(&self.known.catalog, component).is_some_and(|entry| entry.baseline_none);
        !declared && !self.known.baseline_none.contains(component)
    }

    pub fn deployments_of(&self, run: &RunId) -> impl Iterator<Item = &Placed> {
        self.placed.values().filter(|placed| self.known.deployments[&placed.id].run.as_ref() == Some(run))
    }

    pub fn tasks_of(&self, run: &RunId) -> impl Iterator<Item = &Task> {
        self.known.tasks.values().filter(|task| task.run.as_ref() == Some(run))
    }

    /// The component that a run works for: that of what it deployed, else that of its repository.
    pub fn owner_of_run(&self, id: &RunId) -> Option<Component> {
        let deployed = self.deployments_of(id).map(|placed| placed.component.clone()).min();
        deployed.or_else(|| {
            let repository = self.known.runs.get(id)?.repository.as_ref()?;
            catalog::owner(&self.known.catalog, Some(repository), None)
        })
    }
}

/// Name of the tag that a deployment's ref may mean; a branch by its full name means none.
fn ref_as_tag(deployment: &Deployment) -> Option<String> {
    let name = deployment.ref_name.as_deref()?;
    let tag = name.strip_prefix("refs/tags/");
    if name.starts_with("refs/") { tag.map(str::to_owned) } else { Some(name.to_owned()) }
}
