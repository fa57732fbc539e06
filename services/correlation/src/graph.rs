//! The commits of a realm and how they reach one another.
//!
//! There are many of them, and most of what they say is said again and again. So a commit is kept packed: its id as bytes, others by
//! their places, authors, repositories, branches and changes by numbers. [`Graph::record`] gives it back as the record that was joined.

mod id;
mod packed;

use std::collections::BTreeSet;

use hashbrown::HashTable;
use model::event::{Actor, ActorKind};
use model::{ChangeId, CommitId, Repository, Timestamp};
use rustc_hash::FxHashMap;

use crate::chunked::Chunked;
use crate::entity::{Commit, Patch, Rare};
use crate::lattice::{Greatest, Join, Least};
use crate::lists::{Lists, Number};

pub use id::{Id, STEM};
use packed::{Numbered, PathList, Paths};

/// Place of a commit in the graph. Places are handed out in the order of arrival and mean nothing outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32);

impl Place {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// No place comes before it.
    pub const FIRST: Self = Self(0);
}

impl Number for Place {
    fn of(number: u32) -> Self {
        Self(number)
    }

    fn number(self) -> u32 {
        self.0
    }
}

/// A commit, in 80 bytes.
#[derive(Clone, Debug)]
struct Node {
    id: Id,
    /// Author time, commit time and when it landed, each where it was told.
    times: [Timestamp; 3],
    told: [bool; 3],
    author_kind: Option<ActorKind>,
    author: u32,
    repositories: u32,
    branches: u32,
    changes: u32,
    paths: Option<PathList>,
    /// How many of its `others`, at their beginning, are parents; [`UNTOLD`] where nobody told.
    parents: u16,
    /// How many of its `others`, at their end, are ends of pushes that listed it.
    ends: u16,
}

const _: () = assert!(size_of::<Node>() == 80);

/// Stands for parents that nobody told.
const UNTOLD: u16 = u16::MAX;

impl Node {
    fn time(&self, which: usize) -> Option<Timestamp> {
        self.told[which].then_some(self.times[which])
    }

    fn parents(&self) -> Option<usize> {
        (self.parents != UNTOLD).then_some(usize::from(self.parents))
    }
}

/// What a new observation did to the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// The commit.
    pub place: Place,
    /// Something new is known of it.
    pub news: bool,
    /// Edges that came in.
    pub gained: Vec<Place>,
    /// An edge went away: one source told parents that another one contradicts.
    pub lost: bool,
}

/// The commits of a realm.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Places by the first digits of the id, so that abbreviations are found as well.
    places: HashTable<Place>,
    nodes: Chunked<Node>,
    /// Commits that each one contains directly: its parents in their order, then what a push to it went over; then ends of pushes.
    others: Lists<Place, 2>,
    /// From each commit to those that contain it directly.
    newer: Lists<Place, 1>,
    rare: FxHashMap<Place, Box<Rare>>,
    paths: Paths,
    actors: Numbered<Actor>,
    repositories: Numbered<Box<[Repository]>>,
    branches: Numbered<Box<[String]>>,
    changes: Numbered<Box<[ChangeId]>>,
}

impl Graph {
    fn node(&self, place: Place) -> &Node {
        &self.nodes[place.index()]
    }

    fn others(&self, place: Place) -> &[Place] {
        self.others.of(place.index())
    }

    /// Its full id.
    pub fn id(&self, place: Place) -> CommitId {
        self.node(place).id.to_commit()
    }

    /// Author time and author.
    pub fn authored(&self, place: Place) -> Option<(Timestamp, &Actor)> {
        let node = self.node(place);
        Some((node.time(0)?, self.actors.get(node.author)))
    }

    /// Commit time.
    pub fn committed_at(&self, place: Place) -> Option<Timestamp> {
        self.node(place).time(1)
    }

    /// When it first came to the default branch.
    pub fn landed_at(&self, place: Place) -> Option<Timestamp> {
        self.node(place).time(2)
    }

    /// Parents, where somebody told.
    pub fn parents(&self, place: Place) -> Option<&[Place]> {
        self.node(place).parents().map(|count| &self.others(place)[..count])
    }

    /// Commits that a push to it is known to contain.
    pub fn pushed_over(&self, place: Place) -> &[Place] {
        &self.older(place)[self.node(place).parents().unwrap_or_default()..]
    }

    /// Commits that it contains directly: its parents, and what a push to it went over.
    pub fn older(&self, place: Place) -> &[Place] {
        let others = self.others(place);
        &others[..others.len() - usize::from(self.node(place).ends)]
    }

    /// Where pushes ended whose list was whole and named it.
    pub fn listed_under(&self, place: Place) -> &[Place] {
        let others = self.others(place);
        &others[others.len() - usize::from(self.node(place).ends)..]
    }

    /// Whether a person or a machine wrote it, where told.
    pub fn author_kind(&self, place: Place) -> Option<ActorKind> {
        self.node(place).author_kind
    }

    /// The other direction.
    pub fn newer(&self, place: Place) -> &[Place] {
        self.newer.of(place.index())
    }

    /// Paths touched, where told, and whether they are all.
    pub fn told_paths(&self, place: Place) -> Option<(bool, Vec<String>)> {
        self.node(place).paths.and_then(|list| self.paths.get(list))
    }

    /// Repositories seen to hold it.
    pub fn repositories(&self, place: Place) -> &[Repository] {
        self.repositories.get(self.node(place).repositories)
    }

    /// Full names of the branches it was pushed to.
    pub fn branches(&self, place: Place) -> &[String] {
        self.branches.get(self.node(place).branches)
    }

    /// Commits that it says it was picked from, as given.
    pub fn picked_from(&self, place: Place) -> impl Iterator<Item = &CommitId> {
        self.rare.get(&place).into_iter().flat_map(|rare| &rare.picked_from)
    }

    /// Commits that it says it reverts, as given.
    pub fn reverts(&self, place: Place) -> impl Iterator<Item = &CommitId> {
        self.rare.get(&place).into_iter().flat_map(|rare| &rare.reverts)
    }

    /// What it changes, where somebody told.
    pub fn patch(&self, place: Place) -> Option<Patch> {
        self.rare.get(&place).and_then(|rare| rare.patch.0)
    }

    /// Something is known of it beyond its name.
    pub fn is_known(&self, place: Place) -> bool {
        let node = self.node(place);
        node.time(0).is_some() || node.time(1).is_some() || node.parents().is_some()
    }

    /// Place of a commit by its full id.
    pub fn find(&self, id: &CommitId) -> Option<Place> {
        self.find_packed(&Id::of(id))
    }

    fn find_packed(&self, id: &Id) -> Option<Place> {
        self.places.find(id.stem(), |place| self.node(*place).id == *id).copied()
    }

    /// The commit that a reference means: by its full id, or the only one that starts with the abbreviation.
    ///
    /// Only commits that somebody told of are looked through: that another one was merely named must not make a reference mean
    /// something else.
    pub fn resolve(&self, given: &CommitId) -> Option<Place> {
        if !given.is_abbreviation() {
            return self.find(given);
        }
        let mut matches = self.starting_with(given.as_str()).into_iter().filter(|place| self.is_told(*place));
        let first = matches.next()?;
        matches.next().is_none().then_some(first)
    }

    /// Somebody told of it; it was not only named by another.
    pub fn is_told(&self, place: Place) -> bool {
        self.is_known(place) || self.record(place) != Commit::default()
    }

    /// Commits whose id starts with these digits, at least [`STEM`] of them.
    pub fn starting_with(&self, digits: &str) -> Vec<Place> {
        let places = self.places.iter_hash(id::stem_of(digits)).copied();
        places.filter(|place| self.id(*place).as_str().starts_with(digits)).collect()
    }

    /// Place of a commit, made where it is not known yet.
    pub fn place(&mut self, id: &CommitId) -> Place {
        self.place_of(Id::of(id))
    }

    /// As [`Self::place`].
    pub fn place_of(&mut self, id: Id) -> Place {
        if let Some(place) = self.find_packed(&id) {
            return place;
        }
        // A realm of two thousand million commits has other troubles.
        let place = Place(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let hash = id.stem();
        self.nodes.push(Node {
            id,
            times: Default::default(),
            told: Default::default(),
            author_kind: None,
            author: self.actors.number(Actor::default()),
            repositories: self.repositories.number(Box::default()),
            branches: self.branches.number(Box::default()),
            changes: self.changes.number(Box::default()),
            paths: None,
            parents: UNTOLD,
            ends: 0,
        });
        self.places.insert_unique(hash, place, |place| self.nodes[place.index()].id.stem());
        place
    }

    /// What is known of a commit; nothing where it was only named by another.
    pub fn record(&self, place: Place) -> Commit {
        let node = self.node(place);
        let ids = |places: &[Place]| places.iter().map(|place| self.id(*place)).collect::<Vec<_>>();
        Commit {
            repositories: self.repositories(place).iter().cloned().collect(),
            parents: Greatest(self.parents(place).map(|parents| (parents.len(), ids(parents)))),
            authored: Least(self.authored(place).map(|(at, author)| (at, author.clone()))),
            author_kind: Greatest(node.author_kind),
            committed_at: Least(node.time(1)),
            paths: Greatest(self.told_paths(place)),
            pushed_over: ids(self.pushed_over(place)).into_iter().collect(),
            listed_under: ids(self.listed_under(place)).into_iter().collect(),
            landed_at: Least(node.time(2)),
            branches: self.branches(place).iter().cloned().collect(),
            changes: self.changes.get(node.changes).iter().cloned().collect(),
            rare: self.rare.get(&place).cloned(),
        }
    }

    /// Keeps a record, and gives what it contained directly before.
    fn keep(&mut self, place: Place, known: Commit) -> Vec<Place> {
        let before = self.older(place).to_vec();
        let parents = known.parents.0.map(|(_, parents)| parents);
        let most = usize::from(UNTOLD - 1);
        let count = parents.as_ref().map_or(UNTOLD, |parents| few(parents.len().min(most)));
        let ends = few(known.listed_under.len());
        let parents = parents.into_iter().flatten().take(most);
        let names = parents.chain(known.pushed_over).chain(known.listed_under.into_iter().take(usize::from(ends)));
        let others: Vec<Place> = names.map(|id| self.place(&id)).collect();
        self.others.set(place.index(), &others);
        let paths = match known.paths.0 {
            Some(paths) if self.told_paths(place).as_ref() == Some(&paths) => self.node(place).paths,
            Some((whole, paths)) => self.paths.keep(whole, paths),
            None => None,
        };
        match known.rare {
            Some(rare) => drop(self.rare.insert(place, rare)),
            None => drop(self.rare.remove(&place)),
        }
        let author = known.authored.0.as_ref().map(|(_, author)| author.clone()).unwrap_or_default();
        let author = self.actors.number(author);
        let repositories = self.repositories.number(known.repositories.into_iter().collect());
        let branches = self.branches.number(known.branches.into_iter().collect());
        let changes = self.changes.number(known.changes.into_iter().collect());
        let node = &mut self.nodes[place.index()];
        let times = [known.authored.0.map(|(at, _)| at), known.committed_at.0, known.landed_at.0];
        (node.times, node.told) = (times.map(Option::unwrap_or_default), times.map(|at| at.is_some()));
        (node.author, node.repositories, node.branches, node.changes) = (author, repositories, branches, changes);
        (node.parents, node.ends, node.author_kind, node.paths) = (count, ends, known.author_kind.0, paths);
        before
    }

    /// Forgets what is known of a commit. Its place stays: others may name it.
    pub fn forget(&mut self, id: &CommitId) {
        let Some(place) = self.find(id) else { return };
        for older in self.keep(place, Commit::default()) {
            self.newer.remove(older.index(), place);
        }
    }

    /// Joins what was observed of a commit.
    pub fn observe(&mut self, id: &CommitId, seen: Commit) -> Growth {
        let place = self.place(id);
        let mut known = self.record(place);
        let news = known.join(seen);
        if !news {
            return Growth { place, news, gained: Vec::new(), lost: false };
        }
        let (gained, lost) = self.replace(place, known);
        Growth { place, news, gained, lost }
    }

    /// Takes what is known of a commit from where it was kept.
    pub fn restore(&mut self, id: &CommitId, known: Commit) {
        let place = self.place(id);
        self.replace(place, known);
    }

    /// Replaces what is known of a commit; gives the edges that came in, and whether one went away.
    fn replace(&mut self, place: Place, known: Commit) -> (Vec<Place>, bool) {
        let before = self.keep(place, known);
        let missing = |from: &[Place], of: &[Place]| -> Vec<Place> {
            let missing = of.iter().filter(|p| **p != place && !from.contains(p));
            missing.copied().collect::<BTreeSet<_>>().into_iter().collect()
        };
        let (gained, gone) = (missing(&before, self.older(place)), missing(self.older(place), &before));
        for p in &gained {
            self.newer.push(p.index(), place);
        }
        for p in &gone {
            self.newer.remove(p.index(), place);
        }
        (gained, !gone.is_empty())
    }

    /// All places.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.nodes.len()).filter_map(|n| u32::try_from(n).ok()).map(Place)
    }

    /// How many commits there are, those only named included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// A count of what is few.
fn few(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
