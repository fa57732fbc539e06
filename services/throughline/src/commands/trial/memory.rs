//! Deliveries through the adapters and the correlation in memory: what the services do, without any server.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use backfill::Delivery;
use correlation::Realm;
use ingestor::normalise::{Adapters, Outcome, adapters, normalise};
use ingestor::people::People;
use model::Timestamp;
use model::event::{Body, Event};
use model::fact::{Fact, Identity};
use model::inbox::InboxRecord;

/// Key of the hashes of people. They never leave the process.
const KEY: &[u8] = b"in memory";
/// Realm and source of what is tried.
const NAME: &str = "default";

/// What has been told, and what follows from it.
pub struct Memory {
    realm: Realm,
    adapters: Adapters,
    people: People,
    now: Timestamp,
    /// What holds.
    facts: BTreeMap<Identity, Fact>,
    /// Time of the newest tag.
    pub newest_tag: Option<Timestamp>,
    /// Events by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Deliveries that could not be read, by reason.
    pub unreadable: BTreeMap<String, u64>,
}

impl Memory {
    /// Nothing is known yet; `now` is when everything is received.
    pub fn new(now: Timestamp) -> Self {
        let (adapters, people) = (adapters(), People::new(KEY));
        let (facts, kinds, unreadable) = Default::default();
        Self { realm: Realm::new(NAME.into()), adapters, people, now, facts, newest_tag: None, kinds, unreadable }
    }

    /// Takes a delivery in.
    pub fn take(&mut self, delivery: Delivery) {
        let Delivery { provider, event, id, body } = delivery;
        let record = InboxRecord {
            source: NAME.into(),
            realm: NAME.into(),
            provider: provider.to_owned(),
            delivery: id,
            event,
            content_type: Some("application/json".to_owned()),
            headers: BTreeMap::new(),
            received_at: self.now,
            body: body.into(),
        };
        let events = match normalise(&record, &self.adapters, &self.people) {
            Outcome::Events(events) => events,
            Outcome::Ignored(_) => return,
            Outcome::Dead { reason, events, .. } => {
                match self.unreadable.entry(reason) {
                    Entry::Occupied(mut seen) => *seen.get_mut() += 1,
                    Entry::Vacant(new) => drop(new.insert(1)),
                }
                events
            }
        };
        events.into_iter().for_each(|event| self.apply(event));
    }

    /// Takes something in that was told by nobody but ourselves, such as a catalog.
    pub fn tell(&mut self, body: Body) {
        self.apply(Event {
            realm: NAME.into(),
            source: "try".into(),
            provider: "import".to_owned(),
            delivery: body.kind().to_owned(),
            index: 0,
            adapter: 1,
            occurred_at: self.now,
            received_at: self.now,
            link: None,
            body,
        });
    }

    fn apply(&mut self, event: Event<Body>) {
        *self.kinds.entry(event.body.kind()).or_default() += 1;
        if event.body.kind() == "Tag" {
            self.newest_tag = self.newest_tag.max(Some(event.occurred_at));
        }
        self.realm.apply(event);
    }

    /// What follows from all of it so far.
    ///
    /// # Errors
    /// Where a fact cannot be written, which is a defect.
    pub fn facts(&mut self) -> anyhow::Result<Vec<Fact>> {
        for fact in self.realm.derive()?.facts.into_iter().map(|emission| emission.fact) {
            if fact.is_deleted() {
                self.facts.remove(&fact.identity());
            } else {
                self.facts.insert(fact.identity(), fact);
            }
        }
        Ok(self.facts.values().cloned().collect())
    }
}
