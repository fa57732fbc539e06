use local_stack::WRITE;
use warehouse::{Error, MigrationError, Warehouse, WarehouseConfig};

use crate::common::{Database, config};

#[tokio::test]
async fn the_second_time_there_is_nothing_to_do() {
    let database = Database::new();
    let all: Vec<u32> = warehouse::migration::all().iter().map(|migration| migration.number).collect();
    assert_eq!(database.warehouse.migrate().await.unwrap(), all);
    assert_eq!(database.warehouse.migrate().await.unwrap(), [0; 0]);
    let applied: Vec<u32> = database.warehouse.applied().await.unwrap().iter().map(|applied| applied.number).collect();
    assert_eq!(applied, all);
    database.drop().await;
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() {
    let database = Database::new();
    let other = Warehouse::new(&config(&database.name)).unwrap();
    let (one, two) = tokio::join!(database.warehouse.migrate(), other.migrate());
    one.unwrap();
    two.unwrap();
    assert_eq!(database.warehouse.applied().await.unwrap().len(), warehouse::migration::all().len());
    database.drop().await;
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let database = Database::migrated().await;
    let forged = "INSERT INTO schema_migrations (number, title, sha256) VALUES (1, 'releases', 'abc')";
    database.warehouse.execute(forged).await.unwrap();
    let error = database.warehouse.migrate().await.unwrap_err();
    assert!(matches!(error, Error::Migration(MigrationError::Edited { number: 1, .. })), "{error}");
    database.drop().await;
}

#[tokio::test]
async fn a_later_version_is_refused() {
    let database = Database::migrated().await;
    let later = "INSERT INTO schema_migrations (number, title, sha256) VALUES (999, 'later', 'abc')";
    database.warehouse.execute(later).await.unwrap();
    let error = database.warehouse.migrate().await.unwrap_err();
    assert!(matches!(error, Error::Migration(MigrationError::Unknown { number: 999, .. })), "{error}");
    database.drop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let database = Database::new();
    assert!(database.warehouse.is_available().await, "before there is a database");
    let error = database.warehouse.execute("SELECT 1").await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");

    let user = |name: &str, password: &str| {
        let password = Some(password.to_owned().into());
        Warehouse::new(&WarehouseConfig { user: name.to_owned(), password, ..config(&database.name) }).unwrap()
    };
    let error = user(WRITE.name, WRITE.password).migrate().await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    let error = user(WRITE.name, "hunter2").ping().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));

    let nobody = WarehouseConfig { url: "http://127.0.0.1:9".to_owned(), ..config(&database.name) };
    let error = Warehouse::new(&nobody).unwrap().ping().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");

    let hasty = WarehouseConfig { query_timeout_ms: 200, database: "system".to_owned(), ..config(&database.name) };
    let error = Warehouse::new(&hasty).unwrap().execute("SELECT sleep(2)").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { ms: 200, .. }), "{error}");
}
