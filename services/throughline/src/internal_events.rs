//! What happens in the life of the process, one function for each log line.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::{error, info, warn};

use crate::lifecycle::Signal;

/// The process has begun to run these roles.
pub fn started(roles: &str, version: &str, commit: &str) {
    info!(roles, version, commit, "Throughline starts");
}

/// The admin server takes connections.
pub fn admin_listens(address: Option<SocketAddr>) {
    info!(address = address.map(display), "health, metrics and schemas are served");
}

/// The admin server has ended; the roles go on.
pub fn admin_stopped(error: &std::io::Error) {
    error!(%error, "health, metrics and schemas are served no more");
}

/// Something that the process cannot begin without is away; it is tried again.
pub fn waiting(part: &'static str, error: &str, again: Duration) {
    warn!(part, error, again_in_ms = millis(again), "waiting");
}

/// Topics or tables are as they should be.
pub fn prepared(part: &'static str) {
    info!(part, "ready");
}

/// A signal asks to end.
pub fn draining(signal: Option<Signal>, drain: Duration) {
    info!(signal = signal.map(debug), within_ms = millis(drain), "draining; a second signal ends at once");
}

/// Everything has ended.
pub fn ended(end: &'static str) {
    info!(end, "Throughline ends");
}

/// A role has failed.
pub fn failed(error: &anyhow::Error) {
    error!(error = format!("{error:#}"), "failed");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
