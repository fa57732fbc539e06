//! Histories: what happened and when, as lines of the import format; and the CSV files that they are read from.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use model::event::{Actor, ActorKind, Body, CommitInfo, Commits};
use model::{CommitId, Repository, Timestamp};
use serde::Deserialize;

/// How many commits an event holds.
const CHUNK: usize = 50;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What.
    pub body: Body,
}

impl Told {
    /// One line of the import format.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn line(&self) -> Result<String> {
        Ok(serde_json::to_string(&serde_json::json!({ "occurred_at": self.at, "body": self.body }))?)
    }
}

/// A commit with its parents, separated by spaces, and its times in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct CommitRow<'a> {
    /// Full id.
    pub id: &'a str,
    /// Parents in order.
    pub parents: &'a str,
    /// Author time.
    pub authored: i64,
    /// Commit time.
    pub committed: i64,
    /// What stands for the author.
    pub author: &'a str,
}

impl CommitRow<'_> {
    fn info(&self) -> CommitInfo {
        CommitInfo {
            parents: Some(self.parents.split_whitespace().map(CommitId::new).collect()),
            authored_at: Some(Timestamp::from_seconds(self.authored)),
            committed_at: Some(Timestamp::from_seconds(self.committed)),
            author: Actor { key: Some(self.author.to_owned()), kind: ActorKind::Unknown },
            ..CommitInfo::new(CommitId::new(self.id))
        }
    }
}

/// Bare commits, as an import of a clone tells them: some at once, when the last of them was made.
pub fn commits<'a>(repository: &'a Repository, rows: &'a [CommitRow<'a>]) -> impl Iterator<Item = Told> + use<'a> {
    rows.chunks(CHUNK).map(|chunk| {
        let at = chunk.iter().map(|row| row.committed).max().unwrap_or_default();
        let commits = chunk.iter().map(CommitRow::info).collect();
        Told { at: Timestamp::from_seconds(at), body: Commits { repository: repository.clone(), commits }.into() }
    })
}

/// Names of the folders in a folder that hold a file of this name, plain or gzipped.
///
/// # Errors
/// Where the folder cannot be read or there is none.
pub fn folders_with(folder: &Path, file: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| exists(&entry.path().join(file)))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    if names.is_empty() {
        bail!("{} holds no folder with {file} or {file}.gz", folder.display());
    }
    Ok(names)
}

/// Whether there is such a file, plain or with `.gz` behind its name.
#[must_use]
pub fn exists(path: &Path) -> bool {
    path.is_file() || zipped(path).is_file()
}

/// Rows of a CSV file, plain or with `.gz` behind its name.
///
/// # Errors
/// Where neither can be opened, or a row cannot be read, with the name of the file.
pub fn rows<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let zipped = zipped(path);
    let (path, reader): (&Path, Box<dyn Read>) = if !path.is_file() && zipped.is_file() {
        (&zipped, Box::new(GzDecoder::new(open(&zipped)?)))
    } else {
        (path, Box::new(open(path)?))
    };
    csv::Reader::from_reader(reader)
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} cannot be read", path.display()))
}

fn zipped(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.gz", path.display()))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("{} cannot be opened", path.display()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Writes a file of a history that is made up.
    pub(crate) fn write(folder: &Path, file: &str, text: &str) {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if file.ends_with(".gz") {
            let mut encoder = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap();
        } else {
            std::fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn plain_and_gzipped_files_read_alike_and_errors_name_them() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "plain.csv", "a,b\n1,x\n");
        write(folder.path(), "zipped.csv.gz", "a,b\n1,x\n");
        write(folder.path(), "wrong.csv", "a,b\nx,x\n");
        let read = |name: &str| rows::<(u32, String)>(&folder.path().join(name));
        assert_eq!(read("plain.csv").unwrap(), [(1, "x".to_owned())]);
        assert_eq!(read("zipped.csv").unwrap(), read("plain.csv").unwrap());
        assert!(read("wrong.csv").unwrap_err().to_string().contains("wrong.csv"));
        assert!(read("missing.csv").unwrap_err().to_string().contains("missing.csv"));
    }

    #[test]
    fn folders_are_told_by_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        assert!(folders_with(folder.path(), "rows.csv").is_err());
        write(folder.path(), "b/rows.csv", "");
        write(folder.path(), "a/rows.csv.gz", "");
        write(folder.path(), "c/other.csv", "");
        assert_eq!(folders_with(folder.path(), "rows.csv").unwrap(), ["a", "b"]);
    }

    #[test]
    fn commits_are_told_some_at_once() {
        let row = CommitRow { id: "c", parents: "a b", authored: 5, committed: 7, author: "x" };
        let repository = Repository::new("example.org/shop");
        let told: Vec<Told> = commits(&repository, &[row; CHUNK + 1]).collect();
        assert_eq!(told.len(), 2);
        assert_eq!(told[1].at, Timestamp(7000));
        let line: serde_json::Value = serde_json::from_str(&told[1].line().unwrap()).unwrap();
        let commit = &line["body"]["Commits"]["commits"][0];
        assert_eq!((&commit["parents"], &commit["authored_at"]), (&serde_json::json!(["a", "b"]), &5000.into()));
    }
}
