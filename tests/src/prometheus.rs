//! What is shipped for Prometheus and Alertmanager, and their tools.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use local_stack::PrometheusPrograms;

/// The folder of what belongs to Prometheus.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus")
}

/// Configuration of Alertmanager.
#[must_use]
pub fn alertmanager() -> PathBuf {
    folder().join("../alertmanager/alertmanager.yml")
}

/// Prometheus, Alertmanager and their tools.
///
/// # Errors
/// Where they are not installed, and cannot be fetched on this machine.
pub fn programs(progress: &dyn Fn(&str)) -> Result<PrometheusPrograms, local_stack::Error> {
    PrometheusPrograms::find(progress)
}

/// What a tool says of something that is as it should be.
///
/// # Errors
/// Where it finds a fault: what it says of that.
pub fn ask<A: AsRef<OsStr>>(tool: &Path, arguments: impl IntoIterator<Item = A>) -> Result<String> {
    let output = Command::new(tool).args(arguments).output();
    let output = output.with_context(|| format!("{} does not run", tool.display()))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if !output.status.success() {
        bail!("{said}");
    }
    Ok(said)
}

/// The files of a folder that end so, in the order of their names.
///
/// # Errors
/// Where the folder cannot be read, or has none.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    if files.is_empty() {
        bail!("{} has no file .{extension}", folder.display());
    }
    Ok(files)
}
