//! *Delivery*.

use std::collections::BTreeMap;

use model::fact::{ReleaseFact, ReleaseKind};
use model::{Millis, Timestamp};

use super::{Case, DAY, Lines, Told, day, groups, lower, share, sum, week};
use crate::answer::{line, word};

const BOARD: &str = "throughline-delivery";

pub fn cases() -> Vec<Case> {
    let case = |panel, columns, truth| Case { dashboard: BOARD, panel, columns, truth };
    vec![
        case(
            "The organisation by year",
            &[
                "year",
                "releases",
                "releases a day",
                "lead time",
                "lead time band",
                "change failure rate",
                "failure band",
                "recovery",
                "recovery band",
                "rework rate",
            ],
            by_year,
        ),
        case(
            "The five measures of what is chosen",
            &[
                "kind",
                "count",
                "a week",
                "lead time",
                "merge to production",
                "change failure rate",
                "recovery",
                "rework rate",
            ],
            by_kind,
        ),
        case("Lead time, week by week", &["time", "kind", "median"], |told| weekly(told, |r| r.lead_time)),
        case("Merge to production, week by week", &["time", "kind", "median"], |told| {
            weekly(told, |r| r.merge_to_production)
        }),
        case("Releases a week", &["time", "kind", "count"], releases),
        case("Failures and rework a week", &["time", "failed", "rework", "incidents"], failures),
        case("Lead time by segment", &["time", "coding", "gate wait", "unaccounted"], means),
        case("Segments", &["kind", "segment", "median", "share"], segments),
        case(
            "Slowest releases",
            &[
                "at",
                "component",
                "version",
                "kind",
                "commits",
                "lead time",
                "longest segment",
                "its time",
                "failed",
                "link",
            ],
            slowest,
        ),
    ]
}

/// Of everything, from the first day of a year on.
fn by_year(told: &Told) -> Lines {
    let name = |r: &&ReleaseFact| r.at.to_string()[..4].to_owned();
    let years = groups(told.counted().filter(|r| r.at <= told.world.to), name);
    years
        .into_iter()
        .map(|(year, releases)| {
            let of = |is: fn(&ReleaseFact) -> bool| share(releases.iter().filter(|r| is(r)).count(), releases.len());
            let regular = releases.iter().filter(|r| r.kind == ReleaseKind::Regular);
            let lead_time = lower(regular.filter_map(|r| r.lead_time));
            let recovery = lower(releases.iter().filter_map(|r| r.recovery));
            let failed = of(|r| r.failed);
            let failure_band = match failed {
                ..=0.05 => "elite",
                ..=0.1 => "high",
                ..=0.15 => "medium",
                _ => "low",
            };
            let lead_time_band = band(lead_time, [DAY, 7 * DAY, 30 * DAY]);
            let recovery_band = band(recovery, [DAY / 24, DAY, 7 * DAY]);
            let rework = of(|r| r.rework);
            let daily = releases.len() as f64 / days(told, &year) as f64;
            line![
                year,
                releases.len(),
                daily,
                lead_time,
                lead_time_band,
                failed,
                failure_band,
                recovery,
                recovery_band,
                rework
            ]
        })
        .collect()
}

/// Days of the year from the first on which anything was seen to the last, today included.
fn days(told: &Told, year: &str) -> i64 {
    let ended = told.all_deployments().filter(|d| d.finished_at.is_some()).map(|d| d.at);
    let built = told.all_builds().filter(|b| b.finished_at.is_some()).map(|b| b.at);
    let seen = ended.chain(built).chain(told.all_gates().map(|g| g.at)).chain(told.all_steps().map(|s| s.at));
    let of_year = |at: &Timestamp| at.to_string().starts_with(year) && *at <= told.world.to;
    let first = seen.chain(told.counted().map(|r| r.at)).filter(of_year).map(day).min().unwrap();
    let next = Timestamp::parse_rfc3339(&format!("{}-01-01T00:00:00Z", year.parse::<i32>().unwrap() + 1)).unwrap();
    (next.min(day(told.world.to) + Millis(DAY)) - first).0 / DAY
}

fn band(time: Option<Millis>, limits: [i64; 3]) -> Option<&'static str> {
    let names = ["elite", "high", "medium", "low"];
    time.map(|time| names[limits.iter().filter(|limit| time.0 >= **limit).count()])
}

fn by_kind(told: &Told) -> Lines {
    let weeks = (told.world.to - told.world.from).0 as f64 / (7 * DAY) as f64;
    groups(told.releases(), |r| word(r.kind))
        .into_iter()
        .map(|(kind, releases)| {
            let of = |is: fn(&ReleaseFact) -> bool| share(releases.iter().filter(|r| is(r)).count(), releases.len());
            let median = |time: fn(&ReleaseFact) -> Option<Millis>| lower(releases.iter().filter_map(|r| time(r)));
            line![
                kind,
                releases.len(),
                releases.len() as f64 / weeks,
                median(|r| r.lead_time),
                median(|r| r.merge_to_production),
                of(|r| r.failed),
                median(|r| r.recovery),
                of(|r| r.rework)
            ]
        })
        .collect()
}

fn by_week<'a>(told: &'a Told) -> BTreeMap<(Timestamp, String), Vec<&'a ReleaseFact>> {
    groups(told.releases(), |r| (week(r.at), word(r.kind)))
}

fn weekly(told: &Told, time: fn(&ReleaseFact) -> Option<Millis>) -> Lines {
    let medians =
        by_week(told).into_iter().map(|((at, kind), of)| (at, kind, lower(of.iter().filter_map(|r| time(r)))));
    medians.filter(|(_, _, median)| median.is_some()).map(|(at, kind, median)| line![at, kind, median]).collect()
}

fn releases(told: &Told) -> Lines {
    by_week(told).into_iter().map(|((at, kind), of)| line![at, kind, of.len()]).collect()
}

fn failures(told: &Told) -> Lines {
    groups(told.releases(), |r| week(r.at))
        .into_iter()
        .map(|(at, of)| {
            let failed = of.iter().filter(|r| r.failed).count();
            let rework = of.iter().filter(|r| r.rework).count();
            line![at, failed, rework, of.iter().map(|r| r.incidents).sum::<i32>()]
        })
        .collect()
}

fn means(told: &Told) -> Lines {
    groups(told.releases().filter(|r| r.lead_time.is_some()), |r| week(r.at))
        .into_iter()
        .map(|(at, of)| {
            let mean = |segment: fn(&ReleaseFact) -> Option<Millis>| {
                sum(of.iter().map(|r| segment(r))).unwrap_or_default().0 as f64 / of.len() as f64
            };
            line![at, mean(|r| r.coding), mean(|r| r.gate_wait), mean(|r| r.unaccounted)]
        })
        .collect()
}

/// The segments with their names, in the order of the way.
pub(super) fn way(r: &ReleaseFact) -> [(&'static str, Option<Millis>); 10] {
    [
        ("coding", r.coding),
        ("review", r.review),
        ("batch wait", r.batch_wait),
        ("merge to build", r.merge_to_build),
        ("queue", r.queue),
        ("build and test", r.build_and_test),
        ("gate wait", r.gate_wait),
        ("hand off", r.hand_off),
        ("deploy", r.deploy),
        ("unaccounted", r.unaccounted),
    ]
}

fn segments(told: &Told) -> Lines {
    let kinds = groups(told.releases(), |r| word(r.kind));
    let of_kind = |(kind, releases): (String, Vec<&ReleaseFact>)| {
        let times = releases.iter().flat_map(|r| way(r)).filter_map(|(segment, time)| Some((segment, time?)));
        let times: Vec<(&str, Millis)> = times.collect();
        let all: i64 = times.iter().map(|(_, time)| time.0).sum();
        let of_segment = move |(segment, times): (&str, Vec<(&str, Millis)>)| {
            let spent: i64 = times.iter().map(|(_, time)| time.0).sum();
            line![kind, segment, lower(times.iter().map(|(_, time)| *time)), spent as f64 / all as f64]
        };
        groups(times, |(segment, _)| *segment).into_iter().map(of_segment).collect::<Lines>()
    };
    kinds.into_iter().flat_map(of_kind).collect()
}

fn slowest(told: &Told) -> Lines {
    // Of the environment this panel knows nothing: it reads releases.
    let of = |r: &&ReleaseFact| told.within(r.at) && told.chosen(&r.component) && told.of_kind(r.kind);
    let mut slowest: Vec<&ReleaseFact> = told.counted().filter(of).filter(|r| r.lead_time.is_some()).collect();
    slowest.sort_by(|a, b| {
        b.lead_time.cmp(&a.lead_time).then((&a.component, &a.version).cmp(&(&b.component, &b.version)))
    });
    let row = |r: &&ReleaseFact| {
        let way = way(r);
        let longest = way.iter().filter_map(|(_, time)| *time).max();
        let segment = way.iter().find(|(_, time)| *time == longest).map(|(segment, _)| *segment);
        let kind = word(r.kind);
        line![r.at, r.component, r.version, kind, r.commits, r.lead_time, segment, longest, r.failed, r.link]
    };
    assert!(slowest.iter().all(|r| day(r.at) >= day(told.world.from)));
    slowest.iter().take(20).map(row).collect()
}
