//! `throughline migrate`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use warehouse::{Warehouse, migration};

use super::{block_on, say};
use crate::config::{Config, sections};
use crate::prepare;

pub fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA_AND_CLICKHOUSE)?;
    config.log.start()?;
    block_on(async {
        let made = prepare::ensure_topics_aside(config.kafka.clone());
        let made = made.await.context("the topics are not as they should be")?;
        let done = if made.is_empty() { "nothing to make".to_owned() } else { format!("made {}", made.join(", ")) };
        let topics = stream::topics::all().count();
        say(&format!("Kafka at {}, {topics} topics {}*: {done}", config.kafka.brokers, config.kafka.topic_prefix))?;
        let warehouse = Warehouse::new(&config.clickhouse)?;
        let applied = warehouse.migrate().await.context("the tables are not as they should be")?;
        let titles: Vec<String> = migration::all()
            .into_iter()
            .filter(|migration| applied.contains(&migration.number))
            .map(|migration| format!("{:04}_{}", migration.number, migration.title))
            .collect();
        let done =
            if titles.is_empty() { "nothing to apply".to_owned() } else { format!("applied {}", titles.join(", ")) };
        say(&format!("ClickHouse at {}, database {}: {done}", config.clickhouse.url, config.clickhouse.database))?;
        Ok(ExitCode::SUCCESS)
    })
}
