//! `state`: what a restored state costs, without Kafka.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use correlation::{Realm, changelog};
use serde::Serialize;

#[derive(Debug, Args)]
pub struct State {
    #[command(flatten)]
    load: crate::Load,
    /// Where the compacted changelog is kept: written where it does not exist, else only restored.
    #[arg(long)]
    file: PathBuf,
}

/// What it took.
#[derive(Debug, Default, Serialize)]
struct Found {
    commits: usize,
    records: usize,
    record_bytes: usize,
    read_s: f64,
    rebuild_s: f64,
    bytes_per_commit: f64,
}

impl State {
    pub fn run(&self) -> Result<()> {
        if !self.file.exists() {
            return self.write();
        }
        let mut file = BufReader::with_capacity(1 << 20, File::open(&self.file)?);
        let mut realms: BTreeMap<model::Realm, Realm> = BTreeMap::new();
        let mut found = Found::default();
        let before = crate::resident()?;
        let started = Instant::now();
        while let Some(key) = read(&mut file)? {
            let value = read(&mut file)?.context("a key without a value")?;
            found.records += 1;
            found.record_bytes += key.len() + value.len();
            let (name, key) = changelog::read_key(&key)?;
            let realm = realms.entry(name.clone()).or_insert_with(|| Realm::new(name));
            realm.restore(key, Some(&value))?;
        }
        found.read_s = started.elapsed().as_secs_f64();
        let started = Instant::now();
        realms.values_mut().for_each(Realm::restored);
        found.rebuild_s = started.elapsed().as_secs_f64();
        std::thread::sleep(std::time::Duration::from_secs(1));
        found.commits = realms.values().map(|realm| realm.sizes().commits).sum();
        found.bytes_per_commit = crate::resident()?.saturating_sub(before) as f64 / found.commits as f64;
        crate::finish(&found)
    }

    fn write(&self) -> Result<()> {
        let mut realms: BTreeMap<model::Realm, Realm> = BTreeMap::new();
        let mut kept: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut world = self.load.world();
        let mut left = self.load.events;
        while left > 0 {
            for event in world.by_ref().take(usize::try_from(left.min(2_000))?) {
                let name = event.realm.clone();
                realms.entry(name.clone()).or_insert_with(|| Realm::new(name)).apply(event);
            }
            left = left.saturating_sub(2_000);
            for realm in realms.values_mut() {
                for record in realm.derive()?.changelog {
                    match record.value {
                        Some(value) => drop(kept.insert(record.key, value)),
                        None => drop(kept.remove(&record.key)),
                    }
                }
            }
        }
        let mut file = BufWriter::new(File::create(&self.file)?);
        for (key, value) in &kept {
            for part in [key, value] {
                file.write_all(&u32::try_from(part.len())?.to_le_bytes())?;
                file.write_all(part)?;
            }
        }
        file.flush()?;
        println!("{} records", kept.len());
        Ok(())
    }
}

fn read(from: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
