//! A database of the shared ClickHouse with rows of one's own, put there without Kafka.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use local_stack::{MIGRATE, SharedStack, User, WRITE};
use model::fact::Fact;
use model::schema::Subject;
use warehouse::{Rows, Table, Warehouse, WarehouseConfig};

/// A database that is there until [`Database::remove`].
#[derive(Clone, Debug)]
pub struct Database {
    /// Address of the server.
    pub url: String,
    /// Its name.
    pub name: String,
}

impl Database {
    /// Makes the tables in a database whose name begins like this; it must be `t_…` for the rights of the users.
    ///
    /// # Errors
    /// Where the server does not start, or refuses.
    pub async fn migrated(prefix: &str, progress: fn(&str)) -> Result<Self> {
        let ensure = move || SharedStack::ensure(&progress).map(|stack| stack.addresses().clickhouse.clone());
        let url = tokio::task::spawn_blocking(ensure).await??;
        let database = Self { url, name: format!("{prefix}_{:016x}", fastrand::u64(..)) };
        database.warehouse(MIGRATE)?.migrate().await?;
        Ok(database)
    }

    /// The database as a user sees it.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn warehouse(&self, user: User) -> Result<Warehouse> {
        let config = WarehouseConfig {
            url: self.url.clone(),
            database: self.name.clone(),
            user: user.name.to_owned(),
            password: Some(user.password.into()),
            ..WarehouseConfig::default()
        };
        Ok(Warehouse::new(&config)?)
    }

    /// Writes rows as the loader does.
    ///
    /// # Errors
    /// Where a row does not fit its table, or the server refuses.
    pub async fn load(&self, facts: &[Fact], origin: &str) -> Result<()> {
        let mut tables: BTreeMap<Subject, Rows> = BTreeMap::new();
        for fact in facts {
            let table = Table::of(fact.subject()).context("a fact without a table")?;
            tables.entry(fact.subject()).or_insert_with(|| Rows::new(table)).push(fact)?;
        }
        let writer = self.warehouse(WRITE)?;
        for rows in tables.values() {
            writer.insert(rows, origin).await?;
        }
        Ok(())
    }

    /// Deletes it.
    ///
    /// # Errors
    /// Where the server refuses.
    pub async fn remove(self) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {}", self.name);
        Ok(self.warehouse(MIGRATE)?.execute(&drop).await?)
    }
}
