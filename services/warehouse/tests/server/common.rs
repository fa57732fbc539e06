//! A database of one's own on the shared server.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use local_stack::{MIGRATE, SharedStack};
use model::fact::Fact;
use serde::de::DeserializeOwned;
use warehouse::{Rows, Table, Warehouse, WarehouseConfig};

/// Address of the server.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| SharedStack::ensure(&|line| println!("{line}")).unwrap().addresses().clickhouse.clone())
}

/// A database that is there for one test.
pub struct Database {
    pub warehouse: Warehouse,
    /// Without the tables until [`Warehouse::migrate`].
    pub name: String,
}

impl Database {
    pub fn new() -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let name = format!("t_warehouse_{nanos}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Database { warehouse: Warehouse::new(&config(&name)).unwrap(), name }
    }

    pub async fn migrated() -> Database {
        let database = Database::new();
        database.warehouse.migrate().await.unwrap();
        database
    }

    pub async fn insert(&self, facts: &[Fact], origin: &str) {
        self.warehouse.insert(&rows(facts), origin).await.unwrap();
    }

    pub async fn read<T: DeserializeOwned>(&self, sql: &str) -> Vec<T> {
        self.warehouse.query_rows(sql).await.unwrap()
    }

    /// A number that a query gives as column `n`.
    pub async fn number(&self, sql: &str) -> i64 {
        self.read::<serde_json::Value>(sql).await[0]["n"].as_i64().unwrap()
    }

    pub async fn drop(self) {
        self.warehouse.execute(&format!("DROP DATABASE IF EXISTS {}", self.name)).await.unwrap();
    }
}

pub fn config(database: &str) -> WarehouseConfig {
    WarehouseConfig {
        url: url().to_owned(),
        database: database.to_owned(),
        user: MIGRATE.name.to_owned(),
        password: Some(MIGRATE.password.into()),
        ..WarehouseConfig::default()
    }
}

/// Facts of one table.
pub fn rows(facts: &[Fact]) -> Rows {
    let mut rows = Rows::new(Table::of(facts[0].subject()).unwrap());
    facts.iter().for_each(|fact| rows.push(fact).unwrap());
    rows
}
