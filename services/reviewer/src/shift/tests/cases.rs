//! Cases with figures that are worked out by hand.

use super::*;

/// Ten minutes, give or take as many seconds as the place says.
fn usual(count: usize) -> impl Iterator<Item = i64> {
    (0..count).map(|place| 10 * MINUTE + (place as i64 * 11 % 61 - 30) * 1000)
}

fn twice(count: usize) -> impl Iterator<Item = i64> {
    usual(count).map(|time| 2 * time)
}

fn slower(examined: &Examined) -> &Shift {
    match &examined.now {
        Verdict::Slower(shift) => shift,
        other => panic!("{other:?}"),
    }
}

/// Five above all of 40: √(3 · 40 · 5 / 46) = 3.61 standard deviations; four are √(3 · 40 · 4 / 45) = 3.27.
#[test]
fn twice_as_long_is_told_at_the_fifth_release() {
    let releases = every_eight_hours(usual(40).chain(twice(5)));
    let examined = examined(&releases);
    let shift = slower(&examined);
    assert_eq!((shift.since, shift.releases), (40, 5));
    assert!((1950..=2050).contains(&shift.ratio.estimate), "{:?}", shift.ratio);
    assert!(shift.ratio.low > 1800 && shift.ratio.high < 2200, "{:?}", shift.ratio);
    assert!((shift.before.0 - 10 * MINUTE).abs() < 5000 && (shift.after.0 - 20 * MINUTE).abs() < 60_000, "{shift:?}");
    let [noticed] = &examined.shifts[..] else { panic!("{examined:?}") };
    assert_eq!((noticed.at, noticed.ended, &noticed.shift), (44, None, shift));
    assert!(told(&releases[..44]).is_empty());
}

#[test]
fn three_odd_releases_in_a_row_are_no_shift() {
    let releases =
        every_eight_hours(usual(40).chain([100 * HOUR; 3]).chain(usual(60)).chain([100 * HOUR; 3]).chain(usual(9)));
    assert!(told(&releases).is_empty());
}

/// Twelve slow releases within eleven hours, and the usual ones from the next morning on.
#[test]
fn what_is_over_by_the_next_morning_is_no_shift() {
    let mut releases = every_eight_hours(usual(40).chain(twice(12)).chain(usual(20)));
    for (place, release) in releases.iter_mut().enumerate().skip(40) {
        let hours = if place < 52 { place as i64 - 40 } else { place as i64 - 28 };
        release.at = Timestamp((40 * 8 + hours) * HOUR);
    }
    assert!(told(&releases).is_empty());
    // The same at a slower pace has lasted.
    assert_eq!(told(&every_eight_hours(usual(40).chain(twice(12)))), [(Direction::Slower, 44)]);
}

#[test]
fn a_tenth_more_is_too_little_to_tell() {
    let tenth = usual(60).map(|time| time + time / 10);
    assert!(told(&every_eight_hours(usual(100).chain(tenth))).is_empty());
}

#[test]
fn it_is_over_once_five_more_releases_are_as_before() {
    let releases = every_eight_hours(usual(40).chain(twice(10)).chain(usual(5)));
    assert!(matches!(examined(&releases[..54]).now, Verdict::Slower(_)));
    let over = examined(&releases);
    assert_eq!(over.now, Verdict::Steady);
    assert_eq!(over.shifts[0].ended, Some(Ended::Back(54)));
    // What was shifted is not part of what the next one is held against.
    let again = every_eight_hours(usual(40).chain(twice(10)).chain(usual(5)).chain(twice(5)));
    assert_eq!(told(&again), [(Direction::Slower, 44), (Direction::Slower, 59)]);
}

#[test]
fn an_acknowledged_shift_is_the_usual() {
    let releases = every_eight_hours(usual(40).chain(twice(50)));
    let seen = releases[49].at;
    let rules = Rules::default();
    let after = |count: usize| examine(&releases[..count], ReleaseKind::Regular, &[seen], &rules);
    assert_eq!(after(50).now, Verdict::NotEnough { have: 10, need: 20 });
    assert_eq!(after(50).shifts[0].ended, Some(Ended::Acknowledged(seen)));
    assert_eq!(after(90).now, Verdict::Steady);
    assert_eq!(after(90).shifts.len(), 1);
    // One that nobody acknowledged stands.
    assert_eq!(slower(&examined(&releases)).releases, 50);
}

#[test]
fn an_acknowledgement_of_nothing_begins_history_anew() {
    let releases = every_eight_hours(usual(50));
    let examined = examine(&releases, ReleaseKind::Regular, &[releases[29].at], &Rules::default());
    assert_eq!(examined.now, Verdict::Steady);
    let examined = examine(&releases[..35], ReleaseKind::Regular, &[releases[29].at], &Rules::default());
    assert_eq!(examined.now, Verdict::NotEnough { have: 5, need: 20 });
}

#[test]
fn what_stays_for_a_hundred_releases_is_the_usual() {
    let releases = every_eight_hours(usual(40).chain(twice(130)));
    assert!(matches!(examined(&releases[..139]).now, Verdict::Slower(_)));
    let settled = examined(&releases);
    assert_eq!(settled.now, Verdict::Steady);
    assert_eq!(settled.shifts[0].ended, Some(Ended::Settled(139)));
}

/// A release every five minutes: two hundred of them are seventeen hours.
#[test]
fn whoever_releases_all_day_is_told_once_it_has_lasted() {
    let mut releases = every_eight_hours(usual(200).chain(twice(200)));
    for (place, release) in releases.iter_mut().enumerate() {
        release.at = Timestamp(place as i64 * 5 * MINUTE);
    }
    let examined = examined(&releases);
    let [noticed] = &examined.shifts[..] else { panic!("{examined:?}") };
    // 144 are twelve hours, and two must have come since.
    assert_eq!((noticed.shift.since, noticed.at), (200, 345));
    // A hundred releases later nobody has had the time to look at it.
    assert_eq!(noticed.ended, None);
}

/// Once it is faster, the old time is a shift.
#[test]
fn what_was_won_can_be_lost() {
    let releases = every_eight_hours(twice(60).chain(usual(30)).chain(twice(6)));
    let examined = examined(&releases);
    let [faster, lost] = &examined.shifts[..] else { panic!("{examined:?}") };
    assert_eq!((faster.direction, faster.shift.since, faster.ended), (Direction::Faster, 60, Some(Ended::Welcome)));
    assert_eq!((lost.direction, lost.shift.since), (Direction::Slower, 90));
}

#[test]
fn twenty_releases_are_enough_to_compare_with() {
    assert_eq!(examined(&every_eight_hours(usual(19))).now, Verdict::NotEnough { have: 19, need: 20 });
    assert_eq!(examined(&[]).now, Verdict::NotEnough { have: 0, need: 20 });
    assert_eq!(examined(&every_eight_hours(usual(20))).now, Verdict::Steady);
    assert!(told(&every_eight_hours(usual(5).chain(twice(60)))).is_empty());
    assert_eq!(told(&every_eight_hours(usual(20).chain(twice(10)))).len(), 1);
}

#[test]
fn like_is_compared_with_like() {
    let mut releases = every_eight_hours(usual(40).chain(twice(10)));
    for release in releases.iter_mut().skip(40) {
        release.kind = ReleaseKind::Hotfix;
    }
    assert!(told(&releases).is_empty());
    let hotfixes = examine(&releases, ReleaseKind::Hotfix, &[], &Rules::default());
    assert_eq!(hotfixes.now, Verdict::NotEnough { have: 10, need: 20 });
}

#[test]
fn what_nobody_knows_is_left_out() {
    let mut releases = every_eight_hours(usual(40).chain(twice(12)));
    let mut unknown = every_eight_hours([0; 10]);
    for (place, release) in unknown.iter_mut().enumerate() {
        release.at = Timestamp((42 + place as i64) * 8 * HOUR + 1);
        release.merge_to_production = (place % 2 == 0).then_some(Millis(-5));
    }
    releases.extend(unknown);
    let examined = examined(&releases);
    assert_eq!((examined.shifts[0].at, examined.shifts[0].shift.releases), (44, 5));
}

/// A gate that every other release meets: its median is nothing before, and may be nothing since.
#[test]
fn the_cause_is_found_among_zeros() {
    let mut releases = every_eight_hours(usual(60).chain(usual(60)));
    for (place, release) in releases.iter_mut().enumerate() {
        let [.., build, gate, hand_off, deploy, _] = &mut release.segments;
        let whole = release.merge_to_production.unwrap().0;
        (*build, *gate, *hand_off, *deploy) =
            (Some(Millis(whole / 2)), Some(Millis(0)), None, Some(Millis(whole - whole / 2)));
        if place >= 60 && place % 2 == 0 {
            *gate = Some(Millis(30 * MINUTE));
            release.merge_to_production = Some(Millis(whole + 30 * MINUTE));
        }
    }
    let examined = examined(&releases);
    let noticed = &examined.shifts[0];
    assert_eq!(noticed.shift.cause().map(|cause| cause.segment), Some("gate_wait"), "{noticed:?}");
    assert_eq!(noticed.shift.segments.len(), 8);
}

#[test]
fn several_segments_that_grow_alike_have_no_one_cause() {
    let mut releases = every_eight_hours(usual(60).chain(twice(10)));
    for release in &mut releases {
        let third = Some(Millis(release.merge_to_production.unwrap().0 / 3));
        release.segments[4..7].copy_from_slice(&[third; 3]);
    }
    let examined = examined(&releases);
    let shift = slower(&examined);
    assert_eq!(shift.cause(), None);
    assert_eq!(shift.segments[0].growth(), shift.segments[2].growth());
    assert_eq!(shift.segments[3].growth(), 0);
}
