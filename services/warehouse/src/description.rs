//! The tables as ClickHouse itself describes them.

use serde::{Deserialize, Serialize};

use crate::client::Warehouse;
use crate::error::Error;
use crate::table::Table;

/// A table or a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Name.
    pub name: String,
    /// What it is.
    pub comment: String,
    /// Columns that tell a row from all others; empty where ClickHouse does not tell.
    pub identity: Vec<String>,
    /// Its columns.
    pub columns: Vec<DescribedColumn>,
    /// Not for readers: what the loader writes, and what was migrated.
    #[serde(skip)]
    pub internal: bool,
}

/// A column of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedColumn {
    /// Name.
    pub name: String,
    /// Type, as ClickHouse names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it means, in which unit, and when it is null.
    pub comment: String,
}

#[derive(Deserialize)]
struct Known {
    name: String,
    comment: String,
    sorting_key: String,
}

#[derive(Deserialize)]
struct ColumnOf {
    table: String,
    #[serde(flatten)]
    column: DescribedColumn,
}

impl Warehouse {
    /// Everything that there is in the database, the tables of facts first and in the order of the flow. A user who may only
    /// read may ask.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn describe(&self) -> Result<Vec<Description>, Error> {
        let known: Vec<Known> = self
            .query_rows(
                "SELECT name, comment, sorting_key FROM system.tables
                 WHERE database = currentDatabase() AND NOT is_temporary ORDER BY name",
            )
            .await?;
        let columns: Vec<ColumnOf> = self
            .query_rows(
                "SELECT table, name, type, comment FROM system.columns
                 WHERE database = currentDatabase() ORDER BY table, position",
            )
            .await?;
        let keys: Vec<(String, Vec<String>)> =
            known.iter().map(|table| (table.name.clone(), identity(&table.sorting_key))).collect();
        // A view has the identity of the table beneath it.
        let identity = |name: &str| {
            let beneath = rows_of(name);
            let found =
                keys.iter().filter(|(_, key)| !key.is_empty()).find(|(known, _)| *known == name || *known == beneath);
            found.map(|(_, key)| key.clone()).unwrap_or_default()
        };
        let columns_of = |name: &str| columns.iter().filter(|c| c.table == name).map(|c| c.column.clone()).collect();
        let mut described: Vec<Description> = known
            .iter()
            .map(|Known { name, comment, .. }| Description {
                name: name.clone(),
                comment: comment.clone(),
                identity: identity(name),
                columns: columns_of(name),
                internal: name.ends_with("_rows") || name == "schema_migrations",
            })
            .collect();
        let place = |name: &str| Table::all().iter().position(|table| table.name == name).unwrap_or(usize::MAX);
        described.sort_by_key(|table| (table.internal, place(&table.name)));
        Ok(described)
    }
}

fn rows_of(view: &str) -> String {
    format!("{view}_rows")
}

/// The columns of a sort key. An expression is there for speed: its column stands behind it once more.
fn identity(sorting_key: &str) -> Vec<String> {
    let is_column = |part: &&str| !part.is_empty() && !part.contains('(');
    sorting_key.split(", ").filter(is_column).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn the_month_is_no_part_of_the_identity() {
        assert_eq!(identity("realm, toYYYYMM(at), component, at, run"), ["realm", "component", "at", "run"]);
        assert_eq!(identity(""), [""; 0]);
    }
}
