//! `throughline backfill github`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use backfill::github::{self, Address, Query};
use backfill::http::Client;

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
    let token = api::token(arguments.token_file.as_deref(), &arguments.token_env, "GitHub")?;
    let client = Arc::new(Client::new(github::api(&root, Some(token)))?);
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
