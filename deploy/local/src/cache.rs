//! The cache: what was installed, and the folders in which stacks run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::programs::{self, APT, MAVEN, NPM};
use crate::{clickhouse, kafka, prometheus};

const POM: &str = include_str!("../pom.xml");
const PACKAGE: &str = include_str!("../package.json");
const PACKAGE_LOCK: &str = include_str!("../package-lock.json");
const NPMRC: &str = include_str!("../.npmrc");

pub(crate) struct Cache {
    root: PathBuf,
}

/// An installed Kafka.
pub(crate) struct Kafka {
    /// Class path for `java -cp`.
    pub(crate) class_path: PathBuf,
    /// A formatted, empty log directory to copy: formatting takes a JVM of its own and a second.
    pub(crate) formatted: PathBuf,
}

impl Cache {
    /// Opens the cache of this user and makes its folders.
    pub(crate) fn open() -> Result<Cache, Error> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = variable("THROUGHLINE_CACHE")
            .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("throughline")))
            .or_else(|| Some(variable("HOME")?.join(".cache").join("throughline")))
            .ok_or(Error::NoCache)?;
        let root = std::path::absolute(&root).map_err(Error::file("find", &root))?;
        let run = root.join("run");
        std::fs::create_dir_all(&run).map_err(Error::file("create", &run))?;
        Ok(Cache { root })
    }

    /// Where stacks run.
    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Kafka, fetched if this version is not here yet.
    pub(crate) fn kafka(&self, progress: &dyn Fn(&str)) -> Result<Kafka, Error> {
        let home = self.install("kafka", &fingerprint(&[POM, kafka::FORMAT_PROPERTIES]), |folder| {
            progress("fetching Kafka 4.1.0 from Maven Central (45 MB) ...");
            let maven = MAVEN.find()?;
            write(&folder.join("pom.xml"), POM)?;
            // `-C`: a file whose checksum is wrong is an error.
            programs::run(Command::new(maven).current_dir(folder).args([
                "-q",
                "-B",
                "-C",
                "dependency:copy-dependencies",
            ]))?;
            kafka::format(folder, &class_path(folder))
        })?;
        Ok(Kafka { class_path: class_path(&home), formatted: home.join(kafka::FORMATTED) })
    }

    /// ClickHouse, fetched if this version is not here yet: the path of the shared library.
    pub(crate) fn clickhouse(&self, progress: &dyn Fn(&str)) -> Result<PathBuf, Error> {
        let package = package()?;
        let home = self.install("clickhouse", &fingerprint(&[PACKAGE_LOCK, package]), |folder| {
            progress("fetching ClickHouse 26.7 from npm (566 MB unpacked) ...");
            let npm = NPM.find()?;
            write(&folder.join("package.json"), PACKAGE)?;
            write(&folder.join("package-lock.json"), PACKAGE_LOCK)?;
            write(&folder.join(".npmrc"), NPMRC)?;
            programs::run(Command::new(npm).current_dir(folder).args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ]))?;
            // An optional dependency that does not fit is no error to npm.
            library(folder, package).metadata().map(drop).map_err(Error::file("find", &library(folder, package)))
        })?;
        Ok(library(&home, package))
    }

    /// Prometheus and Alertmanager out of Debian's packages, of the version that this machine's lists of packages have: the folder
    /// into which they were unpacked. Where there is no Debian, `missing` is the error.
    pub(crate) fn prometheus(&self, missing: Error, progress: &dyn Fn(&str)) -> Result<PathBuf, Error> {
        let [server, alertmanager] = prometheus::PACKAGES;
        let fingerprint = fingerprint(&[server, alertmanager, prometheus::UNPACKED_TEMPLATES]);
        self.install("prometheus", &fingerprint, |folder| {
            let apt = APT.find().map_err(|_| missing)?;
            progress("fetching Prometheus and Alertmanager from Debian's packages (30 MB) ...");
            programs::run(Command::new(apt).current_dir(folder).args(["-q", "download"]).args(prometheus::PACKAGES))?;
            let files = std::fs::read_dir(folder).map_err(Error::file("list", folder))?.flatten();
            let packages: Vec<PathBuf> = files.map(|file| file.path()).collect();
            for package in packages {
                programs::run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(folder))?;
                std::fs::remove_file(&package).map_err(Error::file("delete", &package))?;
            }
            prometheus::relocate(folder)
        })
    }

    /// Makes the folder `name-fingerprint` by `fill`, once. A folder of that name is whole: it is filled under another name,
    /// and one process at a time fills it.
    fn install(
        &self,
        name: &str,
        fingerprint: &str,
        fill: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let home = self.root.join(format!("{name}-{fingerprint}"));
        if home.is_dir() {
            return Ok(home);
        }
        let _guard = lock(&self.root.join(format!("{name}.lock")))?;
        if home.is_dir() {
            return Ok(home);
        }
        let prefix = format!("{name}.partial-");
        for entry in std::fs::read_dir(&self.root).map_err(Error::file("list", &self.root))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                remove(&entry.path())?;
            }
        }
        // A new name each time: what an interrupted installation still runs may be writing under the old one.
        let partial = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&self.root)
            .map_err(Error::file("create a folder in", &self.root))?;
        fill(partial.path())?;
        std::fs::rename(partial.path(), &home).map_err(Error::file("rename", partial.path()))?;
        Ok(home)
    }
}

/// Names the versions of both servers and how they are configured: a shared stack of another one is not reused.
pub(crate) fn version() -> String {
    fingerprint(&[
        POM,
        PACKAGE_LOCK,
        include_str!("kafka.rs"),
        include_str!("clickhouse.rs"),
        clickhouse::SHIPPED_USERS,
    ])
}

fn fingerprint(contents: &[&str]) -> String {
    let mut hash = Sha256::new();
    for content in contents {
        hash.update(content.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn class_path(home: &Path) -> PathBuf {
    home.join("libs").join("*")
}

fn library(home: &Path, package: &str) -> PathBuf {
    home.join("node_modules").join(package).join("libchdb.so")
}

fn package() -> Result<&'static str, Error> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("@chdb/lib-linux-x64-gnu"),
        ("linux", "aarch64") => Ok("@chdb/lib-linux-arm64-gnu"),
        ("macos", "x86_64") => Ok("@chdb/lib-darwin-x64"),
        ("macos", "aarch64") => Ok("@chdb/lib-darwin-arm64"),
        (system, processor) => Err(Error::Platform(format!("{system} on {processor}"))),
    }
}

/// Locks a file, made if need be, against all other processes until the result is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("create", path))?;
    file.lock().map_err(Error::file("lock", path))?;
    Ok(file)
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(Error::file("write", path))
}

/// Deletes a folder and what is in it; one that is not there is fine.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("delete", folder)(error)),
        _ => Ok(()),
    }
}
