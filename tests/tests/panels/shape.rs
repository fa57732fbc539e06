//! Whether a panel can show an answer.

use std::collections::BTreeSet;

use end_to_end::dashboards::{list, text};
use serde_json::Value;

use crate::answer::{Answer, Kind};

/// A panel of that type: what its columns must be.
pub fn panel(kind: &str, target: &Value, answer: &Answer) -> Vec<String> {
    let mut faults = match kind {
        "timeseries" => timeseries(answer),
        "stat" => stat(answer),
        "barchart" => barchart(answer),
        "table" => Vec::new(),
        other => vec![format!("nobody here knows what a panel of the type `{other}` can show")],
    };
    let format = if kind == "timeseries" { ("timeseries", 0) } else { ("table", 1) };
    if (text(target, "queryType"), target["format"].as_i64()) != (format.0, Some(format.1)) {
        faults.push(format!("the query type of a {kind} is {} (format {})", format.0, format.1));
    }
    for column in answer.columns.iter().filter(|column| column.kind() == Kind::Other) {
        faults.push(format!("column `{}` is a {}: no panel shows that", column.name, column.kind));
    }
    faults
}

/// First the time, in order; then numbers, and texts that name the line.
fn timeseries(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    match answer.columns.first() {
        Some(time) if time.name == "time" && time.kind() == Kind::Time && !time.is_nullable() => {}
        other => faults.push(format!("a time series begins with a column `time` of time, not null: {other:?}")),
    }
    let of = |kind: Kind| answer.columns.iter().filter(|column| column.kind() == kind).count();
    if of(Kind::Number) == 0 || of(Kind::Time) != 1 || of(Kind::Flag) != 0 {
        faults.push(format!("a time series has one time, numbers, and texts as labels: {:?}", answer.columns));
    }
    let times: Vec<i64> = answer.rows.iter().map(|row| row[0].parse().unwrap_or(i64::MIN)).collect();
    if !times.is_sorted() {
        faults.push("the times are not in order".to_owned());
    }
    let labels: Vec<usize> = (0..answer.columns.len()).filter(|i| answer.columns[*i].kind() == Kind::Text).collect();
    let keys: BTreeSet<Vec<&String>> = answer
        .rows
        .iter()
        .map(|row| std::iter::once(&row[0]).chain(labels.iter().map(|i| &row[*i])).collect())
        .collect();
    if keys.len() != answer.rows.len() {
        faults.push("a line has two points at one time".to_owned());
    }
    faults
}

/// One row of numbers.
fn stat(answer: &Answer) -> Vec<String> {
    let numbers = answer.columns.iter().all(|column| column.kind() == Kind::Number);
    let fault = !numbers || answer.rows.len() > 1;
    fault
        .then(|| format!("a stat shows one row of numbers: {:?}, {} rows", answer.columns, answer.rows.len()))
        .into_iter()
        .collect()
}

/// A name for each bar, then numbers.
fn barchart(answer: &Answer) -> Vec<String> {
    let (names, values) = answer.columns.split_at(1.min(answer.columns.len()));
    let fits = names.iter().all(|column| column.kind() == Kind::Text && !column.is_nullable())
        && !values.is_empty()
        && values.iter().all(|column| column.kind() == Kind::Number);
    (!fits).then(|| format!("bars have a name, then numbers: {:?}", answer.columns)).into_iter().collect()
}

/// One text, or value and text.
pub fn variable(answer: &Answer) -> Vec<String> {
    let fits = matches!(answer.columns.len(), 1 | 2) && answer.columns.iter().all(|column| column.kind() == Kind::Text);
    (!fits).then(|| format!("a variable takes one or two texts: {:?}", answer.columns)).into_iter().collect()
}

/// Time and text; perhaps an end, and tags.
pub fn annotation(answer: &Answer) -> Vec<String> {
    let is = |name: &str, kind: Kind| answer.position(name).map(|i| answer.columns[i].kind() == kind);
    let fits = is("time", Kind::Time) == Some(true)
        && is("text", Kind::Text) == Some(true)
        && is("timeEnd", Kind::Time) != Some(false)
        && is("tags", Kind::Text) != Some(false);
    (!fits).then(|| format!("an annotation has `time` and `text`: {:?}", answer.columns)).into_iter().collect()
}

/// Columns that the panel speaks of by name, in its overrides and links, and that the query does not give.
pub fn names(panel: &Value, answer: &Answer) -> Vec<String> {
    let config = &panel["fieldConfig"];
    let mut known: BTreeSet<String> = answer.columns.iter().map(|column| column.name.clone()).collect();
    // Lines are called after their labels.
    if text(&config["defaults"], "displayName").contains("__field.labels.") {
        known.extend(answer.rows.iter().flatten().cloned());
        known.extend(["passed", "failure", "error", "timeout", "flaky", "cancelled"].map(str::to_owned));
    }
    let mut faults = Vec::new();
    for field in list(config, "overrides") {
        let matcher = &field["matcher"];
        if text(matcher, "id") != "byName" || !known.contains(text(matcher, "options")) {
            faults.push(format!("an override speaks of {matcher}, which the query does not give"));
        }
    }
    let config = config.to_string();
    for part in config.split("${__data.fields.").skip(1) {
        let name = part.split([':', '}']).next().unwrap_or_default();
        if !known.contains(name) {
            faults.push(format!("a link speaks of the column `{name}`, which the query does not give"));
        }
    }
    faults
}
