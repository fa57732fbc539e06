//! Secrets: which keys hold one, where it stands, and how it is kept out of every text.

use ingestor::secret::Secret;
use secrecy::ExposeSecret;

use super::error::ConfigError;
use super::read::read;
use super::tree::{Node, Tree};

/// What stands for a secret wherever settings are shown.
pub const HIDDEN: &str = "***";

/// What stands for a secret that the role at hand has no use for, and that may therefore be out of reach.
const UNREAD: &str = "the secret of another role, not read";

/// Last words of the keys that hold a secret: `password`, `secret_token`.
const WORDS: [&str; 8] = ["password", "passwords", "secret", "secrets", "token", "tokens", "key", "keys"];

/// Whether the key, or one around it, holds a secret. The name of a source is a user's word and says nothing.
pub fn is_secret(path: &[String]) -> bool {
    let said_by_us = if path.first().is_some_and(|section| section == "sources") { 2 } else { 1 };
    // Properties of librdkafka have names like `ssl.key.password`, `sasl.jaas.config`, `ssl.key.pem`.
    let property = path.len() > 2 && path[0] == "kafka" && path[1] == "properties";
    path.iter().skip(said_by_us).any(|key| {
        let key = key.to_ascii_lowercase();
        if key.starts_with("insecure_") {
            return false;
        }
        let last = key.rsplit(['_', '-', '.']).next().unwrap_or(&key);
        WORDS.contains(&last) || property && ["password", "secret", "jaas", "pem"].iter().any(|word| key.contains(word))
    })
}

/// Puts secrets in the place of `{ env = "X" }` and `{ file = "/path" }`.
///
/// Only the sections in `wanted` are read: a process that runs one role is not given the secrets of the others.
pub fn resolve(tree: &mut Tree, wanted: &[&str]) -> Result<(), ConfigError> {
    walk(tree, &mut Vec::new(), wanted)
}

fn walk(tree: &mut Tree, path: &mut Vec<String>, wanted: &[&str]) -> Result<(), ConfigError> {
    if tree.reference().is_some() && is_secret(path) {
        let secret = if path.first().is_some_and(|section| wanted.contains(&section.as_str())) {
            fetch(path, tree)?
        } else {
            UNREAD.to_owned()
        };
        tree.node = Node::Text(secret);
        return Ok(());
    }
    let entries: Vec<(String, &mut Tree)> = match &mut tree.node {
        Node::Table(table) => table.iter_mut().map(|(key, value)| (key.clone(), value)).collect(),
        Node::List(values) => values.iter_mut().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return Ok(()),
    };
    for (key, value) in entries {
        path.push(key);
        walk(value, path, wanted)?;
        path.pop();
    }
    Ok(())
}

fn fetch(path: &[String], reference: &Tree) -> Result<String, ConfigError> {
    let secret: Secret = read(reference, &[]).map_err(|misfit| ConfigError::from_misfit(misfit, reference))?;
    let secret = secret.resolve().map_err(|source| ConfigError::Secret { key: path.join("."), source })?;
    Ok(secret.expose_secret().to_owned())
}

/// The text without any secret that the tree holds.
pub fn redact(text: String, tree: &Tree) -> String {
    let mut secrets = Vec::new();
    tree.leaves(&mut Vec::new(), &mut |at, leaf| {
        if is_secret(at) {
            collect(leaf, &mut secrets);
        }
    });
    // The longest first: one secret may begin as another does.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().filter(|secret| !secret.is_empty()).fold(text, |text, secret| text.replace(secret, HIDDEN))
}

fn collect(tree: &Tree, secrets: &mut Vec<String>) {
    match &tree.node {
        Node::Text(text) => secrets.push(text.clone()),
        Node::List(values) => values.iter().for_each(|value| collect(value, secrets)),
        Node::Table(table) => table.values().for_each(|value| collect(value, secrets)),
        Node::Integer(_) | Node::Float(_) | Node::Boolean(_) => secrets.push(tree.to_string()),
    }
}

/// A value as it may be shown: a secret by where it stands, a password inside of an address not at all.
pub fn shown(path: &[String], tree: &Tree) -> String {
    if !is_secret(path) {
        return without_password(&tree.to_string());
    }
    match (&tree.node, tree.reference()) {
        (_, Some(_)) => tree.to_string(),
        (Node::List(values), _) => {
            let values: Vec<String> = values.iter().map(|value| shown(path, value)).collect();
            format!("[{}]", values.join(", "))
        }
        _ => HIDDEN.to_owned(),
    }
}

/// `https://user:password@host` without the password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#', '"', ' ', ',']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, _)) => {
            let user_name = user.split_once(':').map_or(user, |(name, _)| name);
            let colon = if user.contains(':') { format!(":{HIDDEN}") } else { String::new() };
            format!("{scheme}://{user_name}{colon}{}", without_password(&rest[user.len()..]))
        }
        None => format!("{scheme}://{}", without_password(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(key: &str) -> Vec<String> {
        key.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn keys_of_secrets_are_known() {
        for key in [
            "sources/github/secret",
            "sources/github/secrets",
            "sources/jenkins/basic/password",
            "sources/azure/bearer_token",
            "people/key",
            "clickhouse/password",
            "kafka/security/password",
            "kafka/properties/ssl.key.password",
            "kafka/properties/sasl.jaas.config",
            "kafka/properties/ssl.key.pem",
        ] {
            assert!(is_secret(&path(key)), "{key}");
        }
        for key in
            ["sources/token/provider", "kafka/brokers", "sources/shop/insecure_no_secret", "kafka/properties/linger.ms"]
        {
            assert!(!is_secret(&path(key)), "{key}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_hidden() {
        assert_eq!(without_password("http://u:hunter2@h:8123/?a=b"), "http://u:***@h:8123/?a=b");
        assert_eq!(without_password("http://a, http://u:p@w@h"), "http://a, http://u:***@h");
        assert_eq!(without_password("http://h/path@x"), "http://h/path@x");
        assert_eq!(without_password("plain"), "plain");
    }
}
