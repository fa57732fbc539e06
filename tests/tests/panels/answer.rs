//! What ClickHouse answers, brought to one form that can be compared with the truth.

use model::{ChangeId, CommitId, Component, Environment, Millis, Repository, Timestamp, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer with its columns.
#[derive(Debug)]
pub struct Answer {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<String>>,
}

/// A column of an answer.
#[derive(Debug, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// What a column holds, as far as panels care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Time,
    Number,
    Text,
    Flag,
    /// Nothing that a panel could show: a list, a map, a tuple.
    Other,
}

#[derive(Deserialize)]
struct Compact {
    meta: Vec<Column>,
    data: Vec<Vec<Value>>,
}

impl Answer {
    /// Reads the format `JSONCompact`.
    pub fn read(text: &str) -> Answer {
        let Compact { meta: columns, data } = serde_json::from_str(text).unwrap();
        let row = |cells: Vec<Value>| cells.iter().zip(&columns).map(|(cell, column)| column.show(cell)).collect();
        Answer { rows: data.into_iter().map(row).collect(), columns }
    }

    /// Where a column is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Column {
    /// Its type without `Nullable` and `LowCardinality`.
    fn bare(&self) -> &str {
        let mut bare = self.kind.as_str();
        for wrapper in ["LowCardinality(", "Nullable("] {
            bare = bare.strip_prefix(wrapper).and_then(|inner| inner.strip_suffix(')')).unwrap_or(bare);
        }
        bare
    }

    pub fn is_nullable(&self) -> bool {
        self.kind.contains("Nullable(")
    }

    pub fn kind(&self) -> Kind {
        let bare = self.bare();
        match bare {
            "String" => Kind::Text,
            "Bool" => Kind::Flag,
            _ if bare.starts_with("DateTime") => Kind::Time,
            _ if ["Int", "UInt", "Float", "Decimal"].iter().any(|number| bare.starts_with(number)) => Kind::Number,
            _ => Kind::Other,
        }
    }

    fn show(&self, cell: &Value) -> String {
        match (self.kind(), cell) {
            (_, Value::Null) => NONE.to_owned(),
            (Kind::Time, Value::String(text)) => {
                Timestamp::parse_rfc3339(&format!("{}Z", text.replace(' ', "T"))).unwrap().shown()
            }
            (Kind::Number, Value::Number(number)) => number.as_i64().map_or_else(
                || number.as_f64().unwrap().shown(),
                |whole| if self.bare().starts_with("Float") { (whole as f64).shown() } else { whole.shown() },
            ),
            (_, Value::String(text)) => text.clone(),
            (_, Value::Bool(flag)) => flag.shown(),
            (_, other) => other.to_string(),
        }
    }
}

/// Null.
pub const NONE: &str = "–";

/// How a value stands in a row: a time and a duration as milliseconds, a fraction with six digits.
pub trait Shown {
    fn shown(&self) -> String;
}

macro_rules! shown {
    ($($type:ty),*) => { $(impl Shown for $type { fn shown(&self) -> String { self.to_string() } })* };
}

shown!(i32, i64, usize, bool, str, String, Component, Version, Environment, CommitId, Repository, ChangeId);

impl Shown for f64 {
    fn shown(&self) -> String {
        format!("{self:.6}")
    }
}

impl Shown for Millis {
    fn shown(&self) -> String {
        self.0.shown()
    }
}

impl Shown for Timestamp {
    fn shown(&self) -> String {
        self.0.shown()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| NONE.to_owned(), Shown::shown)
    }
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> String {
        (**self).shown()
    }
}

/// The word that tables have for a value.
pub fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap_or(NONE).to_owned()
}

/// A row of the truth.
macro_rules! line {
    ($($value:expr),* $(,)?) => { vec![$($crate::answer::Shown::shown(&$value)),*] };
}
pub(crate) use line;
