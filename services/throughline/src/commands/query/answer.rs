//! An answer as a table for a terminal.

use model::Millis;
use warehouse::Table;
use warehouse::ask::{Answer, AnswerColumn};
use warehouse::table::Kind;

use crate::commands::table::columns;

const NULL: &str = "-";

/// How the values of a column are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Text,
    Number,
    /// Milliseconds.
    Duration,
    Time,
}

/// The rows in columns under their names.
pub fn table(answer: &Answer) -> String {
    let shown: Vec<Shown> = answer.columns.iter().map(of).collect();
    let cells = |row: &Vec<Option<String>>| {
        let cell = |(value, shown): (&Option<String>, &Shown)| match value {
            Some(value) => cell(value, *shown),
            None => NULL.to_owned(),
        };
        row.iter().zip(&shown).map(cell).collect()
    };
    let heading = answer.columns.iter().map(|column| column.name.clone()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(answer.rows.iter().map(cells)).collect();
    columns(&rows, |column| matches!(shown.get(column), Some(Shown::Number | Shown::Duration)))
}

/// How a column is shown: by its type, and a whole number of 64 bits by its name as well. It is a duration where its name is
/// that of a duration in the tables, alone (`lead_time`) or as its last words (`median_lead_time`).
fn of(column: &AnswerColumn) -> Shown {
    let kind = plain(&column.kind);
    let is_number = ["Int", "UInt", "Float", "Decimal", "BFloat"].iter().any(|number| kind.starts_with(number));
    match kind {
        "Int64" if is_duration(&column.name) => Shown::Duration,
        kind if kind.starts_with("DateTime") => Shown::Time,
        _ if is_number => Shown::Number,
        _ => Shown::Text,
    }
}

/// The type without what says how it is kept, and whether it may be null.
fn plain(kind: &str) -> &str {
    let inner = |of: &str| kind.strip_prefix(of).and_then(|kind| kind.strip_suffix(')'));
    match inner("Nullable(").or_else(|| inner("LowCardinality(")) {
        Some(inner) => plain(inner),
        None => kind,
    }
}

fn is_duration(name: &str) -> bool {
    // In the tables a whole number of 64 bits that may be null is a duration: a test of the tables holds that.
    let durations = Table::all().iter().flat_map(|table| &table.columns).filter(|c| c.kind == Kind::Long && c.nullable);
    durations.into_iter().any(|duration| {
        name.strip_suffix(duration.name.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}

fn cell(value: &str, shown: Shown) -> String {
    match shown {
        Shown::Duration => value.parse().map_or_else(|_| value.to_owned(), |ms| Millis(ms).to_string()),
        // `2026-05-20T12:00:00.000Z`
        Shown::Time => value.split(['.', 'Z']).next().unwrap_or(value).replace('T', " "),
        // A value stays in its line.
        Shown::Text | Shown::Number => value.chars().map(|char| if char.is_control() { ' ' } else { char }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str) -> AnswerColumn {
        AnswerColumn { name: name.to_owned(), kind: kind.to_owned() }
    }

    #[test]
    fn a_duration_is_told_by_type_and_name() {
        for name in ["lead_time", "median_lead_time", "wait", "total_wait", "time_to_restore", "queue"] {
            assert_eq!(of(&column(name, "Int64")), Shown::Duration, "{name}");
            assert_eq!(of(&column(name, "Nullable(Int64)")), Shown::Duration, "{name}");
            assert_eq!(of(&column(name, "UInt64")), Shown::Number, "{name}: a count");
            assert_eq!(of(&column(name, "Float64")), Shown::Number, "{name}: a share");
        }
        for name in ["revision", "commits", "lead_times", "await"] {
            assert_eq!(of(&column(name, "Int64")), Shown::Number, "{name}");
        }
    }

    #[test]
    fn an_answer_is_laid_out_for_people() {
        let value = |text: &str| Some(text.to_owned());
        let answer = Answer {
            columns: vec![
                column("component", "LowCardinality(String)"),
                column("releases", "UInt64"),
                column("median_lead_time", "Nullable(Int64)"),
                column("last", "Nullable(DateTime64(3, 'UTC'))"),
            ],
            rows: vec![
                vec![value("shop"), value("12"), value("7980000"), value("2026-05-20T12:00:00.123Z")],
                vec![value("a\tb"), value("1"), None, None],
            ],
            cut: false,
        };
        let wanted = "component  releases  median_lead_time  last\n\
                      shop             12        2 h 13 min  2026-05-20 12:00:00\n\
                      a b               1                 -  -";
        assert_eq!(table(&answer), wanted);
    }
}
