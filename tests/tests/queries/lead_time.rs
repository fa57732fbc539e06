//! Lead time, and where it goes.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use model::event::Tier;
use model::fact::{ReleaseCommitFact, ReleaseFact, ReleaseKind, SEGMENTS};
use model::{Millis, Timestamp};
use serde_json::{Value, json};

use crate::figures::{count, groups, longest, median, midnight, monday, percent, time, total};
use crate::world::{SINCE, UNTIL, World};

/// Regular releases with a lead time.
fn regular(world: &World) -> impl Iterator<Item = &ReleaseFact> {
    world.releases().filter(|r| r.kind == ReleaseKind::Regular && r.lead_time.is_some() && !r.excluded)
}

fn by_component(world: &World) -> Vec<(String, Vec<&ReleaseFact>)> {
    groups(regular(world), |r| r.component.to_string()).into_iter().collect()
}

/// The segment that took longest, the first of several.
pub fn longest_segment(release: &ReleaseFact) -> (&'static str, i64) {
    let mut longest = ("", i64::MIN);
    for (name, span) in SEGMENTS.iter().zip(release.segments()) {
        if span.unwrap().0 > longest.1 {
            longest = (name, span.unwrap().0);
        }
    }
    longest
}

pub fn by_segment(world: &World) -> Vec<Value> {
    let mut rows = Vec::new();
    for (component, releases) in by_component(world) {
        let lead = total(releases.iter().map(|r| r.lead_time)).unwrap();
        let spans = |place: usize| {
            let of = move |r: &&ReleaseFact| if place == 10 { r.clock_correction } else { r.segments()[place] };
            releases.iter().map(of).collect::<Vec<Option<Millis>>>()
        };
        let mut parts: Vec<(Reverse<i64>, &str, Value)> = Vec::new();
        for (place, segment) in SEGMENTS.iter().copied().chain(["clock_correction"]).enumerate() {
            let spans = spans(place);
            if spans.iter().any(|span| span.unwrap().0 != 0) {
                let total = total(spans.clone()).unwrap();
                let row = json!({
                    "component": component, "segment": segment, "releases": releases.len(),
                    "median_duration": median(spans.clone()), "longest_duration": longest(spans),
                    "total_duration": total, "percent": percent(total, lead),
                });
                parts.push((Reverse(total), segment, row));
            }
        }
        parts.sort_by_key(|(total, segment, _)| (*total, *segment));
        rows.extend(parts.into_iter().map(|(_, _, row)| row));
    }
    rows
}

/// Of the days that begin within the time.
pub fn trend(world: &World) -> Vec<Value> {
    let weeks = groups(regular(world).filter(|r| midnight(r.at) >= SINCE), |r| (r.component.to_string(), monday(r.at)));
    let row = |((component, week), releases): ((String, String), Vec<&ReleaseFact>)| {
        json!({
            "component": component, "week": week, "shipped_releases": releases.len(),
            "shipped_commits": releases.iter().map(|r| i64::from(r.commits)).sum::<i64>(),
            "median_lead_time": median(releases.iter().map(|r| r.lead_time)),
            "median_merge_to_production": median(releases.iter().map(|r| r.merge_to_production)),
        })
    };
    weeks.into_iter().map(row).collect()
}

fn slowest_first(world: &World) -> Vec<&ReleaseFact> {
    let mut releases: Vec<_> = regular(world).collect();
    releases.sort_by_key(|r| (Reverse(r.lead_time), r.component.clone(), r.version.clone()));
    releases
}

pub fn slowest(world: &World) -> Vec<Value> {
    let row = |r: &ReleaseFact| {
        let (segment, spent) = longest_segment(r);
        json!({
            "component": r.component, "version": r.version, "production_at": time(r.production_at.unwrap()),
            "commits": r.commits, "lead_time": r.lead_time, "lead_time_longest": r.lead_time_longest,
            "segment": segment, "segment_duration": spent, "link": r.link,
        })
    };
    slowest_first(world).into_iter().take(10).map(row).collect()
}

pub fn of_the_slowest(world: &World) -> Vec<(&'static str, String)> {
    let slowest = slowest_first(world)[0];
    vec![("component", slowest.component.to_string()), ("version", slowest.version.as_str()[..8].to_owned())]
}

pub fn path(world: &World) -> Vec<Value> {
    let r = slowest_first(world)[0];
    let working = [
        r.coding_working,
        r.review_working,
        r.batch_wait_working,
        r.merge_to_build_working,
        r.queue_working,
        r.build_and_test_working,
        r.gate_wait_working,
        r.hand_off_working,
        r.deploy_working,
        r.unaccounted_working,
        None,
    ];
    let lead = r.lead_time.unwrap().0;
    let spans = r.segments().into_iter().chain([r.clock_correction]);
    let parts = SEGMENTS.iter().copied().chain(["clock_correction"]).zip(spans).zip(working);
    let row = |((segment, span), working): ((&str, Option<Millis>), Option<Millis>)| {
        let span = span.filter(|span| span.0 != 0)?.0;
        Some(json!({
            "component": r.component, "version": r.version, "segment": segment, "duration": span,
            "working_duration": working, "percent": percent(span, lead),
        }))
    };
    let rows: Vec<Value> = parts.filter_map(row).collect();
    assert_eq!(rows.iter().map(|row| row["duration"].as_i64().unwrap()).sum::<i64>(), lead, "time closes");
    rows
}

pub fn review(world: &World) -> Vec<Value> {
    let reviewed = groups(regular(world).filter(|r| r.review_pickup.is_some()), |r| r.component.to_string());
    let mut rows: Vec<(Reverse<Option<i64>>, String, Value)> = Vec::new();
    for (component, releases) in reviewed {
        let of = |span: fn(&ReleaseFact) -> Option<Millis>| median(releases.iter().map(|r| span(r)));
        let pickup = of(|r| r.review_pickup);
        let row = json!({
            "component": component, "releases": releases.len(), "median_review": of(|r| r.review),
            "median_review_pickup": pickup, "median_review_approval": of(|r| r.review_approval),
            "median_review_merge": of(|r| r.review_merge),
            "longest_review_pickup": longest(releases.iter().map(|r| r.review_pickup)),
        });
        rows.push((Reverse(pickup), component, row));
    }
    rows.sort_by_key(|(pickup, component, _)| (*pickup, component.clone()));
    rows.into_iter().map(|(_, _, row)| row).collect()
}

pub fn batches(world: &World) -> Vec<Value> {
    const SIZES: [(&str, i32, i32); 4] =
        [("1", 0, 1), ("2 to 5", 2, 5), ("6 to 20", 6, 20), ("more than 20", 21, i32::MAX)];
    let row = |(size, from, to): (&str, i32, i32)| {
        let releases: Vec<_> = regular(world).filter(|r| (from..=to).contains(&r.commits)).collect();
        let failed = count(&releases, |r| r.failed);
        (!releases.is_empty()).then(|| {
            json!({
                "shipped_commits": size, "releases": releases.len(), "failed_releases": failed,
                "failed_percent": percent(failed, releases.len() as i64),
                "median_lead_time": median(releases.iter().map(|r| r.lead_time)),
                "median_merge_to_production": median(releases.iter().map(|r| r.merge_to_production)),
                "median_batch_wait": median(releases.iter().map(|r| r.batch_wait)),
            })
        })
    };
    SIZES.into_iter().filter_map(row).collect()
}

/// A Monday in the evening: the change board of the payments meets on Tuesday.
const BEFORE_THE_BOARD: Timestamp = Timestamp(UNTIL.0 - 40 * 3_600_000);

pub fn before_the_board() -> Vec<(&'static str, String)> {
    vec![("until", BEFORE_THE_BOARD.to_string())]
}

pub fn waiting(world: &World) -> Vec<Value> {
    let is_out = |c: &&ReleaseCommitFact| c.tier == Tier::Production && c.at < BEFORE_THE_BOARD;
    let out: BTreeSet<_> = world.all_commits().filter(is_out).map(|c| (&c.component, &c.commit)).collect();
    let waits = |c: &&ReleaseCommitFact| {
        let is_there = c.tier == Tier::Staging && c.at < BEFORE_THE_BOARD && !c.baseline;
        is_there && !out.contains(&(&c.component, &c.commit))
    };
    let mut rows: Vec<(Reverse<i64>, String, Value)> = Vec::new();
    for (component, commits) in groups(world.commits().filter(waits), |c| c.component.to_string()) {
        let first = commits.iter().map(|c| c.at).min().unwrap();
        let last = commits.iter().max_by_key(|c| (c.at, c.commit.clone())).unwrap();
        let wait = (BEFORE_THE_BOARD - first).0;
        let row = json!({
            "component": component, "waiting_commits": commits.len(), "last_version": last.version,
            "first_at": time(first), "last_at": time(last.at), "longest_wait": wait,
        });
        rows.push((Reverse(wait), component, row));
    }
    rows.sort_by_key(|(wait, component, _)| (*wait, component.clone()));
    rows.into_iter().map(|(_, _, row)| row).collect()
}
