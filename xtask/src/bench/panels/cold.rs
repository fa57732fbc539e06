//! Forgetting what was read before.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::server::{Parameters, Server};

/// Caches of ClickHouse that would spare it reading.
const CACHES: [&str; 5] =
    ["MARK CACHE", "UNCOMPRESSED CACHE", "INDEX MARK CACHE", "PRIMARY INDEX CACHE", "QUERY CONDITION CACHE"];

/// Makes ClickHouse and the system forget the tables whose parts are below `data`.
pub async fn forget(server: &Server, data: &Path) -> Result<()> {
    for cache in CACHES {
        server.run(&format!("SYSTEM DROP {cache}"), &Parameters::new()).await?;
    }
    let data = data.join("store");
    tokio::task::spawn_blocking(move || files(&data)?.iter().try_for_each(|file| drop_pages(file))).await?
}

/// All files below a folder. What is gone by the time it is looked at was merged into something else.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Asks the system to forget what it holds of a file; what was not yet written to the disk stays.
#[cfg(target_os = "linux")]
fn drop_pages(path: &Path) -> Result<()> {
    use rustix::fs::{Advice, fadvise};
    let Ok(file) = File::open(path) else { return Ok(()) };
    fadvise(&file, 0, None, Advice::DontNeed).with_context(|| format!("{} stays in memory", path.display()))
}

#[cfg(not(target_os = "linux"))]
fn drop_pages(_: &Path) -> Result<()> {
    anyhow::bail!("this system cannot be asked to forget a file: measure with --cold 0")
}
