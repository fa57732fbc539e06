//! Settings of several layers as one tree in which each value knows where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The defaults that are built in.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// The environment variable of this name, with its text as it was given.
    Environment { name: String, text: String },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment { name, .. } => write!(f, "environment {name}"),
        }
    }
}

/// A value and where it came from; for a table, where it was first named.
#[derive(Clone, Debug)]
pub struct Tree {
    pub origin: Arc<Origin>,
    pub node: Node,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Node {
    Table(BTreeMap<String, Tree>),
    List(Vec<Tree>),
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl Tree {
    /// An empty table.
    #[cfg(test)]
    pub fn empty() -> Self {
        Self { origin: Arc::new(Origin::Default), node: Node::Table(BTreeMap::new()) }
    }

    /// The same values, all of one origin. A date is taken as text.
    pub fn new(value: toml::Value, origin: &Arc<Origin>) -> Self {
        let node = match value {
            toml::Value::String(text) => Node::Text(text),
            toml::Value::Integer(number) => Node::Integer(number),
            toml::Value::Float(number) => Node::Float(number),
            toml::Value::Boolean(truth) => Node::Boolean(truth),
            toml::Value::Datetime(date) => Node::Text(date.to_string()),
            toml::Value::Array(values) => Node::List(values.into_iter().map(|v| Self::new(v, origin)).collect()),
            toml::Value::Table(table) => {
                Node::Table(table.into_iter().map(|(key, value)| (key, Self::new(value, origin))).collect())
            }
        };
        Self { origin: Arc::clone(origin), node }
    }

    /// `value` under `path`: the tables around it are made.
    pub fn nested(path: &[String], value: Self) -> Self {
        path.iter().rev().fold(value, |inner, key| Self {
            origin: Arc::clone(&inner.origin),
            node: Node::Table(BTreeMap::from([(key.clone(), inner)])),
        })
    }

    /// Lays another layer over this one: tables are joined key by key, anything else is replaced.
    pub fn overlay(&mut self, upper: Self) {
        match (&mut self.node, upper.node) {
            (Node::Table(table), Node::Table(above)) => {
                for (key, value) in above {
                    match table.get_mut(&key) {
                        // A secret may be said in three ways, and two of them do not add up to one.
                        Some(below) if !below.is_reference() => below.overlay(value),
                        _ => {
                            table.insert(key, value);
                        }
                    }
                }
            }
            (node, above) => {
                *node = above;
                self.origin = upper.origin;
            }
        }
    }

    /// The value under this key of a table.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.node {
            Node::Table(table) => table.get(key),
            _ => None,
        }
    }

    /// The first value of a list.
    pub fn first(&self) -> Option<&Self> {
        match &self.node {
            Node::List(values) => values.first(),
            _ => None,
        }
    }

    /// Takes a key out of a section.
    pub fn take(&mut self, section: &str, key: &str) -> Option<Self> {
        match &mut self.node {
            Node::Table(sections) => match &mut sections.get_mut(section)?.node {
                Node::Table(table) => table.remove(key),
                _ => None,
            },
            _ => None,
        }
    }

    /// The only entry of a table that names where a secret stands: `{ env = "X" }` or `{ file = "/path" }`.
    pub fn reference(&self) -> Option<(&str, &str)> {
        let Node::Table(table) = &self.node else { return None };
        match (table.len(), table.first_key_value()) {
            (1, Some((key, Self { node: Node::Text(text), .. }))) if key == "env" || key == "file" => Some((key, text)),
            _ => None,
        }
    }

    fn is_reference(&self) -> bool {
        self.reference().is_some()
    }

    /// Visits every value that holds no other, with its path, depth first in the order of the keys.
    pub fn leaves<'a>(&'a self, path: &mut Vec<String>, visit: &mut impl FnMut(&[String], &'a Self)) {
        match &self.node {
            Node::Table(table) if !table.is_empty() && !self.is_reference() => {
                for (key, value) in table {
                    path.push(key.clone());
                    value.leaves(path, visit);
                    path.pop();
                }
            }
            _ => visit(path, self),
        }
    }
}

/// As TOML writes it.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Text(text) => write!(f, "{text:?}"),
            Node::Integer(number) => write!(f, "{number}"),
            Node::Float(number) => write!(f, "{number:?}"),
            Node::Boolean(truth) => write!(f, "{truth}"),
            Node::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Node::Table(table) if table.is_empty() => f.write_str("{}"),
            Node::Table(table) => {
                f.write_str("{ ")?;
                for (index, (key, value)) in table.iter().enumerate() {
                    write!(f, "{}{key} = {value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str(" }")
            }
        }
    }
}
