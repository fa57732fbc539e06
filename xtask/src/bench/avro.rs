//! `bench avro`: gathers records, has the program `bench-avro` measure them in a release build, and shows what it found.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::corpus;
use crate::report::{Report, columns};
use crate::test::{cargo, root};

#[derive(Debug, Args)]
pub struct Avro {
    /// How many times every contestant goes over all records, in turns with the others.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

/// What `bench-avro` prints.
#[derive(Debug, Deserialize, Serialize)]
struct Found {
    bench: String,
    rounds: u32,
    groups: Vec<Group>,
}

/// The records of one kind of source.
#[derive(Debug, Deserialize, Serialize)]
struct Group {
    group: String,
    records: u64,
    /// Encoded.
    bytes: u64,
    contestants: Vec<Contestant>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Contestant {
    name: String,
    encode: Option<Spread>,
    decode: Option<Spread>,
}

/// Nanoseconds for one record.
#[derive(Debug, Deserialize, Serialize)]
struct Spread {
    min: f64,
    median: f64,
}

impl Avro {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let report = Report::new(self.json);
        report.progress("[1/2] gathering records");
        let file = root().join("target/bench-avro.jsonl");
        let count = corpus::write(&file, &report)?;
        report.progress(format!("[2/2] measuring {count} records in a release build; the first one takes minutes"));
        let mut command = Command::new(cargo());
        command.args(["run", "--quiet", "--release", "--package", "bench-avro", "--"]);
        command.arg(&file).arg(self.rounds.to_string()).current_dir(root()).stderr(Stdio::inherit());
        let output = command.output().context("cannot run cargo")?;
        if !output.status.success() {
            bail!("bench-avro failed; what it says is above");
        }
        let found: Found = serde_json::from_slice(&output.stdout).context("bench-avro printed something else")?;
        for group in &found.groups {
            report.show(show(group));
        }
        report.finish(&found)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A table for people. What else a machine does makes rounds longer and never shorter, so the fastest round is what is compared.
fn show(group: &Group) -> String {
    let size = group.bytes / group.records.max(1);
    let columns_of = |what: &str| [format!("{what} ns"), "(median)".to_owned(), "MB/s".to_owned(), "ratio".to_owned()];
    let mut rows = vec![[vec![String::new()], columns_of("encode").into(), columns_of("decode").into()].concat()];
    let first = group.contestants.first();
    for contestant in &group.contestants {
        let mut row = vec![contestant.name.clone()];
        row.extend(cells(contestant.encode.as_ref(), first.and_then(|first| first.encode.as_ref()), size));
        row.extend(cells(contestant.decode.as_ref(), first.and_then(|first| first.decode.as_ref()), size));
        rows.push(row);
    }
    let title = format!("{}: {} records of {size} bytes", group.group, group.records);
    format!("\n{title}\n{}", columns(&rows, |column| column > 0))
}

/// One contestant's way in one direction, beside that of the first contestant.
fn cells(spread: Option<&Spread>, first: Option<&Spread>, size: u64) -> [String; 4] {
    match spread {
        None => ["–", "", "", ""].map(str::to_owned),
        Some(Spread { min, median }) => [
            format!("{min:.0}"),
            format!("({median:.0})"),
            format!("{:.0}", size as f64 * 1000.0 / min),
            first.map_or_else(String::new, |first| format!("{:.2}", min / first.min)),
        ],
    }
}
