use std::io;
use std::path::PathBuf;

/// Why a repository cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is there, and it is no address.
    #[error(
        "`{0}` is neither a folder, nor a bundle, nor an address of a repository (https://…, ssh://…, git@host:path)"
    )]
    Nothing(String),
    /// A file that git did not write as a bundle.
    #[error("{} is no git bundle; `git bundle create FILE --all` makes one", .0.display())]
    NoBundle(PathBuf),
    /// A folder that is no repository.
    #[error("{} is no git repository; name its top folder, or that of a bare clone", path.display())]
    NoRepository {
        /// The folder.
        path: PathBuf,
        /// What gix says.
        source: Box<gix::Error>,
    },
    /// A secret where processes and logs show it.
    #[error("the address holds a password; leave it out, and give it as the environment variable {}", super::TOKEN)]
    PasswordInAddress,
    /// A secret that would travel in the clear.
    #[error("{} is set, and `{address}` is not https://…: a token is sent encrypted or not at all", super::TOKEN)]
    TokenInTheClear {
        /// The address.
        address: String,
    },
    /// Addresses and bundles are cloned by git itself.
    #[error(
        "`git` cannot be run, which clones what is no local repository; install git, or clone it elsewhere and name the folder"
    )]
    NoGit(#[source] io::Error),
    /// git refused.
    #[error("`git clone {address}` failed: {said}")]
    Clone {
        /// Address or file.
        address: String,
        /// What git wrote to standard error.
        said: String,
    },
    /// No room for a clone.
    #[error("no temporary folder for the clone")]
    Folder(#[source] io::Error),
    /// The branch is not there.
    #[error("there is no branch `{branch}`; there are: {}", there.join(", "))]
    NoBranch {
        /// As asked for.
        branch: String,
        /// Names of the branches.
        there: Vec<String>,
    },
    /// The default branch is not known.
    #[error("the repository does not say which branch is its default; name one with --branch: {}", there.join(", "))]
    NoDefaultBranch {
        /// Names of the branches.
        there: Vec<String>,
    },
    /// A commit is missing that is not beyond the boundary of a shallow clone.
    #[error("the history is broken; `git fsck` tells where, `git fetch --refetch` may mend it")]
    Walk(#[source] Box<gix::Error>),
    /// References or configuration cannot be read.
    #[error("the references of the repository cannot be read")]
    References(#[source] Box<gix::Error>),
    /// An object cannot be read.
    #[error("commit {id} cannot be read; `git fsck` tells more")]
    Commit {
        /// Its id.
        id: String,
        /// What gix says.
        source: Box<gix::Error>,
    },
    /// A defect of ours.
    #[error("an event cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The receiver has gone.
    #[error("nobody takes the history any more")]
    Closed,
}
