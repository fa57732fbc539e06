//! `throughline backfill gitlab`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use backfill::gitlab::{self, Address, Query};
use backfill::http::Client;

use super::api::{self, History};
use crate::cli::BackfillGitlab;
use crate::config::{Config, sections};

pub fn run(file: Option<&Path>, arguments: &BackfillGitlab) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let address = Address::parse(&arguments.project)?;
    let root = arguments.api.clone().unwrap_or(address.api);
    let query = Query {
        project: address.project,
        since: arguments.how.since,
        parts: api::parts(&arguments.only),
        paths: arguments.paths,
    };
    let token = api::token(arguments.token_file.as_deref(), &arguments.token_env, "GitLab", "")?;
    let client = Arc::new(Client::new(gitlab::api(&root, Some(token)))?);
    let history = History {
        provider: "gitlab",
        of: query.project.clone(),
        root: &root,
        selected: api::selected(&query.parts, query.paths),
        how: &arguments.how,
    };
    api::run(&config, &history, &client, async |from, keep, sink| {
        gitlab::resume(&client, &query, from, keep, sink).await
    })
}
