//! Webhooks that were made and signed ahead. They lie in a file, so that sending them takes little time and little memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};

use anyhow::{Context, Result};
use load::{Shape, World};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::github::GitHub;
use crate::demo::sign_github;
use crate::installation::SECRET;

/// Webhooks that are read ahead of the sender.
const AHEAD: usize = 1_000;

/// Webhooks in a file, which ends with this value.
pub struct Prepared {
    file: File,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, usize>,
}

/// A webhook as it is sent.
#[derive(Debug)]
pub struct Signed {
    pub head: Head,
    pub body: Vec<u8>,
}

/// What its headers say, and the length of its body: a line in the file, in front of the body.
#[derive(Debug, Deserialize, Serialize)]
pub struct Head {
    pub event: String,
    pub delivery: String,
    pub signature: String,
    length: usize,
}

impl Prepared {
    /// The first `count` webhooks of an organisation with so many repositories.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn make(count: usize, repositories: usize, seed: u64) -> Result<Self> {
        let shape = Shape { realms: 1, components: repositories, ..Shape::delivery() };
        let mut github = GitHub::default();
        let webhooks = World::new(&shape, seed).filter_map(|event| github.tell(event)).take(count);
        let file = tempfile::tempfile().context("no temporary file for the webhooks")?;
        let (mut bytes, mut kinds) = (0, BTreeMap::new());
        let mut out = BufWriter::new(file);
        for webhook in webhooks {
            *kinds.entry(webhook.event).or_default() += 1;
            bytes += webhook.body.len() as u64;
            let head = Head {
                event: webhook.event.to_owned(),
                delivery: webhook.delivery,
                signature: sign_github(SECRET.as_bytes(), &webhook.body),
                length: webhook.body.len(),
            };
            serde_json::to_writer(&mut out, &head)?;
            out.write_all(b"\n")?;
            out.write_all(&webhook.body)?;
        }
        let file = out.into_inner().map_err(|error| error.into_error()).context("the webhooks cannot be written")?;
        // What the system would write later, it would write while something is measured.
        file.sync_all().context("the webhooks cannot be written")?;
        Ok(Self { file, bytes, kinds })
    }

    /// Reads them from the first on, ahead of whoever takes them.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(&self) -> Result<mpsc::Receiver<Result<Signed>>> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let (out, webhooks) = mpsc::channel(AHEAD);
        let mut lines = BufReader::new(file);
        let read = move || {
            while let Some(webhook) = next(&mut lines).transpose() {
                // Nobody wants more.
                if out.blocking_send(webhook).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("prepared".to_owned()).spawn(read)?;
        Ok(webhooks)
    }
}

fn next(file: &mut BufReader<File>) -> Result<Option<Signed>> {
    let mut line = String::new();
    if file.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let head: Head = serde_json::from_str(&line)?;
    let mut body = vec![0; head.length];
    file.read_exact(&mut body)?;
    Ok(Some(Signed { head, body }))
}
