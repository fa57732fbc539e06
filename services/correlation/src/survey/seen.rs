//! When each thing was last spoken of, by its source's clock.

use model::Timestamp;

use crate::entity::{Deployment, Gate, Incident, Run, Tag};
use crate::graph::Place;
use crate::state::State;

impl Deployment {
    /// The last that was told of it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.states.keys().next_back().map(|state| state.at)
    }
}

impl Run {
    /// The last that was told of it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.attempts.values().filter_map(|attempt| attempt.finished_at()).chain(self.seen_at.0).max()
    }
}

impl Gate {
    /// The last that was told of it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.counted().keys().next_back().map(|(at, _)| *at)
    }
}

impl Tag {
    /// The last that was told of it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.acts.keys().next_back().map(|(at, _)| *at)
    }
}

impl Incident {
    /// The last that was told of it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.acts.keys().next_back().map(|(at, _)| *at).or(self.seen_at.0)
    }
}

impl State {
    /// When a commit came to the default branch, else when it was made.
    pub fn commit_seen(&self, place: Place) -> Option<Timestamp> {
        let graph = &self.records.graph;
        graph.landed_at(place).or_else(|| graph.committed_at(place))
    }
}
