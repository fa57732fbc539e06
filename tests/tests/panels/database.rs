//! A database with the demo's rows, and somebody who may only read it.

use std::collections::BTreeMap;

use local_stack::{MIGRATE, READ, SharedStack, User, WRITE};
use model::schema::Subject;
use reqwest::Client;
use warehouse::{Rows, Table, Warehouse, WarehouseConfig};

use crate::answer::Answer;
use crate::world::World;

pub struct Database {
    url: String,
    name: String,
    http: Client,
}

impl Database {
    /// Makes the tables and fills them, as the loader does.
    pub async fn with(world: &World) -> Database {
        let ensure = || SharedStack::ensure(&|line| eprintln!("{line}")).unwrap();
        let url = tokio::task::spawn_blocking(ensure).await.unwrap().addresses().clickhouse.clone();
        let database = Database { url, name: format!("t_panels_{:016x}", fastrand::u64(..)), http: Client::new() };
        database.warehouse(MIGRATE).migrate().await.unwrap();
        let writer = database.warehouse(WRITE);
        let mut tables: BTreeMap<Subject, Rows> = BTreeMap::new();
        for fact in &world.facts {
            let rows = tables.entry(fact.subject()).or_insert_with(|| Rows::new(Table::of(fact.subject()).unwrap()));
            rows.push(fact).unwrap();
        }
        for rows in tables.values() {
            writer.insert(rows, "panels").await.unwrap();
        }
        writer.publish(&world.watermarks).await.unwrap();
        database
    }

    fn warehouse(&self, user: User) -> Warehouse {
        let config = WarehouseConfig {
            url: self.url.clone(),
            database: self.name.clone(),
            user: user.name.to_owned(),
            password: Some(user.password.into()),
            ..WarehouseConfig::default()
        };
        Warehouse::new(&config).unwrap()
    }

    /// Asks as the user that reads; what ClickHouse says where it refuses.
    pub async fn ask(&self, sql: &str) -> Result<Answer, String> {
        let request = self
            .http
            .post(&self.url)
            .query(&[("database", self.name.as_str()), ("default_format", "JSONCompact"), ("wait_end_of_query", "1")])
            .header("X-ClickHouse-User", READ.name)
            .header("X-ClickHouse-Key", READ.password)
            .body(sql.to_owned());
        let answer = request.send().await.unwrap();
        let ok = answer.status().is_success();
        let text = answer.text().await.unwrap();
        if ok { Ok(Answer::read(&text)) } else { Err(format!("ClickHouse refuses it: {}\n{sql}", text.trim())) }
    }

    pub async fn remove(self) {
        let drop = format!("DROP DATABASE IF EXISTS {}", self.name);
        self.warehouse(MIGRATE).execute(&drop).await.unwrap();
    }
}
