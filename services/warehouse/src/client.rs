//! The connection: statements, reads, inserts.

use std::future::Future;
use std::time::Duration;

use clickhouse::error::Error as ClientError;
use clickhouse::insert_formatted::CompressedData;
use clickhouse::{Client, Compression};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::WarehouseConfig;
use crate::error::Error;
use crate::retention::Retention;
use crate::rows::Rows;

/// How long a sign of life may take.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a statement an error shows.
const EXCERPT: usize = 120;

/// A database in ClickHouse. A clone shares its connections.
#[derive(Clone)]
pub struct Warehouse {
    client: Client,
    url: String,
    database: String,
    query_timeout: Duration,
    insert_timeout: Duration,
    retention: Retention,
}

/// How far a table is filled: a row of the view `load_watermarks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Topic without the prefix of the installation.
    pub topic: &'static str,
    /// Partition of the topic.
    pub partition: i32,
    /// Every record before this offset is in the table.
    pub next_offset: i64,
    /// When the last of these was written to Kafka, milliseconds since 1970.
    pub written_at: i64,
}

/// A query to be read.
pub struct Query<'a> {
    warehouse: &'a Warehouse,
    query: clickhouse::query::Query,
    doing: String,
}

impl Warehouse {
    /// Checks the configuration. Connects when there is something to do.
    ///
    /// # Errors
    /// See [`crate::ConfigError`].
    pub fn new(config: &WarehouseConfig) -> Result<Self, Error> {
        config.validate()?;
        let client = Client::default()
            .with_url(&config.url)
            .with_database(&config.database)
            .with_user(&config.user)
            .with_compression(Compression::Lz4);
        let client = match &config.password {
            Some(password) => client.with_password(password.expose_secret()),
            None => client,
        };
        Ok(Self {
            client,
            url: config.url.clone(),
            database: config.database.clone(),
            query_timeout: config.query_timeout(),
            insert_timeout: config.insert_timeout(),
            retention: config.retention.clone(),
        })
    }

    /// Name of the database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    pub(crate) const fn retention(&self) -> &Retention {
        &self.retention
    }

    /// Asks for a sign of life; it comes even where the database has not been made yet.
    ///
    /// # Errors
    /// Where none came within five seconds, or user and password are refused.
    pub async fn ping(&self) -> Result<(), Error> {
        let query = self.client.clone().with_database("system").query_raw("SELECT 1");
        self.within(PING_TIMEOUT, "SELECT 1", query.execute()).await
    }

    /// Whether ClickHouse answers.
    pub async fn is_available(&self) -> bool {
        self.ping().await.is_ok()
    }

    /// Runs a statement that gives no rows.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn execute(&self, sql: &str) -> Result<(), Error> {
        self.within(self.query_timeout, &excerpt(sql), self.client.query_raw(sql).execute()).await
    }

    /// Makes the database where it is missing. Asks first: a user without the right to make one may use one that is there.
    pub(crate) async fn create_database(&self) -> Result<(), Error> {
        let system = Self { client: self.client.clone().with_database("system"), ..self.clone() };
        let known = system.query("SELECT name FROM databases WHERE name = {name:String}").param("name", &self.database);
        if known.rows::<serde_json::Value>().await?.is_empty() {
            system.execute(&format!("CREATE DATABASE IF NOT EXISTS {}", self.database)).await?;
        }
        Ok(())
    }

    /// A query to be read. Values go in by name: `{component:String}` in the text and [`Query::param`].
    #[must_use]
    pub fn query(&self, sql: &str) -> Query<'_> {
        Query { warehouse: self, query: self.raw(sql), doing: excerpt(sql) }
    }

    /// A query whose answer is whole or an error, ends with whoever waits for it, and has exact integers and times with a zone.
    pub(crate) fn raw(&self, sql: &str) -> clickhouse::query::Query {
        self.client
            .query_raw(sql)
            // An error in the middle of the answer comes as an error, and not as the end of the rows.
            .with_setting("wait_end_of_query", "1")
            .with_setting("cancel_http_readonly_queries_on_client_close", "1")
            .with_setting("output_format_json_quote_64bit_integers", "0")
            .with_setting("date_time_output_format", "iso")
    }

    pub(crate) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    /// Reads all rows of a query without values; see [`Query::rows`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn query_rows<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>, Error> {
        self.query(sql).rows().await
    }

    /// Inserts rows. On an error nothing, something or everything of it was done: repeat it with the same rows.
    ///
    /// `origin` says where they come from (topic, partition, offsets). ClickHouse takes rows of the same origin and content
    /// once, as far as it remembers; what makes a repetition harmless is the revision.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn insert(&self, rows: &Rows, origin: &str) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let doing = format!("inserting {} rows into {}", rows.len(), rows.table().name);
        // A body that ends early is a shorter insert that succeeds. One frame with one checksum is taken as a whole or refused.
        let frame =
            CompressedData::new(rows.bytes(), Compression::Lz4).map_err(|source| self.failed(&doing, source))?;
        let mut insert = self
            .client
            .insert_formatted_with(rows.table().insert_statement())
            .with_setting("insert_deduplication_token", rows.token(origin))
            // Rows are already in batches; ClickHouse would wait for more of them.
            .with_setting("async_insert", "0")
            // An import spans many years, and a nonsensical time makes a partition of its own.
            .with_setting("max_partitions_per_insert_block", "0");
        let sent = async {
            insert.send_compressed(frame).await?;
            insert.end().await
        };
        self.within(self.insert_timeout, &doing, sent).await
    }

    /// Publishes how far tables are filled.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn publish(&self, watermarks: &[Watermark]) -> Result<(), Error> {
        if watermarks.is_empty() {
            return Ok(());
        }
        let values: Vec<String> = watermarks
            .iter()
            .map(|w| {
                let written_at = w.written_at.clamp(crate::row_binary::FIRST_TIME, crate::row_binary::LAST_TIME);
                let Watermark { topic, partition, next_offset, .. } = w;
                format!("('{topic}', {partition}, {next_offset}, fromUnixTimestamp64Milli({written_at}, 'UTC'))")
            })
            .collect();
        let sql = format!(
            "INSERT INTO load_watermarks_rows (topic, partition, next_offset, written_at) SETTINGS async_insert = 0 VALUES {}",
            values.join(", ")
        );
        self.within(self.insert_timeout, "publishing watermarks", self.client.query_raw(&sql).execute()).await
    }

    /// Waits for an answer, no longer than that.
    pub(crate) async fn within<T>(
        &self,
        timeout: Duration,
        doing: &str,
        answer: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(timeout, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => Err(self.failed(doing, source)),
            Err(_) => Err(Error::Timeout { url: self.url.clone(), doing: doing.to_owned(), ms: timeout.as_millis() }),
        }
    }

    fn failed(&self, doing: &str, source: ClientError) -> Error {
        let (url, doing) = (self.url.clone(), doing.to_owned());
        match source {
            ClientError::Network(_) | ClientError::TimedOut => Error::Unreachable { url, doing, source },
            _ => Error::Refused { url, doing, source },
        }
    }
}

impl Query<'_> {
    /// The value of `{name:Type}` in the text. A time goes in as `fromUnixTimestamp64Milli({at:Int64}, 'UTC')`.
    #[must_use]
    pub fn param(self, name: &str, value: impl Serialize) -> Self {
        Self { query: self.query.param(name, value), ..self }
    }

    /// All rows of the answer, all in memory. A row is read as a JSON object: columns by name, a time as RFC 3339 text (which
    /// [`model::Timestamp`] reads), null as none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn rows<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        let Self { warehouse, query, doing } = self;
        let answer = async { query.fetch_bytes("JSONEachRow")?.collect().await };
        let answer = warehouse.within(warehouse.query_timeout, &doing, answer).await?;
        let rows: Result<Vec<T>, _> = serde_json::Deserializer::from_slice(&answer).into_iter().collect();
        rows.map_err(|source| Error::Answer { doing, source })
    }
}

/// The start of a statement, on one line.
pub(crate) fn excerpt(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_statement_is_cut_between_characters() {
        assert_eq!(excerpt("SELECT\n  1"), "SELECT 1");
        let cut = excerpt(&"ä".repeat(500));
        assert_eq!(cut.chars().count(), EXCERPT + 1);
    }
}
