//! A realm: takes events in, gives facts and changelog records out.

use std::collections::BTreeSet;

use model::codec::{self, EncodeError};
use model::event::{Body, Event};
use model::fact::{Fact, Identity};
use model::{Component, Environment, Realm as RealmName, Timestamp};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::changelog::{self, Emitted, EmittedCommit, Meta, Record};
use crate::derive::{DERIVATION, Paths, UNFINISHED};
use crate::emitted::{CommitRow, CommitRows};
use crate::graph::Place;
use crate::observe::{Observation, observe};
use crate::state::{Key, Scope, State, Unit};
use crate::superseded::{SUPERSEDED, Versions};
use crate::units::{Day, Units, day_of};

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
    /// The fact as it is written.
    pub payload: Vec<u8>,
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
    emitted: Units,
    /// The same for commits, which are many.
    emitted_commits: CommitRows,
    /// How many rows speak of a component.
    spoken_of: FxHashMap<Component, usize>,
    meta: Meta,
    /// Days of which some row has changed since their sums were worked out.
    days: BTreeSet<Day>,
    /// Of deliveries that a later adapter reads differently.
    superseded: Versions,
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

impl Delta {
    /// How many records it has.
    fn len(&self) -> usize {
        self.facts.len() + self.changelog.len()
    }
}

impl Realm {
    /// A realm of which nothing is known.
    #[must_use]
    pub fn new(name: RealmName) -> Self {
        Self { name, meta: Meta { derivation: DERIVATION, ..Meta::default() }, ..Self::default() }
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: Event<Body>) -> Applied {
        if self.superseded.get(&event.source, &event.delivery).is_some_and(|version| event.adapter < version) {
            return Applied::Ignored(SUPERSEDED);
        }
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
        self.derive_at_most(usize::MAX)
    }

    /// As [`Self::derive`], but of what follows only until about so many records are to be written; what is known is always written
    /// whole. [`Self::has_more`] tells whether something is left for the next call. A state restored in between derives everything
    /// anew, and so comes to what was left, too.
    ///
    /// # Errors
    /// As [`Self::derive`].
    pub fn derive_at_most(&mut self, records: usize) -> Result<Delta, Error> {
        let mut delta = Delta::default();
        if self.is_behind() {
            // Everything is marked once the old generation is reached.
            (self.state.dirty, self.state.dirty_commits, self.days) = Default::default();
            for key in std::mem::take(&mut self.state.changed) {
                delta.changelog.push(self.record(&key)?);
            }
            return Ok(delta);
        }
        if std::mem::take(&mut self.state.rebuilt) {
            self.state.dirty.extend(self.emitted.iter().map(|(unit, _)| unit.clone()));
            self.days.extend(self.emitted.days().cloned());
            self.state.dirty_commits.extend(self.state.records.graph.places());
        }
        self.state.settle();
        let dirty = std::mem::take(&mut self.state.dirty);
        let mut commits: Vec<Place> = std::mem::take(&mut self.state.dirty_commits).into_iter().collect();
        let changed = std::mem::take(&mut self.state.changed);
        // That nothing was left of what was not finished is written, too: else each restart would look for it again.
        let is_finished = self.meta.derivation == DERIVATION;
        if is_finished && !self.has_more() && dirty.is_empty() && commits.is_empty() && changed.is_empty() {
            return Ok(delta);
        }
        self.meta.sequence += 1;
        let mut components = BTreeSet::new();
        let mut paths = Paths::default();
        commits.sort_unstable();
        let (mut commits, mut dirty) = (commits.into_iter(), dirty.into_iter());
        while delta.len() < records
            && let Some(place) = commits.next()
        {
            self.emit_commit(place, &mut paths, &mut components, &mut delta)?;
        }
        while delta.len() < records
            && let Some(unit) = dirty.next()
        {
            match unit {
                Unit::Component(component) => _ = components.insert(component),
                Unit::Day(day) => _ = self.days.insert(day),
                unit => {
                    let facts = self.state.facts(&self.name, &unit, &mut paths);
                    self.emit(unit, facts, &mut components, &mut delta)?;
                }
            }
        }
        // Sums come last, once for all that has changed in a day.
        while delta.len() < records
            && let Some(day) = self.days.pop_first()
        {
            let facts = self.state.rollup_facts(&self.name, &day, self.emitted.of_day(&day), &mut paths);
            self.emit(Unit::Day(day), facts, &mut components, &mut delta)?;
        }
        for component in std::mem::take(&mut components) {
            let shown = self.spoken_of.contains_key(&component) || self.state.rules.component(&component).is_some();
            let facts = shown.then(|| self.state.component_fact(&self.name, &component).into()).into_iter().collect();
            self.emit(Unit::Component(component), facts, &mut components, &mut delta)?;
        }
        for key in changed {
            delta.changelog.push(self.record(&key)?);
        }
        self.state.dirty_commits.extend(commits);
        self.state.dirty.extend(dirty);
        self.meta.derivation = if self.has_more() { UNFINISHED } else { DERIVATION };
        delta.changelog.push(changelog::record(&self.name, &Key::Meta, Some(&self.meta))?);
        Ok(delta)
    }

    /// Whether something is left to be derived.
    #[must_use]
    pub fn has_more(&self) -> bool {
        let marked = !self.state.dirty.is_empty() || !self.state.dirty_commits.is_empty() || !self.days.is_empty();
        // What was emitted and is not known any more has no mark.
        !self.is_behind() && (self.state.rebuilt || marked)
    }

    /// Whether everything is worked out anew, and the generation before was further: the rows of that one are served meanwhile.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.meta.until.is_empty()
    }

    /// Counts the rebuilds from the event topics.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.meta.generation
    }

    /// A topic was read up to this offset. True where this generation has now caught up with the one before: what is different in it
    /// comes with the next [`Self::derive`].
    pub fn reached(&mut self, topic: &str, next: i64) -> bool {
        let was_behind = self.is_behind();
        self.meta.until.retain(|(of, until)| of != topic || next < *until);
        let caught_up = was_behind && !self.is_behind();
        if caught_up {
            self.state.rebuild();
        }
        caught_up
    }

    /// Emits the difference between the facts of a unit and what was emitted for it last.
    fn emit(
        &mut self,
        unit: Unit,
        facts: Vec<Fact>,
        components: &mut BTreeSet<Component>,
        delta: &mut Delta,
    ) -> Result<(), Error> {
        let before = self.emitted.take(&unit);
        let mut after = Emitted::with_capacity(facts.len());
        for fact in facts {
            let identity = fact.identity();
            let known = before.iter().find(|(of, _)| *of == identity).map(|(_, digest)| *digest);
            let digest = self.put(&unit, fact, known, delta)?;
            if known != Some(digest) {
                self.days.extend(day_of(&identity));
            }
            after.push((identity, digest));
        }
        let kept = |list: &Emitted, identity: &Identity| list.iter().any(|(of, _)| of == identity);
        let counts = speaks(&unit);
        for (identity, _) in before.iter().filter(|(identity, _)| !kept(&after, identity)) {
            self.take_back(&unit, identity.clone(), delta)?;
            self.days.extend(day_of(identity));
            if let Some(component) = identity.component().filter(|_| counts) {
                self.speak(component, false, components);
            }
        }
        for (identity, _) in after.iter().filter(|(identity, _)| !kept(&before, identity)) {
            if let Some(component) = identity.component().filter(|_| counts) {
                self.speak(component, true, components);
            }
        }
        if before != after {
            let value = (!after.is_empty()).then_some(&after);
            delta.changelog.push(changelog::record(&self.name, &Key::Emitted(unit.clone()), value)?);
        }
        if !before.is_empty() || !after.is_empty() {
            self.emitted.replace(unit, &before, after);
        }
        Ok(())
    }

    /// As [`Self::emit`], for the rows of a commit.
    fn emit_commit(
        &mut self,
        place: Place,
        paths: &mut Paths,
        components: &mut BTreeSet<Component>,
        delta: &mut Delta,
    ) -> Result<(), Error> {
        let before = self.emitted_commits.of(place);
        let facts = self.state.commit_facts(&self.name, place, paths);
        if before.is_empty() && facts.is_empty() {
            return Ok(());
        }
        let unit = Unit::Commit(self.state.records.graph.id(place));
        let mut after: SmallVec<[CommitRow; 4]> = SmallVec::with_capacity(facts.len());
        for (track, fact) in facts {
            let at = fact.at;
            let known = before.iter().find(|row| (row.track, row.at) == (track, at)).map(|row| row.digest);
            if known.is_none() {
                self.speak(&fact.component, true, components);
            }
            after.push(CommitRow { track, at, digest: self.put(&unit, fact.into(), known, delta)? });
        }
        for row in &before {
            if !after.iter().any(|kept| (kept.track, kept.at) == (row.track, row.at)) {
                let identity = self.identity_of(place, row);
                identity.component().cloned().iter().for_each(|component| self.speak(component, false, components));
                self.take_back(&unit, identity, delta)?;
            }
        }
        if before != after {
            let rows: EmittedCommit = after.iter().filter_map(|row| self.named(row)).collect();
            delta.changelog.push(changelog::record(
                &self.name,
                &Key::Emitted(unit),
                (!rows.is_empty()).then_some(&rows),
            )?);
        }
        self.emitted_commits.set(place, &after);
        Ok(())
    }

    fn identity_of(&self, place: Place, row: &CommitRow) -> Identity {
        let (component, scope) = self.state.tracks.name(row.track).clone();
        let environment = scope.environment().cloned().unwrap_or_default();
        let commit = self.state.records.graph.id(place);
        Identity::ReleaseCommit { component, environment, commit, at: row.at }
    }

    fn named(&self, row: &CommitRow) -> Option<(Component, Environment, Timestamp, u64)> {
        let (component, scope) = self.state.tracks.name(row.track);
        Some((component.clone(), scope.environment()?.clone(), row.at, row.digest))
    }

    /// Emits a fact where it differs from what is known of it by its digest; gives its digest.
    fn put(&self, unit: &Unit, mut fact: Fact, known: Option<u64>, delta: &mut Delta) -> Result<u64, Error> {
        let mut payload = fact.encode()?;
        let digest = xxhash_rust::xxh3::xxh3_64(&payload);
        if known != Some(digest) {
            // A sum changes with all that is added to it.
            delta.corrections += usize::from(known.is_some() && !matches!(unit, Unit::Day(_)));
            let revision = self.meta.revision();
            codec::stamp(&mut payload, revision);
            fact.set_revision(revision);
            delta.facts.push(Emission { key: format!("{}/{unit}", self.name), fact, payload });
        }
        Ok(digest)
    }

    fn take_back(&self, unit: &Unit, identity: Identity, delta: &mut Delta) -> Result<(), Error> {
        delta.deletions += 1;
        let fact = identity.tombstone(self.name.clone(), self.meta.revision());
        let payload = fact.encode()?;
        delta.facts.push(Emission { key: format!("{}/{unit}", self.name), fact, payload });
        Ok(())
    }

    /// Counts the rows that speak of a component; where they become none or are no longer none, its own row changes.
    fn speak(&mut self, component: &Component, more: bool, components: &mut BTreeSet<Component>) {
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
                let commit = records.graph.find(id).map(|place| records.graph.record(place));
                changelog::record(realm, key, commit.as_ref())
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
            Key::NamedStep(of) => changelog::record(realm, key, records.named_steps.get(of)),
            Key::Incident(id) => changelog::record(realm, key, records.incidents.get(id)),
            Key::Exclusion(release) => changelog::record(realm, key, records.exclusions.get(release)),
            Key::Catalog => changelog::record(realm, key, records.catalog.as_ref()),
            Key::BaselineNone => changelog::record(realm, key, Some(&records.baseline_none)),
            Key::Repositories => changelog::record(realm, key, Some(&records.repositories)),
            Key::Purpose(component, gate) => {
                changelog::record(realm, key, records.purposes.get(&(component.clone(), gate.clone())))
            }
            Key::Shifts(component) => changelog::record(realm, key, records.shifts.get(component)),
            Key::Emitted(unit) => changelog::record(realm, key, self.emitted.get(unit)),
            Key::Meta => changelog::record(realm, key, Some(&self.meta)),
            Key::Superseded(source, delivery) => {
                changelog::record(realm, key, self.superseded.get(source, delivery).as_ref())
            }
        }
    }

    /// Reads a record of the changelog back; without a value, it was taken back. Call [`Self::restored`] after the last one.
    ///
    /// # Errors
    /// Where the record cannot be read.
    pub fn restore(&mut self, key: Key, value: Option<&[u8]>) -> Result<(), Error> {
        match (key, value) {
            (Key::Emitted(Unit::Commit(id)), value) => {
                let rows: EmittedCommit = match value {
                    Some(value) => changelog::read_value(&Key::Emitted(Unit::Commit(id.clone())), value)?,
                    None => Vec::new(),
                };
                let place = self.state.records.graph.place(&id);
                let row = |(component, environment, at, digest): (Component, Environment, _, _)| {
                    let track = self.state.tracks.id(&component, &Scope::Environment(environment));
                    CommitRow { track, at, digest }
                };
                let rows: Vec<CommitRow> = rows.into_iter().map(row).collect();
                self.emitted_commits.set(place, &rows);
            }
            (Key::Superseded(source, delivery), value) => {
                let key = Key::Superseded(source.clone(), delivery.clone());
                let version = value.map(|value| changelog::read_value(&key, value)).transpose()?;
                self.superseded.set(source, delivery, version);
            }
            (Key::Emitted(unit), None) => {
                self.emitted.set(unit, Emitted::new());
            }
            (key, None) => self.state.records.forget(&key),
            (Key::Emitted(unit), Some(value)) => {
                let emitted: Emitted = changelog::read_value(&Key::Emitted(unit.clone()), value)?;
                self.emitted.set(unit, emitted);
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
        for (unit, rows) in self.emitted.iter() {
            if speaks(unit) {
                for component in rows.iter().filter_map(|(identity, _)| identity.component()) {
                    *self.spoken_of.entry(component.clone()).or_default() += 1;
                }
            }
        }
        for (track, count) in self.emitted_commits.by_track() {
            *self.spoken_of.entry(self.state.tracks.name(track).0.clone()).or_default() += count;
        }
        if self.meta.derivation == DERIVATION {
            // With the room that they took: so many are never marked again at once.
            (self.state.dirty, self.state.dirty_commits) = Default::default();
            self.state.rebuilt = false;
        }
    }

    /// Every fact that holds now, worked out from scratch; what [`Self::derive`] has emitted must amount to the same.
    #[must_use]
    pub fn derive_everything(&self) -> Vec<Fact> {
        let state = State::of(self.state.records.clone());
        let mut paths = Paths::default();
        let mut facts: Vec<Fact> =
            state.dirty.iter().flat_map(|unit| state.facts(&self.name, unit, &mut paths)).collect();
        for place in state.records.graph.places() {
            let rows = state.commit_facts(&self.name, place, &mut paths);
            facts.extend(rows.into_iter().map(|(_, fact)| Fact::from(fact)));
        }
        facts.extend(state.all_rollup_facts(&self.name, &facts));
        let spoken_of: BTreeSet<Component> =
            facts.iter().filter_map(|fact| fact.identity().component().cloned()).collect();
        let declared = state.rules.catalog().components.iter().map(|entry| entry.component.clone());
        let components: BTreeSet<Component> = spoken_of.into_iter().chain(declared).collect();
        facts.extend(components.iter().map(|component| Fact::from(state.component_fact(&self.name, component))));
        facts
    }

    /// Its name and its state, for questions that leave it behind.
    pub(crate) fn into_state(self) -> (RealmName, State) {
        (self.name, self.state)
    }

    /// Name of the realm.
    #[must_use]
    pub fn name(&self) -> &RealmName {
        &self.name
    }

    /// What is known.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// Sizes of the state.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let records = &self.state.records;
        Sizes {
            commits: records.graph.len(),
            deployments: records.deployments.len() + self.state.marked.len(),
            waiting: self.state.unresolved(),
            runs: records.runs.len(),
            tasks: records.tasks.len(),
            gates: records.gates.len(),
        }
    }
}

/// Whether the rows of a unit make a component one that rows speak of: its own row does not, and sums have others behind them.
const fn speaks(unit: &Unit) -> bool {
    !matches!(unit, Unit::Component(_) | Unit::Day(_))
}
