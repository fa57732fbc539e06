//! What our codec writes the reference reads, and the other way round, for every kind of record with every symbol.

use std::fmt::Debug;

use apache_avro::Schema as Avro;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::ResolvedSchema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use model::codec::{self, Record};
use model::event::{ApprovalBody, Body, CiBody, ControlBody, IncidentBody, ReviewBody};
use model::schema::{self, Schema, Subject};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde::de::DeserializeOwned;

use crate::values::{Fill, NO_SUCH, Shape};
use crate::{framed, parse, with_record_of};

/// One version of one subject, ready to judge.
struct Judge<'s> {
    schema: &'static Schema,
    avro: &'s Avro,
    /// The same with the root named as serde names it: the reference compares the names, and all events are one generic type.
    renamed: &'s Avro,
    shape: Shape<'s>,
}

impl Judge<'_> {
    /// Runs a check with the judge of every version of every subject.
    fn each(check: impl Fn(&Judge)) {
        for schema in schema::all() {
            let avro = parse(schema);
            let mut renamed: serde_json::Value = serde_json::from_str(schema.text).unwrap();
            if Shape::is_event(&avro) {
                renamed["name"] = "Event".into();
            }
            let renamed = Avro::parse(&renamed).unwrap();
            let names = ResolvedSchema::new(&avro).unwrap();
            check(&Judge { schema, avro: &avro, renamed: &renamed, shape: Shape::new(&avro, &names) });
        }
    }

    fn is_latest(&self) -> bool {
        schema::latest(self.schema.line.subject).unwrap().line == self.schema.line
    }

    /// The number of kinds of its body, 1 where it is no event.
    fn kinds(&self) -> usize {
        self.shape.kinds().len().max(1)
    }

    /// A value that the reference writes is read by our codec, and by the reference's own way to serde, as the same record, whose
    /// fields, symbols and kinds have the names of the schema. A schema that is still written is also written by both, alike.
    fn check<R: Record + PartialEq + Debug>(&self, value: &Value) {
        let id = self.schema.line.id;
        let reader = GenericDatumReader::builder(self.avro).build().unwrap();
        let body = GenericDatumWriter::builder(self.avro).build().unwrap().write_value_to_vec(value.clone()).unwrap();

        let record: R = codec::decode(&framed(id, &body)).unwrap_or_else(|error| panic!("{value:?}: {error:?}"));
        let named = serde_json::to_value(&record).unwrap();
        if !self.is_latest() {
            // What a later version added is there as well, and empty.
            return;
        }
        assert_eq!(named, self.shape.json(value));
        let bytes = codec::encode(&record).unwrap();
        let (written_id, mut ours) = codec::unframe(&bytes).unwrap();
        assert_eq!(written_id, id);
        assert_eq!(reader.read_value(&mut ours).unwrap(), *value);
        assert_eq!(ours, [0_u8; 0], "bytes behind the record");

        let by_serde = GenericDatumReader::builder(self.renamed).build().unwrap();
        assert_eq!(by_serde.read_deser::<R>(&mut body.as_slice()).unwrap(), record);
        let by_serde = GenericDatumWriter::builder(self.renamed).build().unwrap();
        let theirs = by_serde.write_ser_to_vec(&record).unwrap();
        assert_eq!(codec::decode::<R>(&framed(id, &theirs)).unwrap(), record);
    }
}

#[test]
fn every_kind_full_and_empty() {
    fn check<R: Record + PartialEq + Debug>(judge: &Judge, value: &Value) {
        judge.check::<R>(value);
    }
    Judge::each(|judge| {
        for kind in 0..judge.kinds() {
            let fulls = (0..judge.shape.widest()).map(Fill::Full);
            for fill in fulls.chain([Fill::Empty]) {
                let value = judge.shape.value(fill, kind);
                with_record_of!(judge.schema.line.subject, check(judge, &value));
            }
        }
    });
}

#[test]
fn any_value() {
    fn check<R: Record + PartialEq + Debug>(judge: &Judge, value: &Value) {
        judge.check::<R>(value);
    }
    Judge::each(|judge| {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
        let run = runner.run(&judge.shape.any(), |value| {
            with_record_of!(judge.schema.line.subject, check(judge, &value));
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{}: {error}", judge.schema.line.file));
    });
}

/// The reference names a kind by its place, our codec by its name: both must agree, and neither side may have one more.
#[test]
fn kinds_are_the_variants_in_their_order() {
    fn variants<B: DeserializeOwned + Debug>() -> Vec<String> {
        let error = serde_json::from_value::<B>(serde_json::json!({ NO_SUCH: null })).unwrap_err();
        expected(&error.to_string()).into_iter().filter(|name| !name.contains('.')).collect()
    }
    let mut all = Vec::new();
    Judge::each(|judge| {
        let found = match judge.schema.line.subject {
            Subject::CiEvents => variants::<CiBody>(),
            Subject::ApprovalEvents => variants::<ApprovalBody>(),
            Subject::IncidentEvents => variants::<IncidentBody>(),
            Subject::ReviewEvents => variants::<ReviewBody>(),
            Subject::Control => variants::<ControlBody>(),
            _ => Vec::new(),
        };
        if judge.is_latest() {
            assert_eq!(judge.shape.kinds(), found, "{}", judge.schema.line.file);
        }
    });
    for subject in Subject::ALL {
        let avro = parse(schema::latest(subject).unwrap());
        let names = ResolvedSchema::new(&avro).unwrap();
        all.extend(Shape::new(&avro, &names).kinds().into_iter().map(str::to_owned));
    }
    assert_eq!(all, Body::KINDS);
}

/// Neither side may have a symbol that the other has not: it would be found out by the first record that has it.
#[test]
fn symbols_are_the_variants_in_their_order() {
    // Neither way serves alone: JSON reads no bytes, and the reference's way over its values counts a kind's aliases as kinds.
    fn refusal<R: Record + Debug>(json: serde_json::Value, value: &Value) -> Option<String> {
        let by_json = serde_json::from_value::<R>(json).err().map(|error| error.to_string());
        let by_value = apache_avro::from_value::<R>(value).err().map(|error| error.to_string());
        [by_json, by_value].into_iter().flatten().find(|text| text.contains(NO_SUCH))
    }
    Judge::each(|judge| {
        for (name, symbols) in judge.shape.enumerations().into_iter().filter(|_| judge.is_latest()) {
            let values = (0..judge.kinds()).map(|kind| judge.shape.value(Fill::Unknown(name), kind));
            let refusals: Vec<_> = values
                .filter_map(|value| {
                    let json = judge.shape.json(&value);
                    with_record_of!(judge.schema.line.subject, refusal(json, &value))
                })
                .collect();
            assert!(!refusals.is_empty(), "{name} of {} was not met", judge.schema.line.file);
            for refusal in refusals {
                assert_eq!(expected(&refusal), symbols, "{name} of {}", judge.schema.line.file);
            }
        }
    });
}

/// The names in serde's "unknown variant `…`, expected one of `…`, `…`".
fn expected(error: &str) -> Vec<String> {
    let (_, names) = error.split_once("expected").unwrap_or_else(|| panic!("not serde's text: {error}"));
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
