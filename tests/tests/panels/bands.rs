//! The bands of the organisation at their limits: the demo stands in one band of each.

use end_to_end::dashboards::Dashboard;

use crate::database::Database;

const DASHBOARD: &str = "throughline-delivery";
const PANEL: &str = "The organisation by year";
/// What the figures of a year come from in the panel, and what they come from here.
const INNER: (&str, &str) = ("FROM (\n", "\n)\nORDER BY");

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Lead time, change failure rate, recovery; then the three bands.
const LIMITS: [(i64, f64, i64, [&str; 3]); 5] = [
    (DAY - 1, 0.05, HOUR - 1, ["elite"; 3]),
    (DAY, 0.051, HOUR, ["high"; 3]),
    (7 * DAY - 1, 0.1, DAY - 1, ["high"; 3]),
    (7 * DAY, 0.101, DAY, ["medium"; 3]),
    (30 * DAY, 0.151, 7 * DAY, ["low"; 3]),
];

/// Limits at which the panel says another band than the report.
pub async fn faults(dashboards: &[Dashboard], database: &Database) -> Vec<String> {
    let dashboard = dashboards.iter().find(|dashboard| dashboard.uid() == DASHBOARD).unwrap();
    let sql = dashboard.panel(PANEL).unwrap()["targets"][0]["rawSql"].as_str().unwrap();
    let (outer, inner) = sql.split_once(INNER.0).unwrap();
    let (_, order) = inner.split_once(INNER.1).unwrap();
    let mut faults = Vec::new();
    for (lead_time, failure_rate, recovery, bands) in LIMITS {
        let figures = format!(
            "SELECT '2026' AS year, 10 AS count, 100 AS days, toNullable({lead_time}) AS lead_time, {failure_rate} AS failure_rate, \
             toNullable({recovery}) AS recovery, 0.5 AS rework_rate"
        );
        let answer = database.ask(&format!("{outer}FROM ({figures}) ORDER BY{order}")).await.unwrap();
        let band = |name: &str| answer.rows[0][answer.position(name).unwrap()].clone();
        let said = ["lead time band", "failure band", "recovery band"].map(band);
        if said != bands {
            faults.push(format!("{DASHBOARD}, panel \"{PANEL}\": {lead_time} ms, {failure_rate}, {recovery} ms are {said:?}, not {bands:?}"));
        }
    }
    faults
}
