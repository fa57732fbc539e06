//! `throughline query`: the questions of `schemas/QUERIES.md`, and any other.

mod answer;
mod book;
mod sql;
mod values;

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;
use warehouse::ask::{Form, SHOWN_ROWS};
use warehouse::{Error, Warehouse};

use self::book::{Parameter, Question};
use super::refused::explained;
use super::table::{width, wrapped};
use super::{block_on, complain, now, say};
use crate::cli::Query;
use crate::config::{Config, sections};
use crate::nearest::nearest;

pub fn run(file: Option<&Path>, arguments: &Query) -> anyhow::Result<ExitCode> {
    if let Some(sql) = &arguments.sql {
        let sql = if sql == "-" { from_input()? } else { sql.clone() };
        let parameters = sql::placeholders(&sql).into_iter().map(|placeholder| Parameter {
            name: placeholder.name,
            kind: placeholder.kind,
            default: None,
            meaning: String::new(),
        });
        return ask(file, arguments, &sql, &parameters.collect::<Vec<_>>());
    }
    let Some(name) = &arguments.name else {
        say(&list(arguments))?;
        return Ok(ExitCode::SUCCESS);
    };
    let question = book::question(name).with_context(|| unknown(name))?;
    if arguments.show {
        say(&if arguments.json { serde_json::to_string(question)? } else { page(question) })?;
        return Ok(ExitCode::SUCCESS);
    }
    ask(file, arguments, question.sql, &question.parameters)
}

fn unknown(name: &str) -> String {
    let near = nearest(name, book::questions().iter().map(|question| question.name));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    format!("there is no question `{name}`: {near}`throughline query` lists them, and --sql takes any other")
}

fn from_input() -> anyhow::Result<String> {
    let mut sql = String::new();
    io::stdin().lock().read_to_string(&mut sql).context("standard input cannot be read")?;
    Ok(sql)
}

fn list(arguments: &Query) -> String {
    if arguments.json {
        return json!(book::questions()).to_string();
    }
    let rows: Vec<Vec<String>> =
        book::questions().iter().map(|q| vec![q.name.to_owned(), q.question.clone()]).collect();
    format!(
        "{}\n\nthroughline query NAME          the answer\nthroughline query NAME --show   how to read it, its parameters, its SQL",
        wrapped(&rows, "", width())
    )
}

/// What there is to know of a question.
fn page(question: &Question) -> String {
    let Question { name, question, reading, parameters, sql } = question;
    let rows: Vec<Vec<String>> = parameters
        .iter()
        .map(|p| {
            let value = p.default.as_ref().map_or_else(|| "must be given".to_owned(), |value| format!("= {value}"));
            vec![p.name.clone(), value, p.meaning.replace('`', "")]
        })
        .collect();
    let reading: Vec<Cow<'_, str>> = reading.split("\n\n").map(|text| textwrap::fill(text, width()).into()).collect();
    format!("{name}: {question}\n\n{}\n\nParameters:\n{}\n\n{sql}", reading.join("\n\n"), wrapped(&rows, "  ", width()))
}

fn ask(file: Option<&Path>, arguments: &Query, sql: &str, parameters: &[Parameter]) -> anyhow::Result<ExitCode> {
    if let Some(word) = sql::writing(sql) {
        bail!(
            "a query only reads, and this one begins with `{word}`: begin with SELECT, WITH, SHOW, DESCRIBE or EXPLAIN"
        );
    }
    if let Some(format) = sql::format(sql) {
        bail!("leave out FORMAT {format}: the answer is a table, or CSV and JSON by --csv and --json");
    }
    let values = values::values(parameters, &arguments.param, now())?;
    let config = Config::load(file, sections::CLICKHOUSE)?;
    config.log.start()?;
    let warehouse = Warehouse::new(&config.clickhouse)?;
    let ask = values.iter().fold(warehouse.ask(sql), |ask, (name, value)| ask.param(name, value));
    let form = if arguments.csv { Some(Form::Csv) } else { arguments.json.then_some(Form::Json) };
    block_on(async {
        match form {
            Some(form) => write(ask.write(form, &mut |chunk| io::stdout().lock().write_all(chunk)).await),
            None => {
                let answer = ask.table().await?;
                say(&answer::table(&answer))?;
                if answer.rows.is_empty() {
                    complain("no rows");
                } else if answer.cut {
                    complain(&format!("these are the first {SHOWN_ROWS} rows; --csv and --json give all"));
                }
                Ok(())
            }
        }
    })
    .map_err(|error| explained(error, &config.clickhouse))?;
    Ok(ExitCode::SUCCESS)
}

/// That nobody reads the answer any more is no error.
fn write(written: Result<(), Error>) -> anyhow::Result<()> {
    match written {
        Err(Error::Written { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
