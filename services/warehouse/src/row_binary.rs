//! Facts in ClickHouse's format `RowBinary`: <https://clickhouse.com/docs/interfaces/formats/RowBinary>.
//!
//! The serializer of the crate `clickhouse` cannot write an enum as text, and does not know which number is a time. This one
//! writes what the column holds, and refuses a value that is anything else.

use std::fmt;

use serde::ser::{self, Impossible, Serialize};

use crate::table::{Column, Kind};

/// 1900-01-01T00:00:00.000Z, the first that `DateTime64(3)` holds, in milliseconds since 1970.
pub(crate) const FIRST_TIME: i64 = -2_208_988_800_000;
/// 2299-12-31T23:59:59.999Z, the last.
pub(crate) const LAST_TIME: i64 = 10_413_791_999_999;

/// A fact that does not fit its table: the type and its Avro schema have drifted apart, or the caller mixed up two tables.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A fact of another table.
    #[error("a fact of topic `{found}` was put among the rows of `{wanted}`")]
    WrongTable {
        /// Topic of the fact.
        found: &'static str,
        /// Table of the rows.
        wanted: &'static str,
    },
    /// Fields and columns differ.
    #[error("the fact has field {found:?} where the table has column {wanted:?}")]
    WrongField {
        /// Name of the field; none where the fact has ended.
        found: Option<&'static str>,
        /// Name of the column; none where there is none left.
        wanted: Option<String>,
    },
    /// A value of another type.
    #[error("column `{column}` holds {kind:?}: {problem}")]
    WrongType {
        /// Name of the column.
        column: String,
        /// What it holds.
        kind: Kind,
        /// What was to be written.
        problem: String,
    },
    /// What is no record has no columns.
    #[error("the fact cannot be written: {0}")]
    NoRecord(String),
}

impl ser::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::NoRecord(message.to_string())
    }
}

/// Methods of a serializer that refuse, each with what it would be given; then those for compounds, each with what it would return.
macro_rules! refuse {
    ($error:expr; $($method:ident($($of:ty),*))*; $($compound:ident($($part:ty),*) -> $of_compound:ident)*) => {
        $(fn $method(self $(, _: $of)*) -> Result<Self::Ok, Self::Error> {
            Err($error)
        })*
        $(
            fn $compound(self $(, _: $part)*) -> Result<Self::$of_compound, Self::Error> {
                Err($error)
            }
        )*
    };
}

/// Appends a row. On an error a part of it may have been appended.
pub(crate) fn write(fact: &impl Serialize, columns: &[Column], out: &mut Vec<u8>) -> Result<(), RowError> {
    fact.serialize(Row { columns, out })
}

/// Writes a record, field by field; holds the columns that are still to come.
struct Row<'a> {
    columns: &'a [Column],
    out: &'a mut Vec<u8>,
}

impl ser::Serializer for Row<'_> {
    type Ok = ();
    type Error = RowError;
    type SerializeStruct = Self;
    type SerializeSeq = Impossible<(), RowError>;
    type SerializeTuple = Impossible<(), RowError>;
    type SerializeTupleStruct = Impossible<(), RowError>;
    type SerializeTupleVariant = Impossible<(), RowError>;
    type SerializeMap = Impossible<(), RowError>;
    type SerializeStructVariant = Impossible<(), RowError>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, RowError> {
        Ok(self)
    }

    refuse! {
        RowError::NoRecord("it is no record".to_owned());
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_u8(u8)
        serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_f32(f32) serialize_f64(f64) serialize_char(char)
        serialize_str(&str) serialize_bytes(&[u8]) serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str);
        serialize_seq(Option<usize>) -> SerializeSeq
        serialize_tuple(usize) -> SerializeTuple
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant
        serialize_map(Option<usize>) -> SerializeMap
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), RowError> {
        Err(RowError::NoRecord("it is no record".to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), RowError> {
        Err(RowError::NoRecord("it is no record".to_owned()))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::NoRecord("it is no record".to_owned()))
    }
}

impl ser::SerializeStruct for Row<'_> {
    type Ok = ();
    type Error = RowError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), RowError> {
        match self.columns.split_first() {
            Some((column, rest)) if column.name == name => {
                self.columns = rest;
                let writer = Value { kind: column.kind, nullable: column.nullable, out: self.out };
                value.serialize(writer).map_err(|Misfit(problem)| RowError::WrongType {
                    column: column.name.clone(),
                    kind: column.kind,
                    problem,
                })
            }
            other => {
                let wanted = other.map(|(column, _)| column.name.clone());
                Err(RowError::WrongField { found: Some(name), wanted })
            }
        }
    }

    fn end(self) -> Result<(), RowError> {
        match self.columns.first() {
            None => Ok(()),
            Some(column) => Err(RowError::WrongField { found: None, wanted: Some(column.name.clone()) }),
        }
    }
}

/// Why a value does not fit its column.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misfit(String);

impl ser::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Writes the value of a column, or one element of its list.
struct Value<'a> {
    kind: Kind,
    /// The byte that says whether there is a value is still to come.
    nullable: bool,
    out: &'a mut Vec<u8>,
}

impl Value<'_> {
    fn expect(&self, found: &str, kinds: &[Kind]) -> Result<(), Misfit> {
        match (self.nullable, kinds.contains(&self.kind)) {
            (false, true) => Ok(()),
            (true, _) => Err(Misfit(format!("it may be null, which {found} cannot be"))),
            (false, false) => Err(Misfit(format!("{found} is something else"))),
        }
    }

    fn text(self, text: &str) {
        length(self.out, text.len());
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// Unsigned LEB128.
fn length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

impl ser::Serializer for Value<'_> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = Self;
    type SerializeTuple = Impossible<(), Misfit>;
    type SerializeTupleStruct = Impossible<(), Misfit>;
    type SerializeTupleVariant = Impossible<(), Misfit>;
    type SerializeMap = Impossible<(), Misfit>;
    type SerializeStruct = Impossible<(), Misfit>;
    type SerializeStructVariant = Impossible<(), Misfit>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, v: bool) -> Result<(), Misfit> {
        self.expect("a truth value", &[Kind::Boolean])?;
        self.out.push(u8::from(v));
        Ok(())
    }

    fn serialize_i32(self, v: i32) -> Result<(), Misfit> {
        self.expect("a number of 32 bits", &[Kind::Int])?;
        self.out.extend_from_slice(&v.to_le_bytes());
        Ok(())
    }

    fn serialize_i64(self, v: i64) -> Result<(), Misfit> {
        self.expect("a number of 64 bits", &[Kind::Long, Kind::Time])?;
        // A nonsensical time from outside must not stop the others: it is kept at the end of what ClickHouse can hold.
        let v = if self.kind == Kind::Time { v.clamp(FIRST_TIME, LAST_TIME) } else { v };
        self.out.extend_from_slice(&v.to_le_bytes());
        Ok(())
    }

    fn serialize_str(self, v: &str) -> Result<(), Misfit> {
        self.expect("a text", &[Kind::Text])?;
        self.text(v);
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Misfit> {
        self.expect("a word", &[Kind::Enum])?;
        self.text(variant);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Misfit> {
        if !self.nullable {
            return Err(Misfit("it cannot be null".to_owned()));
        }
        self.out.push(1);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Misfit> {
        if !self.nullable {
            return Err(Misfit("it cannot be null, which the field can".to_owned()));
        }
        self.out.push(0);
        value.serialize(Value { nullable: false, ..self })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Misfit> {
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Misfit> {
        self.expect("a list", &[Kind::TextList, Kind::EnumList, Kind::LongList, Kind::TimeList])?;
        length(self.out, len.ok_or_else(|| Misfit("a list of unknown length cannot be written".to_owned()))?);
        let kind = match self.kind {
            Kind::EnumList => Kind::Enum,
            Kind::LongList => Kind::Long,
            Kind::TimeList => Kind::Time,
            _ => Kind::Text,
        };
        Ok(Value { kind, ..self })
    }

    refuse! {
        Misfit("no column holds such a type".to_owned());
        serialize_i8(i8) serialize_i16(i16) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_bytes(&[u8]) serialize_unit()
        serialize_unit_struct(&'static str);
        serialize_tuple(usize) -> SerializeTuple
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant
        serialize_map(Option<usize>) -> SerializeMap
        serialize_struct(&'static str, usize) -> SerializeStruct
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Misfit> {
        Err(Misfit("no column holds such a type".to_owned()))
    }
}

impl ser::SerializeSeq for Value<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        value.serialize(Value { kind: self.kind, nullable: false, out: self.out })
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    fn column(name: &str, kind: Kind, nullable: bool) -> Column {
        Column { name: name.to_owned(), kind, nullable }
    }

    #[derive(Serialize)]
    struct Fact {
        at: i64,
        name: Option<&'static str>,
        list: Vec<&'static str>,
    }

    const FACT: Fact = Fact { at: i64::MAX, name: None, list: vec![] };

    fn columns() -> [Column; 3] {
        [column("at", Kind::Time, false), column("name", Kind::Text, true), column("list", Kind::TextList, false)]
    }

    #[test]
    fn writes_the_bytes_of_the_format() {
        let mut out = Vec::new();
        let long = "x".repeat(200).leak();
        write(&Fact { at: i64::MIN, name: Some("ä"), list: vec!["a", long] }, &columns(), &mut out).unwrap();
        let mut wanted = FIRST_TIME.to_le_bytes().to_vec();
        wanted.extend([0, 2, 0xc3, 0xa4, 2, 1, b'a', 0xc8, 0x01]);
        wanted.extend(long.as_bytes());
        assert_eq!(out, wanted);
    }

    #[test]
    fn a_list_of_words_is_a_list_of_their_names() {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            OneTwo,
        }
        #[derive(Serialize)]
        struct Fact {
            words: Vec<Word>,
        }
        let mut out = Vec::new();
        let fact = Fact { words: vec![Word::OneTwo, Word::OneTwo] };
        write(&fact, &[column("words", Kind::EnumList, false)], &mut out).unwrap();
        assert_eq!(out, b"\x02\x07one_two\x07one_two");
        let refused = write(&fact, &[column("words", Kind::TextList, false)], &mut out).unwrap_err().to_string();
        assert!(refused.contains("`words`"), "{refused}");
    }

    #[test]
    fn each_time_of_a_list_is_kept_within_what_there_is() {
        #[derive(Serialize)]
        struct Fact {
            times: Vec<i64>,
        }
        let mut out = Vec::new();
        let fact = Fact { times: vec![i64::MIN, 1, i64::MAX] };
        write(&fact, &[column("times", Kind::TimeList, false)], &mut out).unwrap();
        let times = [FIRST_TIME, 1, LAST_TIME].map(i64::to_le_bytes);
        assert_eq!(out, [&[3], times.as_flattened()].concat());
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_name() {
        let refused = |columns: &[Column]| write(&FACT, columns, &mut Vec::new()).unwrap_err().to_string();
        let [at, name, list] = columns();
        assert!(refused(&[at.clone(), list.clone()]).contains("name"), "a missing column");
        assert!(refused(&[at.clone(), name.clone(), list.clone(), column("more", Kind::Int, false)]).contains("more"));
        for wrong in [column("at", Kind::Int, false), column("at", Kind::Time, true)] {
            assert!(refused(&[wrong, name.clone(), list.clone()]).contains("`at`"));
        }
        assert!(refused(&[at.clone(), column("name", Kind::Text, false), list]).contains("null"));
        assert!(refused(&[at, name, column("list", Kind::Text, false)]).contains("`list`"));
        assert!(write(&5, &columns(), &mut Vec::new()).is_err());
    }
}
