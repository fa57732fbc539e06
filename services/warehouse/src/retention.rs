//! How long rows are kept.
//!
//! ClickHouse deletes by `TTL` part by part: of two revisions of a row the later one may be gone while the earlier one is not, which
//! would be seen again. So the view stops to show a row a day before it may be deleted; `at` is part of the identity, and all revisions
//! of a row reach their end together.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Warehouse;
use crate::config::ConfigError;
use crate::error::Error;
use crate::migration;
use crate::table::Table;

/// How many days rows are kept, by table; a table that is not named keeps its rows for good.
pub type Retention = BTreeMap<String, u32>;

/// Longest time: what comes after is beyond the times that ClickHouse can add up.
const MOST_DAYS: u32 = 36_500;

#[derive(Deserialize)]
struct Made {
    name: String,
    engine_full: String,
    as_select: String,
}

pub(crate) fn validate(retention: &Retention) -> Result<(), ConfigError> {
    for (table, days) in retention {
        if !tables().any(|known| known.name == table) {
            let known: Vec<&str> = tables().map(|table| table.name).collect();
            return Err(ConfigError::NotRetained { table: table.clone(), known: known.join(", ") });
        }
        if *days == 0 || *days > MOST_DAYS {
            return Err(ConfigError::Days { table: table.clone(), days: *days });
        }
    }
    Ok(())
}

/// Tables whose rows have a time.
fn tables() -> impl Iterator<Item = &'static Table> {
    Table::all().iter().filter(|table| table.columns.iter().any(|column| column.name == "at"))
}

impl Warehouse {
    /// Brings every table to the retention that is configured; what is so already is left alone.
    pub(crate) async fn retain(&self, retention: &Retention) -> Result<(), Error> {
        let made = "SELECT name, engine_full, as_select FROM system.tables WHERE database = currentDatabase()";
        let made: Vec<Made> = self.query_rows(made).await?;
        for table in tables() {
            let days = retention.get(table.name).copied();
            let of = |name: &str| made.iter().find(|made| made.name == name);
            if let Some(view) = of(table.name).filter(|view| !says(&view.as_select, days))
                && let Some(statement) = view_of(table.name, days)
            {
                self.execute(&statement).await?;
                tracing::info!(table = table.name, days, view = view.name, "rows are shown for so long");
            }
            let rows = format!("{}_rows", table.name);
            if let Some(rows) = of(&rows).filter(|rows| !says(&rows.engine_full, days.map(|days| days + 1))) {
                let change = match days {
                    Some(days) => format!("MODIFY TTL toDateTime(at, 'UTC') + toIntervalDay({})", days + 1),
                    None => "REMOVE TTL".to_owned(),
                };
                self.execute(&format!("ALTER TABLE {} {change}", rows.name)).await?;
                tracing::info!(table = table.name, days, "rows are kept for so long");
            }
        }
        Ok(())
    }
}

/// Whether a definition, as ClickHouse writes it, ends rows after so many days, or never.
fn says(definition: &str, days: Option<u32>) -> bool {
    match days {
        Some(days) => definition.contains(&format!("toIntervalDay({days})")),
        None => !definition.contains("toIntervalDay("),
    }
}

/// The statement that makes a view show rows for so many days, or for good.
fn view_of(table: &str, days: Option<u32>) -> Option<String> {
    let headings = [format!("CREATE VIEW IF NOT EXISTS {table}"), format!("CREATE OR REPLACE VIEW {table}")];
    let migrations = migration::all();
    let statements = migrations.iter().rev().flat_map(|migration| migration.statements());
    let is_heading = |line: &str| headings.iter().any(|heading| heading == line);
    let statement = { statements }.find(|statement| statement.lines().any(is_heading))?;
    let from = format!("FROM {table}_rows FINAL");
    let line = |line: &str| match line {
        line if is_heading(line) => headings[1].clone(),
        line if line == from => match days {
            Some(days) => format!("{from}\nWHERE at >= now64(3, 'UTC') - toIntervalDay({days})"),
            None => from.clone(),
        },
        other => other.to_owned(),
    };
    Some(statement.lines().map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_can_be_made_to_end() {
        for table in tables() {
            let ending = view_of(table.name, Some(7)).unwrap();
            assert!(ending.contains(&format!("CREATE OR REPLACE VIEW {}\n", table.name)), "{ending}");
            assert!(ending.contains("FINAL\nWHERE at >= now64(3, 'UTC') - toIntervalDay(7)\nSETTINGS"), "{ending}");
            assert!(!view_of(table.name, None).unwrap().contains("WHERE"), "{}", table.name);
        }
        assert_eq!(view_of("nothing", None), None);
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let refused =
            |table: &str, days| validate(&Retention::from([(table.to_owned(), days)])).unwrap_err().to_string();
        assert!(refused("build", 30).contains("builds"));
        assert!(refused("components", 30).contains("`components`"), "it has no time");
        assert!(refused("builds", 0).contains("builds = 0"));
        validate(&Retention::from([("builds".to_owned(), 400)])).unwrap();
    }
}
