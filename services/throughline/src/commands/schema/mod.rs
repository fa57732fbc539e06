//! `throughline schema`: every table with its columns, as ClickHouse itself describes them.

mod page;

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use warehouse::Warehouse;
use warehouse::description::Description;

use super::refused::explained;
use super::table::width;
use super::{block_on, say};
use crate::cli::Schema;
use crate::config::{Config, sections};
use crate::nearest::nearest;

pub fn run(file: Option<&Path>, arguments: &Schema) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::CLICKHOUSE)?;
    config.log.start()?;
    let warehouse = Warehouse::new(&config.clickhouse)?;
    let described = block_on(async { Ok(warehouse.describe().await?) });
    let described = described.map_err(|error| explained(error, &config.clickhouse))?;
    if described.is_empty() {
        bail!("the database `{}` has no tables: `throughline migrate` makes them", config.clickhouse.database);
    }
    let text = match &arguments.table {
        Some(name) => {
            let table = named(name, &described)?;
            if arguments.json { serde_json::to_string(table)? } else { page::of(table, width()) }
        }
        None => {
            let tables: Vec<&Description> = described.iter().filter(|table| arguments.all || !table.internal).collect();
            if arguments.json { serde_json::to_string(&tables)? } else { page::of_all(&tables, width()) }
        }
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The table of this name, also one that is not for readers.
fn named<'a>(name: &str, described: &'a [Description]) -> anyhow::Result<&'a Description> {
    if let Some(found) = described.iter().find(|table| table.name == name) {
        return Ok(found);
    }
    let names: Vec<&str> = described.iter().filter(|table| !table.internal).map(|table| table.name.as_str()).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => bail!("there is no table `{name}`; did you mean `{near}`?"),
        None => bail!("there is no table `{name}`; there are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_known_is_answered_with_what_there_is() {
        let table = |name: &str, internal| Description {
            name: name.to_owned(),
            comment: String::new(),
            identity: Vec::new(),
            columns: Vec::new(),
            internal,
        };
        let known = [table("releases", false), table("builds", false), table("builds_rows", true)];
        let said = |name| named(name, &known).map(|table| table.name.clone()).map_err(|error| error.to_string());
        assert_eq!(said("builds_rows").unwrap(), "builds_rows");
        assert_eq!(said("release").unwrap_err(), "there is no table `release`; did you mean `releases`?");
        assert_eq!(said("commits").unwrap_err(), "there is no table `commits`; there are releases, builds");
    }
}
