//! What holds for every history.

use model::Millis;
use model::event::{Body, Event, Tier};
use model::fact::{Fact, GateOutcome, ReleaseCommitFact, ReleaseFact};
use proptest::prelude::*;

use super::histories::history;
use super::{Run, Tables};
use crate::entity;
use crate::lattice::Join;
use crate::observe::{Observation, observe};
use crate::{Applied, SUPERSEDED};

/// No play has so much to write: whoever needs more pieces writes the same again and again.
const ROUNDS: usize = 2_000;

/// How to take a history in: which event next, how many at a time, whether to crash after a commit.
#[derive(Clone, Debug)]
struct Play {
    order: Vec<usize>,
    commit_after: Vec<bool>,
    crash_after: Vec<bool>,
    /// How many records a commit has room for.
    room: usize,
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
        let room = prop_oneof![Just(usize::MAX), 0..4_usize];
        (Just(order), commits, crashes, room).prop_map(|(order, commit_after, crash_after, room)| Play {
            order,
            commit_after,
            crash_after,
            room,
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

    /// Invariants 1, 3 and 6: order, duplication, delay, the cut into transactions, also of what follows from one, and crashes leave no
    /// trace in the tables.
    #[test]
    fn tables_depend_on_the_set_of_events((events, play) in played()) {
        let expected = Run::of(&events).tables;
        let mut run = Run::new();
        for ((at, commit), crash) in play.order.iter().zip(&play.commit_after).zip(&play.crash_after) {
            run.apply(&events[*at]);
            if *commit || *crash {
                run.commit_at_most(play.room);
            }
            if *crash {
                run.crash();
            }
        }
        run.commit();
        prop_assert!(run.tables == expected, "{}", run.tables.difference(&expected));
    }

    /// A new generation says nothing before it has caught up, and then exactly what is different: also where some of what the old one
    /// had taken in is gone.
    #[test]
    fn a_new_generation_corrects_the_old_one((events, play) in played(), gone in any::<u64>()) {
        let is_kept = |at: usize| gone >> (at % 64) & 1 == 0;
        let kept: Vec<Event<Body>> =
            events.iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, event)| event.clone()).collect();
        let mut run = Run::of(&events);
        run.begin_anew(7);
        let before = run.tables.clone();
        let steps = play.order.iter().zip(&play.commit_after).zip(&play.crash_after);
        for ((at, commit), crash) in steps.filter(|((at, _), _)| is_kept(**at)) {
            run.apply(&events[*at]);
            if *commit || *crash {
                run.commit();
            }
            if *crash {
                if at % 2 == 0 {
                    run.compact();
                }
                // Asked for again before the end, it is no nearer to it.
                run.begin_anew(0);
                kept.iter().for_each(|event| run.apply(event));
            }
            prop_assert!(!run.realm.reached("events", 6));
            prop_assert!(run.tables == before, "{}", run.tables.difference(&before));
        }
        let anything = run.realm.is_behind();
        prop_assert_eq!(run.realm.reached("events", 7), anything);
        let mut rounds = 0;
        while run.realm.has_more() {
            run.commit_at_most(play.room.max(1));
            if play.crash_after.first() == Some(&true) {
                run.crash();
            }
            rounds += 1;
            prop_assert!(rounds <= ROUNDS, "no nearer to its end");
        }
        let expected = Run::of(&kept).tables;
        prop_assert!(run.tables == expected, "{}", run.tables.difference(&expected));
        // It knows as much as one that never was behind, also after a restart.
        run.compact();
        run.crash();
        let everything = Tables::of(run.realm.derive_everything());
        prop_assert!(everything == expected, "{}", everything.difference(&expected));
    }

    /// A new generation that begins after the tables were lost makes the same tables again.
    #[test]
    fn lost_tables_are_made_again((events, play) in played()) {
        let expected = Run::of(&events).tables;
        let mut run = Run::of(&events);
        run.begin_anew_from_nothing(7);
        for (at, crash) in play.order.iter().zip(&play.crash_after) {
            run.apply(&events[*at]);
            if *crash {
                run.commit();
                run.crash();
                // Asked for again, it is still everything.
                run.begin_anew_from_nothing(0);
                events.iter().for_each(|event| run.apply(event));
            }
        }
        prop_assert!(run.tables == Tables::default());
        run.realm.reached("events", 7);
        while run.realm.has_more() {
            run.commit_at_most(play.room.max(1));
            if play.crash_after.first() == Some(&true) {
                run.crash();
            }
        }
        run.commit();
        prop_assert!(run.tables == expected, "{}", run.tables.difference(&expected));
    }

    /// Where a later version of an adapter reads deliveries differently, or takes them back, the tables of the next generations are
    /// those of a fresh start that only ever saw what counts, in any order and however often it crashes.
    #[test]
    fn what_is_superseded_leaves_no_trace(
        (events, play) in played(),
        (mended, empty) in any::<(u64, u64)>(),
        others in history(),
    ) {
        let chosen = |set: u64, at: usize| set >> (at % 64) & 1 == 1;
        let mut run = Run::of(&events);
        let (mut counting, mut newer) = (Vec::new(), Vec::new());
        for (at, event) in events.iter().enumerate() {
            if !chosen(mended, at) {
                counting.push(event.clone());
                continue;
            }
            run.supersede(event, 2);
            if let Some(other) = others.get(at).filter(|_| !chosen(empty, at)) {
                newer.push(Event { adapter: 2, body: other.body.clone(), occurred_at: other.occurred_at, ..event.clone() });
            }
        }
        counting.extend(newer.iter().cloned());
        for generation in 0..2 {
            run.begin_anew(7);
            let mut order: Vec<&Event<Body>> = play.order.iter().map(|at| &events[*at]).collect();
            // The newer ones are read behind the old, and at random places by the next generation.
            for (place, event) in newer.iter().enumerate() {
                order.insert(if generation == 0 { order.len() } else { place * 7 % (order.len() + 1) }, event);
            }
            for (event, crash) in order.into_iter().zip(play.crash_after.iter().cycle()) {
                run.apply(event);
                if *crash {
                    run.commit();
                    run.crash();
                }
            }
            run.realm.reached("events", 7);
            while run.realm.has_more() {
                run.commit_at_most(play.room.max(1));
            }
            run.commit();
            run.compact();
            let expected = Run::of(&counting).tables;
            prop_assert!(run.tables == expected, "{}", run.tables.difference(&expected));
            let everything = Tables::of(run.realm.derive_everything());
            prop_assert!(everything == expected, "{}", everything.difference(&expected));
        }
        run.crash();
        for (at, event) in events.iter().enumerate().filter(|(at, _)| chosen(mended, *at)) {
            prop_assert_eq!(run.realm.apply(event.clone()), Applied::Ignored(SUPERSEDED), "{}", at);
        }
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

    /// Invariant 4: the segments of every release and of every commit add up to its lead time, in working time to the working time
    /// of the lead time, and none is negative.
    #[test]
    fn time_closes(events in history()) {
        for fact in Run::of(&events).tables.0.values() {
            match fact {
                Fact::Release(release) => {
                    closes(&Segments::from(release))?;
                    prop_assert_eq!(release.lead_time.is_some(), release.coding.is_some());
                    if let (Some(pickup), Some(merge)) = (release.review_pickup, release.review_merge) {
                        let parts = [pickup, release.review_approval.unwrap_or_default(), merge];
                        prop_assert!(parts.iter().all(|part| *part >= Millis(0)));
                        prop_assert_eq!(parts.into_iter().sum::<Millis>(), release.review.unwrap());
                    }
                }
                Fact::ReleaseCommit(commit) => {
                    closes(&Segments::from(commit))?;
                    prop_assert!(commit.coding.is_none() || commit.tier == Tier::Production && !commit.baseline);
                }
                Fact::GateWait(gate) => {
                    prop_assert!(gate.wait_working.is_none() || gate.wait_working >= Some(Millis(0)));
                    prop_assert!(gate.wait_working.is_none() || gate.wait_working <= gate.wait);
                    prop_assert!(gate.hollow.is_empty() || gate.outcome == GateOutcome::Approved);
                    prop_assert!(gate.caught != Some(true) || gate.outcome == GateOutcome::Rejected);
                }
                _ => {}
            }
        }
    }

    /// The commit whose span a release shows says the same in its own row, where that is the row of the production that it came to.
    #[test]
    fn a_release_tells_the_way_of_its_median_commit(events in history()) {
        let tables = Run::of(&events).tables;
        for fact in tables.0.values() {
            let Fact::Release(release) = fact else { continue };
            let rows = tables.0.values().filter_map(|fact| match fact {
                Fact::ReleaseCommit(row) => Some(row),
                _ => None,
            });
            let of = |row: &&ReleaseCommitFact| {
                Some(&row.commit) == release.median_commit.as_ref()
                    && Some(&row.deployment) == release.deployment.as_ref()
                    && row.component == release.component
                    && !row.baseline
            };
            for row in rows.filter(of) {
                prop_assert_eq!(Segments::from(row), Segments::from(release));
            }
        }
    }

    /// The three laws of a lattice, for every kind of record.
    #[test]
    fn records_are_a_lattice(events in history()) {
        let seen: Vec<Observation> = events.iter().filter_map(|event| observe(event.clone()).ok()).flatten().collect();
        for a in &seen {
            for b in &seen {
                laws(a, b, &seen)?;
            }
        }
    }
}

/// What a row says of the time of a span.
#[derive(Debug, PartialEq)]
struct Segments {
    lead_time: Option<Millis>,
    working: Option<Millis>,
    correction: Option<Millis>,
    wall: [Option<Millis>; 10],
    in_working: [Option<Millis>; 10],
}

macro_rules! segments {
    ($($row:ty),*) => {$(
        impl From<&$row> for Segments {
            fn from(row: &$row) -> Self {
                Self {
                    lead_time: row.lead_time,
                    working: row.lead_time_working,
                    correction: row.clock_correction,
                    wall: [
                        row.coding, row.review, row.merge_to_build, row.queue, row.build_and_test, row.gate_wait, row.batch_wait,
                        row.hand_off, row.deploy, row.unaccounted,
                    ],
                    in_working: [
                        row.coding_working, row.review_working, row.merge_to_build_working, row.queue_working,
                        row.build_and_test_working, row.gate_wait_working, row.batch_wait_working, row.hand_off_working,
                        row.deploy_working, row.unaccounted_working,
                    ],
                }
            }
        }
    )*};
}
segments!(ReleaseFact, ReleaseCommitFact);

fn closes(row: &Segments) -> Result<(), TestCaseError> {
    let all = |columns: &[Option<Millis>; 10]| columns.iter().copied().collect::<Option<Vec<Millis>>>();
    let Some(wall) = all(&row.wall) else {
        prop_assert!(row.wall.iter().chain(&row.in_working).all(Option::is_none));
        prop_assert_eq!((row.working, row.correction), (None, None));
        return Ok(());
    };
    prop_assert!(wall.iter().all(|segment| *segment >= Millis(0)));
    prop_assert_eq!(Some(wall.iter().copied().sum::<Millis>() + row.correction.unwrap()), row.lead_time);
    let working = all(&row.in_working);
    prop_assert_eq!(working.as_ref().map(|working| working.iter().copied().sum::<Millis>()), row.working);
    for (part, whole) in working.into_iter().flatten().zip(wall) {
        prop_assert!(Millis(0) <= part && part <= whole);
    }
    Ok(())
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
        Purpose(_, _) as Purpose
        Shifts(_) as Shifts
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
