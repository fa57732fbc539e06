//! What holds for every history.

use model::Millis;
use model::event::{Body, Event};
use model::fact::Fact;
use proptest::prelude::*;

use super::histories::history;
use super::{Run, Tables};
use crate::entity;
use crate::lattice::Join;
use crate::observe::{Observation, observe};

/// How to take a history in: which event next, how many at a time, whether to crash after a commit.
#[derive(Clone, Debug)]
struct Play {
    order: Vec<usize>,
    commit_after: Vec<bool>,
    crash_after: Vec<bool>,
}

/// Every event at least once, some twice, in any order, with commits and crashes in between.
fn play(events: usize) -> impl Strategy<Value = Play> {
    let doubled = proptest::collection::vec(0..events, 0..6);
    let order =
        doubled.prop_flat_map(move |doubled| Just((0..events).chain(doubled).collect::<Vec<_>>()).prop_shuffle());
    order.prop_flat_map(|order| {
        let n = order.len();
        let commits = proptest::collection::vec(any::<bool>(), n);
        let crashes = proptest::collection::vec(proptest::bool::weighted(0.1), n);
        (Just(order), commits, crashes).prop_map(|(order, commit_after, crash_after)| Play {
            order,
            commit_after,
            crash_after,
        })
    })
}

fn played() -> impl Strategy<Value = (Vec<Event<Body>>, Play)> {
    history().prop_flat_map(|events| {
        let plays = play(events.len());
        (Just(events), plays)
    })
}

fn cases() -> ProptestConfig {
    // `PROPTEST_CASES` asks for more, as a nightly run does.
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500);
    ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(cases())]

    /// Invariants 1, 3 and 6: order, duplication, delay, the cut into transactions and crashes leave no trace in the tables.
    #[test]
    fn tables_depend_on_the_set_of_events((events, play) in played()) {
        let expected = Run::of(&events).tables;
        let mut run = Run::new();
        for ((at, commit), crash) in play.order.iter().zip(&play.commit_after).zip(&play.crash_after) {
            run.apply(&events[*at]);
            if *commit || *crash {
                run.commit();
            }
            if *crash {
                run.crash();
            }
        }
        run.commit();
        prop_assert!(run.tables == expected, "{}", run.tables.difference(&expected));
    }

    /// What is derived step by step from what became dirty is what follows from everything.
    #[test]
    fn deriving_what_is_dirty_is_deriving_everything(events in history()) {
        let mut run = Run::new();
        for event in &events {
            run.apply(event);
            run.commit();
            let everything = Tables::of(run.realm.derive_everything());
            prop_assert!(run.tables == everything, "{}", run.tables.difference(&everything));
        }
    }

    /// Invariant 4: the segments of every release add up to its lead time, and none is negative.
    #[test]
    fn time_closes(events in history()) {
        for fact in Run::of(&events).tables.0.values() {
            let Fact::Release(release) = fact else { continue };
            let segments = [
                release.coding, release.review, release.merge_to_build, release.queue, release.build_and_test,
                release.gate_wait, release.batch_wait, release.hand_off, release.deploy, release.unaccounted,
            ];
            let Some(lead_time) = release.lead_time else {
                prop_assert!(segments.iter().all(Option::is_none));
                continue;
            };
            let segments: Vec<Millis> = segments.into_iter().map(Option::unwrap).collect();
            prop_assert!(segments.iter().all(|segment| *segment >= Millis(0)));
            prop_assert_eq!(segments.into_iter().sum::<Millis>() + release.clock_correction.unwrap(), lead_time);
        }
    }

    /// The three laws of a lattice, for every kind of record.
    #[test]
    fn records_are_a_lattice(events in history()) {
        let seen: Vec<Observation> = events.iter().filter_map(|event| observe(event).ok()).flatten().collect();
        for a in &seen {
            for b in &seen {
                laws(a, b, &seen)?;
            }
        }
    }
}

fn laws(a: &Observation, b: &Observation, all: &[Observation]) -> Result<(), TestCaseError> {
    macro_rules! check {
        ($($kind:ident($($skip:tt),*) as $record:ident)*) => {
            match (a, b) {
                $((Observation::$kind($($skip,)* x), Observation::$kind($($skip,)* y)) => {
                    let third = all.iter().find_map(|o| match o { Observation::$kind($($skip,)* z) => Some(z), _ => None });
                    lattice::<entity::$record>(x, y, third.unwrap_or(x))
                })*
                _ => Ok(()),
            }
        };
    }
    check!(
        Commit(_) as Commit
        Change(_, _) as Change
        Run(_) as Run
        Task(_) as Task
        Deployment(_) as Deployment
        Gate(_) as Gate
        Tag(_, _) as Tag
        Artifact(_) as Artifact
        NamedStep(_) as NamedStep
        Incident(_) as Incident
        Exclusion(_) as Exclusion
    )
}

fn lattice<T: Join + Clone + PartialEq + std::fmt::Debug>(a: &T, b: &T, c: &T) -> Result<(), TestCaseError> {
    let join = |x: &T, y: &T| {
        let mut joined = x.clone();
        let news = joined.join(y.clone());
        assert_eq!(news, joined != *x, "`join` tells whether it was news");
        joined
    };
    prop_assert_eq!(join(a, b), join(b, a));
    prop_assert_eq!(join(&join(a, b), c), join(a, &join(b, c)));
    prop_assert_eq!(join(a, a), a.clone());
    Ok(())
}
