//! Rows of `release_commits`, and what is known of a commit's way.

use model::event::ActorKind;
use model::fact::{Fact, Lineage, ReleaseCommitFact};
use model::{CommitId, Component, Millis, Realm, Timestamp};

use crate::graph::Place;
use crate::state::{Placed, Scope, State};
use crate::track::{Order, Track};

/// The way of a commit up to its merge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Way {
    /// Author time, else commit time; of the earliest commit squashed.
    pub authored_at: Option<Timestamp>,
    /// Whether a person or a machine wrote it.
    pub author: ActorKind,
    /// When its change was opened.
    pub opened_at: Option<Timestamp>,
    /// When its change was merged, or it came to the default branch.
    pub merged_at: Option<Timestamp>,
    /// Commit time.
    pub committed_at: Option<Timestamp>,
}

impl State {
    /// The way of a commit up to its merge.
    pub fn way(&self, place: Place) -> Way {
        let known = &self.records.graph.node(place).known;
        let change = self.brought_by(place);
        Way {
            authored_at: self.squashed_author_time(place).into_iter().chain(self.written_at(place)).min(),
            author: known.author_kind.0.unwrap_or_default(),
            opened_at: change.as_ref().and_then(|(_, change, _)| change.created_at.0),
            merged_at: change.as_ref().map(|(_, _, at)| *at).or(known.landed_at.0),
            committed_at: known.committed_at.0,
        }
    }

    /// Earliest author time of the commits that were squashed into this one; none where it is no squash.
    ///
    /// The commit that merged a change is a squash unless it is the change's last commit itself (fast forward), holds it (a merge
    /// commit), or carries its author time (a rebase keeps author times, a squash does not).
    fn squashed_author_time(&self, place: Place) -> Option<Timestamp> {
        let graph = &self.records.graph;
        let node = graph.node(place);
        let (key, change, _) = self.brought_by(place)?;
        let merged_here = change.merged.get()?.1.as_ref() == Some(&node.id);
        if !merged_here || node.known.told_parents().is_some_and(|parents| parents.len() > 1) {
            return None;
        }
        if let Some(head) = change.head.get().and_then(|id| graph.find(id)) {
            let author_time = |p: Place| graph.node(p).known.authored.0.as_ref().map(|(at, _)| *at);
            let rebased = author_time(head).is_some() && author_time(head) == author_time(place);
            if head == place || node.older.contains(&head) || rebased {
                return None;
            }
        }
        // A branch that lives on holds commits that an earlier change brought already.
        let own = self.members(key).filter(|member| self.brought_by(*member).is_some_and(|(by, _, _)| by == key));
        own.filter_map(|member| self.written_at(member)).min()
    }

    /// Author time; the commit time where no other is told, as in GitHub's pushes.
    fn written_at(&self, place: Place) -> Option<Timestamp> {
        let known = &self.records.graph.node(place).known;
        known.authored.0.as_ref().map(|(at, _)| *at).or(known.committed_at.0)
    }

    /// Whether a commit is part of a component: by its paths, or, where they are not told, because nothing says that it is not.
    pub fn is_part(&self, component: &Component, place: Place) -> bool {
        self.records.graph.node(place).known.is_known() && self.belongs(component, place).unwrap_or(true)
    }

    /// Whether a commit belongs to a component by its paths; none where they do not tell, be it that they are unknown, or that
    /// they are cut and none of those left is the component's.
    pub fn belongs(&self, component: &Component, place: Place) -> Option<bool> {
        let paths = self.records.graph.node(place).known.paths.0.as_ref();
        let belongs = self.rules.belongs(component, paths.map(|(_, paths)| paths.as_slice()));
        belongs.filter(|belongs| *belongs || paths.is_none_or(|(whole, _)| *whole))
    }

    /// The first deployment of a track counts as lead time all the same.
    pub fn has_baseline(&self, component: &Component) -> bool {
        !self.records.baseline_none.contains(component)
            && !self.rules.component(component).is_some_and(|c| c.baseline_none)
    }

    pub(super) fn commit_facts(&self, realm: &Realm, id: &CommitId) -> Vec<Fact> {
        let Some(place) = self.records.graph.find(id) else { return Vec::new() };
        let mut facts = Vec::new();
        for ((component, scope), track) in &self.tracks {
            // The line of production as a whole makes releases; its rows are those of its environments.
            if matches!(scope, Scope::Production) || !self.is_part(component, place) {
                continue;
            }
            let Some(order) = track.first(place) else { continue };
            let baseline = track.baseline() == Some(order) && self.has_baseline(component);
            facts.extend(self.commit_fact(realm, component, place, track, baseline).map(Fact::from));
        }
        facts
    }

    fn commit_fact(
        &self,
        realm: &Realm,
        component: &Component,
        place: Place,
        track: &Track,
        baseline: bool,
    ) -> Option<ReleaseCommitFact> {
        let order = track.first(place)?;
        let Placed { environment, tier, head, .. } = self.placed.get(&order.deployment)?;
        let way = self.way(place);
        let node = self.records.graph.node(place);
        Some(ReleaseCommitFact {
            realm: realm.clone(),
            component: component.clone(),
            environment: environment.clone(),
            commit: node.id.clone(),
            at: order.finished_at,
            version: order.version.clone(),
            deployment: order.deployment.clone(),
            tier: *tier,
            baseline,
            authored_at: way.authored_at,
            committed_at: way.committed_at,
            merged_at: way.merged_at,
            lead_time: way.authored_at.filter(|_| !baseline).map(|at| order.finished_at - at),
            author_kind: way.author,
            change: self.brought_by(place).map(|(key, _, _)| key.1.clone()),
            lineage: self.lineage(track, order, place, *head == Some(place)),
            ..ReleaseCommitFact::default()
        })
    }

    /// How it is known that a deployment holds a commit; a child that the deployment does not hold says nothing of that.
    fn lineage(&self, track: &Track, order: &Order, place: Place, deployed: bool) -> Lineage {
        let graph = &self.records.graph;
        let by_parent =
            graph.node(place).newer.iter().filter(|newer| track.first(**newer) == Some(order)).any(|newer| {
                let parents = graph.node(*newer).known.told_parents();
                parents.is_some_and(|parents| parents.contains(&graph.node(place).id))
            });
        match (deployed, by_parent) {
            (true, _) => Lineage::Deployed,
            (false, true) => Lineage::Parents,
            (false, false) => Lineage::Push,
        }
    }

    /// Lead times of the commits, sorted by (lead time, commit); those without an author time are left out.
    pub(super) fn lead_times(&self, commits: &[Place], end: Timestamp) -> Vec<(Millis, CommitId, Place)> {
        let lead = |place: &Place| {
            let at = self.way(*place).authored_at?;
            Some((end - at, self.records.graph.node(*place).id.clone(), *place))
        };
        let mut leads: Vec<_> = commits.iter().filter_map(lead).collect();
        leads.sort_unstable();
        leads
    }

    pub(super) fn is_machine(&self, place: Place) -> bool {
        self.records.graph.node(place).known.author_kind.0 == Some(ActorKind::Machine)
    }
}
