//! `throughline backfill pagerduty`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use backfill::Part as _;
use backfill::http::Client;
use backfill::pagerduty::{self, Part, Query};

use super::api::{self, History};
use crate::cli::BackfillPagerduty;
use crate::config::{Config, sections};

pub fn run(file: Option<&Path>, arguments: &BackfillPagerduty) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let query = Query { since: arguments.how.since };
    let token = api::token(arguments.token_file.as_deref(), &arguments.token_env, "PagerDuty", "")?;
    let client = Arc::new(Client::new(pagerduty::api(&arguments.api, &token))?);
    let history = History {
        provider: "pagerduty",
        of: "PagerDuty".to_owned(),
        root: &arguments.api,
        selected: Part::Incidents.key().to_owned(),
        how: &arguments.how,
    };
    api::run(&config, &history, &client, async |from, keep, sink| {
        pagerduty::resume(&client, &query, from, keep, sink).await
    })
}
