//! Against a real ClickHouse.

// `clippy.toml` allows these in test functions alone, and not in what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;
mod contract;
mod inserts;
mod migrations;
mod questions;
mod users;
