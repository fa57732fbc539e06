//! The file that keeps how far a backfill is.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A file on the way to its name.
const UNFINISHED: &str = "new";

/// Keeps how far a backfill is, from one start to the next.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    /// What is read and where it goes: another backfill must not go on from here.
    of: String,
}

#[derive(Serialize, Deserialize)]
struct Kept<C> {
    of: String,
    cursor: C,
}

impl State {
    /// Keeps it in that file, else in one of its own in the user's folder of states.
    pub fn new(path: Option<&Path>, of: String) -> anyhow::Result<Self> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => folder(|name| std::env::var_os(name))?.join(file_name(&of)),
        };
        Ok(Self { path, of })
    }

    /// How far the last one came; none where there is none to go on from.
    pub fn load<C: DeserializeOwned>(&self) -> anyhow::Result<Option<C>> {
        let path = self.path.display();
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context(format!("{path} cannot be read")),
        };
        let kept: Kept<C> = serde_json::from_slice(&text)
            .with_context(|| format!("{path} keeps no state that this version can read: remove it to begin anew"))?;
        if kept.of != self.of {
            bail!("{path} keeps how far another backfill is ({}): remove it, or name another with --state", kept.of);
        }
        Ok(Some(kept.cursor))
    }

    /// Keeps how far this one is. A crash leaves the old state or the new one.
    pub fn save<C: Serialize>(&self, cursor: &C) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let unfinished = self.path.with_extension(UNFINISHED);
            let mut file = File::create(&unfinished)?;
            file.write_all(&serde_json::to_vec(&Kept { of: self.of.clone(), cursor })?)?;
            file.sync_all()?;
            fs::rename(unfinished, &self.path)
        };
        write().with_context(|| format!("{} cannot be written: name another with --state", self.path.display()))
    }

    /// It is done: the next one begins anew.
    pub fn remove(&self) -> anyhow::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// The user's folder of states: <https://specifications.freedesktop.org/basedir-spec/latest/>.
fn folder(variable: impl Fn(&str) -> Option<OsString>) -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let states = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Ok(states.context("neither XDG_STATE_HOME nor HOME is set: name a file with --state")?.join("throughline/backfill"))
}

/// What it is of, as far as it can stand in a name.
fn file_name(of: &str) -> String {
    const LONGEST: usize = 200;
    let plain = of.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(LONGEST);
    plain.chain(".json".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_kept_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        let state = State::new(Some(&path), "one".to_owned()).unwrap();
        assert_eq!(state.load::<u32>().unwrap(), None);
        state.save(&1).unwrap();
        state.save(&2).unwrap();
        assert_eq!(state.load::<u32>().unwrap(), Some(2));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        let other = State::new(Some(&path), "two".to_owned()).unwrap();
        assert!(other.load::<u32>().unwrap_err().to_string().contains("another backfill is (one)"));
        fs::write(&path, "{").unwrap();
        assert!(state.load::<u32>().unwrap_err().to_string().contains("begin anew"));
        state.remove().unwrap();
        state.remove().unwrap();
        assert_eq!(state.load::<u32>().unwrap(), None);
    }

    #[test]
    fn it_is_in_the_users_folder_of_states() {
        let of = |set: &'static [(&str, &str)]| {
            folder(move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())).ok()
        };
        assert_eq!(of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), Some("/s/throughline/backfill".into()));
        assert_eq!(of(&[("XDG_STATE_HOME", ""), ("HOME", "/h")]), Some("/h/.local/state/throughline/backfill".into()));
        assert_eq!(of(&[]), None);
        assert_eq!(file_name("github a/b ü"), "github-a-b--.json");
    }
}
