//! Rows of `release_commits`, and what is known of a commit's way.

use model::event::ActorKind;
use model::fact::{Lineage, Origin, ReleaseCommitFact};
use model::{CommitId, Component, Millis, Realm, Timestamp};

use super::is_production;
use super::spans::{Paths, Spans};
use crate::graph::Place;
use crate::state::{Placed, Scope, State};
use crate::track::{Order, Track, TrackId};

/// The way of a commit up to its merge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Way {
    /// Author time, else commit time; of the earliest of the commits squashed and of those it was picked from.
    pub authored_at: Option<Timestamp>,
    /// What that time is taken from.
    pub origin: Origin,
    /// Whether a person or a machine wrote it.
    pub author: ActorKind,
    /// When its change was opened.
    pub opened_at: Option<Timestamp>,
    /// When its change was merged, or it came to the default branch.
    pub merged_at: Option<Timestamp>,
    /// Commit time.
    pub committed_at: Option<Timestamp>,
}

/// The earliest time; of one told twice, an author time says most and a commit time least.
fn earliest(times: impl Iterator<Item = (Timestamp, Origin)>) -> Option<(Timestamp, Origin)> {
    times.min_by_key(|(at, origin)| (*at, *origin == Origin::Committed, *origin))
}

impl State {
    /// The way of a commit up to its merge.
    pub fn way(&self, place: Place) -> Way {
        let graph = &self.records.graph;
        let change = self.brought_by(place);
        let counted_from = self.counted_from(place);
        Way {
            authored_at: counted_from.map(|(at, _)| at),
            origin: counted_from.map(|(_, origin)| origin).unwrap_or_default(),
            author: graph.author_kind(place).unwrap_or_default(),
            opened_at: change.as_ref().and_then(|(_, change, _)| change.created_at.0),
            merged_at: change.as_ref().map(|(_, _, at)| *at).or(graph.landed_at(place)),
            committed_at: graph.committed_at(place),
        }
    }

    /// The earliest time that a commit's work is known by: its own or that of a commit it was picked from, which git keeps on the
    /// pick where a provider tells author times at all.
    fn counted_from(&self, place: Place) -> Option<(Timestamp, Origin)> {
        let picked = self.sources(place).into_iter().filter_map(|(at, _)| Some((at?, Origin::Picked)));
        earliest(self.own_time(place).into_iter().chain(picked))
    }

    /// Its own time, or that of the earliest commit squashed into it.
    fn own_time(&self, place: Place) -> Option<(Timestamp, Origin)> {
        let graph = &self.records.graph;
        let own = match (graph.authored(place), graph.committed_at(place)) {
            (Some((at, _)), _) => Some((at, Origin::Authored)),
            (None, at) => at.map(|at| (at, Origin::Committed)),
        };
        earliest(own.into_iter().chain(self.squashed_author_time(place).map(|at| (at, Origin::Squashed))))
    }

    /// Commits that it was picked from, each with the time to count it from, where that is known.
    fn sources(&self, place: Place) -> Vec<(Option<Timestamp>, CommitId)> {
        let known = |source: Place| (self.own_time(source).map(|(at, _)| at), self.records.graph.id(source));
        let by_word = self.picked_by_word(place).map(|source| source.map_or_else(|given| (None, given.clone()), known));
        by_word.chain(self.picked_by_patch(place).map(known)).collect()
    }

    /// The commit that it was picked from: of several the earliest.
    fn picked_from(&self, place: Place) -> Option<CommitId> {
        let sources = self.sources(place).into_iter();
        sources.min_by_key(|(at, id)| (at.is_none(), *at, id.clone())).map(|(_, id)| id)
    }

    /// The commit that it reverts: of several the one of the smallest id.
    fn reverts(&self, place: Place) -> Option<CommitId> {
        let graph = &self.records.graph;
        let given = graph.reverts(place);
        given.map(|given| self.find(Some(given)).map_or_else(|| given.clone(), |of| graph.id(of))).min()
    }

    /// The commit that reverted it: of several the one written first.
    fn first_revert(&self, place: Place) -> Option<CommitId> {
        let graph = &self.records.graph;
        let written = |by: Place| (self.written_at(by).is_none(), self.written_at(by), graph.id(by));
        self.reverted_by(place).map(written).min().map(|(_, _, id)| id)
    }

    /// Earliest author time of the commits that were squashed into this one; none where it is no squash.
    ///
    /// The commit that merged a change is a squash unless it is the change's last commit itself (fast forward), holds it or came to
    /// the default branch no earlier than it (a merge commit, of which a push does not tell the parents), or carries its author time
    /// (a rebase keeps author times, a squash does not).
    fn squashed_author_time(&self, place: Place) -> Option<Timestamp> {
        let graph = &self.records.graph;
        let (key, change, _) = self.brought_by(place)?;
        let merged_here = change.merged.get()?.1.as_ref() == Some(&graph.id(place));
        if !merged_here || graph.parents(place).is_some_and(|parents| parents.len() > 1) {
            return None;
        }
        if let Some(head) = change.head.get().and_then(|id| graph.find(id)) {
            let author_time = |p: Place| graph.authored(p).map(|(at, _)| at);
            let rebased = author_time(head).is_some() && author_time(head) == author_time(place);
            let landed = |p: Place| graph.landed_at(p);
            let came_along = landed(head).zip(landed(place)).is_some_and(|(head, merge)| head <= merge);
            if head == place || graph.older(place).contains(&head) || came_along || rebased {
                return None;
            }
        }
        // A branch that lives on holds commits that an earlier change brought already.
        let own = self.members(key).filter(|member| self.brought_by(*member).is_some_and(|(by, _, _)| by == key));
        own.filter_map(|member| self.written_at(member)).min()
    }

    /// Author time; the commit time where no other is told, as in GitHub's pushes.
    fn written_at(&self, place: Place) -> Option<Timestamp> {
        let graph = &self.records.graph;
        graph.authored(place).map(|(at, _)| at).or(graph.committed_at(place))
    }

    /// Whether a commit is part of a component: by its paths, or, where they are not told, because nothing says that it is not.
    pub fn is_part(&self, component: &Component, place: Place) -> bool {
        self.records.graph.is_known(place) && self.belongs(component, place).unwrap_or(true)
    }

    /// Whether a commit belongs to a component by its paths; none where they do not tell, be it that they are unknown, or that
    /// they are cut and none of those left is the component's.
    pub fn belongs(&self, component: &Component, place: Place) -> Option<bool> {
        if !self.rules.asks_for_paths(component) {
            return Some(true);
        }
        let paths = self.records.graph.told_paths(place);
        let belongs = self.rules.belongs(component, paths.as_ref().map(|(_, paths)| paths.as_slice()));
        belongs.filter(|belongs| *belongs || paths.is_none_or(|(whole, _)| whole))
    }

    /// The first deployment of a track counts as lead time all the same.
    pub fn has_baseline(&self, component: &Component) -> bool {
        !self.records.baseline_none.contains(component)
            && !self.rules.component(component).is_some_and(|c| c.baseline_none)
    }

    /// Rows of a commit, each with its track.
    pub fn commit_facts(&self, realm: &Realm, place: Place, paths: &mut Paths) -> Vec<(TrackId, ReleaseCommitFact)> {
        let mut facts = Vec::new();
        for (id, order) in self.tracks.of(place) {
            let (component, scope) = self.tracks.name(id);
            // The line of production as a whole makes releases; its rows are those of its environments.
            if matches!(scope, Scope::Production) || !self.is_part(component, place) {
                continue;
            }
            let track = self.tracks.track(&self.records.graph, id);
            let baseline = track.baseline() == Some(order) && self.has_baseline(component);
            let Some((mut fact, way)) = self.commit_fact(realm, component, place, track, baseline) else { continue };
            // Of several environments of the production tier, the one that it came to first tells how it came there.
            if fact.lead_time.is_some()
                && is_production(fact.tier)
                && self.brought_to_production(component, place, order)
            {
                let path = paths.of(self, component, &order.version).filter(|path| path.deployment == order.deployment);
                if let Some(path) = path {
                    fact.tell(&path.split(&way));
                }
            }
            facts.push((id, fact));
        }
        facts
    }

    fn commit_fact(
        &self,
        realm: &Realm,
        component: &Component,
        place: Place,
        track: Track<'_>,
        baseline: bool,
    ) -> Option<(ReleaseCommitFact, Way)> {
        let order = track.first(place)?;
        let Placed { environment, tier, head, .. } = self.placed.get(&order.deployment)?;
        let way = self.way(place);
        let fact = ReleaseCommitFact {
            realm: realm.clone(),
            component: component.clone(),
            environment: environment.clone(),
            commit: self.records.graph.id(place),
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
            origin: way.origin,
            picked_from: self.picked_from(place),
            reverts: self.reverts(place),
            reverted_by: self.first_revert(place),
            ..ReleaseCommitFact::default()
        };
        Some((fact, way))
    }

    /// How it is known that a deployment holds a commit; a child that the deployment does not hold says nothing of that.
    fn lineage(&self, track: Track<'_>, order: &Order, place: Place, deployed: bool) -> Lineage {
        let graph = &self.records.graph;
        let deployed_along = graph.newer(place).iter().filter(|newer| track.first(**newer) == Some(order));
        let by_parent = deployed_along
            .into_iter()
            .any(|newer| graph.parents(*newer).is_some_and(|parents| parents.contains(&place)));
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
            Some((end - at, self.records.graph.id(*place), *place))
        };
        let mut leads: Vec<_> = commits.iter().filter_map(lead).collect();
        leads.sort_unstable();
        leads
    }

    pub(super) fn is_machine(&self, place: Place) -> bool {
        self.records.graph.author_kind(place) == Some(ActorKind::Machine)
    }
}
