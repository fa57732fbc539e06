//! `throughline catalog suggest`: a catalog from what has arrived.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::{last, owners, say, survey};
use crate::catalog::CatalogText;
use crate::cli::CatalogSuggest;

pub fn run(file: Option<&Path>, arguments: &CatalogSuggest) -> anyhow::Result<ExitCode> {
    // Before the long work, what would make it vain.
    if let Some(path) = arguments.write.as_ref().filter(|path| !arguments.force && path.exists()) {
        bail!("{}", exists(path));
    }
    let owners = owners::of_checkouts(&arguments.checkout)?;
    let suggestion = survey(file, &arguments.realm)?.suggest(last(arguments.days), &owners);
    let text = suggestion.to_string();
    CatalogText::read(text.clone().into_bytes(), Path::new("that was suggested"))
        .context("what was inferred makes no catalog, which is a defect")?;
    if let Some(path) = &arguments.write {
        write(path, &text, arguments.force)?;
    }
    if arguments.json {
        say(&serde_json::to_string(&suggestion)?)?;
    } else if let Some(path) = &arguments.write {
        say(&format!(
            "written to {path}; look at it, then: throughline catalog check {path} && throughline catalog put {path}",
            path = path.display()
        ))?;
    } else {
        say(text.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn exists(path: &Path) -> String {
    format!("{} exists already: choose another name, or replace it with --force", path.display())
}

fn write(path: &Path, text: &str, replace: bool) -> anyhow::Result<()> {
    let opened = match replace {
        true => File::create(path),
        false => File::create_new(path),
    };
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!("{}", exists(path)),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be written", path.display())),
    };
    file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.toml");
        write(&path, "a", false).unwrap();
        let error = write(&path, "b", false).unwrap_err().to_string();
        assert!(error.contains("--force"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a");
        write(&path, "c", true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c");
    }
}
