//! Which deployment brought a commit to an environment first.
//!
//! A track is the line of successful deployments of one component to one environment, ordered by (finish, version, id). Each commit
//! carries the *least* deployment that reaches it: the label spreads from a deployment's commit to everything older, as far as it
//! makes labels smaller. A minimum does not depend on the order in which deployments, commits and edges arrive, so a late
//! deployment simply takes over the commits that were its own all along, and a rollback, which comes later than what it brings
//! back, moves nothing. Only what shrinks the input (a deployment corrected to failed, an edge contradicted) is recomputed.

mod labels;

use std::collections::BTreeMap;

use model::{Component, DeploymentId, Timestamp, Version};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::graph::{Graph, Place};
use crate::state::Scope;

use labels::Labels;

/// Order of deployments on a track.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// Finish.
    pub finished_at: Timestamp,
    /// Version; of one instant the bytewise smaller comes first.
    pub version: Version,
    /// Id.
    pub deployment: DeploymentId,
}

/// Number of a track. It stays the same as long as the state lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(u32);

/// Number of a deployment on its track.
type Slot = u32;

#[derive(Clone, Debug)]
struct Stop {
    order: Order,
    head: Place,
}

/// The successful deployments of one track.
#[derive(Clone, Debug, Default)]
struct Line {
    order: BTreeMap<Order, Slot>,
    /// By slot; none for a deployment that was taken off.
    stops: Vec<Option<Stop>>,
    /// Deployments by the commit that they bring.
    heads: FxHashMap<Place, Vec<Slot>>,
}

/// What a change of the tracks touched.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Commits whose label changed.
    pub commits: Vec<Place>,
    /// Deployments that gained or lost commits.
    pub deployments: Vec<DeploymentId>,
}

/// All tracks of a realm, and for each commit the deployment on each track that brought it first.
///
/// The labels stand with the commits, so that what touches a commit costs as much as there are tracks that hold it, however many
/// components the realm has.
#[derive(Clone, Debug, Default)]
pub struct Tracks {
    ids: BTreeMap<(Component, Scope), TrackId>,
    names: Vec<(Component, Scope)>,
    lines: Vec<Line>,
    labels: Labels,
}

/// One track, for reading.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    tracks: &'a Tracks,
    graph: &'a Graph,
    id: TrackId,
}

impl Line {
    fn stop(&self, slot: Slot) -> Option<&Stop> {
        self.stops.get(slot as usize)?.as_ref()
    }

    fn comes_before(&self, slot: Slot, other: Slot) -> bool {
        match (self.stop(slot), self.stop(other)) {
            (Some(a), Some(b)) => a.order < b.order,
            _ => false,
        }
    }
}

impl<'a> Track<'a> {
    fn line(&self) -> &'a Line {
        self.tracks.line(self.id)
    }

    /// The deployment that brought the commit first.
    pub fn first(&self, commit: Place) -> Option<&'a Order> {
        self.line().stop(self.tracks.labels.get(commit, self.id)?).map(|stop| &stop.order)
    }

    /// Commits that the deployment was the first to bring.
    ///
    /// They hang together: whatever reaches a commit reaches what is older, so on the way from the deployed commit to one that
    /// this deployment brought first, it brought all first.
    pub fn commits(&self, order: &Order) -> Vec<Place> {
        match self.line().order.get(order) {
            Some(slot) => self.tracks.held_by(self.graph, self.id, *slot),
            None => Vec::new(),
        }
    }

    /// The first deployment ever: the baseline.
    pub fn baseline(&self) -> Option<&'a Order> {
        self.line().order.keys().next()
    }

    /// The deployment before this one, and its commit.
    pub fn before(&self, order: &Order) -> Option<(&'a Order, Place)> {
        let line = self.line();
        line.order.range(..order).next_back().and_then(|(order, slot)| Some((order, line.stop(*slot)?.head)))
    }

    /// The deployments that finished between two instants, both included, and their commits, in order.
    pub fn between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl DoubleEndedIterator<Item = (&'a Order, Place)> + use<'a> {
        let at = |finished_at| Order { finished_at, version: Version::default(), deployment: DeploymentId::default() };
        let (line, end) = (self.line(), Timestamp(to.0.saturating_add(1)));
        let stops = line.order.range(at(from.min(end))..at(end));
        stops.filter_map(|(order, slot)| Some((order, line.stop(*slot)?.head)))
    }

    /// The deployment after this one.
    pub fn after(&self, order: &Order) -> Option<&'a Order> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.line().order.range((Excluded(order), Unbounded)).next().map(|(order, _)| order)
    }
}

impl Tracks {
    /// The same tracks without a deployment: they keep their numbers.
    pub fn emptied(self) -> Self {
        let lines = vec![Line::default(); self.lines.len()];
        Self { lines, labels: Labels::default(), ..self }
    }

    /// The track of a component and a scope, where it has a deployment.
    pub fn get<'a>(&'a self, graph: &'a Graph, component: &Component, scope: &Scope) -> Option<Track<'a>> {
        let id = *self.ids.get(&(component.clone(), scope.clone()))?;
        (!self.line(id).order.is_empty()).then_some(Track { tracks: self, graph, id })
    }

    /// Number of a track.
    pub fn id(&mut self, component: &Component, scope: &Scope) -> TrackId {
        let name = (component.clone(), scope.clone());
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = TrackId(u32::try_from(self.lines.len()).unwrap_or(u32::MAX));
        self.ids.insert(name.clone(), id);
        self.names.push(name);
        self.lines.push(Line::default());
        id
    }

    /// Component and scope of a track.
    pub fn name(&self, id: TrackId) -> &(Component, Scope) {
        &self.names[id.0 as usize]
    }

    /// Tracks that hold a commit, each with the deployment that brought it first.
    pub fn of(&self, commit: Place) -> impl Iterator<Item = (TrackId, &Order)> {
        self.labels.of(commit).iter().filter_map(|(id, slot)| Some((*id, &self.line(*id).stop(*slot)?.order)))
    }

    /// A track by its number, for reading.
    pub fn track<'a>(&'a self, graph: &'a Graph, id: TrackId) -> Track<'a> {
        Track { tracks: self, graph, id }
    }

    /// A deployment came in.
    pub fn add(&mut self, graph: &Graph, id: TrackId, order: Order, head: Place) -> Touched {
        let line = &mut self.lines[id.0 as usize];
        let slot = Slot::try_from(line.stops.len()).unwrap_or(Slot::MAX);
        line.order.insert(order.clone(), slot);
        line.stops.push(Some(Stop { order, head }));
        line.heads.entry(head).or_default().push(slot);
        self.spread(graph, id, vec![(head, slot)])
    }

    /// A deployment is none any more.
    pub fn remove(&mut self, graph: &Graph, id: TrackId, order: &Order) -> Touched {
        let Some(slot) = self.line(id).order.get(order).copied() else { return Touched::default() };
        let commits = self.held_by(graph, id, slot);
        let line = &mut self.lines[id.0 as usize];
        line.order.remove(order);
        if let Some(stop) = line.stops[slot as usize].take() {
            line.heads.entry(stop.head).or_default().retain(|other| *other != slot);
        }
        for commit in &commits {
            self.labels.set(*commit, id, None);
        }
        // What it held falls to the next deployments that reach it: through newer commits that they label, or as their own head.
        let mut heirs: Vec<(Place, Slot)> = Vec::new();
        for commit in &commits {
            let newer = graph.newer(*commit).iter().filter_map(|newer| self.labels.get(*newer, id));
            let heads = self.line(id).heads.get(commit).into_iter().flatten().copied();
            heirs.extend(newer.chain(heads).map(|slot| (*commit, slot)));
        }
        let mut touched = self.spread(graph, id, heirs);
        touched.commits.extend(commits);
        touched
    }

    /// The graph gained edges from a commit to older ones.
    pub fn extend(&mut self, graph: &Graph, from: Place, older: &[Place]) -> Vec<Touched> {
        let labels: SmallVec<[(TrackId, Slot); 8]> = self.labels.of(from).into();
        let spread = |(id, slot): &(TrackId, Slot)| {
            self.spread(graph, *id, older.iter().map(|commit| (*commit, *slot)).collect())
        };
        labels.iter().map(spread).collect()
    }

    /// Labels everything anew; for the rare case that the graph lost an edge.
    pub fn relabel(&mut self, graph: &Graph) -> Vec<Touched> {
        let labels = std::mem::take(&mut self.labels);
        let mut all = Vec::new();
        for id in (0..self.lines.len()).filter_map(|n| u32::try_from(n).ok()).map(TrackId) {
            let line = self.line(id);
            let heads = line.order.values().filter_map(|slot| Some((line.stop(*slot)?.head, *slot))).collect();
            let deployments: Vec<DeploymentId> = line.order.keys().map(|order| order.deployment.clone()).collect();
            let mut touched = self.spread(graph, id, heads);
            touched.commits.extend(graph.places().filter(|commit| labels.get(*commit, id).is_some()));
            touched.deployments.extend(deployments);
            all.push(touched);
        }
        all
    }

    fn line(&self, id: TrackId) -> &Line {
        &self.lines[id.0 as usize]
    }

    fn held_by(&self, graph: &Graph, id: TrackId, slot: Slot) -> Vec<Place> {
        let head = self.line(id).stop(slot).map(|stop| stop.head);
        let is_held = |commit: &Place| self.labels.get(*commit, id) == Some(slot);
        let mut open: Vec<Place> = head.into_iter().filter(is_held).collect();
        let mut held: FxHashSet<Place> = open.iter().copied().collect();
        while let Some(commit) = open.pop() {
            let older = graph.older(commit).iter().copied().filter(is_held);
            open.extend(older.filter(|older| held.insert(*older)));
        }
        let mut held: Vec<Place> = held.into_iter().collect();
        held.sort_unstable();
        held
    }

    fn spread(&mut self, graph: &Graph, id: TrackId, from: Vec<(Place, Slot)>) -> Touched {
        let mut commits = Vec::new();
        let mut slots: FxHashSet<Slot> = FxHashSet::default();
        let mut open = from;
        while let Some((commit, slot)) = open.pop() {
            let old = self.labels.get(commit, id);
            if old.is_some_and(|old| !self.line(id).comes_before(slot, old)) {
                continue;
            }
            self.labels.set(commit, id, Some(slot));
            commits.push(commit);
            slots.insert(slot);
            slots.extend(old);
            open.extend(graph.older(commit).iter().map(|older| (*older, slot)));
        }
        let line = self.line(id);
        let deployments =
            slots.into_iter().filter_map(|slot| Some(line.stop(slot)?.order.deployment.clone())).collect();
        Touched { commits, deployments }
    }
}
