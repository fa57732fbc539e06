//! The layers of a configuration: built-in defaults, one file, the environment.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::error::ConfigError;
use super::secrets;
use super::tree::{Origin, Tree};

/// Every key that has a default, with what it is for. The test of this module holds it equal to the defaults in code.
const DEFAULTS: &str = include_str!("defaults.toml");

/// What the variables begin with that are settings. One that has no `__` after it is none: every key stands in a section.
const PREFIX: &str = "THROUGHLINE_";
/// What stands for the dot of a key path in the name of a variable.
const LEVEL: &str = "__";

/// Lays the file over the defaults, and the environment over both.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Tree, ConfigError> {
    let mut tree = parse(DEFAULTS, "the defaults", &Arc::new(Origin::Default))?;
    if let Some(path) = file {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        tree.overlay(parse(&text, &path.display().to_string(), &Arc::new(Origin::File(path.to_owned())))?);
    }
    // In the order of their names, so that two that name one key always end alike.
    let mut variables: Vec<_> = environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter_map(|(name, value)| Some((key_path(&name)?, name, value)))
        .collect();
    variables.sort();
    for (path, name, value) in variables {
        let Ok(text) = value.into_string() else {
            return Err(ConfigError::Syntax { place: format!("environment {name}"), message: "no UTF-8".to_owned() });
        };
        tree.overlay(variable(&path, name, text));
    }
    Ok(tree)
}

fn parse(text: &str, place: &str, origin: &Arc<Origin>) -> Result<Tree, ConfigError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        // The error's own text shows the line, and the line may hold a secret.
        let before = error.span().and_then(|span| text.get(..span.start));
        let place = match before {
            Some(before) => {
                let line = before.rsplit('\n').next().unwrap_or(before);
                format!("{place}, line {}, column {}", before.matches('\n').count() + 1, line.chars().count() + 1)
            }
            None => place.to_owned(),
        };
        ConfigError::Syntax { place, message: error.message().replace('\n', " ") }
    })?;
    Ok(Tree::new(toml::Value::Table(table), origin))
}

/// `THROUGHLINE_KAFKA__BROKERS` is `kafka.brokers`; none for a variable that is no setting.
fn key_path(name: &str) -> Option<Vec<String>> {
    let key = name.strip_prefix(PREFIX)?;
    let path: Vec<String> = key.split(LEVEL).map(str::to_lowercase).collect();
    (path.len() > 1 && path.iter().all(|part| !part.is_empty())).then_some(path)
}

/// A text of the environment as a value: as TOML reads it, else as it is. What is a secret is never read as anything but text, unless
/// it says where it stands.
fn variable(path: &[String], name: String, text: String) -> Tree {
    let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .filter(|value| !secrets::is_secret(path) || value.is_table() || value.is_array())
        .unwrap_or_else(|| toml::Value::String(text.clone()));
    Tree::nested(path, Tree::new(value, &Arc::new(Origin::Environment { name, text })))
}
