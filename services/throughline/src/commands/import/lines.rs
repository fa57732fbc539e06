//! Files as chunks of numbered lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::sync::mpsc;

/// The longest line that is taken, in bytes: what the inbox takes, less what is kept beside the body.
pub const LONGEST: usize = 31 * 1024 * 1024;

const CHUNK_LINES: usize = 1024;
const CHUNK_BYTES: usize = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Consecutive lines of one file.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Name of the file, for people.
    pub file: String,
    /// Number of the first line, from 1.
    pub first: u64,
    pub lines: Vec<Line>,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Text(Vec<u8>),
    /// Nothing but white space.
    Blank,
    /// Too long to be held.
    TooLong,
}

/// Reads the files one after the other into the channel, until its other end is dropped.
///
/// # Errors
/// Where a file cannot be read.
pub fn read(files: &[PathBuf], chunks: &mpsc::Sender<Chunk>) -> anyhow::Result<()> {
    for path in files {
        let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
        let read = if path == Path::new("-") {
            read_one(&name, io::stdin().lock(), chunks)
        } else {
            File::open(path).and_then(|file| read_one(&name, BufReader::with_capacity(256 * 1024, file), chunks))
        };
        read.with_context(|| format!("{name} cannot be read"))?;
    }
    Ok(())
}

fn read_one(name: &str, mut input: impl BufRead, chunks: &mpsc::Sender<Chunk>) -> io::Result<()> {
    let (mut number, mut first) = (1, true);
    loop {
        let mut chunk = Chunk { file: name.to_owned(), first: number, lines: Vec::new() };
        let mut bytes = 0;
        while chunk.lines.len() < CHUNK_LINES && bytes < CHUNK_BYTES {
            let Some(line) = next_line(&mut input, std::mem::take(&mut first))? else { break };
            bytes += if let Line::Text(text) = &line { text.len() } else { 0 };
            chunk.lines.push(line);
        }
        number += u64::try_from(chunk.lines.len()).unwrap_or(u64::MAX);
        if chunk.lines.is_empty() || chunks.blocking_send(chunk).is_err() {
            return Ok(());
        }
    }
}

/// The next line; none at the end. A byte order mark is no part of the first.
fn next_line(input: &mut impl BufRead, first: bool) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let limit = u64::try_from(LONGEST + 2).unwrap_or(u64::MAX);
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if !line.ends_with(b"\n") && line.len() > LONGEST {
        input.skip_until(b'\n')?;
        return Ok(Some(Line::TooLong));
    }
    if first && line.starts_with(BYTE_ORDER_MARK) {
        line.drain(..BYTE_ORDER_MARK.len());
    }
    while line.last().is_some_and(u8::is_ascii_whitespace) {
        line.pop();
    }
    Ok(Some(if line.is_empty() { Line::Blank } else { Line::Text(line) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(input: &[u8]) -> Vec<Chunk> {
        let (sender, mut receiver) = mpsc::channel(1000);
        read_one("f", input, &sender).unwrap();
        drop(sender);
        std::iter::from_fn(|| receiver.blocking_recv()).collect()
    }

    #[test]
    fn lines_are_numbered_and_clean() {
        let chunks = chunks(b"\xef\xbb\xbf{}\r\n\n  \n{\"a\":1}");
        let text = |text: &str| Line::Text(text.as_bytes().to_vec());
        let lines = vec![text("{}"), Line::Blank, Line::Blank, text("{\"a\":1}")];
        assert_eq!(chunks, [Chunk { file: "f".into(), first: 1, lines }]);
    }

    #[test]
    fn chunks_go_on_counting() {
        let chunks = chunks(&b"{}\n".repeat(2 * CHUNK_LINES + 1));
        let places: Vec<_> = chunks.iter().map(|chunk| (chunk.first, chunk.lines.len())).collect();
        assert_eq!(places, [(1, 1024), (1025, 1024), (2049, 1)]);
    }

    #[test]
    fn a_line_that_never_ends_is_not_held() {
        let mut input = vec![b'x'; LONGEST + 100];
        input.extend_from_slice(b"\n{}\n");
        assert_eq!(chunks(&input)[0].lines, [Line::TooLong, Line::Text(b"{}".to_vec())]);
    }
}
