//! Other people's programs (`java`, `mvn`, `npm`), and our own two.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::error::{Error, tail};

/// A program that must be on the machine.
pub(crate) struct Tool {
    name: &'static str,
    purpose: &'static str,
    install: &'static str,
}

pub(crate) const JAVA: Tool = Tool {
    name: "java",
    purpose: "to run Apache Kafka (version 17 or later)",
    install: "Debian and Ubuntu `apt-get install default-jdk-headless`, macOS `brew install openjdk@17`",
};
pub(crate) const MAVEN: Tool = Tool {
    name: "mvn",
    purpose: "to fetch Apache Kafka from Maven Central",
    install: "Debian and Ubuntu `apt-get install maven`, macOS `brew install maven`",
};
pub(crate) const NPM: Tool = Tool {
    name: "npm",
    purpose: "to fetch ClickHouse (the package @chdb/lib-*)",
    install: "Debian and Ubuntu `apt-get install nodejs npm`, macOS `brew install node`",
};
const PROMETHEUS_AND_ALERTMANAGER: &str =
    "Debian `apt-get install prometheus prometheus-alertmanager`, macOS `brew install prometheus alertmanager`";
pub(crate) const PROMETHEUS: Tool = Tool {
    name: "prometheus",
    purpose: "to have alerts evaluated by a real Prometheus (version 2.42 or later)",
    install: PROMETHEUS_AND_ALERTMANAGER,
};
pub(crate) const PROMTOOL: Tool = Tool {
    name: "promtool",
    purpose: "to check and test rules of Prometheus (version 2.42 or later)",
    install: PROMETHEUS_AND_ALERTMANAGER,
};
pub(crate) const ALERTMANAGER: Tool = Tool {
    name: "alertmanager",
    purpose: "to have alerts routed by a real Alertmanager (version 0.25 or later)",
    install: PROMETHEUS_AND_ALERTMANAGER,
};
/// Debian has it under another name.
pub(crate) const ALERTMANAGER_OF_DEBIAN: Tool = Tool { name: "prometheus-alertmanager", ..ALERTMANAGER };
pub(crate) const AMTOOL: Tool = Tool {
    name: "amtool",
    purpose: "to check and test routes of Alertmanager (version 0.25 or later)",
    install: PROMETHEUS_AND_ALERTMANAGER,
};
pub(crate) const APT: Tool = Tool {
    name: "apt-get",
    purpose: "to fetch Debian's packages of Prometheus and Alertmanager",
    install: PROMETHEUS_AND_ALERTMANAGER,
};

impl Tool {
    /// Where the tool is. `JAVA_HOME` goes before the `PATH`, as everywhere in the Java world.
    pub(crate) fn find(&self) -> Result<PathBuf, Error> {
        let java_home = std::env::var_os("JAVA_HOME").filter(|home| self.name == "java" && !home.is_empty());
        let path = std::env::var_os("PATH").unwrap_or_default();
        java_home
            .map(|home| Path::new(&home).join("bin"))
            .into_iter()
            .chain(std::env::split_paths(&path))
            .map(|folder| folder.join(self.name))
            .find(|program| program.is_file())
            .ok_or(Error::MissingTool { tool: self.name, purpose: self.purpose, install: self.install })
    }
}

/// Runs a command to its end; what it printed comes back only in the error.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_owned();
    let output = command.stdin(Stdio::null()).output().map_err(Error::file("run", Path::new(&program)))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    let arguments: Vec<&OsStr> = command.get_args().collect();
    Err(Error::Tool {
        command: format!("{} {}", program.display(), arguments.join(OsStr::new(" ")).display()),
        status: output.status,
        output: tail(&String::from_utf8_lossy(&printed), 20),
    })
}

/// Our own two programs.
pub(crate) struct Helpers {
    pub(crate) keeper: PathBuf,
    pub(crate) chdb_server: PathBuf,
}

impl Helpers {
    /// Finds them beside the running executable, or builds them to there.
    pub(crate) fn find_or_build() -> Result<Helpers, Error> {
        let executable = std::env::current_exe().map_err(Error::file("find", Path::new("the running executable")))?;
        let folder = executable.parent().unwrap_or(Path::new("."));
        // Tests and examples run one folder below the programs.
        let folder = match folder.file_name().and_then(OsStr::to_str) {
            Some("deps" | "examples") => folder.parent().unwrap_or(folder),
            _ => folder,
        };
        let helpers = Helpers { keeper: folder.join("stack-keeper"), chdb_server: folder.join("chdb-server") };
        if !helpers.are_current() {
            build(folder)?;
        }
        Ok(helpers)
    }

    /// Whether both are there and no source is newer. An installation without sources is taken as it is.
    fn are_current(&self) -> bool {
        let Some(oldest) = modified(&self.keeper).zip(modified(&self.chdb_server)).map(|(a, b)| a.min(b)) else {
            return false;
        };
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        [sources.join("bin"), sources]
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .filter_map(|entry| modified(&entry.ok()?.path()))
            .all(|source| source <= oldest)
    }
}

/// When a file was last changed; `None` for what is no file.
fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok().filter(|metadata| metadata.is_file())?.modified().ok()
}

/// Builds the two programs into `folder`, the folder of a cargo profile such as `target/debug`.
fn build(folder: &Path) -> Result<(), Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile = folder.file_name().and_then(OsStr::to_str).unwrap_or("debug");
    let profile = if profile == "debug" { "dev" } else { profile };
    run(Command::new(cargo)
        .args(["build", "--quiet", "--bins", "--profile", profile, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder.parent().unwrap_or(folder)))
}
