//! The ways to and from Avro. Each is used as its documentation advises, with everything that can be prepared prepared.

use std::hint::black_box;

use anyhow::{Context, ensure};
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use model::codec;
use model::event::CiEvent;
use model::schema::{self, Subject};
use serde_avro_fast::ser::SerializerConfig;

/// Room for a record, as the codec takes it.
const ROOM: usize = 256;
/// Magic byte and schema id.
const HEADER: usize = 5;

/// The schema of `ci.events`, as each library wants it.
pub struct Schemas {
    fast: serde_avro_fast::Schema,
    apache: apache_avro::Schema,
    /// With the record named as the Rust type is: the reference's direct way compares the names.
    apache_renamed: apache_avro::Schema,
}

impl Schemas {
    /// Parses them.
    pub fn new() -> anyhow::Result<Self> {
        let text = schema::latest(Subject::CiEvents).context("no schema of ci.events")?.text;
        let renamed = text.replacen("\"CiEvent\"", "\"Event\"", 1);
        Ok(Self {
            fast: text.parse()?,
            apache: apache_avro::Schema::parse_str(text)?,
            apache_renamed: apache_avro::Schema::parse_str(&renamed)?,
        })
    }
}

/// One way to and from Avro. The encoded form is the wire format of the topics; the header costs all alike.
pub trait Contestant {
    /// What it is called in the table.
    fn name(&self) -> &'static str;
    /// Encodes every record and returns the sum of the lengths; none where it only decodes.
    fn encode(&mut self, records: &[CiEvent]) -> anyhow::Result<Option<usize>>;
    /// Decodes every record and returns how many there were; none where it only encodes.
    fn decode(&mut self, encoded: &[Vec<u8>]) -> anyhow::Result<Option<usize>>;

    /// Fails where it does not do the whole work: the lengths differ, or a record is lost.
    fn check(&mut self, records: &[CiEvent], encoded: &[Vec<u8>]) -> anyhow::Result<()> {
        let lengths: usize = encoded.iter().map(Vec::len).sum();
        ensure!(self.encode(records)?.is_none_or(|sum| sum == lengths), "it encodes other lengths");
        ensure!(self.decode(encoded)?.is_none_or(|count| count == records.len()), "it decodes another number");
        Ok(())
    }
}

/// The records in the wire format.
pub fn encode_all(records: &[CiEvent]) -> anyhow::Result<Vec<Vec<u8>>> {
    Ok(records.iter().map(codec::encode).collect::<Result<_, _>>()?)
}

/// All of them, ours first.
pub fn all<'a>(schemas: &'a Schemas, records: &'a [CiEvent]) -> anyhow::Result<Vec<Box<dyn Contestant + 'a>>> {
    let (apache, renamed) = (&schemas.apache, &schemas.apache_renamed);
    let reader = GenericDatumReader::builder(apache).build()?;
    let values = records
        .iter()
        .map(|record| Ok(reader.read_value(&mut &codec::encode(record)?[HEADER..])?))
        .collect::<anyhow::Result<_>>()?;
    Ok(vec![
        Box::new(Ours),
        Box::new(FastKept { config: SerializerConfig::new(&schemas.fast) }),
        Box::new(ApacheSerde {
            writer: GenericDatumWriter::builder(renamed).build()?,
            reader: GenericDatumReader::builder(renamed).build()?,
        }),
        Box::new(ApacheValue { writer: GenericDatumWriter::builder(apache).validate(false).build()?, reader, values }),
    ])
}

/// `model::codec`: `serde_avro_fast`, with the look-up of the schema.
struct Ours;

impl Contestant for Ours {
    fn name(&self) -> &'static str {
        "model::codec (serde_avro_fast)"
    }

    fn encode(&mut self, records: &[CiEvent]) -> anyhow::Result<Option<usize>> {
        let mut sum = 0;
        for record in records {
            sum += black_box(codec::encode(record)?).len();
        }
        Ok(Some(sum))
    }

    fn decode(&mut self, encoded: &[Vec<u8>]) -> anyhow::Result<Option<usize>> {
        for bytes in encoded {
            black_box(codec::decode::<CiEvent>(bytes)?);
        }
        Ok(Some(encoded.len()))
    }
}

/// `serde_avro_fast` with its buffers kept from record to record, as its documentation advises for encoding.
struct FastKept<'s> {
    config: SerializerConfig<'s>,
}

impl Contestant for FastKept<'_> {
    fn name(&self) -> &'static str {
        "serde_avro_fast, buffers kept"
    }

    fn encode(&mut self, records: &[CiEvent]) -> anyhow::Result<Option<usize>> {
        let mut sum = 0;
        for record in records {
            let bytes = serde_avro_fast::to_datum(record, header(), &mut self.config)?;
            sum += black_box(bytes).len();
        }
        Ok(Some(sum))
    }

    fn decode(&mut self, _: &[Vec<u8>]) -> anyhow::Result<Option<usize>> {
        Ok(None)
    }
}

/// The reference, from record to bytes and back by serde and the schema, without its generic value.
struct ApacheSerde<'s> {
    writer: GenericDatumWriter<'s>,
    reader: GenericDatumReader<'s>,
}

impl Contestant for ApacheSerde<'_> {
    fn name(&self) -> &'static str {
        "apache-avro, by serde"
    }

    fn encode(&mut self, records: &[CiEvent]) -> anyhow::Result<Option<usize>> {
        let mut sum = 0;
        for record in records {
            let mut bytes = header();
            self.writer.write_ser(&mut bytes, record)?;
            sum += black_box(bytes).len();
        }
        Ok(Some(sum))
    }

    fn decode(&mut self, encoded: &[Vec<u8>]) -> anyhow::Result<Option<usize>> {
        for bytes in encoded {
            black_box(self.reader.read_deser::<CiEvent>(&mut &bytes[HEADER..])?);
        }
        Ok(Some(encoded.len()))
    }
}

/// The reference, between bytes and its generic value only. The other half of that way, between value and record, does not work for
/// these records: it takes the aliases of a kind for kinds. So this is less than the whole work.
struct ApacheValue<'s> {
    writer: GenericDatumWriter<'s>,
    reader: GenericDatumReader<'s>,
    values: Vec<Value>,
}

impl Contestant for ApacheValue<'_> {
    fn name(&self) -> &'static str {
        "apache-avro, bytes and Value only"
    }

    fn encode(&mut self, _: &[CiEvent]) -> anyhow::Result<Option<usize>> {
        let mut sum = 0;
        for value in &self.values {
            let mut bytes = header();
            self.writer.write_value_ref(&mut bytes, value)?;
            sum += black_box(bytes).len();
        }
        Ok(Some(sum))
    }

    fn decode(&mut self, encoded: &[Vec<u8>]) -> anyhow::Result<Option<usize>> {
        for bytes in encoded {
            black_box(self.reader.read_value(&mut &bytes[HEADER..])?);
        }
        Ok(Some(encoded.len()))
    }
}

/// A new record's bytes, with the header written.
fn header() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    bytes.extend([0; HEADER]);
    bytes
}
