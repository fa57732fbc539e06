//! The commits of a realm and how they reach one another.

use std::collections::BTreeMap;

use model::CommitId;

use crate::entity::Commit;
use crate::lattice::Join;

/// Place of a commit in the graph. Places are handed out in the order of arrival and mean nothing outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32);

impl Place {
    /// No place comes before it.
    pub const FIRST: Self = Self(0);
}

/// A commit with its neighbours.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its full id.
    pub id: CommitId,
    /// What is known of it; nothing where it was only named by another.
    pub known: Commit,
    /// Commits that it contains directly: its parents, and what a push to it went over.
    pub older: Vec<Place>,
    /// The other direction.
    pub newer: Vec<Place>,
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
    places: BTreeMap<CommitId, Place>,
    nodes: Vec<Node>,
}

impl Graph {
    /// The node at a place.
    pub fn node(&self, place: Place) -> &Node {
        &self.nodes[place.0 as usize]
    }

    /// Place of a commit by its full id.
    pub fn find(&self, id: &CommitId) -> Option<Place> {
        self.places.get(id).copied()
    }

    /// The commit that a reference means: by its full id, or the only one that starts with the abbreviation.
    ///
    /// Only commits that somebody told of are looked through: that another one was merely named must not make a reference mean
    /// something else.
    pub fn resolve(&self, given: &CommitId) -> Option<Place> {
        if !given.is_abbreviation() {
            return self.find(given);
        }
        let mut matches =
            self.starting_with(given.as_str()).into_iter().filter(|place| self.node(*place).known != Commit::default());
        let first = matches.next()?;
        matches.next().is_none().then_some(first)
    }

    /// Commits whose id starts with these digits.
    pub fn starting_with(&self, stem: &str) -> Vec<Place> {
        let from = CommitId::new(stem);
        self.places.range(from..).take_while(|(id, _)| id.as_str().starts_with(stem)).map(|(_, place)| *place).collect()
    }

    /// Place of a commit, made where it is not known yet.
    pub fn place(&mut self, id: &CommitId) -> Place {
        if let Some(place) = self.find(id) {
            return place;
        }
        // A realm of four thousand million commits has other troubles.
        let place = Place(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { id: id.clone(), known: Commit::default(), older: Vec::new(), newer: Vec::new() });
        self.places.insert(id.clone(), place);
        place
    }

    /// Joins what was observed of a commit.
    pub fn observe(&mut self, id: &CommitId, seen: Commit) -> Growth {
        let place = self.place(id);
        let node = &mut self.nodes[place.0 as usize];
        let news = node.known.join(seen);
        if !news {
            return Growth { place, news, gained: Vec::new(), lost: false };
        }
        let names: Vec<CommitId> = node
            .known
            .told_parents()
            .unwrap_or_default()
            .iter()
            .chain(&node.known.pushed_over)
            .filter(|older| *older != id)
            .cloned()
            .collect();
        let mut older: Vec<Place> = names.iter().map(|name| self.place(name)).collect();
        older.sort_unstable();
        older.dedup();
        let before = std::mem::replace(&mut self.nodes[place.0 as usize].older, older.clone());
        let gained: Vec<Place> = older.iter().filter(|p| before.binary_search(p).is_err()).copied().collect();
        for p in &gained {
            self.nodes[p.0 as usize].newer.push(place);
        }
        let gone: Vec<Place> = before.iter().filter(|p| older.binary_search(p).is_err()).copied().collect();
        for p in &gone {
            self.nodes[p.0 as usize].newer.retain(|newer| *newer != place);
        }
        Growth { place, news, gained, lost: !gone.is_empty() }
    }

    /// Every place, those of commits only named included.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(Place)
    }

    /// How many commits there are, those only named included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
}
