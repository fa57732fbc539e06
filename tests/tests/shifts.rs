//! A sustained shift is found as soon, and told of where there is none as seldom, as is promised: on real histories.
#![allow(clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

use std::path::PathBuf;

use end_to_end::shifts::measured::{self, Group, Plan};
use end_to_end::shifts::trials::Order;
use end_to_end::shifts::{Half, Rule, Track};
use reviewer::shift::Rules;

/// The bars of `cargo xtask bench alerts`, with fewer runs; with some room for chance on the half on which nothing was chosen, where
/// 180 shifts make a share to two hundredths.
#[test]
fn shifts_are_found_soon_and_nothing_is_made_up() {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
        eprintln!("SKIPPED: THROUGHLINE_TEST_DATA is not set, so there is no real history to plant shifts into");
        return;
    };
    let tracks = Track::read_all(&PathBuf::from(data).join("histories")).unwrap();
    let plan = Plan { runs: 60, orders: 3, seed: 5 };
    let groups = measured::measure(&tracks, &Rule::Shift(Rules::default()), plan, &|text| eprintln!("{text}"));
    let counting: Vec<&Group> = groups.iter().filter(|group| group.counts()).collect();
    let held_out: Vec<&Group> = counting.iter().copied().filter(|group| group.half == Half::HeldOut).collect();
    assert_eq!(measured::runs(&counting), 360);
    for (groups, room) in [(&counting, 0.0), (&held_out, 0.03)] {
        let twice = measured::found(groups, Order::Real, 2000, 10);
        let half_more = measured::found(groups, Order::Real, 1500, 20);
        let right = measured::segment_right(groups, &[1500, 2000], None);
        let wrong = measured::wrong(groups, |group| group.falsely).per_year();
        assert!(twice >= 0.95 - room, "2 × within 10 releases: {twice}");
        assert!(half_more >= 0.95 - room, "1.5 × within 20 releases: {half_more}");
        assert!(right >= 0.9 - room, "the right segment: {right}");
        assert!(wrong <= 0.3, "false alarms a component-year: {wrong}");
    }
}
