//! The dashboards as files, without any server: they are what Grafana exports, they validate against the schema that Grafana
//! publishes, and everything that they speak of is there.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod promql;
mod schema;
mod structure;
