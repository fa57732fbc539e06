//! What the tables tell of the components.

use std::collections::BTreeMap;

use model::fact::{ReleaseKind, SEGMENTS};
use model::{Component, Millis, Realm, Timestamp};
use serde::Deserialize;
use warehouse::{Error, Warehouse};

use crate::failures::Outcome;
use crate::shift::Release;

/// A component of a realm.
pub type Key = (Realm, Component);

/// How far back a history goes, in months before this one.
const MONTHS: u32 = 24;
/// The newest releases, and the newest hours with builds, that are looked at: several times what the statistic compares.
const NEWEST: usize = 600;

/// A component, as the table has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Owned {
    realm: Realm,
    component: Component,
    /// Team; empty where nobody owns it.
    pub team: String,
    /// When shifts of it were acknowledged.
    pub acknowledged: Vec<Timestamp>,
}

/// What changes whenever a row does from which a history is read: the highest revisions of releases and of hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    releases: i64,
    hours: i64,
}

/// What is known of a component, each in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Releases that count, with their times to production.
    pub releases: Vec<Release>,
    /// How they turned out.
    pub outcomes: Vec<Outcome>,
    /// Hours in which builds ended, with the lower median of how long they waited for a runner.
    pub queue: Vec<(Timestamp, Millis)>,
}

/// Figures of a component over the last days. Where there was nothing, there is none.
#[derive(Clone, Debug, Deserialize)]
pub struct Recent {
    realm: Realm,
    component: Component,
    pub releases: i64,
    pub failed: i64,
    pub builds: i64,
    pub builds_failed: i64,
    pub lead_time: Option<Millis>,
    pub merge_to_production: Option<Millis>,
    pub gate_wait: Option<Millis>,
    pub build_queue: Option<Millis>,
    /// In the order of [`SEGMENTS`].
    pub segments: [Option<Millis>; SEGMENTS.len()],
}

/// What a component has open.
#[derive(Clone, Debug, Deserialize)]
pub struct Open {
    realm: Realm,
    component: Component,
    pub gates: i64,
    pub incidents: i64,
}

#[derive(Deserialize)]
struct Marked {
    realm: Realm,
    component: Component,
    releases: i64,
    hours: i64,
}

#[derive(Deserialize)]
struct ReleaseRow {
    component: Component,
    production_at: Timestamp,
    kind: ReleaseKind,
    failed: bool,
    merge_to_production: Option<Millis>,
    segments: [Option<Millis>; SEGMENTS.len()],
}

#[derive(Deserialize)]
struct Hour {
    component: Component,
    at: Timestamp,
    queue: Millis,
}

/// The components that there are.
pub async fn components(warehouse: &Warehouse) -> Result<BTreeMap<Key, Owned>, Error> {
    let rows =
        warehouse.query_rows("SELECT realm, component, ifNull(team, '') AS team, acknowledged FROM components").await?;
    Ok(by_key(rows, |row: &Owned| (row.realm.clone(), row.component.clone())))
}

/// The marks of all components. It reads the tables of revisions, in which what was taken back is still there to be seen.
pub async fn marks(warehouse: &Warehouse) -> Result<BTreeMap<Key, Mark>, Error> {
    let sql = format!(
        "SELECT realm, component, max(releases) AS releases, max(hours) AS hours FROM (
             SELECT realm, component, max(revision) AS releases, toInt64(0) AS hours
             FROM releases_rows WHERE {since} GROUP BY realm, component
             UNION ALL
             SELECT realm, component, toInt64(0), max(revision)
             FROM rollup_hourly_rows WHERE {since} GROUP BY realm, component
         ) GROUP BY realm, component",
        since = since()
    );
    let rows: Vec<Marked> = warehouse.query_rows(&sql).await?;
    let mark = |row: Marked| ((row.realm, row.component), Mark { releases: row.releases, hours: row.hours });
    Ok(rows.into_iter().map(mark).collect())
}

/// Histories of components of one realm.
pub async fn histories(
    warehouse: &Warehouse,
    realm: &Realm,
    components: &[&Component],
) -> Result<BTreeMap<Component, History>, Error> {
    let mut histories: BTreeMap<Component, History> = BTreeMap::new();
    for row in releases(warehouse, realm, components).await? {
        let ReleaseRow { component, production_at: at, kind, failed, merge_to_production, segments } = row;
        let history = histories.entry(component).or_default();
        history.releases.push(Release { at, kind, merge_to_production, segments });
        history.outcomes.push(Outcome { at, failed });
    }
    for Hour { component, at, queue } in hours(warehouse, realm, components).await? {
        histories.entry(component).or_default().queue.push((at, queue));
    }
    // The newest come first: those are what is cut to.
    for history in histories.values_mut() {
        history.releases.reverse();
        history.outcomes.reverse();
        history.queue.reverse();
    }
    Ok(histories)
}

/// Releases that count, the newest first.
async fn releases(warehouse: &Warehouse, realm: &Realm, components: &[&Component]) -> Result<Vec<ReleaseRow>, Error> {
    let sql = format!(
        "SELECT component, production_at, kind, failed, merge_to_production, [{segments}] AS segments
         FROM releases
         WHERE realm = {{realm:String}} AND component IN {{components:Array(String)}} AND {since}
           AND production_at IS NOT NULL AND NOT excluded AND kind != '{baseline}'
         ORDER BY component, at DESC, version DESC LIMIT {NEWEST} BY component",
        segments = SEGMENTS.join(", "),
        since = since(),
        baseline = ReleaseKind::Baseline.word(),
    );
    warehouse.query(&sql).param("realm", realm).param("components", components).rows().await
}

/// Hours in which builds ended, the newest first.
async fn hours(warehouse: &Warehouse, realm: &Realm, components: &[&Component]) -> Result<Vec<Hour>, Error> {
    let sql = format!(
        "SELECT component, at, quantileExactLowArray(0.5)(build_queue_times) AS queue
         FROM rollup_hourly
         WHERE realm = {{realm:String}} AND component IN {{components:Array(String)}} AND {since}
           AND kind = '' AND notEmpty(build_queue_times)
         GROUP BY component, at ORDER BY component, at DESC LIMIT {NEWEST} BY component",
        since = since(),
    );
    warehouse.query(&sql).param("realm", realm).param("components", components).rows().await
}

/// Figures over the last days, today's so far among them.
pub async fn recent(warehouse: &Warehouse, days: u32) -> Result<BTreeMap<Key, Recent>, Error> {
    let median = |times: &str, of: &str| {
        format!(
            "if(sumIf(length({times}), {of}) = 0, NULL, quantileExactLowArrayIf(0.5)({times}, {of}))",
            of = if of.is_empty() { "true" } else { of }
        )
    };
    let regular = format!("kind = '{}'", ReleaseKind::Regular.word());
    let segments = SEGMENTS.map(|segment| median(&format!("{segment}_times"), &regular)).join(", ");
    let sql = format!(
        "SELECT realm, component,
             toInt64(sum(releases)) AS releases, toInt64(sum(failed)) AS failed,
             toInt64(sum(builds)) AS builds, toInt64(sum(builds_failed)) AS builds_failed,
             {lead_time} AS lead_time, {merge_to_production} AS merge_to_production,
             {gate_wait} AS gate_wait, {build_queue} AS build_queue,
             [{segments}] AS segments
         FROM rollup_daily
         WHERE at >= toStartOfDay(now('UTC')) - INTERVAL {days} DAY AND at <= now('UTC')
         GROUP BY realm, component",
        lead_time = median("lead_times", &regular),
        merge_to_production = median("merge_to_production_times", &regular),
        gate_wait = median("gate_waits", ""),
        build_queue = median("build_queue_times", ""),
    );
    Ok(by_key(warehouse.query_rows(&sql).await?, |row: &Recent| (row.realm.clone(), row.component.clone())))
}

/// Gates asked for in the last days that are open, and incidents that are not over.
pub async fn open(warehouse: &Warehouse, days: u32) -> Result<BTreeMap<Key, Open>, Error> {
    let sql = format!(
        "SELECT realm, component, toInt64(sum(gates)) AS gates, toInt64(sum(incidents)) AS incidents FROM (
             SELECT realm, component, 1 AS gates, 0 AS incidents FROM gate_waits
             WHERE outcome = 'open' AND at >= now('UTC') - INTERVAL {days} DAY
             UNION ALL
             SELECT realm, arrayJoin(components), 0, 1 FROM incidents
             WHERE state IN ('detected', 'acknowledged') AND {since}
         ) GROUP BY realm, component",
        since = since()
    );
    Ok(by_key(warehouse.query_rows(&sql).await?, |row: &Open| (row.realm.clone(), row.component.clone())))
}

/// The condition that a row is not older than what is looked at. Whole months, so that what is found is the same all month long.
fn since() -> String {
    format!("at >= toStartOfMonth(now('UTC')) - INTERVAL {MONTHS} MONTH")
}

fn by_key<T>(rows: Vec<T>, key: impl Fn(&T) -> Key) -> BTreeMap<Key, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}
