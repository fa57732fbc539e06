//! Which deployment brought a commit to an environment first.
//!
//! A track is the line of successful deployments of one component to one environment, ordered by (finish, version, id). Each commit
//! carries the *least* deployment that reaches it: the label spreads from a deployment's commit to everything older, as far as it
//! makes labels smaller. A minimum does not depend on the order in which deployments, commits and edges arrive, so a late
//! deployment simply takes over the commits that were its own all along, and a rollback, which comes later than what it brings
//! back, moves nothing. Only what shrinks the input (a deployment corrected to failed, an edge contradicted) is recomputed.

use std::collections::{BTreeMap, BTreeSet};

use model::{DeploymentId, Timestamp, Version};
use rustc_hash::FxHashMap;

use crate::graph::{Graph, Place};

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

type Slot = u32;

#[derive(Clone, Debug)]
struct Stop {
    order: Order,
    head: Place,
    /// Commits that it was the first to bring.
    commits: BTreeSet<Place>,
}

/// What a change of a track touched.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Commits whose label changed.
    pub commits: BTreeSet<Place>,
    /// Deployments that gained or lost commits.
    pub deployments: BTreeSet<DeploymentId>,
}

/// The successful deployments of a component to an environment, and what each was the first to bring.
#[derive(Clone, Debug, Default)]
pub struct Track {
    order: BTreeMap<Order, Slot>,
    stops: FxHashMap<Slot, Stop>,
    labels: FxHashMap<Place, Slot>,
    next: Slot,
}

impl Track {
    /// No deployment is on it.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The deployment that brought the commit first.
    pub fn first(&self, commit: Place) -> Option<&Order> {
        self.labels.get(&commit).and_then(|slot| self.stops.get(slot)).map(|stop| &stop.order)
    }

    /// Commits that the deployment was the first to bring.
    pub fn commits(&self, order: &Order) -> impl Iterator<Item = Place> + '_ {
        self.order
            .get(order)
            .and_then(|slot| self.stops.get(slot))
            .into_iter()
            .flat_map(|stop| stop.commits.iter().copied())
    }

    /// The first deployment ever: the baseline.
    pub fn baseline(&self) -> Option<&Order> {
        self.order.keys().next()
    }

    /// The deployment before this one, and its commit.
    pub fn before(&self, order: &Order) -> Option<(&Order, Place)> {
        self.order.range(..order).next_back().and_then(|(order, slot)| Some((order, self.stops.get(slot)?.head)))
    }

    /// The deployment after this one.
    pub fn after(&self, order: &Order) -> Option<&Order> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.order.range((Excluded(order), Unbounded)).next().map(|(order, _)| order)
    }

    /// The deployments that finished between two instants, both included, and their commits, in order.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl DoubleEndedIterator<Item = (&Order, Place)> {
        let at = |finished_at| Order { finished_at, version: Version::default(), deployment: DeploymentId::default() };
        let end = Timestamp(to.0.saturating_add(1));
        let stops = self.order.range(at(from.min(end))..at(end));
        stops.filter_map(|(order, slot)| Some((order, self.stops.get(slot)?.head)))
    }

    /// A deployment came in.
    pub fn add(&mut self, graph: &Graph, order: Order, head: Place) -> Touched {
        let slot = self.next;
        self.next += 1;
        self.order.insert(order.clone(), slot);
        self.stops.insert(slot, Stop { order, head, commits: BTreeSet::new() });
        let mut touched = Touched::default();
        self.spread(graph, head, slot, &mut touched);
        touched
    }

    /// A deployment is none any more.
    pub fn remove(&mut self, graph: &Graph, order: &Order) -> Touched {
        let mut touched = Touched::default();
        let Some(stop) = self.order.remove(order).and_then(|slot| self.stops.remove(&slot)) else { return touched };
        for commit in &stop.commits {
            self.labels.remove(commit);
        }
        // What it held falls to the next deployments that reach it: through newer commits that they label, or as their own head.
        let mut heirs: Vec<(Place, Slot)> = Vec::new();
        for commit in &stop.commits {
            let labels = graph.node(*commit).newer.iter().filter_map(|newer| self.labels.get(newer));
            heirs.extend(labels.map(|slot| (*commit, *slot)));
        }
        heirs.extend(
            self.stops
                .iter()
                .filter(|(_, other)| stop.commits.contains(&other.head))
                .map(|(slot, other)| (other.head, *slot)),
        );
        for (commit, slot) in heirs {
            self.spread(graph, commit, slot, &mut touched);
        }
        touched.commits.extend(stop.commits);
        touched
    }

    /// The graph gained edges from a commit to older ones.
    pub fn extend(&mut self, graph: &Graph, from: Place, older: &[Place]) -> Touched {
        let mut touched = Touched::default();
        if let Some(slot) = self.labels.get(&from).copied() {
            for commit in older {
                self.spread(graph, *commit, slot, &mut touched);
            }
        }
        touched
    }

    /// Labels everything anew; for the rare case that the graph lost an edge.
    pub fn relabel(&mut self, graph: &Graph) -> Touched {
        let mut touched = Touched::default();
        touched.commits.extend(self.labels.keys().copied());
        touched.deployments.extend(self.stops.values().map(|stop| stop.order.deployment.clone()));
        self.labels.clear();
        for stop in self.stops.values_mut() {
            stop.commits.clear();
        }
        let heads: Vec<(Place, Slot)> =
            self.order.values().filter_map(|slot| Some((self.stops.get(slot)?.head, *slot))).collect();
        for (head, slot) in heads {
            self.spread(graph, head, slot, &mut touched);
        }
        touched
    }

    fn spread(&mut self, graph: &Graph, from: Place, slot: Slot, touched: &mut Touched) {
        let mut open = vec![from];
        while let Some(commit) = open.pop() {
            let old = self.labels.get(&commit).copied();
            if old.is_some_and(|old| !self.comes_before(slot, old)) {
                continue;
            }
            self.labels.insert(commit, slot);
            touched.commits.insert(commit);
            for (slot, holds) in [(old, false), (Some(slot), true)] {
                let Some(stop) = slot.and_then(|slot| self.stops.get_mut(&slot)) else { continue };
                if holds {
                    stop.commits.insert(commit);
                } else {
                    stop.commits.remove(&commit);
                }
                touched.deployments.insert(stop.order.deployment.clone());
            }
            open.extend(&graph.node(commit).older);
        }
    }

    fn comes_before(&self, slot: Slot, other: Slot) -> bool {
        match (self.stops.get(&slot), self.stops.get(&other)) {
            (Some(a), Some(b)) => a.order < b.order,
            _ => false,
        }
    }
}
