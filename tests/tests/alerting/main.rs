//! The rules, alerts and routes that are shipped, held by Prometheus' and Alertmanager's own programs: what each alert does by the
//! unit tests beside the rules, that everything it speaks of is there, whom it reaches, and what keeps silent meanwhile.
#![allow(clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod alerts;
mod inhibition;
mod routes;
mod rules;

use end_to_end::prometheus;
use local_stack::PrometheusPrograms;

/// The programs; none where this machine has none and cannot fetch them, which is then said.
fn programs() -> Option<PrometheusPrograms> {
    let found = prometheus::programs(&|line| eprintln!("{line}"));
    found.inspect_err(|error| eprintln!("SKIPPED, so nothing has read rules and routes: {error}")).ok()
}
