//! Holds the rollups at every level against the same figures worked out from the tables that they sum up.

use anyhow::Result;

use crate::installation::Installation;

/// What a rollup says of one table: how its rows are chosen, and what is summed up of them.
struct Part {
    /// The rows, with `environment` and `kind` as the rollup has them.
    raw: &'static str,
    /// Rows of the rollup that may speak of it.
    rows: &'static str,
    /// Counts: column of the rollup, condition or number of a row.
    counts: &'static [(&'static str, &'static str)],
    /// Lists: column of the rollup, column of the row.
    lists: &'static [(&'static str, &'static str)],
}

const FAILED: &str = "ifNull(outcome IN ('failure', 'error', 'timeout'), false)";

const PARTS: [Part; 5] = [
    Part {
        raw: "SELECT r.*, d.environment AS environment FROM releases AS r LEFT JOIN deployments AS d \
              ON r.realm = d.realm AND r.component = d.component AND r.deployment = d.deployment \
              WHERE r.production_at IS NOT NULL AND NOT r.excluded AND r.kind != 'baseline'",
        rows: "kind != ''",
        counts: &[
            ("releases", "1"),
            ("commits", "commits"),
            ("failed", "failed"),
            ("rework", "rework"),
            ("incidents", "incidents"),
        ],
        lists: &[
            ("lead_times", "lead_time"),
            ("merge_to_production_times", "merge_to_production"),
            ("coding_times", "coding"),
            ("review_times", "review"),
            ("merge_to_build_times", "merge_to_build"),
            ("queue_times", "queue"),
            ("build_and_test_times", "build_and_test"),
            ("gate_wait_times", "gate_wait"),
            ("batch_wait_times", "batch_wait"),
            ("hand_off_times", "hand_off"),
            ("deploy_times", "deploy"),
            ("unaccounted_times", "unaccounted"),
            ("lead_time_working_times", "lead_time_working"),
            ("recovery_times", "recovery"),
        ],
    },
    Part {
        raw: "SELECT * EXCEPT (kind), '' AS kind FROM deployments WHERE finished_at IS NOT NULL",
        rows: "deployments > 0",
        counts: &[
            ("deployments", "1"),
            ("deployments_succeeded", "ifNull(outcome = 'success', false)"),
            ("deployments_failed", FAILED),
        ],
        lists: &[],
    },
    Part {
        raw: "SELECT * EXCEPT (kind, environment), '' AS kind, ifNull(environment, '') AS environment FROM gate_waits",
        rows: "gates > 0",
        counts: &[
            ("gates", "1"),
            ("gates_open", "outcome = 'open'"),
            ("gates_rejected", "outcome = 'rejected'"),
            ("gates_expired", "outcome = 'expired'"),
            ("gates_bypassed", "outcome = 'bypassed'"),
            ("gates_caught", "ifNull(caught, false)"),
            ("gates_hollow", "notEmpty(hollow)"),
        ],
        lists: &[("gate_waits", "wait")],
    },
    Part {
        raw: "SELECT *, '' AS kind, '' AS environment FROM builds WHERE finished_at IS NOT NULL",
        rows: "builds > 0",
        counts: &[("builds", "1"), ("builds_failed", FAILED), ("builds_flaky", "ifNull(class = 'flaky', false)")],
        lists: &[("build_queue_times", "queue"), ("build_durations", "duration")],
    },
    Part {
        raw: "SELECT * EXCEPT (kind, environment), '' AS kind, ifNull(environment, '') AS environment FROM manual_steps",
        rows: "manual_steps > 0",
        counts: &[("manual_steps", "1")],
        lists: &[("manual_waits", "wait")],
    },
];

/// Who is summed up: the column that names it.
const LEVELS: [&str; 3] = ["component", "team", "realm"];

/// Which rollup serves a time, and the function that gives its begin.
const TIMES: [(&str, &str); 3] =
    [("rollup_hourly", "toStartOfHour"), ("rollup_daily", "toStartOfDay"), ("rollup_daily", "toStartOfMonth")];

/// What was compared, and what differed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Rows of figures, over all levels and times.
    pub rows: u64,
    /// Level, time and part that differ, each with the number of its rows that do.
    pub differences: Vec<String>,
}

impl Part {
    /// Figures by level and time from a table that has the columns of a rollup.
    fn select(&self, from: &str, level: &str, begin: &str, figures: &str) -> String {
        format!(
            "SELECT {level} AS who, toDateTime({begin}(at), 'UTC') AS begin, environment, kind, {figures} \
             FROM ({from}) AS t LEFT JOIN components AS c ON t.realm = c.realm AND t.component = c.component \
             GROUP BY ALL"
        )
    }

    fn rolled_up(&self, table: &str, level: &str, begin: &str) -> String {
        let counts = self.counts.iter().map(|(name, _)| format!("toInt64(sum(t.{name}))"));
        let lists = self.lists.iter().map(|(name, _)| {
            format!("arraySort(groupArrayArray(t.{name})), quantileExactLowArray(0.5)(t.{name}), toInt64(sum(length(t.{name})))")
        });
        let figures: Vec<String> = counts.chain(lists).collect();
        self.select(&format!("SELECT * FROM {table} WHERE {}", self.rows), level, begin, &figures.join(", "))
    }

    fn added_up(&self, level: &str, begin: &str) -> String {
        let counts = self.counts.iter().map(|(_, row)| format!("toInt64(sum(toInt64({row})))"));
        let lists = self.lists.iter().map(|(_, column)| {
            format!(
                "arraySort(groupArray(assumeNotNull(t.{column})) FILTER (WHERE t.{column} IS NOT NULL)), \
                 ifNull(quantileExactLow(0.5)(t.{column}), 0), toInt64(count(t.{column}))"
            )
        });
        let figures: Vec<String> = counts.chain(lists).collect();
        self.select(self.raw, level, begin, &figures.join(", "))
    }
}

/// Compares every figure of every part, level and time.
///
/// # Errors
/// Where ClickHouse cannot be asked.
pub async fn compare(installation: &Installation) -> Result<Compared> {
    let mut compared = Compared::default();
    for part in &PARTS {
        for level in LEVELS {
            let column = if level == "team" { "ifNull(c.team, '')".to_owned() } else { format!("t.{level}") };
            for (table, begin) in TIMES {
                let (rolled, plain) = (part.rolled_up(table, &column, begin), part.added_up(&column, begin));
                compared.rows += installation.number(&format!("SELECT count() FROM ({plain})")).await?;
                let differ = installation
                    .number(&format!(
                        "SELECT (SELECT count() FROM ({rolled} EXCEPT ALL {plain})) \
                              + (SELECT count() FROM ({plain} EXCEPT ALL {rolled}))"
                    ))
                    .await?;
                if differ > 0 {
                    let what = part.counts.first().map_or("", |(name, _)| *name);
                    compared.differences.push(format!("{what} by {level} and {begin}: {differ} rows"));
                }
            }
        }
    }
    Ok(compared)
}
