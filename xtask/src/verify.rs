//! Holds whole installations against known truth.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use end_to_end::govuk::App;
use end_to_end::installation;
use end_to_end::verify::{Agreement, Disturbance, Disturbed, govuk};
use local_stack::Stack;
use serde::Serialize;

use crate::report::{Report, columns};

#[derive(Debug, Args)]
pub struct Verify {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Real deployments of real applications: every commit's way to production against `git merge-base`.
    #[command(after_help = "\
Examples:
  cargo xtask verify govuk --data ../histories/govuk --app collections
  cargo xtask verify govuk --data ../histories/govuk --app collections --shuffle --double --kill 3")]
    Govuk(Govuk),
}

#[derive(Debug, Args)]
struct Govuk {
    /// Folder with a folder for each application.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
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

#[derive(Debug, Serialize)]
struct Verdict {
    apps: Vec<Agreement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disturbed: Option<Disturbed>,
    seconds: u64,
}

impl Verify {
    pub fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Govuk(govuk) => govuk.run(),
        }
    }
}

impl Govuk {
    fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let names = if self.app.is_empty() { App::names(&self.data)? } else { self.app };
        let apps = names.iter().map(|name| App::read(&self.data, name)).collect::<Result<Vec<_>>>()?;
        ensure!(!apps.is_empty(), "no application to verify");
        report.progress("building throughline");
        let binary = installation::build()?;
        let stack = Stack::start(&|text| report.progress(text))?;
        let how = Disturbance { shuffle: self.shuffle, double: self.double, kills: self.kill, seed: self.seed };
        let started = Instant::now();
        let runtime = tokio::runtime::Runtime::new()?;
        let (apps, disturbed) =
            runtime.block_on(govuk(&binary, stack.addresses(), &apps, how, &|text| report.progress(text)))?;
        let verdict = Verdict { apps, disturbed, seconds: started.elapsed().as_secs() };
        report.show(verdict.table());
        report.finish(&verdict)?;
        Ok(if verdict.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Verdict {
    /// Production must agree for every commit, and a disturbed history must leave the same tables.
    fn holds(&self) -> bool {
        let agree = self.apps.iter().all(|app| app.agree == app.commits && app.commits > 0);
        let same = self.disturbed.iter().all(|disturbed| disturbed.differences.values().all(|rows| *rows == 0));
        agree && same
    }

    fn table(&self) -> String {
        let head = ["app", "commits", "production", "staging", "integration", "releases"].map(str::to_owned).to_vec();
        let mut rows = vec![head];
        for app in &self.apps {
            let of = |environment| app.environments.get(environment).copied().unwrap_or_default().to_string();
            let numbers =
                [app.commits.to_string(), of("production"), of("staging"), of("integration"), app.releases.to_string()];
            rows.push(std::iter::once(app.app.clone()).chain(numbers).collect());
        }
        let mut text = format!("Commits whose time agrees with the truth:\n{}", columns(&rows, |column| column > 0));
        if let Some(disturbed) = &self.disturbed {
            let different: u64 = disturbed.differences.values().sum();
            text.push_str(&format!(
                "\nDisturbed ({} lines, kills with {:?} events waiting): {different} rows differ",
                disturbed.lines, disturbed.waiting_at_kill
            ));
        }
        text
    }
}
