//! `throughline catalog`: checks, sends, shows and suggests catalogs.

mod owners;
mod show;
mod suggest;
mod table;
mod unmapped;

use std::path::Path;
use std::process::ExitCode;

use correlation::Survey;
use model::event::Catalog;
use model::{Realm, Timestamp};

use super::{block_on, inbox, now, read_input, say};
use crate::catalog::CatalogText;
use crate::cli;
use crate::config::{Config, sections};

const DAY: i64 = 24 * 60 * 60 * 1000;

pub fn run(file: Option<&Path>, command: cli::Catalog) -> anyhow::Result<ExitCode> {
    match command {
        cli::Catalog::Put { file: catalog, realm } => put(file, &catalog, &realm),
        cli::Catalog::Check { file: catalog } => check(&catalog),
        cli::Catalog::Show(arguments) => show::run(file, &arguments),
        cli::Catalog::Unmapped(arguments) => unmapped::run(file, &arguments),
        cli::Catalog::Suggest(arguments) => suggest::run(file, &arguments),
    }
}

fn check(catalog: &Path) -> anyhow::Result<ExitCode> {
    let text = CatalogText::read(read_input(catalog)?, catalog)?;
    let revision = text.revision.map_or("no revision".to_owned(), |revision| format!("revision {revision}"));
    say(&format!("catalog of {revision}: {}: nothing is wrong", describe(&text.catalog)))?;
    Ok(ExitCode::SUCCESS)
}

fn put(file: Option<&Path>, catalog: &Path, realm: &str) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let text = CatalogText::read(read_input(catalog)?, catalog)?;
    let revision = text.revision.unwrap_or(now().0);
    block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        inbox::put(&inbox, text.record(&Realm::new(realm), revision)).await
    })?;
    say(&format!("catalog of revision {revision}: {}: put in realm {realm}", describe(&text.catalog)))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(catalog: &Catalog) -> String {
    format!(
        "{} components, {} teams, {} environments, {} gates, {} calendars",
        catalog.components.len(),
        catalog.teams.len(),
        catalog.environments.len(),
        catalog.gates.len(),
        catalog.calendars.len()
    )
}

/// Everything that arrived in a realm, to be asked.
fn survey(file: Option<&Path>, realm: &str) -> anyhow::Result<Survey> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    Ok(correlator::learn(&config.kafka, &Realm::new(realm))?.into())
}

/// So many days up to now.
fn last(days: u32) -> (Timestamp, Timestamp) {
    let now = now();
    (Timestamp(now.0.saturating_sub(i64::from(days) * DAY)), now)
}
