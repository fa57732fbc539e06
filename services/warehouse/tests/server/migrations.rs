use local_stack::WRITE;
use model::Timestamp;
use model::fact::{DeploymentFact, Fact};
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

const DAY: i64 = 86_400_000;

fn deployment(name: &str, at: Timestamp, revision: i64) -> Fact {
    DeploymentFact { component: "shop".into(), deployment: name.into(), at, revision, ..Default::default() }.into()
}

#[tokio::test]
async fn rows_end_in_the_view_before_they_are_deleted() {
    let database = Database::migrated().await;
    let keeping = |days: u32| {
        let retention = [("deployments".to_owned(), days)].into();
        Warehouse::new(&WarehouseConfig { retention, ..config(&database.name) }).unwrap()
    };
    // One that is on the brink, and one that is long over; of both an earlier revision in a part of its own.
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    for revision in [1, 2] {
        let ago = |days: i64| Timestamp(now - days * DAY + DAY / 2);
        let facts = [("young", 10), ("brink", 31), ("old", 40)];
        let facts = facts.map(|(name, days)| deployment(name, ago(days), revision));
        database.insert(&facts, &format!("test:{revision}")).await;
    }
    assert_eq!(database.number("SELECT count() AS n FROM deployments").await, 3);
    for _ in 0..2 {
        keeping(30).migrate().await.unwrap();
        assert_eq!(database.number("SELECT count() AS n FROM deployments").await, 1);
    }
    database.warehouse.execute("OPTIMIZE TABLE deployments_rows FINAL").await.unwrap();
    let left: Vec<serde_json::Value> =
        database.read("SELECT deployment FROM deployments_rows FINAL ORDER BY deployment").await;
    assert_eq!(left, [serde_json::json!({"deployment": "brink"}), serde_json::json!({"deployment": "young"})]);
    // Longer, and for good again: what was not deleted is back, with its comments.
    keeping(100).migrate().await.unwrap();
    assert_eq!(database.number("SELECT count() AS n FROM deployments").await, 2);
    database.warehouse.migrate().await.unwrap();
    let bare = "SELECT count() AS n FROM system.columns WHERE database = currentDatabase() AND comment = ''";
    assert_eq!(database.number(bare).await, 0);
    let ends = "SELECT count() AS n FROM system.tables WHERE database = currentDatabase()
                AND (engine_full LIKE '%toIntervalDay%' OR as_select LIKE '%toIntervalDay%')";
    assert_eq!(database.number(ends).await, 0);
    database.drop().await;
}
