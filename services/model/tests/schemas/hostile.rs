//! Bytes from elsewhere: our codec refuses them in peace.

use std::time::{Duration, Instant};

use apache_avro::schema::ResolvedSchema;
use apache_avro::writer::datum::GenericDatumWriter;
use model::codec::{self, Record};
use model::schema::{self, Subject};
use proptest::prelude::*;

use crate::values::{Fill, Shape};
use crate::{framed, parse, with_record_of};

/// Whether the bytes are a record of the subject. A panic fails the test.
fn is_read(subject: Subject, bytes: &[u8]) -> bool {
    fn decode<R: Record>(bytes: &[u8]) -> bool {
        codec::decode::<R>(bytes).is_ok()
    }
    with_record_of!(subject, decode(bytes))
}

/// Every kind of every subject, written in full.
fn samples() -> Vec<(Subject, u32, Vec<u8>)> {
    let mut samples = Vec::new();
    for schema in schema::all() {
        let avro = parse(schema);
        let names = ResolvedSchema::new(&avro).unwrap();
        let shape = Shape::new(&avro, &names);
        let writer = GenericDatumWriter::builder(&avro).build().unwrap();
        for kind in 0..shape.kinds().len().max(1) {
            let body = writer.write_value_to_vec(shape.value(Fill::Full(0), kind)).unwrap();
            samples.push((schema.line.subject, schema.line.id, body));
        }
    }
    samples
}

#[test]
fn what_is_cut_short_is_no_record() {
    for (subject, id, body) in samples() {
        let whole = framed(id, &body);
        assert!(is_read(subject, &whole));
        for length in 0..whole.len() {
            assert!(!is_read(subject, &whole[..length]), "{subject:?}: {length} of {} bytes", whole.len());
        }
    }
}

#[test]
fn ids_of_nobody_and_of_others_are_told() {
    let bytes = framed(3, &[]);
    let other = codec::decode::<model::event::ControlEvent>(&bytes).unwrap_err().to_string();
    assert_eq!(other, "schema id 3 belongs to `ci.events`, not to `control`");
    for id in [0, 14 + 1000, u32::MAX] {
        let unknown = codec::decode::<model::event::ControlEvent>(&framed(id, &[])).unwrap_err().to_string();
        assert!(unknown.starts_with(&format!("schema id {id} is unknown")), "{unknown}");
    }
    let unframed = codec::decode::<model::event::ControlEvent>(b"{\"realm\": 1}").unwrap_err().to_string();
    assert!(unframed.starts_with("12 bytes that do not start with a zero byte"), "{unframed}");
}

proptest! {
    #[test]
    fn noise_is_survived(id in 1..=u32::try_from(schema::all().len()).unwrap(), body in any::<Vec<u8>>()) {
        let subject = schema::by_id(id).unwrap().line.subject;
        is_read(subject, &framed(id, &body));
        is_read(subject, &body);
    }

    #[test]
    fn damage_is_survived(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        insert in any::<bool>(),
    ) {
        let samples = samples();
        let (subject, id, mut body) = which.get(&samples).clone();
        let place = place.index(body.len());
        if insert { body.insert(place, byte) } else { body[place] = byte }
        is_read(subject, &framed(id, &body));
    }
}

/// A length is a promise of the sender. Memory must follow the bytes that are there, not the promise.
#[test]
fn a_huge_length_takes_neither_memory_nor_time() {
    const MEMORY: u64 = 1 << 30;
    const LENGTHS: [i64; 6] = [1 << 20, 1 << 31, 1 << 40, i64::MAX, -(1 << 40), i64::MIN];
    let (before, started) = (peak(), Instant::now());
    for (subject, id, body) in samples() {
        for place in 0..body.len() {
            for length in LENGTHS {
                let hostile = [&body[..place], &varint(length), &varint(length), b"not so many bytes"].concat();
                is_read(subject, &framed(id, &hostile));
            }
        }
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    match (before, peak()) {
        (Some(before), Some(after)) => {
            assert!(after - before < MEMORY, "the process grew from {before} to {after} bytes")
        }
        _ => eprintln!("SKIPPED: the peak of memory is told by Linux only"),
    }
}

/// The largest address space that this process ever had, in bytes: memory that was asked for and never used counts.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?.trim().strip_suffix("kB")?.trim();
    Some(kib.parse::<u64>().ok()? * 1024)
}

/// Avro's way to write a number: zigzag, seven bits a byte.
fn varint(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}
