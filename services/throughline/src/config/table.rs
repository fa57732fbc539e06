//! The effective settings, as `config check` shows them.

use serde::Serialize;

use super::secrets;
use super::tree::{Node, Tree};

/// One effective setting. The value of a secret is hidden.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// Key path: `kafka.brokers`.
    pub key: String,
    /// Value as TOML writes it.
    pub value: String,
    /// `default`, `file PATH` or `environment NAME`.
    pub origin: String,
}

impl Tree {
    /// Every effective setting, in the order of the keys.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        self.leaves(&mut Vec::new(), &mut |path, leaf| {
            // A table without entries sets nothing.
            if !matches!(&leaf.node, Node::Table(table) if table.is_empty()) {
                let key = path.iter().map(|key| quoted(key)).collect::<Vec<_>>().join(".");
                settings.push(Setting { key, value: secrets::shown(path, leaf), origin: leaf.origin.to_string() });
            }
        });
        settings
    }
}

impl Setting {
    /// The settings as lines of three columns under a heading.
    pub fn table(settings: &[Self]) -> String {
        let width = |column: fn(&Self) -> &str, heading: &str| {
            settings.iter().map(|setting| column(setting).chars().count()).chain([heading.len()]).max().unwrap_or(0)
        };
        let (keys, values) = (width(|s| &s.key, "KEY"), width(|s| &s.value, "VALUE"));
        let heading = format!("{:keys$}  {:values$}  ORIGIN\n", "KEY", "VALUE");
        settings.iter().fold(heading, |table, setting| {
            let Self { key, value, origin } = setting;
            table + &format!("{key:keys$}  {value:values$}  {origin}\n")
        })
    }
}

/// A key that TOML would take for a path stands in quotes.
pub fn quoted(key: &str) -> String {
    let bare = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if bare && !key.is_empty() { key.to_owned() } else { format!("{key:?}") }
}
