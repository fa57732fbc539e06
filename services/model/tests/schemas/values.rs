//! Values made from a schema alone, so that a field, a symbol or a kind that is added is tried without a word here.

use std::collections::HashMap;

use apache_avro::Schema as Avro;
use apache_avro::schema::{RecordSchema, ResolvedSchema, UnionSchema};
use apache_avro::types::Value;
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// A schema with the names it defines, for references.
#[derive(Clone, Copy)]
pub struct Shape<'s> {
    schema: &'s Avro,
    names: &'s ResolvedSchema<'s>,
}

/// Which of the many values of a schema.
#[derive(Clone, Copy, Debug)]
pub enum Fill<'a> {
    /// What is nullable is null, lists are empty, texts too, numbers are zero.
    Empty,
    /// Everything is set; each number takes other symbols, numbers and texts.
    Full(usize),
    /// As `Full(0)`, but the enumeration of this name has a symbol that it does not have.
    Unknown(&'a str),
}

/// A symbol of no enumeration and a name of no kind.
pub const NO_SUCH: &str = "no such symbol";

impl<'s> Shape<'s> {
    /// The whole schema; `names` are its own.
    pub fn new(schema: &'s Avro, names: &'s ResolvedSchema<'s>) -> Self {
        Self { schema, names }
    }

    fn of(self, schema: &'s Avro) -> Self {
        match schema {
            Avro::Ref { name } => Self { schema: self.names.get_names()[name], ..self },
            schema => Self { schema, ..self },
        }
    }

    fn record(self) -> &'s RecordSchema {
        let Avro::Record(record) = self.schema else { panic!("{:?} is no record", self.schema) };
        record
    }

    /// The branch of a nullable type that is not null; none for a union of kinds.
    fn nullable(self, union: &'s UnionSchema) -> Option<Self> {
        match union.variants() {
            [Avro::Null, some] => Some(self.of(some)),
            _ => None,
        }
    }

    /// The kinds of the body: the branches of its union. Empty where the record is no event.
    pub fn kinds(self) -> Vec<&'s str> {
        body(self.schema).into_iter().flatten().map(|kind| self.of(kind).name()).collect()
    }

    /// Whether the record has a body of several kinds.
    pub fn is_event(schema: &Avro) -> bool {
        body(schema).is_some()
    }

    fn name(self) -> &'s str {
        self.record().name.name()
    }

    /// How many [`Fill::Full`]s it takes until every symbol of every enumeration was used.
    pub fn widest(self) -> usize {
        self.enumerations().iter().map(|(_, symbols)| symbols.len()).max().unwrap_or(1).max(TEXTS.len())
    }

    /// Every enumeration by its name, with its symbols.
    pub fn enumerations(self) -> Vec<(&'s str, &'s [String])> {
        let mut found: Vec<_> = self
            .names
            .get_names()
            .values()
            .filter_map(|schema| match schema {
                Avro::Enum(of) => Some((of.name.name(), of.symbols.as_slice())),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// The value of that fill; `kind` chooses among the kinds of a body.
    pub fn value(self, fill: Fill, kind: usize) -> Value {
        let n = if let Fill::Full(n) = fill { n } else { 0 };
        let full = !matches!(fill, Fill::Empty);
        let number = |numbers: [i64; 4]| if full { numbers[n % 4] } else { 0 };
        let long = || number([1_700_000_000_123, -1, i64::MAX, i64::MIN]);
        match self.schema {
            Avro::Boolean => Value::Boolean(full),
            Avro::Int => Value::Int(number([1, -1, i32::MAX.into(), i32::MIN.into()]).try_into().unwrap()),
            Avro::Long => Value::Long(long()),
            Avro::TimestampMillis => Value::TimestampMillis(long()),
            Avro::String => Value::String(if full { TEXTS[n % TEXTS.len()].to_owned() } else { String::new() }),
            Avro::Bytes => Value::Bytes(if full { vec![0, 255, b'{', 10] } else { Vec::new() }),
            Avro::Enum(of) => match fill {
                Fill::Unknown(name) if name == of.name.name() => Value::Enum(0, NO_SUCH.to_owned()),
                _ => Value::Enum((n % of.symbols.len()).try_into().unwrap(), of.symbols[n % of.symbols.len()].clone()),
            },
            Avro::Array(of) if full => {
                let item = self.of(&of.items);
                let rest = if matches!(fill, Fill::Unknown(_)) { fill } else { Fill::Empty };
                Value::Array(vec![item.value(fill, 0), item.value(rest, 0)])
            }
            Avro::Array(_) => Value::Array(Vec::new()),
            Avro::Map(of) if full => {
                let value = |key: &str| (key.to_owned(), self.of(&of.types).value(fill, 0));
                Value::Map(HashMap::from([value("x-github-event"), value("")]))
            }
            Avro::Map(_) => Value::Map(HashMap::new()),
            Avro::Union(union) => match self.nullable(union) {
                Some(some) if full => Value::Union(1, Box::new(some.value(fill, 0))),
                Some(_) => Value::Union(0, Box::new(Value::Null)),
                None => {
                    let branch = self.of(&union.variants()[kind]);
                    Value::Union(kind.try_into().unwrap(), Box::new(branch.value(fill, 0)))
                }
            },
            Avro::Record(record) => Value::Record(
                record
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), self.of(&field.schema).value(fill, kind)))
                    .collect(),
            ),
            other => panic!("a type that no schema had so far: {other:?}"),
        }
    }

    /// Any value.
    pub fn any(self) -> BoxedStrategy<Value> {
        match self.schema {
            Avro::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
            Avro::Int => any::<i32>().prop_map(Value::Int).boxed(),
            Avro::Long => any::<i64>().prop_map(Value::Long).boxed(),
            Avro::TimestampMillis => any::<i64>().prop_map(Value::TimestampMillis).boxed(),
            Avro::String => any::<String>().prop_map(Value::String).boxed(),
            Avro::Bytes => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
            Avro::Enum(of) => {
                let symbols = of.symbols.clone();
                (0..symbols.len()).prop_map(move |n| Value::Enum(n.try_into().unwrap(), symbols[n].clone())).boxed()
            }
            Avro::Array(of) => vec(self.of(&of.items).any(), 0..4).prop_map(Value::Array).boxed(),
            Avro::Map(of) => hash_map(any::<String>(), self.of(&of.types).any(), 0..4).prop_map(Value::Map).boxed(),
            Avro::Union(union) => match self.nullable(union) {
                Some(some) => proptest::option::of(some.any())
                    .prop_map(|some| match some {
                        Some(some) => Value::Union(1, Box::new(some)),
                        None => Value::Union(0, Box::new(Value::Null)),
                    })
                    .boxed(),
                None => {
                    let kinds = union.variants().iter().zip(0..).map(|(kind, n)| {
                        self.of(kind).any().prop_map(move |kind| Value::Union(n, Box::new(kind))).boxed()
                    });
                    proptest::strategy::Union::new(kinds).boxed()
                }
            },
            Avro::Record(record) => {
                let names: Vec<String> = record.fields.iter().map(|field| field.name.clone()).collect();
                let values: Vec<_> = record.fields.iter().map(|field| self.of(&field.schema).any()).collect();
                values.prop_map(move |values| Value::Record(names.iter().cloned().zip(values).collect())).boxed()
            }
            other => panic!("a type that no schema had so far: {other:?}"),
        }
    }

    /// What serde writes in JSON for the Rust value that is equal to this one. The kind of a body is named.
    pub fn json(self, value: &Value) -> Json {
        match (self.schema, value) {
            (_, Value::Null) => Json::Null,
            (_, Value::Boolean(value)) => json!(value),
            (_, Value::Int(value)) => json!(value),
            (_, Value::Long(value) | Value::TimestampMillis(value)) => json!(value),
            (_, Value::String(value) | Value::Enum(_, value)) => json!(value),
            (_, Value::Bytes(value)) => json!(value),
            (Avro::Array(of), Value::Array(items)) => items.iter().map(|item| self.of(&of.items).json(item)).collect(),
            (Avro::Map(of), Value::Map(map)) => {
                let entries = map.iter().map(|(key, value)| (key.clone(), self.of(&of.types).json(value)));
                Json::Object(entries.collect())
            }
            (Avro::Union(union), Value::Union(branch, value)) => {
                let branch = self.of(&union.variants()[*branch as usize]);
                let json = branch.json(value);
                if self.nullable(union).is_some() { json } else { json!({ branch.name(): json }) }
            }
            (Avro::Record(record), Value::Record(values)) => {
                let entries = record.fields.iter().zip(values);
                Json::Object(entries.map(|(f, (name, value))| (name.clone(), self.of(&f.schema).json(value))).collect())
            }
            (schema, value) => panic!("{value:?} is no value of {schema:?}"),
        }
    }
}

fn body(schema: &Avro) -> Option<&[Avro]> {
    let Avro::Record(record) = schema else { return None };
    match &record.fields.iter().find(|field| field.name == "body")?.schema {
        Avro::Union(union) => Some(union.variants()),
        _ => None,
    }
}

const TEXTS: [&str; 3] = ["github.com/acme/shop", "", "Grüße, 世界 🚀 \"\\\u{0}"];
