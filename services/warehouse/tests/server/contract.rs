//! The tables and the Avro schemas say the same.

use std::collections::BTreeSet;

use model::fact::Fact;
use serde::Deserialize;
use warehouse::Table;
use warehouse::table::Kind;

use crate::common::Database;

#[derive(Debug, Deserialize, PartialEq)]
struct ColumnOfServer {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    comment: String,
    /// Worked out by ClickHouse from the other columns: no field of a fact.
    computed: bool,
}

async fn columns(database: &Database, table: &str) -> Vec<ColumnOfServer> {
    let sql = "SELECT name, type, comment, toBool(default_kind = 'MATERIALIZED') AS computed FROM system.columns
               WHERE database = currentDatabase() AND table = {t:String} ORDER BY position";
    database.warehouse.query(sql).param("t", table).rows().await.unwrap()
}

/// The type without the dictionary, which changes how values are kept and not which ones.
fn plain(kind: &str) -> String {
    kind.replace("LowCardinality(Nullable(String))", "Nullable(String)").replace("LowCardinality(String)", "String")
}

#[tokio::test]
async fn columns_are_the_fields_of_the_facts() {
    let database = Database::migrated().await;
    for table in Table::all() {
        let wanted: Vec<(String, String)> = table
            .columns
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    Kind::Text | Kind::Enum => "String",
                    Kind::Int => "Int32",
                    Kind::Long => "Int64",
                    Kind::Time => "DateTime64(3, 'UTC')",
                    // The engine demands it.
                    Kind::Boolean if column.name == "deleted" => "UInt8",
                    Kind::Boolean => "Bool",
                    Kind::TextList | Kind::EnumList => "Array(String)",
                    Kind::LongList => "Array(Int64)",
                    Kind::TimeList => "Array(DateTime64(3, 'UTC'))",
                };
                let kind = if column.nullable { format!("Nullable({kind})") } else { kind.to_owned() };
                (column.name.clone(), kind)
            })
            .collect();
        let rows = columns(&database, &format!("{}_rows", table.name)).await;
        let told = rows.iter().filter(|column| !column.computed);
        let found: Vec<_> = told.map(|c| (c.name.clone(), plain(&c.kind))).collect();
        assert_eq!(found, wanted, "{}_rows", table.name);

        // The view has the same columns with the same meaning, but those of the engine.
        let view = columns(&database, table.name).await;
        let of_engine = |column: &ColumnOfServer| matches!(column.name.as_str(), "revision" | "deleted");
        let shown = rows.into_iter().filter(|column| !of_engine(column));
        let without: Vec<_> = shown.map(|column| ColumnOfServer { computed: false, ..column }).collect();
        assert_eq!(view, without, "{}", table.name);
    }
    database.drop().await;
}

#[tokio::test]
async fn everything_has_a_comment() {
    let database = Database::migrated().await;
    let bare = "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = ''
                UNION ALL SELECT name, '' FROM system.tables WHERE database = currentDatabase() AND comment = ''";
    assert_eq!(database.read::<serde_json::Value>(bare).await, [] as [serde_json::Value; 0]);

    // Units: what is a duration says so, and what may be null says when.
    let silent = "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND (
                      (type = 'Nullable(Int64)' AND comment NOT LIKE '%, ms%')
                      OR (type LIKE '%Nullable%' AND comment NOT LIKE '%null %')
                      OR (type LIKE '%DateTime64%' AND comment NOT LIKE '%UTC, milliseconds%'))";
    assert_eq!(database.read::<serde_json::Value>(silent).await, [] as [serde_json::Value; 0]);
    database.drop().await;
}

#[tokio::test]
async fn identity_is_the_sort_key() {
    #[derive(Deserialize)]
    struct Layout {
        sorting_key: String,
        primary_key: String,
        partition_key: String,
    }
    let database = Database::migrated().await;
    for table in Table::all() {
        let fact = Fact::empty(table.subject).unwrap();
        let sql = "SELECT sorting_key, primary_key, partition_key FROM system.tables
                   WHERE database = currentDatabase() AND name = {t:String}";
        let layout: Vec<Layout> =
            database.warehouse.query(sql).param("t", format!("{}_rows", table.name)).rows().await.unwrap();
        let key: BTreeSet<&str> =
            layout[0].sorting_key.split(", ").filter(|column| *column != "toYYYYMM(at)").collect();

        // The fields of the identity, by way of JSON: `{"Release": {"component": …}}`.
        let identity = serde_json::to_value(fact.identity()).unwrap();
        let fields = identity.as_object().unwrap().values().next().unwrap().as_object().unwrap();
        let wanted: BTreeSet<&str> = fields.keys().map(String::as_str).chain(["realm"]).collect();
        assert_eq!(key, wanted, "{}", table.name);

        if wanted.contains("at") {
            assert_eq!(layout[0].partition_key, "toYYYYMM(at)", "{}", table.name);
            let primary = match (wanted.contains("component"), wanted.contains("kind")) {
                (true, true) => "realm, toYYYYMM(at), kind, component",
                (true, false) => "realm, toYYYYMM(at), component",
                (false, _) => "realm, toYYYYMM(at)",
            };
            assert_eq!(layout[0].primary_key, primary, "{}: else the month prunes nothing", table.name);
        }
    }
    database.drop().await;
}
