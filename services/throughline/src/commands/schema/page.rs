//! The tables as people read them on a terminal.

use textwrap::fill;
use warehouse::description::{DescribedColumn, Description};

use crate::commands::table::wrapped;

/// All tables, one below the other.
pub fn of_all(tables: &[&Description], width: usize) -> String {
    let pages: Vec<String> = tables.iter().map(|table| of(table, width)).collect();
    let note = "Times are UTC. Durations are milliseconds: `throughline query` shows them as 2 h 13 min, and so does the \
                function in schemas/README.md.";
    format!("{}\n\n{}", pages.join("\n\n"), fill(note, width))
}

/// What a table is, what a row of it is, and its columns.
pub fn of(table: &Description, width: usize) -> String {
    let Description { name, comment, identity, columns, .. } = table;
    let mut text = format!("{name}\n{}\n", fill(comment, width));
    if !identity.is_empty() {
        text.push_str(&fill(&format!("One row for each: {}", identity.join(", ")), width));
        text.push('\n');
    }
    let rows: Vec<Vec<String>> = columns
        .iter()
        .map(|DescribedColumn { name, kind, comment }| vec![name.clone(), plain(kind), comment.clone()])
        .collect();
    format!("{text}\n{}", wrapped(&rows, "  ", width))
}

/// The type without what says only how it is kept.
fn plain(kind: &str) -> String {
    let Some((before, rest)) = kind.split_once("LowCardinality(") else { return kind.to_owned() };
    let mut depth = 1;
    let end = rest.find(|char| {
        depth += match char {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    match end {
        Some(end) => format!("{before}{}{}", &rest[..end], plain(&rest[end + 1..])),
        None => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_says_what_a_reader_has_to_know() {
        assert_eq!(plain("LowCardinality(Nullable(String))"), "Nullable(String)");
        assert_eq!(plain("Array(LowCardinality(String))"), "Array(String)");
        assert_eq!(plain("Nullable(DateTime64(3, 'UTC'))"), "Nullable(DateTime64(3, 'UTC'))");
        assert_eq!(plain("Map(LowCardinality(String), LowCardinality(String))"), "Map(String, String)");
    }

    #[test]
    fn a_page_has_what_it_is_its_identity_and_its_columns() {
        let column = |name: &str, kind: &str, comment: &str| DescribedColumn {
            name: name.to_owned(),
            kind: kind.to_owned(),
            comment: comment.to_owned(),
        };
        let table = Description {
            name: "builds".to_owned(),
            comment: "Pipeline runs, one row for each attempt".to_owned(),
            identity: vec!["realm".to_owned(), "run".to_owned()],
            columns: vec![
                column(
                    "run",
                    "String",
                    "Id of the pipeline run, unique over all providers and all times that there are",
                ),
                column("queue", "Nullable(Int64)", "queued_at to started_at, ms"),
            ],
            internal: false,
        };
        let wanted = "builds\nPipeline runs, one row for each attempt\nOne row for each: realm, run\n\n  \
                      run    String           Id of the pipeline run, unique over all providers\n                          \
                      and all times that there are\n  \
                      queue  Nullable(Int64)  queued_at to started_at, ms";
        assert_eq!(of(&table, 76), wanted);
    }
}
