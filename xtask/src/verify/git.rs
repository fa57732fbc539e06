//! `verify git`.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use end_to_end::git::Project;
use end_to_end::verify::{GitVerified, git};

use super::{Setting, closing};
use crate::report::{Report, columns};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask verify git --data ../histories/git
  cargo xtask verify git --data ../histories/git --project ripgrep")]
pub struct Git {
    #[command(flatten)]
    setting: Setting,
    /// Only this project; may be repeated.
    #[arg(long, value_name = "NAME")]
    project: Vec<String>,
}

impl Git {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let data = &self.setting.data;
        let names = if self.project.is_empty() { Project::names(data)? } else { self.project.clone() };
        report.progress("reading the histories");
        let projects = names.iter().map(|name| Project::read(data, name)).collect::<Result<Vec<_>>>()?;
        ensure!(!projects.is_empty(), "no project to verify");
        let (binary, stack) = self.setting.prepare(&report)?;
        let started = Instant::now();
        let progress = |text: &str| report.progress(text);
        let verified =
            tokio::runtime::Runtime::new()?.block_on(git(&binary, stack.addresses(), &projects, &progress))?;
        report.show(table(&verified));
        self.setting.finish(&report, &verified, verified.holds(), started)
    }
}

fn table(verified: &GitVerified) -> String {
    let head = ["project", "tags", "commits", "agree", "first release", "lead time", "negative", "unknown"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for project in &verified.projects {
        let numbers = [
            project.tags,
            project.commits,
            project.agree,
            project.first_release,
            project.lead_time,
            project.negative,
            project.beyond_truth,
        ];
        rows.push(std::iter::once(project.project.clone()).chain(numbers.map(|number| number.to_string())).collect());
    }
    let table = columns(&rows, |column| column > 0);
    let closing = closing(&verified.segments, &verified.pipeline);
    format!("Commits whose first release and lead time are the true ones:\n{table}\n{closing}")
}
