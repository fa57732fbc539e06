//! Measures Avro encoders and decoders on records of `ci.events`: `bench-avro RECORDS.jsonl ROUNDS`, one JSON object comes out.
//! `cargo xtask bench avro` gathers the records and shows what was found.
#![allow(clippy::print_stdout, reason = "this is the command line")]

mod contestants;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::time::Instant;

use anyhow::{Context, bail};
use model::event::{Body, CiEvent, Event};
use serde::Deserialize;
use serde_json::{Value, json};

use contestants::Schemas;

/// A round of fewer records is too short for the clock: it goes over them several times.
const FEWEST: usize = 10_000;

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    group: String,
    event: Event<Body>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rounds] = arguments.as_slice() else { bail!("usage: bench-avro RECORDS.jsonl ROUNDS") };
    let rounds: u32 = rounds.parse().ok().filter(|rounds| *rounds > 0).context("ROUNDS is a number from 1")?;
    let schemas = Schemas::new()?;
    let groups: Result<Vec<Value>, _> =
        read(file)?.iter().map(|(name, records)| measure(name, records, rounds, &schemas)).collect();
    println!("{}", json!({"bench": "avro", "rounds": rounds, "groups": groups?}));
    Ok(())
}

fn read(file: &str) -> anyhow::Result<BTreeMap<String, Vec<CiEvent>>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for line in BufReader::new(std::fs::File::open(file).with_context(|| format!("cannot read {file}"))?).lines() {
        let Line { group, event } = serde_json::from_str(&line?)?;
        let (head, body) = event.split();
        let Body::Ci(body) = body else { bail!("{file}: a record is none of ci.events") };
        groups.entry(group).or_default().push(head.map(|()| body));
    }
    Ok(groups)
}

/// Every contestant in every round, so that what else the machine does hits all alike.
fn measure(name: &str, records: &[CiEvent], rounds: u32, schemas: &Schemas) -> anyhow::Result<Value> {
    let mut contestants = contestants::all(schemas, records)?;
    let encoded = contestants::encode_all(records)?;
    for contestant in &mut contestants {
        contestant.check(records, &encoded).with_context(|| format!("{} on {name}", contestant.name()))?;
    }
    let passes = FEWEST.div_ceil(records.len());
    let mut times = vec![(Vec::new(), Vec::new()); contestants.len()];
    for _ in 0..rounds {
        for (contestant, (encode, decode)) in contestants.iter_mut().zip(&mut times) {
            encode.extend(time(passes, || contestant.encode(records))?);
            decode.extend(time(passes, || contestant.decode(&encoded))?);
        }
    }
    let spread = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let per_record = |time: Option<&f64>| time.map(|time| time / (records.len() * passes) as f64);
        Some(json!({"min": per_record(times.first())?, "median": per_record(times.get(times.len() / 2))?}))
    };
    let found: Vec<Value> = contestants
        .iter()
        .zip(&mut times)
        .map(|(of, (encode, decode))| json!({"name": of.name(), "encode": spread(encode), "decode": spread(decode)}))
        .collect();
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    Ok(json!({"group": name, "records": records.len(), "bytes": bytes, "contestants": found}))
}

/// Nanoseconds that it took; none where the contestant cannot do it.
fn time(passes: usize, mut work: impl FnMut() -> anyhow::Result<Option<usize>>) -> anyhow::Result<Option<f64>> {
    let started = Instant::now();
    for _ in 0..passes {
        if black_box(work()?).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(started.elapsed().as_nanos() as f64))
}
