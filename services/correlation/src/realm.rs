//! A realm: takes events in, gives facts and changelog records out.

use std::collections::{BTreeMap, BTreeSet};

use model::codec::EncodeError;
use model::event::{Body, Event};
use model::fact::{Fact, Identity};
use model::{Component, Realm as RealmName};

use crate::changelog::{self, Emitted, Meta, Record};
use crate::derive::{DERIVATION, Paths};
use crate::observe::{Observation, observe};
use crate::state::{Key, State, Unit};

/// What became of an event. Every event ends as exactly one of these, or as a dead letter before it came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Something new is known.
    Applied,
    /// All of it was known.
    NoNews,
    /// Kept, and waiting for the commit that it names.
    Waiting,
    /// Left out, and why.
    Ignored(&'static str),
}

/// A fact to write, and the key that keeps it in order with its deletion and its replacement.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// Realm and unit.
    pub key: String,
    /// The fact.
    pub fact: Fact,
}

/// What followed from the events since the last time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// Facts that are new, changed or taken back.
    pub facts: Vec<Emission>,
    /// Records of the changelog.
    pub changelog: Vec<Record>,
    /// How many facts were taken back.
    pub deletions: usize,
    /// How many facts replaced an earlier one of the same identity.
    pub corrections: usize,
}

/// Why facts could not be derived or a state not restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record of the changelog.
    #[error(transparent)]
    Changelog(#[from] changelog::Error),
    /// A fact that does not fit its schema.
    #[error("a fact could not be written")]
    Fact(#[from] EncodeError),
}

/// A realm.
#[derive(Debug, Default)]
pub struct Realm {
    name: RealmName,
    state: State,
    emitted: BTreeMap<Unit, Emitted>,
    /// How many rows speak of a component.
    spoken_of: BTreeMap<Component, usize>,
    meta: Meta,
}

/// Sizes of a realm's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Commits, those only named included.
    pub commits: usize,
    /// Deployments.
    pub deployments: usize,
    /// Deployments whose commit is not known.
    pub waiting: usize,
    /// Runs.
    pub runs: usize,
    /// Tasks.
    pub tasks: usize,
    /// Gates.
    pub gates: usize,
}

impl Realm {
    /// A realm of which nothing is known.
    #[must_use]
    pub fn new(name: RealmName) -> Self {
        Self { name, meta: Meta { derivation: DERIVATION, ..Meta::default() }, ..Self::default() }
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event<Body>) -> Applied {
        let observations = match observe(event) {
            Ok(observations) => observations,
            Err(reason) => return Applied::Ignored(reason),
        };
        let mut result = Applied::NoNews;
        for observation in observations {
            let deployment = match &observation {
                Observation::Deployment(id, _) => Some(id.clone()),
                _ => None,
            };
            if self.state.take(observation) {
                let waits =
                    deployment.is_some_and(|id| self.state.placed.get(&id).is_none_or(|placed| placed.head.is_none()));
                result = if waits { Applied::Waiting } else { Applied::Applied };
            }
        }
        result
    }

    /// What followed since the last time.
    ///
    /// # Errors
    /// Where a record or a fact cannot be written, which the tests of the model exclude.
    pub fn derive(&mut self) -> Result<Delta, Error> {
        let mut delta = Delta::default();
        if std::mem::take(&mut self.state.rebuilt) {
            self.state.dirty.extend(self.emitted.keys().cloned());
        }
        self.state.settle();
        let dirty = std::mem::take(&mut self.state.dirty);
        let changed = std::mem::take(&mut self.state.changed);
        if dirty.is_empty() && changed.is_empty() {
            return Ok(delta);
        }
        self.meta.sequence += 1;
        let mut components = BTreeSet::new();
        let mut paths = Paths::default();
        for unit in dirty {
            if let Unit::Component(component) = unit {
                components.insert(component);
                continue;
            }
            let facts = self.state.facts(&self.name, &unit, &mut paths);
            self.emit(unit, facts, &mut components, &mut delta)?;
        }
        for component in std::mem::take(&mut components) {
            let shown = self.spoken_of.contains_key(&component) || self.state.rules.component(&component).is_some();
            let facts = shown.then(|| self.state.component_fact(&self.name, &component).into()).into_iter().collect();
            self.emit(Unit::Component(component), facts, &mut components, &mut delta)?;
        }
        for key in changed {
            delta.changelog.push(self.record(&key)?);
        }
        delta.changelog.push(changelog::record(&self.name, &Key::Meta, Some(&self.meta))?);
        Ok(delta)
    }

    /// Emits the difference between the facts of a unit and what was emitted for it last.
    fn emit(
        &mut self,
        unit: Unit,
        facts: Vec<Fact>,
        components: &mut BTreeSet<Component>,
        delta: &mut Delta,
    ) -> Result<(), Error> {
        let revision = self.meta.revision();
        let before = self.emitted.remove(&unit).unwrap_or_default();
        let mut after = Emitted::with_capacity(facts.len());
        let key = format!("{}/{unit}", self.name);
        for mut fact in facts {
            let identity = fact.identity();
            let digest = xxhash_rust::xxh3::xxh3_64(&fact.encode()?);
            let known = before.iter().find(|(of, _)| *of == identity).map(|(_, digest)| *digest);
            if known != Some(digest) {
                delta.corrections += usize::from(known.is_some());
                fact.set_revision(revision);
                delta.facts.push(Emission { key: key.clone(), fact });
            }
            after.push((identity, digest));
        }
        let kept = |list: &Emitted, identity: &Identity| list.iter().any(|(of, _)| of == identity);
        for (identity, _) in before.iter().filter(|(identity, _)| !kept(&after, identity)) {
            delta.deletions += 1;
            let fact = identity.clone().tombstone(self.name.clone(), revision);
            delta.facts.push(Emission { key: key.clone(), fact });
            self.speak(&unit, identity, false, components);
        }
        for (identity, _) in after.iter().filter(|(identity, _)| !kept(&before, identity)) {
            self.speak(&unit, identity, true, components);
        }
        if before != after {
            let value = (!after.is_empty()).then_some(&after);
            delta.changelog.push(changelog::record(&self.name, &Key::Emitted(unit.clone()), value)?);
        }
        if !after.is_empty() {
            self.emitted.insert(unit, after);
        }
        Ok(())
    }

    /// Counts the rows that speak of a component; where they become none or are no longer none, its own row changes.
    fn speak(&mut self, unit: &Unit, identity: &Identity, more: bool, components: &mut BTreeSet<Component>) {
        let Some(component) = identity.component().filter(|_| !matches!(unit, Unit::Component(_))) else { return };
        let count = self.spoken_of.entry(component.clone()).or_default();
        *count = if more { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            self.spoken_of.remove(component);
        }
        if !more || self.spoken_of.get(component) == Some(&1) {
            components.insert(component.clone());
        }
    }

    fn record(&self, key: &Key) -> Result<Record, changelog::Error> {
        let records = &self.state.records;
        let realm = &self.name;
        match key {
            Key::Commit(id) => {
                let commit = records.graph.find(id).map(|place| &records.graph.node(place).known);
                changelog::record(realm, key, commit)
            }
            Key::Change(repository, id) => {
                changelog::record(realm, key, records.changes.get(&(repository.clone(), id.clone())))
            }
            Key::Run(id) => changelog::record(realm, key, records.runs.get(id)),
            Key::Task(id) => changelog::record(realm, key, records.tasks.get(id)),
            Key::Deployment(id) => changelog::record(realm, key, records.deployments.get(id)),
            Key::Gate(id) => changelog::record(realm, key, records.gates.get(id)),
            Key::Tag(repository, name) => {
                changelog::record(realm, key, records.tags.get(&(repository.clone(), name.clone())))
            }
            Key::Artifact(id) => changelog::record(realm, key, records.artifacts.get(id)),
            Key::Catalog => changelog::record(realm, key, records.catalog.as_ref()),
            Key::BaselineNone => changelog::record(realm, key, Some(&records.baseline_none)),
            Key::Repositories => changelog::record(realm, key, Some(&records.repositories)),
            Key::Purpose(component, gate) => {
                changelog::record(realm, key, records.purposes.get(&(component.clone(), gate.clone())))
            }
            Key::Emitted(unit) => changelog::record(realm, key, self.emitted.get(unit)),
            Key::Meta => changelog::record(realm, key, Some(&self.meta)),
        }
    }

    /// Reads a record of the changelog back; without a value, it was taken back. Call [`Self::restored`] after the last one.
    ///
    /// # Errors
    /// Where the record cannot be read.
    pub fn restore(&mut self, key: Key, value: Option<&[u8]>) -> Result<(), Error> {
        match (key, value) {
            (Key::Emitted(unit), None) => {
                self.emitted.remove(&unit);
            }
            // Knowledge only grows: nothing else is ever taken back.
            (_, None) => {}
            (Key::Emitted(unit), Some(value)) => {
                let emitted: Emitted = changelog::read_value(&Key::Emitted(unit.clone()), value)?;
                self.emitted.insert(unit, emitted);
            }
            (Key::Meta, Some(value)) => self.meta = changelog::read_value(&Key::Meta, value)?,
            (key, Some(value)) => {
                if let Some(record) = changelog::read_record(&key, value)? {
                    self.state.restore(key, record);
                }
            }
        }
        Ok(())
    }

    /// Works out what follows from the restored records. Where another version of the derivation made the facts, the next
    /// [`Self::derive`] emits what is different now.
    pub fn restored(&mut self) {
        self.state.rebuild();
        for (unit, rows) in &self.emitted {
            if !matches!(unit, Unit::Component(_)) {
                for component in rows.iter().filter_map(|(identity, _)| identity.component()) {
                    *self.spoken_of.entry(component.clone()).or_default() += 1;
                }
            }
        }
        if self.meta.derivation == DERIVATION {
            self.state.dirty.clear();
            self.state.rebuilt = false;
        }
        self.meta.derivation = DERIVATION;
    }

    /// Every fact that holds now, worked out from scratch; what [`Self::derive`] has emitted must amount to the same.
    #[must_use]
    pub fn derive_everything(&self) -> Vec<Fact> {
        let state = State::of(self.state.records.clone());
        let mut paths = Paths::default();
        let mut facts: Vec<Fact> =
            state.dirty.iter().flat_map(|unit| state.facts(&self.name, unit, &mut paths)).collect();
        let spoken_of: BTreeSet<Component> =
            facts.iter().filter_map(|fact| fact.identity().component().cloned()).collect();
        let declared = state.rules.catalog().components.iter().map(|entry| entry.component.clone());
        let components: BTreeSet<Component> = spoken_of.into_iter().chain(declared).collect();
        facts.extend(components.iter().map(|component| Fact::from(state.component_fact(&self.name, component))));
        facts
    }

    /// Name of the realm.
    #[must_use]
    pub fn name(&self) -> &RealmName {
        &self.name
    }

    /// Sizes of the state.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let records = &self.state.records;
        Sizes {
            commits: records.graph.len(),
            deployments: records.deployments.len(),
            waiting: self.state.unresolved(),
            runs: records.runs.len(),
            tasks: records.tasks.len(),
            gates: records.gates.len(),
        }
    }
}
