//! What a test fetches once from a package registry, in the cache of the local stack.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder `name` of the cache, filled by `fill` if it is not there. One process at a time fills it, beside that place: a folder of
/// that name is whole. Another version of what is in it is another name.
///
/// # Errors
/// Where no cache can be had, or as `fill` fails.
pub fn folder(name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("THROUGHLINE_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("throughline")))
        .or_else(|| Some(variable("HOME")?.join(".cache/throughline")))
        .context("one of THROUGHLINE_CACHE, XDG_CACHE_HOME and HOME must be set")?;
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    let (home, lock) = (cache.join(name), cache.join(format!("{name}.lock")));
    let guard = File::create(&lock).with_context(|| format!("{} cannot be made", lock.display()))?;
    guard.lock().with_context(|| format!("{} cannot be locked", lock.display()))?;
    if !home.is_dir() {
        let partial = tempfile::Builder::new().prefix(&format!("{name}.partial-")).tempdir_in(&cache)?;
        fill(partial.path())?;
        fs::rename(partial.path(), &home).with_context(|| format!("{} cannot be made", home.display()))?;
    }
    Ok(home)
}
