//! Questions of people: they can change nothing, and they end.

use std::io;
use std::ops::Deref;
use std::time::Duration;

use clickhouse::query::BytesCursor;

use crate::client::{Warehouse, excerpt};
use crate::error::Error;

/// Rows of a table for people's eyes; there may be more.
pub const SHOWN_ROWS: usize = 1_000;
/// Rows of an answer; where there are more, ClickHouse refuses.
const MOST_ROWS: usize = 1_000_000;
/// How much longer than ClickHouse itself the client waits, so that it hears why it ended.
const GRACE: Duration = Duration::from_secs(5);

/// A form that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values under a heading.
    Csv,
    /// An object on each line.
    Json,
}

/// A question that has not been put yet.
pub struct Ask<'a> {
    warehouse: &'a Warehouse,
    query: clickhouse::query::Query,
    doing: String,
}

/// An answer, all of it in memory, each value as ClickHouse writes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its columns.
    pub columns: Vec<AnswerColumn>,
    /// Its rows, a null as none; no more than [`SHOWN_ROWS`].
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more rows.
    pub cut: bool,
}

/// A column of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Name.
    pub name: String,
    /// Type, as ClickHouse names it.
    pub kind: String,
}

impl Warehouse {
    /// A question. ClickHouse refuses whatever would change something, gives up after the time of a query
    /// ([`crate::WarehouseConfig::query_timeout_ms`]), and refuses an answer of more than a million rows.
    #[must_use]
    pub fn ask(&self, sql: &str) -> Ask<'_> {
        let seconds = self.query_timeout().as_secs().max(1);
        let query = self
            .raw(sql)
            // Writes are refused, settings of the question's own are not: it may raise its limits.
            .with_setting("readonly", "2")
            .with_setting("max_execution_time", seconds.to_string())
            .with_setting("max_result_rows", MOST_ROWS.to_string());
        Ask { warehouse: self, query, doing: excerpt(sql) }
    }
}

impl Ask<'_> {
    /// The value of `{name:Type}` in the text, as ClickHouse reads it.
    #[must_use]
    pub fn param(self, name: &str, value: &str) -> Self {
        Self { query: self.query.param(name, value), ..self }
    }

    /// The first [`SHOWN_ROWS`] rows of the answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn table(self) -> Result<Answer, Error> {
        let doing = self.doing.clone();
        let mut answer = self.start("TabSeparatedWithNamesAndTypes").await?;
        let (mut text, mut lines) = (Vec::new(), 0);
        // The heading has two lines, and one row more tells that there are more.
        while lines < SHOWN_ROWS + 3
            && let Some(chunk) = answer.next().await?
        {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count();
            text.extend_from_slice(&chunk);
        }
        parse(&text).ok_or(Error::Form { doing })
    }

    /// Writes the answer as it comes.
    ///
    /// # Errors
    /// See [`Error`]; among them what `out` says.
    pub async fn write(self, form: Form, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<(), Error> {
        let doing = self.doing.clone();
        let format = match form {
            Form::Csv => "CSVWithNames",
            Form::Json => "JSONEachRow",
        };
        let mut answer = self.start(format).await?;
        while let Some(chunk) = answer.next().await? {
            out(&chunk).map_err(|source| Error::Written { doing: doing.clone(), source })?;
        }
        Ok(())
    }
}

/// An answer that comes piece by piece. Each piece has its time, however long a reader takes between them.
struct Coming<'a> {
    warehouse: &'a Warehouse,
    answer: BytesCursor,
    doing: String,
    timeout: Duration,
}

impl<'a> Ask<'a> {
    async fn start(self, format: &str) -> Result<Coming<'a>, Error> {
        let Self { warehouse, query, doing } = self;
        let timeout = warehouse.query_timeout().saturating_add(GRACE);
        let answer = warehouse.within(timeout, &doing, async { query.fetch_bytes(format) }).await?;
        Ok(Coming { warehouse, answer, doing, timeout })
    }
}

impl Coming<'_> {
    async fn next(&mut self) -> Result<Option<impl Deref<Target = [u8]> + use<>>, Error> {
        self.warehouse.within(self.timeout, &self.doing, self.answer.next()).await
    }
}

/// Reads `TabSeparatedWithNamesAndTypes`; none where it is something else.
fn parse(text: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(|line| line.split('\t').map(cell).collect::<Vec<_>>());
    // A statement that gives no rows gives no heading either.
    let (Some(names), Some(kinds)) = (lines.next(), lines.next()) else {
        return text.is_empty().then(Answer::default);
    };
    let column = |(name, kind): (Option<String>, Option<String>)| Some(AnswerColumn { name: name?, kind: kind? });
    let columns: Vec<AnswerColumn> = names.into_iter().zip(kinds).map(column).collect::<Option<_>>()?;
    let mut rows: Vec<_> = lines.take(SHOWN_ROWS + 1).collect();
    let cut = rows.len() > SHOWN_ROWS;
    rows.truncate(SHOWN_ROWS);
    rows.iter().all(|row| row.len() == columns.len()).then_some(Answer { columns, rows, cut })
}

/// A value without its escapes; none for a null.
fn cell(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were() {
        let answer = parse(b"a\tb\nNullable(String)\tDateTime64(3, \\'UTC\\')\n\\N\tx\n\\\\N\ta\\tb\\n\n").unwrap();
        assert_eq!(answer.columns[1].kind, "DateTime64(3, 'UTC')");
        assert_eq!(answer.rows, [[None, Some("x".to_owned())], [Some("\\N".to_owned()), Some("a\tb\n".to_owned())]]);
        assert!(!answer.cut);
        assert_eq!(parse(b""), Some(Answer::default()));
        assert_eq!(parse(b"{\"a\":1}\n"), None);
        assert_eq!(parse(b"a\nInt8\n1\t2\n"), None);
    }

    #[test]
    fn a_long_answer_is_cut() {
        let text = |rows: usize| format!("a\nInt8\n{}", "1\n".repeat(rows));
        let whole = parse(text(SHOWN_ROWS).as_bytes()).unwrap();
        let cut = parse(text(SHOWN_ROWS + 9).as_bytes()).unwrap();
        assert_eq!((whole.rows.len(), whole.cut), (SHOWN_ROWS, false));
        assert_eq!((cut.rows.len(), cut.cut), (SHOWN_ROWS, true));
    }
}
