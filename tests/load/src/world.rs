//! All components on one clock.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use model::event::{Body, Event};
use model::{Realm, Timestamp};

use crate::component::{Component, Step};
use crate::draw::{Draw, HOUR};

/// When the first component begins: 2024-01-01T00:00:00Z.
const BEGINNING: Timestamp = Timestamp(1_704_067_200_000);

/// How a world looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Over how many realms the components are spread.
    pub realms: usize,
    /// How many components there are; each is a repository.
    pub components: usize,
    /// How often a change is pushed before it is merged.
    pub pushes: RangeInclusive<usize>,
    /// Commits in a push.
    pub commits: RangeInclusive<usize>,
    /// Whether pipelines tell of their runs and tasks.
    pub pipelines: bool,
}

impl Shape {
    /// What webhooks of a busy organisation tell: mostly of pipelines.
    #[must_use]
    pub fn delivery() -> Self {
        Self { realms: 8, components: 200, pushes: 1..=3, commits: 1..=4, pipelines: true }
    }

    /// A history that was imported: mostly commits.
    #[must_use]
    pub fn history() -> Self {
        Self { pushes: 1..=2, commits: 15..=45, pipelines: false, ..Self::delivery() }
    }
}

/// Events without end, in the order in which they arrive: nearly that in which they happened.
#[derive(Debug)]
pub struct World {
    components: Vec<(Realm, Component)>,
    steps: BTreeMap<(Timestamp, u64), (usize, Step)>,
    arrivals: BTreeMap<(Timestamp, u64), Event<Body>>,
    /// Tells apart what happens at the same instant.
    sequence: u64,
    draw: Draw,
}

impl World {
    /// A world in which nothing has happened yet. No components is taken as one, and no realms as well.
    #[must_use]
    pub fn new(shape: &Shape, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let realms = shape.realms.max(1);
        let components: Vec<(Realm, Component)> = (0..shape.components.max(1))
            .map(|number| {
                let realm = format!("acme-{}", number % realms);
                let repository = format!("github.com/{realm}/service-{number}");
                (Realm::new(realm), Component::new(repository, shape.clone(), draw.fork()))
            })
            .collect();
        let founding = |number| (BEGINNING + draw.around(6 * HOUR), number as u64);
        let steps = (0..components.len()).map(founding).zip((0..).map(|number| (number, Step::Found))).collect();
        let sequence = components.len() as u64;
        Self { components, steps, arrivals: BTreeMap::new(), sequence, draw: Draw::new(!seed) }
    }

    /// How many components there are.
    #[must_use]
    pub fn components(&self) -> usize {
        self.components.len()
    }

    fn sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    fn take(&mut self, at: Timestamp, number: usize, step: Step) {
        let (realm, component) = &mut self.components[number];
        let realm = realm.clone();
        let next = component.take(at, step);
        for (at, step) in next.steps {
            let key = (at, self.sequence());
            self.steps.insert(key, (number, step));
        }
        for (occurred_at, body) in next.events {
            let received_at = occurred_at + self.draw.delay();
            let event = Event {
                realm: realm.clone(),
                source: "github".into(),
                provider: "github".to_owned(),
                delivery: self.draw.uuid(),
                index: 0,
                adapter: 1,
                occurred_at,
                received_at,
                link: None,
                body,
            };
            let key = (received_at, self.sequence());
            self.arrivals.insert(key, event);
        }
    }
}

impl Iterator for World {
    type Item = Event<Body>;

    /// Never none.
    fn next(&mut self) -> Option<Event<Body>> {
        loop {
            let arrival = self.arrivals.first_key_value().map(|((at, _), _)| *at);
            match self.steps.first_entry() {
                // What a step tells arrives after it.
                Some(step) if arrival.is_none_or(|arrival| step.key().0 <= arrival) => {
                    let ((at, _), (number, step)) = step.remove_entry();
                    self.take(at, number, step);
                }
                _ => return self.arrivals.pop_first().map(|(_, event)| event),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use correlation::Realm;
    use model::fact::Fact;

    use super::*;

    #[test]
    fn a_seed_gives_one_world() {
        let of = |seed| World::new(&Shape::delivery(), seed).take(5_000).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn it_grows_longer_and_not_denser() {
        let arrivals: Vec<Timestamp> =
            World::new(&Shape::delivery(), 1).take(200_000).map(|event| event.received_at).collect();
        assert!(arrivals.is_sorted());
        let spans: Vec<i64> =
            arrivals[40_000..].chunks(40_000).map(|part| (part[part.len() - 1] - part[0]).0).collect();
        for span in &spans {
            assert!((span - spans[0]).abs() < spans[0] / 10, "{spans:?}");
        }
    }

    #[test]
    fn everything_that_happens_in_delivery_happens() {
        let mut realms: BTreeMap<model::Realm, Realm> = BTreeMap::new();
        let mut kinds = BTreeSet::new();
        for event in World::new(&Shape::delivery(), 1).take(60_000) {
            kinds.insert(event.body.kind());
            realms.entry(event.realm.clone()).or_insert_with(|| Realm::new(event.realm.clone())).apply(event);
        }
        for kind in
            ["Push", "Change", "ChangeReview", "PipelineRun", "TaskRun", "Deployment", "GateRequested", "GateDecided"]
        {
            assert!(kinds.contains(kind), "no {kind}");
        }
        let facts: Vec<Fact> = realms.values().flat_map(Realm::derive_everything).collect();
        let said = format!("{facts:?}");
        for word in
            ["Rejected", "Expired", "kind: Rollback", "kind: Redeploy", "kind: Forward", "kind: Baseline", "attempt: 2"]
        {
            assert!(said.contains(word), "no {word}");
        }
        let releases = facts.iter().filter_map(|fact| match fact {
            Fact::Release(release) => release.production_at.map(|_| release),
            _ => None,
        });
        let (released, of_several) = releases.fold((0, 0), |(all, more), release| {
            assert!(release.commits_complete, "{release:?}");
            (all + 1, more + usize::from(release.commits > 1))
        });
        assert!(released > 200 && of_several > released / 4, "{released}, of several commits {of_several}");
    }
}
