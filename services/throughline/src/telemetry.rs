//! Log lines: for people on a terminal, JSON for everything else.

use std::io::{self, IsTerminal};

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// Section `[log]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// How lines look.
    pub format: Format,
    /// What is logged: `info`, or by part, `info,stream=debug`. The environment variable `RUST_LOG` overrides it.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Compact on a terminal, else JSON.
    #[default]
    Auto,
    /// One line each.
    Compact,
    /// Several lines each, with the place in the code.
    Pretty,
    /// One JSON object each.
    Json,
}

/// A level that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{directives}` is no level to log at: write `info`, or by part `info,stream=debug`")]
pub struct LevelError {
    directives: String,
    #[source]
    source: tracing_subscriber::filter::ParseError,
}

impl LogConfig {
    /// What is logged, by `RUST_LOG` or by the configuration.
    fn filter(&self) -> Result<EnvFilter, LevelError> {
        let directives = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
        let directives = directives.unwrap_or_else(|| self.level.clone());
        EnvFilter::try_new(&directives).map_err(|source| LevelError { directives, source })
    }

    /// Checks the level.
    pub fn validate(&self) -> Result<(), LevelError> {
        self.filter().map(drop)
    }

    /// Starts logging to standard error. Later calls change nothing.
    pub fn start(&self) -> Result<(), LevelError> {
        let terminal = io::stderr().is_terminal();
        let format = match self.format {
            Format::Auto if terminal => Format::Compact,
            Format::Auto => Format::Json,
            chosen => chosen,
        };
        let builder =
            tracing_subscriber::fmt().with_env_filter(self.filter()?).with_writer(io::stderr).with_ansi(terminal);
        // A second subscriber is refused; there is one already then.
        let _ = match format {
            Format::Pretty => builder.pretty().try_init(),
            Format::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
            Format::Auto | Format::Compact => builder.compact().try_init(),
        };
        Ok(())
    }
}
