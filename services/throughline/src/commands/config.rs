//! `throughline config check`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::{complain, say};
use crate::config::{self, Config, Setting, sections};

pub fn check(file: Option<&Path>, as_json: bool) -> anyhow::Result<ExitCode> {
    let (settings, result) = match config::load(file) {
        Ok(tree) => (tree.settings(), Config::from_tree(tree, sections::ALL).map(drop)),
        Err(error) => (Vec::new(), Err(error)),
    };
    let error = result.err().map(|error| format!("{:#}", anyhow::Error::new(error)));
    if as_json {
        say(&json!({"ok": error.is_none(), "error": error, "settings": settings}).to_string())?;
    } else {
        if !settings.is_empty() {
            say(Setting::table(&settings).trim_end())?;
        }
        if let Some(error) = &error {
            complain(&format!("error: {error}"));
        }
    }
    Ok(if error.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
