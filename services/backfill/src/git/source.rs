//! Where a repository is, and how it is opened. What is not on this machine is cloned by git itself, which knows every transport, proxy
//! and way to prove who one is; the clone has commits and trees, and no file where the server can leave them out.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gix::ThreadSafeRepository;
use model::Repository;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use super::lines::progress;
use super::{Error, Options};
use crate::Sink;

/// A repository that can be read.
pub(super) struct Source {
    pub repository: ThreadSafeRepository,
    pub name: Repository,
    /// Goes with the clone in it.
    _clone: Option<TempDir>,
}

enum Place<'a> {
    Folder(PathBuf),
    Bundle(PathBuf),
    Address(&'a str),
}

/// Opens the repository, cloning it first where it must be.
pub(super) fn obtain(options: &Options, sink: &Sink) -> Result<Source, Error> {
    let place = place(&options.from)?;
    let (path, clone) = match &place {
        Place::Folder(path) => (path.clone(), None),
        Place::Bundle(path) => clone(&path.display().to_string(), Command::new("git"), &[], sink)?,
        Place::Address(address) => {
            clone(address, authorised(address, options.token.as_ref())?, &["--filter=blob:none"], sink)?
        }
    };
    let repository = open(&path)?;
    let named = options.repository.clone().or_else(|| match &place {
        Place::Folder(_) => origin(&repository),
        Place::Bundle(_) => None,
        Place::Address(address) => hosted(address),
    });
    let name = named.unwrap_or_else(|| folder_name(&options.from));
    Ok(Source { repository, name, _clone: clone })
}

fn place(from: &str) -> Result<Place<'_>, Error> {
    let path = Path::new(from);
    if path.is_dir() {
        return Ok(Place::Folder(path.to_owned()));
    }
    if path.is_file() {
        return if is_bundle(path) {
            Ok(Place::Bundle(path.to_owned()))
        } else {
            Err(Error::NoBundle(path.to_owned()))
        };
    }
    if !is_address(from) {
        return Err(Error::Nothing(from.to_owned()));
    }
    let authority = from.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') || from.starts_with("http") => Err(Error::PasswordInAddress),
        _ => Ok(Place::Address(from)),
    }
}

/// <https://git-scm.com/docs/gitformat-bundle>
fn is_bundle(path: &Path) -> bool {
    let mut start = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start.starts_with(b"# v") && start.ends_with(b" git bundle\n")
}

/// `scheme://…`, or `host:path` as ssh takes it.
fn is_address(text: &str) -> bool {
    let scp =
        text.split_once(':').is_some_and(|(host, path)| !host.is_empty() && !host.contains('/') && !path.is_empty());
    !text.starts_with('-') && (text.contains("://") || scp)
}

fn open(path: &Path) -> Result<ThreadSafeRepository, Error> {
    // Neither the user's configuration nor a replacement may change what a commit says.
    let options = gix::open::Options::isolated().config_overrides(["core.useReplaceRefs=false"]);
    options.open(path).map_err(|source| Error::NoRepository { path: path.to_owned(), source: Box::new(source) })
}

/// Has git clone it, as a bare repository in a temporary folder.
fn clone(address: &str, mut git: Command, filter: &[&str], sink: &Sink) -> Result<(PathBuf, Option<TempDir>), Error> {
    progress(sink, "clone", 0, None);
    let folder = tempfile::Builder::new().prefix("throughline-git-").tempdir().map_err(Error::Folder)?;
    let path = folder.path().join("clone.git");
    git.args(["clone", "--bare", "--quiet"]).args(filter).arg("--").arg(address).arg(&path);
    git.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").stdin(Stdio::null());
    let output = git.output().map_err(Error::NoGit)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(Error::Clone { address: address.to_owned(), said });
    }
    progress(sink, "clone", 1, Some(1));
    Ok((path, Some(folder)))
}

/// git, with the token for this host alone, which is in its environment: arguments are seen by everybody. Of ssh it is none of the
/// token's business who one is.
fn authorised(address: &str, token: Option<&SecretString>) -> Result<Command, Error> {
    let mut git = Command::new("git");
    let Some(token) = token.map(|token| token.expose_secret().trim()) else { return Ok(git) };
    if address.starts_with("http://") {
        return Err(Error::TokenInTheClear { address: address.to_owned() });
    }
    if let Some(host) = address.strip_prefix("https://").and_then(|rest| rest.split('/').next()) {
        // Most hosts take any user beside a token.
        let pair = if token.contains(':') { token.to_owned() } else { format!("x-access-token:{token}") };
        git.env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("http.https://{host}/.extraHeader"))
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {}", STANDARD.encode(pair)));
    }
    Ok(git)
}

/// Name by the remote `origin`, where that is on a host.
fn origin(repository: &ThreadSafeRepository) -> Option<Repository> {
    let repository = repository.to_thread_local();
    let url = repository.config_snapshot().string("remote.origin.url")?;
    hosted(&url.to_string())
}

fn hosted(address: &str) -> Option<Repository> {
    (is_address(address) && !address.starts_with("file:")).then(|| Repository::from_url(address))
}

/// `localhost/shop` of `/srv/git/shop.git`, `shop.bundle` and `shop/.git`.
fn folder_name(from: &str) -> Repository {
    let path = std::path::absolute(from).unwrap_or_else(|_| PathBuf::from(from));
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let last = name(&path).filter(|last| last != ".git").or_else(|| name(path.parent()?)).unwrap_or_default();
    let last = last.strip_suffix(".git").or_else(|| last.strip_suffix(".bundle")).unwrap_or(&last);
    Repository::new(format!("localhost/{}", last.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for address in ["https://github.com/acme/shop", "git@github.com:acme/shop.git", "ssh://git@host/acme/shop"] {
            assert!(matches!(place(address), Ok(Place::Address(_))), "{address}");
        }
        for nothing in ["no/such/folder", "nothing", "./a:b", "--upload-pack=x://y"] {
            assert!(matches!(place(nothing), Err(Error::Nothing(_))), "{nothing}");
        }
    }

    #[test]
    fn a_secret_is_neither_in_an_address_nor_sent_in_the_clear() {
        for address in
            ["https://user:secret@github.com/acme/shop", "https://secret@github.com/acme/shop", "ssh://u:p@h/x"]
        {
            let Err(error) = place(address) else { panic!("{address} was taken") };
            assert!(matches!(error, Error::PasswordInAddress));
            assert!(!error.to_string().contains("secret"));
        }
        let token = SecretString::from("hidden");
        assert!(authorised("http://example.com/shop", Some(&token)).is_err());
        assert_eq!(authorised("git@example.com:shop", Some(&token)).unwrap().get_envs().count(), 0);
        let command = authorised("https://example.com:8443/shop", Some(&token)).unwrap();
        let set: Vec<_> = command.get_envs().map(|(_, value)| value.unwrap().to_str().unwrap().to_owned()).collect();
        assert_eq!(set[1], "http.https://example.com:8443/.extraHeader");
        assert_eq!(set[2], format!("Authorization: Basic {}", STANDARD.encode("x-access-token:hidden")));
        assert_eq!(command.get_args().count(), 0);
    }

    #[test]
    fn a_repository_without_a_host_is_named_by_its_folder() {
        for from in ["/srv/git/Shop.git", "/srv/shop.bundle", "/srv/shop/.git", "/srv/shop/"] {
            assert_eq!(folder_name(from).as_str(), "localhost/shop", "{from}");
        }
        assert_eq!(hosted("git@github.com:Acme/Shop.git").unwrap().as_str(), "github.com/acme/shop");
        assert_eq!(hosted("/srv/git/shop.git"), None);
        assert_eq!(hosted("file:///srv/git/shop.git"), None);
    }
}
