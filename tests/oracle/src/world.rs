//! How things hang together: references looked up, deployments put in lines, commits in changes. All of it by search.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{ActorKind, Tier};
use model::fact::Origin;
use model::{
    CommitId, Component, DeploymentId, Environment, GateId, IncidentId, Millis, Realm, RunId, TaskId, Timestamp,
    Version,
};

use crate::catalog;
use crate::incidents::{self, Settled};
use crate::known::{Change, ChangeKey, Commit, Deployment, Ending, Gate, Known, Run, Task};
use crate::look_ups::{self, LookUps, things};
use crate::marks;
use crate::working::Calendar;

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
pub struct Line {
    pub stops: Vec<Stop>,
    /// Place of the first one that reaches a commit.
    first: BTreeMap<CommitId, usize>,
}

impl Line {
    fn of(mut stops: Vec<Stop>) -> Self {
        stops.sort_by(|a, b| a.order.cmp(&b.order));
        let mut first = BTreeMap::new();
        for (place, stop) in stops.iter().enumerate() {
            for id in &stop.reaches {
                first.entry(id.clone()).or_insert(place);
            }
        }
        Self { stops, first }
    }

    /// The deployment that brought a commit first.
    pub fn first(&self, commit: &CommitId) -> Option<&Stop> {
        self.stops.get(*self.first.get(commit)?)
    }

    pub fn stop(&self, order: &Order) -> Option<&Stop> {
        self.stops.iter().find(|stop| stop.order == *order)
    }

    pub fn before(&self, stop: &Stop) -> Option<&Stop> {
        self.stops.iter().rfind(|other| other.order < stop.order)
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
    /// Author time, else commit time; of the earliest of the commits squashed and of those it was picked from.
    pub authored_at: Option<Timestamp>,
    /// What that time is taken from.
    pub origin: Origin,
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
    /// What incidents amount to.
    pub incidents: BTreeMap<IncidentId, Settled>,
    pub look_ups: LookUps,
    members: BTreeMap<ChangeKey, BTreeSet<CommitId>>,
    brought_by: BTreeMap<CommitId, ChangeKey>,
    /// Those of the catalog, in its order.
    calendars: Vec<Option<Calendar>>,
}

impl World {
    pub fn of(realm: Realm, mut known: Known) -> Self {
        for (id, marked) in marks::all(&known) {
            // Who tells of it knows better.
            known.deployments.entry(id).or_insert(marked);
        }
        let calendars = known.catalog.calendars.iter().map(Calendar::of).collect();
        let mut world = Self {
            realm,
            known,
            placed: BTreeMap::new(),
            lines: BTreeMap::new(),
            incidents: BTreeMap::new(),
            look_ups: LookUps::default(),
            members: BTreeMap::new(),
            brought_by: BTreeMap::new(),
            calendars,
        };
        let placed = |(id, deployment)| Some((DeploymentId::clone(id), world.place(id, deployment)?));
        world.placed = world.known.deployments.iter().filter_map(placed).collect();
        world.look_ups = LookUps::of(&world.known, &world.placed, |given| world.resolve(given));
        world.lines = world.make_lines();
        world.members =
            world.known.changes.iter().map(|(key, change)| (key.clone(), world.in_change(key, change))).collect();
        world.brought_by = look_ups::brought_by(&world.known, &world.members);
        world.incidents = world.known.incidents.keys().map(|id| (id.clone(), incidents::settle(&world, id))).collect();
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
        let owner = || catalog::owner(catalog, deployment.repository.as_ref(), deployment.service.as_deref());
        let component = deployment.marked_for.clone().or_else(owner)?;
        let (environment, tier) = catalog::environment(catalog, &deployment.environment, deployment.production);
        let ending = deployment.ending(self.partial_counts(&component));
        let (commit, version) = self.brings(deployment, &component);
        let counts = catalog::counting(catalog::entry(catalog, &component)) == deployment.marker;
        let succeeded_at = ending.succeeded_at().filter(|_| counts && !deployment.is_no_delivery);
        Some(Placed { id: id.clone(), component, environment, tier, version, commit, ending, succeeded_at })
    }

    pub fn partial_counts(&self, component: &Component) -> bool {
        catalog::entry(&self.known.catalog, component).is_some_and(|entry| entry.partial_counts)
    }

    /// Everything that a commit contains: what is below it, and below that.
    pub fn reach(&self, from: &CommitId) -> BTreeSet<CommitId> {
        let mut reached = BTreeSet::from([from.clone()]);
        let mut last = vec![from.clone()];
        while let Some(id) = last.pop() {
            let older = self.known.commits.get(&id).into_iter().flat_map(Commit::older);
            let below: Vec<CommitId> = older.filter(|id| !reached.contains(*id)).cloned().collect();
            reached.extend(below.iter().cloned());
            last.extend(below);
        }
        reached
    }

    fn make_lines(&self) -> BTreeMap<(Component, Scope), Line> {
        let mut lines: BTreeMap<(Component, Scope), Vec<Stop>> = BTreeMap::new();
        for placed in self.placed.values() {
            let (Some(order), Some(commit)) = (placed.order(), placed.commit.clone()) else { continue };
            let production = (placed.tier == Tier::Production).then_some(Scope::Production);
            for scope in [Scope::Environment(placed.environment.clone())].into_iter().chain(production) {
                let stop = Stop { order: order.clone(), commit: commit.clone(), reaches: self.reach(&commit) };
                lines.entry((placed.component.clone(), scope)).or_default().push(stop);
            }
        }
        lines.into_iter().map(|(line, stops)| (line, Line::of(stops))).collect()
    }

    /// Commits of a merged change: those that a provider listed, what was pushed to its branch below its last commit down to where
    /// it began or to what is listed, and the commit that merged it.
    fn in_change(&self, key: &ChangeKey, change: &Change) -> BTreeSet<CommitId> {
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
        self.known.changes.get_key_value(self.brought_by.get(commit)?)
    }

    /// Whether a commit counts as part of a component: nothing says that it is not, and more is known of it than its name.
    pub fn is_part(&self, component: &Component, id: &CommitId) -> bool {
        self.known.commits.get(id).is_some_and(|commit| {
            commit.is_known() && catalog::belongs(&self.known.catalog, component, commit.paths.as_ref()).unwrap_or(true)
        })
    }

    /// The calendar of a component: the one that it names, else the first that there is.
    pub fn calendar(&self, component: &Component) -> Option<&Calendar> {
        let catalog = &self.known.catalog;
        let named = catalog::entry(catalog, component).and_then(|entry| entry.calendar.as_ref());
        let mut calendars = catalog.calendars.iter().zip(&self.calendars);
        calendars.find(|(given, _)| named.is_none_or(|name| given.calendar == *name))?.1.as_ref()
    }

    /// How much of a span is working time of a component.
    pub fn working(&self, component: &Component, from: Timestamp, until: Timestamp) -> Option<Millis> {
        self.calendar(component)?.working(from, until)
    }

    /// The first deployment of a component gives no lead time.
    pub fn has_baseline(&self, component: &Component) -> bool {
        let declared = catalog::entry(&self.known.catalog, component).is_some_and(|entry| entry.baseline_none);
        !declared && !self.known.baseline_none.contains(component)
    }

    pub fn deployments_of(&self, run: &RunId) -> impl Iterator<Item = &Placed> {
        things(&self.look_ups.deployments_of_run, run, &self.placed).map(|(_, placed)| placed)
    }

    pub fn tasks_of(&self, run: &RunId) -> impl Iterator<Item = &Task> {
        self.tasks_by_id(run).map(|(_, task)| task)
    }

    pub fn tasks_by_id(&self, run: &RunId) -> impl Iterator<Item = (&TaskId, &Task)> {
        things(&self.look_ups.tasks, run, &self.known.tasks)
    }

    pub fn gates_of(&self, run: &RunId) -> impl Iterator<Item = (&GateId, &Gate)> {
        things(&self.look_ups.gates_of_run, run, &self.known.gates)
    }

    /// When gates of a run were closed, as far as they are settled.
    pub fn held(&self, run: &RunId) -> Vec<(Timestamp, Timestamp)> {
        let meetings = self.gates_of(run).filter_map(|(_, gate)| gate.meeting());
        meetings.filter_map(|meeting| Some((meeting.at(), meeting.decided_at?))).collect()
    }

    /// The commit that a run worked on: in full where it can be resolved, else as given.
    pub fn commit_of_run(&self, run: &Run) -> Option<CommitId> {
        run.commit.as_ref().map(|given| self.resolve(given).unwrap_or_else(|| given.clone()))
    }

    /// Commits that a change holds.
    pub fn members(&self, key: &ChangeKey) -> &BTreeSet<CommitId> {
        &self.members[key]
    }

    /// What was deployed of a release.
    pub fn deployments_as(&self, component: &Component, version: &Version) -> Vec<&Placed> {
        let release = (component.clone(), version.clone());
        things(&self.look_ups.deployments_as, &release, &self.placed).map(|(_, placed)| placed).collect()
    }

    /// Deployments of a component to production.
    pub fn production(&self, component: &Component) -> Option<&Line> {
        self.lines.get(&(component.clone(), Scope::Production))
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

/// When what was held back by gates was ready: at the last decision on the way, whatever the provider calls the time before.
pub fn ready_at(queued: Timestamp, started: Timestamp, held: &[(Timestamp, Timestamp)]) -> Timestamp {
    let decisions = held.iter().filter(|(from, until)| *from < started && *until <= started).map(|(_, until)| *until);
    decisions.chain([queued]).max().unwrap_or(queued)
}
