//! `verify payloads`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use end_to_end::installation::{self, Profile};
use end_to_end::payloads::{File, Verified, files, verify};
use local_stack::Stack;

use crate::report::{Report, columns};

#[derive(Debug, Args)]
#[command(after_help = "\
Every body is posted to a front door of its own with the headers and the proof of its provider, and looked for in Kafka.

Examples:
  cargo xtask verify payloads --data ../data
  cargo xtask verify payloads --data ../data --provider gitlab --provider jira")]
pub struct Payloads {
    /// Folder with a folder for each kind of provider.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Only bodies of this provider; may be repeated.
    #[arg(long, value_name = "NAME")]
    provider: Vec<String>,
}

impl Payloads {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let (mut bodies, mut none) = (Vec::new(), Vec::new());
        for file in files(&self.data)? {
            match file {
                File::Body(posted) => bodies.push(posted),
                File::NoBody(file, why) => none.push(vec![file, why.to_owned()]),
            }
        }
        bodies.retain(|posted| self.provider.is_empty() || self.provider.iter().any(|name| name == posted.provider));
        report.progress("building throughline");
        let binary = installation::build_as(Profile::Debug)?;
        let stack = Stack::start(&|text| report.progress(text))?;
        let progress = |text: &str| report.progress(text);
        let verified =
            tokio::runtime::Runtime::new()?.block_on(verify(&binary, stack.addresses(), &bodies, &progress))?;
        report.show(format!("Files that are no bodies of webhooks:\n{}\n", columns(&none, |_| false)));
        report.show(table(&verified));
        report.finish(&verified)?;
        Ok(if verified.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn table(verified: &Verified) -> String {
    let mut rows = vec![["provider", "bodies", "events", "ignored", "dead"].map(str::to_owned).to_vec()];
    for of in &verified.providers {
        let numbers = [of.bodies, of.events, of.ignored, of.dead].map(|number| number.to_string());
        rows.push(std::iter::once(of.provider.to_owned()).chain(numbers).collect());
    }
    let reasons = verified.reasons.iter();
    let reasons: Vec<_> =
        reasons.map(|((of, why), count)| vec![(*of).to_owned(), count.to_string(), why.clone()]).collect();
    let dead: Vec<_> = verified.dead.iter().map(|(file, why)| vec![file.clone(), why.clone()]).collect();
    format!(
        "Ignored, and why:\n{}\n\nDead letters, and why:\n{}\n\n{}",
        columns(&reasons, |column| column == 1),
        if dead.is_empty() { "none".to_owned() } else { columns(&dead, |_| false) },
        columns(&rows, |column| column > 0),
    )
}
