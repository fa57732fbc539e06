//! What holds whatever the history.

use proptest::prelude::*;

use super::*;

/// Histories with levels, odd releases, ties and holes.
fn histories() -> impl Strategy<Value = Vec<Release>> {
    let time = prop_oneof![
        8 => (20_i64..40).prop_map(Some),
        3 => Just(Some(30)),
        1 => (1_i64..2000).prop_map(Some),
        1 => Just(None),
    ];
    let stretch = (1_i64..4, prop::collection::vec((time, 1_i64..20), 1..60));
    prop::collection::vec(stretch, 1..5).prop_map(|stretches| {
        let mut at = 0;
        let release = |(level, (time, hours)): (i64, (Option<i64>, i64))| {
            at += hours * HOUR;
            Release {
                at: Timestamp(at),
                kind: ReleaseKind::Regular,
                merge_to_production: time.map(|time| Millis(time * level * 10_000)),
                ..Release::default()
            }
        };
        let leveled = stretches.into_iter().flat_map(|(level, times)| times.into_iter().map(move |time| (level, time)));
        leveled.map(release).collect()
    })
}

proptest! {
    /// Hours or minutes: what is found is the same.
    #[test]
    fn the_unit_does_not_matter(history in histories(), times in 2_i64..1000) {
        let longer: Vec<Release> = history.clone().into_iter().map(|release| Release {
            merge_to_production: release.merge_to_production.map(|time| Millis(time.0 * times)),
            ..release
        }).collect();
        let (found, of_longer) = (examined(&history).shifts, examined(&longer).shifts);
        let outline = |noticed: &Noticed| (noticed.direction, noticed.at, noticed.shift.since, noticed.ended);
        prop_assert_eq!(
            found.iter().map(outline).collect::<Vec<_>>(),
            of_longer.iter().map(outline).collect::<Vec<_>>()
        );
        for (one, other) in found.iter().zip(&of_longer) {
            prop_assert!((one.shift.ratio.estimate - other.shift.ratio.estimate).abs() <= 1);
            prop_assert_eq!(one.shift.after.0 * times, other.shift.after.0);
        }
    }

    /// What was told is told again whatever comes later.
    #[test]
    fn the_future_does_not_matter(history in histories(), cut in 0_usize..200) {
        let until = cut.min(history.len());
        let (then, now) = (examined(&history[..until]).shifts, examined(&history).shifts);
        prop_assert!(now.len() >= then.len());
        for (then, now) in then.iter().zip(&now) {
            prop_assert_eq!((then.direction, then.at, &then.shift), (now.direction, now.at, &now.shift));
        }
    }

    /// Nor does the order in which releases are given.
    #[test]
    fn the_order_given_does_not_matter(history in histories()) {
        let backwards: Vec<Release> = history.iter().rev().cloned().collect();
        let places = |examined: Examined| examined.shifts.into_iter().map(|n| (n.at, n.shift.since)).collect::<Vec<_>>();
        let last = history.len() - 1;
        let turned: Vec<_> =
            places(examined(&backwards)).into_iter().map(|(at, since)| (last - at, last - since)).collect();
        prop_assert_eq!(places(examined(&history)), turned);
    }

    /// An acknowledged alert is over, whenever that was; and what came before the last one is never told of again.
    #[test]
    fn an_acknowledgement_ends_it(history in histories()) {
        let newest = history.last().map(|release| release.at).unwrap_or_default();
        let acknowledged = examine(&history, ReleaseKind::Regular, &[newest], &Rules::default());
        prop_assert!(!matches!(acknowledged.now, Verdict::Slower(_)));
        prop_assert!(acknowledged.shifts.iter().all(|noticed| noticed.ended.is_some()));
    }

    /// Where every release takes as long, but for some that cannot be seen, nothing is told.
    #[test]
    fn nothing_is_found_in_what_stays_as_it_is(time in 0_i64..1_000_000_000, count in 0_usize..300) {
        let releases = every_eight_hours(std::iter::repeat_n(time, count));
        let examined = examined(&releases);
        prop_assert!(examined.shifts.is_empty());
        let need = Rules::default().enough;
        let expected = if count < need { Verdict::NotEnough { have: count, need } } else { Verdict::Steady };
        prop_assert_eq!(examined.now, expected);
    }

    /// Any numbers at all are examined without harm, and figures are in order.
    #[test]
    fn any_times_will_do(times in prop::collection::vec(any::<i64>(), 0..150)) {
        for noticed in examined(&every_eight_hours(times)).shifts {
            let Ratio { estimate, low, high } = noticed.shift.ratio;
            prop_assert!(low <= estimate && estimate <= high);
            prop_assert!(noticed.shift.since <= noticed.at);
        }
    }
}

/// Where every order is as likely as any other, a shift is told of some three times in ten thousand releases, early or late, and
/// however the times are distributed.
#[test]
fn chance_is_seldom_told_of() {
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut early, mut late) = (0, 0);
    for _ in 0..400 {
        // From a second to two days, most of them short.
        let times: Vec<i64> = (0..250).map(|_| (1000.0 * (12.0 * rng.f64() * rng.f64()).exp()) as i64).collect();
        let told = told(&every_eight_hours(times)).into_iter().filter(|(direction, _)| *direction == Direction::Slower);
        for (_, at) in told {
            if at < 75 { early += 1 } else { late += 1 }
        }
    }
    let (early_of, late_of) = (400 * (75 - 20), 400 * (250 - 75));
    assert!(early * 10_000 < 6 * early_of, "{early} in {early_of} releases");
    assert!(late * 10_000 < 6 * late_of, "{late} in {late_of} releases");
    assert!(early + late > 0, "nothing at all is no chance");
}
