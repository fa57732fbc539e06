mod cases;
mod laws;

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Releases every eight hours that take so long.
fn every_eight_hours(times: impl IntoIterator<Item = i64>) -> Vec<Release> {
    let release = |(place, time)| Release {
        at: Timestamp(place as i64 * 8 * HOUR),
        kind: ReleaseKind::Regular,
        merge_to_production: Some(Millis(time)),
        ..Release::default()
    };
    times.into_iter().enumerate().map(release).collect()
}

fn examined(releases: &[Release]) -> Examined {
    examine(releases, ReleaseKind::Regular, &[], &Rules::default())
}

/// Places at which somebody is told, and whether it is slower or faster.
fn told(releases: &[Release]) -> Vec<(Direction, usize)> {
    examined(releases).shifts.iter().map(|noticed| (noticed.direction, noticed.at)).collect()
}
