//! Making the tables, and refusing those that are not as the files say.
//!
//! A migration is a file `schemas/clickhouse/NNNN_title.sql`. Each of its statements ends with a `;` at the end of a line, and
//! may be repeated: ClickHouse has neither transactions nor locks for them, so a migration that was cut off begins anew, and two
//! processes that start at once both run it. A file that was applied is never changed: its checksum is kept in the table
//! `schema_migrations`. Names of tables go without the database, which is a matter of configuration.

use model::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::client::Warehouse;
use crate::error::Error;

/// The record of what was applied; made before it can be read.
const RECORD: &str = include_str!("../../../schemas/clickhouse/0000_schema_migrations.sql");

/// All migrations, in order.
const FILES: &[(&str, &str)] = &[
    ("0001_releases.sql", include_str!("../../../schemas/clickhouse/0001_releases.sql")),
    ("0002_deployments.sql", include_str!("../../../schemas/clickhouse/0002_deployments.sql")),
    ("0003_release_commits.sql", include_str!("../../../schemas/clickhouse/0003_release_commits.sql")),
    ("0004_gate_waits.sql", include_str!("../../../schemas/clickhouse/0004_gate_waits.sql")),
    ("0005_builds.sql", include_str!("../../../schemas/clickhouse/0005_builds.sql")),
    ("0006_components.sql", include_str!("../../../schemas/clickhouse/0006_components.sql")),
    ("0007_load_watermarks.sql", include_str!("../../../schemas/clickhouse/0007_load_watermarks.sql")),
    ("0008_build_failures.sql", include_str!("../../../schemas/clickhouse/0008_build_failures.sql")),
    ("0009_manual_steps.sql", include_str!("../../../schemas/clickhouse/0009_manual_steps.sql")),
    ("0010_incidents.sql", include_str!("../../../schemas/clickhouse/0010_incidents.sql")),
    ("0011_incident_attributions.sql", include_str!("../../../schemas/clickhouse/0011_incident_attributions.sql")),
    ("0012_rollup_hourly.sql", include_str!("../../../schemas/clickhouse/0012_rollup_hourly.sql")),
    ("0013_rollup_daily.sql", include_str!("../../../schemas/clickhouse/0013_rollup_daily.sql")),
];

/// A step from one state of the tables to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number; they are applied in this order.
    pub number: u32,
    /// Its name.
    pub title: String,
    /// Its statements.
    pub sql: String,
}

/// What was applied to a database: a row of `schema_migrations`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Applied {
    /// Number of the migration.
    pub number: u32,
    /// Its name then.
    pub title: String,
    /// SHA-256 of its file then, hex.
    pub sha256: String,
    /// When.
    pub applied_at: Timestamp,
}

/// Why a database is not migrated. Nothing was changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MigrationError {
    /// The file is not what it was.
    #[error(
        "migration {number:04}_{title} was applied with checksum {applied}, but this version has {ours}: an applied migration \
         is never edited; bring the file back and put the change into a new one"
    )]
    Edited {
        /// Number of the migration.
        number: u32,
        /// Its name.
        title: String,
        /// Checksum of what was applied.
        applied: String,
        /// Checksum of what is there.
        ours: String,
    },
    /// The file is gone, or has not come yet.
    #[error(
        "migration {number:04}_{title} was applied to the database, but this version does not have it: run the version that \
         migrated it, or a later one"
    )]
    Unknown {
        /// Number of the migration.
        number: u32,
        /// Its name.
        title: String,
    },
    /// A file came between those that were applied.
    #[error(
        "migration {number:04}_{title} was not applied to the database, but the later {later:04} was: give it a number after \
         all others"
    )]
    Skipped {
        /// Number of the migration.
        number: u32,
        /// Its name.
        title: String,
        /// Number of the last one applied.
        later: u32,
    },
}

impl Migration {
    /// SHA-256 of the file, hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.sql.as_bytes()))
    }

    /// Its statements, without the `;`.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        statements(&self.sql)
    }
}

/// The migrations of this version, in order.
#[must_use]
pub fn all() -> Vec<Migration> {
    FILES.iter().filter_map(|(file, sql)| parse(file, sql)).collect()
}

fn parse(file: &str, sql: &str) -> Option<Migration> {
    let (number, title) = file.strip_suffix(".sql")?.split_once('_')?;
    Some(Migration { number: number.parse().ok()?, title: title.to_owned(), sql: sql.to_owned() })
}

fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

/// The migrations that are still to be applied.
///
/// # Errors
/// Where what was applied is not what these are.
pub fn pending<'a>(migrations: &'a [Migration], applied: &[Applied]) -> Result<Vec<&'a Migration>, MigrationError> {
    for Applied { number, title, sha256, .. } in applied {
        let (number, title) = (*number, title.clone());
        let Some(ours) = migrations.iter().find(|migration| migration.number == number) else {
            return Err(MigrationError::Unknown { number, title });
        };
        if ours.sha256() != *sha256 {
            return Err(MigrationError::Edited { number, title, applied: sha256.clone(), ours: ours.sha256() });
        }
    }
    let later = applied.iter().map(|applied| applied.number).max().unwrap_or(0);
    let is_pending = |migration: &&Migration| applied.iter().all(|applied| applied.number != migration.number);
    let pending: Vec<_> = migrations.iter().filter(is_pending).collect();
    match pending.iter().find(|migration| migration.number < later) {
        Some(Migration { number, title, .. }) => {
            Err(MigrationError::Skipped { number: *number, title: title.clone(), later })
        }
        None => Ok(pending),
    }
}

impl Warehouse {
    /// Makes the database and its tables as this version wants them, with rows kept as configured; gives the numbers of the migrations applied. May be
    /// called by several processes at once.
    ///
    /// # Errors
    /// See [`MigrationError`]; and [`Error`] for what ClickHouse refused: the next call goes on where this one ended.
    pub async fn migrate(&self) -> Result<Vec<u32>, Error> {
        self.create_database().await?;
        let done = self.migrate_to(&all()).await?;
        self.retain(self.retention()).await?;
        Ok(done)
    }

    /// As [`Warehouse::migrate`], for any migrations and an existing database.
    pub(crate) async fn migrate_to(&self, migrations: &[Migration]) -> Result<Vec<u32>, Error> {
        for statement in statements(RECORD) {
            self.execute(statement).await?;
        }
        let applied = self.applied().await?;
        let mut done = Vec::new();
        for migration in pending(migrations, &applied)? {
            for statement in migration.statements() {
                self.execute(statement).await?;
            }
            self.record(migration).await?;
            tracing::info!(number = migration.number, title = migration.title, "migration applied");
            done.push(migration.number);
        }
        Ok(done)
    }

    /// What was applied to the database.
    ///
    /// # Errors
    /// See [`Error`]; among them that the table is not there, before the first migration.
    pub async fn applied(&self) -> Result<Vec<Applied>, Error> {
        let sql = "SELECT number, title, sha256, applied_at FROM schema_migrations FINAL ORDER BY number, sha256";
        self.query_rows(sql).await
    }

    async fn record(&self, migration: &Migration) -> Result<(), Error> {
        let Migration { number, title, .. } = migration;
        // Names of files and hex: nothing to escape.
        self.execute(&format!(
            "INSERT INTO schema_migrations (number, title, sha256) SETTINGS async_insert = 0 VALUES ({number}, '{title}', '{}')",
            migration.sha256()
        ))
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(number: u32, sql: &str) -> Migration {
        Migration { number, title: format!("m{number}"), sql: sql.to_owned() }
    }

    fn applied(migration: &Migration) -> Applied {
        let Migration { number, title, .. } = migration.clone();
        Applied { number, title, sha256: migration.sha256(), applied_at: Timestamp(0) }
    }

    #[test]
    fn the_files_are_numbered_from_one_and_all_are_here() {
        let all = all();
        let numbers: Vec<u32> = all.iter().map(|migration| migration.number).collect();
        assert_eq!(numbers, (1..=u32::try_from(FILES.len()).unwrap()).collect::<Vec<_>>());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/clickhouse");
        let is_sql = |name: &String| name.ends_with(".sql");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<String> = names.filter(is_sql).collect();
        found.sort();
        let embedded: Vec<&str> = FILES.iter().map(|(file, _)| *file).collect();
        assert_eq!(found[1..], embedded, "a file is not listed in FILES");
        assert!(all.iter().all(|migration| migration.statements().next().is_some()));
        assert!(FILES.iter().chain([&("", RECORD)]).all(|(_, sql)| sql.ends_with(";\n")), "a statement has no end");
    }

    #[test]
    fn a_semicolon_inside_a_line_ends_nothing() {
        let migration = migration(1, "CREATE a COMMENT 'x; y';\n\n-- and\nCREATE b;\n");
        assert_eq!(migration.statements().collect::<Vec<_>>(), ["CREATE a COMMENT 'x; y'", "-- and\nCREATE b"]);
    }

    #[test]
    fn what_was_applied_must_be_as_it_was() {
        let all = [migration(1, "a"), migration(2, "b"), migration(3, "c")];
        let [one, two, three] = &all;
        assert_eq!(pending(&all, &[]), Ok(vec![one, two, three]));
        assert_eq!(pending(&all, &[applied(one), applied(two)]), Ok(vec![three]));
        // Two processes at once.
        assert_eq!(pending(&all, &[applied(one), applied(one)]), Ok(vec![two, three]));
        let edited = applied(&migration(1, "A"));
        assert!(matches!(pending(&all, &[edited]), Err(MigrationError::Edited { number: 1, .. })));
        let four = applied(&migration(4, "d"));
        assert!(matches!(pending(&all, &[four]), Err(MigrationError::Unknown { number: 4, .. })));
        let skipped = pending(&all, &[applied(one), applied(three)]);
        assert!(matches!(skipped, Err(MigrationError::Skipped { number: 2, later: 3, .. })));
    }
}
