//! A database with the demo's rows, and somebody who may only read it.

use end_to_end::database;
use local_stack::{READ, WRITE};
use reqwest::Client;

use crate::answer::Answer;
use crate::world::World;

pub struct Database {
    tables: database::Database,
    http: Client,
}

impl Database {
    /// Makes the tables and fills them, as the loader does.
    pub async fn with(world: &World) -> Database {
        let tables = database::Database::migrated("t_panels", |line| eprintln!("{line}")).await.unwrap();
        tables.load(&world.facts, "panels").await.unwrap();
        tables.warehouse(WRITE).unwrap().publish(&world.watermarks).await.unwrap();
        Database { tables, http: Client::new() }
    }

    /// Asks as the user that reads; what ClickHouse says where it refuses.
    pub async fn ask(&self, sql: &str) -> Result<Answer, String> {
        let request = self
            .http
            .post(&self.tables.url)
            .query(&[
                ("database", self.tables.name.as_str()),
                ("default_format", "JSONCompact"),
                ("wait_end_of_query", "1"),
            ])
            .header("X-ClickHouse-User", READ.name)
            .header("X-ClickHouse-Key", READ.password)
            .body(sql.to_owned());
        let answer = request.send().await.unwrap();
        let ok = answer.status().is_success();
        let text = answer.text().await.unwrap();
        if ok { Ok(Answer::read(&text)) } else { Err(format!("ClickHouse refuses it: {}\n{sql}", text.trim())) }
    }

    pub async fn remove(self) {
        self.tables.remove().await.unwrap();
    }
}
