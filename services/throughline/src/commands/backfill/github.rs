//! `throughline backfill github`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use backfill::github::{self, Address, App, Credential, Query};
use ingestor::secret::Secret;

use super::api::{self, History};
use crate::cli::BackfillGithub;
use crate::config::{Config, sections};

pub fn run(file: Option<&Path>, arguments: &BackfillGithub) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let address = Address::parse(&arguments.repository)?;
    let root = arguments.api.clone().unwrap_or(address.api);
    let query = Query {
        owner: address.owner,
        name: address.name,
        since: arguments.how.since,
        parts: api::parts(&arguments.only),
        paths: arguments.paths,
    };
    let client = credential(arguments)?.client(github::api(&root, None), &query.owner, &query.name)?;
    let client = Arc::new(client);
    let history = History {
        provider: "github",
        of: format!("{}/{}", query.owner, query.name),
        root: &root,
        selected: api::selected(&query.parts, query.paths),
        how: &arguments.how,
    };
    api::run(&config, &history, &client, async |from, keep, sink| {
        github::resume(&client, &query, from, keep, sink).await
    })
}

/// Who asks: an App, or whoever the token is of.
fn credential(arguments: &BackfillGithub) -> anyhow::Result<Credential> {
    if let (Some(id), Some(file)) = (arguments.app, &arguments.private_key) {
        return Ok(Credential::App(App::new(id, &Secret::File(file.clone()).resolve()?)?));
    }
    let token = api::token(arguments.token_file.as_deref(), &arguments.token_env, "GitHub", ", --app")?;
    Ok(Credential::Token(token))
}
