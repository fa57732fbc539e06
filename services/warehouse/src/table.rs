//! The tables of facts and their columns, as the Avro schemas name them.

use std::sync::LazyLock;

use model::schema::{self, Subject};
use serde_json::Value;

/// A table of facts.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Topic that fills it.
    pub subject: Subject,
    /// Name of the view. The table underneath is `<name>_rows`.
    pub name: &'static str,
    /// Columns of the table underneath, in the order of the fields of the fact.
    pub columns: Vec<Column>,
}

/// A column of a table of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `String`, or `LowCardinality(String)` for what has few values: the bytes are the same.
    Text,
    /// `LowCardinality(String)`: the word that the Avro enum has for it.
    Enum,
    /// `Int32`.
    Int,
    /// `Int64`.
    Long,
    /// `DateTime64(3, 'UTC')`: 1900 to 2299. A time outside is written as the end of that range.
    Time,
    /// `Bool`, or `UInt8` where the engine demands it.
    Boolean,
    /// `Array(String)`, or `Array(LowCardinality(String))` for what has few values.
    TextList,
    /// `Array(LowCardinality(String))`: the words that the Avro enum has for them.
    EnumList,
    /// `Array(Int64)`.
    LongList,
    /// `Array(DateTime64(3, 'UTC'))`, each as a time by itself.
    TimeList,
}

/// In the order of the flow. A test holds that each has the columns of its schema.
static ALL: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let table = |subject: Subject| {
        let name = subject.topic().strip_prefix("facts.")?;
        let columns = schema::latest(subject).and_then(|schema| columns(schema.text)).unwrap_or_default();
        Some(Table { subject, name, columns })
    };
    Subject::ALL.into_iter().filter_map(table).collect()
});

impl Table {
    /// All tables of facts.
    #[must_use]
    pub fn all() -> &'static [Table] {
        &ALL
    }

    /// The table that the topic fills, if it is a topic of facts.
    #[must_use]
    pub fn of(subject: Subject) -> Option<&'static Table> {
        ALL.iter().find(|table| table.subject == subject)
    }

    /// Statement that inserts rows in the format of [`crate::Rows`].
    pub(crate) fn insert_statement(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("`{}`", column.name)).collect();
        format!("INSERT INTO {}_rows ({}) FORMAT RowBinary", self.name, columns.join(", "))
    }
}

/// Columns of an Avro record; none where it holds a type that no table has.
fn columns(avro: &str) -> Option<Vec<Column>> {
    let schema: Value = serde_json::from_str(avro).ok()?;
    let column = |field: &Value| {
        let (kind, nullable) = match field.get("type")? {
            Value::Array(union) => match union.as_slice() {
                [null, other] if null == "null" => (kind(other)?, true),
                _ => return None,
            },
            other => (kind(other)?, false),
        };
        Some(Column { name: field.get("name")?.as_str()?.to_owned(), kind, nullable })
    };
    schema.get("fields")?.as_array()?.iter().map(column).collect()
}

fn kind(avro: &Value) -> Option<Kind> {
    if let Some(name) = avro.as_str() {
        return match name {
            "string" => Some(Kind::Text),
            "int" => Some(Kind::Int),
            "long" => Some(Kind::Long),
            "boolean" => Some(Kind::Boolean),
            "null" | "float" | "double" | "bytes" => None,
            // The name of a type that stands further up: the facts define no other than enums.
            _ => Some(Kind::Enum),
        };
    }
    let text = |key: &str| avro.get(key).and_then(Value::as_str);
    match (text("type")?, text("logicalType")) {
        ("long", Some("timestamp-millis")) => Some(Kind::Time),
        ("enum", None) => Some(Kind::Enum),
        ("array", None) => match kind(avro.get("items")?)? {
            Kind::Text => Some(Kind::TextList),
            Kind::Enum => Some(Kind::EnumList),
            Kind::Long => Some(Kind::LongList),
            Kind::Time => Some(Kind::TimeList),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_of_facts_has_its_columns() {
        let names: Vec<_> = Table::all().iter().map(|table| table.name).collect();
        let wanted = [
            "releases",
            "deployments",
            "release_commits",
            "gate_waits",
            "builds",
            "components",
            "build_failures",
            "manual_steps",
            "incidents",
            "incident_attributions",
            "rollup_hourly",
            "rollup_daily",
        ];
        assert_eq!(names, wanted);
        for table in Table::all() {
            let schema: Value = serde_json::from_str(schema::latest(table.subject).unwrap().text).unwrap();
            assert_eq!(table.columns.len(), schema["fields"].as_array().unwrap().len(), "{}", table.name);
        }
        let at = Column { name: "at".into(), kind: Kind::Time, nullable: false };
        let outcome = Column { name: "outcome".into(), kind: Kind::Enum, nullable: true };
        let builds = &Table::of(Subject::Builds).unwrap().columns;
        assert!(builds.contains(&at) && builds.contains(&outcome));
        let hollow = Column { name: "hollow".into(), kind: Kind::EnumList, nullable: false };
        let missed = Column { name: "missed".into(), kind: Kind::TextList, nullable: false };
        let gates = &Table::of(Subject::GateWaits).unwrap().columns;
        assert!(gates.contains(&hollow) && gates.contains(&missed));
        let lead_times = Column { name: "lead_times".into(), kind: Kind::LongList, nullable: false };
        assert!(Table::of(Subject::RollupDaily).unwrap().columns.contains(&lead_times));
        let acknowledged = Column { name: "acknowledged".into(), kind: Kind::TimeList, nullable: false };
        assert!(Table::of(Subject::Components).unwrap().columns.contains(&acknowledged));
        assert_eq!(Table::of(Subject::Inbox), None);
    }

    #[test]
    fn a_type_that_no_table_has_is_refused() {
        for avro in [
            r#""double""#,
            r#"["null", "string", "int"]"#,
            r#"{"type": "map", "values": "string"}"#,
            r#"{"type": "array", "items": "int"}"#,
        ] {
            let record = format!(r#"{{"fields": [{{"name": "a", "type": {avro}}}]}}"#);
            assert_eq!(columns(&record), None, "{avro}");
        }
    }
}
