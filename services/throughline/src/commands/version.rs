//! `throughline version`.

use std::process::ExitCode;

use model::schema::{self, Schema};
use serde_json::json;

use super::say;

/// Version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit it was built from, where the build was told: `THROUGHLINE_COMMIT=$(git rev-parse HEAD) cargo build`.
pub fn commit() -> &'static str {
    option_env!("THROUGHLINE_COMMIT").unwrap_or("unknown")
}

pub fn run(as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        let schemas: Vec<_> = schema::all().iter().map(|schema| json!(schema.line)).collect();
        say(&json!({"version": VERSION, "commit": commit(), "schemas": schemas}).to_string())?;
    } else {
        let line =
            |Schema { line, .. }: &Schema| format!("  {:>3}  {} v{}", line.id, line.subject.topic(), line.version);
        let schemas: Vec<String> = schema::all().iter().map(line).collect();
        say(&format!("throughline {VERSION} (commit {})\nschemas:\n{}", commit(), schemas.join("\n")))?;
    }
    Ok(ExitCode::SUCCESS)
}
