//! The tables in ClickHouse, and the only crate that names `clickhouse`.
//!
//! What the tables are is said in `schemas/clickhouse`, readable without Rust; what goes into them are the facts of the crate
//! `model`, whose Avro schemas name the columns. Tests hold the two together.
//!
//! | module | for |
//! |---|---|
//! | [`config`] | where ClickHouse is |
//! | [`table`] | the tables of facts and their columns |
//! | [`rows`] | facts framed for one insert |
//! | [`ask`] | questions of people, which can change nothing |
//! | [`description`] | what ClickHouse says of the tables |
//! | [`migration`] | making the tables, and refusing those that are not as the files say |
//! | `retention` | how long rows are kept |
//!
//! Every fact has a table `<name>_rows`, a `ReplacingMergeTree` by revision, and a view `<name>` over it that is always right.
//! An insert may be repeated, and come late: of one identity the highest revision counts.

pub mod ask;
mod client;
pub mod config;
pub mod description;
mod error;
pub mod migration;
mod retention;
mod row_binary;
pub mod rows;
pub mod table;

pub use client::{Query, Warehouse, Watermark};
pub use config::{ConfigError, WarehouseConfig};
pub use error::{Error, Refusal};
pub use migration::MigrationError;
pub use retention::Retention;
pub use row_binary::RowError;
pub use rows::Rows;
pub use table::Table;
