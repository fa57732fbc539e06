//! From the tree of settings to typed ones: a serde deserializer whose errors know the key, its origin and what would have been right.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserialize, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Node, Origin, Tree};

/// What did not fit, and where.
#[derive(Debug)]
pub struct Misfit {
    /// Key path of the innermost value that the error is about; unset until a value has claimed it.
    pub path: Option<Vec<String>>,
    pub kind: MisfitKind,
}

/// What did not fit.
#[derive(Debug)]
pub enum MisfitKind {
    /// A key that nobody knows, and those that stand beside it.
    Unknown { key: String, known: &'static [&'static str] },
    /// A key that must be there and is not.
    Missing { key: &'static str },
    /// A value of another type: what it is, in kind and with its value, and what is wanted.
    WrongType { kind: &'static str, shown: String, wanted: String },
    /// A value that its type refuses.
    Refused(String),
}

/// Reads a typed value from the tree that stands at this path.
pub fn read<'de, T: Deserialize<'de>>(tree: &'de Tree, path: &[&str]) -> Result<T, Misfit> {
    T::deserialize(At { tree, path: path.iter().map(|&key| key.to_owned()).collect() })
}

/// A value at its place.
struct At<'de> {
    tree: &'de Tree,
    path: Vec<String>,
}

impl<'de> At<'de> {
    fn inner(&self, key: impl Into<String>, tree: &'de Tree) -> Self {
        let mut path = self.path.clone();
        path.push(key.into());
        At { tree, path }
    }

    /// Lets the visitor have the value as it is.
    fn give<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.tree.node {
            Node::Text(text) => visitor.visit_borrowed_str(text),
            Node::Integer(number) => visitor.visit_i64(*number),
            Node::Float(number) => visitor.visit_f64(*number),
            Node::Boolean(truth) => visitor.visit_bool(*truth),
            Node::List(values) => {
                let items = values.iter().enumerate().map(|(index, value)| self.inner(index.to_string(), value));
                visitor.visit_seq(SeqDeserializer::new(items))
            }
            Node::Table(_) => visitor.visit_map(self.entries()),
        }
    }

    fn entries(&self) -> MapDeserializer<'de, std::vec::IntoIter<(&'de str, At<'de>)>, Misfit> {
        let Node::Table(table) = &self.tree.node else { return MapDeserializer::new(Vec::new().into_iter()) };
        let entries: Vec<_> = table.iter().map(|(key, value)| (key.as_str(), self.inner(key, value))).collect();
        MapDeserializer::new(entries.into_iter())
    }

    /// A text is wanted: what the environment gave counts as one, also where it looks like a number.
    fn give_text<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        match (&self.tree.node, &*self.tree.origin) {
            (Node::Integer(_) | Node::Float(_) | Node::Boolean(_), Origin::Environment { text, .. }) => {
                visitor.visit_str(text)
            }
            _ => self.give(visitor),
        }
    }
}

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.give(visitor).map_err(|misfit| misfit.at(self.path))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.give_text(visitor).map_err(|misfit| misfit.at(self.path))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        let path = self.path.clone();
        visitor.visit_newtype_struct(self).map_err(|misfit| misfit.at(path))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let given = match &self.tree.node {
            Node::Text(text) => visitor.visit_enum(IntoDeserializer::<Misfit>::into_deserializer(text.as_str())),
            Node::Table(_) => {
                de::value::MapAccessDeserializer::new(self.entries()).deserialize_enum(name, variants, visitor)
            }
            _ => self.give(visitor),
        };
        given.map_err(|misfit| misfit.at(self.path))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for At<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Misfit {
    fn new(kind: MisfitKind) -> Self {
        Self { path: None, kind }
    }

    /// Names the place, unless a value further inside has done so.
    fn at(mut self, path: Vec<String>) -> Self {
        self.path.get_or_insert(path);
        self
    }
}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(MisfitKind::Refused(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let (kind, shown) = describe(found);
        Self::new(MisfitKind::WrongType { kind, shown, wanted: wanted.to_string() })
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::invalid_type(found, wanted)
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(MisfitKind::Unknown { key: key.to_owned(), known })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(MisfitKind::Missing { key })
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let wanted = format!("one of {}", known.join(", "));
        Self::new(MisfitKind::WrongType { kind: "a text", shown: format!("the text {found:?}"), wanted })
    }
}

impl std::error::Error for Misfit {}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MisfitKind::Unknown { key, .. } => write!(f, "unknown key `{key}`"),
            MisfitKind::Missing { key } => write!(f, "missing key `{key}`"),
            MisfitKind::WrongType { shown, wanted, .. } => write!(f, "{shown} where {wanted} is wanted"),
            MisfitKind::Refused(message) => f.write_str(message),
        }
    }
}

/// A value in TOML's words: its kind, and its kind with the value.
fn describe(found: Unexpected<'_>) -> (&'static str, String) {
    match found {
        Unexpected::Bool(truth) => ("a boolean", format!("the boolean {truth}")),
        Unexpected::Signed(number) => ("an integer", format!("the integer {number}")),
        Unexpected::Unsigned(number) => ("an integer", format!("the integer {number}")),
        Unexpected::Float(number) => ("a float", format!("the float {number:?}")),
        Unexpected::Str(text) => ("a text", format!("the text {text:?}")),
        Unexpected::Seq => ("a list", "a list".to_owned()),
        Unexpected::Map => ("a table", "a table".to_owned()),
        other => ("a value", other.to_string()),
    }
}
