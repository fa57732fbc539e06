//! Laws over random histories, and cases with figures worked out by hand.

mod cases;
mod cases_builds;
mod cases_gates;
mod cases_holes;
mod cases_incidents;
mod cases_lineage;
mod cases_releases;
mod cases_spans;
mod cases_states;
mod histories;
mod laws;

use std::collections::BTreeMap;

use model::Timestamp;
use model::event::{Body, Event};
use model::fact::{Fact, Identity};

use crate::changelog::{Anew, OldRows, begin_anew, read_key};
use crate::{Delta, Realm, Superseded};

/// An event of the default realm.
pub fn event(at: i64, delivery: &str, body: impl Into<Body>) -> Event<Body> {
    Event {
        realm: "default".into(),
        source: "test".into(),
        provider: "test".into(),
        delivery: delivery.to_owned(),
        index: 0,
        adapter: 1,
        occurred_at: Timestamp(at),
        received_at: Timestamp(at),
        link: None,
        body: body.into(),
    }
}

/// Tables as a reader sees them: of one identity the last revision, unless it was taken back. Revisions are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables(pub BTreeMap<Identity, Fact>);

impl Tables {
    /// Takes emissions in, holding them to the rule that revisions grow.
    pub fn take(&mut self, delta: &Delta) {
        for emission in &delta.facts {
            let mut fact = emission.fact.clone();
            fact.set_revision(0);
            if fact.is_deleted() {
                assert!(
                    self.0.remove(&fact.identity()).is_some(),
                    "took back what was not there: {:?}",
                    fact.identity()
                );
            } else {
                let before = self.0.insert(fact.identity(), fact.clone());
                assert_ne!(before, Some(fact), "emitted again without a change");
            }
        }
    }

    pub fn of(facts: Vec<Fact>) -> Self {
        let mut tables = Self::default();
        for fact in facts {
            let identity = fact.identity();
            assert_eq!(tables.0.insert(identity, fact), None, "two facts of one identity");
        }
        tables
    }

    /// What is in one and not in the other, for a counter-example that can be read.
    pub fn difference(&self, other: &Self) -> String {
        let one_sided = |a: &Self, b: &Self| -> Vec<String> {
            a.0.iter()
                .filter(|(identity, fact)| b.0.get(*identity) != Some(*fact))
                .map(|(_, fact)| format!("{fact:?}"))
                .collect()
        };
        format!("here: {:#?}\nthere: {:#?}", one_sided(self, other), one_sided(other, self))
    }
}

/// A realm with its tables and its changelog, as the runtime keeps them.
#[derive(Debug)]
pub struct Run {
    pub realm: Realm,
    pub tables: Tables,
    /// As it was written: what was replaced or taken back is still there, until it is compacted.
    changelog: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Run {
    pub fn new() -> Self {
        Self { realm: Realm::new("default".into()), tables: Tables::default(), changelog: Vec::new() }
    }

    /// The tables after these events, taken in at once.
    pub fn of(events: &[Event<Body>]) -> Self {
        let mut run = Self::new();
        events.iter().for_each(|event| run.apply(event));
        run.commit();
        run
    }

    pub fn apply(&mut self, event: &Event<Body>) {
        self.realm.apply(event.clone());
    }

    pub fn commit(&mut self) {
        self.commit_at_most(usize::MAX);
        assert!(!self.realm.has_more());
    }

    /// Commits a piece of what follows.
    pub fn commit_at_most(&mut self, records: usize) {
        let delta = self.realm.derive_at_most(records).unwrap();
        self.tables.take(&delta);
        self.changelog.extend(delta.changelog.into_iter().map(|record| (record.key, record.value)));
    }

    /// Begins a new generation, which is behind the old one until a topic is read so far.
    pub fn begin_anew(&mut self, until: i64) {
        self.begin_anew_beside(OldRows::Kept, until);
    }

    /// Begins a new generation after the tables were lost.
    pub fn begin_anew_from_nothing(&mut self, until: i64) {
        self.tables = Tables::default();
        self.begin_anew_beside(OldRows::Lost, until);
    }

    fn begin_anew_beside(&mut self, old: OldRows, until: i64) {
        let until = [("events".to_owned(), until)];
        for (key, value) in self.compacted() {
            match begin_anew(&key, &value, &until, old).unwrap() {
                Anew::Kept => {}
                Anew::Forgotten => self.changelog.push((key, None)),
                Anew::Replaced(value) | Anew::Lost(value) => self.changelog.push((key, Some(value))),
            }
        }
        self.crash();
    }

    /// Of this delivery, only events by this version of the adapter count from the next generation on.
    pub fn supersede(&mut self, event: &Event<Body>, adapter: i32) {
        let (realm, source, delivery) = (event.realm.clone(), event.source.clone(), event.delivery.clone());
        let record = Superseded { realm, source, delivery, adapter }.record().unwrap();
        self.changelog.push((record.key, record.value));
    }

    /// The last value of each key that was not taken back.
    fn compacted(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let last: BTreeMap<_, _> = self.changelog.iter().cloned().collect();
        last.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// As Kafka does it now and then.
    pub fn compact(&mut self) {
        self.changelog = self.compacted().into_iter().map(|(key, value)| (key, Some(value))).collect();
    }

    /// Loses what was not committed and starts again from the changelog.
    pub fn crash(&mut self) {
        self.realm = Realm::new("default".into());
        for (key, value) in &self.changelog {
            self.realm.restore(read_key(key).unwrap().1, value.as_deref()).unwrap();
        }
        self.realm.restored();
    }
}
