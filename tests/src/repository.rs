//! A repository of any length that never was, as the stream that `git fast-import` reads
//! (<https://git-scm.com/docs/git-fast-import>): some thousand files in folders of folders, one to five of them changed by a commit,
//! lines of work that are merged, and tags.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;

/// Folders at the top, folders in each of them, and files in each of those.
const AREAS: u32 = 20;
const MODULES: u32 = 20;
const FILES: u32 = 10;
/// One in so many times, work goes on beside the main line and is merged.
const MERGED: u32 = 12;
/// One commit in so many is tagged.
const TAGGED: u32 = 200;
const AUTHORS: u32 = 60;
/// Time of the first commit, in seconds since 1970.
const BEGIN: u64 = 1_400_000_000;

/// Makes a bare repository in a folder that is not there yet. The same seed gives the same.
///
/// # Errors
/// Where git cannot be run or refuses.
pub fn make(folder: &Path, commits: u32, seed: u64) -> Result<()> {
    let mut init = Command::new("git");
    let status = init.args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(folder).status();
    ensure!(status.context("git cannot be run")?.success(), "{} cannot be made a repository", folder.display());
    let mut import = Command::new("git");
    let mut import = import.arg("-C").arg(folder).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    let stream = import.stdin.take().context("fast-import reads nothing")?;
    write(commits, seed, io::BufWriter::new(stream))?;
    ensure!(import.wait()?.success(), "`git fast-import` failed");
    Ok(())
}

/// Writes the stream.
///
/// # Errors
/// Where it cannot be written.
pub fn write(commits: u32, seed: u64, out: impl Write) -> io::Result<()> {
    let mut maker = Maker { rng: Rng::with_seed(seed), out, last: 0, time: BEGIN };
    let mut tip = maker.commit(&[], Vec::new())?;
    while maker.last < commits {
        if maker.rng.u32(..MERGED) == 0 && maker.last + 8 < commits {
            tip = maker.beside(tip)?;
        } else {
            tip = maker.commit(&[tip], Vec::new())?;
        }
        if maker.rng.u32(..TAGGED) == 0 {
            maker.tag(tip)?;
        }
    }
    writeln!(maker.out, "reset refs/heads/main\nfrom :{tip}\n")?;
    maker.out.flush()
}

/// A path and what stands there.
type File = (String, String);

struct Maker<W> {
    rng: Rng,
    out: W,
    /// Mark of the last commit.
    last: u32,
    time: u64,
}

impl<W: Write> Maker<W> {
    /// Work beside the main line, while that goes on, and the merge; the new tip.
    fn beside(&mut self, from: u32) -> io::Result<u32> {
        let (mut side, mut brought) = (from, Vec::new());
        for _ in 0..self.rng.u32(1..=4) {
            let files = self.files();
            brought.extend(files.iter().cloned());
            side = self.commit(&[side], files)?;
        }
        let mut tip = from;
        for _ in 0..self.rng.u32(1..=2) {
            tip = self.commit(&[tip], Vec::new())?;
        }
        self.commit(&[tip, side], brought)
    }

    /// A commit on top of others that changes these files, or some by chance.
    fn commit(&mut self, parents: &[u32], files: Vec<File>) -> io::Result<u32> {
        let files = if files.is_empty() { self.files() } else { files };
        self.last += 1;
        self.time += self.rng.u64(60..7200);
        let (mark, time, author) = (self.last, self.time, self.rng.u32(..AUTHORS));
        let written = time - self.rng.u64(..600);
        let message = format!("Change {mark} (#{})\n", mark / 2 + 1);
        write!(
            self.out,
            "commit refs/heads/work\nmark :{mark}\nauthor A <author-{author}@example.org> {written} +0000\n\
             committer A <author-{author}@example.org> {time} +0000\ndata {}\n{message}",
            message.len()
        )?;
        for (index, parent) in parents.iter().enumerate() {
            writeln!(self.out, "{} :{parent}", if index == 0 { "from" } else { "merge" })?;
        }
        for (path, text) in files {
            writeln!(self.out, "M 100644 inline {path}\ndata {}\n{text}", text.len())?;
        }
        writeln!(self.out)?;
        Ok(mark)
    }

    /// Files near one another, with something new in them.
    fn files(&mut self) -> Vec<File> {
        let (area, module) = (self.rng.u32(..AREAS), self.rng.u32(..MODULES));
        let count = self.rng.u32(1..=5);
        let file = |_| {
            let path = format!("area-{area:02}/module-{module:02}/src/file-{:02}.rs", self.rng.u32(..FILES));
            (path, format!("{:016x}", self.rng.u64(..)))
        };
        (0..count).map(file).collect()
    }

    fn tag(&mut self, commit: u32) -> io::Result<()> {
        if self.rng.bool() {
            return writeln!(self.out, "reset refs/tags/v{commit}\nfrom :{commit}\n");
        }
        let time = self.time + 600;
        writeln!(self.out, "tag v{commit}\nfrom :{commit}\ntagger A <author-0@example.org> {time} +0000\ndata 1\nv")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_takes_it_and_it_is_as_long_as_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("shop.git");
        make(&repository, 1000, 1).unwrap();
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(&repository).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(git(&["rev-list", "--count", "main"]), ["1000"]);
        assert!(git(&["rev-list", "--merges", "main"]).len() > 10);
        assert!(!git(&["tag"]).is_empty());
        let own = git(&["log", "--merges", "--format=", "--name-only", "-c", "main"]);
        assert!(own.len() < 10, "merges bring lines together: {own:?}");
    }
}
