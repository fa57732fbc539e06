//! What clones of repositories say of their owners.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use correlation::Owners;
use model::Repository;

/// Where GitHub looks for the file, and GitLab does.
const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Owners by repository, of the clones that say any.
pub fn of_checkouts(checkouts: &[PathBuf]) -> anyhow::Result<BTreeMap<Repository, Owners>> {
    let mut owners = BTreeMap::new();
    for checkout in checkouts {
        let repository = repository(checkout)?;
        let file = PLACES.iter().map(|place| checkout.join(place)).find(|file| file.is_file());
        let Some(file) = file else { continue };
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        owners.insert(repository, Owners::read(&text));
    }
    Ok(owners)
}

/// The repository that a clone was made from.
fn repository(checkout: &Path) -> anyhow::Result<Repository> {
    let config = git_folder(checkout).join("config");
    let text = fs::read_to_string(&config).with_context(|| {
        format!("{} is no clone of a repository: {} cannot be read", checkout.display(), config.display())
    })?;
    match origin(&text) {
        Some(url) => Ok(Repository::from_url(url)),
        None => bail!("{} has no remote `origin`, so nobody knows which repository it is", checkout.display()),
    }
}

/// The folder of git: that of the clone where this is a further working tree of it.
fn git_folder(checkout: &Path) -> PathBuf {
    let git = checkout.join(".git");
    let elsewhere =
        fs::read_to_string(&git).ok().and_then(|text| text.strip_prefix("gitdir:").map(|at| at.trim().into()));
    let Some(folder): Option<PathBuf> = elsewhere else { return git };
    let folder = checkout.join(folder);
    match fs::read_to_string(folder.join("commondir")) {
        Ok(common) => folder.join(common.trim()),
        Err(_) => folder,
    }
}

/// The address of the remote `origin` in a configuration of git.
fn origin(config: &str) -> Option<&str> {
    let mut within = false;
    config.lines().map(str::trim).find_map(|line| {
        if line.starts_with('[') {
            within = line == "[remote \"origin\"]";
        }
        let (key, value) = line.split_once('=').filter(|_| within)?;
        (key.trim() == "url").then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn a_clone_tells_its_repository_and_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let (shop, tree, bare) = (folder.path().join("shop"), folder.path().join("tree"), folder.path().join("bare"));
        write(
            &shop,
            ".git/config",
            "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = x\n[remote \"origin\"]\n\turl = git@github.com:Acme/Shop.git\n",
        );
        write(&shop, ".github/CODEOWNERS", "* @acme/web");
        write(&shop, ".git/worktrees/tree/commondir", "../..\n");
        write(&tree, ".git", &format!("gitdir: {}\n", shop.join(".git/worktrees/tree").display()));
        let owners = of_checkouts(std::slice::from_ref(&shop)).unwrap();
        assert_eq!(owners[&Repository::new("github.com/acme/shop")].team("a"), Some("web"));
        assert_eq!(repository(&tree).unwrap().as_str(), "github.com/acme/shop");
        write(&bare, ".git/config", "[core]\n");
        let error = of_checkouts(&[bare]).unwrap_err().to_string();
        assert!(error.contains("no remote `origin`"), "{error}");
        let error = format!("{:#}", of_checkouts(&[folder.path().to_owned()]).unwrap_err());
        assert!(error.contains("is no clone"), "{error}");
    }
}
