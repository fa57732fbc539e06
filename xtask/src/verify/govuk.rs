//! `verify govuk`.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use end_to_end::govuk::{App, ENVIRONMENTS, Replay};
use end_to_end::verify::{Disturbance, GovukVerified, govuk};

use super::{Setting, closing};
use crate::report::{Report, columns};

#[derive(Debug, Args)]
#[command(after_help = "\
Without --app, `deploy-events.csv` is played with them, where the folder has it: the deployments of every application there is.

Examples:
  cargo xtask verify govuk --data ../histories/govuk --release
  cargo xtask verify govuk --data ../histories/govuk --app collections
  cargo xtask verify govuk --data ../histories/govuk --app collections --shuffle --double --kill 3")]
pub struct Govuk {
    #[command(flatten)]
    setting: Setting,
    /// Only this application; may be repeated.
    #[arg(long, value_name = "NAME")]
    app: Vec<String>,
    /// Play the history a second time, in random order; the tables must be the same.
    #[arg(long)]
    shuffle: bool,
    /// Play the history a second time, with every line doubled; the tables must be the same.
    #[arg(long)]
    double: bool,
    /// Play the history a second time, with the correlator killed so often while input waits.
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    kill: usize,
    /// Seed of the random order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Govuk {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let data = &self.setting.data;
        let names = if self.app.is_empty() { App::names(data)? } else { self.app.clone() };
        report.progress("reading the histories");
        let apps = names.iter().map(|name| App::read(data, name)).collect::<Result<Vec<_>>>()?;
        ensure!(!apps.is_empty(), "no application to verify");
        let replay = if self.app.is_empty() { Replay::read(data, &apps)? } else { None };
        let (binary, stack) = self.setting.prepare(&report)?;
        let how = Disturbance { shuffle: self.shuffle, double: self.double, kills: self.kill, seed: self.seed };
        let started = Instant::now();
        let progress = |text: &str| report.progress(text);
        let verified = tokio::runtime::Runtime::new()?.block_on(govuk(
            &binary,
            stack.addresses(),
            &apps,
            replay.as_ref(),
            how,
            &progress,
        ))?;
        report.show(table(&verified));
        self.setting.finish(&report, &verified, verified.holds(), started)
    }
}

fn table(verified: &GovukVerified) -> String {
    let mut parts = vec![times(verified), labels(verified)];
    if let Some(replay) = &verified.replay {
        parts.push(format!(
            "\nOf {} rows for every application, {} are deployments and {} removals; the tables have {} and {}.\n\
             Applications in environments whose counts are the same: {} of {}",
            replay.rows,
            replay.file.deployments,
            replay.file.removals,
            replay.tables.deployments,
            replay.tables.removals,
            replay.agree,
            replay.groups,
        ));
    }
    parts.push(closing(&verified.segments, &verified.pipeline));
    if let Some(disturbed) = &verified.disturbed {
        let different: u64 = disturbed.differences.values().sum();
        parts.push(format!(
            "\nDisturbed ({} lines, kills with {:?} events waiting): {different} rows differ",
            disturbed.lines, disturbed.waiting_at_kill
        ));
    }
    parts.join("\n")
}

fn times(verified: &GovukVerified) -> String {
    let head = ["app", "commits", "agree"].into_iter().chain(ENVIRONMENTS).chain(["unknown", "releases"]);
    let mut rows = vec![head.map(str::to_owned).collect()];
    for app in &verified.apps {
        let environments = ENVIRONMENTS.map(|name| app.environments.get(name).copied().unwrap_or_default());
        let numbers = [app.commits, app.agree].into_iter().chain(environments).chain([app.beyond_truth]);
        let cells = numbers.map(|number| number.to_string()).chain([app.releases.to_string()]);
        rows.push(std::iter::once(app.app.clone()).chain(cells).collect::<Vec<_>>());
    }
    let table = columns(&rows, |column| column > 0);
    format!("Commits whose time is the true one, in every environment and by environment:\n{table}")
}

fn labels(verified: &GovukVerified) -> String {
    let apps = &verified.apps;
    let row = |name: &str, cell: &dyn Fn(usize) -> String| {
        std::iter::once(name.to_owned()).chain((0..apps.len()).map(cell)).collect::<Vec<_>>()
    };
    let mut rows = vec![
        row("", &|app| apps[app].app.clone()),
        row("deployments", &|app| apps[app].deployments.to_string()),
        row("not as the definitions have it", &|app| apps[app].against_definition.to_string()),
    ];
    let reasons: BTreeSet<&str> = apps.iter().flat_map(|app| app.labelled_otherwise.keys().copied()).collect();
    for reason in reasons {
        let count = |app: usize| apps[app].labelled_otherwise.get(reason).copied().unwrap_or_default();
        rows.push(row(reason, &|app| count(app).to_string()));
    }
    let table = columns(&rows, |column| column > 0);
    format!(
        "\nDeployments and what they are, held against the definitions and against the labels of the data:\n{table}"
    )
}
