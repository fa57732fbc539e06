//! What the benchmarks of the correlator are made of: optimised programs, the peer, and an installation of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use local_stack::Addresses;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::test::{cargo, root};

/// Partitions of the event topics: as many as the peer has threads.
pub const PARTITIONS: &str = "2";

/// The programs in release builds.
pub struct Programs {
    pub throughline: PathBuf,
    bench: PathBuf,
}

impl Programs {
    /// Builds them, or finds them built.
    pub fn build() -> Result<Self> {
        let mut command = Command::new(cargo());
        command.args(["build", "--release", "--quiet", "--package", "throughline", "--package", "bench-correlate"]);
        command.args(["--message-format", "json-render-diagnostics"]).current_dir(root()).stderr(Stdio::inherit());
        let output = command.output().context("cannot run cargo")?;
        ensure!(output.status.success(), "the release build failed; what cargo says is above");
        let said = String::from_utf8_lossy(&output.stdout);
        let mut found: BTreeMap<String, PathBuf> = said.lines().filter_map(executable).collect();
        let mut take = |name: &str| found.remove(name).with_context(|| format!("cargo did not say where `{name}` is"));
        Ok(Self { throughline: take("throughline")?, bench: take("bench-correlate")? })
    }

    /// Runs a command of `bench-correlate`; what its last line says.
    pub fn bench<T: DeserializeOwned>(&self, place: &Place<'_>, command: &str, arguments: &[&str]) -> Result<T> {
        let output = self.bench_command(place, command, arguments).output().context("cannot run bench-correlate")?;
        ensure!(output.status.success(), "`bench-correlate {command}` failed; what it says is above");
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().last().unwrap_or_default();
        serde_json::from_str(last)
            .with_context(|| format!("`bench-correlate {command}` printed something else: {last}"))
    }

    /// A command of `bench-correlate`, to be started.
    pub fn bench_command(&self, place: &Place<'_>, command: &str, arguments: &[&str]) -> Command {
        let mut program = Command::new(&self.bench);
        program.arg(command).args(["--brokers", &place.addresses.kafka, "--partitions", PARTITIONS]);
        program.args(["--prefix", &place.prefix()]).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
        program
    }
}

/// Name and path of an executable, in a line that cargo says about it.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(message["executable"].as_str()?)))
}

/// Where an installation is in Kafka.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    pub addresses: &'a Addresses,
    pub name: String,
}

impl Place<'_> {
    /// What the names of its topics begin with.
    pub fn prefix(&self) -> String {
        format!("{}.", self.name)
    }
}

/// What `bench-correlate feed` wrote.
#[derive(Debug, Deserialize)]
pub struct Fed {
    pub events: u64,
    pub components: usize,
    pub commits: u64,
    pub bytes: u64,
    pub commit_interval_ms: u64,
}

/// What `bench-correlate watch` found.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Taken {
    pub cpu_s: f64,
    pub wall_s: f64,
    pub per_cpu_s: f64,
    pub peak_bytes: u64,
}

/// A process that ends with this value.
pub struct Killed(Child);

impl Killed {
    pub fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().display().to_string();
        Ok(Self(command.spawn().with_context(|| format!("cannot run {program}"))?))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The peer on Kafka Streams, built by Maven outside of the work tree.
pub struct Peer {
    target: PathBuf,
}

impl Peer {
    /// Builds it; without the network where everything was fetched before.
    pub fn build() -> Result<Self> {
        let target = cache()?.join("kafka-streams-peer");
        let build = |offline: &[&str]| {
            let mut command = Command::new("mvn");
            command.args(["--batch-mode", "--quiet"]).args(offline).arg("package").arg("--file");
            command.arg(root().join("tests/peers/kafka-streams/pom.xml"));
            let mut target_of = std::ffi::OsString::from("-Dpeer.target=");
            target_of.push(&target);
            command.arg(target_of).stdin(Stdio::null());
            command.output().context("cannot run mvn: install Maven and a JDK, version 17 or later")
        };
        if build(&["--offline"])?.status.success() {
            return Ok(Self { target });
        }
        let output = build(&[])?;
        if !output.status.success() {
            bail!("Maven cannot build the peer:\n{}", String::from_utf8_lossy(&output.stdout).trim());
        }
        Ok(Self { target })
    }

    /// The peer, to be started: it reads the topics of `place` and writes to those that begin with `output`.
    pub fn command(
        &self,
        place: &Place<'_>,
        output: &str,
        state: &Path,
        commit_interval_ms: u64,
        store: &str,
    ) -> Command {
        let mut class_path = self.target.join("kafka-streams-peer.jar").into_os_string();
        class_path.push(":");
        class_path.push(self.target.join("libs/*"));
        let mut command = Command::new("java");
        // Of the collectors, this one took the least CPU time and memory.
        command.args(["-Xmx3g", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp"]);
        command.arg(class_path).arg("throughline.peer.Main");
        command.args(["--brokers", &place.addresses.kafka, "--input", &place.prefix(), "--output", output]);
        command.args(["--store", store, "--commit-interval", &commit_interval_ms.to_string(), "--schemas"]);
        command.arg(root().join("schemas/avro")).arg("--state").arg(state);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// Where things are kept that are fetched or made once, as the local stack's.
fn cache() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("THROUGHLINE_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("throughline")))
        .or_else(|| Some(variable("HOME")?.join(".cache").join("throughline")))
        .context("there is no folder for a cache: set THROUGHLINE_CACHE")
}
