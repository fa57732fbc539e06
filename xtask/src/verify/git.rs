//! `verify git`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use end_to_end::git::Project;
use end_to_end::verify::{GitVerified, git, git_backfilled};

use super::{Setting, closing};
use crate::report::{Report, columns};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask verify git --data ../histories/git
  cargo xtask verify git --data ../histories/git --project ripgrep
  cargo xtask verify git --data ../histories/git --backfill --bundles ../histories/git-repos

With --backfill the projects are those that have a bundle, `<name>.bundle`; it is cloned with git, and
`throughline backfill git` reads the clone, twice. The catalog is the one that the command prints.")]
pub struct Git {
    #[command(flatten)]
    setting: Setting,
    /// Only this project; may be repeated.
    #[arg(long, value_name = "NAME")]
    project: Vec<String>,
    /// Read the repositories themselves instead of the table of their commits.
    #[arg(long, requires = "bundles")]
    backfill: bool,
    /// Folder with a git bundle for each project.
    #[arg(long, value_name = "FOLDER", requires = "backfill")]
    bundles: Option<PathBuf>,
}

impl Git {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let data = &self.setting.data;
        let mut names = if self.project.is_empty() { Project::names(data)? } else { self.project.clone() };
        if let Some(bundles) = &self.bundles {
            names.retain(|name| bundles.join(format!("{name}.bundle")).is_file());
        }
        report.progress("reading the histories");
        let projects = names.iter().map(|name| Project::read(data, name)).collect::<Result<Vec<_>>>()?;
        ensure!(!projects.is_empty(), "no project to verify");
        let (binary, stack) = self.setting.prepare(&report)?;
        let started = Instant::now();
        let progress = |text: &str| report.progress(text);
        let addresses = stack.addresses();
        let verified = tokio::runtime::Runtime::new()?.block_on(async {
            match &self.bundles {
                Some(bundles) => git_backfilled(&binary, addresses, &projects, bundles, &progress).await,
                None => git(&binary, addresses, &projects, &progress).await,
            }
        })?;
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
