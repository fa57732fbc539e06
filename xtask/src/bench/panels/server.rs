//! The ClickHouse that is measured, asked over HTTP as Grafana's plugin asks it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use local_stack::{ADMIN, READ, User};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;

/// How long the longest statement of the filling may take.
const WITHIN: Duration = Duration::from_secs(3600);

/// Values of `{name:Type}` in a statement.
pub type Parameters = Vec<(String, String)>;

/// A database of a server.
#[derive(Clone, Debug)]
pub struct Server {
    http: Client,
    pub url: String,
    pub database: String,
}

/// What came of a query.
#[derive(Debug)]
pub struct Answer {
    /// From the request to the end of the answer.
    pub took: Duration,
    /// Rows that were read for it.
    pub rows_read: u64,
    /// The rows that it gave.
    pub rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
struct Compact {
    data: Vec<Vec<Value>>,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct Statistics {
    rows_read: u64,
}

/// What ClickHouse sent back.
struct Sent {
    text: String,
    written: u64,
}

/// Rows written, as the summary of ClickHouse tells it; none where it does not.
fn written(summary: &[u8]) -> u64 {
    let summary: Value = serde_json::from_slice(summary).unwrap_or_default();
    summary["written_rows"].as_str().and_then(|rows| rows.parse().ok()).unwrap_or(0)
}

impl Server {
    pub fn new(url: &str, database: &str) -> Self {
        Self { http: Client::new(), url: url.to_owned(), database: database.to_owned() }
    }

    /// Runs a statement that gives no rows, with every right; how many it wrote.
    pub async fn run(&self, sql: &str, parameters: &Parameters) -> Result<u64> {
        Ok(self.send(ADMIN, sql, parameters).await?.written)
    }

    /// Asks as the user that reads. `comment` stands in the log of queries.
    pub async fn ask(&self, sql: &str, comment: &str) -> Result<Answer> {
        self.answer(READ, sql, comment).await
    }

    /// The one number that a query of the administrator gives.
    pub async fn number(&self, sql: &str) -> Result<u64> {
        let answer = self.answer(ADMIN, sql, "").await?;
        let number = answer.rows.first().and_then(|row| row.first()).and_then(Value::as_u64);
        number.with_context(|| format!("no number comes of `{sql}`: {:?}", answer.rows))
    }

    /// The rows that a query of the administrator gives, each value as text.
    pub async fn texts(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        let answer = self.answer(ADMIN, sql, "").await?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(answer.rows.iter().map(|row| row.iter().map(text).collect()).collect())
    }

    async fn answer(&self, user: User, sql: &str, comment: &str) -> Result<Answer> {
        let started = Instant::now();
        let sent = self.send(user, sql, &vec![("log_comment".to_owned(), comment.to_owned())]).await?;
        let took = started.elapsed();
        let compact: Compact = serde_json::from_str(&sent.text).with_context(|| format!("no rows come of `{sql}`"))?;
        Ok(Answer { took, rows_read: compact.statistics.rows_read, rows: compact.data })
    }

    async fn send(&self, user: User, sql: &str, parameters: &Parameters) -> Result<Sent> {
        let fixed = [
            ("database", self.database.as_str()),
            ("default_format", "JSONCompact"),
            ("wait_end_of_query", "1"),
            ("output_format_json_quote_64bit_integers", "0"),
        ];
        let request = self
            .http
            .post(&self.url)
            .query(&fixed)
            .query(parameters)
            .header("X-ClickHouse-User", user.name)
            .header("X-ClickHouse-Key", user.password)
            .timeout(WITHIN)
            .body(sql.to_owned());
        let answer = request.send().await.context("ClickHouse does not answer")?;
        let refused = !answer.status().is_success();
        let written = answer.headers().get("X-ClickHouse-Summary").map_or(0, |summary| written(summary.as_bytes()));
        let text = answer.text().await.context("the answer of ClickHouse ends early")?;
        ensure!(!refused, "ClickHouse refuses it: {}\n{sql}", text.trim());
        Ok(Sent { text, written })
    }
}
