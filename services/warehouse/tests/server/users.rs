//! What the users that are shipped may do, and what not.

use local_stack::{READ, User, WRITE};
use model::fact::{ComponentFact, Fact};
use warehouse::{Warehouse, WarehouseConfig};

use crate::common::{Database, config, rows};

impl Database {
    fn as_user(&self, user: User) -> Warehouse {
        let password = Some(user.password.into());
        Warehouse::new(&WarehouseConfig { user: user.name.to_owned(), password, ..config(&self.name) }).unwrap()
    }
}

/// Why a statement was refused.
async fn refusal(warehouse: &Warehouse, sql: &str) -> String {
    let error = warehouse.execute(sql).await.expect_err(sql);
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    text
}

#[tokio::test]
async fn a_reader_reads_and_does_nothing_else() {
    let database = Database::migrated().await;
    database.insert(&[Fact::Component(ComponentFact { component: "shop".into(), ..Default::default() })], "test").await;
    let reader = database.as_user(READ);
    let found: Vec<serde_json::Value> = reader.query_rows("SELECT component FROM components").await.unwrap();
    assert_eq!(found.len(), 1);
    for sql in [
        "INSERT INTO components_rows (component) VALUES ('other')",
        "DROP TABLE components_rows",
        "DROP VIEW components",
        "TRUNCATE TABLE components_rows",
        "ALTER TABLE components_rows DELETE WHERE 1",
        "ALTER TABLE components_rows DROP COLUMN team",
        "OPTIMIZE TABLE components_rows FINAL",
        "CREATE TABLE mine (a Int8) ENGINE = MergeTree ORDER BY a",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE FUNCTION mine AS (a) -> a",
        "CREATE USER mine",
        "GRANT SELECT ON *.* TO throughline_read",
        "SYSTEM DROP MARK CACHE",
        "BACKUP TABLE components_rows TO Null",
        "KILL QUERY WHERE user = 'throughline_write' SYNC",
        "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a Int8') VALUES (1)",
        "INSERT INTO FUNCTION file('mine.csv', 'CSV', 'a Int8') VALUES (1)",
    ] {
        let refused = refusal(&reader, sql).await;
        assert!(refused.contains("ACCESS_DENIED") || refused.contains("READONLY"), "{sql}: {refused}");
    }
    let left: Vec<serde_json::Value> = reader.query_rows("SELECT component FROM components").await.unwrap();
    assert_eq!(left.len(), 1);
    database.drop().await;
}

#[tokio::test]
async fn a_reader_sees_no_secrets_and_nothing_outside() {
    let database = Database::migrated().await;
    let reader = database.as_user(READ);
    for sql in [
        "SELECT * FROM system.processes",
        "SELECT * FROM system.users",
        "SELECT * FROM system.grants",
        "SELECT * FROM system.named_collections",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV')",
        "SELECT * FROM executable('a', 'TSV', 'a String')",
        "SHOW CREATE USER throughline_write",
    ] {
        let refused = refusal(&reader, sql).await;
        assert!(refused.contains("ACCESS_DENIED") || refused.contains("READONLY"), "{sql}: {refused}");
    }
    // What describes our tables is there.
    let columns = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'releases'";
    let columns: Vec<serde_json::Value> = reader.query_rows(columns).await.unwrap();
    assert!(columns.len() > 30);
    let others = "SELECT name FROM system.tables WHERE database = 'system' AND name = 'named_collections'";
    let others: Vec<serde_json::Value> = reader.query_rows(others).await.unwrap();
    assert_eq!(others.len(), 0);
    database.drop().await;
}

#[tokio::test]
async fn a_reader_is_bounded_and_cannot_lift_the_bounds() {
    let database = Database::migrated().await;
    let reader = database.as_user(READ);
    for sql in [
        "SELECT 1 SETTINGS max_execution_time = 3600",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT 1 SETTINGS max_result_rows = 0",
        "SELECT 1 SETTINGS readonly = 0",
    ] {
        let refused = refusal(&reader, sql).await;
        assert!(refused.contains("SETTING_CONSTRAINT_VIOLATION") || refused.contains("READONLY"), "{sql}: {refused}");
    }
    let refused = refusal(&reader, "SELECT number FROM numbers(1000001)").await;
    assert!(refused.contains("TOO_MANY_ROWS_OR_BYTES"), "{refused}");
    let refused = refusal(
        &reader,
        "SELECT count() FROM numbers(100000000000) WHERE sleepEachRow(0.01) = 0 SETTINGS max_execution_time = 1",
    )
    .await;
    assert!(refused.contains("TIMEOUT_EXCEEDED") || refused.contains("TOO_MANY_ROWS"), "{refused}");
    let refused =
        refusal(&reader, "SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000")
            .await;
    assert!(refused.contains("MEMORY_LIMIT_EXCEEDED"), "{refused}");
    database.drop().await;
}

#[tokio::test]
async fn a_writer_fills_tables_and_changes_none() {
    let database = Database::migrated().await;
    let writer = database.as_user(WRITE);
    let fact = Fact::Component(ComponentFact { component: "shop".into(), ..Default::default() });
    writer.insert(&rows(&[fact]), "test").await.unwrap();
    for sql in [
        "DROP TABLE components_rows",
        "TRUNCATE TABLE components_rows",
        "ALTER TABLE components_rows DELETE WHERE 1",
        "ALTER TABLE components_rows DROP COLUMN team",
        "CREATE TABLE mine (a Int8) ENGINE = MergeTree ORDER BY a",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a Int8') VALUES (1)",
        "KILL QUERY WHERE user = 'throughline_read' SYNC",
        "BACKUP TABLE components_rows TO Null",
    ] {
        let refused = refusal(&writer, sql).await;
        assert!(refused.contains("ACCESS_DENIED"), "{sql}: {refused}");
    }
    database.drop().await;
}
