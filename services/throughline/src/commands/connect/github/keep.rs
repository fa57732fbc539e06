//! The files with the key and the secret: for their owner alone, and never half written.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use tempfile::NamedTempFile;

/// A file that has its place before there is anything to write: what would go wrong, goes wrong before the App is made.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// Where it is written until it is whole. It is made for its owner alone, and goes where it is not kept.
    unfinished: NamedTempFile,
    replace: bool,
}

impl Place {
    /// Takes a place in a folder, which is made where it is not there.
    pub fn take(folder: &Path, name: &str, replace: bool) -> anyhow::Result<Self> {
        let unwritable = || format!("no file can be written in {}: name another folder with --into", folder.display());
        make(folder).with_context(unwritable)?;
        let path = folder.canonicalize().with_context(unwritable)?.join(name);
        if !replace && path.symlink_metadata().is_ok() {
            bail!("{} exists already: name another folder with --into, or replace it with --force", path.display());
        }
        let unfinished = NamedTempFile::new_in(folder).with_context(unwritable)?;
        Ok(Self { path, unfinished, replace })
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it.
    pub fn keep(mut self, secret: &SecretString) -> anyhow::Result<()> {
        let path = self.path.clone();
        let mut write = || {
            self.unfinished.write_all(secret.expose_secret().as_bytes())?;
            self.unfinished.as_file().sync_all()
        };
        write().and_then(|()| self.put()).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn put(self) -> io::Result<()> {
        let Self { path, unfinished, replace } = self;
        let kept = if replace { unfinished.persist(path) } else { unfinished.persist_noclobber(path) };
        kept.map(drop).map_err(|error| error.error)
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    fs::metadata(folder).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_for_its_owner_alone_and_is_replaced_only_by_force() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let place = Place::take(&folder, "s", false).unwrap();
        let path = place.path().to_owned();
        assert!(!path.exists());
        place.keep(&"one".into()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
        let error = Place::take(&folder, "s", false).unwrap_err().to_string();
        assert!(error.contains("--force"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        Place::take(&folder, "s", true).unwrap().keep(&"two".into()).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("two", 0o600));
        drop(Place::take(&folder, "t", false).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
